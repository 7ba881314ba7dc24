// Package profile reads provider profiles from YAML and holds the built-in ones. It refuses unknown fields, so that a typing mistake is not a silently missing check.
package profile

import (
	"embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"authwatch/classify"
)

// maxSize is far above what an operator writes by hand and cheap to parse.
const maxSize = 1 << 20

//go:embed builtin/*.yaml
var builtIn embed.FS

// Parse reads one profile; name is for error messages, which carry the line. Every mistake is reported, joined into one
// error. YAML anchors and aliases are refused: no profile needs them, and they let a small file grow without bound.
func Parse(name string, data []byte) (*classify.Profile, error) {
	if len(data) > maxSize {
		return nil, fmt.Errorf("%s: larger than %d bytes", name, maxSize)
	}
	doc, err := readDocument(name, data)
	if err != nil {
		return nil, err
	}
	var p classify.Profile
	if err := doc.decode(&p); err != nil {
		return nil, err
	}
	if err := doc.validate(&p); err != nil {
		return nil, err
	}
	return &p, nil
}

// Load reads the profile at path; its jwks_file is made relative to the profile's own folder.
func Load(path string) (*classify.Profile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open profile: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	p, err := Parse(path, data)
	if err != nil {
		return nil, err
	}
	if p.JWKSFile != "" && !filepath.IsAbs(p.JWKSFile) {
		p.JWKSFile = filepath.Join(filepath.Dir(path), p.JWKSFile)
	}
	return p, nil
}

// BuiltIn returns the profiles that come with authwatch, by id.
func BuiltIn() (classify.Profiles, error) {
	files, err := builtIn.ReadDir("builtin")
	if err != nil {
		return nil, fmt.Errorf("list built-in profiles: %w", err)
	}
	profiles := make(classify.Profiles, 0, len(files))
	for _, f := range files {
		name := "builtin/" + f.Name()
		data, err := builtIn.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read built-in profile: %w", err)
		}
		p, err := Parse(name, data)
		if err != nil {
			return nil, err
		}
		profiles = append(profiles, p)
	}
	return profiles, nil
}

// With returns base with more put before it, in the order given. A profile of more replaces the one of base that has the
// same id; of two in more with the same id the later one counts.
func With(base classify.Profiles, more ...*classify.Profile) classify.Profiles {
	all := slices.Concat(more, base)
	out := make(classify.Profiles, 0, len(all))
	for i, p := range all {
		sameID := func(q *classify.Profile) bool { return q.ID == p.ID }
		if i < len(more) && slices.ContainsFunc(more[i+1:], sameID) || i >= len(more) && slices.ContainsFunc(more, sameID) {
			continue
		}
		out = append(out, p)
	}
	return out
}
