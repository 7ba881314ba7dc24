package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"authwatch/store"
)

func (s *service) rejects() []store.Reject {
	s.t.Helper()
	list, _, err := s.store.ListRejects(context.Background(), s.source().Key.ID, "", store.Page{Limit: 200})
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// Nothing that a vector forbids is kept of a record that was not taken, in whichever form it comes.
func TestQuarantine_NothingLeaks(t *testing.T) {
	red := testRedactor(t)
	kept := 0
	for _, v := range vectors(t) {
		asText, _ := json.Marshal(string(v.Record))
		for form, record := range map[string]string{
			"as it is":         string(v.Record),
			"in a message":     `{"level":"error","message":` + string(asText) + `}`,
			"two deep":         `{"log":{"inner":` + string(v.Record) + `}}`,
			"under other keys": strings.NewReplacer(`"request"`, `"req"`, `"response"`, `"resp"`, `"time"`, `"ts"`).Replace(string(v.Record)),
			"in words":         `{"text":` + strings.Replace(string(asText), `"{`, `"got this: {`, 1) + `}`,
		} {
			value, f := parseValue([]byte(record))
			if f != nil {
				t.Fatalf("%s %s: %v", v.ID, form, f)
			}
			body := red.keep(value.(map[string]any))
			if found := leak([]byte(body), v.Forbid); found != "" {
				t.Errorf("%s, %s: %s in %s", v.ID, form, found, body)
			}
			if body != "" {
				kept++
			}
		}
	}
	if kept < 250 {
		t.Errorf("only %d of 260 were kept: nothing is tested", kept)
	}
}

// What no net can know by its shape is known by its place: parameters of any URL and line, claims, cookies.
func TestQuarantine_Strict(t *testing.T) {
	const hidden = "Xk7pQz41vN"
	for name, record := range map[string]string{
		"code in a relative URL": `{"path":"/cb?code=` + hidden + `&x=1"}`,
		"state in a line":        `{"line":"GET /cb?state=` + hidden + ` HTTP/1.1"}`,
		"form":                   `{"body":"grant_type=authorization_code&code=` + hidden + `"}`,
		"claim":                  `{"token":{"header":{"alg":"RS256"},"claims":{"email":"` + hidden + `@x.test"}}}`,
		"claims alone":           `{"jwt_info":{"claims":{"name":"` + hidden + `"}}}`,
		"payload":                `{"decoded":{"header":{},"payload":{"given_name":"` + hidden + `"}}}`,
		"claims in text":         `{"message":"{\"claims\":{\"email\":\"` + hidden + `\"}}"}`,
		"password":               `{"user":{"password":"` + hidden + `"}}`,
		"cookie list":            `{"headers":{"cookie":["a=` + hidden + `"]}}`,
		"userinfo":               `{"url":"https://svc:` + hidden + `@host/v1"}`,
		"JWK":                    `{"jwk":{"kty":"oct","k":"` + hidden + `"}}`,
		"JWS":                    `{"assertion_info":{"protected":"eyJhbGciOiJub25lIn0","payload":"x","signature":"` + hidden + `"}}`,
	} {
		value, f := parseValue([]byte(record))
		if f != nil {
			t.Fatalf("%s: %v", name, f)
		}
		if body := testRedactor(t).keep(value.(map[string]any)); body == "" || strings.Contains(body, hidden) {
			t.Errorf("%s: %q", name, body)
		}
	}
}

// Of what cannot be read only code, place and length are kept; the same record is kept once.
func TestQuarantine_Keeps(t *testing.T) {
	s := newService(t, nil)
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	for range 2 {
		s.post(responses, goodRecord+"\n{\"password\":\"hunter2hunter2\", oops}\n"+deep+"\n"+`{"time":1764000000,"id":"a","response":{"status":401}}`)
	}
	s.send("/ingest/loki/api/v1/push", `{"streams":[{"stream":{},"values":[["1","2","3","4"]]}]}`)
	got := map[string]store.Reject{}
	for _, r := range s.rejects() {
		got[r.Code] = r
	}
	if r := got["not_json"]; r.Body != "" || r.Bytes == 0 && r.Count != 2 {
		t.Errorf("%+v", r)
	}
	if r := got["too_deep"]; r.Body != "" || r.Bytes != int64(len(deep)) || r.Count != 2 {
		t.Errorf("%+v", r)
	}
	if r := got["unix_time"]; r.Count != 2 || r.Pointer != "/time" || r.DeliveryKey != "" || r.Route != routeResponses ||
		r.Body != `{"members":{"id":"a","response":{"status":401},"time":1764000000}}` {
		t.Errorf("%+v", r)
	}
	if r := got["wrong_type"]; r.Route != "/ingest/loki/api/v1/push" || r.Body != "" {
		t.Errorf("%+v", r)
	}
	if len(got) != 4 {
		t.Errorf("%d rejects", len(got))
	}
}

// No more than some of a batch are kept, and all are counted.
func TestQuarantine_Bounded(t *testing.T) {
	s := newService(t, nil)
	var body strings.Builder
	body.WriteString(goodRecord)
	for range 1000 {
		body.WriteString("\n{\"time\":1}")
	}
	if a := s.post(responses, body.String()); a.Rejected != 1000 || a.Accepted != 1 {
		t.Errorf("%+v", a)
	}
	if n := len(s.rejects()); n != 1 { // equal records are one
		t.Errorf("%d kept", n)
	}
}

const replayMapping = `mappings:
  - match: {m: GET}
    fields: {request.url: u, request.method: m, response.status: st, request.headers.authorization: auth}
`

// A record that a mapping makes readable is taken by a replay, once, with the key that it came with.
func TestReplay(t *testing.T) {
	s := newService(t, testProfile())
	const log = `{"time":"2026-11-22T03:00:00Z","u":"https://api.lab.test/v1/orders","m":"GET","auth":"Bearer abcdefghijklmnop","st":401}`
	s.post(responses, log+"\n"+equalRecord(5))
	rejects := s.rejects()
	if len(rejects) != 1 || rejects[0].Code != "empty_record" {
		t.Fatalf("%+v", rejects)
	}
	ctx, id := context.Background(), s.source().Key.ID
	again, err := s.ingester.Replay(ctx, id, rejects[0].ID)
	if err != nil || again.Accepted || again.Error == nil || again.Error.Code != "empty_record" {
		t.Errorf("before the mapping: %+v %v", again, err)
	}
	s.redactor = mapped(t, replayMapping)
	s.restart()
	again, err = s.ingester.Replay(ctx, id, rejects[0].ID)
	if err != nil || !again.Accepted {
		t.Fatalf("with the mapping: %+v %v %v", again, again.Error, err)
	}
	if len(s.rejects()) != 0 || len(s.failures()) != 2 {
		t.Errorf("%d rejects, %d failures", len(s.rejects()), len(s.failures()))
	}
	audit, _, err := s.store.ListAudit(ctx, store.Page{})
	if err != nil || len(audit) == 0 || audit[0].Action != store.AuditRejectReplayed || audit[0].Subject != id || audit[0].Note != "record "+rejects[0].ID+": accepted" {
		t.Errorf("audit log: %+v %v", audit, err)
	}
	want := s.snapshot()
	if a := s.post(responses, log); a.Duplicates != 1 {
		t.Errorf("the shipper sends it again: %+v", a)
	}
	s.assertSame("after the redelivery", want)
	if _, err := s.ingester.Replay(ctx, id, rejects[0].ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("replayed twice: %v", err)
	}
	if source := s.source(); source.Minutes[0].Accepted != 1 {
		t.Errorf("a replay is no sign of life: %+v", source.Minutes)
	}
}

func TestReplay_NotKept(t *testing.T) {
	s := newService(t, nil)
	s.post(responses, goodRecord+"\n{oops}")
	if _, err := s.ingester.Replay(context.Background(), s.source().Key.ID, s.rejects()[0].ID); !errors.Is(err, ErrNotKept) {
		t.Errorf("%v", err)
	}
}

// A token that was decoded before its record was refused goes with it.
func TestReplay_KeepsTokens(t *testing.T) {
	raw := "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJpc3MiOiJodHRwczovL2FzLmxhYi50ZXN0Iiwic3ViIjoiYyIsImp0aSI6ImoifQ.c2lnbmF0dXJlc2lnbmF0dXJl"
	value, _ := parseValue([]byte(`{"headers":{"authorization":"Bearer ` + raw + `"},"response":{"body":{"access_token":"` + strings.Replace(raw, "eyJpc3", "eyJxc3", 1) + `"}}}`))
	kept, err := decodeKept(testRedactor(t).keep(value.(map[string]any)))
	if err != nil || kept.AccessToken == nil || kept.AccessToken.Claims.Get("jti") != "j" {
		t.Errorf("%+v %v", kept, err)
	}
}

// Fuzzing looks for a panic, and for a JWT that is kept.
func FuzzQuarantine(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add([]byte(v.Record))
	}
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		value, _ := parseValue(data)
		members, ok := value.(map[string]any)
		if !ok {
			return
		}
		body := red.keep(members)
		last := &walk{Redactor: red}
		if last.shapes(body) != body {
			t.Errorf("kept %q", body)
		}
	})
}
