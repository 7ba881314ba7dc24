package main

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
)

// hostileRecord is a refused token request whose assertion has these header parameters and claims.
func hostileRecord(id, header, claims, more string) string {
	return fmt.Sprintf(`{"time":%q,"id":%q,"request":{"method":"POST","url":"https://pmx-prod.us.auth0.com/oauth/token"},"response":{"status":401,"body":{"error":"invalid_client"}},"client_assertion":{"header":%s,"claims":%s}%s}`,
		time.Now().UTC().Format(time.RFC3339), id, header, claims, more)
}

// Rows 14, 16, 29, 30 and 36 of the attack table: one hostile record spoils no list, no page and no metric, and nothing in it
// makes the server connect to anywhere.
func TestAttack_WholeService(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	shipper, reader := s.key("ingest"), s.key("read")
	tempting, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tempting.Close()
	connected := make(chan struct{}, 1)
	go func() {
		for {
			conn, err := tempting.Accept()
			if err != nil {
				return
			}
			connected <- struct{}{}
			conn.Close()
		}
	}()
	lure := "http://" + tempting.Addr().String() + "/x"
	records := append(hostileTokens(lure), manyNames(3000)...)
	if a := s.post(shipper, "/ingest/v1/responses", []byte(strings.Join(records, "\n"))); a.Accepted != len(records) {
		t.Fatalf("%+v", a)
	}
	s.settle()
	// None of the failures is lost; of the names no more become incidents than may.
	for path, rows := range map[string][2]int{"/api/v1/failures": {len(records), len(records)}, "/api/v1/incidents": {900, 1100}, "/api/v1/clients": {900, 1100}} {
		if n := len(list[json.RawMessage](s, reader, path)); n < rows[0] || n > rows[1] {
			t.Errorf("%s has %d rows", path, n)
		}
	}
	s.signIn()
	for _, path := range []string{"/", "/incidents", "/clients", "/environments", "/sources", "/causes"} {
		if text := string(s.page(path)); strings.Contains(text, "<script>alert") || strings.Contains(text, "<img src=x") || strings.Contains(text, "<b>x</b>") {
			t.Errorf("%s holds markup of a record", path)
		}
	}
	for _, f := range list[struct {
		ID       string
		RecordID string `json:"record_id"`
	}](s, reader, "/api/v1/failures") {
		if !strings.HasPrefix(f.RecordID, "many") {
			s.get(http.DefaultClient, reader, "/api/v1/failures/"+f.ID)
			s.page("/failures/" + f.ID)
		}
	}
	series := 0
	for line := range strings.Lines(string(s.get(http.DefaultClient, reader, "/metrics"))) {
		if !strings.HasPrefix(line, "#") {
			series++
		}
	}
	if series > 2000 {
		t.Errorf("%d series", series)
	}
	select {
	case <-connected:
		t.Error("the server connected to an address of a token")
	default:
	}
}

// hostileTokens are records whose tokens hold what breaks those who trust them, and addresses that should not be asked.
func hostileTokens(lure string) []string {
	return []string{
		hostileRecord("ms", `{"alg":"RS256"}`, `{"iss":"a","exp":1795316340000}`, ""),
		hostileRecord("far", `{"alg":"RS256"}`, `{"iss":"a","exp":1e18,"iat":1e300,"nbf":-1e300}`, ""),
		hostileRecord("lure", fmt.Sprintf(`{"alg":"RS256","jku":%q,"x5u":%q,"kid":%q}`, lure, lure, lure), fmt.Sprintf(`{"iss":%q,"picture":%q,"jwks_uri":%q,"logo_uri":%q}`, lure, lure, lure, lure), ""),
		hostileRecord("kid1", `{"alg":"RS256","kid":"../../dev/null"}`, `{"iss":"' UNION SELECT 1 --"}`, ""),
		hostileRecord("kid2", `{"alg":"RS256","kid":"|id {{7*7}} ${jndi:ldap://x}"}`, `{"iss":"{{7*7}}"}`, ""),
		hostileRecord("kid3", `{"alg":"RS256","kid":"`+strings.Repeat("k", 100_000)+`"}`, `{"iss":"a"}`, ""),
		hostileRecord("proto", `{"alg":"RS256"}`, `{"__proto__":{"x":1},"constructor":"c","toString":1}`, ""),
		hostileRecord("html", `{"alg":"RS256","kid":"<script>alert(1)</script>"}`, `{"iss":"\"><img src=x onerror=alert(1)>"}`, `,"client_id":"<b>x</b>"`),
	}
}

// manyNames are records of which each names a client, a key, an environment and a user agent of its own.
func manyNames(count int) (list []string) {
	for n := range count {
		list = append(list, hostileRecord(fmt.Sprint("many", n), fmt.Sprintf(`{"alg":"RS256","kid":"k%d"}`, n), fmt.Sprintf(`{"iss":"i%d"}`, n),
			fmt.Sprintf(`,"client_id":"c%d","environment":"e%d","user_agent":"u%d"`, n, n, n)))
	}
	return list
}

// Row 5: HTTP/2 without TLS is not spoken.
func TestAttack_NoCleartextHTTP2(t *testing.T) {
	s := startServer(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil && resp.StatusCode < 400 {
		t.Errorf("%s", resp.Status)
	}
}
