package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"authwatch/classify"
)

func feedContract() []contractTest {
	return []contractTest{
		{"the feed tells what was committed in that order, whatever the time of the events", testFeedOrder},
		{"the feed tells what becomes of failures and incidents", testFeedKinds},
		{"a write that fails tells nothing", testFeedRollback},
		{"the feed goes on page after page", testFeedPages},
		{"the feed is filtered as lists are", testFeedFilter},
		{"a day of the feed is kept, and who comes later is told", testFeedRetention},
		{"nobody who follows the feed misses what replicas commit", testFeedReplicas},
		{"the newest of the feed come first, and what is left out is counted", testFeedNewest},
	}
}

// feed reads the feed from its start as lines of kind and, of a failure, its client.
func (w *world) feed(t *testing.T, f FeedFilter) []string {
	t.Helper()
	at, err := w.FeedStart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := w.ListFeed(t.Context(), at, f, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return feedLines(list)
}

func feedLines(list []FeedEvent) []string {
	var lines []string
	for _, e := range list {
		line := e.Kind.String()
		if e.Failure != nil {
			line += " " + e.Failure.Verdict.ClientID
		}
		lines = append(lines, line)
	}
	return lines
}

func wantLines(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func testFeedOrder(t *testing.T, w *world) {
	end, err := w.FeedEnd(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "end of an empty feed", end.String(), "1.0")
	w.add(t, fail(100, client("late")))
	w.clock = at(50)
	w.add(t, fail(5, client("early")), fail(4, client("early")))
	wantLines(t, "feed", w.feed(t, FeedFilter{Failures: true}), "failure late", "failure early", "failure early")
	list, _, err := w.ReadFeed(t.Context(), end, 100)
	if err != nil {
		t.Fatal(err)
	}
	wantTime(t, "commit", list[len(list)-1].At, at(50))
	equal(t, "incident of a failure", list[len(list)-1].Incident.ClientID, "early")
	wantTime(t, "event", list[len(list)-1].Failure.Verdict.Time, at(4))
}

func testFeedKinds(t *testing.T, w *world) {
	f := w.add(t, fail(10))[0]
	if _, err := w.Assign(t.Context(), f.IncidentID, "ada", "ada", 0); err != nil {
		t.Fatal(err)
	}
	if err := w.AddNote(t.Context(), f.IncidentID, "ada", "looking"); err != nil {
		t.Fatal(err)
	}
	w.traffic(t, accept(20), accept(30))
	w.traffic(t, accept(40)) // not the first success any more
	w.change(t, f.IncidentID, StateChange{State: StateResolved, By: "ada"})
	wantLines(t, "feed", w.feed(t, FeedFilter{}), "incident_opened", "failure client-a", "incident_changed", "incident_changed", "incident_changed", "incident_resolved")
	f.Verdict.Cause = classify.ScopeGap
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.ReviseFailure(ctx, f) })
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.WithdrawFailure(ctx, f.ID) })
	// What is not there any more is left out, but that it went.
	wantLines(t, "what is left", w.feed(t, FeedFilter{Terms: []Term{{Field: FieldClient, Values: []string{"nobody"}}}}), "incident_removed", "failure_withdrawn", "incident_removed")
}

func testFeedRollback(t *testing.T, w *world) {
	broken := errors.New("broken")
	adding := func(id string, then error) func(context.Context, *Tx) error {
		return func(ctx context.Context, tx *Tx) error {
			return errors.Join(tx.AddFailures(ctx, []Failure{fail(1, client(id))}), then)
		}
	}
	w.together(t, adding("a", nil), adding("b", broken), adding("c", nil))
	wantLines(t, "feed", w.feed(t, FeedFilter{Failures: true}), "failure a", "failure c")
}

func testFeedPages(t *testing.T, w *world) {
	var want []string
	for batch := range 3 {
		list := make([]Failure, feedRowSize*batch/2+7) // the last needs two rows
		for i := range list {
			list[i] = fail(i, client(fmt.Sprintf("c%d", i%5)))
			want = append(want, "failure "+list[i].Verdict.ClientID)
		}
		w.add(t, list...)
	}
	pos, _ := w.FeedStart(t.Context())
	var got []string
	for {
		list, next, err := w.ListFeed(t.Context(), pos, FeedFilter{Failures: true}, 150)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, feedLines(list)...)
		parsed, err := ParseFeedPosition(next.String())
		if err != nil || parsed != next {
			t.Fatalf("%v becomes %v: %v", next, parsed, err)
		}
		if next == pos {
			break
		}
		pos = next
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d events, want %d", len(got), len(want))
	}
	for _, text := range []string{"", "1", "0.0", "-1.0", "1.-1", "01.0", "1.1000", "1.0.0", "a.b", "+1.0", "99999999999999999999.0"} {
		if _, err := ParseFeedPosition(text); !errors.Is(err, ErrInvalidCursor) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, _, err := w.ReadFeed(t.Context(), FeedPosition{1, 900}, 10); !errors.Is(err, ErrFeedGone) {
		t.Errorf("a place behind the end of its row: %v", err)
	}
	if _, _, err := w.ReadFeed(t.Context(), FeedPosition{1000, 0}, 10); !errors.Is(err, ErrFeedGone) {
		t.Errorf("a row that is not there yet: %v", err)
	}
}

func testFeedFilter(t *testing.T, w *world) {
	w.add(t, fail(1, client("alpha")), fail(2, client("beta"), cause(classify.ScopeGap), endpoint("GET /x"), summary("Clock is slow"), func(f *Failure) { f.Status = 403 }))
	i := w.incidents(t, IncidentFilter{Clients: []string{"alpha"}})[0]
	if _, err := w.Assign(t.Context(), i.ID, "ada", "ada", 0); err != nil {
		t.Fatal(err)
	}
	term := func(f Field, not bool, values ...string) FeedFilter {
		return FeedFilter{Failures: true, Terms: []Term{{f, values, not}}}
	}
	for _, tt := range []struct {
		filter FeedFilter
		want   string
	}{
		{FeedFilter{Failures: true, Clients: []string{"beta"}}, "beta"},
		{FeedFilter{Failures: true, Clients: []string{"be*"}}, ""},
		{FeedFilter{Failures: true, Causes: []classify.Code{classify.ScopeGap, classify.TokenExpired}}, "beta"},
		{FeedFilter{Failures: true, Providers: []string{"exchange"}, Environments: []string{"production"}}, "alpha beta"},
		{FeedFilter{Failures: true, Environments: []string{"staging"}}, ""},
		{term(FieldClient, false, "al*", "x"), "alpha"},
		{term(FieldClient, true, "al*"), "beta"},
		{term(FieldStatus, false, "403"), "beta"},
		{term(FieldStatus, true, "403"), "alpha"},
		{term(FieldEndpoint, false, "GET*"), "beta"},
		{term(FieldText, false, "clock IS"), "beta"},
		{term(FieldFault, false, "client"), "alpha beta"},
		{term(FieldConfidence, true, "proven"), ""},
		{term(FieldAssignee, false, "ada"), "alpha"},
		{term(FieldProvider, false, "exchange"), "alpha beta"},
		{term(FieldEnvironment, false, "staging"), ""},
		{term(FieldCause, false, "scope_gap"), "beta"},
	} {
		got := strings.ReplaceAll(strings.Join(w.feed(t, tt.filter), " "), "failure ", "")
		if got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.filter, got, tt.want)
		}
	}
	wantLines(t, "incidents", w.feed(t, FeedFilter{Incidents: true}), "incident_opened", "incident_opened", "incident_changed")
	wantLines(t, "incidents by status", w.feed(t, FeedFilter{Incidents: true, Terms: []Term{{FieldStatus, []string{"401"}, true}}}))
}

func testFeedRetention(t *testing.T, w *world) {
	w.add(t, fail(1))
	start, _ := w.FeedStart(t.Context())
	w.clock = w.clock.Add(feedKept + time.Minute)
	w.add(t, fail(2, client("b")))
	if err := w.forgetFeed(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantLines(t, "after a day", w.feed(t, FeedFilter{Failures: true}), "failure b")
	if _, _, err := w.ListFeed(t.Context(), start, FeedFilter{}, 10); !errors.Is(err, ErrFeedGone) {
		t.Errorf("from a place that is gone: %v", err)
	}
	w.clock = w.clock.Add(2 * feedKept)
	if err := w.forgetFeed(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.add(t, fail(3, client("c")))
	wantLines(t, "numbers go on", w.feed(t, FeedFilter{Failures: true}), "failure b", "failure c")
}

// testFeedReplicas has one reader follow what three stores write at once. A row that became visible before an earlier one
// would be missed.
func testFeedReplicas(t *testing.T, w *world) {
	const rounds = 40
	stores := []*Store{w.Store, w.second(t), w.second(t)}
	pos, err := w.FeedEnd(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for n, s := range stores {
		writers.Go(func() {
			for i := range rounds {
				err := s.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
					return tx.AddFailures(ctx, []Failure{fail(i, client(fmt.Sprint(n)))})
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	over := make(chan struct{})
	go func() { writers.Wait(); close(over) }()
	seen := map[string]int{}
	for last := false; ; {
		list, next, err := w.ListFeed(t.Context(), pos, FeedFilter{Failures: true}, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range feedLines(list) {
			seen[line]++
		}
		if next == pos && last {
			break
		}
		pos = next
		select {
		case <-over:
			last = true
		default:
		}
	}
	for n := range stores {
		equal(t, fmt.Sprint("events of store ", n), seen[fmt.Sprint("failure ", n)], rounds)
	}
}

func testFeedNewest(t *testing.T, w *world) {
	for i := range 10 {
		w.add(t, fail(i, client(fmt.Sprint("c", i))))
	}
	middle, _ := w.FeedEnd(t.Context())
	for i := range 5 {
		w.add(t, fail(-i, client(fmt.Sprint("d", i))), fail(0, client("e")))
	}
	news := func(since FeedPosition, limit int, f FeedFilter) FeedNews {
		n, err := w.NewestFeed(t.Context(), since, f, limit)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	failures := FeedFilter{Failures: true}
	n := news(FeedPosition{}, 3, failures)
	wantLines(t, "newest", feedLines(n.Events), "failure e", "failure d4", "failure e")
	equal(t, "more", n.More, 0)
	n = news(middle, 3, failures)
	equal(t, "more since the middle", n.More, 7)
	equal(t, "whole", n.Whole, true)
	n = news(middle, 3, FeedFilter{Failures: true, Terms: []Term{{Field: FieldClient, Values: []string{"d*"}}}})
	wantLines(t, "selected", feedLines(n.Events), "failure d4", "failure d3", "failure d2")
	equal(t, "more selected", n.More, 2)
	n = news(middle, 100, failures)
	equal(t, "all", len(n.Events), 20)
	equal(t, "whole", n.Whole, true)
}
