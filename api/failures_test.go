package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"authwatch/classify"
)

func TestFailures_ListAndOne(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 5, classify.TokenExpired, "prod", "order-router")
	s.addFailures(t, 2, classify.ScopeGap, "prod", "https://clinic.example/app?a=1")
	for _, tt := range []struct {
		query string
		want  int
	}{
		{"", 7}, {"cause=scope_gap", 2}, {"client=order-router", 5}, {"client=https%3A%2F%2Fclinic.example%2Fapp%3Fa%3D1", 2}, {"status=401", 7}, {"status=403", 0},
		{"status=403&status=401", 7}, {"request_id=req-4", 1}, {"request_id=req-0&request_id=req-1", 4}, {"endpoint=POST+api.exchange.example/v1/orders", 7}, {"from=2026-11-22T11:57:30Z", 4},
		{"from=2026-11-22T11:55:00Z&to=2026-11-22T11:57:00Z", 2},
	} {
		var page list[failureJSON]
		if s.get(t, "/api/v1/failures?"+tt.query, &page); len(page.Data) != tt.want {
			t.Errorf("%q gives %d failures, want %d", tt.query, len(page.Data), tt.want)
		}
	}
	var page list[failureJSON]
	s.get(t, "/api/v1/failures?client=order-router&limit=1", &page)
	newest := page.Data[0]
	if newest.Cause != classify.TokenExpired || newest.RecordID != "token_expired-prod-order-router-4" || newest.ID == newest.RecordID ||
		newest.Summary == "" || newest.Record != nil {
		t.Errorf("newest first, without its record: %+v", newest)
	}
	var one failureJSON
	s.get(t, newest.Links.Self, &one)
	var record classify.Record
	if err := json.Unmarshal(one.Record, &record); err != nil || record.Response.Status != 401 || one.IncidentID != newest.IncidentID {
		t.Errorf("one failure: %+v", one)
	}
	page = list[failureJSON]{}
	if s.get(t, newest.Links.Incident+"/failures", &page); len(page.Data) != 5 {
		t.Errorf("failures of the incident: %d", len(page.Data))
	}
	for _, path := range []string{"/api/v1/failures/rec_none", "/api/v1/incidents/inc_none/failures", "/api/v1/failures/" + newest.IncidentID} {
		problemIn(t, s.do(t, ask{path: path, who: "read"}), http.StatusNotFound)
	}
}

// The members of a verdict are those of the contract, and empty lists are lists.
func TestFailures_VerdictMembers(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "order-router")
	var page list[map[string]json.RawMessage]
	s.get(t, "/api/v1/failures", &page)
	for _, member := range []string{"id", "time", "provider", "environment", "client_id", "phase", "cause", "confidence", "fault", "summary",
		"evidence", "checks", "alternatives", "fix", "incident_id", "received_at", "links"} {
		if value, ok := page.Data[0][member]; !ok || string(value) == "null" {
			t.Errorf("%s is %s", member, value)
		}
	}
}

func TestFailures_PagesHoldEachRowOnce(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 11, classify.TokenExpired, "prod", "order-router")
	s.addFailures(t, 11, classify.ScopeGap, "prod", "order-router") // the same moments: order must not depend on time alone
	seen := map[string]bool{}
	for path := "/api/v1/failures?limit=4"; path != ""; {
		var page list[failureJSON]
		a := s.get(t, path, &page)
		for _, f := range page.Data {
			if seen[f.ID] {
				t.Fatalf("%s twice", f.ID)
			}
			seen[f.ID] = true
		}
		path, _, _ = strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
	}
	if len(seen) != 22 {
		t.Errorf("%d of 22", len(seen))
	}
}

// What a log line says never becomes markup, even where somebody puts our JSON into a page.
func TestFailures_HostileText(t *testing.T) {
	s := newSite(t)
	hostile := "</script><!--\u2028<img src=x onerror=alert(1)>\u202e&"
	f := s.addFailures(t, 1, classify.TokenExpired, hostile, hostile)[0]
	for _, path := range []string{"/api/v1/failures", "/api/v1/failures/" + f.ID, "/api/v1/incidents", "/api/v1/incidents/" + f.IncidentID,
		"/api/v1/clients", "/api/v1/environments", "/api/v1/trends?group_by=client"} {
		a := s.do(t, ask{path: path, who: "read"})
		if a.status != http.StatusOK || strings.ContainsAny(a.body, "<>\u2028") || !strings.Contains(a.body, `\u003c/script\u003e`) {
			t.Errorf("%s = %d %s", path, a.status, a.body)
		}
	}
}
