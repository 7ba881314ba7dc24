package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"authwatch/classify"
)

func episodeContract() []contractTest {
	return []contractTest{
		{"failures of one key share an incident", testOneIncident},
		{"each of provider, environment, cause and client has its own", testSeparateIncidents},
		{"first, last and newest go by event time", testEventTime},
		{"a failure at the resolution joins without reopening", testJoinResolved},
		{"a later failure opens a regression", testRegression},
		{"a late failure finds its episode among several", testLateFailure},
		{"order of arrival does not matter", testArrivalOrder},
		{"a revision moves a failure to another incident", testReviseMoves},
		{"a revision within an incident keeps its identity", testReviseKeeps},
		{"a withdrawal leaves no trace", testWithdraw},
		{"a regression survives the disappearance of its forerunner", testDissolveChain},
		{"revising or withdrawing what is not there is ErrNotFound", testReviseMissing},
	}
}

func testOneIncident(t *testing.T, w *world) {
	list := w.add(t, fail(0), fail(5, endpoint("GET api.test/orders")), fail(9))
	more := w.add(t, fail(12))
	i := w.incident(t, list[0].IncidentID)
	for _, f := range append(list, more...) {
		equal(t, "incident", f.IncidentID, i.ID)
	}
	equal(t, "count", i.Count, 4)
	equal(t, "state", i.State, StateOpen)
	equal(t, "cause", i.Cause, classify.WrongAudience)
	equal(t, "version", i.Version, 2)
	wantTime(t, "first seen", i.FirstSeenAt, at(0))
	wantTime(t, "last seen", i.LastSeenAt, at(12))
	want := []EndpointCount{{"POST api.test/orders", 3}, {"GET api.test/orders", 1}}
	if len(i.Endpoints) != 2 || i.Endpoints[0] != want[0] || i.Endpoints[1] != want[1] {
		t.Errorf("endpoints: got %v, want %v", i.Endpoints, want)
	}
}

func testSeparateIncidents(t *testing.T, w *world) {
	w.add(t, fail(0), fail(0, cause(classify.TokenExpired)), fail(0, client("client-b")), fail(0, environment("staging")),
		fail(0, func(f *Failure) { f.Verdict.Provider = "clinic" }))
	equal(t, "incidents", len(w.incidents(t, IncidentFilter{})), 5)
}

func testEventTime(t *testing.T, w *world) {
	list := w.add(t, fail(100, summary("newest")))
	w.add(t, fail(50, summary("older, but later to arrive")))
	i := w.incident(t, list[0].IncidentID)
	equal(t, "summary", i.Summary, "newest")
	wantTime(t, "first seen", i.FirstSeenAt, at(50))
	wantTime(t, "last seen", i.LastSeenAt, at(100))
}

// resolve resolves an incident at that second of the store's clock.
func (w *world) resolve(t *testing.T, id string, seconds int) Incident {
	t.Helper()
	w.clock = at(seconds)
	return w.change(t, id, StateChange{State: StateResolved, By: "ana"})
}

func testJoinResolved(t *testing.T, w *world) {
	id := w.add(t, fail(0))[0].IncidentID
	w.resolve(t, id, 60)
	late := w.add(t, fail(60))
	equal(t, "incident of the late one", late[0].IncidentID, id)
	i := w.incident(t, id)
	equal(t, "state", i.State, StateResolved)
	equal(t, "count", i.Count, 2)
	wantTime(t, "last seen", i.LastSeenAt, at(60))
	wantTime(t, "resolved", i.ResolvedAt, at(60))
}

func testRegression(t *testing.T, w *world) {
	id := w.add(t, fail(0))[0].IncidentID
	w.resolve(t, id, 60)
	again := w.add(t, fail(61))[0].IncidentID
	if again == id {
		t.Fatal("a failure after the resolution joined the resolved episode")
	}
	equal(t, "regression of", w.incident(t, again).RegressionOf, id)
	equal(t, "state", w.incident(t, again).State, StateOpen)
	equal(t, "count of the first", w.incident(t, id).Count, 1)
}

func testLateFailure(t *testing.T, w *world) {
	first := w.add(t, fail(0))[0].IncidentID
	w.resolve(t, first, 60)
	second := w.add(t, fail(100))[0].IncidentID
	w.resolve(t, second, 160)
	third := w.add(t, fail(200))[0].IncidentID
	late := w.add(t, fail(150), fail(30), fail(-5), fail(300), fail(60), fail(61))
	for i, want := range []string{second, first, first, third, first, second} {
		equal(t, "episode of "+late[i].Verdict.Time.String(), late[i].IncidentID, want)
	}
	wantTime(t, "first seen of the second", w.incident(t, second).FirstSeenAt, at(61))
	equal(t, "regression of", w.incident(t, third).RegressionOf, second)
}

func testArrivalOrder(t *testing.T, w *world) {
	// The same failures for two clients, once in order and one by one, once backwards in one batch.
	seconds := []int{0, 30, 90, 100, 3000}
	var backwards []Failure
	for _, s := range seconds {
		w.add(t, fail(s, client("in-order"), summary(at(s).String())))
		backwards = append([]Failure{fail(s, client("backwards"), summary(at(s).String()))}, backwards...)
	}
	w.add(t, backwards...)
	list := w.incidents(t, IncidentFilter{})
	equal(t, "incidents", len(list), 2)
	a, b := list[0], list[1]
	equal(t, "count", a.Count, b.Count)
	equal(t, "summary", a.Summary, b.Summary)
	wantTime(t, "first seen", a.FirstSeenAt, b.FirstSeenAt)
	wantTime(t, "last seen", a.LastSeenAt, b.LastSeenAt)
}

func testReviseMoves(t *testing.T, w *world) {
	list := w.add(t, fail(0, summary("first")), fail(10, summary("second")))
	moved := list[1]
	moved.Verdict.Cause, moved.Verdict.Summary = classify.TokenExpired, "it had expired"
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.ReviseFailure(ctx, moved) })

	old := w.incident(t, list[0].IncidentID)
	equal(t, "count left", old.Count, 1)
	equal(t, "summary left", old.Summary, "first")
	wantTime(t, "last seen left", old.LastSeenAt, at(0))
	f, err := w.GetFailure(t.Context(), moved.ID)
	if err != nil {
		t.Fatal(err)
	}
	if f.IncidentID == old.ID {
		t.Fatal("the revised failure is still in the incident of its old cause")
	}
	equal(t, "new cause", w.incident(t, f.IncidentID).Cause, classify.TokenExpired)
	equal(t, "new count", w.incident(t, f.IncidentID).Count, 1)
}

func testReviseKeeps(t *testing.T, w *world) {
	f := w.add(t, fail(0))[0]
	before := w.change(t, f.IncidentID, StateChange{State: StateAcknowledged, By: "ana"})
	f.Verdict.Summary, f.Verdict.Confidence = "now with the token", classify.Stated
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.ReviseFailure(ctx, f) })
	i := w.incident(t, f.IncidentID)
	equal(t, "state", i.State, StateAcknowledged)
	equal(t, "count", i.Count, 1)
	equal(t, "summary", i.Summary, "now with the token")
	equal(t, "confidence", i.Confidence, classify.Stated)
	if i.Version <= before.Version {
		t.Errorf("version %d did not grow from %d", i.Version, before.Version)
	}
	// Also of one that was packed as it was before, with a time that it does not get.
	f.Verdict.Time = at(5)
	list := []Failure{f}
	if err := w.Pack(list); err != nil {
		t.Fatal(err)
	}
	list[0].Verdict.Summary = "packed before"
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.ReviseFailure(ctx, list[0]) })
	stored, err := w.GetFailure(t.Context(), f.ID)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "summary of the failure", stored.Verdict.Summary, "packed before")
	wantTime(t, "time of the failure", stored.Verdict.Time, at(0))
}

func testWithdraw(t *testing.T, w *world) {
	f := w.add(t, fail(0))[0]
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.WithdrawFailure(ctx, f.ID) })
	if _, err := w.GetFailure(t.Context(), f.ID); err != ErrNotFound {
		t.Errorf("failure: got %v, want ErrNotFound", err)
	}
	if _, err := w.GetIncident(t.Context(), f.IncidentID); err != ErrNotFound {
		t.Errorf("incident: got %v, want ErrNotFound", err)
	}
	clients, _, err := w.ListClients(t.Context(), ClientFilter{})
	if err != nil || len(clients) != 0 {
		t.Errorf("clients: got %v, %v; want none", clients, err)
	}
	totals, err := w.Totals(t.Context(), at(-60), at(60), nil, nil)
	if err != nil || totals != (Totals{}) {
		t.Errorf("totals: got %+v, %v; want none", totals, err)
	}
}

func testDissolveChain(t *testing.T, w *world) {
	first := w.add(t, fail(0))[0]
	w.resolve(t, first.IncidentID, 60)
	second := w.add(t, fail(100))[0]
	w.resolve(t, second.IncidentID, 160)
	third := w.add(t, fail(200))[0]
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.WithdrawFailure(ctx, second.ID) })
	equal(t, "regression of", w.incident(t, third.IncidentID).RegressionOf, first.IncidentID)
}

func testReviseMissing(t *testing.T, w *world) {
	gone := fail(0)
	gone.ID = "rec_none"
	for name, fn := range map[string]func(context.Context, *Tx) error{
		"revise":   func(ctx context.Context, tx *Tx) error { return tx.ReviseFailure(ctx, gone) },
		"withdraw": func(ctx context.Context, tx *Tx) error { return tx.WithdrawFailure(ctx, gone.ID) },
	} {
		if err := w.Write(t.Context(), fn); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", name, err)
		}
	}
	equal(t, "incidents", len(w.incidents(t, IncidentFilter{})), 0)
}

func trafficContract() []contractTest {
	return []contractTest{
		{"successes bracket an incident", testBracket},
		{"the nearest of the successes that came first", testBracketNearest},
		{"a failure beyond a bracket clears it", testBracketCleared},
		{"brackets do not depend on the order of arrival", testBracketOrder},
		{"another client's success is no bracket", testBracketOthers},
		{"unknown clients are no proof for each other", testBracketUnknown},
		{"only a change of a bracket changes the version", testBracketVersion},
	}
}

func testBracket(t *testing.T, w *world) {
	id := w.add(t, fail(100), fail(200))[0].IncidentID
	w.traffic(t, accept(10), accept(90), accept(150), accept(210), accept(300))
	i := w.incident(t, id)
	wantTime(t, "last success", i.LastSuccess, at(90))
	wantTime(t, "first success", i.FirstSuccess, at(210))
}

// testBracketNearest has several successes in one minute, before and after a failure that is the last to arrive.
func testBracketNearest(t *testing.T, w *world) {
	w.traffic(t, accept(200), accept(210), accept(230), accept(400), accept(365), accept(390))
	i := w.incident(t, w.add(t, fail(300))[0].IncidentID)
	wantTime(t, "last success", i.LastSuccess, at(230))
	wantTime(t, "first success", i.FirstSuccess, at(365))
	// Within its own minute only the first and the last are known.
	i = w.incident(t, w.add(t, fail(220, cause(classify.TokenExpired)))[0].IncidentID)
	wantTime(t, "last success in the minute", i.LastSuccess, at(200))
	wantTime(t, "first success in the minute", i.FirstSuccess, at(230))
}

func testBracketCleared(t *testing.T, w *world) {
	id := w.add(t, fail(100))[0].IncidentID
	w.traffic(t, accept(110))
	w.add(t, fail(500))
	wantTime(t, "first success", w.incident(t, id).FirstSuccess, time.Time{})
	w.traffic(t, accept(600))
	wantTime(t, "first success", w.incident(t, id).FirstSuccess, at(600))

	w.traffic(t, accept(-100), accept(50))
	wantTime(t, "last success", w.incident(t, id).LastSuccess, at(50))
	w.add(t, fail(20))
	wantTime(t, "last success before an earlier failure", w.incident(t, id).LastSuccess, at(-100))
	w.add(t, fail(-200))
	wantTime(t, "last success before the earliest", w.incident(t, id).LastSuccess, time.Time{})
}

// testBracketOrder sends the same exchanges in every order of four.
func testBracketOrder(t *testing.T, w *world) {
	name := 0
	permutations(4, func(order []int) {
		name++
		id := at(name).String()
		for _, step := range order {
			switch step {
			case 0:
				w.traffic(t, of(accept(100), id), of(accept(700), id))
			case 1:
				w.traffic(t, of(accept(250), id), of(accept(850), id))
			case 2:
				w.add(t, fail(300, client(id)))
			case 3:
				w.add(t, fail(600, client(id)))
			}
		}
		list := w.incidents(t, IncidentFilter{Clients: []string{id}})
		if len(list) != 1 {
			t.Fatalf("order %v: %d incidents", order, len(list))
		}
		wantTime(t, "last success", list[0].LastSuccess, at(250))
		wantTime(t, "first success", list[0].FirstSuccess, at(700))
	})
}

func of(e Traffic, client string) Traffic {
	e.ClientID = client
	return e
}

// permutations calls fn with every order of 0 … n-1.
func permutations(n int, fn func([]int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	var swap func(k int)
	swap = func(k int) {
		if k == n {
			fn(order)
			return
		}
		for i := k; i < n; i++ {
			order[k], order[i] = order[i], order[k]
			swap(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	swap(0)
}

func testBracketOthers(t *testing.T, w *world) {
	id := w.add(t, fail(100))[0].IncidentID
	elsewhere := accept(50)
	elsewhere.Environment = "staging"
	w.traffic(t, of(accept(50), "client-b"), of(accept(150), "client-b"), elsewhere)
	i := w.incident(t, id)
	wantTime(t, "last success", i.LastSuccess, time.Time{})
	wantTime(t, "first success", i.FirstSuccess, time.Time{})
}

func testBracketUnknown(t *testing.T, w *world) {
	w.traffic(t, of(accept(50), ""))
	id := w.add(t, fail(100, client("")))[0].IncidentID
	w.traffic(t, of(accept(150), ""))
	i := w.incident(t, id)
	wantTime(t, "last success", i.LastSuccess, time.Time{})
	wantTime(t, "first success", i.FirstSuccess, time.Time{})
}

func testBracketVersion(t *testing.T, w *world) {
	id := w.add(t, fail(100))[0].IncidentID
	w.traffic(t, accept(50), accept(150))
	version := w.incident(t, id).Version
	w.traffic(t, accept(160), accept(170))
	w.traffic(t, accept(40), accept(160))
	equal(t, "version", w.incident(t, id).Version, version)
	w.traffic(t, accept(140))
	if got := w.incident(t, id); got.Version <= version || !got.FirstSuccess.Equal(at(140)) {
		t.Errorf("an earlier success: got version %d and %v", got.Version, got.FirstSuccess)
	}
}
