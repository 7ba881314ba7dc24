package ingest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// lateAssertion is a record of the tokens endpoint for a token request.
func lateAssertion(n int, id, aud string) string {
	token := assertionAt(n, "jti-"+id, aud)
	return fmt.Sprintf(`{"time":%q,"kind":"client_assertion","request_id":"req-%s",%s`, second(n).Format(time.RFC3339), id, token[1:])
}

// A delivery is one request of a test.
type delivery struct{ path, body string }

// permutations calls fn with every order of list.
func permutations(list []delivery, fn func([]delivery)) {
	if len(list) < 2 {
		fn(list)
		return
	}
	for i := range list {
		rest := append(append([]delivery{}, list[:i]...), list[i+1:]...)
		permutations(rest, func(tail []delivery) { fn(append([]delivery{list[i]}, tail...)) })
	}
}

// A token may come before or after its response, in any order with others: verdicts, incidents and counts agree.
func TestJoin_OrderDoesNotMatter(t *testing.T) {
	deliveries := []delivery{
		{responses, tokenRequest(10, "a", 401, "")},
		{tokens, lateAssertion(10, "a", "https://api.lab.test")},
		{responses, tokenRequest(20, "b", 200, "")},
		{tokens, lateAssertion(20, "b", tokenEndpoint)},
	}
	first := newService(t, testProfile())
	first.post(tokens, deliveries[1].body)
	first.post(responses, deliveries[0].body)
	first.post(tokens, deliveries[3].body)
	first.post(responses, deliveries[2].body)
	want := first.snapshot()
	if got := want.Verdicts["a"]; !strings.HasPrefix(got, "wrong_audience proven") {
		t.Fatalf("verdict %s", got)
	}
	permutations(deliveries, func(order []delivery) {
		s := newService(t, testProfile())
		var names []string
		for _, d := range order {
			s.post(d.path, d.body)
			names = append(names, d.path[len("/ingest/v1/"):])
		}
		s.assertSame(strings.Join(names, ", "), want)
		for _, d := range order { // and again
			if a := s.post(d.path, d.body); a.Duplicates != 1 {
				t.Errorf("redelivered: %+v", a)
			}
		}
		s.assertSame("again "+strings.Join(names, ", "), want)
	})
}

// A call has the id of the token request that was made for it: each is judged as it is alone, whatever comes first of the other's token.
func TestJoin_TokenOfAnotherRequest(t *testing.T) {
	access := delivery{tokens, `{"time":"2026-11-22T03:00:21Z","kind":"access_token","request_id":"req-a","header":{"alg":"RS256","kid":"k"},"claims":{"iss":"https://as.lab.test","aud":"https://api.lab.test","exp":1795319400}}`}
	assertion := delivery{tokens, lateAssertion(20, "a", tokenEndpoint)}
	call := func(id, status, authorization string) string {
		return fmt.Sprintf(`{"time":"2026-11-22T03:00:22Z","id":%q,"request_id":"req-a","request":{"method":"GET","url":"https://api.lab.test/v1/orders","headers":{%s}},"response":{"status":%s}}`, id, authorization, status)
	}
	for _, tt := range []struct {
		failed string
		token  delivery
	}{
		{tokenRequest(20, "a", 401, ""), access},
		{tokenRequest(20, "a", 401, `,"client_assertion":`+assertionAt(20, "j", "https://api.lab.test")), access},
		{call("b", "401", `"authorization":"Bearer [jwt]"`), assertion},
		{call("b", "401", `"authorization":"DPoP [jwt]"`), assertion},
		{call("b", "401", ``), assertion},
	} {
		alone := newService(t, nil) // which knows no token endpoint
		alone.post(responses, tt.failed)
		want := alone.failures()[0].Verdict
		failed := delivery{responses, tt.failed}
		for name, order := range map[string][]delivery{
			"token first": {tt.token, failed}, "token last": {failed, tt.token}, "beside another": {tt.token, {responses, tt.failed + "\n" + call("c", "200", "")}},
		} {
			s := newService(t, nil)
			for _, d := range order {
				s.post(d.path, d.body)
			}
			if v := s.failures()[0].Verdict; v.Phase != want.Phase || v.Cause != want.Cause || v.Summary != want.Summary {
				t.Errorf("%s: %s %s: %s, alone it is %s %s: %s", name, v.Phase, v.Cause, v.Summary, want.Phase, want.Cause, want.Summary)
			}
		}
	}
}

// The token of a success makes history, also when it comes late: its jti is used up.
func TestJoin_LateTokenMakesHistory(t *testing.T) {
	for name, order := range map[string][]int{"token first": {0, 1}, "token last": {1, 0}} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, testProfile())
			both := []delivery{{tokens, lateAssertion(20, "b", tokenEndpoint)}, {responses, tokenRequest(20, "b", 200, "")}}
			for _, n := range order {
				s.post(both[n].path, both[n].body)
			}
			s.post(responses, tokenRequest(25, "c", 401, `,"client_assertion":`+assertionAt(20, "jti-b", tokenEndpoint)))
			if got := s.snapshot().Verdicts["c"]; !strings.HasPrefix(got, "jti_reuse ") {
				t.Errorf("verdict %s", got)
			}
		})
	}
}

// One trace holds a token request and a call; each gets its own kind of token.
func TestJoin_ByTrace(t *testing.T) {
	s := newService(t, testProfile())
	trace := func(record string) string {
		return strings.Replace(record, `"client_id":"client-a",`, `"client_id":"client-a","trace_id":"t1",`, 1)
	}
	s.post(responses, trace(tokenRequest(10, "a", 401, "")))
	s.post(tokens, strings.Replace(lateAssertion(10, "zzz", "https://api.lab.test"), `"request_id":"req-zzz"`, `"trace_id":"t1"`, 1))
	if got := s.snapshot().Verdicts["a"]; !strings.HasPrefix(got, "wrong_audience proven") {
		t.Errorf("verdict %s", got)
	}
	call := `{"time":"2026-11-22T03:00:30Z","id":"call","trace_id":"t1","request":{"method":"GET","url":"https://api.lab.test/v1/orders","headers":{"authorization":"Bearer [jwt]"}},
		"response":{"status":401,"headers":{"www-authenticate":"Bearer error=\"invalid_token\""}}}`
	s.post(responses, call)
	for _, f := range s.failures() {
		if f.RecordID == "call" && strings.Contains(string(f.Record), `"client_assertion"`) {
			t.Error("the call was given the assertion of the token request")
		}
	}
}

// A raw token at the tokens endpoint is decoded, joined and dropped.
func TestJoin_RawToken(t *testing.T) {
	s := newService(t, testProfile())
	signature := strings.Repeat("c2lnbmF0dXJl", 6)
	raw := segment(`{"alg":"RS256","kid":"k"}`) + "." + segment(fmt.Sprintf(`{"iss":"client-a","sub":"client-a","aud":"https://api.lab.test","iat":%d,"exp":%d,"jti":"j"}`, second(10).Unix(), second(70).Unix())) + "." + signature
	s.post(responses, tokenRequest(10, "a", 401, ""))
	s.post(tokens, fmt.Sprintf(`{"time":"2026-11-22T03:00:10Z","kind":"client_assertion","request_id":"req-a","token":%q}`, raw))
	if got := s.snapshot().Verdicts["a"]; !strings.HasPrefix(got, "wrong_audience proven") {
		t.Errorf("verdict %s", got)
	}
	s.assertClean(nil, []string{signature, raw[:60]})
}

func TestJoin_RecordErrors(t *testing.T) {
	s := newService(t, testProfile())
	good := lateAssertion(10, "a", tokenEndpoint)
	a := s.post(tokens, strings.Join([]string{
		good,
		`{"kind":"client_assertion","request_id":"r","header":{},"claims":{}}`,
		`{"time":"2026-11-22T03:00:00Z","kind":"id_token","request_id":"r","header":{},"claims":{}}`,
		`{"time":"2026-11-22T03:00:00Z","kind":"access_token","header":{},"claims":{}}`,
		`{"time":"2026-11-22T03:00:00Z","kind":"access_token","request_id":"r"}`,
		`{"time":"2026-11-22T03:00:00Z","kind":"access_token","request_id":"r","token":"opaque"}`,
		`{"time":"2026-11-22T03:00:00Z","kind":"access_token","request_id":{},"header":{},"claims":{}}`,
	}, "\n"))
	var codes []string
	for _, e := range a.Errors {
		codes = append(codes, fmt.Sprintf("%d:%s", e.Index, e.Code))
	}
	if got, want := strings.Join(codes, " "), "1:missing_time 2:wrong_kind 3:missing_join_id 4:missing_token 5:missing_token 6:wrong_type"; got != want || a.Accepted != 1 {
		t.Errorf("accepted %d, errors %s", a.Accepted, got)
	}
}

// An id that everything repeats joins nothing: a token must not be blamed for the failures of others.
func TestJoin_CommonIDsJoinNothing(t *testing.T) {
	token := func(id string) string {
		return strings.Replace(lateAssertion(10, "a", "https://api.lab.test"), "req-a", id, 1)
	}
	s := newService(t, testProfile())
	for i := range maxSharers + 1 {
		s.post(responses, strings.Replace(tokenRequest(i, fmt.Sprint("r", i), 401, ""), fmt.Sprintf("req-r%d", i), "same", 1))
	}
	s.post(responses, strings.Replace(tokenRequest(20, "dash", 401, ""), "req-dash", "-", 1))
	before := s.snapshot()
	s.post(tokens, token("same"))
	s.assertSame("one id for all", before)
	if a := s.post(tokens, token("-")+"\n"+lateAssertion(11, "z", tokenEndpoint)); a.Rejected != 1 || a.Errors[0].Code != "missing_join_id" {
		t.Errorf("%+v", a)
	}
	s.assertSame("no id", before)
}

// A token that came first serves each exchange of its trace, in whatever request they come.
func TestJoin_TokenServesItsWholeTrace(t *testing.T) {
	s := newService(t, testProfile())
	s.post(tokens, strings.Replace(lateAssertion(10, "a", "https://api.lab.test"), `"request_id":"req-a"`, `"trace_id":"t1"`, 1))
	for _, id := range []string{"a", "b"} {
		s.post(responses, strings.Replace(tokenRequest(10, id, 401, ""), `"client_id":`, `"trace_id":"t1","client_id":`, 1))
	}
	for id, got := range s.snapshot().Verdicts {
		if !strings.HasPrefix(got, "wrong_audience proven") {
			t.Errorf("%s: %s", id, got)
		}
	}
}

// What an exchange told history without its token is not told again with it.
func TestJoin_CountsFactsOnce(t *testing.T) {
	s := newService(t, testProfile())
	s.post(responses, tokenRequest(20, "b", 200, ""))
	s.post(tokens, lateAssertion(20, "b", tokenEndpoint))
	key := classify.Key{Kind: classify.FactClient, Provider: "lab", Environment: "prod", Name: "client-a"}
	var fact classify.Fact
	err := s.store.Write(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		history, err := tx.History(ctx, []classify.Key{key})
		fact = history[key]
		return err
	})
	if err != nil || fact.Count != 1 {
		t.Errorf("%+v, %v", fact, err)
	}
}
