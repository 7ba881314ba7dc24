package ingest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"
)

// otlpJSON is the form that the exporter of OpenTelemetry JS sends: hex ids, 64-bit numbers as text.
func otlpJSON(t testing.TB, bodies ...string) string {
	t.Helper()
	var records []string
	for _, body := range bodies {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, `{"timeUnixNano":"1795316400000000000","observedTimeUnixNano":"1795316400000000001","severityNumber":17,"severityText":"ERROR",`+
			`"body":{"stringValue":`+string(text)+`},"attributes":[{"key":"logger","value":{"stringValue":"http"}}],"droppedAttributesCount":0}`)
	}
	return `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"orders"}}]},"scopeLogs":[{"scope":{"name":"x"},"logRecords":[` +
		strings.Join(records, ",") + `]}]}]}`
}

func otlpProto(t testing.TB, bodies ...string) string {
	t.Helper()
	logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(otlpJSON(t, bodies...)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func otlpJSONWire() wire {
	return wire{
		name: "OTLP JSON", path: "/ingest/otlp/v1/logs", header: map[string]string{"Content-Type": "application/json"}, key: bearer, wrap: otlpJSON,
		ok: 200, said: `{"partialSuccess":{}}`, partly: `{"partialSuccess":{"errorMessage":"1 of 3 records were not taken; the first is record 1: time is more than ten years ago or more than a day ahead","rejectedLogRecords":"1"}}`,
		junk: `{"resourceLogs":7}`, refuse: 400, wrong: 401,
	}
}

func otlpProtoWire() wire {
	return wire{
		name: "OTLP protobuf", path: "/ingest/otlp/v1/logs", header: map[string]string{"Content-Type": "application/x-protobuf"}, key: bearer, wrap: otlpProto,
		ok: 200, partly: "\x08\x01\x12", junk: "\x0a\xff\xff", refuse: 400, wrong: 401,
	}
}

// What an instrumentation puts into attributes, without a body, is the same record.
func TestOTLP_Attributes(t *testing.T) {
	s := newService(t, testProfile())
	s.mustShip(otlpJSONWire(), `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"orders"}}]},"scopeLogs":[{"logRecords":[
		{"timeUnixNano":"0","observedTimeUnixNano":"1795316401500000000","traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","attributes":[
		{"key":"http.request.method","value":{"stringValue":"GET"}},{"key":"url.full","value":{"stringValue":"https://api.lab.test/v1/orders"}},
		{"key":"http.response.status_code","value":{"intValue":"401"}},{"key":"http.response.header.www-authenticate","value":{"arrayValue":{"values":[{"stringValue":"Bearer error=\"invalid_token\", error_description=\"The token expired\""}]}}}]}]}]}]}`)
	list := s.failures()
	if len(list) != 1 {
		t.Fatalf("%d failures", len(list))
	}
	f := list[0]
	if f.Verdict.Cause != "token_expired" || f.Service != "orders" || f.TraceID != "5b8efff798038103d269b633813fc60c" || f.Status != 401 || f.Method != "GET" ||
		f.URL != "https://api.lab.test/v1/orders" || !f.Verdict.Time.Equal(second(1).Add(500_000_000)) {
		t.Errorf("%+v", f)
	}
}

// Records with attributes are read like lines that are known.
func TestOTLP_KnownRecords(t *testing.T) {
	const records = 200
	var list []string
	for n := range records {
		list = append(list, fmt.Sprintf(`{"timeUnixNano":"17953164%08d000","severityText":"INFO","body":{"stringValue":"request %d"},"attributes":[`+
			`{"key":"http.request.method","value":{"stringValue":"GET"}},{"key":"url.full","value":{"stringValue":"https://api.lab.test/v1/orders/%d"}},`+
			`{"key":"http.response.status_code","value":{"intValue":"200"}},{"key":"http.server.request.duration","value":{"doubleValue":0.%d}}]}`, n, n, n, n+1))
	}
	s := newService(t, testProfile())
	s.mustShip(otlpJSONWire(), `{"resourceLogs":[{"scopeLogs":[{"logRecords":[`+strings.Join(list, ",")+`]}]}]}`)
	if found := s.ingester.layouts.found.Load(); found < records*9/10 {
		t.Errorf("%d of %d records were known", found, records)
	}
}

// A body that is a map, as Fluent Bit and the Collector's parsers send it, is a record too.
func TestOTLP_MapBody(t *testing.T) {
	s := newService(t, testProfile())
	s.mustShip(otlpJSONWire(), `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1795316401000000000","body":{"kvlistValue":{"values":[
		{"key":"response","value":{"kvlistValue":{"values":[{"key":"status","value":{"intValue":"403"}},{"key":"body","value":{"kvlistValue":{"values":[{"key":"error","value":{"stringValue":"insufficient_scope"}}]}}}]}}}]}}}]}]}]}`)
	if list := s.failures(); len(list) != 1 || list[0].Status != 403 || list[0].Verdict.Cause != "scope_gap" {
		t.Errorf("%+v", list)
	}
}

// nestedOTLP is a protobuf request whose value is so many lists deep.
func nestedOTLP(levels int) []byte {
	value := []byte{}
	wrap := func(number protowire.Number, inner []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), inner)
	}
	for range levels {
		value = wrap(5, wrap(1, value)) // AnyValue.array_value, ArrayValue.values
	}
	return wrap(1, wrap(2, wrap(2, wrap(5, value)))) // resource_logs, scope_logs, log_records, body
}

// A request that is nested deeper than a decoder's stack is refused before the decoder sees it.
func TestOTLP_Depth(t *testing.T) {
	s := newService(t, nil)
	for levels, status := range map[int]int{0: 200, maxDepth: 200, 3000: 400} {
		resp, text := s.ship(otlpProtoWire(), s.key, string(nestedOTLP(levels)))
		if resp.StatusCode != status {
			t.Errorf("%d levels: %d %q", levels, resp.StatusCode, text)
		}
	}
	body := `{"stringValue":"x"}`
	for range 3000 {
		body = `{"arrayValue":{"values":[` + body + `]}}`
	}
	resp, text := s.ship(otlpJSONWire(), s.key, `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":`+body+`}]}]}]}`)
	if resp.StatusCode != 200 && resp.StatusCode != 400 {
		t.Errorf("JSON: %d %s", resp.StatusCode, text)
	}
}

// An error to a protobuf client is a google.rpc.Status in protobuf, to a JSON client one in JSON.
func TestOTLP_Errors(t *testing.T) {
	s := newService(t, nil)
	resp, text := s.ship(otlpJSONWire(), "", "{}")
	if resp.StatusCode != 401 || !strings.Contains(text, `"code":16`) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	resp, text = s.ship(otlpProtoWire(), "", "")
	if resp.StatusCode != 401 || resp.Header.Get("Content-Type") != "application/x-protobuf" || !strings.HasPrefix(text, "\x08\x10\x12") {
		t.Errorf("%d %q", resp.StatusCode, text)
	}
}

// A record that is not OTLP costs only itself. OpenTelemetry JS writes a negative number for a time before 1970.
func TestOTLP_BadJSONRecord(t *testing.T) {
	s := newService(t, testProfile())
	body := otlpJSON(t, apiCall(1, "a", 401, "t1", second(-60)), apiCall(2, "b", 401, "t1", second(-60)), apiCall(3, "c", 401, "t1", second(-60)))
	parts := strings.SplitAfterN(body, `"timeUnixNano":"`, 3)
	body = parts[0] + parts[1] + "-" + parts[2]
	resp, text := s.ship(otlpJSONWire(), s.key, body)
	want := `{"partialSuccess":{"errorMessage":"1 of 3 records were not taken; the first is record 1: a field of this log record is not what OTLP has there in JSON","rejectedLogRecords":"1"}}`
	if resp.StatusCode != 200 || strings.TrimSpace(text) != want {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if list := s.failures(); len(list) != 2 || list[0].RecordID != "c" || list[1].RecordID != "a" || list[0].Service != "orders" {
		t.Errorf("%+v", list)
	}
	if resp, text := s.ship(otlpJSONWire(), s.key, `{"resourceLogs":[{"resource":7,"scopeLogs":[{"logRecords":[{},7]}]}]}`); resp.StatusCode != 200 || !strings.Contains(text, `"2"`) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// One request may hold more records than one transaction.
func TestOTLP_LargeBatch(t *testing.T) {
	s := newService(t, testProfile())
	bodies := make([]string, maxRecords+10)
	for n := range bodies {
		bodies[n] = `{"time":"2026-11-22T03:00:00Z","id":"n` + strconv.Itoa(n) + `","response":{"status":200}}`
	}
	bodies[0] = apiCall(1, "first", 401, "t1", second(-60))
	bodies[maxRecords+9] = apiCall(2, "last", 401, "t1", second(-60))
	s.mustShip(otlpProtoWire(), otlpProto(t, bodies...))
	if n := len(s.failures()); n != 2 {
		t.Errorf("%d failures", n)
	}
}

func FuzzOTLP(f *testing.F) {
	f.Add([]byte(otlpJSON(f, goodRecord)))
	f.Add([]byte(otlpProto(f, goodRecord, "GET / 401")))
	f.Add(nestedOTLP(40))
	f.Add([]byte(strings.ReplaceAll(otlpJSON(f, goodRecord), `"timeUnixNano":"`, `"timeUnixNano":"-`)))
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, body []byte) { fuzzOpen(t, red, openOTLP, body) })
}
