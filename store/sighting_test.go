package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

func sightingContract() []contractTest {
	return []contractTest{
		{"sightings: merged in any order", testSightingsMerge},
		{"sightings: what is known waits, what is new does not", testSightingsWait},
		{"sightings: what is known waits after a start too", testSightingsHeld},
		{"sightings: few that wait are written soon", testSightingsSoon},
		{"sightings: what could not be written is not lost", testSightingsLeft},
		{"sightings: those of a client lie together", testSightingsTogether},
		{"sightings: a client has so many values", testSightingsBound},
		{"sightings: go with the summaries", testSightingsExpire},
	}
}

func lookOf(client string, sights ...classify.Sight) *Look {
	return &Look{Provider: "p", Environment: "prod", ClientID: client, Sights: sights}
}

func accepted(kind classify.SightKind, value string) classify.Sight {
	return classify.Sight{Kind: kind, Value: value, Outcome: classify.Accepted}
}

// see notes one exchange of a look and writes it.
func (w *world) see(t *testing.T, look *Look, at time.Time) {
	t.Helper()
	w.Sight([]Seen{{Look: look, At: at.UnixMilli()}})
	w.flush(t)
}

func (w *world) flush(t *testing.T) {
	t.Helper()
	if err := w.WriteSightings(t.Context(), true); err != nil {
		t.Fatal(err)
	}
}

func (w *world) seen(t *testing.T, f SightingFilter) []Sighting {
	t.Helper()
	list, _, err := w.ListSightings(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func testSightingsMerge(t *testing.T, w *world) {
	kid := func(outcome classify.Outcome) *Look {
		return lookOf("a", classify.Sight{Kind: classify.SightTokenKID, Owner: "iss", Host: "api", Value: "k1", Outcome: outcome})
	}
	w.see(t, kid(classify.Accepted), at(60))
	w.see(t, kid(classify.Failed), at(120))
	w.see(t, kid(classify.Other), at(0))
	w.see(t, kid(classify.Accepted), at(30))
	expires := at(63).Unix()
	w.Sight([]Seen{{kid(classify.Accepted), at(60).UnixMilli(), expires}, {kid(classify.Failed), at(70).UnixMilli(), expires}})
	w.flush(t)
	list := w.seen(t, SightingFilter{Kinds: []classify.SightKind{classify.SightTokenKID}})
	if len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	want := Sighting{SightingName: list[0].SightingName, FirstSeen: at(0), LastSeen: at(120), FirstAccepted: at(30), LastAccepted: at(60),
		FirstRejected: at(70), LastRejected: at(120), Accepted: 3, Rejected: 2, Other: 1}
	if list[0] != want || list[0].Owner != "iss" || list[0].Host != "api" || list[0].ClientID != "a" {
		t.Errorf("got %+v", list[0])
	}
	margins := w.seen(t, SightingFilter{Kinds: []classify.SightKind{classify.SightExpiryMargin}, Clients: []string{"a"}})
	slices.SortFunc(margins, func(a, b Sighting) int { return b.FirstSeen.Compare(a.FirstSeen) })
	if len(margins) != 2 || margins[0].Value != "0s" || margins[0].Rejected != 1 || margins[1].Value != "5s" || margins[1].Accepted != 1 {
		t.Errorf("margins %+v", margins)
	}
}

func testSightingsWait(t *testing.T, w *world) {
	look := lookOf("a", accepted(classify.SightTokenAlg, "RS256"))
	note := func(look *Look, seconds int) {
		w.Sight([]Seen{{Look: look, At: at(seconds).UnixMilli()}})
		if err := w.WriteSightings(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	w.looks.againAt = time.Now().Add(sightAgainEvery) // nothing is due while this runs
	note(look, 0)
	note(look, 10)
	if list := w.seen(t, SightingFilter{}); len(list) != 1 || !list[0].LastSeen.Equal(at(0)) {
		t.Errorf("known ones were written at once: %+v", list)
	}
	note(lookOf("a", accepted(classify.SightTokenAlg, "PS256")), 20)
	if list := w.seen(t, SightingFilter{}); len(list) != 2 {
		t.Errorf("a new one waits: %+v", list)
	}
	if err := w.Store.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(context.Background(), Options{DSN: w.dsn})
	if err != nil {
		t.Fatal(err)
	}
	w.Store = again
	t.Cleanup(func() { _ = again.Close() })
	if list := w.seen(t, SightingFilter{}); len(list) != 2 || list[1].Accepted != 2 || !list[1].LastSeen.Equal(at(10)) {
		t.Errorf("after closing: %+v", list)
	}
}

// After a start, and when its maker has forgotten it, a look is another one, and what it shows is known nevertheless.
func testSightingsHeld(t *testing.T, w *world) {
	note := func(seconds int, sights ...classify.Sight) {
		w.Sight([]Seen{{Look: lookOf("a", sights...), At: at(seconds).UnixMilli()}})
		if err := w.WriteSightings(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	w.looks.againAt = time.Now().Add(sightAgainEvery) // nothing is due while this runs
	alg, kind := accepted(classify.SightTokenAlg, "RS256"), accepted(classify.SightTokenType, "JWT")
	note(0, alg)
	note(10, alg)
	note(20, alg, kind)
	note(30, kind)
	counts := func() (list []string) {
		for _, s := range w.seen(t, SightingFilter{}) {
			list = append(list, fmt.Sprintf("%s %d from %d to %d", s.Value, s.Accepted, s.FirstSeen.Unix()-at(0).Unix(), s.LastSeen.Unix()-at(0).Unix()))
		}
		slices.Sort(list)
		return list
	}
	if got, want := counts(), []string{"JWT 1 from 20 to 20", "RS256 1 from 0 to 0"}; !slices.Equal(got, want) {
		t.Errorf("before the time: %q, want %q", got, want)
	}
	w.flush(t)
	w.flush(t)
	if got, want := counts(), []string{"JWT 2 from 20 to 30", "RS256 3 from 0 to 20"}; !slices.Equal(got, want) {
		t.Errorf("in the end: %q, want %q", got, want)
	}
	note(40, alg)
	if err := w.Store.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(context.Background(), Options{DSN: w.dsn})
	if err != nil {
		t.Fatal(err)
	}
	w.Store = again
	t.Cleanup(func() { _ = again.Close() })
	if got, want := counts(), []string{"JWT 2 from 20 to 30", "RS256 4 from 0 to 40"}; !slices.Equal(got, want) {
		t.Errorf("after closing: %q, want %q", got, want)
	}
}

func testSightingsSoon(t *testing.T, w *world) {
	l, now := w.looks, time.Now()
	if l.isDue(now) {
		t.Error("known things are due right after a start")
	}
	wait := func(again, held int) {
		l.again, l.held = make([]*Look, again), sightRows{}
		for n := range held {
			l.held.at(&SightingName{Value: fmt.Sprint(n)})
		}
	}
	for _, tt := range []struct {
		again, held int
		passed      time.Duration
		want        bool
	}{
		{1, 0, sightAgainSoon - 1, false}, {1, 0, sightAgainSoon, true}, {sightFew / 2, sightFew / 2, sightAgainSoon, true},
		{sightFew/2 + 1, sightFew / 2, sightAgainEvery - 1, false}, {sightFew + 1, 0, sightAgainEvery, true}, {0, looksWaiting + 1, 1, true},
	} {
		wait(tt.again, tt.held)
		if got := l.isDue(now.Add(tt.passed)); got != tt.want {
			t.Errorf("%d looks and %d rows that wait after %s: due is %t", tt.again, tt.held, tt.passed, got)
		}
	}
	wait(0, 0)
	// What was due begins another time.
	l.againAt = now.Add(-sightAgainEvery)
	if err := w.WriteSightings(t.Context(), false); err != nil || l.againAt.Before(now) {
		t.Errorf("written last at %s, %v", l.againAt, err)
	}
}

func testSightingsLeft(t *testing.T, w *world) {
	ended, end := context.WithCancel(t.Context())
	end()
	for n, all := range []bool{true, false, true, false} {
		w.Sight([]Seen{{Look: lookOf("a", accepted(classify.SightTokenAlg, "RS256"), accepted(classify.SightTokenType, fmt.Sprint(n))), At: at(n).UnixMilli()}})
		if err := w.WriteSightings(ended, all); err == nil {
			t.Fatal("it was written")
		}
		if n == 1 {
			w.flush(t)
		}
	}
	if err := w.WriteSightings(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if list := w.seen(t, SightingFilter{}); len(list) != 5 {
		t.Errorf("what is new: %+v", list)
	}
	w.flush(t)
	for _, s := range w.seen(t, SightingFilter{}) {
		if want := map[classify.SightKind]int64{classify.SightTokenAlg: 4, classify.SightTokenType: 1}[s.Kind]; s.Accepted != want {
			t.Errorf("%s: %d times, want %d", s.Kind, s.Accepted, want)
		}
	}
}

// A step changes the pages of its clients, and of no index when nothing is new.
func testSightingsTogether(t *testing.T, w *world) {
	if strings.Contains(w.dsn, "://") {
		return // PostgreSQL has its own ways to count
	}
	var looks []*Look
	for n := range 200 {
		look := lookOf(fmt.Sprintf("client %d", n))
		for value := range 20 {
			look.Sights = append(look.Sights, accepted(classify.SightKinds()[value], fmt.Sprintf("what client %d shows", n)))
		}
		looks = append(looks, look)
	}
	write := func(seconds int) (pages int64) {
		conn, err := w.readers.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, _, err := checkpoint(t.Context(), conn, `truncate`); err != nil {
			t.Fatal(err)
		}
		for n, look := range looks {
			w.Sight([]Seen{{Look: look, At: at(seconds + n*7%100).UnixMilli()}})
		}
		w.flush(t)
		pages, _, err = checkpoint(t.Context(), conn, `noop`)
		if err != nil {
			t.Fatal(err)
		}
		return pages
	}
	write(0)
	if pages := write(1000); pages > 250 {
		t.Errorf("16 steps changed %d pages", pages)
	}
}

func testSightingsBound(t *testing.T, w *world) {
	for n := range sightingValues + 8 {
		var seen []Seen
		for _, client := range []string{"a", "b"} {
			value := fmt.Sprint(n)
			if client == "b" {
				value = "always"
			}
			seen = append(seen, Seen{Look: lookOf(client, accepted(classify.SightUserAgent, value)), At: at(600 * n).UnixMilli()})
		}
		w.Sight(seen)
		w.flush(t)
	}
	list := w.seen(t, SightingFilter{Clients: []string{"a"}})
	left := slices.IndexFunc(list, func(s Sighting) bool { return s.Value == SightingsLeftOut })
	if len(list) != sightingValues+1 || left < 0 || list[left].Accepted != 8 || !list[left].LastSeen.Equal(at(600*(sightingValues+7))) {
		t.Errorf("%d rows, left out %+v", len(list), list[max(left, 0)])
	}
	if changes, _, err := w.ListSeenChanges(t.Context(), SeenChangeFilter{}); err != nil || len(changes) != 0 {
		t.Errorf("a client without a habit changes: %+v, %v", changes, err)
	}
}

func testSightingsExpire(t *testing.T, w *world) {
	w.write(t, func(ctx context.Context, tx *Tx) error {
		_, err := tx.Claim(ctx, w.clock, []Delivery{{Source: "s", Key: "k", Time: w.clock}})
		return err
	})
	for n := range 3 {
		w.see(t, lookOf("a", accepted(classify.SightTokenAlg, fmt.Sprint(n))), w.clock.Add(time.Duration(n-2)*20*24*time.Hour))
	}
	pause := func(context.Context, time.Duration) error { return nil }
	if err := w.Expire(t.Context(), Retention{Summaries: 30 * 24 * time.Hour}, pause); err != nil {
		t.Fatal(err)
	}
	if list := w.seen(t, SightingFilter{}); len(list) != 2 {
		t.Errorf("%+v", list)
	}
}
