package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func openContract() []contractTest {
	return []contractTest{
		{"the schema version is that of the last migration", testSchemaVersion},
		{"what was written is there after closing and opening again", testReopen},
		{"a database of a newer version is refused", testNewerSchema},
		{"several open an empty database at once", testOpenTogether},
		{"ready when it can be written", testReady},
		{"a closed store says so", testClosed},
	}
}

func testSchemaVersion(t *testing.T, w *world) {
	version, err := w.SchemaVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "version", version, 3)
}

func testReopen(t *testing.T, w *world) {
	id := w.add(t, fail(0))[0].IncidentID
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), Options{DSN: w.dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	i, err := again.GetIncident(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "count", i.Count, 1)
}

func testNewerSchema(t *testing.T, w *world) {
	w.write(t, func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, `update goose_db_version set version_id = 99 where version_id = 1`)
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var before []byte
	file := !strings.Contains(w.dsn, "://")
	if file {
		before, _ = os.ReadFile(w.dsn)
	}
	if s, err := Open(t.Context(), Options{DSN: w.dsn}); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("got %v, %v; want ErrNewerSchema", s, err)
	}
	if after, _ := os.ReadFile(w.dsn); file && string(after) != string(before) {
		t.Error("the file of a newer version was changed")
	}
}

func testOpenTogether(t *testing.T, w *world) {
	dsn := w.dsn + "-together"
	if strings.Contains(w.dsn, "://") {
		w.write(t, func(ctx context.Context, tx *Tx) error {
			// Back to an empty schema: the tables of the open store are not used again.
			var tables string
			err := tx.queryRow(ctx, `select string_agg(quote_ident(table_name), ', ') from information_schema.tables
				where table_schema = current_schema()`).Scan(&tables)
			if err != nil {
				return err
			}
			return tx.exec(ctx, `drop table `+tables+` cascade`)
		})
		dsn = w.dsn
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := Open(t.Context(), Options{DSN: dsn})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Ready(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func testReady(t *testing.T, w *world) {
	if err := w.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.clock = w.clock.Add(time.Minute)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Ready(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("after closing: got %v, want ErrClosed", err)
	}
}

func testClosed(t *testing.T, w *world) {
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	err := w.Write(t.Context(), func(context.Context, *Tx) error { return nil })
	if !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func TestOpen_RefusesWhatIsNoDatabaseOfOurs(t *testing.T) {
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	db, err := sql.Open("sqlite3", foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`create table recipe (id text)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dsn := range map[string]string{
		"nothing":             "",
		"memory":              ":memory:",
		"a URI of SQLite":     "file:x.db?mode=memory",
		"another engine":      "mysql://root@localhost/x",
		"a missing folder":    filepath.Join(t.TempDir(), "none", "x.db"),
		"a folder":            t.TempDir(),
		"a foreign database":  foreign,
		"no database at all":  text,
		"an unreadable DSN":   "postgres://user:secret-word@host:port/x",
		"an unreachable host": "postgres://user:secret-word@127.0.0.1:1/x?connect_timeout=2",
	} {
		s, err := Open(t.Context(), Options{DSN: dsn})
		if err == nil {
			t.Errorf("%s: opened", name)
			_ = s.Close()
			continue
		}
		if strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%s: the error tells the password: %v", name, err)
		}
	}
	if content, err := os.ReadFile(text); err != nil || !strings.HasPrefix(string(content), "this is no database") {
		t.Errorf("the foreign file was changed: %q, %v", content, err)
	}
}

func TestOpen_SQLiteFileIsPrivateAndDurable(t *testing.T) {
	// A path with the characters that mean something in a URI.
	path := filepath.Join(t.TempDir(), "a b?c#d%20e&f.db")
	s, err := Open(t.Context(), Options{DSN: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "mode of "+filepath.Ext(name), info.Mode().Perm(), 0o600)
	}
	err = s.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
			var got string
			if err := tx.queryRow(ctx, `pragma `+pragma).Scan(&got); err != nil {
				return err
			}
			equal(t, pragma, got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.readers.Exec(`delete from probe`); err == nil {
		t.Error("a reader could write")
	}
}

// TestOpen_Locked: while another process holds a file that is not in WAL mode yet, SQLite refuses to change its mode without any patience.
func TestOpen_Locked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.db")
	other, err := sql.Open("sqlite3", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	making, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() {
		s, err := Open(t.Context(), Options{DSN: path})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if err := making.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
}
