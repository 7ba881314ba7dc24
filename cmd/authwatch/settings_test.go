package main

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"authwatch/classify/profile"
)

// form sends a form of a page and returns the answer's page.
func (s *testServer) form(path string, fields url.Values) (status int, page string) {
	s.t.Helper()
	resp, err := s.browser.PostForm(s.url+path, fields)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// What is tried in the settings goes through the redaction that ingestion has, and leaves no trace.
func TestSettings_WithTheRealParts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "acme.yaml")
	if err := os.WriteFile(file, []byte("provider: acme\ntitle: Acme\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "--profile", file)
	s.signIn()
	if page := string(s.page("/settings")); !strings.Contains(page, "acme.yaml") || strings.Contains(page, filepath.Dir(file)) {
		t.Error("the profile's file is not named, or its folder is")
	}
	const signature = "c2VjcmV0LXNpZ25hdHVyZS1vZi1hLXRva2Vu"
	const token = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJvcmRlcnMtYm90IiwiaXNzIjoiYWNtZSJ9." + signature
	for _, text := range []string{
		`{"time":"2026-11-22T12:00:00Z","request":{"method":"GET","url":"https://api.acme.example/?api_key=` + signature + `","headers":{"authorization":"Bearer ` + token + `"}},"response":{"status":401}}`,
		"GET /orders 401 Authorization: Bearer " + token, token, `{"broken": "` + token,
	} {
		for _, path := range []string{"/settings/redaction", "/settings/profiles"} {
			status, page := s.form(path, url.Values{"text": {text}})
			if status != http.StatusOK && status != http.StatusUnprocessableEntity || strings.Contains(page, signature) {
				t.Errorf("%s with %.20q: %d, or the signature is shown", path, text, status)
			}
			if path == "/settings/redaction" && status == http.StatusOK && strings.Contains(text, `"time"`) && !strings.Contains(page, "orders-bot") {
				t.Error("the decoded token is not shown")
			}
		}
	}
	builtIn, err := profile.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range builtIn { // redaction leaves profiles as they are
		text, err := profile.Format(p)
		if err != nil {
			t.Fatal(err)
		}
		status, page := s.form("/settings/profiles", url.Values{"text": {string(text)}})
		if status != http.StatusOK || !strings.Contains(html.UnescapeString(page), "says the same as the one with the id "+p.ID) {
			t.Errorf("%s is not read as it is: %d", p.ID, status)
		}
	}
	s.key("read") // by the command line
	if page := string(s.page("/settings/audit")); !strings.Contains(page, "at the command line") || !strings.Contains(page, "signed in as") {
		t.Error("the audit log lacks what was done at the command line")
	}
	s.close()
	for _, name := range []string{s.db, s.db + "-wal"} {
		if data, err := os.ReadFile(name); err == nil && strings.Contains(string(data), signature) {
			t.Errorf("%s holds the signature", filepath.Base(name))
		}
	}
	if strings.Contains(s.stderr.String()+s.stdout.String(), signature) {
		t.Error("the log holds the signature")
	}
}
