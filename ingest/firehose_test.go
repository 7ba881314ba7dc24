package ingest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
)

func firehoseKey(key string) (name, value string) { return "X-Amz-Firehose-Access-Key", key }

func firehoseBody(_ testing.TB, records ...string) string {
	var out []string
	for _, r := range records {
		out = append(out, `{"data":"`+base64.StdEncoding.EncodeToString([]byte(r))+`"}`)
	}
	return `{"requestId":"ed4acda5-034f-9f42-bba1-f29aea6d7d8f","timestamp":1795316400000,"records":[` + strings.Join(out, ",") + `]}`
}

func zipped(t testing.TB, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write([]byte(text))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func firehoseWire() wire {
	answered := `"requestId":"ed4acda5-034f-9f42-bba1-f29aea6d7d8f","timestamp":` + strconv.FormatInt(testNow().UnixMilli(), 10) + "}"
	return wire{
		name: "Firehose", path: "/ingest/firehose", header: map[string]string{"X-Amz-Firehose-Request-Id": "ed4acda5-034f-9f42-bba1-f29aea6d7d8f"},
		key: firehoseKey, wrap: firehoseBody, ok: 200, said: answered, partly: `"errorMessage":"1 of 3 records were not taken`, junk: "junk", refuse: 200, wrong: 401,
	}
}

// CloudWatch puts a gzip of many lines into one record, and control messages that are no logs.
func TestFirehose_CloudWatch(t *testing.T) {
	s := newService(t, testProfile())
	s.mustShip(firehoseWire(), firehoseBody(t,
		zipped(t, `{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}`),
		zipped(t, `{"messageType":"DATA_MESSAGE","logGroup":"api","logEvents":[{"id":"1","timestamp":1795316401500,"message":"{\"response\":{\"status\":401}}"},
			{"id":"2","timestamp":1795316401500,"message":"{\"response\":{\"status\":401}}"},{"id":"3","timestamp":1795316402000,"message":"START"}]}`),
		oneLine(`10.0.0.1 - - [22/Nov/2026:03:00:02 +0000] "GET /v1/orders HTTP/1.1" 401 12`), "\x1f\x8bcut"))
	list := s.failures()
	if len(list) != 3 || !list[2].Verdict.Time.Equal(second(1).Add(500_000_000)) {
		t.Errorf("%+v", list)
	}
}

// The answer is what Firehose demands of it, also when it is no.
func TestFirehose_Answer(t *testing.T) {
	s := newService(t, nil)
	for key, status := range map[string]int{s.key: 200, "": 401} {
		resp, text := s.ship(firehoseWire(), key, firehoseBody(t, goodRecord))
		if resp.StatusCode != status || resp.ContentLength != int64(len(text)) || resp.Header.Get("Content-Type") != "application/json" ||
			!strings.Contains(text, `"requestId":"ed4acda5-034f-9f42-bba1-f29aea6d7d8f"`) {
			t.Errorf("%d %v %s", resp.StatusCode, resp.Header, text)
		}
	}
}

func FuzzFirehose(f *testing.F) {
	f.Add([]byte(firehoseBody(f, goodRecord, zipped(f, `{"messageType":"DATA_MESSAGE","logEvents":[{"message":"x"}]}`))))
	red := testRedactor(f)
	i := &Ingester{now: testNow}
	f.Fuzz(func(t *testing.T, body []byte) {
		fuzzOpen(t, red, i.openFirehose, body)
		fuzzOpen(t, red, i.openFirehose, []byte(firehoseBody(t, string(body))))
	})
}
