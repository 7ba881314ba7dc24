package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

// The name of a record without an id must stay what it is: a record that comes again is known by it.
func TestContentKey(t *testing.T) {
	red := testRedactor(t)
	for range 3 {
		for _, kind := range []string{"response", "token"} {
			mac := hmac.New(sha256.New, red.key)
			mac.Write([]byte("authwatch/dedupe/v1\x00" + kind + "\x00" + `{"a":[1.0,"<é>",null],"b":{}}`))
			want := "content:" + hex.EncodeToString(mac.Sum(nil))
			value, _ := parseValue([]byte(`{ "b":{}, "a":[1.0,"<\u00e9>",null]}`))
			if got := red.contentKey(kind, value); got != want || !isContentKey(got) {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
}

// A known value is found by the marker that a record has in its place, wherever it stood.
func TestMarkers(t *testing.T) {
	red := testRedactor(t)
	const jwt = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJpc3MiOiJodHRwczovL2FzLmxhYi50ZXN0Iiwic3ViIjoiYyJ9.c2lnbmF0dXJlc2lnbmF0dXJl"
	const secret = "q7Zt4Xw9Lm2Kp8Vn5Rb3Hc6Jd1Fg0SaYeUiQoW"
	for value, record := range map[string]string{
		jwt:              `{"time":"2026-11-22T02:19:00Z","request":{"headers":{"authorization":"Bearer ` + jwt + `"}},"response":{"status":401}}`,
		secret:           `{"time":"2026-11-22T02:19:00Z","request":{"body":"client_secret=` + secret + `"},"response":{"status":401}}`,
		secret + "\n":    `{"time":"2026-11-22T02:19:00Z","request":{"headers":{"authorization":"Bearer ` + secret + `"}},"response":{"status":401}}`,
		" " + secret:     `{"time":"2026-11-22T02:19:00Z","request":{"url":"https://a.test/cb?code=` + secret + `"},"response":{"status":401}}`,
		"\t" + jwt + " ": `{"time":"2026-11-22T02:19:00Z","error":"refused ` + jwt + `","response":{"status":401}}`,
	} {
		records, bad := Decode([]byte(record), red)
		if len(records) != 1 {
			t.Fatalf("%v", bad)
		}
		stored, err := json.Marshal(records[0].Record)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, marker := range red.Markers(value) {
			found = found || strings.Contains(string(stored), marker)
		}
		if !found {
			t.Errorf("%v not in %s", red.Markers(value), stored)
		}
	}
	for _, value := range []string{"", " ", "[set]"} {
		if got := red.Markers(value); len(got) != 0 {
			t.Errorf("%q: %v", value, got)
		}
	}
}
