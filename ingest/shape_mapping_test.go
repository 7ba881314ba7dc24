package ingest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const ownMapping = `mappings:
  - name: billing
    match: {logger: "access.*"}
    fields:
      time: {path: when, unit: milliseconds}
      request.line: [head.line, line]
      response.status: answer.code
      response.headers.www-authenticate: answer.challenge
      provider: {value: polymarket}
      client_id: who
  - source: "edge-*"
    fields: {environment: stage}
`

func mapped(t *testing.T, text string) *Redactor {
	t.Helper()
	list, err := ReadMappings("m.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return testRedactor(t).WithMappings(list)
}

func TestMapping_NamesFieldsOfAnOwnFormat(t *testing.T) {
	const log = `{"logger":"access.main","when":1795313940123,"line":"GET /v1/orders HTTP/1.1","answer":{"code":"401","challenge":"Bearer error=\"invalid_token\""},"who":"order-router","stage":"preprod","status":"done"}`
	const native = `{"time":"2026-11-22T02:19:00.123Z","provider":"polymarket","client_id":"order-router","request":{"method":"GET","url":"/v1/orders"},"response":{"status":401,"headers":{"www-authenticate":"Bearer error=\"invalid_token\""}}}`
	red := mapped(t, ownMapping)
	plain := testRedactor(t)
	if got, want := asText(t, decodeLog(t, red.ForSource("web-1"), log)), asText(t, decodeLog(t, plain, native)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := decodeLog(t, red.ForSource("edge-7"), log); got.Environment != "preprod" {
		t.Errorf("the mapping for edge-* gave %q", got.Environment)
	}
	if _, bad := Decode([]byte(strings.Replace(log, "access.main", "other", 1)), red.ForSource("web-1")); len(bad) != 1 {
		t.Error("a record of another logger was mapped")
	}
}

func TestMapping_LeavesNativeRecordsAlone(t *testing.T) {
	red := mapped(t, "mappings: [{match: {logger: x}, fields: {client_id: who}}]")
	if got := decodeLog(t, red, `{"time":"2026-11-22T02:19:00Z","who":"a","client_id":"b","response":{"status":401}}`); got.ClientID != "b" {
		t.Errorf("client %q", got.ClientID)
	}
	red = mapped(t, "mappings: [{fields: {client_id: who, provider: {value: p}}}]")
	got := decodeLog(t, red, `{"time":"2026-11-22T02:19:00Z","who":"a","client_id":"b","response":{"status":401}}`)
	if got.ClientID != "a" || got.Provider != "p" || got.Response.Status != 401 {
		t.Errorf("a mapping for everything gave %+v", got)
	}
}

func TestReadMappings_NamesTheLine(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"empty":          {"", "m.yaml: empty"},
		"no mappings":    {"mappings: []", "m.yaml:1: mappings: at least one"},
		"unknown member": {"mappings:\n  - nam: x\n    fields: {id: a}", "m.yaml:2: unknown field \"nam\" in the mapping; allowed: name, source, match, fields"},
		"unknown field":  {"mappings:\n  - fields:\n      status: code", "m.yaml:3: \"status\" is no native field"},
		"no fields":      {"mappings:\n  - name: x", "m.yaml:2: mapping x has no fields"},
		"unit":           {"mappings:\n  - fields:\n      time: {path: a, unit: hours}", "m.yaml:3: unit \"hours\""},
		"unit elsewhere": {"mappings:\n  - fields:\n      id: {path: a, unit: seconds}", "m.yaml:3: unit \"seconds\""},
		"path and value": {"mappings:\n  - fields:\n      id: {path: a, value: b}", "m.yaml:3: id needs a path or a value"},
		"empty path":     {"mappings:\n  - fields:\n      id: [a, '']", "m.yaml:3: id must be a text"},
		"twice":          {"mappings:\n  - fields:\n      id: a\n      id: b", "m.yaml:4: \"id\" occurs twice"},
		"alias":          {"mappings:\n  - &x\n    fields: {id: a}\n  - *x", "anchors and aliases"},
		"two documents":  {"mappings: [{fields: {id: a}}]\n---\n{}", "more than one YAML document"},
		"not YAML":       {"mappings: [", "m.yaml: yaml: line"},
		"a list":         {"- a", "m.yaml:1: the file must be a mapping"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ReadMappings("m.yaml", []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestFits(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{{"a", "a", true}, {"a", "ab", false}, {"a*", "ab", true}, {"*b", "ab", true}, {"a*c", "abc", true}, {"a*a", "a", false}, {"*", "", true}, {"a*b*c", "a-b-c", true}, {"a*b*c", "a-c", false}} {
		if got := fits(tt.pattern, tt.text); got != tt.want {
			t.Errorf("%q fits %q: %v", tt.text, tt.pattern, got)
		}
	}
}

func TestExplain_SaysWhereFieldsWereFound(t *testing.T) {
	const secret = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIiwiZXhwIjoxfQ.c2lnbmF0dXJl"
	out := Explain([]byte(`{"@timestamp":"2026-11-22T02:20:00Z","stream":"stdout","log":"{\"ts\":1795313940.123,\"request\":{\"method\":\"GET\",\"uri\":\"/v1\",\"headers\":{\"Authorization\":[\"Bearer `+secret+`\"]}},\"status\":401,\"size\":7}"}
{"time":"2026-11-22T02:19:00Z","response":{"status":401},"extra":{"a":[{"b":1}]}}
{"time":"2026-11-22T02:19:00Z","message":"started"}
nonsense`), testRedactor(t))
	if len(out) != 4 {
		t.Fatalf("%d explanations", len(out))
	}
	if !slices.Contains(out[0].Found, FoundField{Field: "response.status", Path: "log.status", By: "Caddy"}) {
		t.Errorf("found %+v", out[0].Found)
	}
	if got := strings.Join(out[0].Ignored, " "); got != "@timestamp log.size stream" {
		t.Errorf("ignored %s", got)
	}
	if text := asText(t, out); strings.Contains(text, "c2lnbmF0dXJl") {
		t.Errorf("the token is left in %s", text)
	}
	if !slices.Contains(out[1].Found, FoundField{Field: "response.status", Path: "response.status", By: "native"}) || strings.Join(out[1].Ignored, " ") != "extra.a.0.b" {
		t.Errorf("native: %+v", out[1])
	}
	if !out[2].LogLine || out[2].Error != nil {
		t.Errorf("log line: %+v", out[2])
	}
	if out[3].Error == nil || out[3].Error.Code != "not_json" {
		t.Errorf("nonsense: %+v", out[3])
	}
}

// The mapping on the page about formats is one.
func TestReadMappings_OfTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../docs/shapes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	text, _, ok := strings.Cut(rest, "```")
	if list, err := ReadMappings("shapes.md", []byte(text)); !ok || err != nil || len(list) != 1 {
		t.Errorf("%d mappings: %v", len(list), err)
	}
}

// A record that a mapping does not match, however it is written, is read as quickly as without mappings; every other one is mapped.
func TestMapping_LeavesOthersQuick(t *testing.T) {
	shapes := mapped(t, "mappings: [{match: {app.name: own, stage: '*'}, fields: {client_id: who}}]").shapes
	for text, want := range map[string]bool{
		`{"app":{"name":"own"},"stage":1}`:              true,
		`{"app.name":"own", "stage" : "x"}`:             true,
		`{"message":"{\"app.name\":1,\"stage\":\"\"}"}`: true,
		`{"\u0061pp":{"name":"own"},"sta\u0067e":"x"}`:  true,
		`{"app":{"name":"own"},"stag":1}`:               false,
		`{"time":"x","request":{"url":"/app/stage"}}`:   false,
	} {
		if got := shapes.mayMap([]byte(text)); got != want {
			t.Errorf("%s may be mapped: %v", text, got)
		}
	}
	if !mapped(t, "mappings: [{match: {a/b: own}, fields: {client_id: who}}]").shapes.mayMap([]byte(`{"a\/b":"own"}`)) {
		t.Error("a name that can be written in other ways is looked for as it is")
	}
	s := newService(t, testProfile())
	s.ingester.redactor = mapped(t, ownMapping).ForSource("web")
	var lines []string
	for n := range 100 {
		lines = append(lines, fmt.Sprintf(`{"@timestamp":"2026-11-22T02:19:%02dZ","url":{"full":"https://api.lab.test/v1/orders/%d"},"http":{"request":{"method":"GET"},"response":{"status_code":200}}}`, n%60, n))
	}
	s.post("/ingest/v1/responses", strings.Join(lines, "\n"))
	if found := s.ingester.layouts.found.Load(); found < 90 {
		t.Errorf("%d of 100 lines were known", found)
	}
}
