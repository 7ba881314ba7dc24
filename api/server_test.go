package api

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/classify"

	"github.com/labstack/echo/v4"
)

func TestNew_NamesWhatIsMissing(t *testing.T) {
	s := newSite(t)
	whole := testOptions(s.store, io.Discard, time.Now)
	for name, remove := range map[string]func(*Options){
		"Store": func(o *Options) { o.Store = nil }, "Profiles": func(o *Options) { o.Profiles = nil }, "Ingest": func(o *Options) { o.Ingest = nil },
		"Decode": func(o *Options) { o.Decode = nil }, "DecodePasted": func(o *Options) { o.DecodePasted = nil },
		"Logger": func(o *Options) { o.Logger = nil }, "Registry": func(o *Options) { o.Registry = nil }, "BaseURL": func(o *Options) { o.BaseURL = "" },
	} {
		o := whole
		remove(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	if _, err := New(whole); err != nil {
		t.Errorf("whole: %v", err)
	}
	for _, base := range []string{"127.0.0.1:8080", "http://authwatch.example/under/a/path"} {
		o := testOptions(s.store, io.Discard, time.Now)
		o.BaseURL = base
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), "BaseURL") {
			t.Errorf("BaseURL %s: %v", base, err)
		}
	}
}

func TestHeaders_OnEveryAnswer(t *testing.T) {
	s := newSite(t)
	for _, a := range []ask{
		{path: "/healthz"}, {path: "/readyz"}, {path: "/metrics"}, {path: "/metrics", who: "read"}, {path: "/static/app.css"},
		{path: "/api/v1/causes"}, {path: "/api/v1/causes", who: "read"}, {path: "/api/v1/nothing"}, {path: "/nothing"},
		{method: "DELETE", path: "/api/v1/causes"}, {method: "POST", path: "/ingest/v1/responses"}, {path: "/api/v1/causes?api_key=x"},
	} {
		got := s.do(t, a)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got.header.Get(name) != want {
				t.Errorf("%s %s: %s = %q", a.method, a.path, name, got.header.Get(name))
			}
		}
		csp := got.header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "script-src 'self'", "form-action 'self'"} {
			if !strings.Contains(csp, part) || strings.Contains(csp, "unsafe") {
				t.Errorf("%s %s: CSP %q", a.method, a.path, csp)
			}
		}
		if cache := got.header.Get("Cache-Control"); !strings.HasPrefix(a.path, "/static/") && cache != "no-store" {
			t.Errorf("%s %s: Cache-Control %q", a.method, a.path, cache)
		}
		if got.header.Get("Server") != "" || got.header.Get("X-Powered-By") != "" {
			t.Errorf("%s %s: says what it runs on", a.method, a.path)
		}
	}
}

func TestHealth(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := s.do(t, ask{path: path}); got.status != 200 {
			t.Errorf("%s = %d %s", path, got.status, got.body)
		}
	}
	broken := newSite(t)
	if err := broken.store.Close(); err != nil {
		t.Fatal(err)
	}
	if got := broken.do(t, ask{path: "/healthz"}); got.status != 200 {
		t.Errorf("healthz of a server without database = %d", got.status)
	}
	p := problemIn(t, broken.do(t, ask{path: "/readyz"}), http.StatusServiceUnavailable)
	if strings.Contains(p.Detail, "sql") || !strings.Contains(broken.log.String(), "not ready") {
		t.Errorf("detail %q belongs into the log", p.Detail)
	}
	got := broken.do(t, ask{path: "/api/v1/incidents", who: "read"})
	if problemIn(t, got, 500); strings.Contains(got.body, "sql") {
		t.Errorf("error text shown: %s", got.body)
	}
}

func TestRouting_HostilePaths(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{
		"/api/v1/%2e%2e/%2e%2e/metrics", "/static/../../etc/passwd", "/static/%2e%2e/%2e%2e/server.go", "/static/..%2f..%2fserver.go", "/static/templates/layout.html",
		"//api/v1/causes", "/api//v1/causes", "/%2fapi/v1/causes", "/api%2fv1%2fcauses", "/api/v1/causes/", "/api/v1/Causes", "/%09/evil.example/", "/api/v1/causes/%00",
		"/%5cevil.example", "/api/v1", "/api", "/metrics/", "/static/", "/api/v1/incidents/..%2f..%2fkeys", "/;/metrics", "/.git/config", "/debug/pprof/",
	} {
		got := s.do(t, ask{path: path, who: "read"})
		if got.status != http.StatusNotFound {
			t.Errorf("%s = %d, Location %q", path, got.status, got.header.Get("Location"))
		}
		if got.header.Get("Location") != "" {
			t.Errorf("%s leads to %q", path, got.header.Get("Location"))
		}
	}
}

// The same path in another spelling has the same guard, or leads nowhere.
func TestRouting_SpellingDoesNotOpen(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/api/v1/%63auses", "/api/v1/incidents/a%2fb", "/api/v1/clients/a%2fb", "/%6detrics", "/api/v1/causes?x=1", "/api/v1/clients/a/b/c"} {
		if got := s.do(t, ask{path: path}); got.status != http.StatusUnauthorized && got.status != http.StatusNotFound {
			t.Errorf("%s without a key = %d", path, got.status)
		}
	}
}

func TestRouting_Problems(t *testing.T) {
	s := newSite(t)
	problemIn(t, s.do(t, ask{path: "/api/v2/incidents", who: "read"}), http.StatusNotFound)
	problemIn(t, s.do(t, ask{path: "/api/v1/nothing"}), http.StatusNotFound)
	problemIn(t, s.do(t, ask{path: "/api/v1/incidents/inc_none", who: "read"}), http.StatusNotFound)
	for _, method := range []string{"DELETE", "PUT", "BREW", "get", "TRACE"} {
		got := s.do(t, ask{method: method, path: "/api/v1/incidents/inc_none", who: "admin"})
		problemIn(t, got, http.StatusMethodNotAllowed)
		allow := strings.Split(got.header.Get("Allow"), ", ")
		for _, want := range []string{"GET", "HEAD", "PATCH"} {
			if !slices.Contains(allow, want) {
				t.Errorf("%s: Allow %v lacks %s", method, allow, want)
			}
		}
	}
	if got := s.do(t, ask{method: "POST", path: "/api/v1/causes", who: "admin", header: map[string]string{"X-HTTP-Method-Override": "GET"}}); got.status != 405 {
		t.Errorf("method override: %d", got.status)
	}
	if got := s.do(t, ask{method: "OPTIONS", path: "/api/v1/causes"}); got.status != 204 || got.header.Get("Allow") == "" || got.header.Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("OPTIONS: %d %v", got.status, got.header)
	}
	head := s.do(t, ask{method: "HEAD", path: "/api/v1/causes", who: "read"})
	if head.status != 200 || head.body != "" || head.header.Get("Content-Length") == "" {
		t.Errorf("HEAD = %d, %d bytes, %v", head.status, len(head.body), head.header)
	}
}

func TestCredentialsInURL(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{"api_key", "token", "access_token", "key"} {
		got := s.do(t, ask{path: "/api/v1/causes?" + name + "=" + s.keys["read"]})
		if p := problemIn(t, got, http.StatusBadRequest); p.Errors[0].Code != "credential_in_url" || strings.Contains(got.body, s.keys["read"]) {
			t.Errorf("%s: %s", name, got.body)
		}
	}
	if got := s.do(t, ask{path: "/api/v1/causes?a=%zz", who: "read"}); got.status != 400 {
		t.Errorf("bad escape: %d", got.status)
	}
	if got := s.do(t, ask{path: "/api/v1/causes?" + strings.Repeat("a=1&", 20000), who: "read"}); got.status != 400 && got.status != 431 {
		t.Errorf("20000 parameters: %d", got.status)
	}
}

// The log names routes by their pattern: no id, query, key or sign-in token reaches it.
// TestPages_QueryIsText refuses what PostgreSQL would, and more values than a statement can have.
func TestPages_QueryIsText(t *testing.T) {
	s := newSite(t)
	for _, bad := range []string{"/clients?environment=%00", "/?client=%ff", "/sources?x=%00", "/incidents?q=" + strings.Repeat("client:a,", 300), "/incidents?" + strings.Repeat("client=a&", 51)} {
		if a := s.do(t, ask{path: bad, who: "session viewer"}); a.status != http.StatusBadRequest || !strings.Contains(a.body, "<h1>Bad Request</h1>") {
			t.Errorf("%.30s = %d", bad, a.status)
		}
	}
}

func TestLog_HoldsNoURL(t *testing.T) {
	s := newSite(t)
	s.do(t, ask{path: "/api/v1/incidents/inc_secret?token=hunter2", who: "read"})
	s.do(t, ask{path: "/api/v1/incidents/inc_secret?cause=hunter2", who: "read"})
	s.do(t, ask{path: "/hunter2/inc_secret", who: "read"})
	log := s.log.String()
	for _, secret := range []string{"hunter2", "inc_secret", s.keys["read"]} {
		if strings.Contains(log, secret) {
			t.Errorf("log holds %q:\n%s", secret, log)
		}
	}
	for _, want := range []string{`"route":"/api/v1/incidents/:id"`, `"route":"unmatched"`, `"status":400`} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %s:\n%s", want, log)
		}
	}
}

func TestMetrics_ClosedLabels(t *testing.T) {
	s := newSite(t)
	for _, method := range []string{"BREW", "XPLODE", "GET"} {
		for _, path := range []string{"/api/v1/incidents/a", "/api/v1/incidents/b", "/x", "/y", "/api/v1/zzz"} {
			s.do(t, ask{method: method, path: path, who: "read"})
		}
	}
	got := s.do(t, ask{path: "/metrics", who: "read"})
	for _, want := range []string{
		`authwatch_http_request_duration_seconds_count{code="404",method="GET",route="unmatched"} 3`,
		`authwatch_http_request_duration_seconds_count{code="404",method="GET",route="/api/v1/incidents/:id"} 2`,
		`authwatch_http_request_duration_seconds_count{code="405",method="other",route="/api/v1/incidents/:id"} 4`,
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	for _, bad := range []string{"BREW", "zzz", `"/x"`} {
		if strings.Contains(got.body, bad) {
			t.Errorf("metrics hold %s", bad)
		}
	}
}

func TestPanic_LogsTypeAndStackOnly(t *testing.T) {
	s := newSite(t)
	s.api.echo.GET("/api/v1/panics", func(echo.Context) error { panic(errors.New("token hunter2")) })
	problemIn(t, s.do(t, ask{path: "/api/v1/panics"}), http.StatusInternalServerError)
	log := s.log.String()
	if strings.Contains(log, "hunter2") || !strings.Contains(log, "errors.errorString") || !strings.Contains(log, "server_test.go") {
		t.Errorf("log: %s", log)
	}
}

func TestBodyLimit(t *testing.T) {
	s := newSite(t)
	got := s.do(t, ask{method: "POST", path: "/api/v1/classify", who: "read", body: strings.Repeat(" ", 8<<20+1)})
	problemIn(t, got, http.StatusRequestEntityTooLarge)
}

func TestStatic(t *testing.T) {
	s := newSite(t)
	got := s.do(t, ask{path: "/static/app.css"})
	if got.status != 200 || got.header.Get("Content-Type") != "text/css; charset=utf-8" || got.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%d %v", got.status, got.header)
	}
	if again := s.do(t, ask{path: "/static/app.css", header: map[string]string{"If-None-Match": got.header.Get("ETag")}}); again.status != 304 {
		t.Errorf("with its ETag: %d", again.status)
	}
	forever := s.do(t, ask{path: s.api.assetURL("app.css")})
	if forever.status != 200 || !strings.Contains(forever.header.Get("Cache-Control"), "immutable") || forever.body != got.body {
		t.Errorf("under its hash: %d %v", forever.status, forever.header)
	}
	if stale := s.do(t, ask{path: "/static/app.css?v=0000"}); strings.Contains(stale.header.Get("Cache-Control"), "immutable") {
		t.Error("kept for ever under a wrong hash")
	}
	// nosniff is set: a script of another type would not run.
	for name, media := range map[string]string{"app.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		if got := s.do(t, ask{path: "/static/" + name}).header.Get("Content-Type"); got != media {
			t.Errorf("%s is %s", name, got)
		}
	}
}

// A value that JSON cannot hold is a clean 500, not a broken 200.
func TestSendJSON_EncodesBeforeTheStatus(t *testing.T) {
	s := newSite(t)
	s.api.echo.GET("/api/v1/far", func(c echo.Context) error {
		return sendJSON(c, 200, classify.Verdict{Time: time.UnixMilli(1795316340000000)})
	})
	problemIn(t, s.do(t, ask{path: "/api/v1/far"}), http.StatusInternalServerError)
}
