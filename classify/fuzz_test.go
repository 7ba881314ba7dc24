package classify

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzChallenge: no WWW-Authenticate field makes the reader panic, hang or say more than the field holds.
func FuzzChallenge(f *testing.F) {
	for _, field := range []string{
		`Bearer`, `Bearer realm="a, b=c", error="invalid_token", error_description="it \"expired\"", DPoP algs="ES256"`, `Basic realm=x, Bearer error=insufficient_scope, scope="a b"`,
		`Negotiate YII=, Bearer`, `error="invalid_token`, `,,,=\"=,Bearer`, `Bearer error="Invalid credentials"`, strings.Repeat(`Bearer a="`, 50),
		`Bearer error="invalid_token", error_description="oidc: id token issued by a different provider, expected 'https://a' got ''"`,
	} {
		f.Add(field)
	}
	f.Fuzz(func(t *testing.T, field string) {
		size := 0
		for _, c := range challengesOf(field) {
			size += len(c.scheme) + len(c.failure) + len(c.description) + len(c.scope)
		}
		if size > len(strings.ToLower(field))*2 {
			t.Fatalf("%d bytes from %d", size, len(field))
		}
		judged(t, &Record{Response: &Response{Status: 401, Headers: HeadersOf(map[string]string{"www-authenticate": field})}})
	})
}

// FuzzBody: no response body, and no client's log line, makes the engine panic or show what is not text.
func FuzzBody(f *testing.F) {
	for _, body := range []string{
		`{"error":"invalid_client","error_description":"token has invalid claims: token is expired"}`, `"<html><title>403</title><script>a</script><p>nginx&nbsp;1.2</p>"`,
		`[{"message":"the token has expired","code":401}]`, `"{\"error\":"`, `{"error":{"errors":[{"reason":"authError"}]}}`, strings.Repeat(`{"error":`, 100), `"aud"`, `{"message":"exp` + "\xff\xfe" + `"}`,
		`{"error_description":"AADSTS700027: Client assertion failed signature validation."}`, `"got '' (tried: header keys: [\"Authorization\"]). Additionally"`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		judged(t, &Record{Request: &Request{Method: "POST", URL: "https://id.example.com/oauth/token"}, Response: &Response{Status: 400, Body: body}})
		judged(t, &Record{Request: &Request{Method: "GET", URL: "https://api.example.com/v1/orders/1"}, Response: &Response{Status: 403, Body: body}})
		judged(t, &Record{Error: string(body), Request: &Request{URL: "https://id.example.com/oauth/token"}})
	})
}

// FuzzClaims: no header and claims make a check panic, and a fix that is said to be verified leaves no failing check.
func FuzzClaims(f *testing.F) {
	for _, value := range []string{"1795183690", "1e300", "-0", `"soon"`, `"2026-11-20T14:03:20Z"`, "1795183690000", "[]", "{}", "true", `["a",1]`, `["https://id.example.com/oauth/token"]`, `""`} {
		for _, name := range []string{"exp", "iat", "aud", "iss", "jti"} {
			f.Add([]byte(soundHeader), []byte(soundClaims(name, value)))
		}
	}
	f.Add([]byte(`{"alg":["RS256"],"kid":7}`), []byte(`{"cnf":{"jkt":"a"},"scope":["a"],"nbf":1e18,"token_use":"string(2)"}`))
	f.Fuzz(func(t *testing.T, header, claims []byte) {
		token := &JWT{}
		if token.Header.UnmarshalJSON(header) != nil || token.Claims.UnmarshalJSON(claims) != nil {
			return
		}
		request := recordOf(t, tokenRequest("{}", "{}"))
		request.ClientAssertion = token
		for _, r := range []*Record{request, {Provider: "strict", Request: &Request{URL: "https://api.example.com/v1/orders/1", Headers: HeadersOf(map[string]string{"authorization": "Bearer [jwt]"})}, Response: &Response{Status: 401}, AccessToken: token}} {
			v := judged(t, r)
			if !v.Fix.Verified {
				continue
			}
			edited := *r
			for _, edit := range v.Fix.Edits {
				applyEdit(&edited, edit)
			}
			e := Profiles{strictProfile()}.Locate(&edited)
			x := examine(&e, Held{})
			x.words = words{}
			rules := allRules()
			x.run(rules[:])
			for _, finding := range x.findings {
				if finding.weight == demonstrated {
					t.Fatalf("the fix %v leaves %s: %s", v.Fix.Edits, finding.cause, finding.detail)
				}
			}
		}
	})
}

// judged classifies a record with its own history, and fails when the verdict cannot be written or is not text.
func judged(t *testing.T, r *Record) Verdict {
	e := New(Profiles{strictProfile()}, nil).Locate(r)
	h := History{}
	h.Observe(e.Facts())
	v := Classify(e, h)
	data, err := json.Marshal(v)
	if err != nil || len(data) > 64<<10 || !utf8.ValidString(v.Summary) {
		t.Fatalf("%d bytes, %v: %q", len(data), err, v.Summary)
	}
	return v
}
