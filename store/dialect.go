package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"authwatch/migrations"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// A dialect is all that differs between the engines. Both bind $1, $2, …; SQLite numbers them by first appearance, so
// every statement names its parameters in rising order.
type dialect struct {
	goose      goose.Dialect
	migrations fs.FS
	options    func() ([]goose.ProviderOption, error)
	bytes      string // the type of a column of bytes
	begin      string // starts a transaction that is sure to be allowed to write
	follow     string // has commits of replicas follow one another from here to the end of the transaction; "" where they do anyway
	prepare    string // is run on the writer's connection when it is made
	// othersWrote asks for a number that changes when another connection has committed; "" where others always may.
	othersWrote string
	tables      string // counts the tables of the database
	used        string // says how many bytes of the database are in use
	size        string // says how many bytes of the database are in use and how many free
	// open returns the handle that only the writer uses and the pool of readers.
	open func(ctx context.Context) (writing, readers *sql.DB, err error)
	// exec runs a statement that answers nothing on a driver's connection.
	exec func(ctx context.Context, conn any, query string, args []driver.NamedValue) error
	// backup copies what a reader's connection sees to the empty file at path; nil where that is not ours to do.
	backup func(ctx context.Context, source any, path string) error
	// conflicts reports whether a transaction lost against another one and may win when it is run again.
	conflicts func(error) bool
	// locked reports whether others have the database for themselves at the moment.
	locked func(error) bool
	// lost reports whether the connection is gone, so that a new one is worth a try.
	lost func(error) bool
}

func dialectOf(dsn string) (dialect, error) {
	switch {
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		return postgres(dsn), nil
	case dsn == "":
		return dialect{}, errors.New("open database: no path given")
	case dsn == ":memory:", strings.HasPrefix(dsn, "file:"):
		// In memory each connection of the pool would see an empty database of its own.
		return dialect{}, fmt.Errorf("open database: %q is not a plain file path", dsn)
	case strings.Contains(dsn, "://"):
		return dialect{}, errors.New("open database: neither a file path nor postgres://user@host/database")
	}
	return sqlite(dsn), nil
}

// oldestSQLite is the first release without the WAL-reset race that can corrupt a database (sqlite.org/wal.html#walresetbug).
const oldestSQLite = 3051003

const sqliteReaders = 8

func sqlite(path string) dialect {
	return dialect{
		goose:      goose.DialectSQLite3,
		migrations: migrations.SQLite(),
		options:    func() ([]goose.ProviderOption, error) { return nil, nil },
		bytes:      `blob`,
		begin:      `begin immediate`,
		// Checkpoints: see checkpoint.go. Pages as they were before a savepoint would go to a file: as much writing as the commit itself.
		prepare:     `pragma wal_autocheckpoint = 0; pragma temp_store = memory`,
		othersWrote: `pragma data_version`,
		tables:      `select count(*) from sqlite_master where type = 'table'`,
		used: `select (p.page_count - f.freelist_count) * s.page_size
			from pragma_page_count p, pragma_freelist_count f, pragma_page_size s`,
		size: `select (p.page_count - f.freelist_count) * s.page_size, f.freelist_count * s.page_size
			from pragma_page_count p, pragma_freelist_count f, pragma_page_size s`,
		open: func(ctx context.Context) (*sql.DB, *sql.DB, error) {
			return openSQLite(ctx, path)
		},
		exec:      execSQLite,
		backup:    copySQLite,
		conflicts: func(error) bool { return false }, // begin immediate has already waited for its turn
		locked: func(err error) bool {
			var answer sqlite3.Error
			return errors.As(err, &answer) && (answer.Code == sqlite3.ErrBusy || answer.Code == sqlite3.ErrLocked)
		},
		lost: func(err error) bool { return errors.Is(err, driver.ErrBadConn) },
	}
}

func openSQLite(ctx context.Context, path string) (writing, readers *sql.DB, err error) {
	if version, number, _ := sqlite3.Version(); number < oldestSQLite {
		return nil, nil, fmt.Errorf("SQLite %s can corrupt a database: at least 3.51.3 is needed", version)
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, nil, fmt.Errorf("resolve path: %w", err)
	}
	if err := createPrivate(path); err != nil {
		return nil, nil, err
	}
	// In the DSN the pragmas reach every connection; by Exec they would reach one of the pool.
	common := url.Values{
		"_busy_timeout":    {"5000"},
		"_foreign_keys":    {"on"},
		"_stmt_cache_size": {"128"},
	}
	dsn := func(more ...string) string {
		q := url.Values{}
		for k, v := range common {
			q[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
	}
	writing, err = sql.Open("sqlite3", dsn("_journal_mode", "WAL", "_synchronous", "FULL", "_txlock", "immediate", "_cache_size", "-32768"))
	if err != nil {
		return nil, nil, err
	}
	writing.SetMaxOpenConns(1)
	readers, err = sql.Open("sqlite3", dsn("_query_only", "on"))
	if err != nil {
		return nil, nil, errors.Join(err, writing.Close())
	}
	readers.SetMaxOpenConns(sqliteReaders)
	readers.SetMaxIdleConns(sqliteReaders)
	if err := readers.PingContext(ctx); err != nil {
		return nil, nil, errors.Join(err, writing.Close(), readers.Close())
	}
	return writing, readers, nil
}

// execSQLite runs a statement as a query. So the driver takes all arguments to SQLite at once, where Exec crosses over to C with each.
func execSQLite(ctx context.Context, conn any, query string, args []driver.NamedValue) error {
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	if err != nil {
		return err
	}
	return rows.Close()
}

// createPrivate makes a file that only its owner may read; SQLite gives its WAL the same mode. An existing one stays as it is.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

const (
	postgresReaders = 8
	// statementTimeout keeps one stuck statement from holding every write behind it.
	statementTimeout = "30000"
)

func postgres(dsn string) dialect {
	return dialect{
		goose:      goose.DialectPostgres,
		migrations: migrations.Postgres(),
		options: func() ([]goose.ProviderOption, error) {
			// Several replicas start at once; one migrates, the others wait.
			locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
			if err != nil {
				return nil, err
			}
			return []goose.ProviderOption{goose.WithSessionLocker(locker)}, nil
		},
		bytes:  `bytea`,
		begin:  `begin`,
		follow: `select pg_advisory_xact_lock(hashtext('authwatch feed'), hashtext(current_schema()))`,
		tables: `select count(*) from information_schema.tables where table_schema = current_schema() and table_type = 'BASE TABLE'`,
		used:   `select cast(0 as bigint)`,
		size:   `select pg_database_size(current_database()), cast(0 as bigint)`,
		open: func(ctx context.Context) (*sql.DB, *sql.DB, error) {
			return openPostgres(ctx, dsn)
		},
		exec: func(ctx context.Context, conn any, query string, args []driver.NamedValue) error {
			_, err := conn.(driver.ExecerContext).ExecContext(ctx, query, args)
			return err
		},
		conflicts: func(err error) bool {
			var answer *pgconn.PgError
			return errors.Is(err, errRaced) || errors.As(err, &answer) && (answer.Code == "40001" || answer.Code == "40P01") // serialization failure, deadlock
		},
		locked: func(error) bool { return false }, // who migrates holds a lock that the others wait for
		lost: func(err error) bool {
			var answer *pgconn.PgError
			if errors.As(err, &answer) {
				return answer.Code == "57P01" // the server shut down
			}
			return err != nil
		},
	}
}

func openPostgres(ctx context.Context, dsn string) (writing, readers *sql.DB, err error) {
	write, err := postgresConfig(dsn)
	if err != nil {
		return nil, nil, err
	}
	read := write.Copy()
	write.RuntimeParams["statement_timeout"] = statementTimeout
	write.RuntimeParams["synchronous_commit"] = "on" // committed means on disk, whatever the server's default
	read.RuntimeParams["default_transaction_read_only"] = "on"
	writing = stdlib.OpenDB(*write)
	writing.SetMaxOpenConns(1)
	readers = stdlib.OpenDB(*read)
	readers.SetMaxOpenConns(postgresReaders)
	readers.SetMaxIdleConns(postgresReaders)
	if err := writing.PingContext(ctx); err != nil {
		return nil, nil, errors.Join(err, writing.Close(), readers.Close())
	}
	return writing, readers, nil
}

// postgresConfig reads the DSN. The driver's own error would repeat it, password and all.
func postgresConfig(dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("the postgres:// address cannot be read")
	}
	return config, nil
}
