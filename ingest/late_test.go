package ingest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"authwatch/store"
)

// bareSuccesses are granted tokens without their assertions.
func bareSuccesses(from, n int) (lines []string, keys []string) {
	for k := from; k < from+n; k++ {
		id := fmt.Sprintf("b%d", k)
		lines = append(lines, strings.ReplaceAll(tokenRequest(k%600, id, 200, ""), "\n", " "))
		keys = append(keys, "request:req-"+id)
	}
	return lines, keys
}

// waitingAfter sends so many successes without tokens, and counts those that wait for them.
func (s *service) waitingAfter(i *Ingester, from, n int) int {
	s.t.Helper()
	lines, keys := bareSuccesses(from, n)
	r := httptest.NewRequest(http.MethodPost, responses, strings.NewReader(strings.Join(lines, "\n")))
	r.Header.Set("Authorization", "Bearer "+s.key)
	w := httptest.NewRecorder()
	i.Handler().ServeHTTP(w, r)
	if want := fmt.Sprintf(`"accepted":%d`, n); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
		s.t.Fatalf("%d %s", w.Code, w.Body)
	}
	var waiting []store.Pending
	err := s.store.Write(context.Background(), func(ctx context.Context, tx *store.Tx) (err error) {
		waiting, err = tx.TakePending(ctx, sideExchange, keys)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return len(waiting)
}

// another is an ingester of another process on the same database, with a clock of its own.
func (s *service) another(now *time.Time) *Ingester {
	s.t.Helper()
	i, err := New(Options{Store: s.store, Profiles: s.profiles, Redactor: s.redactor, Registerer: newRegistry(), Logger: jsonLog(s.log),
		Now: func() time.Time { return *now }})
	if err != nil {
		s.t.Fatal(err)
	}
	return i
}

// noneWaits has no success wait for a token for the rest of the minute.
func noneWaits(i *Ingester) {
	i.late.minute, i.late.waits = testNow().Truncate(time.Minute), waitAnyway
}

// Where no tokens come apart, few successes of a minute wait for one; once one has come, all do, also after a restart.
func TestLateTokens_WhoWaits(t *testing.T) {
	s := newService(t, testProfile())
	if got := s.waitingAfter(s.ingester, 0, 3000); got != waitAnyway {
		t.Errorf("%d wait of the first minute, want %d", got, waitAnyway)
	}
	if got := s.waitingAfter(s.ingester, 3000, 10); got != 0 {
		t.Errorf("%d more of that minute wait", got)
	}
	s.post(tokens, lateAssertion(10, "none", tokenEndpoint))
	if got := s.waitingAfter(s.ingester, 4000, 3000); got != 3000 {
		t.Errorf("%d wait after a token came apart, want all", got)
	}
	s.restart()
	if got := s.waitingAfter(s.ingester, 8000, 3000); got != 3000 {
		t.Errorf("%d wait after a restart, want all", got)
	}
}

// Another process hears of the first token within half a minute. Without tokens for a day few wait again, those of each minute anew.
func TestLateTokens_AnotherProcess(t *testing.T) {
	s := newService(t, testProfile())
	now := testNow()
	other := s.another(&now)
	sent := 0
	for _, tt := range []struct {
		after time.Duration
		sends int
		token bool
		waits int
	}{
		{0, 1500, true, 1000},
		{29 * time.Second, 500, false, 0}, // it has asked before the token came
		{31 * time.Second, 1500, false, 1500},
		{tokensComeFor - time.Second, 1500, false, 1500},
		{tokensComeFor, 600, false, 600},
		{tokensComeFor, 600, false, 400},
		{tokensComeFor + time.Minute, 1200, false, 1000},
	} {
		now = testNow().Add(tt.after)
		if got := s.waitingAfter(other, sent, tt.sends); got != tt.waits {
			t.Errorf("after %s %d of %d wait, want %d", tt.after, got, tt.sends, tt.waits)
		}
		if sent += tt.sends; tt.token {
			s.post(tokens, lateAssertion(10, "none", tokenEndpoint))
		}
	}
}

// A token finds its success among many, whichever came first, as soon as one has come apart.
func TestLateTokens_FindTheirs(t *testing.T) {
	s := newService(t, testProfile())
	lines, _ := bareSuccesses(0, 1200)
	s.post(responses, strings.Join(lines, "\n"))
	s.post(tokens, lateAssertion(10, "other", tokenEndpoint))
	s.post(tokens, lateAssertion(20, "late", tokenEndpoint))
	lines, _ = bareSuccesses(2000, 1200)
	s.post(responses, strings.Join(append(lines, tokenRequest(20, "late", 200, ""), tokenRequest(20, "early", 200, "")), "\n"))
	s.post(tokens, lateAssertion(20, "early", tokenEndpoint))
	for _, id := range []string{"late", "early"} {
		again := tokenRequest(25, id+"-again", 401, `,"client_assertion":`+assertionAt(20, "jti-"+id, tokenEndpoint))
		s.post(responses, again)
		if got := s.snapshot().Verdicts[id+"-again"]; !strings.HasPrefix(got, "jti_reuse ") {
			t.Errorf("%s: verdict %s", id, got)
		}
	}
}

// Of an accepted call less is kept than of others until its token comes, and it comes to the same: the same token, later refused, had been good.
func TestLateTokens_AcceptedCall(t *testing.T) {
	whole := apiCall(20, "ok", 200, "at-1", second(60))
	call := strings.Replace(bare(whole), `"id":"ok"`, `"id":"ok","request_id":"r-1","trace_id":"t-1"`, 1)
	token := whole[strings.Index(whole, `"access_token":{`)+len(`"access_token":{`) : len(whole)-2]
	late := func(id string) string {
		return fmt.Sprintf(`{"time":%q,"kind":"access_token",%s,%s}`, second(20).Format(time.RFC3339), id, token)
	}
	for n, order := range [][]delivery{
		{{responses, call}, {tokens, late(`"request_id":"r-1"`)}},
		{{responses, call}, {tokens, late(`"trace_id":"t-1"`)}},
		{{responses, call}, {tokens, late(`"trace_id":"t-1","request_id":"r-1"`)}},
		{{tokens, late(`"trace_id":"t-1","request_id":"other"`)}, {responses, call}},
	} {
		s := newService(t, testProfile())
		for _, d := range order {
			s.post(d.path, d.body)
		}
		s.post(responses, apiCall(200, "refused", 401, "at-1", second(60)))
		if got := s.snapshot().Verdicts["refused"]; !strings.HasPrefix(got, "expired_mid_session proven client-a") {
			t.Errorf("order %d: verdict %s", n, got)
		}
	}
}
