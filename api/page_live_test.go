package api

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

func TestLive(t *testing.T) {
	s := newSite(t)
	if body := s.page(t, "/live", "session viewer"); !strings.Contains(body, "No such failure was stored within the last day.") {
		t.Error("an empty page does not say so")
	}
	s.addFailures(t, 2, classify.ScopeGap, "prod", "client-b")
	s.now = s.now.Add(-3 * time.Hour)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "client-a") // stored later, happened earlier
	s.now = s.now.Add(3 * time.Hour)
	body := s.page(t, "/live", "session viewer")
	if a, b := strings.Index(body, ">client-a<"), strings.Index(body, ">client-b<"); a < 0 || b < a {
		t.Error("what was stored last does not come first")
	}
	if !strings.Contains(body, "The newest 3 failures, 2 within the last minute.") {
		t.Errorf("words: %s", wordsOf(body))
	}
	for _, need := range []string{`data-live="/api/v1/stream?about=failures&amp;after=3.0"`, `src="/static/live.js?v=`, `<a data-go="l" href="/live" aria-current="page">`} {
		if !strings.Contains(body, need) {
			t.Errorf("lacks %s", need)
		}
	}
	if strings.Contains(body, `class="new"`) || strings.Contains(body, "http-equiv") {
		t.Error("a first look marks something as new, or loads itself anew unasked")
	}
}

// TestLive_Withdrawn counts by the failures that are shown, and not by the places that withdrawn ones have in the feed.
func TestLive_Withdrawn(t *testing.T) {
	news := store.FeedNews{Whole: true, Events: []store.FeedEvent{{Kind: store.FeedFailureWithdrawn}, {Kind: store.FeedFailureWithdrawn}}}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for range 2 {
		news.Events = append(news.Events, store.FeedEvent{Kind: store.FeedFailure, At: now, Failure: &store.Failure{Verdict: classify.Verdict{Time: now}}})
	}
	rows := liveRowsOf(news.Events, store.FeedPosition{}, now)
	if got := liveWords(rows, news, store.FeedPosition{}, now); got != "The newest 2 failures, 2 within the last minute." {
		t.Error(got)
	}
}

func wordsOf(body string) string {
	m := regexp.MustCompile(`data-live-words>([^<]*)<`).FindStringSubmatch(body)
	if m == nil {
		return ""
	}
	return m[1]
}

func TestLive_Since(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 3, classify.ScopeGap, "prod", "client-b")
	body := s.page(t, "/live", "session viewer")
	s.addFailures(t, 2, classify.TokenExpired, "prod", "client-a")
	body = s.page(t, strings.ReplaceAll(firstHref(t, body, "Show what came since"), "&amp;", "&"), "session viewer")
	if n := strings.Count(body, `class="new"`); n != 2 {
		t.Errorf("%d rows are new", n)
	}
	if got := wordsOf(body); got != "2 new failures since you looked, 5 within the last minute." {
		t.Error(got)
	}
	since := firstHref(t, body, "Show what came since")
	s.addFailures(t, 60, classify.TokenExpired, "prod", "client-a")
	body = s.page(t, since, "session viewer")
	if got := wordsOf(body); got != "50 new failures are shown and 10 more were skipped since you looked, more than 50 within the last minute." {
		t.Error(got)
	}
	if !strings.Contains(body, `data-missed="10"`) {
		t.Error("what is skipped is not said to the script")
	}
}

func firstHref(t *testing.T, body, text string) string {
	t.Helper()
	m := regexp.MustCompile(`href="([^"]*)"[^>]*>` + regexp.QuoteMeta(text)).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no link %q", text)
	}
	return m[1]
}

func TestLive_Filter(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 1, classify.ScopeGap, "prod", "client-b")
	s.addFailures(t, 1, classify.ScopeGap, "prod", "<script>alert(1)</script>")
	search := `client:client-b -status:403`
	body := s.page(t, "/live?q="+url.QueryEscape(search)+"&refresh=30", "session viewer")
	if strings.Contains(body, "alert(1)") || !strings.Contains(body, ">client-b<") {
		t.Error("the filter does not select")
	}
	for _, need := range []string{`value="client:client-b -status:403"`, `data-here="/live?q=client%3Aclient-b&#43;-status%3A403"`, `<noscript><meta http-equiv="refresh" content="30"></noscript>`, `href="/live">Clear`} {
		if !strings.Contains(body, need) {
			t.Errorf("lacks %s", need)
		}
	}
	for _, bad := range []string{"q=nofield:x", "since=x"} {
		if a := s.do(t, ask{path: "/live?" + bad, who: "session viewer"}); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
}

func TestOver(t *testing.T) {
	s := newSite(t)
	s.now = s.now.Add(30 * time.Second)
	f := s.addFailures(t, 3, classify.ScopeGap, "prod", "client-b")[2] // the last a minute ago
	accept := func(client string, before time.Duration, n int64) {
		at := s.now.Add(-before)
		err := s.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			return tx.AddTraffic(ctx, []store.Traffic{{Provider: "exchange", Environment: "prod", ClientID: client, Count: n, First: at, Last: at}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	look := func(want string) {
		t.Helper()
		for _, path := range []string{"/incidents/" + f.IncidentID + "/over?refresh=30", "/incidents/" + f.IncidentID} {
			body := s.page(t, path, "session viewer")
			m := regexp.MustCompile(`<div class="over[^"]*" data-over="([^"]*)"><p>([^<]*)</p>`).FindStringSubmatch(body)
			if m == nil || m[2] != want || m[1] != "/incidents/"+f.IncidentID+"/over" {
				t.Errorf("%s: %q, want %q", path, m, want)
			}
		}
	}
	accept("client-c", 20*time.Second, 5)
	look("Last failure 1 min ago, and no success of this client there since: it is not known to be over.")
	accept("client-b", 40*time.Second, 1) // in the minute of the last failure
	look("First success 11:59:50, 20 s after the last failure; 1 success since, and no failure of any cause.")
	accept("client-b", 10*time.Second, 30)
	look("First success 11:59:50, 20 s after the last failure; 31 successes since, and no failure of any cause.")
	s.now = s.now.Add(2 * time.Minute)
	s.addFailures(t, 1, classify.TokenExpired, "prod", "client-b")
	look("First success 11:59:50, 20 s after the last failure; 31 successes since, and 1 failure of other causes.")
	if a := s.do(t, ask{path: "/incidents/none/over", who: "session viewer"}); a.status != http.StatusNotFound {
		t.Error(a.status)
	}
}

func TestFreshness(t *testing.T) {
	s := newSite(t)
	if body := s.page(t, "/incidents", "session viewer"); strings.Contains(body, "last record") {
		t.Error("there is no last record yet")
	}
	s.now = s.now.Add(-3 * time.Second)
	err := s.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		d := store.Delivery{Source: "s", Key: "k", Time: s.now}
		d.Prepare()
		_, err := tx.Claim(ctx, s.now, []store.Delivery{d})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(3 * time.Second)
	if body := s.page(t, "/incidents", "session viewer"); !strings.Contains(body, `last record <time datetime="2026-11-22T11:59:57.000Z" title="2026-11-22T11:59:57.000Z">3 s ago</time>`) {
		t.Error("the page does not say how fresh it is")
	}
}
