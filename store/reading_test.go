package store

import (
	"context"
	"fmt"
	"testing"
	"time"
)

func readingContract() []contractTest {
	return []contractTest{
		{"a reader that takes its time holds up no write, and sees one instant", testLongReader},
		{"a write that takes its time holds up no read", testLongWrite},
	}
}

func testLongReader(t *testing.T, w *world) {
	w.add(t, fail(0))
	tx, err := beginReading(t.Context(), w.readers)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	count := func() (n int) {
		t.Helper()
		if err := tx.QueryRowContext(t.Context(), `/* test */ select count(*) from failure`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	equal(t, "failures at first", count(), 1)
	for i := range 20 {
		w.add(t, fail(i, client(fmt.Sprint("client-", i))))
		w.fold(t)
	}
	w.expire(t, month())
	equal(t, "failures of the same instant", count(), 1)
	equal(t, "failures", len(w.everyFailure(t)), 21)
}

func testLongWrite(t *testing.T, w *world) {
	w.add(t, fail(0))
	begun, end, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- w.Write(context.Background(), func(ctx context.Context, tx *Tx) error {
			err := tx.AddFailures(ctx, []Failure{fail(60)})
			close(begun)
			<-end
			return err
		})
	}()
	<-begun
	equal(t, "failures", len(w.everyFailure(t)), 1)
	equal(t, "incidents", len(w.incidents(t, IncidentFilter{})), 1)
	equal(t, "trend", fmt.Sprint(w.trendOf(t, 0, 120, time.Hour).Failures), "[1]")
	close(end)
	if err := <-done; err != nil {
		t.Error(err)
	}
	equal(t, "failures", len(w.everyFailure(t)), 2)
}
