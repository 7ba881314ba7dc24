package ingest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"authwatch/classify"
)

// A shapeFixture is a log line as its server's documentation shows it, the native record that says the same, and the cause.
type shapeFixture struct{ name, log, native, cause string }

func shapeFixtures(t testing.TB) []shapeFixture {
	t.Helper()
	files, err := filepath.Glob("testdata/shapes/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures (%v)", err)
	}
	var out []shapeFixture
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f := shapeFixture{name: strings.TrimSuffix(filepath.Base(file), ".txtar")}
		for _, part := range txtar.Parse(data).Files {
			switch text := strings.TrimSpace(string(part.Data)); part.Name {
			case "log":
				f.log = text
			case "native":
				f.native = text
			case "cause":
				f.cause = text
			}
		}
		out = append(out, f)
	}
	return out
}

// decodeLog decodes a body of one record.
func decodeLog(t *testing.T, red *Redactor, body string) classify.Record {
	t.Helper()
	records, bad := Decode([]byte(body), red)
	if len(records) != 1 || len(bad) != 0 {
		t.Fatalf("%d records, %+v in %s", len(records), bad, body)
	}
	return records[0].Record
}

func verdictOf(r classify.Record) classify.Verdict {
	e := classify.Profiles{}.Locate(&r)
	if e.Outcome != classify.Failed {
		return classify.Verdict{}
	}
	return classify.Classify(e, classify.History{})
}

func asText(t testing.TB, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every format becomes the record that the native one is, and so gets the same verdict.
func TestShapes_EqualNative(t *testing.T) {
	red := testRedactor(t)
	for _, f := range shapeFixtures(t) {
		t.Run(f.name, func(t *testing.T) {
			got, want := decodeLog(t, red, f.log), decodeLog(t, red, f.native)
			if a, b := asText(t, got), asText(t, want); a != b {
				t.Errorf("got %s\nwant %s", a, b)
			}
			v := verdictOf(got)
			if a, b := asText(t, v), asText(t, verdictOf(want)); a != b {
				t.Errorf("got %s\nwant %s", a, b)
			}
			if string(v.Cause) != f.cause {
				t.Errorf("cause %s, want %s", v.Cause, f.cause)
			}
		})
	}
}

// Words of an application that is no HTTP exchange are no mistake; words of an error are the client's own log line.
func TestShapes_LogLines(t *testing.T) {
	tests := map[string]struct {
		log, wantError string
		outcome        classify.Outcome
		bad            string
	}{
		"an application's words":    {log: `{"@timestamp":"2026-11-22T02:19:00Z","log.level":"info","message":"started"}`, outcome: classify.Other},
		"words in a native time":    {log: `{"time":"2026-11-22T02:19:00Z","level":"info","msg":"started","request_id":"r"}`, outcome: classify.Other},
		"an error about a key":      {log: `{"time":"2026-11-22T02:19:00Z","level":"error","msg":"could not load private key: unsupported PKCS#1 key"}`, wantError: "could not load private key: unsupported PKCS#1 key", outcome: classify.Failed},
		"an error about a database": {log: `{"time":"2026-11-22T02:19:00Z","level":50,"msg":"disk full"}`, wantError: "disk full", outcome: classify.Other},
		"an answered request":       {log: `{"@timestamp":"2026-11-22T02:19:00Z","level":"error","message":"token refused","http.response.status_code":401}`, outcome: classify.Failed},
		"JSON in the words":         {log: `{"time":"2026-11-22T02:19:00Z","message":"{\"a\":1}"}`, outcome: classify.Other},
		"ECS objects by the names":  {log: `{"@timestamp":"2026-11-22T02:19:00Z","event":{"provider":"x","id":"e1"},"log":{"level":"info"},"message":"m","error":{"message":"boom"}}`, wantError: "boom", outcome: classify.Other},
		"no time":                   {log: `{"message":"started"}`, bad: "missing_time"},
		"no words":                  {log: `{"@timestamp":"2026-11-22T02:19:00Z","cpu":0.5}`, bad: "empty_record"},
		"a number for the time":     {log: `{"time":1795313940,"http.response.status_code":401}`, bad: "missing_time"},
		"a status that is a word":   {log: `{"@timestamp":"2026-11-22T02:19:00Z","remote_addr":"a","status":"ok","request":"GET / HTTP/1.1"}`, outcome: classify.Other},
	}
	red := testRedactor(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			records, bad := Decode([]byte(tt.log), red)
			if tt.bad != "" {
				if len(bad) != 1 || bad[0].Code != tt.bad {
					t.Errorf("got %+v %+v", records, bad)
				}
				return
			}
			if len(records) != 1 {
				t.Fatalf("got %+v", bad)
			}
			r := records[0].Record
			if e := (classify.Profiles{}).Locate(&r); e.Outcome != tt.outcome || r.Error != tt.wantError {
				t.Errorf("outcome %s, error %q", e.Outcome, r.Error)
			}
			if tt.outcome == classify.Other && r.RequestID != "" {
				t.Error("a line without an exchange would wait for a token")
			}
		})
	}
}

func TestShapes_Times(t *testing.T) {
	tests := []struct {
		as   reading
		v    any
		want string
	}{
		{asTime, "2026-11-22T02:19:00.5+01:00", "2026-11-22T02:19:00.5+01:00"},
		{asTime, "22/Nov/2026:03:19:00 +0100", "2026-11-22T02:19:00Z"},
		{asTime, "2026-11-22T02:19:00.123+0100", "2026-11-22T01:19:00.123Z"},
		{asTime, "22/Nov/2026:03:19:00", ""},
		{asTime, json.Number("1795313940"), ""},
		{asSeconds, json.Number("1795313940.123456789"), "2026-11-22T02:19:00.123456789Z"},
		{asSeconds, "1795313940.123", "2026-11-22T02:19:00.123Z"},
		{asSeconds, json.Number("1.795313940123e9"), "2026-11-22T02:19:00.123Z"},
		{asSeconds, json.Number("1e400"), ""},
		{asSeconds, json.Number("1e300"), ""},
		{asSeconds, "1/2", ""},
		{asSeconds, "0x1p999999999", ""},
		{asSeconds, "1_000", ""},
		{asSeconds, true, ""},
		{asMillis, json.Number("1795313940123"), "2026-11-22T02:19:00.123Z"},
		{asNanos, "1795313940123456789", "2026-11-22T02:19:00.123456789Z"},
		{asCloudflare, json.Number("1795313940"), "2026-11-22T02:19:00Z"},
		{asCloudflare, json.Number("1795313940123000000"), "2026-11-22T02:19:00.123Z"},
		{asFluentBit, json.Number("1795313940.5"), "2026-11-22T02:19:00.5Z"},
		{asFluentBit, json.Number("1795313940500"), ""},
	}
	for _, tt := range tests {
		got, ok := tt.as.read(tt.v)
		if (tt.want == "") == ok || ok && got != tt.want {
			t.Errorf("%d of %v: %v %v, want %q", tt.as, tt.v, got, ok, tt.want)
		}
	}
}

func TestShapes_NativeIsUntouched(t *testing.T) {
	members := map[string]any{"time": "x", "request": map[string]any{"url": "/"}, "message": `{"time":"y"}`}
	if got := newShapes().native(members); len(got.trace) != 0 || len(got.levels) != 0 || got.members["message"] == nil {
		t.Errorf("got %+v", got)
	}
	allocs := testing.AllocsPerRun(100, func() { newShapes() })
	s := newShapes()
	if got := testing.AllocsPerRun(100, func() { s.native(members) }); got > 0 {
		t.Errorf("a native record costs %v allocations (the tables themselves %v)", got, allocs)
	}
}

// One record is one, whatever wrapped it; two records that differ only where no native field is are two.
func TestShapes_DeliveryKeys(t *testing.T) {
	red := testRedactor(t)
	key := func(log string) string {
		p, _ := newSplitter([]byte(log)).next()
		d, f := red.decodePart(p, red.decodeResponse)
		if f != nil {
			t.Fatalf("%s: %+v", log, f)
		}
		return d.key
	}
	native := `{"time":"2026-11-22T02:19:00Z","response":{"status":401}}`
	text, _ := json.Marshal(map[string]string{"log": native, "stream": "stdout"})
	if key(native) != key(string(text)) {
		t.Error("a wrapped native record is another one")
	}
	caddy := `{"ts":1795313940,"request":{"method":"GET","uri":"/"},"status":401,"size":%}`
	if key(strings.Replace(caddy, "%", "1", 1)) == key(strings.Replace(caddy, "%", "2", 1)) {
		t.Error("records of different size are one")
	}
}

// A body that is hostile costs no more than an honest one: lines are looked at once.
func TestShapes_TextLines(t *testing.T) {
	line := `192.0.2.7 - - [22/Nov/2026:02:19:00 +0000] "GET / HTTP/1.1" 401 7`
	body := line + "\r\n" + goodRecord + "\n" + `host - - [oops] "GET / HTTP/1.1" 401 7` + "\n" + line
	if got := outcome(Decode([]byte(body), testRedactor(t))); got != "0 1 3 2:not_json" {
		t.Errorf("got %q", got)
	}
	if _, _, ok := accessLine(`1 2 3 [22/Nov/2026:02:19:00 +0000] "GET / HTTP/1.1"`); ok {
		t.Error("a line without status was read")
	}
	Decode([]byte(strings.Repeat(`1 [ " `, 1<<20)), testRedactor(t))
}

// Whatever a log holds: no panic, one explanation for each part, and no more records than parts.
func FuzzShapes(f *testing.F) {
	for _, s := range shapeFixtures(f) {
		f.Add([]byte(s.log))
	}
	f.Add([]byte(`{"http":{"request":[],"response":{"status_code":{}}},"url":"x","time":1e999,"headers":[["a"]],"request_headers":[{"name":1,"value":2},"a:b",[1,2]]}`))
	f.Add([]byte(`{"body":{"body":{"body":{"body":{"time":"2026-11-22T02:19:00Z","response":{}}}}},"message":"{\"message\":\"{\"}"}`))
	mappings, err := ReadMappings("m", []byte("mappings: [{match: {a: '*'}, fields: {time: {path: t, unit: seconds}, request.headers: h, request.headers.x: h.x, access_token.claims: c}}]"))
	if err != nil {
		f.Fatal(err)
	}
	red := testRedactor(f).WithMappings(mappings)
	f.Fuzz(func(t *testing.T, body []byte) {
		records, bad := Decode(body, red)
		if out := Explain(body, red); len(out) != len(records)+len(bad) || CountRecords(body) != len(out) {
			t.Fatalf("%d explanations of %d records and %d others", len(out), len(records), len(bad))
		}
		asText(t, records)
	})
}

func FuzzAccessLine(f *testing.F) {
	for _, s := range shapeFixtures(f) {
		f.Add(s.log)
	}
	f.Add(`a b c ["\`)
	f.Add(`[ [ [ { "`)
	f.Fuzz(func(t *testing.T, line string) {
		fields, _, ok := accessLine(line)
		if ok && len(fields) < 5 {
			t.Errorf("%d fields of %q", len(fields), line)
		}
	})
}

// A log that holds a choice of the headers does not say that Authorization was not sent; one that names the field does.
func TestShapes_AChoiceOfHeadersIsNoMissingToken(t *testing.T) {
	const nginx = `{"time_iso8601":"2026-11-22T02:19:00+00:00","remote_addr":"192.0.2.7","request":"GET /v1 HTTP/1.1","status":"401","http_accept":"*/*"%}`
	const otel = `{"@timestamp":"2026-11-22T02:19:00Z","http.request.method":"GET","url.path":"/v1","http.response.status_code":401,"http.request.header.content-type":["a/b"]%}`
	const logpush = `{"EdgeStartTimestamp":1795313940,"ClientRequestMethod":"GET","ClientRequestURI":"/v1","EdgeResponseStatus":401,"RequestHeaders":{"accept":"*/*"%}}`
	tests := []struct {
		log, more string
		missing   bool
	}{
		{nginx, "", false}, {nginx, `,"http_authorization":"-"`, true}, {nginx, `,"http_authorization":"Bearer [jwt]"`, false},
		{otel, "", false}, {otel, `,"http.request.header.authorization":[""]`, true},
		{logpush, "", false}, {logpush, `,"Authorization":""`, true},
	}
	red := testRedactor(t)
	for _, tt := range tests {
		r := decodeLog(t, red, strings.Replace(tt.log, "%", tt.more, 1))
		if got := verdictOf(r).Cause == classify.MissingToken; got != tt.missing {
			t.Errorf("missing_token is %v for %+v of %s%s", got, r.Request, tt.log, tt.more)
		}
	}
}
