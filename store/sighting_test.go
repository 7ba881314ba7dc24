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
		{"sightings: changes are values where others were before", testSeenChanges},
		{"sightings: words change at a server, keys at their owner", testSeenChangesOfServers},
		{"changes: told and seen, one list", testListChanges},
		{"changes: a client that changes everything leaves room", testBriefChanges},
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

// A client that changes everything at once leaves room for the others: of its minute a few are listed, and the last says how many more there are.
func testBriefChanges(t *testing.T, w *world) {
	agent := func(client, value string, seconds int) {
		w.see(t, lookOf(client, accepted(classify.SightUserAgent, value)), at(seconds))
	}
	for _, client := range []string{"mad", "sane", "late"} {
		agent(client, "old", 0)
	}
	agent("sane", "new", 3600)
	for n := range 9 {
		agent("mad", fmt.Sprint(n), 3660+n)
	}
	agent("late", "new", 3665)
	agent("mad", "again", 3720)
	if _, _, err := w.AddDeployment(t.Context(), Deployment{Time: at(3662), Kind: DeployedCode, Title: "told"}); err != nil {
		t.Fatal(err)
	}
	all := []string{"mad again", "mad 8", "mad 7 and 7 more", "late new", "told", "sane new"}
	for limit := 1; limit <= 7; limit++ {
		var got []string
		f := ChangeFilter{Page: Page{Limit: limit}}
		for {
			list, next, err := w.BriefChanges(t.Context(), f, 2, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range list {
				name := ""
				if name = "told"; c.Told == nil {
					name = c.Seen.ClientID + " " + c.Seen.Value
				}
				if c.More > 0 {
					name += fmt.Sprintf(" and %d more", c.More)
				}
				got = append(got, name)
			}
			if f.Cursor = next; next == "" {
				break
			}
		}
		if limit >= len(all) && !slices.Equal(got, all) {
			t.Errorf("at most %d on a page: %q", limit, got)
		}
		// A page that is full within the minute ends there and the next one begins to count again: nothing is lost or twice.
		once := slices.Clone(got)
		slices.Sort(once)
		if len(slices.Compact(once)) != len(got) || !slices.Contains(got, "late new") || !slices.Contains(got, "told") || got[len(got)-1] != "sane new" {
			t.Errorf("at most %d on a page: %q", limit, got)
		}
	}
}

func (w *world) changes(t *testing.T, f SeenChangeFilter) []string {
	t.Helper()
	var out []string
	f.Limit = 1
	for {
		list, next, err := w.ListSeenChanges(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			out = append(out, fmt.Sprintf("%s %s %s→%s", c.ClientID, c.Kind, c.Was, c.Value))
		}
		if f.Cursor = next; next == "" {
			return out
		}
	}
}

func testSeenChanges(t *testing.T, w *world) {
	aud := func(client, value string, seconds int) {
		w.see(t, lookOf(client, accepted(classify.SightAssertionAudience, value)), at(seconds))
	}
	aud("a", "token", 0)
	aud("b", "token", 0)
	aud("b", "other", 60) // it has two from the beginning
	aud("a", "token", 3600)
	aud("a", "issuer", 3700)
	aud("c", "issuer", 3700) // it begins
	w.see(t, lookOf("a", accepted(classify.SightExpiryMargin, "5s")), at(0))
	w.see(t, lookOf("a", accepted(classify.SightExpiryMargin, "0s")), at(4000))
	w.see(t, lookOf("b", accepted(classify.SightTokenAlg, "RS256")), at(100))
	w.see(t, lookOf("b", accepted(classify.SightTokenAlg, "PS256")), at(5000))
	want := []string{"b access_token.alg RS256→PS256", "a client_assertion.aud token→issuer"}
	if got := w.changes(t, SeenChangeFilter{}); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := w.changes(t, SeenChangeFilter{Clients: []string{"a"}, Providers: []string{"p"}, Environments: []string{"prod"}, From: at(3700), To: at(3701)}); !slices.Equal(got, want[1:]) {
		t.Errorf("of client a: %q", got)
	}
	if got := w.changes(t, SeenChangeFilter{To: at(3700)}); len(got) != 0 {
		t.Errorf("before: %q", got)
	}
}

func testSeenChangesOfServers(t *testing.T, w *world) {
	key := func(owner, host, kid string, seconds int) {
		w.see(t, lookOf("a", classify.Sight{Kind: classify.SightTokenKID, Owner: owner, Host: host, Value: kid, Outcome: classify.Accepted}), at(seconds))
	}
	words := func(client, host, code, text string, seconds int) {
		w.see(t, lookOf(client, classify.Sight{Kind: classify.SightWording, Owner: code, Host: host, Value: text, Outcome: classify.Other}), at(seconds))
	}
	key("iss", "api-1", "k1", 0)
	key("iss", "api-2", "k1", 1000) // the same key elsewhere is no change
	key("iss", "api-1", "k2", 2000)
	key("iss", "api-2", "k2", 3000) // nor is the second server that sees it
	key("other", "api-1", "k9", 4000)
	words("a", "auth", "invalid_client", "who are you", 0)
	words("b", "auth", "invalid_grant", "no such thing", 1000) // other words with another code
	words("b", "auth", "invalid_client", "unknown client", 5000)
	words("b", "auth-2", "invalid_client", "go away", 6000)
	words("b", "auth", "unclassified", "the moon is full", 0)
	words("b", "auth", "unclassified", "the moon is new", 6000) // who knows what either is about
	want := []string{" wording who are you→unknown client", "a access_token.kid k1→k2"}
	if got := w.changes(t, SeenChangeFilter{}); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := w.changes(t, SeenChangeFilter{Clients: []string{"b", ""}}); !slices.Equal(got, want[:1]) {
		t.Errorf("of client b and of servers: %q", got)
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

func testListChanges(t *testing.T, w *world) {
	tell := func(title, client string, seconds int) {
		if _, _, err := w.AddDeployment(t.Context(), Deployment{Time: at(seconds), Kind: DeployedCode, Title: title, ClientID: client, By: "ci"}); err != nil {
			t.Fatal(err)
		}
	}
	for n, value := range []string{"v0", "v1", "v2", "v3"} {
		w.see(t, lookOf("a", accepted(classify.SightTokenAlg, value)), at(1000*n))
	}
	tell("d1", "a", 1500)
	tell("d2", "", 2000)
	tell("d3", "b", 3500)
	list := func(f ChangeFilter) (titles []string) {
		t.Helper()
		for {
			page, next, err := w.ListChanges(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page {
				if c.Told != nil {
					titles = append(titles, c.Told.Title)
				} else {
					titles = append(titles, c.Seen.Value)
				}
			}
			if f.Cursor = next; next == "" {
				return titles
			}
		}
	}
	for limit := range 8 {
		if got, want := list(ChangeFilter{Page: Page{Limit: limit}}), []string{"d3", "v3", "d2", "v2", "d1", "v1"}; !slices.Equal(got, want) {
			t.Errorf("%d a page: %q, want %q", limit, got, want)
		}
	}
	if got := list(ChangeFilter{Sources: []ChangeSource{ChangeTraffic}, Page: Page{Limit: 2}}); !slices.Equal(got, []string{"v3", "v2", "v1"}) {
		t.Errorf("of the traffic: %q", got)
	}
	if got := list(ChangeFilter{Sources: []ChangeSource{ChangeTold}, Clients: []string{"a"}}); !slices.Equal(got, []string{"d2", "d1"}) {
		t.Errorf("told of client a: %q", got)
	}
}
