package store

import (
	"context"
	"errors"
	"testing"
)

// Writes that are done together are committed or undone together; an error that is passed over costs only its own.
func testWriteTogether(t *testing.T, w *world) {
	list := w.add(t, fail(10), fail(11, client("client-b")))
	one, other := list[0].IncidentID, list[1].IncidentID
	stop, undone := errors.New("stop"), accept(9)
	undone.ClientID = "undone"
	work := func(end error) error {
		return w.WriteTogether(t.Context(), func(ctx context.Context) error {
			if _, err := w.ChangeIncident(ctx, one, StateChange{State: StateAcknowledged, By: "ana"}); err != nil {
				return err
			}
			if _, err := w.Assign(ctx, "inc_none", "ana", "ana", 0); !errors.Is(err, ErrNotFound) {
				t.Errorf("assign what is not there: %v", err)
			}
			failed := w.Write(ctx, func(ctx context.Context, tx *Tx) error {
				if err := tx.AddTraffic(ctx, []Traffic{undone}); err != nil {
					return err
				}
				if err := tx.exec(ctx, `update incident set assignee = 'nobody'`); err != nil {
					return err
				}
				return stop
			})
			if failed != stop {
				t.Errorf("%v", failed)
			}
			if _, err := w.Assign(ctx, other, "ana", "ana", 0); err != nil {
				return err
			}
			return end
		})
	}
	if err := work(stop); err != stop {
		t.Errorf("%v", err)
	}
	equal(t, "undone state", w.incident(t, one).State, StateOpen)
	equal(t, "undone assignee", w.incident(t, other).Assignee, "")
	if err := work(nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "state", w.incident(t, one).State, StateAcknowledged)
	equal(t, "assignee", w.incident(t, other).Assignee, "ana")
	equal(t, "not assigned by what failed", w.incident(t, one).Assignee, "")
	if found, _, err := w.ListClients(t.Context(), ClientFilter{ClientID: "undone"}); err != nil || len(found) > 0 {
		t.Errorf("what a failed write counted is there: %+v, %v", found, err)
	}
	equal(t, "count after settling", w.incident(t, one).Count, 1)
}

// One of the writes whose context has ended is not begun, and one that has begun goes on: an interrupted statement would undo
// them all.
func testTogetherEnded(t *testing.T, w *world) {
	err := w.WriteTogether(t.Context(), func(ctx context.Context) error {
		ending, end := context.WithCancel(ctx)
		if err := w.Write(ending, func(ctx context.Context, tx *Tx) error {
			end()
			return put(ctx, tx, "begun")
		}); err != nil {
			return err
		}
		if err := w.Write(ending, writing("ended", nil)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		return w.Write(ctx, writing("beside", nil))
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "records", w.records(t), 2)
}
