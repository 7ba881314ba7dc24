package ingest

import (
	"fmt"
	"iter"
	"strings"
	"testing"
)

// shippedParts are lines as each protocol hands them on.
func shippedParts(tb testing.TB, lines ...[]byte) map[string]iter.Seq[part] {
	var texts, events, logs []string
	for n, line := range lines {
		text := string(appendText(nil, string(line)))
		texts = append(texts, string(line))
		event := text
		if line[0] == '{' && n%4 > 0 {
			event = string(line)
		}
		events = append(events, fmt.Sprintf(`{"time":"1795313941.%03d","event":%s,"fields":{"pod":"orders-%d","trace_id":"0c7d2a"}}`, n, event, n))
		logs = append(logs, fmt.Sprintf(`{"message":%s,"timestamp":1795313941%03d,"status":"info","ddtags":"env:prod,service:orders","hostname":"h%d"}`, text, n, n))
	}
	parts, err := splunkEvents([]byte(strings.Join(events, "")))
	if err != nil {
		tb.Fatal(err)
	}
	loki, err := openLoki(nil, []byte(lokiPushJSON(tb, texts...)))
	if err != nil {
		tb.Fatal(err)
	}
	datadog, err := openDatadog(nil, []byte("["+strings.Join(logs, ",")+"]"))
	if err != nil {
		tb.Fatal(err)
	}
	return map[string]iter.Seq[part]{"Splunk": splunkShipment(nil, parts, nil).parts, "Loki": loki.parts, "Datadog": datadog.parts}
}

// What shippers send as members comes to what the members say, whichever way it is read.
func TestLayout_ShippedAgrees(t *testing.T) {
	t.Parallel()
	i := quickIngester(t)
	for k, line := range foreignLines(t) {
		var c cutLine
		cut, values := wordsOf(line), textWords(t)
		if line[0] == '{' && c.cut(line) {
			cut, values = c.own(), otherValues(t)
		}
		lines := [][]byte{line, line}
		for n, l := range cut {
			for m, v := range values {
				if (n+m+k)%(7*oneIn) == 0 { // some of all: how values are read is tested on lines that are not shipped
					changed := []byte(string(line[:l.from]) + v + string(line[l.to:]))
					lines = append(lines, changed, line, changed)
				}
			}
		}
		for _, parts := range shippedParts(t, lines...) {
			i.forgetLines(k%2 == 0)
			for p := range parts {
				checkPart(t, i, p, part{members: p.members, fault: p.fault}, endpoint{quick: true, read: (*Redactor).decodeShipped})
			}
		}
	}
}

// Lines that shippers send are known lines.
func TestShippers_KnownLines(t *testing.T) {
	const lines = 200
	for _, w := range []wire{splunkWire(), splunkRawWire(), lokiJSONWire(), lokiProtoWire(), datadogWire()} {
		t.Run(w.name, func(t *testing.T) {
			var list []string
			for n := range lines {
				list = append(list, fmt.Sprintf(`{"time_iso8601":"2026-11-22T02:19:00.%03dZ","remote_addr":"192.0.2.%d","request_method":"GET","request_uri":"/v1/orders/%d","host":"api.lab.test","status":200}`, n, n, n))
			}
			s := newService(t, testProfile())
			s.mustShip(w, w.wrap(t, list...))
			if found := s.ingester.layouts.found.Load(); found < lines*9/10 {
				t.Errorf("%d of %d lines were known", found, lines)
			}
		})
	}
}

// How long a record was as it came is not known of members, though they have a text.
func TestQuarantine_BytesOfMembers(t *testing.T) {
	b := batch{redactor: testRedactor(t)}
	b.quarantine(part{raw: []byte(`{"x":1}`), members: map[string]any{"x": true}}, unixTime())
	b.quarantine(part{raw: []byte(`{"x":1}`)}, unixTime())
	if got, want := [2]int64{b.rejects[0].Bytes, b.rejects[1].Bytes}, [2]int64{0, 7}; got != want {
		t.Errorf("%v, want %v", got, want)
	}
}
