package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/mattn/go-sqlite3"
)

// ErrNoBackup says that the engine has tools of its own for backups.
var ErrNoBackup = errors.New("this database is backed up with its server's tools")

// backupPages is how many pages are copied between two looks at whether the caller still wants them.
const backupPages = 4096

// Backup writes the database as it is at one instant to a new file, while others read and write, and checks the copy. It
// is complete under its name or not there at all. Errors: fs.ErrExist when the file is there, ErrNoBackup for PostgreSQL,
// ctx's, or what the copying or the check says.
func (s *Store) Backup(ctx context.Context, path string) error {
	if s.writes.dialect.backup == nil {
		return ErrNoBackup
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("write backup %s: %w", path, fs.ErrExist))
	}
	partial := path + ".partial"
	if err := s.backup(ctx, partial); err != nil {
		return fmt.Errorf("write backup %s: %w", path, errors.Join(err, removeDatabase(partial)))
	}
	if err := os.Rename(partial, path); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

func (s *Store) backup(ctx context.Context, path string) error {
	if err := removeDatabase(path); err != nil { // of an earlier attempt
		return err
	}
	if err := createPrivate(path); err != nil {
		return err
	}
	conn, err := s.readers.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // only goes back to the pool
	if err := conn.Raw(func(source any) error { return s.writes.dialect.backup(ctx, source, path) }); err != nil {
		return err
	}
	return syncFile(path)
}

// copySQLite copies what the source connection sees. One reading transaction around all steps keeps them at one instant;
// without it every commit of another process would make the copy begin anew.
func copySQLite(ctx context.Context, source any, path string) (err error) {
	from, ok := source.(*sqlite3.SQLiteConn)
	if !ok {
		return fmt.Errorf("copy from a %T", source)
	}
	opened, err := (&sqlite3.SQLiteDriver{}).Open("file:" + (&url.URL{Path: path}).EscapedPath() + "?_synchronous=FULL")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	into := opened.(*sqlite3.SQLiteConn)
	if _, err := from.ExecContext(ctx, `begin; select count(*) from sqlite_schema`, nil); err != nil { // the instant is that of the first reading
		return err
	}
	defer func() {
		_, ended := from.ExecContext(context.WithoutCancel(ctx), `rollback`, nil)
		err = errors.Join(err, ended)
	}()
	work, err := into.Backup("main", from, "main")
	if err != nil {
		return err
	}
	for done := false; !done && err == nil; {
		if err = ctx.Err(); err == nil {
			done, err = work.Step(backupPages)
		}
	}
	if err = errors.Join(err, work.Finish()); err != nil {
		return err
	}
	return checkSQLite(ctx, into)
}

// checkSQLite has SQLite look through the whole copy.
func checkSQLite(ctx context.Context, conn *sqlite3.SQLiteConn) error {
	rows, err := conn.QueryContext(ctx, `pragma quick_check(1)`, nil)
	if err != nil {
		return err
	}
	answer := make([]driver.Value, 1)
	err = rows.Next(answer)
	if err := errors.Join(err, rows.Close()); err != nil {
		return err
	}
	if text := fmt.Sprint(answer[0]); text != "ok" {
		return fmt.Errorf("the database is damaged: %s", text)
	}
	return nil
}

// removeDatabase removes a file and what SQLite puts beside it.
func removeDatabase(path string) error {
	var failed error
	for _, name := range []string{path, path + "-journal", path + "-wal", path + "-shm"} {
		if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncFolder makes a rename durable.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
