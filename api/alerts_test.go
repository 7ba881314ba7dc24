package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"authwatch/alert"
	"authwatch/classify"
	"authwatch/store"

	"github.com/prometheus/client_golang/prometheus"
)

// testAlerts is the real service, and two receivers of which one works.
func testAlerts(st *store.Store, now func() time.Time) Alerts {
	service, err := alert.New(alert.Options{Store: st, PublicURL: "http://127.0.0.1:8080", Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)),
		Registerer: prometheus.NewRegistry(), Now: now})
	if err != nil {
		panic(err)
	}
	return Alerts{
		Receivers: []AlertReceiver{{"chat", "slack", "hooks.chat.example"}, {"pager", "pagerduty", "events.pager.example"}},
		Preview: func(ctx context.Context, rule store.AlertRule) (AlertPreview, error) {
			p, err := service.Preview(ctx, rule)
			out := AlertPreview{From: p.From, To: p.To, Count: p.Count, AtLeast: p.AtLeast, Times: []AlertPreviewTime{}}
			for _, t := range p.Times {
				out.Times = append(out.Times, AlertPreviewTime{t.At, t.About, t.Incident})
			}
			return out, err
		},
		Test: func(ctx context.Context, receiver string) (string, error) {
			class := ""
			if receiver == "pager" {
				class = "http_401"
			}
			return class, st.LogTestDelivery(ctx, receiver, class)
		},
	}
}

// alertRouteAccess is who may use the routes of alerts.
func alertRouteAccess() map[string]access {
	return map[string]access{
		"GET /api/v1/rules": apiRead, "POST /api/v1/rules": apiRespond, "POST /api/v1/rules/preview": apiRead, "GET /api/v1/rules/:id": apiRead,
		"PUT /api/v1/rules/:id": apiRespond, "DELETE /api/v1/rules/:id": apiRespond, "GET /api/v1/silences": apiRead, "POST /api/v1/silences": apiRespond,
		"DELETE /api/v1/silences/:id": apiRespond, "GET /api/v1/alerts": apiRead, "GET /api/v1/deliveries": apiRead, "GET /api/v1/receivers": apiRead,
		"POST /api/v1/receivers/:name/test": apiRespond,
		"GET /alerts":                       pageViewer, "GET /alerts/rules/new": pageResponder, "POST /alerts/rules": pageResponder, "GET /alerts/rules/:id": pageViewer,
		"POST /alerts/rules/:id": pageResponder, "POST /alerts/rules/:id/delete": pageResponder, "POST /alerts/silences": pageResponder,
		"POST /alerts/silences/:id/end": pageResponder, "POST /alerts/receivers/:name/test": pageResponder,
	}
}

func (s *site) send(t *testing.T, method, path, who, body string, header ...string) answer {
	t.Helper()
	h := map[string]string{"Content-Type": "application/json"}
	for i := 0; i+1 < len(header); i += 2 {
		h[header[i]] = header[i+1]
	}
	return s.do(t, ask{method: method, path: path, who: who, body: body, header: h})
}

const shareRule = `{"name":"a share with hunter2","match":{"environments":["prod"],"causes":["jti_reuse"]},"condition":{"kind":"share","at_least":20,"percent":2.5,"window":"10m"},"receivers":["chat"]}`

func TestRules(t *testing.T) {
	s := newSite(t)
	made := s.send(t, "POST", "/api/v1/rules", "respond", shareRule)
	var rule ruleJSON
	if err := json.Unmarshal([]byte(made.body), &rule); err != nil || made.status != http.StatusCreated || made.header.Get("Location") != "/api/v1/rules/"+rule.ID {
		t.Fatalf("%d %s: %v", made.status, made.body, err)
	}
	if rule.Name != "a share with [secret]" || !rule.Enabled || rule.Condition.Window != "10m" || rule.CreatedBy != "test respond" || rule.Match.Causes[0] != classify.JTIReuse {
		t.Errorf("%+v", rule)
	}
	path := "/api/v1/rules/" + rule.ID
	tag := s.get(t, path, &rule).header.Get("ETag")
	if got := s.send(t, "PUT", path, "respond", `{"name":"new ones","enabled":false,"condition":{"kind":"new"}}`, "If-Match", tag); got.status != http.StatusOK || got.header.Get("ETag") != `"2"` {
		t.Errorf("%d %s", got.status, got.body)
	}
	problemIn(t, s.send(t, "PUT", path, "respond", `{"name":"again","condition":{"kind":"new"}}`, "If-Match", tag), http.StatusPreconditionFailed)
	problemIn(t, s.send(t, "DELETE", path, "respond", "", "If-Match", tag), http.StatusPreconditionFailed)
	var list struct{ Data []ruleJSON }
	s.get(t, "/api/v1/rules", &list)
	if len(list.Data) != 1 || list.Data[0].Enabled || list.Data[0].Name != "new ones" {
		t.Errorf("%+v", list.Data)
	}
	if got := s.send(t, "DELETE", path, "respond", ""); got.status != http.StatusNoContent {
		t.Errorf("%d %s", got.status, got.body)
	}
	problemIn(t, s.send(t, "DELETE", path, "respond", ""), http.StatusNotFound)
}

func TestRules_Refused(t *testing.T) {
	s := newSite(t)
	for body, want := range map[string]string{
		`{"condition":{"kind":"new"}}`:                                             "/name",
		`{"name":"x","condition":{"kind":"often"}}`:                                "/condition/kind",
		`{"name":"x","condition":{"kind":"count","at_least":5}}`:                   "/condition/window",
		`{"name":"x","condition":{"kind":"count","at_least":5,"window":"soon"}}`:   "/condition/window",
		`{"name":"x","condition":{"kind":"count","window":"5m"}}`:                  "/condition/at_least",
		`{"name":"x","condition":{"kind":"new"},"match":{"causes":["nope"]}}`:      "/match/causes",
		`{"name":"x","condition":{"kind":"new"},"match":{"cause":["jti_reuse"]}}`:  "/match",
		`{"name":"x","condition":{"kind":"new"},"receivers":[""]}`:                 "/receivers",
		`{"name":"x","condition":{"kind":"new"},"match":{"clients":["a\u0000b"]}}`: "/match/clients",
		`{"name":"x","condition":{"kind":"new"},"match":{"clients":["hunter2"]}}`:  "/match/clients",
		`{"name":"x","condition":{"kind":"new","at_least":3}}`:                     "/condition/at_least",
	} {
		for _, path := range []string{"/api/v1/rules", "/api/v1/rules/preview"} {
			p := problemIn(t, s.send(t, "POST", path, "respond", body), http.StatusBadRequest)
			if len(p.Errors) != 1 || p.Errors[0].Pointer != want {
				t.Errorf("%s %s: %+v", path, body, p.Errors)
			}
		}
	}
}

// "Would have fired 3 times last week": one incident of each of three clients, and one that came long after its time.
func TestRules_Preview(t *testing.T) {
	s := newSite(t)
	for n := range 3 {
		s.addFailures(t, 30, classify.JTIReuse, "prod", fmt.Sprintf("client-%d", n))
	}
	s.addFailures(t, 30, classify.JTIReuse, "preprod", "client-0")
	late := s.addFailures(t, 200, classify.TokenExpired, "prod", "client-0") // its first event is three hours old
	for _, tt := range []struct {
		body string
		want int
	}{
		{`{"name":"x","match":{"environments":["prod"]},"condition":{"kind":"new"}}`, 3},
		{`{"name":"x","condition":{"kind":"new"}}`, 4},
		{`{"name":"x","condition":{"kind":"regression"}}`, 0},
		{`{"name":"x","condition":{"kind":"count","at_least":25,"window":"30m"},"match":{"causes":["jti_reuse"]}}`, 4},
		{`{"name":"x","condition":{"kind":"count","at_least":100,"window":"30m"}}`, 0},
		{`{"name":"x","condition":{"kind":"total","at_least":100,"window":"30m"}}`, 1},
		{`{"name":"x","condition":{"kind":"share","at_least":10,"percent":50,"window":"30m"}}`, 2},
		{`{"name":"x","condition":{"kind":"outbreak","at_least":3,"window":"10m"}}`, 1},
		{`{"name":"x","condition":{"kind":"outbreak","at_least":4,"window":"10m"}}`, 0},
	} {
		got := s.send(t, "POST", "/api/v1/rules/preview", "read", tt.body)
		var p AlertPreview
		if err := json.Unmarshal([]byte(got.body), &p); err != nil || got.status != http.StatusOK || p.Count != tt.want || len(p.Times) != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.body, got.status, got.body, tt.want)
		}
		for _, one := range p.Times {
			if one.Incident == late[0].IncidentID && strings.Contains(tt.body, `"new"`) {
				t.Errorf("%s: what began long before it was received is news", tt.body)
			}
		}
	}
	var list struct{ Data []ruleJSON }
	if s.get(t, "/api/v1/rules", &list); len(list.Data) != 0 {
		t.Error("a preview was stored")
	}
}

func TestSilences(t *testing.T) {
	s := newSite(t)
	got := s.send(t, "POST", "/api/v1/silences", "respond", `{"match":{"clients":["client-b"]},"reason":"migration, hunter2","ends_at":"2026-11-22T14:00:00Z"}`)
	var v silenceJSON
	if err := json.Unmarshal([]byte(got.body), &v); err != nil || got.status != http.StatusCreated || v.Author != "test respond" || v.Reason != "migration, [secret]" || !v.Active {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	for body, want := range map[string]string{
		`{"ends_at":"2026-11-22T14:00:00Z"}`:              "/reason",
		`{"reason":"x"}`:                                  "/ends_at",
		`{"reason":"x","ends_at":"2026-11-22T11:00:00Z"}`: "/ends_at",
		`{"reason":"x","ends_at":"2026-11-22T14:00:00Z","match":{"environments":["hunter2"]}}`:    "/match/environments",
		`{"reason":"x","ends_at":"2026-11-22T14:00:00Z","match":{"providers":["hunter2\u0000"]}}`: "/match/providers",
	} {
		p := problemIn(t, s.send(t, "POST", "/api/v1/silences", "respond", body), http.StatusBadRequest)
		if len(p.Errors) != 1 || p.Errors[0].Pointer != want {
			t.Errorf("%s: %+v", body, p.Errors)
		}
	}
	if got := s.send(t, "DELETE", "/api/v1/silences/"+v.ID, "respond", ""); got.status != http.StatusOK || !strings.Contains(got.body, `"active":false`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	var now, all struct{ Data []silenceJSON }
	s.get(t, "/api/v1/silences", &now)
	s.get(t, "/api/v1/silences?all=true", &all)
	if len(now.Data) != 0 || len(all.Data) != 1 {
		t.Errorf("%d active, %d in all", len(now.Data), len(all.Data))
	}
}

// fireSample stores a rule, and an alert of it with its deliveries.
func (s *site) fireSample(t *testing.T) store.AlertRule {
	t.Helper()
	rule, err := s.store.CreateAlertRule(t.Context(), store.AlertRule{Name: "new <b>ones</b>", Enabled: true, Condition: store.AlertCondition{Kind: store.AlertNew}, Receivers: []string{"chat", "gone"}, UpdatedBy: "sam"})
	if err != nil {
		t.Fatal(err)
	}
	failures := s.addFailures(t, 3, classify.JTIReuse, "prod", "client-a")
	incident := failures[0].IncidentID
	message := `{"title":"[prod] client-a: JTI reuse","incidents":["` + incident + `"]}`
	if fired, err := s.store.FireAlert(t.Context(), store.Alert{Subject: "new:" + incident, Once: true, Incidents: []string{incident}, Message: []byte(message)}, rule); err != nil || !fired {
		t.Fatal(fired, err)
	}
	return rule
}

func TestAlertLists(t *testing.T) {
	s := newSite(t)
	rule := s.fireSample(t)
	var alerts struct{ Data []alertJSON }
	s.get(t, "/api/v1/alerts?firing=true&rule="+rule.ID, &alerts)
	if len(alerts.Data) != 1 || !strings.Contains(string(alerts.Data[0].Message), "client-a") {
		t.Errorf("%+v", alerts.Data)
	}
	var log struct {
		Data []deliveryJSON
		Next string
	}
	s.get(t, "/api/v1/deliveries?limit=1", &log)
	if len(log.Data) != 1 || log.Next == "" || log.Data[0].Status != store.DeliveryWaiting {
		t.Errorf("%+v", log)
	}
	var receivers struct{ Data []AlertReceiver }
	s.get(t, "/api/v1/receivers", &receivers)
	if len(receivers.Data) != 2 || receivers.Data[0].Target != "hooks.chat.example" {
		t.Errorf("%+v", receivers.Data)
	}
	for name, want := range map[string]string{"chat": `{"receiver":"chat","sent":true}`, "pager": `{"receiver":"pager","sent":false,"error":"http_401"}`} {
		if got := s.send(t, "POST", "/api/v1/receivers/"+name+"/test", "respond", ""); got.status != http.StatusOK || got.body != want {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	problemIn(t, s.send(t, "POST", "/api/v1/receivers/none/test", "respond", ""), http.StatusNotFound)
}

func (s *site) form(t *testing.T, path string, fields url.Values) answer {
	t.Helper()
	return s.postForm(t, "session responder", path, fields)
}

func TestAlertsPage(t *testing.T) {
	s := newSite(t)
	if body := s.page(t, "/alerts", "session viewer"); !strings.Contains(body, "There is no rule: nobody is told of anything.") || strings.Contains(body, "New rule") {
		t.Error("an empty page for a viewer")
	}
	s.fireSample(t)
	body := s.page(t, "/alerts", "session responder")
	for _, want := range []string{"1 alert goes on; 1 rule, 0 silences.", "[prod] client-a: JTI reuse", "new &lt;b&gt;ones&lt;/b&gt;", "an incident that never was before", "chat and gone",
		"hooks.chat.example", "Send a test", `aria-current="page">Alerts`, "waiting"} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if got := s.form(t, "/alerts/silences", url.Values{"client": {"client-a"}, "hours": {"4"}, "reason": {"planned"}}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	body = s.page(t, "/alerts", "session responder")
	for _, want := range []string{"client client-a", "16:00:00", "a responder", "planned", "End now"} {
		if !strings.Contains(body, want) {
			t.Errorf("the silence lacks %q", want)
		}
	}
	if got := s.form(t, firstAction(t, body, "/alerts/silences/sil_"), nil); got.status != http.StatusSeeOther {
		t.Errorf("%d", got.status)
	}
	if body := s.page(t, "/alerts", "session viewer"); !strings.Contains(body, "Nothing is silenced.") {
		t.Error("it did not end")
	}
	if got := s.form(t, "/alerts/silences", url.Values{"client": {"<script>"}, "hours": {"4"}}); got.status != http.StatusBadRequest || !strings.Contains(got.body, "Reason: why") || !strings.Contains(got.body, `value="&lt;script&gt;"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := s.form(t, "/alerts/receivers/pager/test", nil); got.status != http.StatusOK || !strings.Contains(got.body, "The test did not reach pager: http 401.") {
		t.Errorf("%d", got.status)
	}
	if got := s.form(t, "/alerts/receivers/chat/test", nil); got.status != http.StatusOK || !strings.Contains(got.body, "The test was sent to chat.") {
		t.Errorf("%d", got.status)
	}
}

func firstAction(t *testing.T, body, prefix string) string {
	t.Helper()
	_, rest, found := strings.Cut(body, `action="`+prefix)
	if !found {
		t.Fatalf("no form for %s…", prefix)
	}
	rest, _, _ = strings.Cut(rest, `"`)
	return prefix + rest
}

func TestRulePage(t *testing.T) {
	s := newSite(t)
	for n := range 3 {
		s.addFailures(t, 30, classify.JTIReuse, "prod", fmt.Sprintf("client-%d", n))
	}
	if body := s.page(t, "/alerts/rules/new", "session responder"); !strings.Contains(body, "<h1>New rule</h1>") || !strings.Contains(body, `value="jti_reuse"`) {
		t.Error("the form of a new rule")
	}
	fields := url.Values{"name": {"many"}, "kind": {"count"}, "at_least": {"25"}, "minutes": {"30"}, "percent": {"7"}, "environments": {"prod\r\n\r\nprod\r\n"},
		"cause": {"jti_reuse"}, "receiver": {"chat"}, "enabled": {"yes"}, "do": {"preview"}}
	got := s.form(t, "/alerts/rules", fields)
	if got.status != http.StatusOK || !strings.Contains(got.body, "It would have fired 3 times in the last week.") || !strings.Contains(got.body, `value="jti_reuse" checked`) || !strings.Contains(got.body, "client-2") {
		t.Errorf("%d %s", got.status, got.body)
	}
	checkMarkup(t, "/alerts/rules", got)
	fields.Del("do")
	if got := s.form(t, "/alerts/rules", fields); got.status != http.StatusSeeOther || got.header.Get("Location") != "/alerts#rules" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	path := firstLink(t, s.page(t, "/alerts", "session responder"), "/alerts/rules/rul_")
	body := s.page(t, path, "session responder")
	for _, want := range []string{"<h1>Rule many</h1>", `name="version" value="1"`, `name="minutes" value="30"`, ">prod</textarea>", "Delete the rule", "would have fired 3 times", "1 cause<"} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if strings.Contains(body, "<p>authwatch 1 ·") {
		t.Error("the footer shows the rule's version")
	}
	if body := s.page(t, path, "session viewer"); strings.Contains(body, "Delete the rule") || strings.Contains(body, ">Save<") {
		t.Error("a viewer is offered what is refused")
	}
	fields.Set("version", "1")
	fields.Set("minutes", "0.5")
	if got := s.form(t, path, fields); got.status != http.StatusBadRequest || !strings.Contains(got.body, "Window: whole minutes") || !strings.Contains(got.body, `value="0.5m"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	fields.Set("minutes", "60")
	if got := s.form(t, path, fields); got.status != http.StatusSeeOther {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := s.form(t, path, fields); got.status != http.StatusConflict || !strings.Contains(got.body, "changed meanwhile") {
		t.Errorf("an old version: %d", got.status)
	}
	if got := s.form(t, path+"/delete", nil); got.status != http.StatusSeeOther {
		t.Errorf("%d", got.status)
	}
	if got := s.do(t, ask{path: path, who: "session responder"}); got.status != http.StatusNotFound {
		t.Errorf("deleted: %d", got.status)
	}
}
