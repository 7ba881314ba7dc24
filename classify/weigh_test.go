package classify

import (
	"strings"
	"testing"
)

// Servers that report whatever a library returns as a bad signature are not taken at their word when the claims are wrong.
func TestWeighWords_Signature(t *testing.T) {
	refused := func(name, value string) string {
		return strings.Replace(tokenRequest(soundHeader, soundClaims(name, value)), `{"error":"invalid_client"}`, `{"error":"invalid_client","error_description":"client assertion signature verification failed"}`, 1)
	}
	for _, tt := range []struct {
		name, record string
		want         Code
		confidence   Confidence
	}{
		{"nothing else is wrong", refused("", ""), KeyMismatch, Stated},
		{"wrong aud", refused("aud", `"https://api.example.com"`), WrongAudience, Inferred},
		{"expired", refused("exp", "1795150000"), AssertionExpired, Inferred},
		{"the key is unknown too", strings.Replace(refused("aud", `"https://api.example.com"`), `"kid":"orders-bot-2026"`, `"kid":"orders-bot-2019"`, 1), UnknownKey, Proven},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := judgeStory(t, tt.record)
			if v.Cause != tt.want || v.Confidence != tt.confidence {
				t.Errorf("cause %s (%s), want %s (%s): %s", v.Cause, v.Confidence, tt.want, tt.confidence, v.Summary)
			}
		})
	}
}

// A complaint that the record refutes is none.
func TestWeighWords_Refuted(t *testing.T) {
	expired := `{"iss":"https://id.example.com/","aud":"https://api.example.com","exp":1795180000,"scope":"a"}`
	sound := `{"iss":"https://id.example.com/","aud":"https://api.example.com","exp":1795183690,"scope":"a"}`
	for _, tt := range []struct {
		name, record string
		want         Code
	}{
		{"a token was there, and expired", tokenCall(expired, "Missing authentication token"), TokenExpired},
		{"a token was there, nothing is wrong with it", tokenCall(sound, "Missing authentication token"), InvalidSignature},
		{"no token", strings.Replace(tokenCall(sound, "Missing authentication token"), `"authorization":"Bearer [jwt]"`, `"accept":"*/*"`, 1), MissingToken},
		{"no scheme", strings.Replace(tokenCall(expired, "Missing authentication token"), "Bearer [jwt]", "[jwt]", 1), MalformedAuthorizationHeader},
	} {
		t.Run(tt.name, func(t *testing.T) {
			record := tt.record
			if tt.want == MissingToken {
				record = record[:strings.Index(record, `,"access_token"`)] + "}"
			}
			if v := judgeStory(t, record); v.Cause != tt.want || v.Confidence == Proven && tt.want == TokenExpired {
				t.Errorf("cause %s (%s), want %s: %s", v.Cause, v.Confidence, tt.want, v.Summary)
			}
		})
	}
}

// grantedCall is a call with these scopes and roles, with a status, at an API without a profile.
func grantedCall(id, status, scope, role string) string {
	return `{"time":"2026-11-20T14:03:2` + id + `Z","id":"` + id + `","request":{"method":"GET","url":"https://api.example.org/v1/orders/7","headers":{"authorization":"Bearer [jwt]"}},"response":{"status":` + status +
		`,"body":{"message":"Forbidden"}},"access_token":{"header":{"alg":"RS256"},"claims":{"iss":"https://id.example.org/","sub":"` + id + `","scope":"` + scope + `","roles":["` + role + `"]}}}`
}

// What a refused token lacks is what accepted tokens at the same endpoint have.
func TestRefusedAction_ByAcceptedTokens(t *testing.T) {
	for _, tt := range []struct {
		name, scope, role string
		want              Code
	}{
		{"other scopes", "orders:list", "trader", ScopeGap},
		{"other roles", "orders:read", "viewer", InsufficientPermissions},
		{"the order of scopes does not matter", "orders:list orders:read", "trader", InsufficientPermissions},
	} {
		t.Run(tt.name, func(t *testing.T) {
			good := "orders:read"
			if strings.Contains(tt.scope, " ") {
				good = "orders:read orders:list"
			}
			if v := judgeStory(t, grantedCall("1", "200", good, "trader"), grantedCall("2", "403", tt.scope, tt.role)); v.Cause != tt.want || v.Confidence != Inferred {
				t.Errorf("cause %s (%s), want %s: %s", v.Cause, v.Confidence, tt.want, v.Summary)
			}
		})
	}
}

func TestSilence_IsTheServers(t *testing.T) {
	v := judgeStory(t, `{"time":"2026-11-20T14:03:20Z","id":"r","error":"Post \"https://id.example.com/oauth/token\": [opaque fp1]","request":{"method":"POST","url":"https://id.example.com/oauth/token"}}`)
	if v.Cause != ProviderUnavailable || v.Confidence != Inferred {
		t.Errorf("cause %s (%s): %s", v.Cause, v.Confidence, v.Summary)
	}
}

// A client's line that repeats an answer does not mean that there was none.
func TestSilence_NotWithAnAnswer(t *testing.T) {
	v := judgeStory(t, `{"time":"2026-11-20T14:03:20Z","id":"r","error":"OAuth2Error: https://id.example.com/oauth/token said invalid_client","request":{"method":"POST","url":"https://id.example.com/oauth/token"}}`)
	if v.Cause == ProviderUnavailable {
		t.Errorf("cause %s (%s): %s", v.Cause, v.Confidence, v.Summary)
	}
}

func TestContentType_JSONWithoutRule(t *testing.T) {
	request := func(id, status, body string) string {
		return `{"time":"2026-11-20T14:03:2` + id + `Z","id":"` + id + `","request":{"method":"POST","url":"https://id.example.org/oauth/token","headers":{"content-type":"application/json"},"body":{"grant_type":"client_credentials","client_secret":"[set]"}},"response":{"status":` + status + `,"body":` + body + `}}`
	}
	bad := request("2", "400", `{"error":"invalid_request"}`)
	if v := judgeStory(t, bad); v.Cause != WrongContentType || v.Confidence != Inferred {
		t.Errorf("cause %s (%s): %s", v.Cause, v.Confidence, v.Summary)
	}
	if v := judgeStory(t, request("1", "200", `{"access_token":"[jwt]"}`), bad); v.Cause != Unclassified {
		t.Errorf("JSON was accepted before; cause %s (%s): %s", v.Cause, v.Confidence, v.Summary)
	}
}

// A check that shows a fault outweighs words that nothing in the record bears out, however plainly they speak; the words stay in sight.
func TestWeighWords_Outweighed(t *testing.T) {
	said := func(claims, words string) string {
		return strings.Replace(tokenRequest(soundHeader, claims), `{"error":"invalid_client"}`, `{"error":"invalid_client","error_description":"`+words+`"}`, 1)
	}
	expired := soundClaims("exp", "1795150000")
	for _, tt := range []struct {
		name, record string
		want         Code
		confidence   Confidence
	}{
		{"words about a claim that is in order", said(expired, "the audience is wrong"), AssertionExpired, Inferred},
		{"words about what no log shows", said(expired, "the certificate is malformed"), AssertionExpired, Inferred},
		{"words that the fault comes out as", said(expired, "the token has expired"), AssertionExpired, Proven},
		{"a registered code", strings.Replace(tokenRequest(soundHeader, expired), `"invalid_client"`, `"unsupported_grant_type"`, 1), InvalidGrantType, Stated},
		{"nothing else is wrong", said(soundClaims("", ""), "the audience is wrong"), WrongAudience, Stated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := judgeStory(t, tt.record)
			if v.Cause != tt.want || v.Confidence != tt.confidence {
				t.Errorf("cause %s (%s), want %s (%s): %s", v.Cause, v.Confidence, tt.want, tt.confidence, v.Summary)
			}
			if v.Confidence == Inferred && (len(v.Alternatives) == 0 || v.Alternatives[0].Confidence != Stated) {
				t.Errorf("what the words name is not mentioned: %+v", v.Alternatives)
			}
		})
	}
}

// The provider's documented order of checks settles what it looks at first.
func TestWeighWords_CheckOrder(t *testing.T) {
	r := recordOf(t, strings.Replace(tokenRequest(soundHeader, soundClaims("exp", "1795150000")), `{"error":"invalid_client"}`, `{"error":"invalid_client","error_description":"AADSTS700027: the client assertion failed signature validation"}`, 1))
	for _, tt := range []struct {
		order []string
		want  Code
	}{
		{[]string{"signature", "time"}, KeyMismatch},
		{[]string{"time", "signature"}, AssertionExpired},
	} {
		p := strictProfile()
		p.CheckOrder = tt.order
		c := New(Profiles{p}, NewKnowledge([]Text{{System: "strict", Phase: TokenRequest, Where: "body.error_description", Text: "AADSTS700027: the client assertion failed signature validation", Cause: KeyMismatch, Source: "test"}}))
		if v := Classify(c.Locate(r), nil); v.Cause != tt.want {
			t.Errorf("order %v: cause %s (%s), want %s: %s", tt.order, v.Cause, v.Confidence, tt.want, v.Summary)
		}
	}
}

// A key that was accepted a moment ago is known; a server that does not find it could not get at it.
func TestWeighWords_KeyInUse(t *testing.T) {
	refused := strings.Replace(bearerCall("b", "2026-11-20T14:03:20Z", "401", "1795190000"), `{"status":401}`, `{"status":401,"body":{"message":"no key found for kid as-1"}}`, 1)
	other := strings.NewReplacer(`"as-1"`, `"as-2"`, `"id":"a"`, `"id":"c"`)
	for _, tt := range []struct {
		name  string
		steps []string
		want  Code
	}{
		{"never accepted", []string{refused}, UnknownKey},
		{"accepted before", []string{bearerCall("a", "2026-11-20T14:00:00Z", "200", "1795190000"), refused}, ProviderUnavailable},
		{"replaced by another since", []string{bearerCall("a", "2026-11-20T11:00:00Z", "200", "1795190000"), other.Replace(bearerCall("a", "2026-11-20T14:00:00Z", "200", "1795190000")), refused}, UnknownKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if v := judgeStory(t, tt.steps...); v.Cause != tt.want || v.Confidence == Proven {
				t.Errorf("cause %s (%s), want %s: %s", v.Cause, v.Confidence, tt.want, v.Summary)
			}
		})
	}
}

// The page with which a proxy or a firewall refuses says who refused. Why is in the request, if anything is wrong with it.
func TestGatewayPage(t *testing.T) {
	const haproxy = `<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>`
	const cloudflare = `<html><head><title>Attention Required! | Cloudflare</title></head><body><h1>Sorry, you have been blocked</h1></body></html>`
	const unauthorized = `<html><body><h1>401 Unauthorized</h1>\nYou need a valid user and password to access this content.\n</body></html>`
	const exception = `<html><body><h1>NoMethodError</h1><pre>raise Expired, \"token expired\" if exp.to_i &lt; now</pre></body></html>`
	sound := `{"iss":"https://id.example.com/","aud":"https://api.example.com","exp":1795183690,"scope":"orders:read"}`
	answered := func(status, page, claims string) string {
		return strings.Replace(tokenCall(claims, ""), `{"status":401,"body":{"message":""}}`, `{"status":`+status+`,"headers":{"content-type":"text/html"},"body":"`+page+`"}`, 1)
	}
	unseen := func(record string) string { return record[:strings.Index(record, `,"access_token"`)] + "}" }
	for _, tt := range []struct {
		name, record string
		want         Code
		confidence   Confidence
	}{
		{"nothing is wrong, a firewall", answered("403", cloudflare, sound), BlockedByGateway, Stated},
		{"nothing is wrong, a proxy that may verify tokens", answered("403", haproxy, sound), BlockedByGateway, Inferred},
		{"the token has expired", answered("403", haproxy, strings.Replace(sound, "1795183690", "1795180000", 1)), TokenExpired, Inferred},
		{"another audience", answered("403", cloudflare, strings.Replace(sound, "https://api.example.com", "https://other.example.com", 1)), WrongAudience, Inferred},
		{"no token was sent", strings.Replace(unseen(answered("403", haproxy, sound)), `"authorization":"Bearer [jwt]"`, `"accept":"*/*"`, 1), MissingToken, Inferred},
		{"a token that cannot be seen", unseen(answered("403", haproxy, sound)), Unclassified, Inferred},
		{"the prose of a 401", answered("401", unauthorized, sound), InvalidSignature, Inferred},
		{"the source of an exception", answered("500", exception, strings.Replace(sound, "https://api.example.com", "https://other.example.com", 1)), WrongAudience, Inferred},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if v := judgeStory(t, tt.record); v.Cause != tt.want || v.Confidence != tt.confidence {
				t.Errorf("cause %s (%s), want %s (%s): %s; %+v", v.Cause, v.Confidence, tt.want, tt.confidence, v.Summary, v.Alternatives)
			}
		})
	}
}

// What history and the standards say where no profile does.
func TestWithoutRule(t *testing.T) {
	const standard = `"header":{"alg":"RS256","typ":"at+jwt","kid":"as-1"}`
	call := func(id, status, answer, header, claims string) string {
		return `{"time":"2026-11-20T14:03:2` + id + `Z","id":"` + id + `","request":{"method":"GET","url":"https://api.example.org/v1/orders/7","headers":{"authorization":"Bearer [jwt]"}},"response":{"status":` + status +
			`,"body":` + answer + `},"access_token":{` + header + `,"claims":` + claims + `}}`
	}
	claims := `{"iss":"https://id.example.org/","aud":"https://api.example.org","sub":"u","exp":1795183690,"scope":"orders:read"}`
	plain := `"header":{"alg":"RS256","kid":"as-1"}`
	without := func(member string) string { return strings.Replace(claims, member, "", 1) }
	grant := func(id, status, answer, header, aud string) string {
		return `{"time":"2026-11-20T14:03:2` + id + `Z","id":"` + id + `","request":{"method":"POST","url":"https://id.example.org/oauth/token","headers":{"content-type":"application/x-www-form-urlencoded"},"body":{"grant_type":"client_credentials","client_assertion_type":"` + assertionTypeJWT +
			`","client_assertion":"[jwt]"}},"response":{"status":` + status + `,"body":` + answer + `},"client_assertion":{"header":` + header + `,"claims":{"iss":"c1","sub":"c1","aud":"` + aud + `","iat":1795183399,"exp":1795183690,"jti":"` + id + `"}}}`
	}
	const endpoint, bare = "https://id.example.org/oauth/token", `{"error":"invalid_client"}`
	good := grant("1", "200", `{}`, `{"alg":"RS256","kid":"k1"}`, endpoint)
	for _, tt := range []struct {
		name  string
		steps []string
		want  Code
	}{
		{"a verifier that answers 422", []string{call("1", "422", `{"msg":"Signature verification failed"}`, plain, claims)}, InvalidSignature},
		{"a form that lacks a subject", []string{call("1", "422", `{"msg":"subject is required"}`, plain, claims)}, ""},
		{"a report with a word in it", []string{call("1", "422", `{"errors":[{"field":"document","message":"Signature verification failed"},{"field":"name","message":"`+strings.Repeat("is too long ", 12)+`"}]}`, plain, claims)}, ""},
		{"at+jwt without aud", []string{call("1", "401", `"Unauthorized"`, standard, without(`"aud":"https://api.example.org",`))}, MissingClaim},
		{"at+jwt without sub", []string{call("1", "401", `"Unauthorized"`, standard, without(`"sub":"u",`))}, MissingClaim},
		{"another typ without aud", []string{call("1", "401", `"Unauthorized"`, plain, without(`"aud":"https://api.example.org",`))}, InvalidSignature},
		{"scopes that nobody was accepted with here, and a bare 401", []string{call("1", "200", `{}`, plain, claims), call("2", "401", `""`, plain, strings.Replace(claims, "orders:read", "orders:list", 1))}, ScopeGap},
		{"a kid where accepted ones have one", []string{good, grant("2", "401", bare, `{"alg":"RS256"}`, endpoint)}, MissingKID},
		{"a client that was accepted before", []string{good, grant("2", "401", bare, `{"alg":"RS256","kid":"k1"}`, endpoint)}, KeyMismatch},
		{"a client that nobody knows", []string{grant("2", "401", bare, `{"alg":"RS256","kid":"k1"}`, endpoint)}, Unclassified},
		{"nearly the address that was called", []string{grant("2", "401", bare, `{"alg":"RS256","kid":"k1"}`, endpoint+"/")}, WrongAudience},
		{"nearly the address, as was accepted before", []string{grant("1", "200", `{}`, `{"alg":"RS256","kid":"k1"}`, endpoint+"/"), grant("2", "401", bare, `{"alg":"RS256","kid":"k1"}`, endpoint+"/")}, KeyMismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if v := judgeStory(t, tt.steps...); v.Cause != tt.want || v.Confidence == Proven {
				t.Errorf("cause %s (%s), want %s: %s; %+v", v.Cause, v.Confidence, tt.want, v.Summary, v.Alternatives)
			}
		})
	}
}
