package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// addUnclassified stores a failure of the exchange whose answer has that body, as the classifier judges it.
func (s *site) addUnclassified(t *testing.T, provider, client, body string) store.Failure {
	t.Helper()
	rec := classify.Record{Time: s.now.Add(-time.Hour), ID: fmt.Sprint(client, body), Provider: provider, Environment: "prod", ClientID: client,
		Request:  &classify.Request{Method: "GET", URL: "https://api.exchange.example/v1/orders", Headers: classify.HeadersOf(map[string]string{"authorization": "Bearer [jwt]"})},
		Response: &classify.Response{Status: 403, Body: classify.Body(body)}}
	stored, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	list := []store.Failure{{Source: "test", RecordID: rec.ID, ReceivedAt: s.now, Endpoint: "GET api.exchange.example/v1/orders", Method: "GET", URL: rec.Request.URL, Status: 403, Record: stored,
		Verdict: classify.Verdict{Time: rec.Time, Provider: provider, Environment: "prod", ClientID: client, Phase: classify.APICall, Cause: classify.Unclassified,
			Confidence: classify.Inferred, Fault: classify.FaultUnknown, Summary: "Nothing tells the cause.", Evidence: []classify.Evidence{}, Checks: []*classify.Check{},
			Alternatives: []classify.Alternative{{Cause: classify.AccountAccessDenied, Confidence: classify.Inferred}}, Fix: classify.Fix{Steps: []string{}}}}}
	if err := s.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error { return tx.AddFailures(ctx, list) }); err != nil {
		t.Fatal(err)
	}
	return list[0]
}

// openUnclassified opens the pages of failures without a cause.
func (s *site) openUnclassified(t *testing.T, opened map[string]bool) {
	t.Helper()
	f := s.addUnclassified(t, "exchange", "a", `{"code":"E-17","message":"the oracle is mute"}`)
	opened["unclassified.html"], opened["unclassified_rule.html"] = true, true
	s.page(t, "/unclassified", "session viewer")
	s.page(t, "/unclassified/"+f.ID, "session viewer")
}

func TestUnclassified_Groups(t *testing.T) {
	s := newSite(t)
	if body := s.page(t, "/unclassified", "session viewer"); !strings.Contains(body, "has a cause") {
		t.Error("the empty page")
	}
	for n := range 3 {
		s.addUnclassified(t, "exchange", fmt.Sprint("client-", n%2), fmt.Sprintf(`{"code":"E-17","message":"the oracle is mute about order %d"}`, 4711+n))
	}
	s.addUnclassified(t, "exchange", "client-0", `{"code":"E-18","message":"the oracle is mute about order 1"}`)
	s.addFailures(t, 2, classify.TokenExpired, "prod", "client-9")
	body := s.page(t, "/unclassified", "session viewer")
	for _, want := range []string{"4 failures without a cause", "in 2 groups", "the oracle is mute about order ‹n›", "E-17", "E-18", "2 clients", `href="/causes/account_access_denied"`, "exchange / prod"} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if strings.Contains(body, "client-9") || strings.Index(body, "E-17") > strings.Index(body, "E-18") {
		t.Error("a failure with a cause is in it, or the larger group is not first")
	}
	if body := s.page(t, "/unclassified?from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z", "session viewer"); !strings.Contains(body, "has a cause") {
		t.Error("another time")
	}
	if got := s.do(t, ask{path: "/unclassified?range=9y", who: "session viewer"}); got.status != http.StatusBadRequest {
		t.Errorf("an unknown range: %d", got.status)
	}
}

func TestUnclassified_Limit(t *testing.T) {
	s := newSite(t)
	for n := range 3 {
		s.addUnclassified(t, "exchange", "a", fmt.Sprintf(`{"message":"mute %d"}`, n))
	}
	list, more, err := s.api.unclassified(t.Context(), store.FailureFilter{}, 2)
	if err != nil || len(list) != 2 || !more {
		t.Errorf("%d, more %v, %v", len(list), more, err)
	}
	list, more, err = s.api.unclassified(t.Context(), store.FailureFilter{}, 3)
	if err != nil || len(list) != 3 || more {
		t.Errorf("%d, more %v, %v", len(list), more, err)
	}
}

func TestUnclassified_Propose(t *testing.T) {
	s := newSite(t)
	f := s.addUnclassified(t, "exchange", "a", `{"code":"E-17","message":"the oracle is mute"}`)
	s.addUnclassified(t, "exchange", "b", `{"code":"E-17","message":"the oracle is mute"}`)
	s.addUnclassified(t, "exchange", "c", `{"code":"E-17","message":"the oracle sleeps"}`)
	path := firstLink(t, s.page(t, "/unclassified", "session viewer"), "/unclassified/rec_")
	if body := s.page(t, path, "session viewer"); !strings.Contains(body, `<option value="E-17" selected>`) || !strings.Contains(body, "(candidate)") || strings.Contains(body, "For the profile") {
		t.Errorf("the form: %s", body)
	}
	path = "/unclassified/" + f.ID
	got := s.page(t, path+"?phase=api_call&status=403&code=E-17&cause=scope_gap", "session viewer")
	for _, want := range []string{
		"provider: exchange\nmeanings:\n  - phase: api_call\n    status: 403\n    code: E-17\n    cause: scope_gap\n", "With it this record gets the cause " + inSentence(causeOf(classify.ScopeGap).Title) + ".",
		"Of 2 failures in this group among the provider&#39;s latest, it names the cause of 2.", "also takes in 1 failure of other groups",
		"authwatch profiles show exchange &gt; exchange.yaml", "authwatch classify --profile exchange.yaml", `<option value="scope_gap" selected>`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q", want)
		}
	}
	fixture := regexp.MustCompile(`aria-label="The fixture">([^<]*)<`).FindStringSubmatch(got)
	var rec classify.Record
	if fixture == nil || strings.Contains(fixture[1], "\n") || json.Unmarshal([]byte(strings.ReplaceAll(fixture[1], "&#34;", `"`)), &rec) != nil || rec.ClientID != "a" {
		t.Errorf("the fixture is %v", fixture)
	}
	// What a check or the server's own words decide is not overruled.
	other := s.addUnclassified(t, "exchange", "d", `{"error":"invalid_token","error_description":"The token is expired"}`)
	if got := s.page(t, "/unclassified/"+other.ID+"?status=403&cause=scope_gap", "session viewer"); !strings.Contains(got, "still gets the cause") || strings.Contains(got, "With it this record gets the cause") {
		t.Error("a rule that does nothing is said to work")
	}
	if len(s.api.Profiles[0].Meanings) != 1 {
		t.Errorf("the profile in force was changed: %+v", s.api.Profiles[0].Meanings)
	}
	for _, query := range []string{"?cause=nothing", "?cause=unclassified", "?status=999&cause=scope_gap"} {
		if body := s.page(t, path+query, "session viewer"); strings.Contains(body, "For the profile") {
			t.Errorf("%s makes a rule", query)
		} else if !strings.Contains(body, `role="alert"`) {
			t.Errorf("%s says nothing", query)
		}
	}
}

func TestUnclassified_ProposeForUnknownProvider(t *testing.T) {
	s := newSite(t)
	f := s.addUnclassified(t, "acme", "a", `{"message":"the oracle is mute"}`)
	got := s.page(t, "/unclassified/"+f.ID+"?status=403&cause=account_access_denied", "session viewer")
	for _, want := range []string{"provider: acme\nenvironments:\n  - name: prod\n    hosts:\n      - api.exchange.example\nmeanings:\n", "No profile in force knows this provider", "With it this record gets the cause"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q: %s", want, got)
		}
	}
	if strings.Contains(got, "profiles show") {
		t.Error("a profile is to be shown that is not there")
	}
}

func TestUnclassified_NoRule(t *testing.T) {
	s := newSite(t)
	known := s.addFailures(t, 1, classify.TokenExpired, "prod", "a")[0]
	for _, id := range []string{known.ID, "rec_none", "x"} {
		if got := s.do(t, ask{path: "/unclassified/" + id, who: "session viewer"}); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", id, got.status)
		}
	}
	silent := hostileFailure(s.now, 0, "x")
	silent.Status, silent.Record = 0, json.RawMessage(`{"time":"2026-11-22T12:00:00Z","error":"the signer sleeps"}`)
	list := []store.Failure{silent}
	s.write(t, func(ctx context.Context, tx *store.Tx) error { return tx.AddFailures(ctx, list) })
	if body := s.page(t, "/unclassified/"+list[0].ID+"?cause=scope_gap", "session viewer"); !strings.Contains(body, "There was no response") || strings.Contains(body, "For the profile") {
		t.Error("a rule is made of no answer")
	}
}

func TestUnclassified_HostileText(t *testing.T) {
	s := newSite(t)
	var list []store.Failure
	for n, text := range hostile() {
		list = append(list, hostileFailure(s.now.Add(-time.Duration(n+1)*time.Minute), n, text))
	}
	s.write(t, func(ctx context.Context, tx *store.Tx) error { return tx.AddFailures(ctx, list) })
	for _, text := range hostile() {
		body, err := json.Marshal(map[string]string{"error": text, "code": text, "message": text})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s.addUnclassified(t, text, text, string(body)))
	}
	holdsMarkup(t, "/unclassified", s.page(t, "/unclassified", "session viewer"))
	for _, f := range list {
		for _, query := range []string{"", "?phase=api_call&status=" + fmt.Sprint(f.Status) + "&cause=scope_gap", "?error=" + url.QueryEscape(hostile()[0]) + "&cause=scope_gap"} {
			path := "/unclassified/" + f.ID + query
			holdsMarkup(t, path, s.page(t, path, "session viewer"))
		}
	}
}

// An answer that was read before is not read again, and what it is compared by leaves out nothing that its group depends on.
func TestUnclassified_EachAnswerIsReadOnce(t *testing.T) {
	s := newSite(t)
	keys := clusterKeys{s.api, map[answerHeard]clusterKey{}}
	failure := func(provider, record string) store.Failure {
		return store.Failure{Endpoint: "GET api.exchange.example/v1/orders", Status: 403, Record: json.RawMessage(record), Verdict: classify.Verdict{Provider: provider, Phase: classify.APICall}}
	}
	record := func(headers, body, rest string) string {
		return `{"time":"2026-11-22T10:00:00Z","request":{"method":"GET","url":"https://api.exchange.example/v1/orders"},"response":{"status":403,"headers":{` + headers + `},"body":` + body + `}` + rest + `}`
	}
	for n, f := range []store.Failure{
		failure("exchange", record(`"date":"Sun, 22 Nov 2026 10:00:00 GMT"`, `{"message":"mute"}`, "")),
		failure("exchange", record(`"date":"Sun, 22 Nov 2026 10:00:01 GMT","x-request-id":"2"`, `{"message":"mute"}`, `,"client_id":"b"`)), // as the first
		failure("exchange", record(`"www-authenticate":"Bearer error=\"invalid_token\", error_description=\"no\""`, `{"message":"mute"}`, "")),
		failure("exchange", record("", `{"message":"deaf","code":"E-17"}`, "")),
		failure("exchange", record("", `{"message":"deaf","code":"E-18"}`, "")),
		failure("other", record("", `{"message":"deaf","code":"E-18"}`, "")),
		failure("exchange", `{"time":"2026-11-22T10:00:00Z","error":"the oracle is away"}`),
		failure("exchange", `{"time":"2026-11-22T10:00:00Z","error":"the oracle is back"}`),
		failure("exchange", `no record`),
	} {
		if got, want := keys.of(f), s.api.keyOfCluster(f); got != want {
			t.Errorf("%d: %+v, read by itself %+v", n, got, want)
		}
	}
	if len(keys.known) != 7 {
		t.Errorf("%d answers were read", len(keys.known))
	}
}
