package store

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func recoveryContract() []contractTest {
	return []contractTest{
		{"an incident is over after traffic of its client, never after silence", testRecovery},
		{"an incident with rare failures is over later", testRecoveryRare},
		{"late records from before the end reopen nothing", testRecoveryLate},
		{"the log of an incident", testActivity},
		{"assigning", testAssign},
	}
}

func (w *world) recover(t *testing.T, seconds int) int {
	t.Helper()
	w.clock = at(seconds)
	n, err := w.ResolveRecovered(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func testRecovery(t *testing.T, w *world) {
	const minute, hour = 60, 3600
	id := w.add(t, fail(0), fail(30))[0].IncidentID
	equal(t, "resolved in silence", w.recover(t, 10*hour), 0)
	w.traffic(t, accept(5*minute), accept(6*minute))
	equal(t, "resolved after a few minutes of successes", w.recover(t, 10*hour), 0)
	w.traffic(t, accept(40*minute))
	equal(t, "resolved while it is too early to tell", w.recover(t, 29*minute), 0)
	equal(t, "resolved", w.recover(t, 41*minute), 1)
	equal(t, "resolved again", w.recover(t, 42*minute), 0)
	i := w.incident(t, id)
	equal(t, "state", i.State, StateResolved)
	equal(t, "by", i.StateChangedBy, ByItself)
	wantTime(t, "resolved", i.ResolvedAt, at(40*minute))
	list, err := w.ListActivity(t.Context(), id)
	if err != nil || len(list) != 1 || list[0].Became != "resolved" || !strings.Contains(list[0].Note, "has succeeded since") {
		t.Errorf("activity: %+v, %v", list, err)
	}
	// Another client's successes are none of this one's.
	other := w.add(t, fail(0, client("client-b")))[0].IncidentID
	equal(t, "resolved for another", w.recover(t, 10*hour), 0)
	equal(t, "state of the other", w.incident(t, other).State, StateOpen)
}

func testRecoveryRare(t *testing.T, w *world) {
	const hour = 3600
	w.add(t, fail(0), fail(2*hour), fail(4*hour))
	w.traffic(t, accept(4*hour+60), accept(5*hour), accept(6*hour), accept(9*hour))
	equal(t, "resolved after five hours", w.recover(t, 9*hour+60), 0)
	w.traffic(t, accept(10*hour))
	equal(t, "resolved after six", w.recover(t, 10*hour+60), 1)
}

func testRecoveryLate(t *testing.T, w *world) {
	const minute = 60
	id := w.add(t, fail(0))[0].IncidentID
	w.traffic(t, accept(1*minute), accept(20*minute), accept(40*minute))
	equal(t, "resolved", w.recover(t, 41*minute), 1)
	equal(t, "incident of a late failure", w.add(t, fail(39*minute))[0].IncidentID, id)
	equal(t, "state", w.incident(t, id).State, StateResolved)
	again := w.add(t, fail(50*minute))[0].IncidentID
	equal(t, "earlier episode", w.incident(t, again).RegressionOf, id)
}

func testActivity(t *testing.T, w *world) {
	id := w.add(t, fail(0))[0].IncidentID
	w.change(t, id, StateChange{State: StateAcknowledged, By: "ana", Note: "looking"})
	if err := w.AddNote(t.Context(), id, "ben", "the retry loop"); err != nil {
		t.Fatal(err)
	}
	w.change(t, id, StateChange{State: StateSilenced, SilencedUntil: w.clock.Add(time.Hour), By: "ana"})
	list, err := w.ListActivity(t.Context(), id)
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	equal(t, "latest", list[0].Became, "silenced until "+w.clock.Add(time.Hour).UTC().Format(time.RFC3339))
	equal(t, "note", list[1].Note+" by "+list[1].By, "the retry loop by ben")
	equal(t, "first", list[2].Was+" to "+list[2].Became+": "+list[2].Note, "open to acknowledged: looking")
	for _, text := range []string{"", strings.Repeat("x", maxNote+1)} {
		if err := w.AddNote(t.Context(), id, "ben", text); !errors.Is(err, ErrInvalid) {
			t.Errorf("a note of %d bytes: %v", len(text), err)
		}
	}
	if err := w.AddNote(t.Context(), "inc_none", "ben", "x"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a note to nothing: %v", err)
	}
}

func testAssign(t *testing.T, w *world) {
	id := w.add(t, fail(0))[0].IncidentID
	i, err := w.Assign(t.Context(), id, "ana", "ben", 1)
	if err != nil || i.Assignee != "ana" || i.Version != 2 {
		t.Fatalf("%+v, %v", i, err)
	}
	if i, err = w.Assign(t.Context(), id, "ana", "ben", 0); err != nil || i.Version != 2 {
		t.Errorf("assigning again: %+v, %v", i, err)
	}
	if _, err = w.Assign(t.Context(), id, "", "ben", 1); !errors.Is(err, ErrConflict) {
		t.Errorf("of a version that is gone: %v", err)
	}
	w.add(t, fail(5))
	equal(t, "assignee after another failure", w.incident(t, id).Assignee, "ana")
}
