package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// A wrapping is what shippers and container runtimes make of a line.
type wrapping struct {
	name string
	wrap func(line []byte) []byte
}

func wrappings() []wrapping {
	quoted := func(line []byte) string { return string(appendText(nil, string(line))) }
	return []wrapping{
		{"Filebeat", func(line []byte) []byte {
			return fmt.Appendf(nil, `{"@timestamp":"2026-11-22T02:19:01.000Z","message":%s,"log":{"offset":4711,"file":{"path":"/var/log/x.log"}},"host":{"name":"node-7"},"trace":{"id":"0c7d2a"},"agent":{"type":"filebeat"}}`, quoted(line))
		}},
		{"Docker", func(line []byte) []byte {
			return fmt.Appendf(nil, `{"log":%s,"stream":"stdout","time":"2026-11-22T02:19:01.123456789Z","service":"orders"}`, quoted(append(line[:len(line):len(line)], '\n')))
		}},
		{"body", func(line []byte) []byte {
			if line[0] != '{' {
				return fmt.Appendf(nil, `{"body":%s,"time":"2026-11-22T02:19:01Z"}`, quoted(line))
			}
			return fmt.Appendf(nil, `{"body":%s,"time":"2026-11-22T02:19:01Z","client_ip":"192.0.2.99"}`, line)
		}},
	}
}

// The values in a record in a string or an object, and those around it, are read as the whole way reads them.
func TestLayout_WrappedAgrees(t *testing.T) {
	t.Parallel()
	i := quickIngester(t)
	for k, line := range foreignLines(t) {
		w := wrappings()[k%3]
		var c cutLine
		cut, values := wordsOf(line), textWords(t)
		if line[0] == '{' && c.cut(line) {
			cut, values = c.own(), otherValues(t)
		}
		for n, l := range cut {
			i.forgetLines(n%2 == 0)
			checkLine(t, i, w.wrap(line))
			for m, v := range values {
				if (n+m+k)%(3*oneIn) > 0 { // a third of all: how values are read is tested on lines that are not wrapped
					continue
				}
				changed := w.wrap([]byte(string(line[:l.from]) + v + string(line[l.to:])))
				for range 1 + (n+m)%3 {
					checkLine(t, i, changed)
				}
			}
			checkLine(t, i, w.wrap(line))
		}
		whole := w.wrap(line)
		c.cut(whole)
		for n, l := range c.own() {
			i.forgetLines(n%2 == 0)
			checkLine(t, i, whole)
			for m, v := range otherValues(t) {
				if (n+m+k)%(3*oneIn) > 0 {
					continue
				}
				checkLine(t, i, []byte(string(whole[:l.from])+v+string(whole[l.to:])))
				checkLine(t, i, whole)
			}
		}
	}
}

// Lines in strings are known lines too; what only looks like them is not.
func TestLayout_WrappedIsQuick(t *testing.T) {
	i := quickIngester(t)
	lines := foreignLines(t)[:2]
	for _, w := range wrappings() {
		for _, line := range lines {
			i.forgetLines(false)
			checkLine(t, i, w.wrap(line))
			if !checkLine(t, i, w.wrap(bytes.Replace(line, []byte("02:19:00"), []byte("02:20:00"), 1))) {
				t.Errorf("%s: %s goes the whole way again", w.name, line)
			}
		}
	}
	docker := wrappings()[1]
	line := lines[0]
	inner := func(old, now string) []byte { return docker.wrap(bytes.Replace(line, []byte(old), []byte(now), 1)) }
	outer := func(old, now string) []byte { return bytes.Replace(docker.wrap(line), []byte(old), []byte(now), 1) }
	for _, tt := range []struct {
		line  []byte
		quick bool
	}{
		{inner("82586", "7"), true}, {inner("10.165.125.17", "192.0.2.8"), true}, {inner("7244", "0"), true},
		{inner("82586", rv01(t)), false}, {inner(`"status":200`, `"status":401`), false}, {inner(`"status":200`, `"status":null`), false},
		{inner("GET", "POST"), false}, {inner("\n", ""), true}, {inner(`"scheme":"https",`, ``), false}, {inner(`"GET"`, `"G\u0045T"`), false},
		{outer(":19:01.123456789Z", ":19:02.5Z"), true}, {outer(`"orders"`, `"other"`), true}, {outer(`"stdout"`, `"stderr"`), true}, {outer(`\n"`, ` "`), true},
		{outer(`\n"`, `x"`), false}, {outer(`\n"`, `\u0000"`), false}, {outer(`"log":"{`, `"log":" {`), false}, {outer(`"log"`, `"line"`), false}, {outer(`"log"`, `"text"`), false},
		{outer(`"stdout"`, `"stdout","message":"{\"status\":401}"`), false}, {outer(`\"status\"`, `\"st\u0061tus\"`), true}, {outer(`\"status\"`, `\"st\\u0061tus\"`), false},
	} {
		i.forgetLines(false)
		checkLine(t, i, docker.wrap(line))
		if got := checkLine(t, i, tt.line); got != tt.quick {
			t.Errorf("%s: quick %v, want %v", tt.line, got, tt.quick)
		}
	}
}

// A record that is wrapped twice, a native one and an error body go the whole way, however often they come.
func TestLayout_WrappedWholeWay(t *testing.T) {
	i := quickIngester(t)
	filebeat, docker := wrappings()[0], wrappings()[1]
	line := foreignLines(t)[0]
	for _, raw := range [][]byte{
		docker.wrap(filebeat.wrap(line)),
		docker.wrap([]byte(`{"time":"2026-11-22T02:19:00Z","request":{"method":"GET","url":"https://api.lab.test/v1/orders"},"response":{"status":200}}`)),
		[]byte(`{"time_iso8601":"2026-11-22T02:19:00Z","remote_addr":"192.0.2.7","request":"GET /v1/orders/3 HTTP/1.1","status":200,"message":"{\"error\":\"invalid_token\",\"error_description\":\"x\"}"}`),
		[]byte(`{"time_iso8601":"2026-11-22T02:19:00Z","remote_addr":"192.0.2.7","request":"GET /v1/orders/3 HTTP/1.1","status":200,"body":{"error":"invalid_token","error_description":"x"}}`),
		[]byte(`{"log":` + string(appendText(nil, string(line))) + `,"body":` + string(line) + `}`),
	} {
		if !json.Valid(raw) {
			t.Fatalf("%s is no JSON", raw)
		}
		i.forgetLines(false)
		for range 3 {
			if checkLine(t, i, raw) && !strings.Contains(string(raw), `"body"`) {
				t.Errorf("%s: is read quickly", raw)
			}
		}
	}
}
