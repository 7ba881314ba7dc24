package ingest

import (
	"encoding/json"
	"strings"
	"testing"
)

// otherShapes writes a native record in the words of other formats.
func otherShapes(t *testing.T, record json.RawMessage) map[string]string {
	t.Helper()
	value, f := parseValue(record)
	if f != nil {
		t.Fatal(f.detail)
	}
	members := value.(map[string]any)
	request, _ := members["request"].(map[string]any)
	response, _ := members["response"].(map[string]any)
	target := request["url"]
	if target == nil {
		target = "/"
	}
	text := func(v any) string {
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	otel := map[string]any{"@timestamp": members["time"], "http.response.status_code": 401, "url.full": request["url"], "exception.message": members["error"]}
	nginx := map[string]any{"time_iso8601": members["time"], "remote_addr": "192.0.2.7", "status": "401", "request_method": "POST", "request_uri": request["url"]}
	caddy := map[string]any{"ts": 1795313940.1, "status": 401, "resp_headers": response["headers"],
		"request": map[string]any{"method": "POST", "uri": target, "headers": request["headers"]}}
	for side, part := range map[string]map[string]any{"request": request, "response": response} {
		headers, _ := part["headers"].(map[string]any)
		for name, v := range headers {
			otel["http."+side+".header."+strings.ReplaceAll(name, "-", "_")] = []any{v}
			nginx[map[string]string{"request": "http_", "response": "sent_http_"}[side]+strings.ReplaceAll(name, "-", "_")] = v
		}
		if body, isText := part["body"].(string); isText {
			otel["http."+side+".body.content"] = body
		} else if part["body"] != nil {
			otel["http."+side+".body.content"] = text(part["body"])
			nginx[side+"_body"] = part["body"]
		}
	}
	return map[string]string{
		"a line of a container": text(map[string]any{"log": string(record), "stream": "stdout"}),
		"OpenTelemetry":         text(otel),
		"nginx":                 text(nginx),
		"Caddy":                 text(caddy),
		"the words of an error": text(map[string]any{"time": members["time"], "level": "error", "msg": "refused: " + string(record)}),
		"the words of a line":   text(map[string]any{"time": members["time"], "msg": "refused: " + string(record)}),
		"unknown members":       text(map[string]any{"@timestamp": members["time"], "http.response.status_code": 401, "mine": members, string(record): 1}),
	}
}

// No format is a way past the redactor: not into the record, and not into what explain says.
func TestShapes_KeepNoSecret(t *testing.T) {
	red := testRedactor(t)
	for _, v := range vectors(t) {
		for shape, body := range otherShapes(t, v.Record) {
			records, bad := Decode([]byte(body), red)
			if len(bad) > 0 && bad[0].Code != "too_deep" {
				t.Errorf("%s as %s: %+v", v.ID, shape, bad)
			}
			if found := leak([]byte(asText(t, records)), v.Forbid); found != "" {
				t.Errorf("%s as %s: the record holds %s", v.ID, shape, found)
			}
			if found := leak([]byte(asText(t, Explain([]byte(body), red))), v.Forbid); found != "" {
				t.Errorf("%s as %s: the explanation holds %s", v.ID, shape, found)
			}
			if shape != "a line of a container" {
				continue
			}
			if got, want := asText(t, decodeLog(t, red, body)), asText(t, decodeLog(t, red, string(v.Record))); got != want {
				t.Errorf("%s as %s is %s\nwant %s", v.ID, shape, got, want)
			}
		}
	}
}

func BenchmarkShapes(b *testing.B) {
	s := newShapes()
	for _, f := range shapeFixtures(b) {
		p, _ := newSplitter([]byte(f.log)).next()
		value, fault := parseValue(p.raw)
		if fault != nil {
			b.Fatal(fault.detail)
		}
		b.Run(f.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.native(value.(map[string]any))
			}
		})
	}
}
