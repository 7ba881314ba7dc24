package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"authwatch/classify"
)

func incidentContract() []contractTest {
	return []contractTest{
		{"filters of incidents", testIncidentFilters},
		{"pages of incidents are whole and stable, by every sort", testIncidentPages},
		{"a silence ends by itself", testSilence},
		{"changes of state", testChanges},
		{"a change of another version is a conflict", testChangeVersion},
		{"an earlier episode is not opened beside a later one", testReopenEarlier},
		{"an incident that is not there is ErrNotFound", testIncidentMissing},
		{"at most twenty endpoints, most frequent first", testManyEndpoints},
	}
}

func testIncidentFilters(t *testing.T, w *world) {
	w.add(t, fail(0), fail(100, client("client-b"), cause(classify.TokenExpired)),
		fail(200, environment("staging"), func(f *Failure) { f.Verdict.Fault = classify.FaultAPI }),
		fail(300, func(f *Failure) { f.Verdict.Provider = "clinic" }), fail(400, func(f *Failure) { f.Verdict.Provider = "clinic" }))
	for name, tt := range map[string]struct {
		filter IncidentFilter
		want   int
	}{
		"all":                {IncidentFilter{}, 4},
		"state":              {IncidentFilter{States: []State{StateOpen}}, 4},
		"no such state":      {IncidentFilter{States: []State{StateResolved, StateAcknowledged}}, 0},
		"cause":              {IncidentFilter{Causes: []classify.Code{classify.TokenExpired}}, 1},
		"causes":             {IncidentFilter{Causes: []classify.Code{classify.TokenExpired, classify.WrongAudience}}, 4},
		"provider":           {IncidentFilter{Providers: []string{"clinic"}}, 1},
		"environment":        {IncidentFilter{Environments: []string{"staging"}}, 1},
		"client":             {IncidentFilter{Clients: []string{"client-a"}}, 3},
		"fault":              {IncidentFilter{Faults: []classify.Fault{classify.FaultAPI}}, 1},
		"fields add up":      {IncidentFilter{Clients: []string{"client-a"}, Providers: []string{"exchange"}}, 2},
		"from its last":      {IncidentFilter{From: at(400)}, 1},
		"after its last":     {IncidentFilter{From: at(401)}, 0},
		"to its first":       {IncidentFilter{To: at(100)}, 1},
		"between its bounds": {IncidentFilter{From: at(310), To: at(320)}, 1},
	} {
		equal(t, name, len(w.incidents(t, tt.filter)), tt.want)
		counts, err := w.CountIncidents(t.Context(), tt.filter)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "count of "+name, counts[StateOpen], int64(tt.want))
	}
}

func testIncidentPages(t *testing.T, w *world) {
	const n = 23
	var list []Failure
	for i := range n {
		for range 1 + i%3 {
			list = append(list, fail(i/2, client(fmt.Sprint(i)))) // pairs share every time
		}
	}
	w.add(t, list...)
	for _, sort := range []string{"", "last_seen", "first_seen", "count"} {
		seen := map[string]bool{}
		previous := int64(1 << 62)
		f := IncidentFilter{Sort: sort, Page: Page{Limit: 5}}
		for pages := 0; ; pages++ {
			page, next, err := w.ListIncidents(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range page {
				column, _ := f.sortColumn()
				if seen[i.ID] || i.sortKey(column) > previous {
					t.Errorf("sort %q: %s is repeated or out of order", sort, i.ID)
				}
				seen[i.ID], previous = true, i.sortKey(column)
			}
			if next == "" {
				equal(t, "full pages before the last", pages, 4)
				break
			}
			f.Cursor = next
		}
		equal(t, "incidents by "+sort, len(seen), n)
	}
	_, cursor, err := w.ListIncidents(t.Context(), IncidentFilter{Page: Page{Limit: 5}})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"garbage", "!", "e30", cursor + "x", cursor[:len(cursor)-3]} {
		if _, _, err := w.ListIncidents(t.Context(), IncidentFilter{Page: Page{Cursor: bad}}); !errors.Is(err, ErrInvalidCursor) {
			t.Errorf("cursor %q: got %v, want ErrInvalidCursor", bad, err)
		}
	}
	if _, _, err := w.ListIncidents(t.Context(), IncidentFilter{Sort: "count", Page: Page{Cursor: cursor}}); !errors.Is(err, ErrInvalidCursor) {
		t.Errorf("cursor of another sort: got %v, want ErrInvalidCursor", err)
	}
	if _, _, err := w.ListIncidents(t.Context(), IncidentFilter{Sort: "id; drop table incident"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("unknown sort: got %v, want ErrInvalid", err)
	}
}

func testSilence(t *testing.T, w *world) {
	id := w.add(t, fail(0))[0].IncidentID
	i := w.change(t, id, StateChange{State: StateSilenced, SilencedUntil: at(60), By: "ana"})
	equal(t, "state", i.State, StateSilenced)
	equal(t, "by", i.StateChangedBy, "ana")
	for i, want := range []State{StateSilenced, StateOpen} {
		seconds := 59 + i
		w.clock = at(seconds)
		equal(t, "state", w.incident(t, id).State, want)
		equal(t, "listed", len(w.incidents(t, IncidentFilter{States: []State{want}})), 1)
		counts, err := w.CountIncidents(t.Context(), IncidentFilter{})
		if err != nil {
			t.Fatal(err)
		}
		if len(counts) != 1 || counts[want] != 1 {
			t.Errorf("counts at %d s: %v", seconds, counts)
		}
	}
	equal(t, "listed as silenced", len(w.incidents(t, IncidentFilter{States: []State{StateSilenced}})), 0)
}

func testChanges(t *testing.T, w *world) {
	id := w.add(t, fail(0))[0].IncidentID
	w.clock = at(60)
	equal(t, "state", w.change(t, id, StateChange{State: StateAcknowledged, By: "ana"}).State, StateAcknowledged)
	w.add(t, fail(30))
	equal(t, "state after another failure", w.incident(t, id).State, StateAcknowledged)
	resolved := w.change(t, id, StateChange{State: StateResolved, By: "ben"})
	wantTime(t, "resolved", resolved.ResolvedAt, at(60))
	equal(t, "by", resolved.StateChangedBy, "ben")
	equal(t, "version of resolving twice", w.change(t, id, StateChange{State: StateResolved}).Version, resolved.Version)
	opened := w.change(t, id, StateChange{State: StateOpen, By: "cem"})
	equal(t, "state", opened.State, StateOpen)
	wantTime(t, "resolved", opened.ResolvedAt, time.Time{})
	for name, c := range map[string]StateChange{
		"an unknown state":         {State: "closed"},
		"a silence without an end": {State: StateSilenced},
		"a silence that is over":   {State: StateSilenced, SilencedUntil: w.clock},
	} {
		if _, err := w.ChangeIncident(t.Context(), id, c); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	// A shipper's clock is ahead: what was counted still belongs to the episode that is resolved.
	w.add(t, fail(500))
	wantTime(t, "resolved", w.change(t, id, StateChange{State: StateResolved}).ResolvedAt, at(500))
}

func testChangeVersion(t *testing.T, w *world) {
	id := w.add(t, fail(0))[0].IncidentID
	seen := w.incident(t, id)
	w.add(t, fail(1))
	_, err := w.ChangeIncident(t.Context(), id, StateChange{State: StateResolved, IfVersion: seen.Version})
	if !errors.Is(err, ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	w.change(t, id, StateChange{State: StateResolved, IfVersion: w.incident(t, id).Version})
}

func testReopenEarlier(t *testing.T, w *world) {
	first := w.add(t, fail(0))[0].IncidentID
	w.resolve(t, first, 60)
	second := w.add(t, fail(100))[0].IncidentID
	for _, state := range []State{StateOpen, StateAcknowledged} {
		if _, err := w.ChangeIncident(t.Context(), first, StateChange{State: state}); !errors.Is(err, ErrConflict) {
			t.Errorf("%s beside an open successor: got %v, want ErrConflict", state, err)
		}
	}
	w.resolve(t, second, 160)
	if _, err := w.ChangeIncident(t.Context(), first, StateChange{State: StateOpen}); !errors.Is(err, ErrConflict) {
		t.Errorf("before a resolved successor: got %v, want ErrConflict", err)
	}
	equal(t, "state", w.change(t, second, StateChange{State: StateOpen}).State, StateOpen)
}

func testIncidentMissing(t *testing.T, w *world) {
	if _, err := w.GetIncident(t.Context(), "inc_none"); err != ErrNotFound {
		t.Errorf("get: got %v, want ErrNotFound", err)
	}
	if _, err := w.ChangeIncident(t.Context(), "inc_none", StateChange{State: StateResolved}); err != ErrNotFound {
		t.Errorf("change: got %v, want ErrNotFound", err)
	}
	if _, err := w.GetFailure(t.Context(), "rec_none"); err != ErrNotFound {
		t.Errorf("failure: got %v, want ErrNotFound", err)
	}
}

func testManyEndpoints(t *testing.T, w *world) {
	var list []Failure
	for i := range 25 {
		for range i + 1 {
			list = append(list, fail(0, endpoint(fmt.Sprint(i))))
		}
	}
	i := w.incident(t, w.add(t, list...)[0].IncidentID)
	equal(t, "endpoints", len(i.Endpoints), 20)
	equal(t, "first", i.Endpoints[0], EndpointCount{"24", 25})
	equal(t, "last", i.Endpoints[19], EndpointCount{"5", 6})
}
