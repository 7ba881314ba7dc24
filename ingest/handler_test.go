package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"
)

func TestHandler_Answers(t *testing.T) {
	s := newService(t, nil)
	resp, text := s.send(responses, goodRecord+"\n{oops}\n"+goodRecord)
	want := `{"received":3,"accepted":1,"duplicates":1,"rejected":1,"errors":[{"index":1,"code":"not_json","detail":"the record is not valid JSON; one JSON object is expected"}]}` + "\n"
	if resp.StatusCode != 200 || text != want {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("content type %q", ct)
	}
	_, text = s.send(responses, `{"time":"2026-11-22T02:19:00Z","response":{"status":404}}`)
	if want := `{"received":1,"accepted":1,"duplicates":0,"rejected":0,"errors":[]}` + "\n"; text != want {
		t.Errorf("%s", text)
	}
}

func TestHandler_Encodings(t *testing.T) {
	s := newService(t, nil)
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	io.WriteString(w, goodRecord)
	w.Close()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	zstded := string(z.EncodeAll([]byte(goodRecord), nil))
	bomb := func(size int) string {
		var out bytes.Buffer
		w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
		w.Write(bytes.Repeat([]byte(" "), size))
		w.Close()
		return out.String()
	}
	tests := map[string]struct {
		body, encoding string
		status         int
		say            string
	}{
		"identity":           {goodRecord, "identity", 200, ""},
		"gzip":               {zipped.String(), "gzip", 200, ""},
		"two gzip members":   {zipped.String() + zipped.String(), "gzip", 200, `"received":2`},
		"GZIP":               {zipped.String(), "GZIP", 200, ""},
		"zstd":               {zstded, "zstd", 200, ""},
		"brotli":             {goodRecord, "br", 415, "gzip, zstd, snappy or deflate"},
		"gzip twice":         {zipped.String(), "gzip, gzip", 415, "gzip, zstd, snappy or deflate"},
		"not gzip":           {goodRecord, "gzip", 422, "Content-Encoding"},
		"cut gzip":           {zipped.String()[:zipped.Len()-8], "gzip", 422, "Content-Encoding"},
		"trailing junk":      {zipped.String() + "junk", "gzip", 422, "Content-Encoding"},
		"cut zstd":           {zstded[:len(zstded)-4], "zstd", 422, "Content-Encoding"},
		"gzip bomb":          {bomb(maxInflated + 1), "gzip", 413, "64 MiB"},
		"zstd bomb":          {string(z.EncodeAll(bytes.Repeat([]byte(" "), maxInflated+1), nil)), "zstd", 413, "64 MiB"},
		"large compressed":   {strings.Repeat("x", maxCompressed+1), "gzip", 413, "20 MiB"},
		"large uncompressed": {strings.Repeat(" ", maxInflated+1), "", 413, "64 MiB"},
		"too many records":   {strings.Repeat("{}\n", maxShipped+1), "", 413, "100000 records"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			header := []string{"Content-Type", "multipart/form-data"}
			if tt.encoding != "" {
				header = append(header, "Content-Encoding", tt.encoding)
			}
			resp, text := s.send(responses, tt.body, header...)
			if resp.StatusCode != tt.status || !strings.Contains(text, tt.say) {
				t.Errorf("%d %.300s", resp.StatusCode, text)
			}
			if tt.status != 200 && resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("content type %q", resp.Header.Get("Content-Type"))
			}
		})
	}
}

// A compressed body is limited as it is sent, before anything of it is inflated.
func TestHandler_CompressedLimit(t *testing.T) {
	s := newService(t, nil)
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.NoCompression)
	w.Write(bytes.Repeat([]byte(" "), maxCompressed+1))
	w.Close()
	resp, text := s.send(responses, out.String(), "Content-Encoding", "gzip")
	if resp.StatusCode != 413 || !strings.Contains(text, "20 MiB") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// Content-Type is never a gate.
func TestHandler_AnyContentType(t *testing.T) {
	s := newService(t, nil)
	for _, contentType := range []string{"", "application/json", "application/x-ndjson", "text/plain", "application/x-www-form-urlencoded", "no/such; type"} {
		if a := s.post(responses, goodRecord, "Content-Type", contentType); a.Received != 1 {
			t.Errorf("%q: %+v", contentType, a)
		}
	}
}

func TestHandler_NothingReadable(t *testing.T) {
	s := newService(t, nil)
	for name, body := range map[string]string{"empty": "", "text": "GET / 401", "no time": `{"status":401}`, "empty array": "[]"} {
		resp, text := s.send(responses, body)
		if resp.StatusCode != 422 || resp.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(text, "RFC 3339") {
			t.Errorf("%s: %d %s", name, resp.StatusCode, text)
		}
	}
	_, text := s.send(responses, `{"status":401}`)
	if !strings.Contains(text, `"code":"missing_time"`) || !strings.Contains(text, `"status":422`) {
		t.Errorf("%s", text)
	}
	if resp, text := s.send(tokens, `{"time":"2026-11-22T02:19:00Z"}`); resp.StatusCode != 422 || !strings.Contains(text, `"code":"wrong_kind"`) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

func TestHandler_Keys(t *testing.T) {
	s := newService(t, nil)
	tests := map[string]struct {
		header    string
		status    int
		challenge string
	}{
		"none":      {"", 401, `Bearer realm="authwatch"`},
		"basic":     {"Basic YTpi", 401, `Bearer realm="authwatch", error="invalid_token"`},
		"empty":     {"Bearer ", 401, `Bearer realm="authwatch"`},
		"unknown":   {"Bearer aw_ingest_00000000_x", 401, `Bearer realm="authwatch", error="invalid_token"`},
		"read":      {"Bearer " + s.newKey(store.ScopeRead), 403, `Bearer realm="authwatch", error="insufficient_scope", scope="ingest"`},
		"admin":     {"Bearer " + s.newKey(store.ScopeAdmin), 403, `Bearer realm="authwatch", error="insufficient_scope", scope="ingest"`},
		"lowercase": {"bearer " + s.key, 200, ""},
	}
	for name, tt := range tests {
		for _, path := range []string{responses, tokens} {
			if path == tokens && tt.status == 200 {
				continue
			}
			resp, text := s.send(path, goodRecord, "Authorization", tt.header)
			if resp.StatusCode != tt.status || resp.Header.Get("WWW-Authenticate") != tt.challenge {
				t.Errorf("%s: %d %q %s", name, resp.StatusCode, resp.Header.Get("WWW-Authenticate"), text)
			}
			if tt.status == 403 && !strings.Contains(text, "scope ingest") {
				t.Errorf("%s does not name the scope: %s", name, text)
			}
		}
	}
}

func TestHandler_MethodsAndPaths(t *testing.T) {
	s := newService(t, nil)
	for _, method := range []string{"GET", "PUT", "DELETE", "BREW"} {
		req, _ := http.NewRequest(method, s.server.URL+responses, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" {
			t.Errorf("%s: %d, Allow %q", method, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
	if resp, _ := s.send("/ingest/v1/other", ""); resp.StatusCode != 404 || resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d", resp.StatusCode)
	}
}

// Old logs can be filled in; a time that cannot be true is refused.
func TestHandler_TimeWindow(t *testing.T) {
	s := newService(t, nil)
	body := func(at string) string { return `{"time":"` + at + `","response":{"status":401}}` }
	a := s.post(responses, strings.Join([]string{
		body("2016-12-01T00:00:00Z"), body("2026-11-23T03:59:59Z"), body("2026-11-23T04:00:01Z"), body("2016-11-01T00:00:00Z"), body("0001-01-01T00:00:00Z"),
	}, "\n"))
	if a.Accepted != 2 || a.Rejected != 3 || a.Errors[0] != outOfRange().at(2) {
		t.Errorf("%+v", a)
	}
}

// Requests beyond those in hand are sent away with 503 and a time to come again.
func TestHandler_Overload(t *testing.T) {
	s := newService(t, nil)
	in, err := New(Options{
		Store: s.store, Profiles: classify.Profiles{}, Redactor: testRedactor(t), Registerer: prometheus.NewRegistry(), Now: testNow, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	in.quota.slots = 0
	w := httptest.NewRecorder()
	req := httptest.NewRequest("POST", responses, strings.NewReader(goodRecord))
	req.Header.Set("Authorization", "Bearer "+s.key)
	in.Handler().ServeHTTP(w, req)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	s.store.Close()
	if resp, text := s.send(responses, goodRecord); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// What a vector forbids reaches no file, no log line and no answer, whether its record is taken, repeated, or refused.
func TestHandler_NothingLeaks(t *testing.T) {
	s := newService(t, nil)
	var answers bytes.Buffer
	var forbidden []string
	for _, v := range vectors(t) {
		forbidden = append(forbidden, v.Forbid...)
		for _, body := range []string{
			string(v.Record), string(v.Record), strings.Replace(string(v.Record), `"time"`, `"tome"`, 1),
			string(v.Record)[:len(v.Record)-2], strings.Replace(string(v.Record), "2026-", "1926-", 1),
		} {
			_, text := s.send(responses, body)
			answers.WriteString(text)
			_, text = s.send(tokens, body)
			answers.WriteString(text)
		}
	}
	for _, f := range forbidden { // planted in every field that is stored
		if len(f) < 8 || strings.ContainsAny(f, " ") {
			continue
		}
		record := `{"time":"2026-11-22T02:19:00Z","error":"client_secret=` + f + `","response":{"status":401,"body":{"access_token":"` + f + `"}}}`
		_, text := s.send(responses, record)
		answers.WriteString(text)
	}
	s.assertClean(answers.Bytes(), forbidden)
}

func TestMetrics_ClosedLabels(t *testing.T) {
	s := newService(t, classify.Profiles{{ID: "p", Environments: []classify.Environment{{Name: "prod", Hosts: []string{"api.test"}}}}})
	for _, environment := range []string{"prod", "invented-1", "invented-2"} {
		s.post(responses, `{"time":"2026-11-22T02:19:00Z","provider":"p","environment":"`+environment+`","request":{"url":"https://api.test/x","headers":{"authorization":"Bearer x1y2z3"}},"response":{"status":401}}`)
	}
	s.post(responses, goodRecord+"\n{oops}")
	s.send(responses, "{oops}")
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if strings.Contains(l.GetValue(), "invented") {
					t.Errorf("%s has the label %s", f.GetName(), l.GetValue())
				}
				got[f.GetName()+" "+l.GetValue()] += m.GetCounter().GetValue()
			}
		}
	}
	for name, want := range map[string]float64{
		"authwatch_records_total accepted": 4, "authwatch_records_total rejected": 1,
		"authwatch_rejected_total not_json": 1, "authwatch_rejected_total nothing_readable": 1,
	} {
		if got[name] != want {
			t.Errorf("%s = %v, want %v", name, got[name], want)
		}
	}
}

// What would recognise the repetition of an old record is forgotten with it: from then on it is refused and never counts again.
func TestHandler_TooOld(t *testing.T) {
	s := newService(t, nil)
	old := `{"time":"2026-11-20T05:00:00Z","response":{"status":401}}` // 47 hours ago
	if a := s.post(responses, old); a.Accepted != 1 {
		t.Fatalf("%+v", a)
	}
	pause := func(context.Context, time.Duration) error { return nil }
	if err := s.store.Expire(context.Background(), store.Retention{Records: 44 * time.Hour}, pause); err != nil {
		t.Fatal(err)
	}
	s.ingester.retain = 44 * time.Hour
	counted := func() int64 {
		totals, err := s.store.Totals(context.Background(), testNow().Add(-72*time.Hour), testNow(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return totals.Failures
	}
	before := counted()
	a := s.post(responses, old+"\n"+strings.Replace(old, "20T05", "20T09", 1))
	if a.Accepted != 1 || len(a.Errors) != 1 || a.Errors[0].Code != "too_old" || a.Errors[0].Pointer != "/time" {
		t.Errorf("%+v", a)
	}
	if after := counted(); before != 1 || after != 2 {
		t.Errorf("%d failures are counted, then %d", before, after)
	}
	source, err := s.store.GetSource(context.Background(), s.source().Key.ID)
	if err != nil || len(source.Codes) != 1 || source.Codes[0] != (store.CodeCount{Code: "too_old", Count: 1}) {
		t.Errorf("%+v %v", source.Codes, err)
	}
	s.ingester.retain = 48 * time.Hour
	if a := s.post(responses, strings.Replace(old, "20T05", "20T04", 1)); a.Accepted != 1 {
		t.Errorf("just young enough: %+v", a)
	}
}
