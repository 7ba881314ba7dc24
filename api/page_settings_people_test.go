package api

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"authwatch/store"
)

func TestSettings_Keys(t *testing.T) {
	s := newSite(t)
	got := s.postForm(t, "session admin", "/settings/keys", url.Values{"name": {"web-<b>1"}, "scope": {"ingest"}})
	checkMarkup(t, "/settings/keys", got)
	text := regexp.MustCompile(`aw_ingest_[a-z2-7]{8}_[0-9A-Za-z]{43}`).FindString(got.body)
	if got.status != http.StatusOK || text == "" || got.header.Get("Cache-Control") != "no-store" || got.header.Get("Location") != "" {
		t.Fatalf("%d %v %s", got.status, got.header, got.body)
	}
	key, err := s.store.FindKey(t.Context(), text)
	if err != nil || key.Scope != store.ScopeIngest || key.Name != "web-<b>1" {
		t.Fatalf("key %+v, %v", key, err)
	}
	list := s.page(t, "/settings/keys", "session admin")
	secret := text[strings.LastIndexByte(text, '_')+1:]
	if strings.Contains(list, secret) || strings.Contains(s.log.String(), secret) || !strings.Contains(list, "web-&lt;b&gt;1") || !strings.Contains(list, key.ID) {
		t.Error("the list holds the key, or lacks its name")
	}
	revoke := "/settings/keys/" + key.ID + "/revoke"
	if body := s.page(t, revoke, "session admin"); !strings.Contains(body, "Revoke web-&lt;b&gt;1?") || !strings.Contains(body, `action="`+revoke+`"`) {
		t.Error("nothing asks before the key is revoked")
	}
	if _, err := s.store.FindKey(t.Context(), text); err != nil {
		t.Errorf("asking revoked it: %v", err)
	}
	for _, status := range []int{http.StatusSeeOther, http.StatusNotFound} { // once
		if got := s.postForm(t, "session admin", revoke, nil); got.status != status {
			t.Errorf("revoke: %d, want %d", got.status, status)
		}
	}
	if _, err := s.store.FindKey(t.Context(), text); err == nil {
		t.Error("the key is still good")
	}
	if got := s.do(t, ask{path: revoke, who: "session admin"}); got.status != http.StatusNotFound {
		t.Errorf("page of a revoked key: %d", got.status)
	}
	audit := s.page(t, "/settings/audit", "session admin")
	for _, want := range []string{"made the key", "revoked the key", "a admin", "in the browser", "scope ingest"} {
		if !strings.Contains(audit, want) {
			t.Errorf("the audit log lacks %q", want)
		}
	}
	if strings.Contains(audit, secret) {
		t.Error("the audit log holds the key")
	}
}

func TestSettings_KeysRefused(t *testing.T) {
	s := newSite(t)
	before, err := s.store.ListKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []url.Values{
		{}, {"name": {"x"}}, {"name": {"  "}, "scope": {"read"}}, {"name": {"x"}, "scope": {"root"}}, {"name": {strings.Repeat("x", 121)}, "scope": {"read"}},
		{"name": {"a\x00b"}, "scope": {"read"}}, {"name": {"my hunter2"}, "scope": {"read"}},
	} {
		got := s.postForm(t, "session admin", "/settings/keys", form)
		checkMarkup(t, "/settings/keys", got)
		if got.status != http.StatusBadRequest || !strings.Contains(got.body, `role="alert"`) || strings.Contains(got.body, "hunter2") {
			t.Errorf("%v: %d", form, got.status)
		}
	}
	good := url.Values{"name": {"x"}, "scope": {"admin"}}
	for _, who := range []string{"session viewer", "session responder"} {
		if got := s.postForm(t, who, "/settings/keys", good); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", who, got.status)
		}
	}
	foreign := s.do(t, ask{method: http.MethodPost, path: "/settings/keys", who: "session admin", body: good.Encode(),
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}})
	if foreign.status != http.StatusForbidden {
		t.Errorf("another site's form: %d", foreign.status)
	}
	if after, err := s.store.ListKeys(t.Context()); err != nil || len(after) != len(before) {
		t.Errorf("%d keys, were %d: %v", len(after), len(before), err)
	}
}

func TestSettings_Users(t *testing.T) {
	s := newSite(t)
	if got := s.postForm(t, "session admin", "/settings/users", url.Values{"name": {"night <i>shift"}, "role": {"responder"}}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	user, err := s.store.GetUserByName(t.Context(), "night <i>shift")
	if err != nil || user.Role != store.Responder {
		t.Fatalf("%+v, %v", user, err)
	}
	if body := s.page(t, "/settings/users", "session admin"); !strings.Contains(body, "night &lt;i&gt;shift") {
		t.Error("the list lacks the user")
	}
	got := s.postForm(t, "session admin", "/settings/users/"+user.ID+"/link", nil)
	checkMarkup(t, "/settings/users", got)
	link := regexp.MustCompile(regexp.QuoteMeta(s.api.BaseURL) + `/setup/([0-9A-Za-z]{43})`).FindStringSubmatch(got.body)
	if got.status != http.StatusOK || link == nil {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if body := s.page(t, "/settings/users", "session admin"); strings.Contains(body, link[1]) || strings.Contains(s.log.String(), link[1]) {
		t.Error("the link is shown again, or logged")
	}
	_, session, err := s.store.UseSignIn(t.Context(), link[1], time.Hour)
	if err != nil || session.User.ID != user.ID {
		t.Errorf("the link signs in %+v, %v", session.User, err)
	}
	audit := s.page(t, "/settings/audit", "session admin")
	for _, want := range []string{"added the user", "made a sign-in link for", "signed in as", "night &lt;i&gt;shift", "role responder"} {
		if !strings.Contains(audit, want) {
			t.Errorf("the audit log lacks %q", want)
		}
	}
	for _, tt := range []struct {
		who    string
		form   url.Values
		status int
	}{
		{"session admin", url.Values{"name": {"night <i>shift"}, "role": {"viewer"}}, http.StatusConflict},
		{"session admin", url.Values{"name": {""}, "role": {"viewer"}}, http.StatusBadRequest},
		{"session admin", url.Values{"name": {"x"}, "role": {"root"}}, http.StatusBadRequest},
		{"session responder", url.Values{"name": {"x"}, "role": {"admin"}}, http.StatusForbidden},
	} {
		if got := s.postForm(t, tt.who, "/settings/users", tt.form); got.status != tt.status {
			t.Errorf("%s %v: %d, want %d", tt.who, tt.form, got.status, tt.status)
		}
	}
	if got := s.postForm(t, "session admin", "/settings/users/usr_none/link", nil); got.status != http.StatusNotFound {
		t.Errorf("a link for nobody: %d", got.status)
	}
}
