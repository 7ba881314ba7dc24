package ingest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func elasticBulk(_ testing.TB, records ...string) string {
	var b strings.Builder
	for _, r := range records {
		b.WriteString(`{"create":{"_index":"logs-auth"}}` + "\n" + strings.ReplaceAll(r, "\n", " ") + "\n")
	}
	return b.String()
}

func elasticWire() wire {
	return wire{
		name: "Elasticsearch", path: "/ingest/elastic/_bulk", header: map[string]string{"Content-Type": "application/vnd.elasticsearch+x-ndjson; compatible-with=9", "User-Agent": "go-elasticsearch/9.5.2"},
		key: basic, wrap: elasticBulk, ok: 200, said: `"errors":false,"items":[{"create":{`,
		partly: `"errors":true,"items":[{"create":{"_index":"logs-auth","status":201,"result":"created"}},{"create":{"_index":"logs-auth","status":400,"error":{"type":"document_parsing_exception"`,
		junk:   "no action\n", refuse: 200, wrong: 401,
	}
}

func TestElastic_Actions(t *testing.T) {
	s := newService(t, testProfile())
	body := strings.Join([]string{
		`{"index":{"_index":"a","_id":"one"}}`, `{"time":"2026-11-22T03:00:01Z","response":{"status":401}}`,
		`{"create":{}}`, `{"time":"2026-11-22T03:00:02Z","response":{"status":403}}`,
		`{"delete":{"_index":"a","_id":"gone"}}`,
		`{"update":{"_index":"a","_id":"two"}}`, `{"doc":{"time":"2026-11-22T03:00:03Z","response":{"status":401}}}`,
		`{"update":{"_id":"three"}}`, `{"script":"x"}`,
		`{"create":{}}`, `{"time":oops}`,
		`what is this`,
		`{"create":{}}`, `{"@timestamp":"2026-11-22T03:00:04Z","http":{"response":{"status_code":401}},"url":{"full":"https://api.lab.test/v1/orders"}}`,
		`{"create":{}}`,
	}, "\n")
	want := `"errors":true,"items":[{"index":{"_index":"a","_id":"one","status":201,"result":"created"}},{"create":{"status":201,"result":"created"}},` +
		`{"delete":{"_index":"a","_id":"gone","status":404,"result":"not_found"}},{"update":{"_index":"a","_id":"two","status":200,"result":"updated"}},` +
		`{"update":{"_id":"three","status":400,"error":{"type":"document_parsing_exception","reason":"an update must bring its document as doc"}}},` +
		`{"create":{"status":400,"error":{"type":"document_parsing_exception","reason":"the record is not valid JSON; one JSON object is expected"}}},` +
		`{"index":{"status":400,"error":{"type":"document_parsing_exception","reason":"this line should be an action such as {\"create\":{}}"}}},` +
		`{"create":{"status":201,"result":"created"}},` +
		`{"create":{"status":400,"error":{"type":"document_parsing_exception","reason":"the document of this action is missing"}}}]}`
	resp, text := s.ship(elasticWire(), s.key, body)
	if resp.StatusCode != 200 || !strings.Contains(text, want) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	ids := map[string]bool{}
	for _, f := range s.failures() {
		ids[f.RecordID] = true
	}
	if len(s.failures()) != 4 || !ids["one"] || !ids["two"] {
		t.Errorf("%d failures with the ids %v", len(s.failures()), ids)
	}
	s.mustShip(elasticWire(), elasticBulk(t, goodRecord))
}

// What shippers ask before and after they send, each with the product's name; so is every refusal.
func TestElastic_Handshake(t *testing.T) {
	s := newService(t, nil)
	for _, tt := range []struct {
		call, key string
		status    int
		say       string
	}{
		{"GET /ingest/elastic/", s.key, 200, `"tagline":"You Know, for Search"`},
		{"GET /ingest/elastic", s.key, 200, `"number":"8.19.0"`},
		{"HEAD /ingest/elastic/", s.key, 200, ""},
		{"GET /ingest/elastic/_license?human=false", s.key, 200, `"status":"active"`},
		{"GET /ingest/elastic/_xpack", s.key, 200, "{}"},
		{"PUT /ingest/elastic/_ilm/policy/filebeat", s.key, 200, "{}"},
		{"HEAD /ingest/elastic/_index_template/logs", s.key, 200, ""},
		{"PUT /ingest/elastic/_template/logstash", s.key, 200, "{}"},
		{"GET /ingest/elastic/_nodes/http", s.key, 200, "{}"},
		{"GET /ingest/elastic/_cluster/health", s.key, 200, `"status":"green"`},
		{"GET /_cat/health", s.key, 200, `"status":"green"`},
		{"GET /ingest/elastic/logs/_refresh", s.key, 200, "{}"},
		{"POST /ingest/elastic/logs/_doc", s.key, 404, "_bulk"},
		{"GET /ingest/elastic/logs/_search", s.key, 404, "_bulk"},
		{"GET /ingest/elastic/", "", 401, "security_exception"},
		{"GET /ingest/elastic/_license", "aw_ingest_00000000_x", 401, "security_exception"},
		{"POST /ingest/elastic/logs/_bulk", "", 401, "security_exception"},
		{"GET /ingest/elastic/_bulk", s.key, 405, ""},
		{"PUT /ingest/elastic/_bulk", s.key, 200, `"items":[]`},
		{"POST /ingest/elastic/logs-auth/_bulk", s.key, 200, `"items":[]`},
		{"POST /_bulk", s.key, 200, `"items":[]`},
	} {
		w := elasticWire()
		w.method, w.path, _ = strings.Cut(tt.call, " ")
		resp, text := s.ship(w, tt.key, "")
		if resp.StatusCode != tt.status || !strings.Contains(text, tt.say) || resp.Header.Get("X-Elastic-Product") != "Elasticsearch" {
			t.Errorf("%s: %d %q %s", tt.call, resp.StatusCode, resp.Header.Get("X-Elastic-Product"), text)
		}
	}
}

// The JavaScript client's helper waits for items that were refused with 429, and gives up on requests that were.
func TestElastic_OverloadOfJavaScript(t *testing.T) {
	s := newService(t, nil)
	w := elasticWire()
	w.header = map[string]string{"X-Elastic-Client-Meta": "es=9.4.3,js=22.1.0,t=9.1.0"}
	release := s.fillStore()
	resp, text := s.ship(w, s.key, elasticBulk(t, goodRecord, goodRecord))
	release()
	if resp.StatusCode != http.StatusOK || strings.Count(text, `"status":429`) != 2 || !strings.Contains(text, `"errors":true`) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	s.mustShip(w, elasticBulk(t, goodRecord, goodRecord))
}

// A key is carried as base64 of id:key, or as it is.
func TestElastic_APIKey(t *testing.T) {
	s := newService(t, nil)
	for _, key := range []func(string) (string, string){
		func(k string) (string, string) { return "Authorization", "ApiKey " + k },
		func(k string) (string, string) {
			_, value := basic(k)
			return "Authorization", strings.Replace(value, "Basic", "ApiKey", 1)
		},
	} {
		w := elasticWire()
		w.key = key
		s.mustShip(w, elasticBulk(t, goodRecord))
	}
}

func FuzzElastic(f *testing.F) {
	f.Add([]byte(elasticBulk(f, goodRecord, "{}")))
	f.Add([]byte("{\"create\":{}}\n\n{\"delete\":{\"_id\":7}}\n{\"update\":{}}\n{\"doc\":[]}\n{"))
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, body []byte) { fuzzOpen(t, red, openBulk, body) })
}

// Documents that nothing is added to are read like lines that are known, and are the same records as without the protocol.
func TestElastic_KnownLines(t *testing.T) {
	s := newService(t, testProfile())
	const lines = 200
	var docs []string
	for n := range lines {
		docs = append(docs, fmt.Sprintf(`{"@timestamp":"2026-11-22T02:19:%02d.%03dZ","url":{"full":"https://api.lab.test/v1/orders/%d"},"http":{"request":{"method":"GET","id":"r%d"},"response":{"status_code":200}}}`,
			n%60, n, n, n))
	}
	s.mustShip(elasticWire(), elasticBulk(t, docs...))
	if found := s.ingester.layouts.found.Load(); found < lines*9/10 {
		t.Errorf("%d of %d lines were known", found, lines)
	}
	if a := s.post("/ingest/v1/responses", strings.Join(docs, "\n")); a.Duplicates != lines {
		t.Errorf("without the protocol %+v", a)
	}
}
