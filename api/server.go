// Package api serves the REST API and the dashboard with Echo, which lives here and nowhere else. It reads the store
// and renders; it refuses to decide anything about causes.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options configure New. All are required but Knowledge, Examples, Now, APIRate, Demo, Version, Hosts.
type Options struct {
	Store     *store.Store
	Profiles  classify.Profiles
	Knowledge *classify.Knowledge       // documented texts: for verdicts, and for the pages of the causes
	Examples  map[classify.Code]Example // for the pages of the causes
	Ingest    http.Handler              // mounted at ingestPaths; it authenticates by itself
	// Decode turns a native record body into redacted records, in order, and lists what was wrong with the others: POST /api/v1/classify.
	Decode func(body []byte) ([]classify.Record, []Problem)
	// DecodePasted turns what a person pasted (record, claims, raw token) into one redacted record: the page /check.
	DecodePasted func(text []byte) (classify.Record, error)
	Redact       func(text string) string // removes secrets from what a person or a pipeline wrote
	// Replay tries a rejected record of a source again. Errors: store.ErrNotFound, store.ErrBusy.
	Replay   func(ctx context.Context, source, reject string) (Replayed, error)
	Logger   *slog.Logger
	Registry *prometheus.Registry // served at /metrics
	Now      func() time.Time
	Alerts   Alerts // what sends them
	Settings Settings
	APIRate  int64  // requests a minute to the REST API that one key or person may make; 0: no bound
	Demo     bool   // says so on every page
	Version  string // shown in the footer
	// BaseURL is the origin that browsers know, such as http://127.0.0.1:8080: for the curl line of the empty page, and as the
	// one origin whose forms are ours. With https, session cookies are Secure behind a TLS proxy too.
	BaseURL string
	// Hosts are the names, lower-case and without port, by which people's browsers know the server; nil: any. Addresses always are.
	Hosts []string
	// WrongKey notes a guessed key or sign-in link from that address (http.Request.RemoteAddr) and says how long whoever is there has to wait; 0: not yet.
	WrongKey func(remote string) time.Duration
}

// Problem is one fault of a request body, as RFC 9457 extension member "errors" holds them.
type Problem struct {
	Index   int    `json:"index"`
	Pointer string `json:"pointer,omitempty"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// A Server is the HTTP side of authwatch.
type Server struct {
	Options
	classifier  *classify.Classifier
	echo        *echo.Echo
	assets      map[string]asset
	description []byte // openapi.yaml as JSON
	pages       pageSet
	watch       *sourceWatch
	metrics     *metrics
	crossOrigin *http.CrossOriginProtection
	streams     *streamHub
	rate        *rateLimit
	inHand      *inHand
}

// New checks the options and builds the routes.
func New(o Options) (*Server, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	assets, err := loadAssets()
	if err != nil {
		return nil, err
	}
	pages, err := loadPages()
	if err != nil {
		return nil, err
	}
	description, err := loadDescription()
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registry)
	if err != nil {
		return nil, err
	}
	s := &Server{Options: o, classifier: classify.New(o.Profiles, o.Knowledge), echo: echo.New(), assets: assets, description: description, pages: pages, watch: &sourceWatch{}, metrics: m, crossOrigin: http.NewCrossOriginProtection(), streams: newStreamHub(o.Store, o.Logger, m), rate: newRateLimit(o.APIRate, o.Now), inHand: &inHand{keys: map[[2]string]bool{}}}
	// A proxy may hand us another Host than the one that people's browsers know.
	if err := s.crossOrigin.AddTrustedOrigin(o.BaseURL); err != nil {
		return nil, fmt.Errorf("api: option BaseURL: %w", err)
	}
	s.echo.HTTPErrorHandler = s.answerError
	// Without an extractor Echo believes any X-Forwarded-For.
	s.echo.IPExtractor = echo.ExtractIPDirect()
	s.echo.Use(s.observe, s.recoverPanic, securityHeaders, s.refuseOtherHosts, compress(), refuseCredentialsInURL,
		middleware.BodyLimitWithConfig(middleware.BodyLimitConfig{Limit: "8M", Skipper: isIngest}))
	s.mount()
	return s, nil
}

func (o Options) check() error {
	for _, required := range []struct {
		name    string
		missing bool
	}{
		{"Store", o.Store == nil}, {"Profiles", o.Profiles == nil}, {"Ingest", o.Ingest == nil}, {"Decode", o.Decode == nil},
		{"DecodePasted", o.DecodePasted == nil}, {"Redact", o.Redact == nil}, {"Replay", o.Replay == nil}, {"Logger", o.Logger == nil}, {"Registry", o.Registry == nil}, {"BaseURL", o.BaseURL == ""}, {"WrongKey", o.WrongKey == nil},
		{"Alerts.Preview", o.Alerts.Preview == nil}, {"Alerts.Test", o.Alerts.Test == nil},
		{"Settings.ParseProfile", o.Settings.ParseProfile == nil}, {"Settings.FormatProfile", o.Settings.FormatProfile == nil},
	} {
		if required.missing {
			return errors.New("api: option " + required.name + " is missing")
		}
	}
	return nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// A route is one row of the table of everything that is served. GET rows answer HEAD too.
type route struct {
	method string
	path   string
	access access
	handle echo.HandlerFunc
}

// mount registers every route with its own authorization. Echo's groups are not used: a group with middleware answers
// 404 where the path exists and only the method is wrong.
func (s *Server) mount() {
	for _, r := range append(s.apiRoutes(), s.pageRoutes()...) {
		s.echo.Add(r.method, r.path, r.handle, s.authorize(r.access))
		if r.method == http.MethodGet {
			s.echo.Add(http.MethodHead, r.path, r.handle, s.authorize(r.access))
		}
	}
	for _, path := range ingestPaths() {
		s.echo.Any(path, echo.WrapHandler(s.Ingest))
	}
}

// apiRoutes is the table of everything but the pages, which pageRoutes lists.
func (s *Server) apiRoutes() []route {
	return append(s.alertRoutes(), []route{
		{http.MethodGet, "/healthz", public, s.healthz},
		{http.MethodGet, "/readyz", public, s.readyz},
		{http.MethodGet, "/metrics", apiRead, echo.WrapHandler(promhttp.HandlerFor(s.Registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))},
		{http.MethodGet, "/static/*", public, s.static},
		{http.MethodPost, "/api/v1/classify", apiRead, s.classifyRecords},
		{http.MethodGet, "/api/v1/incidents", apiRead, s.listIncidents},
		{http.MethodGet, "/api/v1/incidents/:id", apiRead, s.getIncident},
		{http.MethodPatch, "/api/v1/incidents/:id", apiRespond, s.once(s.patchIncident)},
		{http.MethodPost, "/api/v1/incidents/change", apiRespond, s.once(s.changeIncidents)},
		{http.MethodGet, "/api/v1/incidents/:id/activity", apiRead, s.listActivity},
		{http.MethodGet, "/api/v1/incidents/:id/bundle", apiRead, s.getBundle},
		{http.MethodGet, "/api/v1/incidents/:id/failures", apiRead, s.listIncidentFailures},
		{http.MethodGet, "/api/v1/failures", apiRead, s.listFailures},
		{http.MethodGet, "/api/v1/failures/:id", apiRead, s.getFailure},
		{http.MethodGet, "/api/v1/trends", apiRead, s.getTrends},
		{http.MethodGet, "/api/v1/clients", apiRead, s.listClients},
		{http.MethodGet, "/api/v1/clients/:id", apiRead, s.getClient},
		{http.MethodGet, "/api/v1/clients/:id/clock", apiRead, s.getClientClock},
		{http.MethodGet, "/api/v1/clients/:id/habits", apiRead, s.listClientHabits},
		{http.MethodGet, "/api/v1/environments", apiRead, s.listEnvironments},
		{http.MethodGet, "/api/v1/environments/diff", apiRead, s.getEnvironmentsDiff},
		{http.MethodGet, "/api/v1/signing-keys", apiRead, s.listSigningKeys},
		{http.MethodGet, "/api/v1/causes", apiRead, s.listCauses},
		{http.MethodGet, "/api/v1/causes/:code", apiRead, s.getCause},
		{http.MethodGet, "/api/v1/profiles", apiRead, s.listProfiles},
		{http.MethodGet, "/api/v1/profiles/:id", apiRead, s.getProfile},
		{http.MethodGet, "/api/v1/sources", apiRead, s.listSources},
		{http.MethodGet, "/api/v1/sources/:id", apiRead, s.getSource},
		{http.MethodGet, "/api/v1/sources/:id/rejects", apiRead, s.listRejects},
		{http.MethodGet, "/api/v1/sources/:id/rejects/:reject", apiRead, s.getReject},
		{http.MethodPost, "/api/v1/sources/:id/rejects/:reject/replay", apiAdmin, s.replayReject},
		{http.MethodGet, "/api/v1/views", apiRead, s.listViews},
		{http.MethodPost, "/api/v1/views", apiRespond, s.addView},
		{http.MethodDelete, "/api/v1/views/:id", apiRespond, s.deleteView},
		{http.MethodGet, "/api/v1/changes", apiRead, s.listChanges},
		{http.MethodPost, "/api/v1/changes", apiRespond, s.addChange},
		{http.MethodGet, streamRoute, apiRead, s.stream},
		{http.MethodGet, "/api/v1/feed", apiRead, s.feed},
		{http.MethodGet, "/api/v1/openapi.yaml", public, s.getDescription},
		{http.MethodGet, "/api/v1/openapi.json", public, s.getDescriptionAsJSON},
	}...)
}

// isIngest is true for what shippers send, which has limits of its own.
func isIngest(c echo.Context) bool { return slices.Contains(ingestPaths(), c.Path()) }

// ingestPaths are the routes of ingestion: its own folder, and at the root what shippers ask for that know no path
// prefix (rsyslog for Elasticsearch, Docker's driver for Splunk, Datadog's Agent and Fluent Bit for Datadog).
func ingestPaths() []string {
	return []string{"/ingest/*", "/_bulk", "/_cat/health", "/services/collector", "/services/collector/*", "/api/v2/logs"}
}
