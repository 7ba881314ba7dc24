package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSQLite_Checkpoint: the WAL is copied beside the writer and begins anew, so that it stays bounded however much is written.
func TestSQLite_Checkpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wal.db")
	s, err := Open(t.Context(), Options{DSN: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := &world{Store: s, dsn: path, clock: noon()}
	const written = 5 * walPages / 2 // in pages, at the least
	for pages := 0; pages < written; pages += pagesAtOnce {
		if err := w.writePages(t); err != nil {
			t.Fatal(err)
		}
		w.awaitCopy(t)
	}
	wal, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if pages := wal.Size() / 4096; pages > 2*walPages {
		t.Errorf("the WAL has %d pages after %d were written", pages, written)
	}
}

const pagesAtOnce = 500

// writePages writes so many pages, at the least, in one transaction.
func (w *world) writePages(t *testing.T) error {
	t.Helper()
	body := incompressible(200 << 10)
	return w.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
		for range pagesAtOnce / 50 {
			if err := tx.exec(ctx, `insert into pending (side, kind, occurred_at, body, expires_at) values ('', '', 0, $1, 0)`, body); err != nil {
				return err
			}
		}
		return nil
	})
}

// awaitCopy waits until what is copied beside the writer is copied, however busy the machine is.
func (w *world) awaitCopy(t *testing.T) {
	t.Helper()
	for range 18_000 {
		pages, copied, err := checkpoint(t.Context(), w.writes.conn, `noop`)
		if err != nil {
			t.Fatal(err)
		}
		if pages-copied < checkpointPages {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the WAL is not copied")
}

// TestSQLite_LongReader: a reader that does not end keeps the WAL from beginning anew. At some point writes are refused, and
// as soon as it has ended they are taken again.
func TestSQLite_LongReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wal.db")
	s, err := Open(t.Context(), Options{DSN: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := &world{Store: s, dsn: path, clock: noon()}
	const most = walPages + 10*pagesAtOnce
	s.writes.checkpoints.most = most
	if err := w.writePages(t); err != nil {
		t.Fatal(err)
	}
	reader, err := beginReading(t.Context(), s.readers)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Rollback() }() // if the test fails
	var n int
	if err := reader.QueryRow(`select count(*) from pending`).Scan(&n); err != nil { // its instant
		t.Fatal(err)
	}
	stopCopying := s.writes.checkpoints.keepCopying() // a writer that only finds that in its way must refuse as well
	written := 0
	for ; err == nil && written < 3*most; written += pagesAtOnce {
		err = w.writePages(t)
	}
	for range 5000 {
		if !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), "reader") {
			t.Fatalf("%d pages were written beside a reader, then: %v", written, err)
		}
		err = w.Write(t.Context(), writing("a", nil))
	}
	wal, statErr := os.Stat(path + "-wal")
	if statErr != nil {
		t.Fatal(statErr)
	}
	if pages := wal.Size() / 4096; pages < most || pages > most+pagesAtOnce*11/10 { // a write has some pages more
		t.Errorf("writes were refused at %d pages of WAL, not at %d", pages, most)
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := w.writePages(t); err != nil {
		t.Fatalf("after the reader has ended: %v", err)
	}
	stopCopying()
	// It begins anew when nobody looks at it, and the copy that is made beside the writer does for a moment.
	pages := int64(most + 1)
	for written = 0; pages > most && written < 3*most; written += pagesAtOnce {
		if err := w.writePages(t); err != nil {
			t.Fatalf("after the reader has ended: %v", err)
		}
		w.awaitCopy(t)
		if pages, _, err = checkpoint(t.Context(), s.writes.conn, `noop`); err != nil {
			t.Fatal(err)
		}
	}
	if pages > most {
		t.Errorf("the WAL has not begun anew: %d pages", pages)
	}
}

// keepCopying has the WAL copied all the time until the returned function is called.
func (c *checkpointer) keepCopying() (stop func()) {
	var ended atomic.Bool
	var copying sync.WaitGroup
	copying.Go(func() {
		for !ended.Load() {
			c.copy(context.Background())
		}
	})
	return func() {
		ended.Store(true)
		copying.Wait()
	}
}

// TestSQLite_SavepointsWriteNoFile: what pages were before a savepoint is kept in memory. In a file it would be as much as the WAL.
func TestSQLite_SavepointsWriteNoFile(t *testing.T) {
	s, err := Open(t.Context(), Options{DSN: filepath.Join(t.TempDir(), "temp.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := &world{Store: s, clock: noon()}
	w.write(t, func(ctx context.Context, tx *Tx) error {
		var store int
		err := tx.queryRow(ctx, `pragma temp_store`).Scan(&store)
		equal(t, "temp_store (2: memory)", store, 2)
		return err
	})
}
