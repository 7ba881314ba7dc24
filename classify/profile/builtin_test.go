package profile

import (
	"encoding/json"
	"testing"
	"time"

	"authwatch/classify"
)

// An authorization grant names a user in sub (RFC 7523 section 2.1): at these providers that is no mismatch of identity,
// even where the form was not logged.
func TestBuiltIn_GrantsHaveTwoParties(t *testing.T) {
	profiles, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	for _, tt := range []struct{ provider, endpoint, alg, aud, sub string }{
		{"google", "https://oauth2.googleapis.com/token", "RS256", "https://oauth2.googleapis.com/token", "user@firm.test"},
		{"box", "https://api.box.com/oauth2/token", "RS256", "https://api.box.com/oauth2/token", "801234"},
		{"salesforce", "https://login.salesforce.com/services/oauth2/token", "RS256", "https://login.salesforce.com", "user@firm.test"},
		{"docusign", "https://account.docusign.com/oauth/token", "RS256", "account.docusign.com", "9a1c6f1e"},
		{"apple-signin", "https://appleid.apple.com/auth/token", "ES256", "https://appleid.apple.com", "test.firm.service"},
	} {
		now := at.Unix()
		r := classify.Record{
			Time: at, ID: tt.provider, Request: &classify.Request{Method: "POST", URL: tt.endpoint},
			Response: &classify.Response{Status: 400, Body: classify.Body(`{"error":"invalid_grant"}`)},
			ClientAssertion: &classify.JWT{
				Header: classify.ObjectOf(map[string]any{"alg": tt.alg, "kid": "k1"}),
				Claims: classify.ObjectOf(map[string]any{"iss": "issuer-1", "sub": tt.sub, "aud": tt.aud, "jti": "0123456789abcdef",
					"iat": number(now), "exp": number(now + 50)}),
			},
		}
		e := profiles.Locate(&r)
		if e.Profile.ID != tt.provider {
			t.Errorf("%s is judged by the profile %q", tt.endpoint, e.Profile.ID)
		}
		v := classify.Classify(e, classify.History{})
		for _, c := range v.Checks {
			if c.Result == classify.Fail {
				t.Errorf("%s: check %s fails: %s", tt.provider, c.Check, c.Detail)
			}
		}
		if v.Cause == classify.ClientIdentityMismatch {
			t.Errorf("%s: %s", tt.provider, v.Summary)
		}
	}
}

func number(n int64) json.Number {
	text, _ := json.Marshal(n)
	return json.Number(text)
}
