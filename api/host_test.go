package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"authwatch/store"
)

// By another name only what carries a key is answered, and what no browser's cookie opens.
func TestHosts(t *testing.T) {
	s := newSite(t)
	ask := func(method, path, host string, header ...string) int {
		r := httptest.NewRequest(method, path, strings.NewReader("{}"))
		r.Host = host
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		s.api.ServeHTTP(w, r)
		return w.Code
	}
	if got := ask("GET", "/login", "rebound.example"); got != 200 {
		t.Errorf("without names: %d", got)
	}
	s.api.Hosts = []string{"localhost", "authwatch.example"}
	for host, ours := range map[string]bool{
		"localhost": true, "localhost:8080": true, "LocalHost.": true, "authwatch.example:443": true, "127.0.0.1:8080": true, "[::1]:8080": true, "192.0.2.7": true,
		"rebound.example": false, "rebound.example:8080": false, "authwatch.example.rebound.example": false, "localhost@rebound.example": false, "127.0.0.1.rebound.example": false, "": false,
	} {
		want := map[bool]int{true: 200, false: http.StatusMisdirectedRequest}[ours]
		if got := ask("GET", "/login", host); got != want {
			t.Errorf("%q: %d, want %d", host, got, want)
		}
		if got := ask("POST", "/setup/x", host); ours != (got != http.StatusMisdirectedRequest) {
			t.Errorf("%q: signing in answers %d", host, got)
		}
		for _, open := range []string{"/healthz", "/readyz"} {
			if got := ask("GET", open, host); got != 200 {
				t.Errorf("%q %s: %d", host, open, got)
			}
		}
		if got := ask("GET", "/api/v1/causes", host, "Authorization", "Bearer "+s.keys["read"]); got != 200 {
			t.Errorf("%q with a key: %d", host, got)
		}
		if got := ask("POST", "/ingest/v1/responses", host); got != 200 {
			t.Errorf("%q ingestion: %d", host, got)
		}
	}
}

// Who guesses keys or sign-in links has to wait; who has a right one never.
func TestGuessing(t *testing.T) {
	s := newSite(t)
	wait := time.Duration(0)
	var asked []string
	s.api.WrongKey = func(remote string) time.Duration { asked = append(asked, remote); return wait }
	wrong := "Bearer aw_read_" + strings.Repeat("x", 40)
	if got := s.do(t, ask{path: "/api/v1/causes", header: map[string]string{"Authorization": wrong}}); got.status != 401 {
		t.Errorf("first: %d", got.status)
	}
	if got := s.do(t, ask{path: "/setup/" + strings.Repeat("x", 43)}); got.status != 404 {
		t.Errorf("first link: %d", got.status)
	}
	wait = 1500 * time.Millisecond
	for _, a := range []ask{
		{path: "/api/v1/causes", header: map[string]string{"Authorization": wrong}}, {path: "/metrics", header: map[string]string{"Authorization": wrong}},
		{path: "/setup/" + strings.Repeat("x", 43)}, {method: "POST", path: "/setup/" + strings.Repeat("x", 43)},
	} {
		if got := s.do(t, a); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "2" {
			t.Errorf("%s %s: %d, Retry-After %q", a.method, a.path, got.status, got.header.Get("Retry-After"))
		}
	}
	if len(asked) != 6 || !strings.HasPrefix(asked[0], "127.0.0.1:") {
		t.Errorf("%q", asked)
	}
	if got := s.do(t, ask{path: "/api/v1/causes", who: "read"}); got.status != 200 {
		t.Errorf("a right key: %d", got.status)
	}
	user, err := s.store.CreateUser(t.Context(), "new", store.Viewer)
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.store.CreateSignIn(t.Context(), user.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.do(t, ask{path: "/setup/" + token}); got.status != 200 || len(asked) != 6 {
		t.Errorf("a right link: %d, %d guesses", got.status, len(asked))
	}
}
