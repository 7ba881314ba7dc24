package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"authwatch/classify"
)

func TestIncidentPage_StateForms(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 3, classify.TokenExpired, "prod", "orders-bot")
	incident := firstLink(t, s.page(t, "/incidents", "session viewer"), "/incidents/inc_")
	if body := s.page(t, incident, "session viewer"); strings.Contains(body, "Acknowledge</button>") {
		t.Error("a viewer is offered what is refused")
	}
	version := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(s.page(t, incident, "session responder"))[1]
	post := func(who, form string, header map[string]string) answer {
		h := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
		for name, value := range header {
			h[name] = value
		}
		return s.do(t, ask{method: http.MethodPost, path: incident + "/state", who: who, body: form, header: h})
	}
	for _, tt := range []struct {
		name   string
		who    string
		form   string
		header map[string]string
		status int
	}{
		{"another site", "session responder", "state=resolved", map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		{"an old browser on another site", "session responder", "state=resolved", map[string]string{"Sec-Fetch-Site": "", "Origin": "https://evil.example"}, http.StatusForbidden},
		{"a viewer", "session viewer", "state=resolved", nil, http.StatusForbidden},
		{"nobody", "", "state=resolved", nil, http.StatusUnauthorized},
		{"a key", "admin", "state=resolved", nil, http.StatusUnauthorized},
		{"no such state", "session responder", "state=gone", nil, http.StatusBadRequest},
		{"a stale page", "session responder", "state=resolved&version=99999", nil, http.StatusConflict},
		{"acknowledge", "session responder", "state=acknowledged&version=" + version, nil, http.StatusSeeOther},
	} {
		if a := post(tt.who, tt.form, tt.header); a.status != tt.status {
			t.Errorf("%s: %d, want %d", tt.name, a.status, tt.status)
		}
	}
	if body := s.page(t, incident, "session viewer"); !strings.Contains(body, "Acknowledged by a responder.") {
		t.Error("the page does not say who acknowledged")
	}
	if a := post("session admin", "state=silenced&hours=8", nil); a.status != http.StatusSeeOther || a.header.Get("Location") != incident {
		t.Errorf("silence: %d %s", a.status, a.header.Get("Location"))
	}
	if body := s.page(t, incident, "session viewer"); !strings.Contains(body, "Silenced by a admin until 20:00:00.") {
		t.Error("the page does not say until when")
	}
}

func TestIncidentPage_NoteAndAssignee(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "order-router")
	incident := firstLink(t, s.page(t, "/incidents", "session viewer"), "/incidents/inc_")
	send := func(who, form string) answer {
		return s.do(t, ask{method: http.MethodPost, path: incident + "/note", who: who, body: form,
			header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Origin": s.URL}})
	}
	for _, form := range []string{"note=%3Cb%3Ethe+retry+loop%3C%2Fb%3E+hunter2", "assignee=a+responder", "assignee="} {
		if got := send("session responder", form); got.status != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", form, got.status, got.body)
		}
	}
	body := s.page(t, incident, "session viewer")
	for _, want := range []string{"&lt;b&gt;the retry loop&lt;/b&gt; [secret]", "a responder took it", "a responder took it from a responder"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, "Add the note") {
		t.Error("a viewer is offered the form")
	}
	if got := send("session responder", "note="); got.status != http.StatusBadRequest {
		t.Errorf("an empty note: %d", got.status)
	}
}
