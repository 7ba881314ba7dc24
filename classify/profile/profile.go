// Package profile reads provider profiles from YAML and holds the built-in ones. It refuses unknown fields, so that a typing mistake is not a silently missing check.
package profile

import (
	"errors"

	"authwatch/classify"
)

// Parse reads one profile; name is for error messages, which carry the line.
func Parse(name string, data []byte) (*classify.Profile, error) { return nil, errors.ErrUnsupported }

// Load reads the profile at path; its jwks_file is made relative to the profile's own folder.
func Load(path string) (*classify.Profile, error) { return nil, errors.ErrUnsupported }

// BuiltIn returns the profiles that come with authwatch, by id.
func BuiltIn() (classify.Profiles, error) { return nil, errors.ErrUnsupported }

// With returns base with more put before it; one of the same id replaces the built-in one.
func With(base classify.Profiles, more ...*classify.Profile) classify.Profiles { return nil }
