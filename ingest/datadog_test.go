package ingest

import (
	"strings"
	"testing"
)

func datadogKey(key string) (name, value string) { return "DD-API-KEY", key }

func datadogBody(t testing.TB, records ...string) string {
	var logs []string
	for _, r := range records {
		logs = append(logs, `{"ddsource":"go","ddtags":"env:prod,team:a","hostname":"h","timestamp":1795316400000,"status":"error","message":`+quoted(t, r)+`}`)
	}
	return "[" + strings.Join(logs, ",") + "]"
}

func datadogWire() wire {
	return wire{
		name: "Datadog", path: "/ingest/datadog/api/v2/logs", header: map[string]string{"Content-Type": "application/json"}, key: datadogKey, wrap: datadogBody,
		ok: 202, said: "{}", partly: "{}", junk: "junk", refuse: 400, wrong: 401,
	}
}

// The status of a Datadog log is its level, unless it is a number, and its timestamp is in milliseconds.
func TestDatadog_Fields(t *testing.T) {
	s := newService(t, testProfile())
	w := datadogWire()
	w.path = "/api/v2/logs"
	s.mustShip(w, `[{"timestamp":1795316401500,"status":"warn","service":"orders","http":{"status_code":401,"url":"https://api.lab.test/v1/orders","method":"GET"},"response":{"status":401}},
		{"timestamp":"1795316402000","message":{"response":{"status":403}},"ddtags":"service:billing,x"}]`)
	list := s.failures()
	if len(list) != 2 || list[1].Service != "orders" || !list[1].Verdict.Time.Equal(second(1).Add(500_000_000)) || list[0].Status != 403 || list[0].Service != "billing" {
		t.Errorf("%+v", list)
	}
}

func TestDatadog_Validate(t *testing.T) {
	s := newService(t, nil)
	w := datadogWire()
	w.method, w.path = "GET", "/ingest/datadog/api/v1/validate"
	if resp, text := s.ship(w, s.key, ""); resp.StatusCode != 200 || !strings.Contains(text, `{"valid":true}`) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if resp, _ := s.ship(w, "aw_ingest_00000000_x", ""); resp.StatusCode != 401 {
		t.Errorf("%d", resp.StatusCode)
	}
}

func FuzzDatadog(f *testing.F) {
	f.Add([]byte(datadogBody(f, goodRecord)))
	f.Add([]byte(`[{"status":401,"timestamp":1e99,"ddtags":"a,:,service:"},{"message":{}}`))
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, body []byte) { fuzzOpen(t, red, openDatadog, body) })
}
