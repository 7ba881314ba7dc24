package classify

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Texts of real libraries and servers, as error_texts in the documents of those systems give them.
func TestHear(t *testing.T) {
	k := NewKnowledge(DocumentedTexts())
	for _, tt := range []struct {
		phase Phase
		text  string
		want  Code
	}{
		{TokenRequest, "token has invalid claims: token is expired", AssertionExpired},
		{APICall, "jwt expired", TokenExpired},
		{APICall, "Signature has expired", TokenExpired}, // PyJWT: nothing is wrong with the signature
		{TokenRequest, "jwt audience invalid. expected: https://id.example.com/token", WrongAudience},
		{TokenRequest, "Unexpected \"aud\" claim value", WrongAudience},
		{TokenRequest, "Missing required claim: jti", MissingClaim},
		{TokenRequest, "\"iat\" claim timestamp check failed (it should be in the past)", ClockSkew},
		{TokenRequest, "\"iat\" claim timestamp check failed (too far in the past)", AssertionTooOld},
		{TokenRequest, "iat required when maxAge is specified", MissingClaim},
		{TokenRequest, "Token reuse detected", JTIReuse},
		{TokenRequest, "The client_assertion token has already been used.", JTIReuse},
		{TokenRequest, "JWT header kid property is required", MissingKID},
		{TokenRequest, "Public key not found, check client_id, kid and Redox dashboard settings", UnknownKey},
		{APICall, "no applicable key found in the JSON Web Key Set", UnknownKey},
		{APICall, "Expected 200 OK from the JSON Web Key Set HTTP response", ProviderUnavailable},
		{TokenRequest, "token signature is invalid: signing method HS256 is invalid", WrongAlgorithm},
		{APICall, "token signature is invalid: crypto/rsa: verification error", InvalidSignature},
		{TokenRequest, "signature verification failed", KeyMismatch},
		{TokenRequest, "Private key doesn't match the public key registered", KeyMismatch},
		{TokenRequest, "x-www-form-urlencoded content-type required", WrongContentType},
		{TokenRequest, "The grant_type parameter should equal 'client_credentials'", InvalidGrantType},
		{TokenRequest, "Invalid client assertion type", InvalidAssertionType},
		{TokenRequest, "Missing client assertion", MissingAssertion},
		{TokenRequest, "The client_assertion request parameter must be set when using client_assertion_type of 'x'.", MissingAssertion},
		{APICall, `Token used too late, 1795332945.88 > 1795066845: {"iss":"https://id.example.com","exp":1795066845,"jti":"j1","scope":"read"}`, TokenExpired}, // what is behind the reason is the token itself, which was not reused
		{APICall, `Unauthorized: {"error":"invalid_token","error_description":"unexpected aud claim value","iss":"x"}`, WrongAudience},                          // a reason, not a token
		{APICall, `No pem found for envelope: {"alg":"RS256","kid":"k9","typ":"JWT"}`, UnknownKey},
		{ClientSide, "No PEM-encoded private key found in file", BadKeyFormat},
		{APICall, "JWTs must have three components", MalformedJWT},
		{APICall, "Format is Authorization: Bearer [token]", MalformedAuthorizationHeader},
		{APICall, "No authorization token was found", MissingToken},
		{APICall, "DPoP-bound token requires the DPoP authentication scheme, not Bearer.", ProofOfPossession},
		{APICall, "AADSTS700027: Client assertion failed signature validation. [Reason - The key was not found.", UnknownKey},
		{APICall, "IDX10223: Lifetime validation failed. The token is expired.", TokenExpired},
		{ClientSide, "asn1: structure error: tags don't match", BadKeyFormat},
		{ClientSide, "DataError: Invalid keyData", BadKeyFormat},
		{ClientSide, "getaddrinfo ENOTFOUND id.example.com", ProviderUnavailable},
		{TokenRequest, "client authentication failed", ""},
		{TokenRequest, "The client assertion JWT is malformed or has incorrect claims.", ""},
		{TokenRequest, "The request is missing a required parameter, includes an invalid parameter value, includes a parameter more than once, or is otherwise malformed.", ""},
		{APICall, "Unauthorized", ""},
		{APICall, "oidc: id token issued by a different provider, expected 'https://a' got 'https://b'", WrongIssuer},
		{APICall, "The token will be active at 2026-11-22T08:59:54.000Z.", NotYetValid},
		{APICall, "FAST_JWT_INACTIVE", NotYetValid},
		{APICall, "FAST_JWT_INVALID_CLAIM_TYPE", InvalidClaim},
		{APICall, "No matching JWK found in the set.", UnknownKey},
		{APICall, "Unable to find a signing key that matches '2019-03-key'", UnknownKey},
		{APICall, "failed to find a valid token in any location of the request (tried: header keys: [\"Authorization\"])", MissingToken},
		{TokenRequest, "failed to parse token: unknown payload type (payload is not JWT?)", MalformedJWT},
		{TokenRequest, "claim \"sub\" does not have the expected value", ClientIdentityMismatch},
		{TokenRequest, "\"iss\" not satisfied: field \"iss\" not found", MissingClaim},
		{APICall, "failed to decode value for key iss: json: cannot unmarshal array into Go value of type string", InvalidClaim},
		{APICall, "unexpected \"typ\" JWT header value", WrongTokenType},
		{APICall, "oidc: expected audience 'quay-api' got []", MissingClaim},
		{APICall, "oidc: id token issued by a different provider, expected 'https://a' got ''", MissingClaim},
		{APICall, "jwt audience invalid. expected: gotham", WrongAudience},
		{APICall, "oidc: token is expired (Token Expiry: 0001-01-01 00:00:00 +0000 UTC)", MissingClaim},
		{APICall, "The token will be active at +058861-10-05T17:36:39.000Z.", TimestampUnits},
		{ClientSide, "java.net.ConnectException: Connection refused", ProviderUnavailable},
		{ClientSide, "read tcp 10.0.0.1:443: connection reset by peer", ProviderUnavailable},
		{ClientSide, "context deadline exceeded", ProviderUnavailable},
		{ClientSide, "Post \"https://id.example.com/oauth/token\": EOF", ProviderUnavailable},
	} {
		t.Run(tt.text, func(t *testing.T) {
			w := words{knowledge: k}
			w.listen(tt.text, "response.body.error_description", tt.phase)
			got := w.cause
			if w.strength < 2 {
				got = ""
			}
			if got != tt.want {
				t.Errorf("understood as %q (strength %d), want %q", w.cause, w.strength, tt.want)
			}
		})
	}
}

func TestChallengesOf(t *testing.T) {
	for _, tt := range []struct {
		field string
		want  []challenge
	}{
		{`Bearer`, []challenge{{scheme: "bearer"}}},
		{`Bearer realm="a, b=c", error="invalid_token", error_description="it \"expired\"", DPoP algs="ES256"`,
			[]challenge{{scheme: "bearer", failure: "invalid_token", description: `it "expired"`}, {scheme: "dpop"}}},
		{`Basic realm="x", Bearer error=insufficient_scope, scope="a b"`, []challenge{{scheme: "basic"}, {scheme: "bearer", failure: "insufficient_scope", scope: "a b"}}},
		{`Negotiate YII=, Bearer`, []challenge{{scheme: "negotiate"}, {scheme: "bearer"}}},
		{`error="invalid_token`, []challenge{{failure: "invalid_token"}}},
		{``, nil},
	} {
		got := challengesOf(tt.field)
		if tt.field == `Negotiate YII=, Bearer` { // token68 reads as a parameter; the next scheme must still be found
			if len(got) == 0 || got[len(got)-1].scheme != "bearer" {
				t.Errorf("%s: got %+v", tt.field, got)
			}
			continue
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, want %+v", tt.field, got, tt.want)
		}
	}
}

func TestHear_Places(t *testing.T) {
	for _, body := range []string{
		`{"error":{"code":401,"errors":[{"reason":"x","message":"the token has expired"}]}}`,
		`"{\"message\":\"the token has expired\"}"`,
		`"<html><head><title>401</title><style>a{}</style></head><body><p>the token has&nbsp;expired</p></body></html>"`,
		`"the token has expired\n"`,
		`[{"message":"the token has expired","status":401}]`,
	} {
		r := recordOf(t, `{"time":"2026-11-20T14:03:20Z","response":{"status":401,"body":`+body+`}}`)
		if w := (&Exchange{Record: r, Phase: APICall}).hear(); w.cause != TokenExpired {
			t.Errorf("%s: understood as %q", body, w.cause)
		}
	}
	k := NewKnowledge(DocumentedTexts())
	for said, want := range map[string]Code{"no applicable key found in the JSON Web Key Set": UnknownKey, "IDX10223: new words": TokenExpired, "token expired": ""} {
		r := recordOf(t, `{"time":"2026-11-20T14:03:20Z","response":{"status":401,"body":{"a":[{"explanation":"`+said+`"}]}}}`)
		if w := (&Exchange{Record: r, Phase: APICall, knowledge: k}).hear(); w.cause != want {
			t.Errorf("%q under an unknown name: understood as %q, want %q", said, w.cause, want)
		}
	}
	r := recordOf(t, `{"time":"2026-11-20T14:03:20Z","response":{"status":401,"body":{"order":{"status":"expired"},"data":"token expired"}}}`)
	if w := (&Exchange{Record: r, Phase: APICall}).hear(); w.subject != 0 {
		t.Errorf("data was taken for words: %+v", w.complaint)
	}
}

// The lexicon alone, without any documented text, on the wordings of verifiers in a dozen languages: what it was not made for, it must at
// least not misread. Each line of the file is a phase (A for an API call, T for a token request), a text and the causes that it allows.
func TestLexicon_Wordings(t *testing.T) {
	data, err := os.ReadFile("testdata/wordings.tsv")
	if err != nil {
		t.Fatal(err)
	}
	read, open := 0, 0
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 3 {
			t.Fatalf("%q: a phase, a text and causes", line)
		}
		phase := map[string]Phase{"A": APICall, "T": TokenRequest}[f[0]]
		var w words
		w.listen(f[1], "", phase)
		allowed := strings.Split(f[2], ",")
		switch {
		case w.strength < 2 && !slices.Contains(allowed, string(Unclassified)):
			open++
		case w.strength >= 2 && !slices.Contains(allowed, string(w.cause)):
			t.Errorf("%s %q: understood as %s, want %s", f[0], f[1], w.cause, f[2])
		}
		read++
	}
	if read < 350 || open > read/100 {
		t.Errorf("%d of %d texts are not understood", open, read)
	}
}

// A gateway that tells the client nothing notes its reason beside the answer.
func TestHear_NotedBesideTheAnswer(t *testing.T) {
	k := NewKnowledge(DocumentedTexts())
	for _, tt := range []struct {
		status, body, noted string
		want                Code
	}{
		{"401", `"Unauthorized"`, "jwt_authn_access_denied{Jwt_is_expired}", TokenExpired},
		{"401", `"Unauthorized"`, "jwt_authn_access_denied{Jwt_verification_fails}", InvalidSignature},
		{"401", `"Unauthorized"`, "JWTSignatureValidationError", InvalidSignature},
		{"401", `{"message":"Unauthorized"}`, "The incoming token has expired", TokenExpired},
		{"403", `{"message":"Forbidden"}`, "rbac_access_denied_matched_policy[none]", InsufficientPermissions},
		{"401", `{"message":"token has expired"}`, "invalid signature", TokenExpired}, // what the client was told comes first
		{"500", `{"message":"Internal Server Error"}`, "connection to the database lost", ""},
		{"500", `{"message":"Internal Server Error"}`, "jwt expired", TokenExpired},
		{"200", `{}`, "jwt expired", ""},
	} {
		r := recordOf(t, `{"time":"2026-11-22T02:19:00Z","id":"r","request":{"method":"GET","url":"https://api.example.com/v1/orders"},"response":{"status":`+tt.status+`,"body":`+tt.body+`},"error":"`+tt.noted+`"}`)
		e := New(nil, k).Locate(r)
		got := Verdict{}
		if e.Outcome == Failed {
			got = Classify(e, nil)
		}
		if got.Cause != tt.want {
			t.Errorf("%s %s %q: %s (%s), want %q: %s", tt.status, tt.body, tt.noted, got.Cause, got.Confidence, tt.want, got.Summary)
		}
	}
}
