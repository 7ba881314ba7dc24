package api

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"authwatch/classify"
)

func TestIncidentsPage_FiltersAndPages(t *testing.T) {
	s := newSite(t)
	for i := range 60 {
		s.addFailures(t, 1, classify.TokenExpired, "prod", fmt.Sprintf("client-%02d", i))
	}
	s.addFailures(t, 1, classify.JTIReuse, "preprod", "other")
	seen := map[string]bool{}
	pages := 0
	for path := "/incidents?cause=token_expired"; path != ""; pages++ {
		body := s.page(t, path, "session viewer")
		if strings.Contains(body, `href="/clients/other"`) {
			t.Error("the filter lets another cause through")
		}
		for _, m := range regexp.MustCompile(`href="(/incidents/inc_[^"]*)"`).FindAllStringSubmatch(body, -1) {
			if seen[m[1]] {
				t.Errorf("%s twice", m[1])
			}
			seen[m[1]] = true
		}
		path = ""
		if m := regexp.MustCompile(`href="([^"]*)" rel="next"`).FindStringSubmatch(body); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if len(seen) != 60 || pages != 2 {
		t.Errorf("%d incidents on %d pages", len(seen), pages)
	}
	if body := s.page(t, "/incidents?state=resolved", "session viewer"); !strings.Contains(body, "No such incident in the last 7 days.") || !strings.Contains(body, `Open <span class="count">61</span>`) {
		t.Error("the tabs lose their counts")
	}
	for _, bad := range []string{"state=gone", "cause=nope", "fault=mine", "range=9y", "cursor=zzz", "from=x"} {
		a := s.do(t, ask{path: "/incidents?" + bad, who: "session viewer"})
		if a.status != http.StatusBadRequest || !strings.Contains(a.body, "<h1>Bad Request</h1>") {
			t.Errorf("%s = %d", bad, a.status)
		}
	}
}

func TestIncidentsPage_ChangeMany(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "a")
	s.addFailures(t, 1, classify.TokenExpired, "prod", "b")
	body := s.page(t, "/incidents?range=24h", "session responder")
	ids := regexp.MustCompile(`name="id" value="(inc_[^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(ids) != 2 || strings.Contains(s.page(t, "/incidents", "session viewer"), `type="checkbox"`) {
		t.Fatalf("%d boxes for a responder", len(ids))
	}
	send := func(form string) answer {
		return s.do(t, ask{method: http.MethodPost, path: "/incidents/change", who: "session responder", body: form,
			header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Origin": s.URL}})
	}
	got := send("state=resolved&hours=8&back=range%3D24h&id=" + ids[0][1] + "&id=inc_none&id=" + ids[1][1])
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/incidents?range=24h" {
		t.Fatalf("%d, back to %s", got.status, got.header.Get("Location"))
	}
	if body := s.page(t, "/incidents?state=resolved", "session viewer"); strings.Count(body, "/incidents/inc_") != 2 {
		t.Error("both are not resolved")
	}
	if got := send("state=resolved"); got.status != http.StatusBadRequest {
		t.Errorf("nothing ticked: %d", got.status)
	}
}
