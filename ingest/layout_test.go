package ingest

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

// forgetLines leaves nothing known of lines; whether successes wait for tokens is for the test to say.
func (i *Ingester) forgetLines(wait bool) {
	i.layouts = newLayouts()
	i.late.minute, i.late.waits = testNow().Truncate(time.Minute), waitAnyway
	if wait {
		i.late.waits = -1 << 30
	}
}

// foreignEndpoint counts what goes the whole way.
func foreignEndpoint(whole *int) endpoint {
	return endpoint{quick: true, read: func(r *Redactor, p part) (decoded, *fault) {
		*whole++
		return r.decodeNative(p, r.decodeResponse)
	}}
}

// checkLine holds what is made of a line, whichever way it takes, to what the whole way makes of it.
func checkLine(t testing.TB, i *Ingester, raw []byte) (quick bool) {
	t.Helper()
	s := newSplitter(raw)
	p, more := s.next()
	if !more || p.fault != nil || p.outline != nil && p.outline.isNative() {
		return false
	}
	return checkPart(t, i, p, part{raw: p.raw}, foreignEndpoint(new(int)))
}

// checkPart is checkLine for what an endpoint reads; bare is the same part as it is read where nothing is known.
func checkPart(t testing.TB, i *Ingester, p, bare part, e endpoint) (quick bool) {
	t.Helper()
	b, raw := batch{source: "s", redactor: i.redactor, at: testNow(), equals: newEquals()}, p.raw
	i.facts = fewSlots[KnownFact]()
	wholly, read := 0, e.read
	e.read = func(r *Redactor, p part) (decoded, *fault) {
		wholly++
		return read(r, p)
	}
	got, fault := i.decode(&b, p, e)
	whole, wanted := read(i.redactor, bare)
	if (fault == nil) != (wanted == nil) || fault != nil && *fault != *wanted {
		t.Fatalf("%s: %+v, want %+v", raw, fault, wanted)
	}
	if fault != nil {
		return false
	}
	b.take(&got.success, got.at)
	got.success.own, got.success.shared = 0, nil // which say how it came to its facts
	if got.key != whole.key || !got.at.Equal(whole.at) {
		t.Errorf("%s: %s at %s, want %s at %s", raw, got.key, got.at, whole.key, whole.at)
	}
	x := i.classifier.Locate(whole.record)
	waits := lacksToken(x) && i.waits(&b, &got.waits)
	if got.record != nil {
		if a, b := encodeRecord(got.record), encodeRecord(whole.record); !bytes.Equal(a, b) {
			t.Errorf("%s:\n%s, want\n%s", raw, a, b)
		}
		if want := (&decoded{key: whole.key, record: whole.record, stored: whole.stored}).content(); got.content() != want {
			t.Errorf("%s: content %d, want %d", raw, got.content(), want)
		}
		return wholly == 0
	}
	if got.content() != whole.content() {
		t.Errorf("%s: content %d, want %d", raw, got.content(), whole.content())
	}
	if x.Outcome == classify.Failed || waits {
		t.Errorf("%s: taken as a success that waits for nothing, and is %s, waits: %v", raw, x.Outcome, waits)
	}
	var want success
	if x.Outcome == classify.Accepted {
		want = success{site: i.site(&x), seen: i.look(&x, nil), facts: x.Facts()}
	}
	if !reflect.DeepEqual(got.success, want) {
		t.Errorf("%s:\n%+v, want\n%+v", raw, got.success, want)
	}
	return true
}

// foreignLines are accepted exchanges in the formats that are known, and before them two lines that nearly all are like.
func foreignLines(tb testing.TB) (out [][]byte) {
	for _, f := range shapeFixtures(tb) {
		line := strings.NewReplacer("401", "200", "403", "200", "400", "200", "\n", " ", `error=\"invalid_token\", error_description=\"The access token expired\"`, `realm=\"x\"`).Replace(f.log)
		out = append(out, []byte(line))
	}
	for _, line := range []string{
		`{"time_iso8601":"2026-11-22T02:19:00+00:00","remote_addr":"10.165.125.17","request_method":"GET","request_uri":"/v1/shipments/82586","scheme":"https","host":"api.lab.test","status":200,"body_bytes_sent":7244,"request_time":0.686,"http_user_agent":"Go-http-client/2.0","request_id":"43ea7471f8cde59b85f35c2eead28c16","http_referer":"-","upstream_response_time":"0.296","msec":1795313940.123}`,
		`{"time_iso8601":"2026-11-22T02:19:00+00:00","remote_addr":"10.165.125.17","request_method":"GET","request_uri":"/v1/orders?page=2","host":"api.lab.test","status":"200","http_authorization":"Bearer [jwt]","http_x_request_id":"0c7d2a","client_id":"client-a","http_accept":"*/*","http_user_agent":"curl/8.11.0","request_id":"43ea7471f8cde59b85f35c2eead28c16","sent_http_content_length":"17","tags":["a",{"b":"<c>"}],"x":"é"}`,
		`{"@timestamp":"2026-11-22T02:19:00.000Z","event":{"id":"c9d7dc2aaf8c3e746fa126a8ade25655","dataset":"app.http"},"trace":{"id":"43ea7471f8cde59b85f35c2eead28c16"},"service":{"name":"dispatch","environment":"prod"},"client":{"ip":"10.165.125.17"},"user_agent":{"original":"curl/8.11.0"},"url":{"full":"https://api.lab.test/v1/orders/82586"},"http":{"request":{"method":"GET","id":"f71377dcedb6ce85a45a52094bad8e0e"},"response":{"status_code":200}},"log":{"level":"info","logger":"http"},"message":"GET /v1/orders 200 in 7 ms","ecs":{"version":"8.11"}}`,
		`{"level":"info","ts":1795313940.1,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.7","remote_port":"50123","client_ip":"192.0.2.7","proto":"HTTP/2.0","method":"GET","host":"api.lab.test","uri":"/v1/orders/17","headers":{"User-Agent":["curl/8.11.0"],"Accept":["*/*"],"Referer":["https://shop.lab.test/"],"Authorization":["Bearer [jwt]"]},"tls":{"resumed":false}},"bytes_read":0,"user_id":"","duration":0.002,"size":12,"status":200,"resp_headers":{"Content-Length":["12"],"Date":["Sun, 22 Nov 2026 02:19:00 GMT"]}}`,
		`{"start_time":"2026-11-22T02:19:00.123Z","method":"GET","path":"/v1/orders/9","authority":"api.lab.test","response_code":200,"response_code_details":"via_upstream","x_forwarded_for":"192.0.2.7, 10.0.0.1","user_agent":"curl/8.11.0","x_request_id":"43ea7471-f8cd-e59b-85f3-5c2eead28c16","duration":7,"downstream_remote_address":"10.0.0.1:41220"}`,
		`{"started_at":1795313920023,"client_ip":"192.0.2.7","request":{"id":"c6af9ac67b6111e69a4193e8deadbeef","method":"GET","uri":"/v1/orders","url":"https://api.lab.test:8443/v1/orders","size":412,"headers":{"host":"api.lab.test","authorization":"Bearer [jwt]","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","x-list":[{"authorization":"Basic dXNlcjpwYXNz"},"x"]}},"response":{"status":200,"size":266,"headers":{"content-type":"application/json","x-kong-proxy-latency":"1"}},"latencies":{"kong":2,"proxy":-1,"request":3},"service":{"name":"orders"}}`,
		`{"time_iso8601":"2026-11-22T02:19:00Z","remote_addr":"192.0.2.7","request":"GET /v1/orders/3 HTTP/1.1","status":"200","http_referer":"https://shop.lab.test/"}`,
	} {
		out = append(out, []byte(line))
	}
	n := len(shapeFixtures(tb))
	out[0], out[1], out[n], out[n+2] = out[n], out[n+2], out[0], out[1]
	return out
}

// otherValues are put in the place of each value of a line.
func otherValues(tb testing.TB) []string {
	return []string{
		`"x"`, `"-"`, `""`, `null`, `true`, `0`, `7`, `-1.5`, `1795313940.5`, `1795313940123`, `1e3`, `"401"`, `403`, `"200"`, `204`, `404`, `304`, `500`, `[]`, `{}`, `["x"]`, `{"a":1}`,
		`"2026-11-22T02:19:07Z"`, `"2026-11-22t02:19:07.5+01:00"`, `"1999-01-01T00:00:00Z"`, `"22/Nov/2026:02:19:07 +0000"`, `"2026-11-22 02:19:07Z"`, `"1795313947"`,
		`"GET /v1/orders/44 HTTP/1.1"`, `"POST /oauth/token HTTP/1.1"`, `"GET - HTTP/1.1"`, `"\u0016\u0003"`, `"/v1/orders/99"`, `"/oauth/token"`, `"/2024/orders?code=abc&x=1"`, `"` + tokenEndpoint + `"`, `"https://other.test/v1/x"`, `"https://user:pass@api.lab.test/"`,
		`"Bearer [jwt]"`, `"Bearer ` + rv01(tb) + `"`, `"` + rv01(tb) + `"`, `"/u/` + rv01(tb) + `"`, `"Basic dXNlcjpwYXNz"`, `"sk_9aBcD3fGh1JkL0mN"`, `"password=hunter2"`, `"error"`, `"<a&b>"`, `"é"`, `"a\u0062\n"`, `"192.0.2.8:443"`, `", x"`, `"[::1]:7"`,
		`"{\"time\":\"2026-11-22T02:19:00Z\",\"response\":{\"status\":401}}"`, `"{}"`, `" {"`, `"192.0.2.7 - - [22/Nov/2026:02:19:00 +0000] \"GET / HTTP/1.1\" 401 7"`, `"0000-0000"`, `"null"`, `"` + strings.Repeat("9", 300) + `"`, `"` + strings.Repeat("x y ", 600) + `"`, `"ZXlKaGJHY2lPaUpTVXpJMU5pSXNJblI1Y0NJNklrcFhWQ0o5"`, `"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"`,
	}
}

// A line with any of its values changed comes to what the whole way makes of it, whichever of the two was read first, and whether or not
// successes wait for tokens.
func TestLayout_AgreesWithTheWholeWay(t *testing.T) {
	t.Parallel()
	i := quickIngester(t)
	for _, line := range foreignLines(t) {
		var c cutLine
		if line[0] == '{' && !c.cut(line) {
			t.Fatalf("%s: cannot be cut", line)
		}
		cut, values := c.own(), otherValues(t)
		if line[0] != '{' {
			cut, values = wordsOf(line), textWords(t)
		}
		for n, l := range cut {
			i.forgetLines(n%2 == 0)
			checkLine(t, i, line)
			for m, v := range values {
				if (n+m)%oneIn > 0 {
					continue
				}
				changed := []byte(string(line[:l.from]) + v + string(line[l.to:]))
				for range 1 + (n+m)%3 {
					checkLine(t, i, changed)
				}
			}
			checkLine(t, i, line)
		}
	}
}

// own are the values that stand in the line itself.
func (c *cutLine) own() []leaf {
	return slices.DeleteFunc(slices.Clone(c.values), func(l leaf) bool { return int(l.from) >= c.outer })
}

// wordsOf are the words of a line of text, as the splitter of values has them.
func wordsOf(line []byte) (list []leaf) {
	from := 0
	for n, c := range append(line[:len(line):len(line)], ' ') {
		if bytes.IndexByte([]byte(` []"`), c) >= 0 {
			if n > from {
				list = append(list, leaf{from: uint32(from), to: uint32(n)})
			}
			from = n + 1
		}
	}
	return list
}

// textWords are put in the place of words.
func textWords(tb testing.TB) []string {
	return []string{"-", "", "x", "401", "204", "304", "22/Nov/2026:02:19:07", "22/Nov/1999:02:19:07", "/oauth/token", "/u/" + rv01(tb), rv01(tb), "192.0.2.8", "2001:db8::7", "POST", "\\", "é", "\xff", "password=hunter2"}
}

// The corpora of the product agree too, as successes in other formats.
func TestLayout_CorporaAgree(t *testing.T) {
	t.Parallel()
	i := quickIngester(t)
	for n, record := range corpusAsSuccesses(t) {
		if n%30 == 0 {
			i.forgetLines(n%60 == 0)
		}
		if n%20 != 0 {
			continue
		}
		for _, line := range otherShapes(t, record) {
			line = strings.NewReplacer(`"status":"401"`, `"status":"200"`, `"status":401`, `"status":200`, `status_code":401`, `status_code":200`).Replace(line)
			for _, again := range []string{line, line, strings.Replace(line, `"http`, `"n":1,"http`, 1)} {
				checkLine(t, i, []byte(again))
			}
		}
	}
}

// Lines in which nothing differs but what is of one exchange are not read the whole way; of the others none is taken for another.
func TestLayout_WhatMayDiffer(t *testing.T) {
	i := quickIngester(t)
	all := foreignLines(t)
	caddy, envoy := all[len(all)-4], all[len(all)-3]
	lines := append(all[:2:2], []byte(`10.165.125.17 - - [22/Nov/2026:02:19:00 +0000] "GET /v1/shipments/82586 HTTP/1.1" 200 7244 "-" "python-requests/2.32.3"`))
	for _, tt := range []struct {
		line     []byte
		old, now string
		quick    bool
	}{
		{lines[0], `02:19:00+00:00`, `02:19:01+00:00`, true}, {lines[0], `02:19:00+00:00`, `02:19:00.5Z`, true}, {lines[0], `"2026-11-22T02:19:00+00:00"`, `"22/Nov/2026:02:19:01 +0000"`, false},
		{lines[0], `/v1/shipments/82586`, `/v1/orders/1?page=2&x=y`, true}, {lines[0], `/v1/shipments/82586`, `/u/` + rv01(t), false}, {lines[0], `"api.lab.test"`, `"other.test"`, true},
		{lines[0], `10.165.125.17`, `2001:db8::7`, true}, {lines[0], `10.165.125.17`, `192.0.2.8`, true}, {lines[0], `Go-http-client/2.0`, `Mozilla/5.0 (X11; Linux x86_64)`, true}, {lines[0], `Go-http-client/2.0`, rv01(t), false},
		{lines[0], `7244`, `12`, true}, {lines[0], `7244`, `"12"`, false}, {lines[0], `0.296`, `a [b] {c} ` + rv01(t), true}, {lines[0], `"request_id":"43`, `"request_id":"0c`, true}, {lines[0], `"GET"`, `"POST"`, false}, {lines[0], `"status":200`, `"status":401`, false}, {lines[0], `"status":200`, `"status":404`, false},
		{lines[0], `"status":200`, `"status":204`, false}, {lines[0], `"http_referer":"-"`, `"http_referer":"https://x.test/"`, false}, {lines[0], `"msec":1795313940.123`, `"msec":7`, true}, {lines[0], `"scheme":"https",`, ``, false},
		{lines[1], `7 ms`, `12 ms`, true}, {lines[1], `GET /v1/orders 200 in 7 ms`, `{}`, false}, {lines[1], `"id":"c9d7`, `"id":"c9d8`, true}, {lines[1], `"prod"`, `"test"`, false}, {lines[1], `"info"`, `"error"`, false}, {lines[1], `"app.http"`, `"x"`, true}, {lines[1], `"dispatch"`, `"orders"`, true}, {lines[1], `"ecs":`, `"client_id":"c 7","ecs":`, false},
		{lines[1], `"c9d7dc2aaf8c3e746fa126a8ade25655"`, `"-"`, false}, {lines[1], `"c9d7dc2aaf8c3e746fa126a8ade25655"`, `"0000"`, true}, {lines[1], `7 ms`, `[\"x\"] 7`, false}, {lines[1], `7 ms`, `[x] 7`, true},
		{envoy, `41220`, `7`, true}, {envoy, `192.0.2.7, `, `192.0.2.8, `, true}, {envoy, `192.0.2.7, `, `, `, false}, {envoy, `via_upstream`, `denied`, false},
		{caddy, `"Accept":["*/*"]`, `"Accept":["a/b, c/d"]`, true}, {caddy, `"Accept":["*/*"]`, `"Accept":["` + rv01(t) + `"]`, false}, {caddy, `Bearer [jwt]`, `Bearer [opaque]`, false},
		{caddy, `"Content-Length":["12"]`, `"Content-Length":["77"]`, true}, {caddy, `https://shop.lab.test/`, `https://shop.lab.test/x?code=abc`, false}, {caddy, `https://shop.lab.test/`, `https://shop.lab.test/y`, true}, {caddy, `["curl/8.11.0"]`, `["curl/8.12.0"]`, false},
		{lines[2], `7244`, `-`, true}, {lines[2], `"GET `, `"POST `, true}, {lines[2], ` 200 `, ` 304 `, true}, {lines[2], ` 200 `, ` 401 `, false},
		{lines[2], `/v1/shipments/82586`, `/oauth/` + rv01(t), false}, {lines[2], `python-requests/2.32.3`, `a \"b\"`, true}, {lines[2], `10.165.125.17`, rv01(t), false}, {lines[1], `"43ea7471f8cde59b85f35c2eead28c16"`, `"0000"`, false},
	} {
		i.forgetLines(false)
		checkLine(t, i, tt.line)
		changed := bytes.Replace(tt.line, []byte(tt.old), []byte(tt.now), 1)
		if bytes.Equal(changed, tt.line) {
			t.Fatalf("%s is not in %s", tt.old, tt.line)
		}
		if got := checkLine(t, i, changed); got != tt.quick {
			t.Errorf("%s for %s: quick %v, want %v", tt.now, tt.old, got, tt.quick)
		}
	}
}

// Where one path leads to two values, or an error stands in the place of words, it takes the record to say what is read.
func TestLayout_TakesTheRecord(t *testing.T) {
	i := quickIngester(t)
	line := `{"@timestamp":"2026-11-22T02:19:00Z","http.request.method":"GET","http.response.status_code":200,"request_id":"0c7d2a",%s}`
	for _, tt := range [][2]string{
		{`"url.path":"/a","url":{"path":"/a"}`, `"url.path":"/a","url":{"path":"/b"}`},
		{`"url":{"path":"/a"},"url.path":"/a"`, `"url":{"path":"/b"},"url.path":"/a"`},
		{`"url.path":"/a","url.path":"/a"`, `"url.path":"/a","url.path":"/b"`},
		{`"url.path":"/a","message":{"error":"a","error_description":"b"}`, `"url.path":"/a","message":{"error":"a","error_description":"c"}`},
		{`"url.path":"/a","body":{"x":"a"}`, `"url.path":"/a","body":{"x":"b"}`},
		{`"url.path":"/a","message":{"time":"2026-11-22T02:19:00Z","response":{"status":200}}`, `"url.path":"/a","message":{"time":"2026-11-22T02:19:00Z","response":{"status":401}}`},
		{`"url.path":"/a","message":"x"`, `"url.path":"/a","message":" {\"http.response.status_code\":401}"`},
		{`"url.path":"/a","http":{"request":{"header":{"authorization":["Bearer [jwt]"],"x":["a"]}}}`, `"url.path":"/a","http":{"request":{"header":{"authorization":["Bearer [jwt]"],"x":["` + rv01(t) + `"]}}}`},
		{`"url.path":"/a","http":{"request":{"header":{"authorization":["Bearer [jwt]"],"x":[{"b":"c"}]}}}`, `"url.path":"/a","http":{"request":{"header":{"authorization":["Bearer [jwt]"],"x":[{"b":"` + rv01(t) + `"}]}}}`},
		{`"url.path":"/a","http":{"request":{"header":{"authorization":["Bearer [jwt]"],"content-type":["a"]}}}`, `"url.path":"/a","http":{"request":{"header":{"authorization":["Bearer [jwt]"],"content-type":["application/json"]}}}`},
		{`"url.path":"/oauth/token","http":{"request":{"header":{"authorization":["Basic x"],"host":["api.lab.test"]}}}`, `"url.path":"/oauth/token","http":{"request":{"header":{"authorization":["Basic x"],"host":["other.test"]}}}`},
		{`"url.path":"/a","http":{"response":{"header":{"www-authenticate":["Bearer"]}}}`, `"url.path":"/a","http":{"response":{"header":{"www-authenticate":["Bearer error=\"invalid_token\""]}}}`},
	} {
		for _, wait := range []bool{false, true} {
			i.forgetLines(wait)
			for _, fields := range []string{tt[0], tt[0], tt[1], tt[1], tt[0]} {
				checkLine(t, i, fmt.Appendf(nil, line, fields))
			}
		}
	}
}

// A line that is refused leaves no note of what it says.
func TestLayout_TooOld(t *testing.T) {
	i := quickIngester(t)
	i.forgetLines(false)
	line := foreignLines(t)[len(foreignLines(t))-4] // of an accepted call
	b := batch{source: "s", redactor: i.redactor, at: testNow(), equals: newEquals()}
	p, _ := newSplitter(line).next()
	for range 2 {
		i.readPart(&b, 0, p, foreignEndpoint(new(int)))
	}
	if len(b.noted) == 0 {
		t.Fatal("not read quickly")
	}
	b.noted, i.retain = nil, time.Millisecond
	if i.readPart(&b, 0, p, foreignEndpoint(new(int))); len(b.bad) != 1 || len(b.noted) > 0 {
		t.Errorf("%d are refused, %d facts are noted", len(b.bad), len(b.noted))
	}
}

// Lines that are never alike are not learnt from for ever, and no more is kept than there is room for.
func TestLayout_NeverTheSame(t *testing.T) {
	i := quickIngester(t)
	i.forgetLines(false)
	line := string(foreignLines(t)[0])
	for n := range 4000 {
		checkLine(t, i, []byte(strings.Replace(line, `"msec"`, fmt.Sprintf(`"m%d"`, n), 1)))
	}
	if learnt := i.layouts.learnt.Load(); learnt > 400 {
		t.Errorf("learnt from %d", learnt)
	}
	for range 2 {
		checkLine(t, i, []byte(line))
	}
	for n := range 200 {
		if checkLine(t, i, []byte(strings.Replace(line, `"msec":1795313940.123`, fmt.Sprintf(`"msec":%d`, n), 1))) {
			return
		}
	}
	t.Error("nothing is learnt any more")
}

// The database holds the same whichever way lines were read.
func TestLayout_SameEitherWay(t *testing.T) {
	var lines []string
	foreign := foreignLines(t)
	for n, raw := range foreign {
		foreign = append(foreign, wrappings()[n%3].wrap(raw))
	}
	for _, raw := range foreign {
		for n := range 6 {
			line := strings.NewReplacer(":19:00", fmt.Sprintf(":%d:00", 10+n), "c9d7", fmt.Sprintf("c9d%d", n), "/orders", fmt.Sprintf("/orders/%d", n)).Replace(string(raw))
			if n == 5 {
				line = strings.Replace(line, "200", "401", 1)
			}
			lines = append(lines, line, line)
		}
	}
	snapshots := map[bool]string{}
	for _, quick := range []bool{true, false} {
		s := newService(t, testProfile())
		wholly := 0
		e := foreignEndpoint(&wholly)
		e.quick, e.open, e.commit = quick, openNative(expectedBody, nil), s.ingester.commitResponses
		for start := 0; start < len(lines); start += 25 {
			shipment, err := e.open(nil, []byte(strings.Join(lines[start:min(start+25, len(lines))], "\n")))
			if err != nil {
				t.Fatal(err)
			}
			a, err := s.ingester.commitAll(t.Context(), e, shipment, batch{source: "s", redactor: s.ingester.redactor, at: testNow(), equals: newEquals()})
			if err != nil {
				t.Fatal(err)
			}
			snapshots[quick] += fmt.Sprintf("%+v\n", a)
		}
		snapshots[quick] += fmt.Sprintf("%+v", s.snapshot())
		if quick && wholly > len(lines)*2/3 {
			t.Errorf("%d of %d went the whole way", wholly, len(lines))
		}
	}
	if snapshots[true] != snapshots[false] {
		t.Errorf("quick %s\nwhole %s", snapshots[true], snapshots[false])
	}
}

func TestLayout_Canonical(t *testing.T) {
	for _, line := range append(foreignLines(t)[:2], []byte(`{"b":[1,{"z":"<","a":null}, []],"a":{"y":1.50e3,"x":{}},"":0}`), []byte(`{ "b" : "\u00e9", "<a>":true }`)) {
		var c cutLine
		if !c.cut(line) {
			t.Fatalf("%s: cannot be cut", line)
		}
		m := layoutReader{scanner: scanner{data: line}, cut: &c, ok: true}
		m.append(m.value(valuePlace{}))
		if !m.ok {
			continue
		}
		value, _ := parseValue(line)
		if got, want := (&layout{pieces: m.pieces}).canonical(&c), appendCanonical(nil, value); !bytes.Equal(got, want) {
			t.Errorf("%s\n%s, want\n%s", line, got, want)
		}
	}
}

func FuzzLayout(f *testing.F) {
	for _, line := range foreignLines(f) {
		f.Add(line, bytes.ReplaceAll(line, []byte("7"), []byte("8")))
		for _, w := range wrappings() {
			f.Add(w.wrap(line), w.wrap(bytes.ReplaceAll(line, []byte("7"), []byte("8"))))
		}
	}
	i := quickIngester(f)
	f.Fuzz(func(t *testing.T, line, other []byte) {
		for _, wait := range []bool{false, true} {
			i.forgetLines(wait)
			for _, raw := range [][]byte{line, line, other, other, line} {
				checkLine(t, i, raw)
			}
		}
	})
}

func BenchmarkDecodeForeign(b *testing.B) {
	i := quickIngester(b)
	for n, name := range []string{"nginx", "ECS", "combined"} {
		line := append(foreignLines(b)[:2], []byte(`10.165.125.17 - - [22/Nov/2026:02:19:00 +0000] "GET /v1/shipments/82586 HTTP/1.1" 200 7244 "-" "python-requests/2.32.3"`))[n]
		b.Run(name, func(b *testing.B) {
			i.forgetLines(false)
			e := foreignEndpoint(new(int))
			batch := batch{source: "s", redactor: i.redactor, at: testNow(), equals: newEquals()}
			s := newSplitter(line)
			p, _ := s.next()
			b.ReportAllocs()
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				i.decode(&batch, p, e)
			}
		})
	}
}
