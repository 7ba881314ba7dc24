package ingest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// The rows are those of the attack table in docs/security.md; what other tests show is named there.

// Row 3: a request whose length is told in two ways, or wrongly, is refused or never ends as one; nothing of it is stored.
func TestAttack_Framing(t *testing.T) {
	s := newService(t, nil)
	head := "POST " + responses + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + s.key + "\r\n"
	chunk := fmt.Sprintf("%x\r\n%s\r\n", len(goodRecord), goodRecord)
	for name, request := range map[string]string{
		"two lengths":           head + fmt.Sprintf("Content-Length: %d\r\nContent-Length: 3\r\n\r\n%s", len(goodRecord), goodRecord),
		"bare LF in a chunk":    head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Replace(chunk, "\r\n", "\n", 1) + "0\r\n\r\n",
		"chunk without its end": head + "Transfer-Encoding: chunked\r\n\r\n" + chunk,
		"chunk of a wrong size": head + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n" + goodRecord + "\r\n0\r\n\r\n",
		"million extensions":    head + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 1<<20) + "\r\n{\r\n0\r\n\r\n",
		"odd encoding":          head + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunk + "0\r\n\r\n",
		"short":                 head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(goodRecord)+50, goodRecord),
	} {
		conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		go func() {
			io.WriteString(conn, request) // the server may hang up before it is written
			conn.(*net.TCPConn).CloseWrite()
		}()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil && resp.StatusCode < 400 {
			t.Errorf("%s: %s", name, resp.Status)
		}
		conn.Close()
	}
	// With both, the chunks count and the connection ends (RFC 9112 section 6.3): no second request can hide behind them.
	if n := len(s.failures()); n != 0 {
		t.Errorf("%d failures were stored", n)
	}
}

// Row 6: a line too long costs itself; empty lines are nothing.
func TestAttack_Lines(t *testing.T) {
	s := newService(t, nil)
	long := `{"time":"2026-11-22T02:19:00Z","error":"` + strings.Repeat("x", maxRecord) + `"}`
	a := s.post(responses, goodRecord+"\n"+long+"\n"+strings.Repeat("\n", 10_000_000)+equalRecord(1))
	if a.Received != 3 || a.Accepted != 2 || a.Errors[0].Code != "record_too_large" {
		t.Errorf("%+v", a)
	}
	resp, text := s.send(responses, strings.Repeat("x", maxInflated+1))
	if resp.StatusCode != 413 {
		t.Errorf("a line larger than a body may be: %d %s", resp.StatusCode, text)
	}
}

// Row 6: a record that is too large costs itself alone, also where others stand behind it in its line.
func TestAttack_BehindLarge(t *testing.T) {
	large := `{"error":"` + strings.Repeat("x{", maxRecord/2) + `"}`
	for name, body := range map[string]string{
		"lines": goodRecord + "\n" + large + "\n" + goodRecord, "concatenated": goodRecord + large + goodRecord, "array": "[" + goodRecord + "," + large + "," + goodRecord + "]",
	} {
		records, bad := Decode([]byte(body), testRedactor(t))
		if len(records) != 2 || len(bad) != 1 || bad[0].Code != "record_too_large" {
			t.Errorf("%s: %d records, %v", name, len(records), bad)
		}
	}
}

// Rows 10 and 37: what is no text, or turns text around, is stored as something that can be read back.
func TestAttack_Text(t *testing.T) {
	s := newService(t, nil)
	for n, odd := range []string{"\xff\xfe", "\x00", `\u0000`, `\ud800`, "\ufeff", "\u202e", "\u200b", "раураl", "\xed\xa0\x80"} {
		a := s.post(responses, goodRecord+"\n"+strings.Replace(equalRecord(n), `"client_id":"client-e"`, `"client_id":"c`+odd+`","id":"`+odd+fmt.Sprint(n)+`"`, 1))
		if a.Received != 2 || a.Accepted+a.Duplicates+a.Rejected != 2 {
			t.Errorf("%q: %+v", odd, a)
		}
	}
	for _, f := range s.failures() {
		if !json.Valid(f.Record) || strings.ContainsRune(f.Verdict.ClientID, 0) {
			t.Errorf("%q %q", f.Record, f.Verdict.ClientID)
		}
	}
	if n := len(s.failures()); n < 8 {
		t.Errorf("%d failures", n)
	}
}

// Row 11: whole lines are stored when a shipper ends in the middle of one.
func TestAttack_HalfLine(t *testing.T) {
	s := newService(t, nil)
	a := s.post(responses, goodRecord+"\n"+equalRecord(1)[:60])
	if a.Accepted != 1 || a.Rejected != 1 || a.Errors[0].Code != "cut_off" {
		t.Errorf("%+v", a)
	}
}

// tokenRecord is a refused call with that Authorization header.
func tokenRecord(authorization string) string {
	text, _ := json.Marshal(authorization)
	return `{"time":"2026-11-22T02:19:00Z","request":{"method":"GET","url":"https://api.lab.test/v1","headers":{"authorization":` + string(text) + `}},"response":{"status":401}}`
}

func unsigned(header, payload string) string {
	return segment(header) + "." + segment(payload) + "." + segment("sixteen bytes ok")
}

// Rows 24 to 28, 31 and 34 to 36: no token, whatever is in it, costs more than its record, and none is taken for a good one.
func TestAttack_Tokens(t *testing.T) {
	red := testRedactor(t)
	nested := unsigned(`{"alg":"RS256"}`, `{"jti":"innermost"}`)
	for range 20 {
		nested = unsigned(`{"alg":"RS256","cty":"JWT"}`, nested)
	}
	many := strings.TrimSuffix(strings.Repeat(`"https://a.test",`, 10_000), ",")
	for name, token := range map[string]string{
		"alg none":       unsigned(`{"alg":"none"}`, `{"iss":"a"}`),
		"alg nOnE":       unsigned(`{"alg":"nOnE"}`, `{"iss":"a"}`),
		"alg list":       unsigned(`{"alg":[]}`, `{"iss":"a"}`),
		"alg object":     unsigned(`{"alg":{}}`, `{"iss":"a"}`),
		"alg of 10 KB":   unsigned(`{"alg":"`+strings.Repeat("R", 10<<10)+`"}`, `{"iss":"a"}`),
		"alg unknown":    unsigned(`{"alg":"ES256K"}`, `{"iss":"a"}`),
		"header null":    unsigned(`null`, `{"iss":"a"}`),
		"payload null":   unsigned(`{"alg":"RS256"}`, `null`),
		"payload list":   unsigned(`{"alg":"RS256"}`, `[]`),
		"payload number": unsigned(`{"alg":"RS256"}`, `42`),
		"payload empty":  unsigned(`{"alg":"RS256"}`, ``),
		"dots":           strings.Repeat(".", 200_000),
		"long segment":   "eyJhbGciOiJSUzI1NiJ9." + strings.Repeat("A", 200_000) + ".AAAA",
		"JWE zip":        unsigned(`{"alg":"dir","enc":"A256GCM","zip":"DEF"}`, "x") + ".AAAA.AAAA",
		"JWE p2c":        unsigned(`{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2c":2147483648}`, "x") + ".AAAA.AAAA",
		"x5c":            unsigned(`{"alg":"RS256","x5c":[`+strings.TrimSuffix(strings.Repeat(`"MIIB",`, 1000), ",")+`]}`, `{"iss":"a"}`),
		"nested":         nested,
		"aud of 10 k":    unsigned(`{"alg":"RS256"}`, `{"aud":[`+many+`]}`),
		"exp list":       unsigned(`{"alg":"RS256"}`, `{"exp":[1],"scope":{"a":1},"iat":true,"nbf":"x"}`),
		"prototype":      unsigned(`{"alg":"RS256"}`, `{"__proto__":{"a":1},"constructor":"x","toString":1}`),
	} {
		start := time.Now()
		records, bad := Decode([]byte(tokenRecord("Bearer "+token)), red)
		if len(records)+len(bad) != 1 {
			t.Fatalf("%s: %d records, %v", name, len(records), bad)
		}
		for _, r := range records {
			stored, err := json.Marshal(r.Record)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if strings.Contains(string(stored), segment("sixteen bytes ok")) {
				t.Errorf("%s: the signature is kept: %.300s", name, stored)
			}
			x := classify.New(nil, nil).Locate(&r.Record)
			if v := classify.Classify(x, classify.History{}); v.Cause == "" {
				t.Errorf("%s: no verdict", name)
			}
		}
		if took := time.Since(start); took > 20*time.Second { // seconds of slack for a busy machine; what is not linear takes minutes
			t.Errorf("%s took %v", name, took)
		}
	}
}

// Row 38: of two Authorization headers neither is kept raw.
func TestAttack_TwoAuthorizations(t *testing.T) {
	red := testRedactor(t)
	const a, b = "Zk3mQ8vXw1LpR6tYcN0d", "Hj7sUe2BfGa9KxDq5oTi"
	for _, record := range []string{
		tokenRecord("Bearer " + a + ", Bearer " + b),
		strings.Replace(tokenRecord("x"), `"x"`, `["Bearer `+a+`","Bearer `+b+`"]`, 1),
		strings.Replace(tokenRecord("Bearer "+a), `"authorization":`, `"Authorization":"Bearer `+b+`","authorization":`, 1),
	} {
		records, bad := Decode([]byte(record), red)
		if len(records) != 1 {
			t.Fatalf("%v", bad)
		}
		stored, _ := json.Marshal(records[0].Record)
		if strings.Contains(string(stored), a) || strings.Contains(string(stored), b) || strings.Count(string(stored), "fp1:") != 2 {
			t.Errorf("%s", stored)
		}
	}
}

// Row 21: junk that names a victim's client does not touch the victim's own incident.
func TestAttack_NamesAVictim(t *testing.T) {
	s := newService(t, testProfile())
	s.post(responses, tokenRequest(50, "real", 401, `,"client_assertion":`+assertionAt(50, "x1", "https://api.lab.test")))
	real := s.snapshot().Incidents
	if len(real) != 1 {
		t.Fatalf("%d incidents", len(real))
	}
	for n, authorization := range []string{"Bearer x.y.z", "Bearer " + unsigned(`{"alg":"none","kid":"key-of-client-a"}`, `{"iss":"client-a","sub":"client-a","client_id":"client-a","aud":"https://api.lab.test","exp":1}`)} {
		s.post(responses, strings.Replace(tokenRecord(authorization), `"request"`, fmt.Sprintf(`"id":"junk-%d","client_id":"client-a","request"`, n), 1))
	}
	for _, i := range s.snapshot().Incidents {
		if i.Cause == real[0].Cause && fmt.Sprint(i) != fmt.Sprint(real[0]) {
			t.Errorf("was %+v\nis  %+v", real[0], i)
		}
	}
	if n := len(s.failures()); n != 3 {
		t.Errorf("%d failures", n)
	}
}

// Row 20: a storm of names that nobody has heard of opens few incidents, and every failure is counted.
func TestAttack_StormOfNames(t *testing.T) {
	s := newService(t, nil)
	s.server.Close()
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	s.newIncidents = 50
	s.start()
	var body strings.Builder
	for n := range 3000 {
		fmt.Fprintf(&body, `{"time":"2026-11-22T03:00:00Z","id":"storm-%d","client_id":"made-up-%d","environment":"e%d","response":{"status":401}}`+"\n", n, n, n%500)
	}
	for range 2 {
		s.post(responses, body.String())
	}
	if n := len(s.failures()); n != 3000 {
		t.Errorf("%d failures", n)
	}
	incidents, _, err := s.store.ListIncidents(t.Context(), store.IncidentFilter{Page: store.Page{Limit: 200}})
	if err != nil || len(incidents) > 50+21 {
		t.Errorf("%d incidents, %v", len(incidents), err)
	}
	var failures int64
	for _, i := range incidents {
		failures += i.Count
	}
	if failures != 3000 {
		t.Errorf("incidents count %d failures", failures)
	}
	if m := s.source().Minutes[0]; m.Gathered != 2950 || m.Accepted != 3000 {
		t.Errorf("%+v", m)
	}
	if got := s.counter("authwatch_gathered_failures_total"); got != 2950 {
		t.Errorf("%v gathered", got)
	}
}
