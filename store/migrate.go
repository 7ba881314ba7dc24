package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"
)

// lockedTime is for how long a database is waited for that others have locked. SQLite waits too, but not where one process makes
// a new file while another one holds it: either might wait for the other for ever, so one is refused at once.
const lockedTime = 30 * time.Second

// migrate brings the schema up to date, together with other processes that do.
func migrate(ctx context.Context, d dialect, writing, readers *sql.DB) error {
	var reached int64
	for until := time.Now().Add(lockedTime); ; {
		err := migrateOnce(ctx, d, writing, readers)
		if err == nil || time.Now().After(until) || wait(ctx, giveWay) != nil {
			return err
		}
		// Another process may migrate the same file. As long as it gets on, what is left is tried again.
		now, versionErr := appliedVersion(ctx, readers)
		if !d.locked(err) && (versionErr != nil || now <= reached) {
			return err
		}
		reached = max(reached, now)
	}
}

// migrateOnce looks through the readers first, which cannot write: a database of a newer authwatch, or of another program, is left as it is.
func migrateOnce(ctx context.Context, d dialect, writing, readers *sql.DB) error {
	options, err := d.options()
	if err != nil {
		return fmt.Errorf("prepare migration: %w", err)
	}
	options = append(options, goose.WithDisableGlobalRegistry(true))
	provider, err := goose.NewProvider(d.goose, writing, d.migrations, options...)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	sources := provider.ListSources()
	target := sources[len(sources)-1].Version
	applied, err := inspect(ctx, d, readers)
	switch {
	case err != nil:
		return err
	case applied > target:
		return fmt.Errorf("%w: its schema is version %d, this program knows %d", ErrNewerSchema, applied, target)
	case applied == target:
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate database to version %d: %w", target, err)
	}
	return nil
}

// inspect returns the applied version, 0 for an empty database.
func inspect(ctx context.Context, d dialect, readers *sql.DB) (int64, error) {
	var tables int64
	if err := readers.QueryRowContext(ctx, d.tables).Scan(&tables); err != nil {
		return 0, fmt.Errorf("read database: %w", err)
	}
	if tables == 0 {
		return 0, nil
	}
	applied, err := appliedVersion(ctx, readers)
	if err != nil {
		return 0, fmt.Errorf("the database holds other tables and no schema version, so it is not authwatch's: %w", err)
	}
	return applied, nil
}

func appliedVersion(ctx context.Context, db *sql.DB) (int64, error) {
	var version sql.NullInt64
	if err := db.QueryRowContext(ctx, `select max(version_id) from goose_db_version`).Scan(&version); err != nil {
		return 0, err
	}
	if !version.Valid {
		return 0, errors.New("no migration was recorded")
	}
	return version.Int64, nil
}
