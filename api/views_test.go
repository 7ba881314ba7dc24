package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestViews_API(t *testing.T) {
	s := newSite(t)
	save := func(who, body string) answer {
		t.Helper()
		return s.do(t, ask{method: http.MethodPost, path: "/api/v1/views", who: who, body: body, header: map[string]string{"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}})
	}
	shared := save("respond", `{"page":"incidents","name":"prod at night","query":"environment=prod&state=all&cursor=x"}`)
	own := save("session responder", `{"page":"overview","name":"the week","query":"range=7d","shared":false}`)
	var v viewJSON
	if err := json.Unmarshal([]byte(shared.body), &v); err != nil || shared.status != http.StatusCreated || v.Query != "environment=prod&state=all" || !v.Shared || v.By != "test respond" ||
		v.Links.Page != "/incidents?environment=prod&state=all" {
		t.Errorf("%d %s", shared.status, shared.body)
	}
	if own.status != http.StatusCreated || !strings.Contains(own.body, `"shared":false`) {
		t.Errorf("%d %s", own.status, own.body)
	}
	for who, want := range map[string]int{"read": 1, "session responder": 2, "session viewer": 1} {
		a := s.do(t, ask{path: "/api/v1/views", who: who})
		if got := strings.Count(a.body, `"id":"viw_`); a.status != http.StatusOK || got != want {
			t.Errorf("%s sees %d views: %s", who, got, a.body)
		}
	}
	for _, body := range []string{`{"page":"settings","name":"x"}`, `{"page":"incidents","name":""}`, `{"page":"incidents","name":"x","query":"state=odd"}`, `{"page":"overview","name":"x","query":"range=2h"}`,
		`{"page":"overview","name":"x","query":"%zz"}`, `{"page":"incidents","name":"x","query":"client=hunter2"}`, `{"page":"overview","name":"x\ny"}`, `{"page":"overview","name":"x","shared":false}`} {
		if a := save("respond", body); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	for _, want := range []int{http.StatusNoContent, http.StatusNotFound} {
		if a := s.do(t, ask{method: http.MethodDelete, path: "/api/v1/views/" + v.ID, who: "respond"}); a.status != want {
			t.Errorf("delete: %d, want %d", a.status, want)
		}
	}
}

func TestViews_Pages(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 3, "token_expired", "prod", "a-client")
	if a := s.postForm(t, "session viewer", "/views", url.Values{"page": {"incidents"}, "name": {"mine"}, "query": {"state=all"}}); a.status != http.StatusSeeOther || a.header.Get("Location") != "/incidents?state=all" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := s.postForm(t, "session viewer", "/views", url.Values{"page": {"incidents"}, "name": {"all"}, "query": {""}, "shared": {"true"}}); a.status != http.StatusForbidden {
		t.Errorf("a viewer saves for everybody: %d", a.status)
	}
	if a := s.postForm(t, "session responder", "/views", url.Values{"page": {"incidents"}, "name": {"<b>all</b>"}, "query": {"state=resolved"}, "shared": {"true"}}); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	viewer := s.page(t, "/incidents?state=all", "session viewer")
	if !strings.Contains(viewer, `<a href="/incidents?state=all" aria-current="true">mine</a>`) || !strings.Contains(viewer, `<a href="/incidents?state=resolved">&lt;b&gt;all&lt;/b&gt;</a>`) ||
		strings.Count(viewer, "/delete\"") != 1 || strings.Contains(viewer, `name="shared"`) {
		t.Errorf("the viewer's views: %s", viewer)
	}
	responder := s.page(t, "/incidents", "session responder")
	if strings.Contains(responder, ">mine<") || !strings.Contains(responder, `name="shared"`) {
		t.Error("somebody else's own view is shown, or nothing can be shared")
	}
	_, rest, _ := strings.Cut(responder, `action="/views/`)
	id, _, _ := strings.Cut(rest, "/")
	if a := s.postForm(t, "session viewer", "/views/"+id+"/delete", nil); a.status != http.StatusNotFound {
		t.Errorf("a viewer deletes everybody's view: %d", a.status)
	}
	if a := s.postForm(t, "session responder", "/views/"+id+"/delete", url.Values{"back": {"/incidents"}}); a.status != http.StatusSeeOther || a.header.Get("Location") != "/incidents" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if strings.Contains(s.page(t, "/", "session responder"), "<b>all") {
		t.Error("the view is on another page")
	}
}
