package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"authwatch/classify"
)

func TestStorm(t *testing.T) {
	for _, e := range engines(t) {
		for _, tt := range []struct {
			name string
			test func(*testing.T, *world)
		}{
			{"new clients beyond the bound share an incident", testStormGathers},
			{"known clients keep their own", testStormKnown},
			{"known clients take none of the share", testStormOutage},
			{"invented places share too", testStormPlaces},
		} {
			t.Run(e.name+"/"+tt.name, func(t *testing.T) {
				w := openWorld(t, e)
				w.writes.memory.storm.most = 5
				tt.test(t, w)
			})
		}
	}
}

func stormOf(from, to int, change ...func(*Failure)) (list []Failure) {
	for n := from; n < to; n++ {
		list = append(list, fail(n, append([]func(*Failure){client(fmt.Sprint("made-up-", n))}, change...)...))
	}
	return list
}

// None is lost, none is counted twice, and what was gathered can be taken back.
func testStormGathers(t *testing.T, w *world) {
	stored := w.add(t, stormOf(0, 20)...)
	gathered := 0
	for _, f := range stored {
		if f.Gathered {
			gathered++
		}
	}
	equal(t, "gathered", gathered, 15)
	w.add(t, stormOf(20, 30)...)
	list := w.incidents(t, IncidentFilter{})
	equal(t, "incidents", len(list), 6)
	var all Incident
	for _, i := range list {
		if i.ClientID == ManyNewClients {
			all = i
		}
	}
	equal(t, "of the others", all.Count, int64(25))
	equal(t, "failures", len(w.everyFailure(t)), 30)
	equal(t, "clients", w.rowCount(t, `select count(*) from client`), 6)
	totals, err := w.Totals(t.Context(), at(-60), at(60), nil, nil)
	equal(t, "counted", totals.Failures, int64(30))
	if err != nil {
		t.Error(err)
	}
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.WithdrawFailure(ctx, stored[19].ID) })
	equal(t, "after one was withdrawn", w.incident(t, all.ID).Count, int64(24))
	revised := stored[18]
	revised.Verdict.ClientID, revised.Verdict.Cause, revised.Gathered = "made-up-18", classify.TokenExpired, false
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.ReviseFailure(ctx, revised) })
	equal(t, "after one was revised", w.incident(t, all.ID).Count, int64(23))
	equal(t, "incidents then", len(w.incidents(t, IncidentFilter{})), 7) // of many new clients with that cause
	w.add(t, fail(40, client("of-another-source"), func(f *Failure) { f.Source = "other" }))
	equal(t, "another source", len(w.incidents(t, IncidentFilter{Clients: []string{"of-another-source"}})), 1)
	w.clock = w.clock.Add(time.Hour)
	w.add(t, fail(50, client("an-hour-later")))
	equal(t, "an hour later", len(w.incidents(t, IncidentFilter{Clients: []string{"an-hour-later"}})), 1)
}

// Who succeeded before, or has an incident, is no invention: a storm hides no outage.
func testStormKnown(t *testing.T, w *world) {
	ok := accept(-60)
	ok.ClientID = "good"
	w.traffic(t, ok)
	w.add(t, fail(-30, client("failing")))
	w.add(t, stormOf(0, 20)...)
	w.settleAll(t)
	w.add(t, fail(30, client("good")), fail(31, client("failing"), func(f *Failure) { f.Verdict.Cause = classify.TokenExpired }), fail(32, client("")))
	for name, want := range map[string]int{"good": 1, "failing": 2, "made-up-19": 0} {
		equal(t, name, len(w.incidents(t, IncidentFilter{Clients: []string{name}})), want)
	}
}

// An outage of clients that work leaves the source its share of new ones.
func testStormOutage(t *testing.T, w *world) {
	var failures []Failure
	for n := range 8 {
		ok := accept(-60)
		ok.ClientID = fmt.Sprint("works-", n)
		w.traffic(t, ok)
		failures = append(failures, fail(n, client(ok.ClientID)))
	}
	w.settleAll(t)
	w.add(t, failures...)
	w.add(t, stormOf(10, 20)...)
	equal(t, "incidents", len(w.incidents(t, IncidentFilter{})), 8+5+1)
}

func testStormPlaces(t *testing.T, w *world) {
	for n := range 60 {
		w.add(t, stormOf(n*10, n*10+2, environment(fmt.Sprint("made-up-", n)))...)
	}
	list := w.incidents(t, IncidentFilter{Page: Page{Limit: 200}})
	if len(list) > 5+stormPlaces+1 {
		t.Errorf("%d incidents", len(list))
	}
	equal(t, "failures", len(w.everyFailure(t)), 120)
}
