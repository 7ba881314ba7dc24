package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// routeAccess is who may use each route, written apart from the routes themselves; a route that is not here fails.
func routeAccess() map[string]access {
	const ownAuth = public // ingestion checks its keys itself
	table := map[string]access{
		"GET /healthz": public, "GET /readyz": public, "GET /static/*": public, "GET /metrics": apiRead,
		"POST /api/v1/classify": apiRead,
		"GET /api/v1/sources":   apiRead, "GET /api/v1/sources/:id": apiRead, "GET /api/v1/sources/:id/rejects": apiRead,
		"GET /api/v1/sources/:id/rejects/:reject": apiRead, "POST /api/v1/sources/:id/rejects/:reject/replay": apiAdmin,
		"GET /sources": pageViewer, "GET /sources/:id": pageViewer, "GET /sources/:id/rejects/:reject": pageViewer,
		"POST /sources/:id/rejects/:reject/replay": pageAdmin,
		"GET /api/v1/incidents":                    apiRead, "GET /api/v1/incidents/:id": apiRead, "PATCH /api/v1/incidents/:id": apiRespond,
		"GET /api/v1/incidents/:id/failures": apiRead, "GET /api/v1/failures": apiRead, "GET /api/v1/failures/:id": apiRead,
		"GET /api/v1/trends": apiRead, "GET /api/v1/clients": apiRead, "GET /api/v1/clients/:id": apiRead, "GET /api/v1/environments": apiRead,
		"GET /": pageViewer, "GET /incidents": pageViewer, "GET /incidents/:id": pageViewer, "POST /incidents/:id/state": pageResponder, "GET /i/:id": pageViewer,
		"GET /failures/:id": pageViewer, "GET /clients": pageViewer, "GET /clients/:id": pageViewer, "GET /environments": pageViewer,
		"GET /causes": pageViewer, "GET /causes/:code": pageViewer, "GET /check": pageViewer, "POST /check": pageViewer,
		"GET /setup/:token": public, "POST /setup/:token": public, "GET /login": public, "POST /logout": public, "POST /zone": public, "POST /views": pageViewer, "POST /views/:id/delete": pageViewer, "GET /api/v1/views": apiRead, "POST /api/v1/views": apiRespond, "DELETE /api/v1/views/:id": apiRespond,
		"GET /api/v1/causes": apiRead, "GET /api/v1/causes/:code": apiRead, "GET /api/v1/profiles": apiRead, "GET /api/v1/profiles/:id": apiRead,
		"GET /incidents/:id/bundle": pageViewer, "GET /incidents/:id/bundle/file": pageViewer, "POST /incidents/:id/note": pageResponder, "POST /incidents/change": pageResponder, "GET /reference": pageViewer, "GET /reference/:part": pageViewer, "GET /changes": pageViewer, "POST /changes": pageResponder,
		"POST /api/v1/incidents/change": apiRespond, "GET /api/v1/incidents/:id/activity": apiRead, "GET /api/v1/incidents/:id/bundle": apiRead,
		"GET /live": pageViewer, "GET /failures": pageViewer, "GET /incidents/:id/over": pageViewer,
		"GET /api/v1/stream": apiRead, "GET /api/v1/feed": apiRead,
		"GET /api/v1/clients/:id/clock": apiRead, "GET /api/v1/clients/:id/habits": apiRead, "GET /api/v1/environments/diff": apiRead, "GET /api/v1/signing-keys": apiRead,
		"GET /environments/diff": pageViewer, "GET /keys": pageViewer,
		"GET /api/v1/changes": apiRead, "POST /api/v1/changes": apiRespond, "GET /api/v1/openapi.yaml": public, "GET /api/v1/openapi.json": public,
	}
	for route, need := range alertRouteAccess() {
		table[route] = need
	}
	for route, need := range settingsRouteAccess() {
		table[route] = need
	}
	for _, method := range []string{"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PROPFIND", "PUT", "TRACE", "REPORT"} {
		for _, path := range []string{"/ingest/*", "/_bulk", "/_cat/health", "/services/collector", "/services/collector/*", "/api/v2/logs"} {
			table[method+" "+path] = ownAuth
		}
	}
	return table
}

// TestAuthorization_EveryRoute asks every route of the router as everybody.
func TestAuthorization_EveryRoute(t *testing.T) {
	s := newSite(t)
	s.api.EndStreams() // which would never end by themselves
	table := routeAccess()
	for _, r := range s.api.echo.Routes() {
		need, ok := table[r.Method+" "+r.Path]
		if !ok && r.Method == http.MethodHead {
			need, ok = table["GET "+r.Path]
		}
		if !ok {
			t.Errorf("%s %s: who may use it? add it to routeAccess", r.Method, r.Path)
			continue
		}
		if r.Method == http.MethodConnect {
			continue // net/http's client cannot send it to an origin server
		}
		for _, who := range []string{"", "ingest", "read", "respond", "admin", "revoked", "session viewer", "session responder", "session admin"} {
			path := strings.NewReplacer(":id", "none", ":code", "none", ":token", "none", ":name", "none", ":reject", "none", "*", "none").Replace(r.Path)
			if role, ok := strings.CutPrefix(who, "session "); ok {
				s.signIn(t, store.Role(role)) // the route before may have been the way out
			}
			got := s.do(t, ask{method: r.Method, path: path, who: who})
			if allowed := mayUse(who, need); allowed == isRefusal(got) {
				t.Errorf("%s %s as %q = %d, allowed should be %v", r.Method, r.Path, who, got.status, allowed)
			}
			checkRefusal(t, r.Method+" "+r.Path, who, need, got)
		}
	}
}

func mayUse(who string, need access) bool {
	switch need {
	case pageViewer:
		return strings.HasPrefix(who, "session ")
	case pageResponder:
		return who == "session responder" || who == "session admin"
	case apiRead:
		return who != "" && who != "ingest" && who != "revoked"
	case pageAdmin:
		return who == "session admin"
	case apiAdmin:
		return who == "admin" || who == "session admin"
	case apiRespond:
		return who == "respond" || who == "admin" || who == "session responder" || who == "session admin"
	}
	return true
}

func isRefusal(a answer) bool {
	toLogin := a.header.Get("Location") == "/login" && a.header.Get("Clear-Site-Data") == "" // signing out leads there too
	return a.status == http.StatusUnauthorized || a.status == http.StatusForbidden || toLogin
}

// checkRefusal looks at the challenge of a refused program, RFC 6750 section 3.
func checkRefusal(t *testing.T, route, who string, need access, got answer) {
	t.Helper()
	if need != apiRead && need != apiRespond && need != apiAdmin || !isRefusal(got) {
		return
	}
	want := map[string]string{
		"": `Bearer realm="authwatch"`, "revoked": `Bearer realm="authwatch", error="invalid_token"`, "session viewer": "",
		"ingest": `Bearer realm="authwatch", error="insufficient_scope", scope="read"`,
		"read":   `Bearer realm="authwatch", error="insufficient_scope", scope="respond"`,
	}[who]
	if need == apiRespond && who == "ingest" {
		want = `Bearer realm="authwatch", error="insufficient_scope", scope="respond"`
	}
	if need == apiAdmin && (who == "ingest" || who == "read" || who == "respond") {
		want = `Bearer realm="authwatch", error="insufficient_scope", scope="admin"`
	}
	if challenge := got.header.Get("WWW-Authenticate"); challenge != want {
		t.Errorf("%s as %q: WWW-Authenticate %q, want %q", route, who, challenge, want)
	}
	if !strings.HasPrefix(route, "HEAD ") {
		problemIn(t, got, got.status)
	}
}

func TestAuthorization_Header(t *testing.T) {
	s := newSite(t)
	key := s.keys["read"]
	for _, tt := range []struct {
		name, value string
		status      int
	}{
		{"as the RFC has it", "Bearer " + key, 200},
		{"scheme in any case", "bEARER " + key, 200},
		{"no scheme", key, 401},
		{"Basic", "Basic YTpi", 401},
		{"scheme twice", "Bearer Bearer " + key, 401},
		{"two in one", "Bearer " + key + ", Bearer " + key, 401},
		{"nothing after the scheme", "Bearer", 401},
		{"one letter changed", "Bearer " + key[:len(key)-1] + "_", 401},
		{"empty", "", 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.do(t, ask{path: "/api/v1/causes", header: map[string]string{"Authorization": tt.value}})
			if got.status != tt.status {
				t.Errorf("status %d, want %d", got.status, tt.status)
			}
		})
	}
}

// A wrong key is not made good by a cookie: what a program says counts.
func TestAuthorization_WrongKeyBesideSession(t *testing.T) {
	s := newSite(t)
	got := s.do(t, ask{path: "/api/v1/causes", who: "session admin", header: map[string]string{"Authorization": "Bearer aw_read_nope"}})
	problemIn(t, got, http.StatusUnauthorized)
}

func TestCrossSite(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "order-router")
	id := s.oneIncident(t).ID
	body := `{"state":"acknowledged"}`
	for _, tt := range []struct {
		name, who string
		header    map[string]string
		status    int
	}{
		{"session, other origin", "session admin", map[string]string{"Origin": "https://evil.example"}, 403},
		{"session, null origin", "session admin", map[string]string{"Origin": "null"}, 403},
		{"session, fetch metadata", "session admin", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"session, sibling site", "session admin", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"session, our own page", "session admin", map[string]string{"Origin": s.URL, "Sec-Fetch-Site": "same-origin"}, 200},
		{"a key is never ambient", "respond", map[string]string{"Origin": "https://tool.example"}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.header["Content-Type"] = "application/json"
			got := s.do(t, ask{method: "PATCH", path: "/api/v1/incidents/" + id, who: tt.who, body: body, header: tt.header})
			if got.status != tt.status {
				t.Errorf("status %d, want %d: %s", got.status, tt.status, got.body)
			}
			if got.header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("CORS header")
			}
		})
	}
}

// A session's cookie never reaches ingestion as an identity: the handler there gets no say from us, and its own check
// knows keys only. What is shown here is that authorize does not stand before it.
func TestIngest_IsUntouched(t *testing.T) {
	s := newSite(t)
	big := strings.Repeat("x", 9<<20)
	for _, path := range []string{"/ingest/v1/responses?token=abc", "/_bulk?pretty", "/services/collector/event?channel=c&token=abc"} {
		got := s.do(t, ask{method: "POST", path: path, body: big, header: map[string]string{"Origin": "https://evil.example"}})
		if got.status != 200 || got.body != "ingest 9437184" {
			t.Errorf("%s answered %d %.80q", path, got.status, got.body)
		}
	}
}

// TestSession goes the way of a person: one-time link, cookie, sign-out.
func TestSession(t *testing.T) {
	for _, tt := range []struct {
		base, name string
		secure     bool
	}{{"http://127.0.0.1:8080", "aw_session", false}, {"https://authwatch.example", "__Host-aw", true}} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			s.api.BaseURL = tt.base
			token := s.signInToken(t, store.Responder)
			foreign := s.do(t, ask{method: "POST", path: "/setup/" + token, header: map[string]string{"Origin": "https://evil.example"}})
			if foreign.status != 403 || foreign.header.Get("Set-Cookie") != "" {
				t.Fatalf("another site's form signs in: %d", foreign.status)
			}
			signedIn := s.do(t, ask{method: "POST", path: "/setup/" + token})
			cookie, err := http.ParseSetCookie(signedIn.header.Get("Set-Cookie"))
			if err != nil {
				t.Fatalf("%d: %v", signedIn.status, err)
			}
			if cookie.Name != tt.name || cookie.Secure != tt.secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" {
				t.Errorf("cookie %v", cookie)
			}
			with := map[string]string{"Cookie": cookie.Name + "=" + cookie.Value}
			if got := s.do(t, ask{path: "/api/v1/causes", header: with}); got.status != 200 {
				t.Errorf("signed in: %d", got.status)
			}
			if again := s.do(t, ask{method: "POST", path: "/setup/" + token}); again.header.Get("Set-Cookie") != "" {
				t.Errorf("a one-time link worked twice")
			}
			out := s.do(t, ask{method: "POST", path: "/logout", header: with})
			if gone, err := http.ParseSetCookie(out.header.Get("Set-Cookie")); err != nil || gone.MaxAge != -1 || out.header.Get("Clear-Site-Data") == "" {
				t.Errorf("sign-out: %v %v", out.header, err)
			}
			if got := s.do(t, ask{path: "/api/v1/causes", header: with}); got.status != 401 {
				t.Errorf("the cookie outlives the session: %d", got.status)
			}
			if strings.Contains(s.log.String(), token) || strings.Contains(s.log.String(), cookie.Value) {
				t.Error("the log holds a token or a cookie")
			}
		})
	}
}

func TestSession_Ends(t *testing.T) {
	s := newSite(t)
	s.now = s.now.Add(sessionLength + time.Second)
	if got := s.do(t, ask{path: "/api/v1/causes", who: "session viewer"}); got.status != 401 {
		t.Errorf("after its time: %d", got.status)
	}
	if got := s.do(t, ask{path: "/api/v1/causes", header: map[string]string{"Cookie": "aw_session=" + strings.Repeat("A", 43)}}); got.status != 401 {
		t.Errorf("a cookie that nobody made: %d", got.status)
	}
}
