package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"
)

// migrate brings the schema up to date. It looks through the readers first, which cannot write: a database of a newer
// authwatch, or of another program, is left as it is.
func migrate(ctx context.Context, d dialect, writing, readers *sql.DB) error {
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
	for {
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
			// Another process may migrate the same file. As long as it gets on, what is left is tried again.
			if now, versionErr := appliedVersion(ctx, readers); versionErr != nil || now <= applied {
				return fmt.Errorf("migrate database to version %d: %w", target, err)
			}
		}
	}
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
