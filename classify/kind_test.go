package classify

import (
	"strings"
	"testing"
)

// A redactor keeps the names of claims and the lengths of their values: enough to know an ID token by.
func TestIDToken_Redacted(t *testing.T) {
	for _, tt := range []struct {
		name, claims string
		want         Code
	}{
		{"token_use", `{"iss":"https://id.example.com/","aud":"orders-ui","exp":1795183690,"token_use":"string(2)"}`, WrongTokenType},
		{"token_use of an access token", `{"iss":"https://id.example.com/","aud":"orders-ui","exp":1795183690,"token_use":"string(6)"}`, WrongAudience},
		{"nonce", `{"iss":"https://id.example.com/","aud":"orders-ui","exp":1795183690,"nonce":"string(22)"}`, WrongTokenType},
		{"aud is the client", `{"iss":"https://id.example.com/","aud":"orders-ui","azp":"orders-ui","exp":1795183690}`, WrongTokenType},
		{"aud is the client, with scopes", `{"iss":"https://id.example.com/","aud":"orders-ui","azp":"orders-ui","exp":1795183690,"scope":"a"}`, WrongAudience},
		{"the API takes the client's id", `{"iss":"https://id.example.com/","aud":"https://api.example.com","azp":"https://api.example.com","exp":1795183690}`, InvalidSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if v := Classify(Profiles{strictProfile()}.Locate(recordOf(t, tokenCall(tt.claims, ""))), nil); v.Cause != tt.want {
				t.Errorf("cause %s (%s), want %s: %s", v.Cause, v.Confidence, tt.want, v.Summary)
			}
		})
	}
}

// A client assertion that was sent to an API names its client twice, wherever its aud points.
func TestMisplacedAssertion(t *testing.T) {
	call := func(provider, iss, aud string) string {
		return `{"time":"2026-11-20T14:03:20Z","id":"r","provider":"` + provider + `","request":{"method":"GET","url":"https://api.example.com/v1/trades","headers":{"authorization":"Bearer [jwt]"}},"response":{"status":401},` +
			`"access_token":{"header":{"alg":"RS256"},"claims":{"iss":"` + iss + `","sub":"orders-bot","aud":"` + aud + `","iat":1795183390,"exp":1795183690,"jti":"a"}}}`
	}
	for _, tt := range []struct {
		name, record string
		want         Code
		confidence   Confidence
	}{
		{"the token endpoint", call("strict", "orders-bot", "https://id.example.com/oauth/token"), WrongTokenType, Proven},
		{"the origin of the authorization server", call("strict", "orders-bot", "https://id.example.com"), WrongTokenType, Proven},
		{"anything, from a registered client", call("strict", "orders-bot", "urn:x"), WrongTokenType, Proven},
		{"no profile, another server", call("", "orders-bot", "https://id.example.org"), WrongTokenType, Inferred},
		{"no profile, the API itself: a token that its service signs for itself", call("", "orders-bot", "https://api.example.com/"), InvalidSignature, Inferred},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ps := Profiles{}
			if strings.Contains(tt.record, `"strict"`) {
				ps = Profiles{strictProfile()}
			}
			v := Classify(ps.Locate(recordOf(t, tt.record)), nil)
			if v.Cause != tt.want || v.Confidence != tt.confidence {
				t.Errorf("cause %s (%s), want %s (%s): %s", v.Cause, v.Confidence, tt.want, tt.confidence, v.Summary)
			}
		})
	}
}
