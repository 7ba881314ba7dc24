package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A wire is how one shipper speaks.
type wire struct {
	name string
	path string
	pack func(records []string) []byte
	sign func(r *http.Request, key string, batch int)
	took func(status int, body string) bool // the whole batch is acknowledged
}

func wires() []wire {
	lines := func(records []string) []byte { return []byte(strings.Join(records, "\n") + "\n") }
	return []wire{
		{"native", "/ingest/v1/responses", lines, bearer, native},
		{"native in gzip", "/ingest/v1/responses", func(r []string) []byte { return zip(lines(r)) }, func(r *http.Request, key string, batch int) {
			bearer(r, key, batch)
			r.Header.Set("Content-Encoding", "gzip")
		}, native},
		{"native with Idempotency-Key", "/ingest/v1/responses", func(r []string) []byte { return []byte("[" + strings.Join(r, ",") + "]") }, func(r *http.Request, key string, batch int) {
			bearer(r, key, batch)
			r.Header.Set("Idempotency-Key", strconv.Itoa(batch))
		}, native},
		{"elasticsearch", "/_bulk", bulk, bearer, func(status int, body string) bool { return status == 200 && strings.Contains(body, `"errors":false`) }},
		{"otlp", "/ingest/otlp/v1/logs", otlp, bearer, func(status int, body string) bool {
			return status == 200 && !strings.Contains(body, "rejectedLogRecords")
		}},
		{"loki", "/ingest/loki/api/v1/push", loki, bearer, is(204)},
		{"splunk", "/services/collector/event", splunk, func(r *http.Request, key string, _ int) { r.Header.Set("Authorization", "Splunk "+key) }, is(200)},
		{"datadog", "/api/v2/logs", datadog, func(r *http.Request, key string, _ int) { r.Header.Set("DD-API-KEY", key) }, is(202)},
	}
}

func bearer(r *http.Request, key string, _ int) { r.Header.Set("Authorization", "Bearer "+key) }

func is(want int) func(int, string) bool {
	return func(status int, _ string) bool { return status == want }
}

func native(status int, body string) bool {
	return status == 200 && strings.Contains(body, `"rejected":0`)
}

func zip(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(data) // a buffer takes everything
	w.Close()
	return out.Bytes()
}

func bulk(records []string) []byte {
	return []byte("{\"create\":{}}\n" + strings.Join(records, "\n{\"create\":{}}\n") + "\n")
}

func otlp(records []string) []byte {
	type m = map[string]any
	list := make([]m, len(records))
	for n, r := range records {
		list[n] = m{"timeUnixNano": strconv.FormatInt(time.Now().UnixNano(), 10), "body": m{"stringValue": r}}
	}
	return encode(m{"resourceLogs": []m{{"scopeLogs": []m{{"logRecords": list}}}}})
}

func loki(records []string) []byte {
	type m = map[string]any
	values := make([][2]string, len(records))
	for n, r := range records {
		values[n] = [2]string{strconv.FormatInt(time.Now().UnixNano(), 10), r}
	}
	return encode(m{"streams": []m{{"stream": m{"app": "crash"}, "values": values}}})
}

func splunk(records []string) []byte {
	var out bytes.Buffer
	for _, r := range records {
		fmt.Fprintf(&out, `{"event":%s}`, r)
	}
	return out.Bytes()
}

func datadog(records []string) []byte {
	list := make([]map[string]string, len(records))
	for n, r := range records {
		list[n] = map[string]string{"message": r}
	}
	return encode(list)
}

// encode marshals maps of strings, which cannot fail.
func encode(v any) []byte {
	data, _ := json.Marshal(v)
	return data
}

// post sends a batch once.
func (w wire) post(client *http.Client, url, key string, b *batch) (acknowledged bool) {
	r, err := http.NewRequest(http.MethodPost, url+w.path, bytes.NewReader(b.body))
	if err != nil {
		return false
	}
	w.sign(r, key, b.number)
	resp, err := client.Do(r)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return err == nil && w.took(resp.StatusCode, string(body))
}
