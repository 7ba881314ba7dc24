package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

func TestFeed(t *testing.T) {
	s := newSite(t)
	var page feedPageJSON
	s.get(t, "/api/v1/feed", &page)
	if len(page.Data) != 0 || page.After != "1.0" || page.More {
		t.Errorf("of an empty database: %+v", page)
	}
	now := page.After
	s.addFailures(t, 3, classify.ScopeGap, "prod", "client-b")
	s.now = s.now.Add(-time.Hour) // comes later and happened earlier
	s.addFailures(t, 2, classify.TokenExpired, "prod", "client-a")
	var clients []string
	for after, more := now, true; more; after, more = page.After, page.More {
		page = feedPageJSON{}
		a := s.get(t, "/api/v1/feed?about=failures&limit=2&after="+after, &page)
		if want := `after=` + page.After; !strings.Contains(a.header.Get("Link"), want) {
			t.Errorf("Link %q lacks %s", a.header.Get("Link"), want)
		}
		for _, e := range page.Data {
			clients = append(clients, e.Failure.Verdict.ClientID)
		}
	}
	if got := strings.Join(clients, " "); got != "client-b client-b client-b client-a client-a" {
		t.Errorf("in the order %s", got)
	}
	last := page.After
	if page = (feedPageJSON{}); s.get(t, "/api/v1/feed?after="+last, &page).body == "" || len(page.Data) != 0 || page.After != last || page.More {
		t.Errorf("at the end: %+v", page)
	}
	s.get(t, "/api/v1/feed?after=start&about=incidents", &page)
	if len(page.Data) != 2 || page.Data[0].Event != "incident_opened" || page.Data[0].Incident == nil || page.Data[0].Failure != nil {
		t.Errorf("incidents from the start: %+v", page)
	}
}

func TestFeed_Lines(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 2, classify.ScopeGap, "prod", "client-b")
	a := s.do(t, ask{path: "/api/v1/feed?after=start&q=client:client-b", who: "read", header: map[string]string{"Accept": "application/x-ndjson"}})
	lines := strings.Split(strings.TrimSpace(a.body), "\n")
	var e feedJSON
	if len(lines) != 3 || json.Unmarshal([]byte(lines[2]), &e) != nil || e.Event != "failure" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestFeed_Problems(t *testing.T) {
	s := newSite(t)
	p := problemIn(t, s.do(t, ask{path: "/api/v1/feed?after=9.0", who: "read"}), http.StatusGone)
	if len(p.Errors) != 1 || p.Errors[0].Code != "gone" {
		t.Errorf("%+v", p)
	}
	for _, query := range []string{"after=x", "after=0.0", "limit=0", "limit=1001", "q=status:x", "cursor=1"} {
		problemIn(t, s.do(t, ask{path: "/api/v1/feed?" + query, who: "read"}), http.StatusBadRequest)
	}
}
