package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"authwatch/classify"
)

func changeContract() []contractTest {
	return []contractTest{
		{"sightings: changes are values where others were before", testSeenChanges},
		{"sightings: words change at a server, keys at their owner", testSeenChangesOfServers},
		{"changes: told and seen, one list", testListChanges},
		{"changes: a client that changes everything leaves room", testBriefChanges},
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
