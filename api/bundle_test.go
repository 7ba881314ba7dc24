package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"authwatch/bundle"
)

func TestBundle(t *testing.T) {
	s := newSite(t)
	s.addBusyDay(t)
	incident := firstLink(t, s.page(t, "/incidents?cause=wrong_audience", "session viewer"), "/incidents/inc_")
	id := strings.TrimPrefix(incident, "/incidents/")

	asJSON := s.do(t, ask{path: "/api/v1/incidents/" + id + "/bundle", who: "read"})
	var b bundle.Bundle
	if err := json.Unmarshal([]byte(asJSON.body), &b); err != nil || len(b.Cases) != casesOfBundle || b.Incident.Environment != "preprod" || b.Profile == nil || b.Profile.JWKSFile != "" {
		t.Fatalf("%d %.300s: %v", asJSON.status, asJSON.body, err)
	}
	// Posted to another server, it gives the verdicts that it holds.
	posted := newSite(t).do(t, ask{method: "POST", path: "/api/v1/classify", who: "read", body: asJSON.body, header: map[string]string{"Content-Type": "application/json"}})
	var judged classifyJSON
	if err := json.Unmarshal([]byte(posted.body), &judged); err != nil || len(judged.Data) != len(b.Cases) {
		t.Fatalf("%d %.300s: %v", posted.status, posted.body, err)
	}
	for i, v := range judged.Data {
		if v.Summary != b.Cases[i].Verdict.Summary || v.Cause != b.Cases[i].Verdict.Cause || v.Confidence != b.Cases[i].Verdict.Confidence {
			t.Errorf("case %d: %s, %s; the bundle says %s, %s", i, v.Cause, v.Summary, b.Cases[i].Verdict.Cause, b.Cases[i].Verdict.Summary)
		}
	}

	markdown := s.do(t, ask{path: "/api/v1/incidents/" + id + "/bundle?pseudonyms=true&download=true", who: "read", header: accept("text/markdown")})
	if !strings.Contains(markdown.body, "client-1") || strings.Contains(markdown.body, "orders-bot") || markdown.header.Get("Content-Disposition") == "" {
		t.Errorf("%d %.600s", markdown.status, markdown.body)
	}
	problemIn(t, s.do(t, ask{path: "/api/v1/incidents/inc_none/bundle", who: "read"}), http.StatusNotFound)

	page := s.page(t, incident+"/bundle", "session viewer")
	for _, want := range []string{"What we need from you", "Download JSON", "orders-bot", "What was removed"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	file := s.do(t, ask{path: incident + "/bundle/file?form=markdown", who: "session viewer"})
	if file.status != http.StatusOK || !strings.HasPrefix(file.header.Get("Content-Type"), "text/markdown") {
		t.Errorf("%d %s", file.status, file.header.Get("Content-Type"))
	}
	checked := s.paste(t, url.Values{"text": {asJSON.body}})
	if checked.status != http.StatusOK || !strings.Contains(checked.body, string(b.Cases[0].Verdict.Cause)) {
		t.Errorf("/check: %d", checked.status)
	}
}

func TestClassify_NoBundle(t *testing.T) {
	s := newSite(t)
	for _, body := range []string{`{"format":"authwatch-bundle/9"}`, `{"format":"authwatch-bundle/1","cases":[{"record":7}]}`, `{"format":"authwatch-bundle/1","cases":[{"record":{"time":"x"}}]}`} {
		got := s.do(t, ask{method: "POST", path: "/api/v1/classify", who: "read", body: body, header: map[string]string{"Content-Type": "application/json"}})
		problemIn(t, got, http.StatusUnprocessableEntity)
	}
}
