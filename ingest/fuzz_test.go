package ingest

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever the body: no panic, every part is answered once, and what is kept can be stored and listed.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add([]byte(v.Record))
	}
	for _, seed := range []string{
		goodRecord, "[" + goodRecord + "," + goodRecord + "]", goodRecord + "\n{oops}\n", "[[{", "[1,,]", "{\"a\":\"\xff\"}", "\"", "[", "]", ",",
		`{"time":"2026-11-22T02:19:00Z","access_token":"..","response":{"status":1e3}}`,
		`{"time":"2026-11-22T02:19:00Z","access_token":{"header":[],"claims":{"exp":1e400,"aud":[{}]}}}`,
		`{"time":"2026-11-22T02:19:00Z","request":{"url":"://@%zz?%=&&#","headers":{"Authorization":["Bearer","",null]},"body":"%"}}`,
		`{"time":"2026-11-22T02:19:00Z","error":"\\\"token\\\":\\\""}`,
	} {
		f.Add([]byte(seed))
	}
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		records, bad := Decode(body, red)
		seen := map[int]bool{}
		for _, r := range records {
			seen[r.Index] = true
			stored, err := json.Marshal(r.Record)
			if err != nil {
				t.Fatalf("record cannot be stored: %v", err)
			}
			if !utf8.Valid(stored) || strings.Contains(string(stored), `\u0000`) {
				t.Fatalf("record holds what no database takes: %q", stored)
			}
		}
		for _, b := range bad {
			if seen[b.Index] {
				t.Fatalf("part %d is both good and bad", b.Index)
			}
			seen[b.Index] = true
		}
		for i := range len(seen) {
			if !seen[i] {
				t.Fatalf("part %d of %d is not answered", i, len(seen))
			}
		}
		if _, err := DecodePasted(body, red, testNow()); err != nil && len(err.Error()) > 300 {
			t.Fatalf("error text of %d bytes", len(err.Error()))
		}
	})
}

// Whatever stands around it, a token does not survive; and redacting twice changes nothing more in the last net's eyes.
func FuzzRedactor(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""}, {"Bearer ", " x"}, {`{"a":"`, `"}`}, {"https://h/p?access_token=", "&b=c"}, {"%7B%22t%22%3A%22", "%22%7D"},
		{"-----BEGIN CERTIFICATE-----", "-----END"}, {`client_secret\":\"`, `\"`}, {"Cookie: a=", "; b=c"}, {"[jwt ", "]"}, {"a.b.", ".c"}, {"{{{", "}}}"}, {"e", "="},
	} {
		f.Add(seed[0], seed[1])
	}
	red := testRedactor(f)
	token := rv01(f)
	payload := strings.Split(token, ".")[1][10:70]
	f.Fuzz(func(t *testing.T, before, after string) {
		before, after = cleanText(before), cleanText(after)
		w := &walk{Redactor: red}
		got := w.text(before + token + after)
		if strings.Contains(got, payload) {
			t.Errorf("the token is left in %q", got)
		}
		if again := (&walk{Redactor: red}).shapes(got); !w.failed && again != got {
			t.Errorf("the last net finds more: %q in %q", again, got)
		}
		w.headerText("authorization", before+token+after)
		w.url(before, 0)
		w.body(after)
		w.setCookieNames(before)
	})
}
