package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// A site is a whole server over a database of its own, with a key of each scope and a session of each role.
type site struct {
	*httptest.Server
	api     *Server
	terms   *contract
	store   *store.Store
	db      string // path
	log     *lockedBuffer
	now     time.Time
	keys    map[string]string // by scope, and "revoked"
	cookies map[store.Role]string
}

// lockedBuffer takes the log of several requests at once.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{terms: loadContract(t), log: &lockedBuffer{}, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), keys: map[string]string{}, cookies: map[store.Role]string{}}
	clock := func() time.Time { return s.now }
	s.db = filepath.Join(t.TempDir(), "authwatch.db")
	opened, err := store.Open(t.Context(), store.Options{DSN: s.db, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	s.store = opened
	s.api, err = New(testOptions(s.store, s.log, clock))
	if err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewServer(s.api)
	t.Cleanup(func() {
		s.Close()
		if err := s.store.Close(); err != nil {
			t.Error(err)
		}
	})
	s.addAccounts(t)
	return s
}

func testOptions(st *store.Store, log io.Writer, now func() time.Time) Options {
	return Options{
		Store: st, Profiles: testProfiles(), Decode: decodeLines, Registry: prometheus.NewRegistry(), Now: now, BaseURL: "http://127.0.0.1:8080",
		Logger: slog.New(slog.NewJSONHandler(log, nil)), Alerts: testAlerts(st, now), Settings: testSettings(),
		Ingest: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, "ingest %d", n)
		}),
		WrongKey: func(string) time.Duration { return 0 },
		Redact:   func(text string) string { return strings.ReplaceAll(text, "hunter2", "[secret]") },
		Replay: func(_ context.Context, source, reject string) (Replayed, error) {
			return Replayed{Error: &Problem{Pointer: "/time", Code: "missing_time", Detail: "time is missing"}}, nil
		},
		DecodePasted: func(text []byte) (classify.Record, error) {
			var r classify.Record
			return r, json.Unmarshal(text, &r)
		},
	}
}

// decodeLines reads NDJSON without redaction, which is not this package's part.
func decodeLines(body []byte) (records []classify.Record, bad []Problem) {
	for i, line := range bytes.Split(bytes.TrimSpace(body), []byte("\n")) {
		var r classify.Record
		if err := json.Unmarshal(line, &r); err != nil {
			bad = append(bad, Problem{Index: i, Code: "not_json", Detail: "not a JSON object"})
			continue
		}
		records = append(records, r)
	}
	return records, bad
}

func testProfiles() classify.Profiles {
	return classify.Profiles{{
		ID: "exchange", Title: "An exchange", JWKSFile: "/etc/authwatch/jwks.json",
		Environments: []classify.Environment{
			{Name: "prod", TokenEndpoints: []string{"https://auth.exchange.example/oauth/token"}, APIAudiences: []string{"https://api.exchange.example"}},
			{Name: "preprod", TokenEndpoints: []string{"https://auth.preprod.exchange.example/oauth/token"}, APIAudiences: []string{"https://api.preprod.exchange.example"}},
		},
		Assertion: &classify.AssertionRules{Algorithms: []string{"RS256"}, Audience: classify.Audience{Keyword: "token_endpoint"}},
		Meanings:  []classify.Meaning{{Error: "unauthorized_client", Cause: classify.UnknownClient}},
	}}
}

func (s *site) addAccounts(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	for _, scope := range []store.Scope{store.ScopeIngest, store.ScopeRead, store.ScopeRespond, store.ScopeAdmin, "revoked"} {
		asked := scope
		if scope == "revoked" {
			asked = store.ScopeAdmin
		}
		key, text, err := s.store.CreateKey(ctx, asked, "test "+string(scope))
		if err != nil {
			t.Fatal(err)
		}
		if scope == "revoked" {
			if err := s.store.RevokeKey(ctx, key.ID); err != nil {
				t.Fatal(err)
			}
		}
		s.keys[string(scope)] = text
	}
	for _, role := range []store.Role{store.Viewer, store.Responder, store.Admin} {
		if _, err := s.store.CreateUser(ctx, "a "+string(role), role); err != nil {
			t.Fatal(err)
		}
		s.signIn(t, role)
	}
}

// signIn gives the person of that role a new session.
func (s *site) signIn(t *testing.T, role store.Role) {
	t.Helper()
	cookie, _, err := s.store.UseSignIn(t.Context(), s.signInToken(t, role), sessionLength)
	if err != nil {
		t.Fatal(err)
	}
	s.cookies[role] = cookie
}

// signInToken makes a one-time sign-in token for the person of that role.
func (s *site) signInToken(t *testing.T, role store.Role) string {
	t.Helper()
	user, err := s.store.GetUserByName(t.Context(), "a "+string(role))
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.store.CreateSignIn(t.Context(), user.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// An ask is one request. Who is a scope, "revoked", or a role after "session ".
type ask struct {
	method, path, who, body string
	header                  map[string]string
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (s *site) do(t *testing.T, a ask) answer {
	t.Helper()
	if a.method == "" {
		a.method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), a.method, s.URL+a.path, strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if role, ok := strings.CutPrefix(a.who, "session "); ok {
		r.AddCookie(&http.Cookie{Name: "aw_session", Value: s.cookies[store.Role(role)]})
	} else if a.who != "" {
		r.Header.Set("Authorization", "Bearer "+s.keys[a.who])
	}
	for name, value := range a.header {
		r.Header.Set(name, value)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := answer{response.StatusCode, response.Header, string(body)}
	s.terms.check(t, r, a.body, got)
	return got
}

// postForm sends a form as a browser does from our own page.
func (s *site) postForm(t *testing.T, who, path string, form url.Values) answer {
	t.Helper()
	return s.do(t, ask{method: http.MethodPost, path: path, who: who, body: form.Encode(),
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Origin": s.URL, "Sec-Fetch-Site": "same-origin"}})
}

// get reads JSON as the read key and fails the test unless the status is 200.
func (s *site) get(t *testing.T, path string, into any) answer {
	t.Helper()
	a := s.do(t, ask{path: path, who: "read"})
	if a.status != http.StatusOK {
		t.Fatalf("GET %s = %d %s", path, a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return a
}

// problemIn checks the shape of RFC 9457 and returns the problem.
func problemIn(t *testing.T, a answer, status int) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("problem: %v in %q", err, a.body)
	}
	if a.status != status || p.Status != status || p.Title != http.StatusText(status) || p.Type != "about:blank" || p.Detail == "" {
		t.Fatalf("status %d, want %d; problem %+v", a.status, status, p)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("Content-Type %q", got)
	}
	return p
}

// addFailures stores failures of one client and cause, one a minute up to the present.
func (s *site) addFailures(t *testing.T, n int, cause classify.Code, environment, client string) []store.Failure {
	t.Helper()
	list := make([]store.Failure, n)
	for i := range list {
		at := s.now.Add(-time.Duration(n-i) * time.Minute)
		list[i] = store.Failure{
			Source: "test", RecordID: fmt.Sprintf("%s-%s-%s-%d", cause, environment, client, i), ReceivedAt: s.now, RequestID: fmt.Sprintf("req-%d", i),
			Endpoint: "POST api.exchange.example/v1/orders", Method: "POST", URL: "https://api.exchange.example/v1/orders", Status: 401,
			Record: json.RawMessage(`{"time":"` + at.Format(time.RFC3339) + `","response":{"status":401}}`),
			Verdict: classify.Verdict{Time: at, Provider: "exchange", Environment: environment, ClientID: client, Phase: classify.APICall, Cause: cause,
				Confidence: classify.Proven, Fault: classify.FaultClient, Summary: "exp is in the past", Evidence: []classify.Evidence{},
				Checks: []*classify.Check{}, Alternatives: []classify.Alternative{}, Fix: classify.Fix{Steps: []string{}}},
		}
	}
	err := s.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error { return tx.AddFailures(ctx, list) })
	if err != nil {
		t.Fatal(err)
	}
	return list
}
