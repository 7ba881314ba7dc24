package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"authwatch/classify"
)

func backlogContract() []contractTest {
	return []contractTest{
		{"figures that are put off arrive", testBacklogArrives},
		{"figures that are overdue are written after a batch", testBacklogOverdue},
		{"figures that are put off are written though others write beside the batches", testBacklogBesideOthers},
		{"figures that are put off are there for who needs them", testBacklogSettled},
		{"figures of a process that ended are taken over", testBacklogAdopted},
		{"figures that another process took over do not count twice", testBacklogNoticed},
		{"a backlog that another process has written while the connection was lost is noticed", testBacklogReconnected},
		{"a write that fails puts nothing off", testBacklogRolledBack},
		{"each failure is on the list of its incident, and nothing else", testListed},
	}
}

// crowd is more clients than one write would write at once: a failure and two successes of each.
func crowd(seconds int) (failures []Failure, traffic []Traffic) {
	for i := range 2 * backlogSmall {
		name := fmt.Sprint("client-", i)
		failures = append(failures, fail(seconds, client(name)))
		one := accept(seconds + 1)
		one.ClientID, one.Count, one.Last = name, 2, at(seconds+2)
		traffic = append(traffic, one)
	}
	return failures, traffic
}

func (w *world) addCrowd(t *testing.T, seconds int) {
	t.Helper()
	failures, traffic := crowd(seconds)
	w.write(t, func(ctx context.Context, tx *Tx) error {
		return errors.Join(tx.AddFailures(ctx, failures), tx.AddTraffic(ctx, traffic))
	})
}

func (w *world) settleAll(t *testing.T) {
	t.Helper()
	if err := w.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) compareCrowd(t *testing.T, rounds int) {
	t.Helper()
	equal(t, "figures that are put off", w.rowCount(t, `select count(*) from backlog`), 0)
	equal(t, "failures of clients", w.rowCount(t, `select cast(sum(failures) as bigint) from client`), rounds*2*backlogSmall)
	equal(t, "successes of clients", w.rowCount(t, `select cast(sum(successes) as bigint) from client`), rounds*4*backlogSmall)
	equal(t, "failures of incidents", w.rowCount(t, `select cast(sum(count) as bigint) from incident`), rounds*2*backlogSmall)
	list := w.incidents(t, IncidentFilter{Clients: []string{"client-7"}})
	wantTime(t, "last failure", list[0].LastSeenAt, at(rounds-1))
	wantTime(t, "next success", list[0].FirstSuccess, at(rounds))
}

func testBacklogArrives(t *testing.T, w *world) {
	for i := range 5 {
		w.addCrowd(t, i)
	}
	w.settleAll(t)
	w.compareCrowd(t, 5)
	reopened := w.reopen(t)
	reopened.addCrowd(t, 5)
	reopened.addCrowd(t, 6)
	reopened = reopened.reopen(t) // closing settles
	reopened.compareCrowd(t, 7)
}

// testBacklogBesideOthers: what is written aside is no batch, and nothing waits for the next one because of it.
func testBacklogBesideOthers(t *testing.T, w *world) {
	if w.facts == nil {
		return // nothing is put off
	}
	w.write(t, func(context.Context, *Tx) error {
		w.writes.memory.backlog.written = time.Now().Add(time.Hour)
		return nil
	})
	w.addCrowd(t, 0)
	for n := 0; w.rowCount(t, `select count(*) from backlog`) > 0; n++ {
		if n == 400 {
			t.Fatalf("still put off after %d writes beside it", n)
		}
		if err := w.writeAside(t.Context(), func(context.Context, *Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.compareCrowd(t, 1)
}

func testBacklogOverdue(t *testing.T, w *world) {
	if w.facts == nil {
		return // nothing is put off
	}
	since := func(written time.Time) {
		w.write(t, func(context.Context, *Tx) error {
			w.writes.memory.backlog.written, w.writes.memory.backlog.steady = written, true
			return nil
		})
	}
	w.addCrowd(t, 0)
	since(time.Now().Add(time.Hour))
	w.addCrowd(t, 1)
	w.addCrowd(t, 2)
	equal(t, "rows of backlog", w.rowCount(t, `select count(*) from backlog`), 2)
	since(time.Time{})
	since(time.Now()) // waits for what comes after the first
	w.compareCrowd(t, 3)
}

// reopen closes the store and opens it again.
func (w *world) reopen(t *testing.T) *world {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{DSN: w.dsn, Now: w.Store.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{Store: s, dsn: w.dsn, clock: w.clock}
}

func testBacklogSettled(t *testing.T, w *world) {
	w.addCrowd(t, 0)
	failures, traffic := crowd(1)
	w.write(t, func(ctx context.Context, tx *Tx) error {
		return errors.Join(tx.AddFailures(ctx, failures), tx.AddTraffic(ctx, traffic))
	})
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.WithdrawFailure(ctx, failures[3].ID) })
	i := w.incident(t, failures[3].IncidentID)
	equal(t, "count after a withdrawal", i.Count, 1)
	wantTime(t, "last failure after a withdrawal", i.LastSeenAt, at(0))
	w.addCrowd(t, 2)
	w.addCrowd(t, 3)
	resolved := w.change(t, failures[4].IncidentID, StateChange{State: StateResolved})
	equal(t, "count at the resolution", resolved.Count, 4)
	wantTime(t, "last failure at the resolution", resolved.LastSeenAt, at(3))
	w.settleAll(t)
	equal(t, "failures of clients", w.rowCount(t, `select cast(sum(failures) as bigint) from client`), 4*2*backlogSmall-1)
}

func testBacklogAdopted(t *testing.T, w *world) {
	first := w.add(t, fail(0))[0]
	left := newFigures()
	left.growth(first.incident, first.episodeKey().client(), 0).add(&growth{count: 2, first: toMillis(at(5)), last: toMillis(at(9)),
		newest: spokesman{classify.Stated, classify.FaultClient, "as it ended"}, endpoints: []EndpointCount{{first.Endpoint, 2}}, failures: []rowID{first.id, first.id - 5}})
	*left.client(first.episodeKey().client()) = clientFigures{failures: 2, successes: 1, firstFailure: toMillis(at(5)), lastFailure: toMillis(at(9)), accepted: []int64{toMillis(at(20))}}
	w.write(t, func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, `insert into backlog (id, owner, body) values (1, 1, $1)`, encoded(left.encode))
	})
	equal(t, "count before", w.incident(t, first.IncidentID).Count, 1)
	w.settleAll(t)
	w.settleAll(t)
	i := w.incident(t, first.IncidentID)
	equal(t, "count", i.Count, 3)
	equal(t, "summary", i.Summary, "as it ended")
	wantTime(t, "last failure", i.LastSeenAt, at(9))
	wantTime(t, "next success", i.FirstSuccess, at(20))
	decoded, err := decodeFigures(encoded(left.encode))
	if err != nil || !reflect.DeepEqual(decoded.grown, left.grown) || !reflect.DeepEqual(decoded.clients, left.clients) {
		t.Errorf("decoded %+v, %v; want %+v", decoded, err, left)
	}
}

func testBacklogNoticed(t *testing.T, w *world) {
	other := w.second(t)
	const rounds = 8
	for i := range rounds {
		w.addCrowd(t, i)
		if i%2 == 1 {
			if err := other.Settle(t.Context()); err != nil { // before w does it itself, or after
				t.Fatal(err)
			}
		}
	}
	w.settleAll(t)
	w.compareCrowd(t, rounds)
}

// testBacklogReconnected: what another process wrote is noticed even where the connection that would have told was lost.
func testBacklogReconnected(t *testing.T, w *world) {
	other := w.second(t)
	const rounds = 8
	for i := range rounds {
		w.addCrowd(t, i)
		lost := w.Write(t.Context(), func(ctx context.Context, tx *Tx) error { return errors.Join(ErrInvalid, tx.exec(ctx, `rollback`)) })
		if lost == nil {
			t.Fatal("a write without its transaction succeeded")
		}
		if err := other.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.settleAll(t)
	w.compareCrowd(t, rounds)
}

func testBacklogRolledBack(t *testing.T, w *world) {
	w.addCrowd(t, 0)
	failures, traffic := crowd(1)
	err := w.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
		return errors.Join(tx.AddFailures(ctx, failures), tx.AddTraffic(ctx, traffic), tx.settle(ctx), ErrInvalid)
	})
	if !errors.Is(err, ErrInvalid) {
		t.Fatal(err)
	}
	w.settleAll(t)
	w.compareCrowd(t, 1)
}

// wantListed compares the failures with the lists of their incidents.
func (w *world) wantListed(t *testing.T, when string, failures int) {
	t.Helper()
	equal(t, "failures "+when, w.rowCount(t, `select count(*) from failure`), failures)
	equal(t, "failures on lists "+when, w.rowCount(t, `select count(*) from incident_failure`), failures)
	equal(t, "failures on their list "+when, w.rowCount(t, `select count(*) from failure f, incident_failure l where l.incident_id = f.incident_id and l.id = f.id`), failures)
}

func testListed(t *testing.T, w *world) {
	const n = 2 * backlogSmall
	w.addCrowd(t, 0) // is written at once
	w.wantListed(t, "at once", n)
	failures, all := w.unlisted(t, n)
	moved, stays := failures[3], failures[4]
	moved.Verdict.ClientID = "client-5"
	w.write(t, func(ctx context.Context, tx *Tx) error {
		return errors.Join(tx.ReviseFailure(ctx, moved), tx.ReviseFailure(ctx, stays))
	})
	w.wantListed(t, "after revisions", all)
	w.write(t, func(ctx context.Context, tx *Tx) error {
		return errors.Join(tx.WithdrawFailure(ctx, failures[6].ID), tx.WithdrawFailure(ctx, moved.ID))
	})
	w.wantListed(t, "after withdrawals", all-2)
	w.clock = at(31 * daySecond)
	w.addCrowd(t, 40*daySecond) // is due
	w.addCrowd(t, 2)            // is not, and already too old
	w.expire(t, month())
	w.wantListed(t, "after they have expired", n)
}

// unlisted adds failures until some are seen that are not on their lists yet, and says how many there are then: between a write and the
// look a machine that has other work may let the time pass for which they are put off.
func (w *world) unlisted(t *testing.T, all int) (last []Failure, total int) {
	t.Helper()
	for range 100 {
		last, _ = crowd(1)
		w.add(t, last...)
		all += len(last)
		if w.facts == nil || w.rowCount(t, `select count(*) from incident_failure`) < all {
			return last, all
		}
	}
	t.Fatal("the lists of failures are never put off")
	return nil, 0
}

// TestBacklog_Patience: only where batches come one soon after the other does the writer wait longer for the next.
func TestBacklog_Patience(t *testing.T) {
	b := newBacklog()
	for _, c := range []struct {
		after time.Duration
		want  time.Duration
	}{{time.Hour, backlogIdle}, {0, backlogLull}, {0, backlogLull}, {backlogLull, backlogIdle}, {0, backlogLull}} {
		b.latest = time.Now().Add(-c.after)
		b.keep(newFigures())
		b.emptied() // what was written meanwhile tells nothing of what comes
		equal(t, fmt.Sprint("patience after ", c.after), b.patience(), c.want)
	}
}

// encoded is what encode writes.
func encoded(encode func(*encoder)) []byte {
	var e encoder
	encode(&e)
	return e.b
}

// FuzzFigures: damaged figures are an error, never a panic.
func FuzzFigures(f *testing.F) {
	f.Add([]byte{2, 1, 'a', 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if decoded, err := decodeFigures(b); err == nil {
			again, err := decodeFigures(encoded(decoded.encode))
			if err != nil || !reflect.DeepEqual(again, decoded) {
				t.Errorf("got %+v, %v; want %+v", again, err, decoded)
			}
		}
	})
}
