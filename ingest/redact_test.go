package ingest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"authwatch/classify"
)

// testRedactor has the key of the worked example: 00 01 … 1f.
func testRedactor(t testing.TB) *Redactor {
	t.Helper()
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	r, err := NewRedactor(key)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A vector is a synthetic record with what must not and what must survive its redaction.
type vector struct {
	ID     string          `json:"id"`
	Record json.RawMessage `json:"record"`
	Forbid []string        `json:"forbid"`
	Keep   []string        `json:"keep"`
	Note   string          `json:"note"`
}

func vectors(t testing.TB) []vector {
	t.Helper()
	file, err := os.Open("testdata/redaction-vectors.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []vector
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	if len(out) != 52 {
		t.Fatalf("%d vectors, want 52", len(out))
	}
	return out
}

// leak finds a forbidden text in data: as it is, across line breaks and backslashes, in hexadecimal, UTF-16,
// percent-encoded, and in base64 at any of the three offsets.
func leak(data []byte, forbidden []string) string {
	joined := strings.NewReplacer("\n", "", "\r", "", "\\n", "", "\\", "").Replace(string(data))
	for _, f := range forbidden {
		forms := map[string]string{
			"raw": f, "hex": hex.EncodeToString([]byte(f)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(f))),
			"percent": url.QueryEscape(f), "UTF-16": utf16Text(f), "reversed alphabet": strings.NewReplacer("-", "+", "_", "/").Replace(f),
		}
		for offset := range 3 {
			padded := append(bytes.Repeat([]byte{'x'}, offset), f...)
			encoded := base64.RawStdEncoding.EncodeToString(padded)
			forms[fmt.Sprintf("base64 at %d", offset)] = encoded[min(4, 2*offset) : len(encoded)-2]
		}
		for form, text := range forms {
			if len(text) > 5 && (bytes.Contains(data, []byte(text)) || strings.Contains(joined, text)) {
				return form + " of " + f[:min(len(f), 12)] + "…"
			}
		}
	}
	return ""
}

func utf16Text(s string) string {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return string(out)
}

func decodeOne(t testing.TB, red *Redactor, body []byte) classify.Record {
	t.Helper()
	records, bad := Decode(body, red)
	if len(bad) > 0 || len(records) != 1 {
		t.Fatalf("%d records, errors %v", len(records), bad)
	}
	return records[0].Record
}

func TestDecode_Vectors(t *testing.T) {
	red := testRedactor(t)
	for _, v := range vectors(t) {
		t.Run(v.ID, func(t *testing.T) {
			rec := decodeOne(t, red, v.Record)
			var stored bytes.Buffer
			enc := json.NewEncoder(&stored)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(rec); err != nil {
				t.Fatal(err)
			}
			if rec.Error == "redaction_failed" {
				t.Error("the record failed closed")
			}
			if found := leak(stored.Bytes(), v.Forbid); found != "" {
				t.Errorf("%s: %s leaks in %s", v.Note, found, stored.Bytes())
			}
			for _, keep := range v.Keep {
				if !strings.Contains(stored.String(), keep) {
					t.Errorf("%s: %q is lost in %s", v.Note, keep, stored.Bytes())
				}
			}
		})
	}
}

// Each forbidden text, planted alone, must be found by the test itself.
func TestLeak_Finds(t *testing.T) {
	const secret = "aw5yN0tSRUFMc2VjcmV0X2NhbmFyeV8wMDAx"
	for _, planted := range []string{
		secret, hex.EncodeToString([]byte(secret)), utf16Text(secret), secret[:9] + "\\n" + secret[9:],
		base64.StdEncoding.EncodeToString([]byte("id:" + secret + ";")), base64.StdEncoding.EncodeToString([]byte("a" + secret)),
		base64.StdEncoding.EncodeToString([]byte("ab" + secret)),
	} {
		if leak([]byte("… "+planted+" …"), []string{secret}) == "" {
			t.Errorf("not found in %q", planted)
		}
	}
}

// rv01 is the token of vector RV01.
func rv01(t testing.TB) string {
	t.Helper()
	var rec struct {
		Request struct {
			Headers map[string]string `json:"headers"`
		} `json:"request"`
	}
	if err := json.Unmarshal(vectors(t)[0].Record, &rec); err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(rec.Request.Headers["authorization"], "Bearer ")
}

func TestFingerprint_WorkedExample(t *testing.T) {
	red := testRedactor(t)
	if got := red.fingerprint("secret", "aw5yN0tSRUFMc2VjcmV0X2NhbmFyeV8wMDAx"); got != "fp1:544t2soklkloq53eseea" {
		t.Errorf("got %s", got)
	}
}

// One token has one fingerprint, however it is spelled.
func TestMarker_OneTokenOneFingerprint(t *testing.T) {
	red := testRedactor(t)
	token := rv01(t)
	const want = "[jwt fp1:jwpiqrmhxjnh7axtp4od …mPwP]"
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(token)
	wrapped := token[:64] + "\n" + token[64:128] + "\r\n  " + token[128:]
	for name, text := range map[string]string{
		"plain": token, "standard alphabet": standard, "padded": strings.ReplaceAll(token, ".", "==.") + "==", "wrapped": wrapped,
	} {
		w := &walk{Redactor: red}
		if got := w.text("got " + text + " here"); got != "got "+want+" here" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestAuthorization(t *testing.T) {
	token := rv01(t)
	two := token[:strings.LastIndexByte(token, '.')]
	const jwt = "[jwt fp1:jwpiqrmhxjnh7axtp4od …mPwP]"
	const opaque = "hLpPRB65Mo9RsZ-Y49pzMX7WcODFXYJtx2FxJ-oNwEZ"
	const hidden = "[opaque fp1:qfklhxmsl6hd574k6taj …NwEZ]"
	tests := []struct{ in, want string }{
		{"Bearer " + token, "Bearer " + jwt},
		{"bearer  " + token, "bearer  " + jwt},
		{"Bearer Bearer " + token, "Bearer Bearer " + jwt},
		{"Bearer " + token + ", Bearer " + opaque, "Bearer " + jwt + ", Bearer " + hidden},
		{token, jwt},
		{opaque, hidden},
		{"Token " + token, "Token " + jwt},
		{`Bearer "` + token + `"`, `Bearer "` + jwt + `"`},
		{"Bearer:" + token, "Bearer:" + jwt},
		{"Bearer " + two, "Bearer [malformed: 2 segments]"},
		{"Bearer " + token + "." + opaque, "Bearer [malformed: 4 segments]"},
		{"Bearer " + strings.Split(token, ".")[0], "Bearer [malformed: 1 segment]"},
		{"Bearer abc.def.ghi", "Bearer [malformed: 3 segments]"},
		{"Bearer ya29.a0AfH6SMBxyz", "Bearer [opaque fp1:"},
		{"Bearer " + opaque, "Bearer " + hidden},
		{"Basic Y2xpZW50LWE6c3ludGhldGlj", "Basic [client-a:set]"},
		{"Basic not-base64!", "Basic [opaque fp1:"},
		{"Bearer", "Bearer"},
		{"Bearer ", "Bearer "},
		{"", ""},
		{"Bearer undefined", "Bearer undefined"},
		{"Bearer ${ACCESS_TOKEN}", "Bearer ${ACCESS_TOKEN}"},
		{"Bearer ****", "Bearer [redacted]"},
		{"swordfish", "[opaque fp1:"},
		{"Bearer [jwt]", "Bearer [jwt]"},
		{"Bearer [opaque]", "Bearer [opaque]"},
		{"Bearer [malformed: 3 segments]", "Bearer [malformed: 3 segments]"},
		{"Bearer Bearer [jwt]", "Bearer Bearer [jwt]"},
		{"Bearer " + jwt, "Bearer " + jwt},
		{"[redacted]", "[redacted]"},
		{"[jwt " + opaque + "]", "[opaque fp1:"}, // not a marker, though it looks like one
	}
	for _, tt := range tests {
		w := &walk{Redactor: testRedactor(t), side: sideRequest}
		got := w.headerText("authorization", tt.in)
		if got != tt.want && !(strings.HasSuffix(tt.want, "fp1:") && strings.HasPrefix(got, tt.want)) {
			t.Errorf("%.40q: got %q, want %q", tt.in, got, tt.want)
		}
		if again := w.headerText("authorization", got); again != got {
			t.Errorf("%.40q: redacting twice gives %q after %q", tt.in, again, got)
		}
	}
}

// The samples of the redaction contract and their neighbours: what must go, and what must not.
func TestText(t *testing.T) {
	token := rv01(t)
	const jwt = "[jwt fp1:jwpiqrmhxjnh7axtp4od …mPwP]"
	const secret = "aw5yN0tSRUFMc2VjcmV0X2NhbmFyeV8wMDAx"
	tests := []struct{ in, want string }{
		{"/v1/orders?access_token=" + token + "&page=2", "/v1/orders?access_token=" + jwt + "&page=2"},
		{"https://svc:pw@host/v1", "https://svc:[set]@host/v1"},
		{"GET https://host/v1?client_secret=hunter2 401", "GET https://host/v1?client_secret=[set] 401"},
		{`{"error":"invalid_grant","code":"ERR_JWT_EXPIRED"}`, `{"error":"invalid_grant","code":"ERR_JWT_EXPIRED"}`},
		{"password-less token required; token_type must be at+jwt", "password-less token required; token_type must be at+jwt"},
		{"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAAS", "[private key, PKCS#8, cut]"},
		{`{"kty":"RSA","kid":"k1","n":"AQAB","d":"c2VjcmV0"}`, `{"d":"[private]","kid":"k1","kty":"RSA","n":"AQAB"}`},
		{"GET /cb?code=SplxlOBeZQQYbYS6WxSbIA&state=af0ifjsldkj 302", "GET /cb?code=[code fp1:"},
		{"exit code=SplxlOBeZQQYbYS6WxSbIA", "exit code=SplxlOBeZQQYbYS6WxSbIA"},
		{"client_secret=" + secret + " rejected", "client_secret=[secret fp1:544t2soklkloq53eseea] rejected"},
		{`config {"clientSecret":"` + secret + `" (cut`, `config {"clientSecret":"[secret fp1:544t2soklkloq53eseea]" (cut`},
		{`{\"client_secret\":\"` + secret + `\"}`, `{\"client_secret\":\"[secret fp1:544t2soklkloq53eseea]\"}`},
		{"client-secret: " + secret, "client-secret: [secret fp1:544t2soklkloq53eseea]"},
		{"password=correct", "password=[set]"},
		{"access_token: expired", "access_token: expired"},
		{"no claims in token: go-jose/go-jose/jwt: no number", "no claims in token: go-jose/go-jose/jwt: no number"},
		{"bad token: github.com/golang-jwt/jwt/v5: expired", "bad token: github.com/golang-jwt/jwt/v5: expired"},
		{"token: aGk3bc/x9.Qw2: no", "token: [opaque fp1:"},
		{`Post "https://id.example/oauth/token": EOF`, `Post "https://id.example/oauth/token": EOF`},
		{`Post "https://id.example/oauth/token": ` + secret, `Post "https://id.example/oauth/token": [opaque fp1:`},
		{"missing bearer token authentication_required", "missing bearer token authentication_required"},
		{"Authorization: Bearer hLpPRB65Mo9RsZ-Y49pzMX7WcODFXYJtx2FxJ-oNwEZ", "Authorization: Bearer [opaque fp1:qfklhxmsl6hd574k6taj …NwEZ]"},
		{"sent Bearer hLpPRB65Mo9RsZ-Y49pzMX7WcODFXYJtx2FxJ-oNwEZ, got 401", "sent Bearer [opaque fp1:qfklhxmsl6hd574k6taj …NwEZ], got 401"},
		{"curl -u with Basic Y2xpZW50LWE6c3ludGhldGlj", "curl -u with Basic [client-a:set]"},
		{"token 6f1f2a0e-5b0c-4c51-9f7e-0d6f1c1b2a3d is unknown", "token 6f1f2a0e-5b0c-4c51-9f7e-0d6f1c1b2a3d is unknown"},
		{"Cookie: theme=dark; SESSION=9f2d1c", "Cookie: theme=[set]; SESSION=[set]"},
		{"leaked glpat-4xbINl6I_MtQyQ-yE0Pv", "leaked [opaque fp1:yxamltzcmkargg3d5m4c]"},
		{"token " + token + ". It expired", "token " + jwt + ". It expired"},
		{"Bearer%20" + strings.ReplaceAll(token, ".", "%2E"), "Bearer " + jwt},
		{"glued" + token, "glued" + jwt},
		{"jwt expired at 2026-11-22T02:19:00.123Z", "jwt expired at 2026-11-22T02:19:00.123Z"},
		{"com.example.orders.Service v1.2.3", "com.example.orders.Service v1.2.3"},
		{`"iat" claim timestamp check failed (too far in the past)`, `"iat" claim timestamp check failed (too far in the past)`},
		{"Public key not found, check client_id, kid and Redox dashboard settings", "Public key not found, check client_id, kid and Redox dashboard settings"},
		{"ERR_JWKS_NO_MATCHING_KEY: no applicable key found", "ERR_JWKS_NO_MATCHING_KEY: no applicable key found"},
	}
	for _, tt := range tests {
		w := &walk{Redactor: testRedactor(t)}
		got := w.text(tt.in)
		if got != tt.want && !(strings.HasSuffix(tt.want, "fp1:") && strings.HasPrefix(got, tt.want)) {
			t.Errorf("%.60q:\n got %q\nwant %q", tt.in, got, tt.want)
		}
		if again := w.text(got); again != got {
			t.Errorf("%.60q: redacting twice gives %q after %q", tt.in, again, got)
		}
	}
}

// A token in any field, any part of a URL, any name and any encoding stays out of what is stored.
func TestDecode_TokenAnywhere(t *testing.T) {
	token := rv01(t)
	forbid := vectors(t)[0].Forbid
	fields := []string{
		`"id":"@"`, `"provider":"@"`, `"environment":"@"`, `"service":"@"`, `"client_id":"@"`, `"request_id":"@"`, `"trace_id":"@"`, `"client_ip":"@"`,
		`"user_agent":"@"`, `"error":"@"`, `"request":{"method":"@"}`, `"request":{"url":"@"}`, `"request":{"url":"https://@/"}`, `"request":{"url":"https://@:x\u0040h/"}`, `"request":{"url":"https://u:@\u0040h/"}`,
		`"request":{"url":"/@"}`, `"request":{"url":"/a?@"}`, `"request":{"url":"/a?@=1"}`, `"request":{"url":"/a?x=@"}`, `"request":{"url":"/a#@"}`, `"request":{"url":"/a;jsessionid=@"}`,
		`"request":{"headers":{"@":"x"}}`, `"request":{"headers":{"x-any":"@"}}`, `"request":{"headers":{"x-any":["a",{"b":"@"}]}}`, `"request":{"headers":{"cookie":"@"}}`,
		`"request":{"headers":{"cookie":"@=1"}}`, `"response":{"headers":{"set-cookie":"a=@; Path=/@"}}`, `"response":{"headers":{"www-authenticate":"Bearer error=\"@\""}}`,
		`"response":{"headers":{"location":"https://h/?x=@"}}`, `"request":{"body":"@"}`, `"request":{"body":{"@":1}}`, `"request":{"body":[["@"]]}`, `"request":{"body":"a=b&c=@"}`,
		`"response":{"body":"{\"a\":\"{\\\"b\\\":\\\"@\\\"}\"}"}`, `"response":{"body":"<html>@</html>"}`, `"client_assertion":{"header":{"@":"@"},"claims":{"@":"@","sub":"@","aud":["@",{"@":"@"}]}}`,
		`"access_token":{"header":{"jwk":{"kty":"EC","@":"@"}},"claims":{"cnf":{"@":"@","jkt":"@"}},"malformed":"@","signature":"@"}`, `"access_token":"@"`, `"error":"x.@"`, `"error":"@.x"`, `"error":"@@"`,
	}
	encodings := map[string]string{
		"plain": token, "percent": strings.ReplaceAll(token, ".", "%2E"), "percent twice": strings.ReplaceAll(token, ".", "%252E"),
		"base64": base64.StdEncoding.EncodeToString([]byte(token)), "in words": "see " + token + " here", "bearer": "Bearer " + token,
	}
	red := testRedactor(t)
	for _, field := range fields {
		for name, text := range encodings {
			body := `{"time":"2026-11-22T02:19:00Z","response":{"status":401},` + strings.ReplaceAll(field, "@", text) + `}`
			if strings.HasPrefix(field, `"response"`) {
				body = strings.Replace(body, `"response":{"status":401},`, "", 1)
			}
			rec := decodeOne(t, red, []byte(body))
			stored, err := json.Marshal(rec)
			if err != nil {
				t.Fatal(err)
			}
			if found := leak(stored, forbid); found != "" {
				t.Errorf("%s in %s: %s", name, field, found)
			}
		}
	}
}

// A form whose base64 was not encoded for it hides a key no better.
func TestRedact_KeyInForm(t *testing.T) {
	for _, v := range vectors(t) {
		if v.ID != "RV46" {
			continue
		}
		var record struct{ Error string }
		if err := json.Unmarshal(v.Record, &record); err != nil {
			t.Fatal(err)
		}
		form, _, _ := strings.Cut(record.Error, " ")
		w := &walk{Redactor: testRedactor(t), side: sideRequest}
		text, _ := w.body(form).(string)
		if found := leak([]byte(text), v.Forbid); found != "" || !isForm(form) {
			t.Errorf("%s in %s", found, text)
		}
	}
}
