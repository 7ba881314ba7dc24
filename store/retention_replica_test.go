package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
)

func retentionReplicaContract() []contractTest {
	return []contractTest{
		{"nothing that two replicas remove at once stays on a list", testExpireTwice},
		{"two replicas remove clients and their successes at once", testExpireClientsTwice},
		{"a client that is seen again while it is removed begins anew", testExpireClientSeen},
		{"a failure that is removed while it is revised or withdrawn counts once", testExpireRevised},
	}
}

func testExpireTwice(t *testing.T, w *world) {
	list := make([]Failure, 3*expireSize)
	for i := range list {
		list[i] = fail(i)
	}
	w.add(t, list...)
	if err := w.whileRemoving(t, removeOldest, removeOldest); err != nil {
		t.Fatal(err)
	}
	w.wantListed(t, "that are left", w.rowCount(t, `select count(*) from failure`))
}

func testExpireRevised(t *testing.T, w *world) {
	for name, do := range map[string]func(ctx context.Context, tx *Tx, f Failure) error{
		"revised":   func(ctx context.Context, tx *Tx, f Failure) error { return tx.ReviseFailure(ctx, f) },
		"withdrawn": func(ctx context.Context, tx *Tx, f Failure) error { return tx.WithdrawFailure(ctx, f.ID) },
	} {
		f := w.add(t, fail(0, client(name)))[0]
		err := w.whileRemoving(t, removeOldest, func(ctx context.Context, tx *Tx) error { return do(ctx, tx, f) })
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", name, err)
		}
		equal(t, "count of what was "+name, w.incident(t, f.IncidentID).Count, 1)
	}
	w.wantListed(t, "that are left", 0)
}

func removeOldest(ctx context.Context, tx *Tx) error {
	_, err := tx.removeOldest(ctx, math.MaxInt64)
	return err
}

func removeClients(ctx context.Context, tx *Tx) error {
	_, err := tx.removeClients(ctx, at(daySecond).UnixMilli())
	return err
}

func testExpireClientsTwice(t *testing.T, w *world) {
	list := make([]Traffic, 3*expireSize)
	for i := range list {
		list[i] = accept(i)
		list[i].ClientID = fmt.Sprint("client-", i)
	}
	w.traffic(t, list...)
	if err := w.whileRemoving(t, removeClients, removeClients); err != nil {
		t.Fatal(err)
	}
	left := w.rowCount(t, `select count(*) from client`)
	if left > 2*expireSize {
		t.Errorf("%d clients of %d are left", left, len(list))
	}
	equal(t, "successes that are left", w.rowCount(t, `select count(*) from success`), left)
}

func testExpireClientSeen(t *testing.T, w *world) {
	w.traffic(t, accept(0))
	err := w.whileRemoving(t, removeClients, func(ctx context.Context, tx *Tx) error {
		return errors.Join(tx.AddTraffic(ctx, []Traffic{accept(2 * daySecond)}), tx.settle(ctx))
	})
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, removeClients)
	equal(t, "clients that are left", w.rowCount(t, `select count(*) from client where successes = 1`), 1)
	equal(t, "their successes", w.rowCount(t, `select count(*) from success`), 1)
}

// whileRemoving has another replica write when something is removed, but not committed yet.
func (w *world) whileRemoving(t *testing.T, remove, do func(ctx context.Context, tx *Tx) error) error {
	t.Helper()
	other, done := w.second(t), make(chan error, 1)
	w.write(t, func(ctx context.Context, tx *Tx) error {
		err := remove(ctx, tx)
		go func() { done <- other.Write(t.Context(), do) }()
		return errors.Join(err, w.awaitBlocked(ctx, tx))
	})
	return <-done
}

// awaitBlocked waits until another process waits for what a transaction has locked. On SQLite all wait for its end.
func (w *world) awaitBlocked(ctx context.Context, tx *Tx) error {
	if tx.dialect.othersWrote != "" {
		return nil
	}
	var process, waiting int
	err := tx.queryRow(ctx, `select pg_backend_pid()`).Scan(&process)
	for err == nil && waiting == 0 {
		err = w.readers.QueryRowContext(ctx, `select count(*) from pg_stat_activity where $1 = any(pg_blocking_pids(pid))`, process).Scan(&waiting)
	}
	return err
}
