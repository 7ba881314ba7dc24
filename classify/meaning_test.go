package classify

import "testing"

// What a provider documents a bare answer to mean counts when nothing else decides, and only then.
func TestMeanings(t *testing.T) {
	p := strictProfile()
	p.Meanings = []Meaning{
		{Phase: APICall, Status: 403, Cause: ScopeGap},
		{Phase: TokenRequest, Error: "invalid_client", Code: "E-17", Cause: UnknownClient},
		{Phase: TokenRequest, Error: "invalid_client", Cause: JTIReuse},
	}
	call := func(response, token string) string {
		return `{"time":"2026-11-20T14:03:20Z","id":"r","provider":"strict","request":{"method":"POST","url":"https://api.example.com/v1/trades","headers":{"authorization":"Bearer [jwt]"}},"response":` + response + token + `}`
	}
	request := func(body string) string {
		return `{"time":"2026-11-20T14:03:20Z","id":"r","provider":"strict","request":{"method":"POST","url":"https://id.example.com/oauth/token"},"response":{"status":401,"body":` + body + `}}`
	}
	expired := `,"access_token":{"header":{"alg":"RS256"},"claims":{"iss":"https://id.example.com/","aud":"https://api.example.com","exp":1795183000}}`
	for _, tt := range []struct {
		name, record string
		want         Code
		confidence   Confidence
	}{
		{"a bare 403", call(`{"status":403}`, ""), ScopeGap, Inferred},
		{"the words name another cause", call(`{"status":403,"body":{"message":"account is not accessible, access denied to this account"}}`, ""), AccountAccessDenied, Stated},
		{"another status", call(`{"status":401}`, ""), Unclassified, Inferred},
		{"a check shows a fault", call(`{"status":403}`, expired), TokenExpired, Inferred},
		{"a code beside the error", request(`{"error":"invalid_client","detail":{"id":"E-17"}}`), UnknownClient, Inferred},
		{"the error alone", request(`{"error":"invalid_client"}`), JTIReuse, Inferred},
		{"a check that passes refutes it", tokenRequest(soundHeader, soundClaims("", "")), KeyMismatch, Inferred},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := Classify(Profiles{p}.Locate(recordOf(t, tt.record)), nil)
			if v.Cause != tt.want || v.Confidence != tt.confidence {
				t.Errorf("cause %s (%s), want %s (%s): %s", v.Cause, v.Confidence, tt.want, tt.confidence, v.Summary)
			}
		})
	}
}
