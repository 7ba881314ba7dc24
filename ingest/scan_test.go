package ingest

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

// checkScan holds the scanner to the parser: what it takes, the splitter and the parser take whole, with the same
// values at the same places. What it refuses they may still take: a value that is no object, a member name with escapes.
func checkScan(t *testing.T, data []byte) {
	t.Helper()
	var o outline
	length, ok := scanObject(data, &o)
	raw, _, err := readOne(data)
	value, f := parseValue(raw)
	members, isObject := value.(map[string]any)
	valid := err == nil && f == nil && isObject && data[0] == '{' && len(raw) <= maxRecord
	if ok != valid {
		t.Errorf("%.300q: scanned %v, parsed %v (%v, %v)", data, ok, valid, err, f)
		return
	}
	if !ok {
		return
	}
	if length != len(raw) {
		t.Errorf("%.300q: %d bytes scanned, %d read", data, length, len(raw))
	}
	if o.odd {
		return
	}
	for path, l := range outlined(&o) {
		want, there := at(members, path), true
		if l.kind == leafAbsent {
			if want != nil && !isFoldedHeader(path) {
				t.Errorf("%.300q: %s was not seen", data, path)
			}
			continue
		}
		got, f := parseValue(l.of(data))
		if there = !isFoldedHeader(path); f != nil || there && !reflect.DeepEqual(got, want) {
			t.Errorf("%.300q: %s is %#v, want %#v (%v)", data, path, got, want, f)
		}
		if l.kind == leafString && string(l.inner(data)) != got {
			t.Errorf("%.300q: %s is not plain: %q", data, path, got)
		}
	}
}

// isFoldedHeader is true for the headers, whose names are known in any letter case.
func isFoldedHeader(path string) bool { return bytes.Contains([]byte(path), []byte("headers.")) }

func outlined(o *outline) map[string]leaf {
	return map[string]leaf{
		"time": o.time, "id": o.id, "provider": o.provider, "environment": o.environment, "service": o.service, "client_id": o.clientID,
		"request_id": o.requestID, "trace_id": o.traceID, "client_ip": o.clientIP, "user_agent": o.userAgent, "error": o.errorText,
		"client_assertion": o.clientAssertion, "access_token": o.accessToken, "request": o.request, "response": o.response,
		"request.method": o.method, "request.url": o.url, "request.uri": o.uri, "request.headers": o.requestHeaders, "request.body": o.requestBody,
		"request.headers.authorization": o.authorization, "request.headers.host": o.host, "request.headers.content-type": o.contentType,
		"response.status": o.status, "response.headers": o.responseHeaders, "response.body": o.responseBody,
		"response.headers.www-authenticate": o.authenticate, "response.headers.date": o.date,
	}
}

// scanSeeds are values in every place of an object, whole native records, and records that are broken somewhere.
func scanSeeds(tb testing.TB) [][]byte {
	var out [][]byte
	for _, text := range valueSeeds() {
		out = append(out, []byte(text), []byte(`{"time":`+text+`}`), []byte(`{"request":{"url":`+text+`},"response":{"headers":{"WWW-Authenticate":`+text+`}}}`),
			[]byte(`{"x":{"y":[`+text+`]}} {"next":1}`), []byte(`{"id":"1234567`+text+`"}`))
	}
	for _, v := range vectors(tb) {
		out = append(out, []byte(v.Record))
	}
	for _, record := range append(mixedBatch(), goodRecord) {
		out = append(out, []byte(record), []byte(record[:len(record)*2/3]))
	}
	for _, text := range jsonTestSuite(tb) {
		out = append(out, text, append(append([]byte(`{"a":`), text...), '}'))
	}
	return out
}

// jsonTestSuite is Nicolas Seriot's JSONTestSuite (MIT), without its two files of 100,000 brackets.
func jsonTestSuite(tb testing.TB) [][]byte {
	file, err := os.ReadFile("testdata/jsontestsuite.ndjson")
	if err != nil {
		tb.Fatal(err)
	}
	var out [][]byte
	for line := range bytes.Lines(file) {
		var c struct{ Base64 []byte }
		if err := json.Unmarshal(line, &c); err != nil {
			tb.Fatal(err)
		}
		out = append(out, c.Base64)
	}
	if len(out) < 330 {
		tb.Fatalf("%d cases", len(out))
	}
	return out
}

func TestScan_AgreesWithParser(t *testing.T) {
	for _, data := range scanSeeds(t) {
		checkScan(t, data)
	}
}

// One byte changed, inserted or dropped anywhere in a record must not make the two differ.
func TestScan_AgreesOnBrokenRecords(t *testing.T) {
	record := []byte(`{"time":"2026-11-22T02:19:00Z","id":"a\u00e9\\","request":{"url":"https://h/x","headers":{"Authorization":"Bearer [jwt]"}},"response":{"status":-0.5e+1,"body":[true,false,null,{}]}}`)
	for i := range record {
		for _, c := range []byte("\"\\{}[]:,0-.eEx\x00\x1f\x7f\x80\xff \nu") {
			changed := bytes.Clone(record)
			changed[i] = c
			checkScan(t, changed)
			checkScan(t, append(append(bytes.Clone(record[:i]), c), record[i:]...))
		}
		checkScan(t, append(bytes.Clone(record[:i]), record[i+1:]...))
	}
}

func TestScan_Limits(t *testing.T) {
	deep := func(n int) []byte {
		return []byte(`{"a":` + string(bytes.Repeat([]byte("["), n-1)) + string(bytes.Repeat([]byte("]"), n-1)) + "}")
	}
	wide := func(n int) []byte {
		return append(bytes.TrimSuffix(append([]byte("{"), bytes.Repeat([]byte(`"a":1,`), n)...), []byte(",")), '}')
	}
	long := func(n int) []byte { return []byte(`{"a":"` + string(bytes.Repeat([]byte("x"), n-8)) + `"}`) }
	for _, data := range [][]byte{deep(maxDepth), deep(maxDepth + 1), wide(maxMembers), wide(maxMembers + 1), long(maxRecord), long(maxRecord + 1)} {
		checkScan(t, data)
	}
}

func FuzzScan(f *testing.F) {
	for _, data := range scanSeeds(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkScan(t, data) })
}

func TestScan_Duplicates(t *testing.T) {
	for _, text := range []string{
		`{"time":"a","time":"b"}`, `{"request":{"url":"a","url":"b"}}`, `{"request":{"headers":{"Host":"a","host":"b"}}}`, `{"t\u0069me":"a"}`, `{"id":null,"id":"a"}`,
	} {
		var o outline
		if _, ok := scanObject([]byte(text), &o); !ok || !o.odd {
			t.Errorf("%s: taken %v, odd %v", text, ok, o.odd)
		}
	}
}

func BenchmarkScan(b *testing.B) {
	record := []byte(benchRecord)
	if !json.Valid(record) {
		b.Fatal("not JSON")
	}
	b.SetBytes(int64(len(record)))
	var o outline
	for b.Loop() {
		if _, ok := scanObject(record, &o); !ok {
			b.Fatal("refused")
		}
	}
}

// benchRecord is a success as the yardstick generates it.
const benchRecord = `{"time":"2026-11-20T00:00:00.074Z","id":"6b0fd4a7-1f0c-4d6f-a0a3-a3a6d2f4cf7d","service":"gateway","request_id":"0c7a2a1f-4d57-4c3b-a1de-2f6f8b1a9c3e","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","client_ip":"10.32.8.77","user_agent":"okhttp/4.12.0","request":{"method":"GET","url":"https://api.parcelgrid.test/api/shipments/55812","headers":{"accept":"application/json","authorization":"Bearer [jwt]","x-forwarded-for":"10.32.8.77"}},"response":{"status":200,"headers":{"date":"Fri, 20 Nov 2026 00:00:00 GMT","server":"nginx","strict-transport-security":"max-age=31536000; includeSubDomains","x-request-id":"9f8e7d6c5b4a39281706","content-type":"application/json; charset=utf-8"},"body":{"items":[{"id":"7f3c1e","state":"confirmed","updated_at":"2026-11-19T22:41:07Z"}],"next":null}},"access_token":{"header":{"alg":"RS256","typ":"at+jwt","kid":"as-prod-1"},"claims":{"iss":"https://id.parcelgrid.test/","sub":"parcelgrid-gateway-4711","aud":"https://api.parcelgrid.test","client_id":"parcelgrid-gateway-4711","scope":"shipments.read shipments.create labels.print","jti":"0d1e2f3a4b5c6d7e8f9a0b","iat":1795132800,"exp":1795136400}}}`
