package api

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

func (s *site) tellByForm(t *testing.T, who, form string) answer {
	t.Helper()
	return s.do(t, ask{method: http.MethodPost, path: "/changes", who: who, body: form,
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Origin": s.URL}})
}

func TestChangesPage(t *testing.T) {
	s := newSite(t)
	got := s.tellByForm(t, "session responder", "title=orders-bot+4109&kind=deploy&environment=prod&client_id=client-a&time=2026-11-22T11:30&url=https%3A%2F%2Fci.example%2Frun%2F1")
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/changes" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	body := s.page(t, "/changes", "session viewer")
	for _, want := range []string{"orders-bot 4109", `href="https://ci.example/run/1"`, "client-a at prod", "a responder", "needs the role responder"} {
		if !strings.Contains(body, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
	wrong := s.tellByForm(t, "session responder", "title=%3Cscript%3E&url=javascript:alert(1)&kind=deploy")
	if wrong.status != http.StatusBadRequest || !strings.Contains(wrong.body, "an http or https address") || !strings.Contains(wrong.body, `value="&lt;script&gt;"`) {
		t.Errorf("%d %s", wrong.status, wrong.body)
	}
}

// The change that names the client comes first, then the nearer one; what came long before or after, and what concerns another environment, is left out.
func TestIncidentPage_Onset(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 30, classify.JTIReuse, "prod", "client-a") // from 11:30 on
	for _, body := range []string{
		`{"title":"gateway 7","time":"2026-11-22T11:29:00Z","environment":"prod"}`,
		`{"title":"client-a 12","time":"2026-11-22T11:10:00Z","client_id":"client-a"}`,
		`{"title":"the morning's","time":"2026-11-22T08:00:00Z"}`,
		`{"title":"the repair","time":"2026-11-22T11:50:00Z"}`,
		`{"title":"elsewhere","time":"2026-11-22T11:29:30Z","environment":"preprod"}`,
	} {
		if got := s.tell(t, body); got.status != http.StatusCreated {
			t.Fatalf("%s: %d %s", body, got.status, got.body)
		}
	}
	incident := firstLink(t, s.page(t, "/incidents", "session viewer"), "/incidents/inc_")
	body := s.page(t, incident, "session viewer")
	start, end := strings.Index(body, "What changed"), strings.Index(body, "What happened")
	onset := body[start:end]
	own, near := strings.Index(onset, "client-a 12"), strings.Index(onset, "gateway 7")
	if own < 0 || near < own || !strings.Contains(onset, "20 min before the first failure") || !strings.Contains(onset, "2 changes were told of in the 2 h") {
		t.Errorf("onset: %s", onset)
	}
	for _, other := range []string{"the morning", "the repair", "elsewhere"} {
		if strings.Contains(onset, other) {
			t.Errorf("onset names %q", other)
		}
	}
	if chart := body[end:]; !strings.Contains(chart, `class="mark-line"`) || !strings.Contains(chart, "the repair") || strings.Contains(chart, "elsewhere") {
		t.Error("the time line does not mark the changes of its time")
	}
}

// A client that makes every mistake at once has a few lines, and one that leads to all of them.
func TestChangesPage_OneClientDoesNotFillIt(t *testing.T) {
	s := newSite(t)
	for _, client := range []string{"client-a", "client-b"} {
		s.see(t, client, s.now.Add(-6*time.Hour), sight(classify.SightUserAgent, "old", classify.Accepted))
	}
	s.see(t, "client-a", s.now.Add(-2*time.Hour), sight(classify.SightUserAgent, "orders/2", classify.Accepted))
	for n := range 8 {
		s.see(t, "client-b", s.now.Add(-time.Hour+time.Duration(n)*time.Second), sight(classify.SightUserAgent, fmt.Sprint("try-", n), classify.Failed))
	}
	body := s.page(t, "/changes?range=24h", "session viewer")
	if n := strings.Count(body, "User agent is now try-"); n != changesOfMoment || !strings.Contains(body, "orders/2") {
		t.Errorf("%d of the client are listed", n)
	}
	more := regexp.MustCompile(`<a href="([^"]*)">and 4 more of client-b in this hour</a>`).FindStringSubmatch(body)
	if more == nil {
		t.Fatalf("nothing leads to the others: %s", body)
	}
	if body = s.page(t, html.UnescapeString(more[1]), "session viewer"); strings.Count(body, "User agent is now try-") != 8 || strings.Contains(body, "orders/2") {
		t.Errorf("all of the hour: %s", body)
	}
}
