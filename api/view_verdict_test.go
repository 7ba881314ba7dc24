package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

func eventTime() time.Time { return time.Date(2026, 11, 22, 3, 14, 2, 0, time.UTC) }

func TestVerdict_WitnessesVote(t *testing.T) {
	f := wrongAudience(eventTime())
	v := verdictOf(f.Verdict, recordOf(f.Record), testProfiles()[0])
	var stances []string
	for _, w := range v.Witnesses {
		stances = append(stances, w.Name+" "+w.Stance+" "+w.Vote.Code)
	}
	if got := strings.Join(stances, "; "); got != "The response disagrees key_mismatch; The token agrees wrong_audience; History silent " {
		t.Errorf("stances: %s", got)
	}
	if !strings.HasPrefix(v.Agreement, "The token says so; the response points to") || !strings.HasSuffix(v.Agreement, "history names no cause.") {
		t.Errorf("agreement: %q", v.Agreement)
	}
	if got := v.Witnesses[0].Evidence[0]; got.Against.Code != "key_mismatch" || got.Observed != "invalid_client" {
		t.Errorf("evidence: %+v", got)
	}
	if len(v.Others) != 1 || v.Others[0].Cause.Code != "key_mismatch" || v.ChecksWords != "1 failed, 3 passed, 1 could not be checked" {
		t.Errorf("others %+v, checks %q", v.Others, v.ChecksWords)
	}
}

func TestVerdict_Agreement(t *testing.T) {
	speaks := func(w classify.Witness) classify.Evidence {
		return classify.Evidence{Witness: w, Cause: classify.WrongAudience}
	}
	for _, tt := range []struct {
		evidence []classify.Evidence
		want     string
	}{
		{nil, "No witness has anything to say: the cause cannot be told."},
		{[]classify.Evidence{speaks("response"), speaks("request"), speaks("history")}, "All three witnesses agree."},
		{[]classify.Evidence{speaks("response"), speaks("history")}, "The response and history agree; the token names no cause."},
		{[]classify.Evidence{speaks("response")}, "The response says so; the token and history name no cause."},
		{[]classify.Evidence{{Witness: "response", Detail: "The server gave no reason."}, speaks("token")}, "The token says so; the response and history name no cause."},
		{[]classify.Evidence{{Witness: "response", Cause: classify.JTIReuse}}, "The response points to assertion used twice (jti reuse); none is decisive."},
	} {
		if got := agreementOf(witnessesOf(classify.Verdict{Cause: classify.WrongAudience, Evidence: tt.evidence})); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.evidence, got, tt.want)
		}
	}
}

func TestVerdict_Fix(t *testing.T) {
	edit := []classify.Edit{{Op: "replace", Path: "client_assertion.claims.aud", Value: "https://x"}, {Op: "remove", Path: "request.headers.x"}}
	for _, tt := range []struct {
		fix      classify.Fix
		verified bool
		words    string
	}{
		{classify.Fix{Edits: edit, Verified: true}, true, "Verified: with these changes"},
		{classify.Fix{Edits: edit}, false, "Not verified"},
		{classify.Fix{Verified: true}, false, "No change of the token"}, // nothing to verify is not verified
	} {
		v := fixOf(tt.fix)
		if v.Verified != tt.verified || !strings.HasPrefix(v.Words, tt.words) {
			t.Errorf("%+v: %+v", tt.fix, v)
		}
	}
	v := fixOf(classify.Fix{Edits: edit})
	if v.Edits[0].Value != "https://x" || v.Edits[1].Value != "" || !strings.HasPrefix(v.EditsJSON, `[{"op":"replace"`) {
		t.Errorf("%+v", v)
	}
}

func rowOf(t *testing.T, rows []claimRow, name string) claimRow {
	t.Helper()
	for _, r := range rows {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no row %s in %+v", name, rows)
	return claimRow{}
}

func TestClaims_SentExpectedResult(t *testing.T) {
	f := wrongAudience(eventTime())
	p := *testProfiles()[0]
	assertion := *p.Assertion
	maxAge := classify.Duration(5 * time.Minute)
	assertion.RequiredClaims, assertion.RequiredHeader, assertion.MaxAge, assertion.MaxLifetime, assertion.SingleUseJTI = []string{"nbf"}, []string{"x5t"}, &maxAge, &maxAge, true
	p.Assertion = &assertion
	tokens := tokensOf(*recordOf(f.Record), f.Verdict, &p)
	if len(tokens) != 1 || tokens[0].Title != "Client assertion" {
		t.Fatalf("tokens: %+v", tokens)
	}
	rows := tokens[0].Rows
	aud := rowOf(t, rows, "aud")
	if aud.Sent != "https://api.preprod.exchange.example" || aud.Expected != "https://auth.preprod.exchange.example/oauth/token" ||
		aud.Rule != "exchange: assertion.audience = token endpoint, preprod" || aud.Result.Text != "fail" {
		t.Errorf("aud: %+v", aud)
	}
	if exp := rowOf(t, rows, "exp"); exp.Relative != "valid for another 4 min 56 s" || exp.Rule != "exchange: assertion.max_lifetime" {
		t.Errorf("exp: %+v", exp)
	}
	if iat := rowOf(t, rows, "iat"); iat.Relative != "issued 4 s before this request" || iat.Expected != "at most 5 min before the request" {
		t.Errorf("iat: %+v", iat)
	}
	if nbf := rowOf(t, rows, "nbf"); !nbf.Absent || nbf.Expected != "present" {
		t.Errorf("a required claim that is absent has no row: %+v", nbf)
	}
	if x5t := rowOf(t, rows, "x5t"); !x5t.Absent || x5t.Part != "header" {
		t.Errorf("x5t: %+v", x5t)
	}
	if alg := rowOf(t, rows, "alg"); alg.Expected != "RS256" || alg.Result.Text != "pass" {
		t.Errorf("alg: %+v", alg)
	}
	if rows[0].Name != "alg" || rows[1].Name != "kid" {
		t.Errorf("order: %s, %s", rows[0].Name, rows[1].Name)
	}
}

func TestClaims_AccessToken(t *testing.T) {
	life := classify.Duration(3 * time.Minute)
	p := *testProfiles()[0]
	p.AccessToken = &classify.AccessTokenRules{Algorithms: []string{"RS256"}, RequiredClaims: []string{"sub"}, Lifetime: &life}
	p.Environments = []classify.Environment{{Name: "prod", Issuers: []string{"https://auth.exchange.example/"}, APIAudiences: []string{"https://api.exchange.example"}}}
	rec := classify.Record{Time: eventTime(), AccessToken: &classify.JWT{Header: classify.ObjectOf(map[string]any{"alg": "HS256"}), Claims: classify.ObjectOf(map[string]any{
		"iss": "https://\u0430uth.exchange.example/", "exp": json.Number("1795316340000"), "iat": "yesterday", "sub": ""})}}
	rows := tokensOf(rec, classify.Verdict{Environment: "prod"}, &p)[0].Rows
	if iss := rowOf(t, rows, "iss"); !iss.Mixed || iss.Rule != "exchange: issuers, prod" {
		t.Errorf("iss: %+v", iss)
	}
	if exp := rowOf(t, rows, "exp"); exp.Relative != "not a number of seconds; as milliseconds it is 22 Nov 2026 02:59:00 UTC" || exp.Time.ISO != "" {
		t.Errorf("exp: %+v", exp)
	}
	if iat := rowOf(t, rows, "iat"); iat.Relative != "not a number of seconds" {
		t.Errorf("iat: %+v", iat)
	}
	if sub := rowOf(t, rows, "sub"); sub.Absent || sub.Sent != `""` {
		t.Errorf("sub: %+v", sub)
	}
	if aud := rowOf(t, rows, "aud"); !aud.Absent || aud.Expected != "https://api.exchange.example" {
		t.Errorf("aud: %+v", aud)
	}
}

func TestClaims_Bounded(t *testing.T) {
	claims := map[string]any{}
	for i := range 5000 {
		claims["claim"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+time.Duration(i).String()] = strings.Repeat("v", 10000)
	}
	rec := classify.Record{Time: eventTime(), ClientAssertion: &classify.JWT{Header: nil, Claims: classify.ObjectOf(claims)}}
	token := tokensOf(rec, classify.Verdict{}, nil)[0]
	if len(token.Rows) != tokenRows || token.Left != 5000-tokenRows {
		t.Errorf("%d rows, %d left out", len(token.Rows), token.Left)
	}
	for _, r := range token.Rows {
		if len(r.Sent) > 2*valueLength {
			t.Fatalf("a value of %d bytes", len(r.Sent))
		}
	}
}

func TestRecordOf(t *testing.T) {
	for _, stored := range []string{"", "null!", "[]", `{"time":1}`} {
		if rec := recordOf(json.RawMessage(stored)); rec != nil {
			t.Errorf("%q: %+v", stored, rec)
		}
	}
}

func TestVerdict_SnippetsHoldTheValuesOfTheCase(t *testing.T) {
	f := wrongAudience(eventTime())
	rec, p := recordOf(f.Record), testProfiles()[0]
	list := verdictOf(f.Verdict, rec, p).Fix.Snippets
	if len(list) != len(classify.SnippetLanguages()) || list[0].Language != "curl" {
		t.Fatalf("snippets: %+v", list)
	}
	for _, s := range list {
		if !strings.Contains(s.Program, f.URL) {
			t.Errorf("%s does not name the token endpoint %s:\n%s", s.Language, f.URL, s.Program)
		}
	}
	rec.ClientAssertion.Claims = rec.ClientAssertion.Claims.With("sub", "client\u202ea")
	rec.ClientID, f.Verdict.ClientID = "client\u202ea", "client\u202ea"
	if got := verdictOf(f.Verdict, rec, p).Fix.Snippets; len(got) > 0 && strings.Contains(got[0].Program, "\u202e") {
		t.Errorf("a program that reads otherwise than it runs: %q", got[0].Program)
	}
}
