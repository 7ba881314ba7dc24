package alert

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/store"

	"crypto/hmac"
	"crypto/sha256"
)

// fireOne makes a rule that tells "out" and lets it find one incident.
func (d *desk) fireOne(client string) store.Incident {
	d.t.Helper()
	d.rule(countRule(3, time.Minute))
	d.fail(client, 3, d.clock.Add(-time.Second))
	d.evaluate()
	return d.incident(client)
}

// The signature is checked as a receiver does that reads Standard Webhooks, from the headers and the body alone.
func TestWebhook_Signed(t *testing.T) {
	out := openStation(t, false)
	d := openDesk(t, webhookAt(t, out))
	incident := d.fireOne("client-b")
	d.deliver()
	got := out.take()
	if len(got) != 1 || got[0].path != "/hook" || got[0].header.Get("Content-Type") != "application/json" {
		t.Fatalf("%+v", got)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(signingSecret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", got[0].header.Get("webhook-id"), got[0].header.Get("webhook-timestamp"), got[0].body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); got[0].header.Get("webhook-signature") != want {
		t.Errorf("signature %q, want %q", got[0].header.Get("webhook-signature"), want)
	}
	var m map[string]any
	if err := json.Unmarshal(got[0].body, &m); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"version": 1.0, "status": "firing", "cause": "jti_reuse", "client_id": "client-b", "environment": "prod", "fault": "client", "failures": 3.0,
		"window_seconds": 60.0, "url": "https://aw.example/i/" + incident.ID} {
		if m[name] != want {
			t.Errorf("%s is %v, want %v", name, m[name], want)
		}
	}
	if told := d.told(); !slices.Equal(told, []string{"firing sent 1"}) {
		t.Errorf("%q", told)
	}
	// The end, to who was told of the beginning.
	if _, err := d.Store.ChangeIncident(t.Context(), incident.ID, store.StateChange{State: store.StateResolved, By: "sam"}); err != nil {
		t.Fatal(err)
	}
	d.evaluate()
	d.deliver()
	end := out.take()
	if len(end) != 1 || !strings.Contains(string(end[0].body), `"status":"resolved"`) || !strings.Contains(string(end[0].body), m["id"].(string)) || end[0].header.Get("webhook-id") == got[0].header.Get("webhook-id") {
		t.Errorf("%s", end)
	}
}

func TestDeliver_RetriesAndGivesUp(t *testing.T) {
	out := openStation(t, false)
	d := openDesk(t, webhookAt(t, out))
	d.fireOne("client-b")
	out.answer(503)
	d.deliver()
	d.deliver() // not before its time
	if n := len(out.take()); n != 1 {
		t.Fatalf("%d attempts at once", n)
	}
	out.answer(429, "Retry-After", "120")
	d.clock = d.clock.Add(11 * time.Second)
	d.deliver()
	d.clock = d.clock.Add(119 * time.Second)
	d.deliver()
	if got := out.take(); len(got) != 1 {
		t.Errorf("Retry-After was not kept: %d", len(got))
	}
	d.clock = d.clock.Add(2 * time.Second)
	out.answer(200)
	d.deliver()
	first := out.take()
	if told := d.told(); len(first) != 1 || !slices.Equal(told, []string{"firing sent 3"}) {
		t.Fatalf("%q", told)
	}
	for status, class := range map[int]string{400: "http_400", 404: "http_404", 302: "http_302"} {
		d.fail(fmt.Sprint("client-", status), 3, d.clock.Add(-time.Second))
		out.answer(status, "Location", out.URL+"/elsewhere")
		d.evaluate()
		d.deliver()
		if told := d.told(); told[0] != "firing failed 1 "+class {
			t.Errorf("%d: %q", status, told)
		}
		if got := out.take(); len(got) != 1 || got[0].path != "/hook" {
			t.Errorf("%d: a redirect was followed, or it was tried again: %+v", status, got)
		}
	}
	out.answer(500)
	d.fail("client-x", 3, d.clock.Add(-time.Second))
	d.evaluate()
	for range 40 {
		d.deliver()
		d.clock = d.clock.Add(3 * time.Minute)
	}
	if told := d.told(); told[0] != fmt.Sprintf("firing failed %d http_500", maxAttempts) {
		t.Errorf("%q", told)
	}
	if strings.Contains(d.log.String(), "answer-canary") || !strings.Contains(d.log.String(), "http_500") {
		t.Errorf("log: %s", d.log.String())
	}
}

// What was not told in time is the past; what ended before it was told is not told at all.
func TestDeliver_NothingOfThePast(t *testing.T) {
	out := openStation(t, false)
	d := openDesk(t, webhookAt(t, out))
	incident := d.fireOne("client-b")
	d.fail("client-c", 3, d.clock.Add(-time.Second))
	d.evaluate()
	if _, err := d.Store.ChangeIncident(t.Context(), incident.ID, store.StateChange{State: store.StateResolved, By: "sam"}); err != nil {
		t.Fatal(err)
	}
	d.evaluate()
	d.clock = d.clock.Add(3 * time.Hour) // authwatch was away
	d.deliver()
	if got := out.take(); len(got) != 0 {
		t.Errorf("%s", got)
	}
	if told := d.told(); !slices.Equal(told, []string{"firing failed 1 too_late", "firing dropped 0"}) {
		t.Errorf("%q", told)
	}
}

func TestDeliver_UnknownReceiver(t *testing.T) {
	d := openDesk(t)
	d.fireOne("client-b")
	d.deliver()
	if told := d.told(); !slices.Equal(told, []string{"firing failed 1 unknown_receiver"}) {
		t.Errorf("%q", told)
	}
}

func TestSlack(t *testing.T) {
	out := openStation(t, false)
	r := configured(t, "receivers:\n- name: out\n  slack: {url_env: SLACK, private: true}\n", map[string]string{"SLACK": out.URL + "/services/T0/B0/slack-canary"})[0]
	d := openDesk(t, r)
	d.fireOne("<!channel> & <https://evil.example|click>\x1b[2J\u202e")
	d.deliver()
	got := out.take()
	var m struct{ Text string }
	if len(got) != 1 || json.Unmarshal(got[0].body, &m) != nil {
		t.Fatalf("%s", got)
	}
	if got[0].path != "/services/T0/B0/slack-canary" || !strings.HasPrefix(m.Text, ":rotating_light: [prod] &lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;\uFFFD[2J\uFFFD: ") ||
		!strings.HasSuffix(m.Text, "|Open in authwatch>") || strings.Count(m.Text, "<") != 1 {
		t.Errorf("%q", m.Text)
	}
	if strings.Contains(r.Target, "canary") || strings.Contains(fmt.Sprintf("%+v %#v", r, r), "canary") {
		t.Error("the address of Slack is a secret")
	}
}

func TestPagerDuty(t *testing.T) {
	out := openStation(t, false)
	out.answer(202)
	r := configured(t, "receivers:\n- name: out\n  pagerduty: {routing_key_env: KEY, severity: error, private: true, url: "+out.URL+"/v2/enqueue}\n", map[string]string{"KEY": "pager-canary"})[0]
	d := openDesk(t, r)
	incident := d.fireOne("client-b")
	d.deliver()
	if _, err := d.Store.ChangeIncident(t.Context(), incident.ID, store.StateChange{State: store.StateResolved, By: "sam"}); err != nil {
		t.Fatal(err)
	}
	d.evaluate()
	d.deliver()
	got := out.take()
	if len(got) != 2 {
		t.Fatalf("%s", got)
	}
	var trigger, resolve pagerEvent
	if err := json.Unmarshal(got[0].body, &trigger); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got[1].body, &resolve); err != nil {
		t.Fatal(err)
	}
	if trigger.RoutingKey != "pager-canary" || trigger.Action != "trigger" || trigger.Payload.Severity != "error" || trigger.Payload.Class != "jti_reuse" || trigger.Payload.Source != "client-b" ||
		!strings.HasPrefix(trigger.Payload.Summary, "[prod] client-b") || trigger.Links[0].Href != "https://aw.example/i/"+incident.ID {
		t.Errorf("%s", got[0].body)
	}
	if resolve.Action != "resolve" || resolve.DedupKey != trigger.DedupKey || resolve.DedupKey == "" {
		t.Errorf("%s", got[1].body)
	}
	if strings.Contains(d.log.String(), "canary") {
		t.Error("the routing key is in the log")
	}
}

// The shape of Alertmanager's answer is checked by the real one, in TestAlertmanager.
func TestAlertmanager_ToldAgain(t *testing.T) {
	out := openStation(t, false)
	r := configured(t, "receivers:\n- name: out\n  alertmanager: {url: "+out.URL+"/am/, token_env: TOKEN}\n", map[string]string{"TOKEN": "token-canary"})[0]
	d := openDesk(t, r)
	d.fireOne("client-b")
	d.deliver()
	d.clock = d.clock.Add(renewAfter + time.Second)
	d.deliver()
	got := out.take()
	if len(got) != 2 || got[0].path != "/am/api/v2/alerts" || got[0].header.Get("Authorization") != "Bearer token-canary" {
		t.Fatalf("%+v", got)
	}
	var first, second []postedAlert
	if json.Unmarshal(got[0].body, &first) != nil || json.Unmarshal(got[1].body, &second) != nil {
		t.Fatalf("%s", got)
	}
	if first[0].Labels["client_id"] != "client-b" || first[0].Labels["alert_id"] == "" || first[0].Labels["alert_id"] != second[0].Labels["alert_id"] || !second[0].EndsAt.After(first[0].EndsAt) {
		t.Errorf("%+v, then %+v", first, second)
	}
}

func TestTLS(t *testing.T) {
	out := openStation(t, true)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: out.Certificate().Raw})
	if err := os.WriteFile(ca, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"SECRET": signingSecret}
	hook := "receivers:\n- name: out\n  webhook: {url: " + out.URL + ", secret_env: SECRET, private: true"
	d := openDesk(t, configured(t, hook+"}\n", env)...)
	if class, err := d.Test(t.Context(), "out"); err != nil || class != "tls" {
		t.Errorf("an unknown authority: %q, %v", class, err)
	}
	d = openDesk(t, configured(t, hook+", ca_file: "+ca+"}\n", env)...)
	if class, err := d.Test(t.Context(), "out"); err != nil || class != "" {
		t.Errorf("the operator's authority: %q, %v", class, err)
	}
	if got := out.take(); len(got) != 1 || !strings.Contains(string(got[0].body), "nothing has failed") {
		t.Errorf("%s", got)
	}
	if told := d.told(); !slices.Equal(told, []string{"test sent 1"}) {
		t.Errorf("%q", told)
	}
	if _, err := d.Test(t.Context(), "none"); err != ErrNoReceiver {
		t.Error(err)
	}
}

func TestTest_Classes(t *testing.T) {
	env := map[string]string{"SECRET": signingSecret}
	for _, tt := range []struct {
		address string
		private bool
		want    string
	}{
		{"http://127.0.0.1:1/", true, "refused"},
		{"https://127.0.0.1:1/", false, "blocked_address"},
		{"https://[::ffff:127.0.0.1]:1/", false, "blocked_address"},
		{"https://[::1]:1/", false, "blocked_address"},
		{"https://169.254.169.254/", true, "blocked_address"},
		{"https://[64:ff9b::a9fe:a9fe]/", true, "blocked_address"},
		{"https://0.0.0.0:1/", true, "blocked_address"},
		{"https://10.0.0.1/", false, "blocked_address"},
		{"https://100.64.0.1/", false, "blocked_address"},
		{"https://localhost:1/", false, "blocked_address"},
	} {
		d := openDesk(t, configured(t, fmt.Sprintf("receivers:\n- name: out\n  webhook:\n    secret_env: SECRET\n    url: %q\n    private: %v\n", tt.address, tt.private), env)...)
		if class, err := d.Test(t.Context(), "out"); err != nil || class != tt.want {
			t.Errorf("%s: %q, %v; want %s", tt.address, class, err, tt.want)
		}
	}
}
