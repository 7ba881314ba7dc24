package classify

import (
	"testing"
	"time"
)

func tokenRequestAt(at time.Time, p *Profile, claims Object) Exchange {
	r := &Record{Time: at, Provider: p.ID, Request: &Request{Method: "POST", URL: "https://id.acme.example/token"},
		ClientAssertion: &JWT{Header: ObjectOf(map[string]any{"alg": "RS256", "kid": "k1"}), Claims: claims}}
	return Profiles{p}.Locate(r)
}

func acme() *Profile {
	return &Profile{ID: "acme", Environments: []Environment{{Name: "prod", TokenEndpoints: []string{"https://id.acme.example/token"}, Issuers: []string{"https://id.acme.example/"}}},
		Assertion: &AssertionRules{Algorithms: []string{"RS256"}, Audience: Audience{Keyword: AudienceTokenEndpoint}}}
}

// An expired assertion fails whatever it was that made it expire: a slow clock and a kept assertion are told apart by likelihood only,
// but neither passes.
func TestExamine_ExpiredFailsThoughTheReasonIsOpen(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for _, late := range []int64{120, 3600, 90 * 86400} {
		claims := ObjectOf(map[string]any{"iss": "bot", "sub": "bot", "aud": "https://id.acme.example/token", "iat": at.Unix() - late - 300, "exp": at.Unix() - late, "jti": "j"})
		checks, doubts := Examine(tokenRequestAt(at, acme(), claims), nil)
		result := CheckResult("")
		for _, c := range checks {
			if c.Check == "expiry" {
				result = c.Result
			}
		}
		if result != Fail || len(doubts) != 0 {
			t.Errorf("exp passed %d s ago: %s, doubts %v", late, result, doubts)
		}
	}
}

// What another server might mind is a doubt, not a failure.
func TestExamine_Doubts(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	claims := ObjectOf(map[string]any{"iss": "bot", "sub": "bot", "aud": "https://id.acme.example/token", "iat": at.Unix() + 30, "exp": at.Unix() + 300, "jti": "j"})
	checks, doubts := Examine(tokenRequestAt(at, acme(), claims), nil)
	for _, c := range checks {
		if c.Result == Fail {
			t.Errorf("%s fails: %s", c.Check, c.Detail)
		}
	}
	if len(doubts) != 1 || doubts[0].Cause != ClockSkew || doubts[0].Path != "client_assertion.claims.iat" {
		t.Errorf("doubts %+v", doubts)
	}
}

// The answer to the request, if there was one, is no part of the question.
func TestExamine_IgnoresTheAnswer(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	e := tokenRequestAt(at, acme(), ObjectOf(map[string]any{"iss": "bot", "sub": "bot", "aud": "https://id.acme.example/token", "iat": at.Unix(), "exp": at.Unix() + 300, "jti": "j"}))
	e.Record.Response = &Response{Status: 401, Body: Body(`{"error":"invalid_client","error_description":"the nbf claim is missing"}`)}
	checks, doubts := Examine(e, nil)
	for _, c := range checks {
		if c.Result == Fail {
			t.Errorf("%s fails: %s", c.Check, c.Detail)
		}
	}
	if len(doubts) != 0 {
		t.Errorf("doubts %+v", doubts)
	}
}
