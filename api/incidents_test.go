package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// oneIncident returns the newest incident.
func (s *site) oneIncident(t *testing.T) incidentJSON {
	t.Helper()
	var page list[incidentJSON]
	s.get(t, "/api/v1/incidents?limit=1", &page)
	if len(page.Data) != 1 {
		t.Fatal("no incident")
	}
	return page.Data[0]
}

func TestIncidents_List(t *testing.T) {
	s := newSite(t)
	var page list[incidentJSON]
	if a := s.get(t, "/api/v1/incidents", &page); strings.TrimSpace(a.body) != `{"data":[]}` || a.header.Get("Link") != "" {
		t.Errorf("empty list: %s", a.body)
	}
	s.addFailures(t, 3, classify.TokenExpired, "prod", "order-router")
	s.addFailures(t, 2, classify.ScopeGap, "prod", "market-data")
	s.addFailures(t, 1, classify.TokenExpired, "preprod", "market-data")
	for _, tt := range []struct {
		query string
		want  int
	}{
		{"", 3}, {"cause=token_expired", 2}, {"cause=token_expired&cause=scope_gap", 3}, {"cause=token_expired&environment=prod", 1},
		{"client=market-data", 2}, {"client=nobody", 0}, {"provider=exchange", 3}, {"state=open", 3}, {"state=resolved", 0}, {"fault=client", 3}, {"fault=api", 0},
		{"from=now-24h", 3}, {"from=now-24h&to=now-12h", 0}, {"from=2026-11-22T00:00:00Z&to=2026-11-22T13:00:00%2B01:00", 3},
		{"from=2026-11-22T00:00:00+01:00", 3}, {"sort=count", 3}, {"cause=", 3}, {"environment=&client=", 3},
	} {
		page = list[incidentJSON]{}
		if s.get(t, "/api/v1/incidents?"+tt.query, &page); len(page.Data) != tt.want {
			t.Errorf("%q gives %d incidents, want %d", tt.query, len(page.Data), tt.want)
		}
	}
	s.get(t, "/api/v1/incidents?sort=count", &page)
	if first := page.Data[0]; first.Count != 3 || first.Cause != classify.TokenExpired || first.Environment != "prod" || first.State != "open" ||
		!first.FirstSeen.Equal(s.now.Add(-3*time.Minute)) || !first.LastSeen.Equal(s.now.Add(-time.Minute)) {
		t.Errorf("most frequent first: %+v", first)
	}
}

func TestIncidents_PagesHoldEachRowOnce(t *testing.T) {
	s := newSite(t)
	for i := range 7 {
		s.addFailures(t, 1, classify.TokenExpired, "prod", fmt.Sprintf("client-%d", i))
	}
	for _, sort := range []string{"last_seen", "first_seen", "count"} {
		seen := map[string]int{}
		path := "/api/v1/incidents?limit=3&from=now-1h&sort=" + sort
		for pages := 0; path != ""; pages++ {
			var page list[incidentJSON]
			a := s.get(t, path, &page)
			for _, i := range page.Data {
				seen[i.ID]++
			}
			link := a.header.Get("Link")
			if (link == "") != (page.Next == "") || pages > 3 {
				t.Fatalf("page %d: next %q, Link %q", pages, page.Next, link)
			}
			path, _, _ = strings.Cut(strings.TrimPrefix(link, "<"), ">")
			if strings.Contains(path, "now-1h") {
				t.Errorf("the link moves with the clock: %s", path)
			}
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("sort %s: %s seen %d times", sort, id, n)
			}
		}
		if len(seen) != 7 {
			t.Errorf("sort %s: %d of 7", sort, len(seen))
		}
	}
}

func TestIncidents_PatchAndETag(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "order-router")
	path := s.oneIncident(t).Links.Self
	var incident incidentJSON
	tag := s.get(t, path, &incident).header.Get("ETag")
	if tag == "" || strings.HasPrefix(tag, "W/") || len(incident.Endpoints) != 1 {
		t.Fatalf("ETag %q, %+v", tag, incident)
	}
	if got := s.do(t, ask{path: path, who: "read", header: map[string]string{"If-None-Match": tag}}); got.status != 304 || got.header.Get("ETag") != tag {
		t.Errorf("If-None-Match: %d", got.status)
	}
	patch := func(who, body string, header ...string) answer {
		a := ask{method: "PATCH", path: path, who: who, body: body, header: map[string]string{"Content-Type": "application/json"}}
		for i := 0; i < len(header); i += 2 {
			a.header[header[i]] = header[i+1]
		}
		return s.do(t, a)
	}
	first := patch("respond", `{"state":"acknowledged"}`, "If-Match", tag)
	if first.status != 200 || first.header.Get("ETag") == tag || !strings.Contains(first.body, `"state_changed_by":"test respond"`) {
		t.Fatalf("acknowledge: %d %s", first.status, first.body)
	}
	problemIn(t, patch("respond", `{"state":"resolved"}`, "If-Match", tag), http.StatusPreconditionFailed)
	problemIn(t, patch("respond", `{"state":"resolved"}`, "If-Match", "W/"+first.header.Get("ETag")), http.StatusPreconditionFailed)
	if got := patch("session responder", `{"state":"silenced","silenced_until":"2026-11-22T20:00:00Z"}`, "If-Match", `"0", `+first.header.Get("ETag")); got.status != 200 ||
		!strings.Contains(got.body, `"silenced_until":"2026-11-22T20:00:00Z"`) || !strings.Contains(got.body, `"state_changed_by":"a responder"`) {
		t.Errorf("silence: %d %s", got.status, got.body)
	}
	if got := patch("respond", `{"state":"open"}`, "If-Match", "*"); got.status != 200 || strings.Contains(got.body, "silenced_until") {
		t.Errorf("reopen: %d %s", got.status, got.body)
	}
	problemIn(t, patch("respond", `{"state":"resolved"}`, "Content-Type", "text/plain"), http.StatusUnsupportedMediaType)
	gone := s.do(t, ask{method: "PATCH", path: "/api/v1/incidents/inc_none", who: "respond", body: `{"state":"resolved"}`, header: map[string]string{"Content-Type": "application/json"}})
	problemIn(t, gone, http.StatusNotFound)
}

func TestIncidents_PatchRefuses(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "order-router")
	path := s.oneIncident(t).Links.Self
	for _, tt := range []struct{ body, code string }{
		{`{"state":"acknowledged","id":"inc_other"}`, "unknown_member"},
		{`{"state":"acknowledged","count":0}`, "unknown_member"},
		{`{"State":"acknowledged"}`, "unknown_member"},
		{`{"state":"closed"}`, "not_allowed"},
		{`{"state":1}`, "wrong_type"},
		{`{}`, "nothing_to_do"}, {`{"note":""}`, "nothing_to_do"}, {`{"note":"` + strings.Repeat("x", 4001) + `"}`, "not_text"}, {`{"assignee":7}`, "wrong_type"},
		{`{"state":"silenced"}`, "mismatch"},
		{`{"state":"open","silenced_until":"2026-11-22T20:00:00Z"}`, "mismatch"},
		{`{"state":"silenced","silenced_until":"tomorrow"}`, "not_rfc3339"},
		{`{"state":"silenced","silenced_until":"2026-11-22T11:59:59Z"}`, "out_of_range"},
		{`{"state":"silenced","silenced_until":"2036-11-22T11:59:59Z"}`, "out_of_range"},
		{`[]`, "not_an_object"}, {`null`, "not_an_object"}, {``, "not_an_object"}, {`{"state":"open"} {}`, "not_an_object"},
	} {
		got := s.do(t, ask{method: "PATCH", path: path, who: "admin", body: tt.body, header: map[string]string{"Content-Type": "application/json"}})
		if p := problemIn(t, got, http.StatusBadRequest); p.Errors[0].Code != tt.code {
			t.Errorf("%s: %+v, want %s", tt.body, p.Errors, tt.code)
		}
	}
	if got := s.oneIncident(t); got.State != "open" {
		t.Errorf("state is %s", got.State)
	}
}

func TestIncidents_NotesAndAssignee(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "order-router")
	path := s.oneIncident(t).Links.Self
	patch := func(body string) answer {
		return s.do(t, ask{method: "PATCH", path: path, who: "respond", body: body, header: map[string]string{"Content-Type": "application/json"}})
	}
	if got := patch(`{"assignee":"ana","state":"acknowledged","note":"the key is hunter2"}`); got.status != 200 || !strings.Contains(got.body, `"assignee":"ana"`) {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := patch(`{"note":"rolled back"}`); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	var log list[activityJSON]
	s.get(t, path+"/activity", &log)
	if len(log.Data) != 3 || log.Data[0].Note != "rolled back" || log.Data[1].Note != "the key is [secret]" || log.Data[1].Became != "acknowledged" || log.Data[2].Became != "ana" {
		t.Errorf("%+v", log.Data)
	}
	problemIn(t, s.do(t, ask{path: "/api/v1/incidents/inc_none/activity", who: "read"}), http.StatusNotFound)
}

// What is said when an incident is resolved that was resolved already is kept, though nothing changes.
func TestIncidents_NoteOfNoChange(t *testing.T) {
	s := newSite(t)
	path := "/api/v1/incidents/" + s.addFailures(t, 1, classify.TokenExpired, "prod", "client-b")[0].IncidentID
	var versions [2]incidentJSON
	for n, note := range []string{"rolled back", "and the cache was emptied"} {
		a := s.send(t, "PATCH", path, "respond", `{"state":"resolved","note":"`+note+`"}`)
		if err := json.Unmarshal([]byte(a.body), &versions[n]); err != nil || a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	var log struct{ Data []activityJSON }
	s.get(t, path+"/activity", &log)
	if len(log.Data) != 2 || log.Data[0].Kind != store.ActivityNote || log.Data[0].Note != "and the cache was emptied" || versions[1].Version != versions[0].Version {
		t.Errorf("versions %d and %d, %+v", versions[0].Version, versions[1].Version, log.Data)
	}
}

func TestIncidents_ChangeMany(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "a")
	s.addFailures(t, 1, classify.TokenExpired, "prod", "b")
	var before list[incidentJSON]
	s.get(t, "/api/v1/incidents", &before)
	change := func(body string) answer {
		return s.do(t, ask{method: "POST", path: "/api/v1/incidents/change", who: "respond", body: body, header: map[string]string{"Content-Type": "application/json"}})
	}
	got := change(`{"ids":["` + before.Data[0].ID + `","inc_none","` + before.Data[1].ID + `"],"change":{"state":"resolved","note":"one cause"}}`)
	var after list[changedJSON]
	if err := json.Unmarshal([]byte(got.body), &after); err != nil || len(after.Data) != 3 {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	if after.Data[0].Incident.State != "resolved" || after.Data[1].Problem.Status != 404 || after.Data[2].Incident.State != "resolved" {
		t.Errorf("%s", got.body)
	}
	for body, pointer := range map[string]string{`{"ids":[],"change":{"state":"open"}}`: "/ids", `{"ids":["x"],"change":{"state":"closed"}}`: "/change/state", `{"ids":["x"],"change":{"State":"open"}}`: "/change"} {
		if p := problemIn(t, change(body), http.StatusBadRequest); p.Errors[0].Pointer != pointer {
			t.Errorf("%s: %+v", body, p.Errors)
		}
	}
}

// Of several people who act on the same version at once, one is heard.
func TestIncidents_PatchRace(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "order-router")
	path := s.oneIncident(t).Links.Self
	tag := s.get(t, path, &incidentJSON{}).header.Get("ETag")
	statuses := make([]int, 8)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() {
			got := s.do(t, ask{method: "PATCH", path: path, who: "respond", body: `{"state":"acknowledged"}`,
				header: map[string]string{"Content-Type": "application/json", "If-Match": tag}})
			statuses[i] = got.status
		})
	}
	wg.Wait()
	won := 0
	for _, status := range statuses {
		switch status {
		case http.StatusOK:
			won++
		case http.StatusPreconditionFailed:
		default:
			t.Errorf("status %d", status)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d were heard", won, len(statuses))
	}
}
