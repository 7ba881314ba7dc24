package ingest

import (
	"strings"
	"testing"
)

func splunkKey(key string) (name, value string) { return "Authorization", "Splunk " + key }

// splunkBody is what Splunk's own loggers send: objects without a separator, the time as text.
func splunkBody(_ testing.TB, records ...string) string {
	var b strings.Builder
	for _, r := range records {
		b.WriteString(`{"time":"1795316400.000","host":"h","source":"orders","sourcetype":"_json","event":` + r + `,"fields":{"pod":"orders-1"}}`)
	}
	return b.String()
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", " ") }

func linesBody(_ testing.TB, records ...string) string {
	var b strings.Builder
	for _, r := range records {
		b.WriteString(oneLine(r) + "\n")
	}
	return b.String()
}

func splunkWire() wire {
	return wire{
		name: "Splunk event", path: "/ingest/splunk/services/collector/event/1.0", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
		key: splunkKey, wrap: splunkBody, ok: 200, said: `{"text":"Success","code":0}`, partly: `"code":0`, junk: "junk", refuse: 400, wrong: 401,
	}
}

func splunkRawWire() wire {
	return wire{
		name: "Splunk raw", path: "/services/collector/raw", key: basic, wrap: linesBody,
		ok: 200, said: `{"text":"Success","code":0}`, partly: `"code":0`, junk: "\n", refuse: 400, wrong: 401,
	}
}

// The codes are those that Splunk's clients know.
func TestSplunk_Codes(t *testing.T) {
	s := newService(t, nil)
	const collector = "/services/collector"
	for _, tt := range []struct {
		call, key, body, channel string
		status                   int
		say                      string
	}{
		{"GET " + collector + "/health", "", "", "", 200, `{"text":"HEC is healthy","code":17}`},
		{"GET /ingest/splunk" + collector + "/health/1.0", "", "", "", 200, `"code":17`},
		{"POST " + collector, "", "{}", "", 401, `{"text":"Token is required","code":2}`},
		{"POST " + collector, "aw_ingest_00000000_x", "{}", "", 401, `{"text":"Invalid authorization","code":3}`},
		{"POST " + collector, s.key, "", "", 400, `{"text":"No data","code":5}`},
		{"POST " + collector, s.key, "junk", "", 400, `{"text":"Invalid data format","code":6,"invalid-event-number":0}`},
		{"POST " + collector, s.key, `{"time":1}`, "", 400, `"code":12`},
		{"POST " + collector, s.key, `{"event":""}`, "", 400, `"code":13`},
		{"POST " + collector, s.key, `{"event":"started"}`, "", 200, `{"text":"Success","code":0}`},
		{"POST " + collector, s.key, `{"event":"started"}`, "c1", 200, `{"text":"Success","code":0,"ackId":0}`},
		{"POST " + collector, s.key, `{"event":"started"}{"event":7}`, "c1", 200, `"ackId":1}`},
		{"POST " + collector + "/ack", s.key, `{"acks":[0,1]}`, "c1", 200, `{"acks":{"0":true,"1":true}}`},
		{"POST " + collector + "/ack", s.key, `{"acks":[0]}`, "", 400, `"code":10`},
		{"POST " + collector + "/ack", s.key, `junk`, "c1", 400, `"code":6`},
		{"POST " + collector + "/ack", "", `{"acks":[0]}`, "c1", 401, `"code":2`},
		{"GET " + collector + "/ack", s.key, "", "c1", 405, ""},
		{"POST " + collector + "/none", s.key, "", "", 404, `"code":404`},
	} {
		w := splunkWire()
		w.method, w.path, _ = strings.Cut(tt.call, " ")
		w.header = map[string]string{"X-Splunk-Request-Channel": tt.channel}
		resp, text := s.ship(w, tt.key, tt.body)
		if resp.StatusCode != tt.status || !strings.Contains(text, tt.say) {
			t.Errorf("%s %s: %d %s", tt.call, tt.body, resp.StatusCode, text)
		}
	}
	release := s.fillStore()
	defer release()
	if resp, text := s.ship(splunkWire(), s.key, splunkBody(t, goodRecord)); resp.StatusCode != 503 || !strings.Contains(text, `{"text":"Server is busy","code":9}`) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// The event's time and fields stand in where the event has none, whatever form the time has.
func TestSplunk_Envelope(t *testing.T) {
	s := newService(t, testProfile())
	s.mustShip(splunkWire(), `{"time":1795316401.5,"event":{"response":{"status":401}},"fields":{"service":"orders"}}
		{"time":"1795316402","event":"{\"response\":{\"status\":403}}"} {"event":{"time":"2026-11-22T03:00:03Z","response":{"status":401}}}`)
	list := s.failures()
	if len(list) != 3 || !list[2].Verdict.Time.Equal(second(1).Add(500_000_000)) || list[2].Service != "orders" || !list[1].Verdict.Time.Equal(second(2)) || list[1].Status != 403 {
		t.Errorf("%+v", list)
	}
}

// What Splunk's loggers for JavaScript make of a logged object: the first is splunk-logging's, the second winston-splunk-httplogger's.
func TestSplunk_Loggers(t *testing.T) {
	s := newService(t, testProfile())
	record := `"request_id":"req-1","response":{"status":401}`
	s.mustShip(splunkWire(), `{"time":"1795316401.000","event":{"message":{"time":"2026-11-22T03:00:01Z",`+record+`},"severity":"info"}}`+
		`{"source":"winston","sourcetype":"winston-splunk-logger","index":"winston-index","time":"1795316402.000",`+
		`"event":{"message":{"msg":"exchange","meta":{"time":"2026-11-22T03:00:02Z",`+record+`,"level":"info","message":"exchange"}},"severity":"info"}}`+
		`{"time":"1795316403.000","event":{"message":{"msg":"could not load private key","meta":{"level":"error","message":"could not load private key"}},"severity":"error"}}`)
	list := s.failures()
	if len(list) != 3 || list[0].Verdict.Cause != "bad_key_format" || !list[1].Verdict.Time.Equal(second(2)) || list[1].Status != 401 || list[1].RequestID != "req-1" || !list[2].Verdict.Time.Equal(second(1)) {
		t.Errorf("%+v", list)
	}
}

func FuzzSplunk(f *testing.F) {
	f.Add([]byte(splunkBody(f, goodRecord, `"GET / 401"`)))
	f.Add([]byte(`{"event":[]}{"time":1e400,"event":{},"fields":[]}{`))
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, read := range []func([]byte) ([]part, error){splunkEvents, splunkRaw} {
			if parts, err := read(body); err == nil {
				for _, p := range parts {
					red.decodeShipped(splunkPart(p))
				}
			}
		}
	})
}
