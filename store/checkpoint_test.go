package store

import (
	"context"
	"os"
	"path/filepath"
	"testing"
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
	body := incompressible(200 << 10)
	for pages := 0; pages < written; pages += 10 * 50 {
		w.write(t, func(ctx context.Context, tx *Tx) error {
			for range 10 {
				if err := tx.exec(ctx, `insert into pending (id, join_key, side, kind, occurred_at, body, expires_at) values ($1, '', '', '', 0, $2, 0)
					on conflict (id) do update set body = excluded.body`, newKeyID(), body); err != nil {
					return err
				}
			}
			return nil
		})
	}
	wal, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if pages := wal.Size() / 4096; pages > 2*walPages {
		t.Errorf("the WAL has %d pages after %d were written", pages, written)
	}
}
