// Package api serves the REST API and the dashboard with Echo, which lives here and nowhere else. It reads the store
// and renders; it refuses to decide anything about causes.
package api

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/prometheus/client_golang/prometheus"
)

// Options configure New. All are required but Now, Demo, Version.
type Options struct {
	Store    *store.Store
	Profiles classify.Profiles
	Ingest   http.Handler // mounted under /ingest/; it authenticates by itself
	// Decode turns a native record body into redacted records, in order, and lists what was wrong with the others: POST /api/v1/classify.
	Decode func(body []byte) ([]classify.Record, []Problem)
	// DecodePasted turns what a person pasted (record, claims, raw token) into one redacted record: the page /check.
	DecodePasted func(text []byte) (classify.Record, error)
	Logger       *slog.Logger
	Registry     *prometheus.Registry // served at /metrics
	Now          func() time.Time
	Demo         bool   // says so on every page
	Version      string // shown in the footer
	BaseURL      string // http://127.0.0.1:8080, for the curl line of the empty page
}

// Problem is one fault of a request body, as RFC 9457 extension member "errors" holds them.
type Problem struct {
	Index   int    `json:"index"`
	Pointer string `json:"pointer,omitempty"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// A Server is the HTTP side of authwatch.
type Server struct{}

// New checks the options and builds the routes.
func New(o Options) (*Server, error) { return nil, errors.ErrUnsupported }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {}
