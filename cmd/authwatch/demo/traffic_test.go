package demo

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/classify/profile"
	"authwatch/ingest"
)

// judged is what the service would say about the whole traffic: read by the real decoder, judged in order, with history.
type judged struct {
	verdicts []classify.Verdict
	outcomes map[classify.Outcome]int
}

func judge(t *testing.T, m *maker, all []*exchange) judged {
	t.Helper()
	profiles, err := profile.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	redactor, err := ingest.NewRedactor(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	history := classify.History{}
	result := judged{outcomes: map[classify.Outcome]int{}}
	for _, x := range all {
		if x.shown == apart {
			x.shown = decoded // as it is after the join
		}
		shown, _, err := m.show(x)
		if err != nil {
			t.Fatal(err)
		}
		records, bad := ingest.Decode(encode(shown), redactor)
		if len(bad) > 0 || len(records) != 1 {
			t.Fatalf("%d records, %+v", len(records), bad)
		}
		e := profiles.Locate(&records[0].Record)
		result.outcomes[e.Outcome]++
		if e.Outcome == classify.Failed {
			result.verdicts = append(result.verdicts, classify.Classify(e, lookup(history, e.Keys())))
		}
		history.Observe(e.Facts())
	}
	return result
}

func lookup(history classify.History, keys []classify.Key) classify.History {
	found := classify.History{}
	for _, k := range keys {
		if f, ok := history[k]; ok {
			found[k] = f
		}
	}
	return found
}

func makeDay(t *testing.T, now time.Time) (*maker, []*exchange) {
	t.Helper()
	m, err := newMaker(1)
	if err != nil {
		t.Fatal(err)
	}
	return m, m.day(now)
}

func TestDay(t *testing.T) {
	now := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	m, all := makeDay(t, now)
	result := judge(t, m, all)
	t.Run("holds the causes of both documents", func(t *testing.T) { assertCauses(t, result) })
	t.Run("is mostly success and has a week before", func(t *testing.T) { assertProportions(t, now, len(all), result) })
}

func assertCauses(t *testing.T, result judged) {
	t.Helper()
	found := map[string]map[classify.Code]bool{"polymarket": {}, "redox": {}}
	for _, v := range result.verdicts {
		if found[v.Provider] == nil {
			t.Fatalf("a failure of provider %q: every record belongs to one of the two", v.Provider)
		}
		found[v.Provider][v.Cause] = true
	}
	for provider, want := range map[string][]classify.Code{
		"polymarket": {
			classify.MissingToken, classify.TokenExpired, classify.MalformedAuthorizationHeader, classify.WrongEnvironment,
			classify.ScopeGap, classify.ScopeFormat, classify.KeyMismatch, classify.BadKeyFormat, classify.WrongAudience,
			classify.AssertionExpired, classify.MissingClaim, classify.JTIReuse, classify.WrongAlgorithm,
			classify.KeyReusedAcrossEnvironments, classify.ExpiredMidSession, classify.ClockSkew,
			classify.AccountAccessDenied, classify.InsufficientPermissions, classify.ProviderUnavailable, classify.Unclassified,
		},
		"redox": {
			classify.WrongAudience, classify.WrongAlgorithm, classify.JTIReuse, classify.WrongContentType, classify.InvalidGrantType,
			classify.InvalidAssertionType, classify.MissingAssertion, classify.MissingKID, classify.UnknownKey,
			classify.AssertionTooOld, classify.NotYetValid, classify.ClockSkew, classify.MalformedJWT, classify.MissingClaim,
			classify.ClientIdentityMismatch, classify.InvalidClaim, classify.WrongTokenType,
		},
	} {
		for _, code := range want {
			if !found[provider][code] {
				t.Errorf("no %s failure shows %s", provider, code)
			}
		}
	}
}

func assertProportions(t *testing.T, now time.Time, exchanges int, result judged) {
	t.Helper()
	if exchanges < 10_000 || exchanges > 20_000 {
		t.Errorf("%d exchanges, want 10,000 to 20,000", exchanges)
	}
	if failed := len(result.verdicts); failed*4 > result.outcomes[classify.Accepted] {
		t.Errorf("%d failures beside %d successes", failed, result.outcomes[classify.Accepted])
	}
	if result.outcomes[classify.Other] == 0 {
		t.Error("no ordinary errors among the traffic")
	}
	lastWeek := 0
	for _, v := range result.verdicts {
		if v.Time.After(now) {
			t.Fatalf("%s is after now", v.Time)
		}
		if v.Time.Before(now.Add(-6 * 24 * time.Hour)) {
			lastWeek++
		}
	}
	if lastWeek == 0 {
		t.Error("no failures last week to compare with")
	}
}

func TestDay_IsDeterministic(t *testing.T) {
	now := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	_, first := makeDay(t, now)
	_, second := makeDay(t, now)
	if len(first) != len(second) {
		t.Fatalf("%d and %d exchanges", len(first), len(second))
	}
	for i := range first {
		a, _ := json.Marshal(first[i].record)
		b, _ := json.Marshal(second[i].record)
		if string(a) != string(b) {
			t.Fatalf("exchange %d differs:\n%s\n%s", i, a, b)
		}
	}
}

func TestDay_IDsAreUnique(t *testing.T) {
	seen := map[string]bool{}
	_, all := makeDay(t, time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC))
	for _, x := range all {
		if seen[x.record.ID] {
			t.Fatalf("record id %s occurs twice", x.record.ID)
		}
		seen[x.record.ID] = true
	}
}

func TestShow_Raw(t *testing.T) {
	m, err := newMaker(1)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	c := clientOf("order-router-prod")
	c.shown = raw
	r, tokens, err := m.show(m.apiCall(c, now, m.accessToken(c, now), c.calls[0]))
	if err != nil {
		t.Fatal(err)
	}
	if len(tokens) != 0 || r.AccessToken != nil {
		t.Error("a raw record carries the decoded token as well")
	}
	if got := r.Request.Headers.Get("authorization"); !strings.HasPrefix(got, "Bearer eyJ") || strings.Count(got, ".") != 2 {
		t.Errorf("authorization %q is no raw JWT", got)
	}
}

func TestShow_Apart(t *testing.T) {
	m, err := newMaker(1)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	c := clientOf("position-reports-prod")
	r, tokens, err := m.show(m.tokenRequest(c, now, m.assertion(c, now)))
	if err != nil {
		t.Fatal(err)
	}
	if r.ClientAssertion != nil || len(tokens) != 1 || tokens[0].Kind != "client_assertion" || tokens[0].RequestID != r.RequestID {
		t.Errorf("assertion %v, tokens %+v: want one apart, with the record's request id", r.ClientAssertion, tokens)
	}
}
