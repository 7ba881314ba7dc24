package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"authwatch/store"
)

// paste sends the form of the page.
func (s *site) paste(t *testing.T, form url.Values) answer {
	t.Helper()
	return s.postForm(t, "session viewer", "/check", form)
}

func TestCheckPage(t *testing.T) {
	s := newSite(t)
	rec := recordOf(wrongAudience(s.now).Record)
	text, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	a := s.paste(t, url.Values{"text": {string(text)}, "place": {"exchange/preprod"}})
	if a.status != http.StatusOK {
		t.Fatalf("check = %d %s", a.status, a.body)
	}
	checkMarkup(t, "/check", a)
	for _, want := range []string{"Client assertion, as sent and as expected", "Check trace", "The redacted record", `value="exchange/preprod" selected`, "https://auth.preprod.exchange.example/oauth/token"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("lacks %q", want)
		}
	}
	a = s.paste(t, url.Values{"text": {`{"time":"2026-11-22T12:00:00Z","response":{"body":{"message":"try again later"}}}`}})
	if !strings.Contains(a.body, "No failure to explain") || !strings.Contains(a.body, "Choose the one that the server answered with") {
		t.Error("a body that is no OAuth error is judged without a status, or nothing says what is missing")
	}
	a = s.paste(t, url.Values{"text": {`{"time":"2026-11-22T12:00:00Z","response":{"body":{"error":"invalid_client"}}}`}, "status": {"401"}})
	if strings.Contains(a.body, "No failure to explain") || !strings.Contains(a.body, `value="401" selected`) || !strings.Contains(a.body, "&#34;status&#34;: 401") {
		t.Error("the chosen status does not count")
	}
	if list, _, err := s.store.ListFailures(t.Context(), store.FailureFilter{}); err != nil || len(list) != 0 {
		t.Errorf("something was stored: %v %v", list, err)
	}
}

func TestCheckPage_Hostile(t *testing.T) {
	s := newSite(t)
	for n, text := range hostile() {
		record, want := string(hostileFailure(s.now, n, text).Record), http.StatusOK
		if len(record) > pasteLimit {
			want = http.StatusUnprocessableEntity
		}
		a := s.paste(t, url.Values{"text": {record}, "place": {text}, "status": {text}})
		if a.status != want {
			t.Fatalf("%.30q = %d, want %d", text, a.status, want)
		}
		checkMarkup(t, "/check", a)
		for _, raw := range []string{"<script>", "<img", "<svg/", "<!--", "\u202e", "\u001b"} {
			if strings.Contains(a.body, raw) {
				t.Errorf("%.30q: holds %q unescaped", text, raw)
			}
		}
	}
}

func TestCheckPage_Refused(t *testing.T) {
	s := newSite(t)
	const secret = "not json at all c2VjcmV0LXNpZ25hdHVyZQ"
	for _, form := range []url.Values{{}, {"text": {"  "}}, {"text": {secret}}, {"text": {strings.Repeat("x", pasteLimit+1)}}} {
		a := s.paste(t, form)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `role="alert"`) {
			t.Errorf("%.40v = %d", form, a.status)
		}
		if strings.Contains(a.body, "c2VjcmV0") || strings.Contains(s.log.String(), "c2VjcmV0") {
			t.Error("what was pasted is echoed or logged")
		}
	}
	a := s.do(t, ask{method: http.MethodPost, path: "/check", who: "session viewer", body: "text=1", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "cross-site"}})
	if a.status != http.StatusForbidden {
		t.Errorf("another site checks: %d", a.status)
	}
}
