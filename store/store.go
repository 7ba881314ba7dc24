// Package store keeps failures, incidents, rollups, history and accounts in SQLite or PostgreSQL. It is one concrete
// type over portable SQL; only dialect.go knows which engine answers. It refuses to know HTTP, JSON shapes of the API, or how a cause is found.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not found")

// ErrConflict says that the row was changed meanwhile (IfVersion) or the change is not possible from its state.
var ErrConflict = errors.New("conflict")

// ErrInvalid says that the caller's own values make no sense: an unknown state, a step of 90 seconds.
var ErrInvalid = errors.New("invalid value")

// ErrInvalidCursor says that a page's cursor was not made by this list.
var ErrInvalidCursor = errors.New("invalid cursor")

// ErrBusy says that so many writes are waiting that this one was not queued. Nothing was stored; try again later.
var ErrBusy = errors.New("too many writes are waiting")

// ErrClosed says that the store was closed before the write began. Nothing was stored.
var ErrClosed = errors.New("store is closed")

// ErrNewerSchema says that a newer authwatch has migrated this database. It was not touched.
var ErrNewerSchema = errors.New("database was made by a newer authwatch")

// A Store is safe for concurrent use.
type Store struct {
	readers   *sql.DB
	writes    *writer
	templates *templates
	facts     *factCache // nil where other processes write too
	looks     *lookLog
	now       func() time.Time

	mu      sync.Mutex
	readyAt time.Time            // the last successful probe
	noted   map[string]time.Time // key id to the last use that was queued for writing

	folding sync.Mutex
	folder  folder
}

// Options configure Open.
type Options struct {
	DSN string           // a file's path, or postgres://user@host/database
	Now func() time.Time // receipt time; nil is time.Now
	// NewIncidents is how many incidents of clients that were never heard of a source may open in an hour; the failures of
	// others are gathered under ManyNewClients. 0: no bound. Each process counts for itself.
	NewIncidents int
}

// Open opens the database, creating and migrating it as needed. Errors: ErrNewerSchema, or what the engine says.
func Open(ctx context.Context, o Options) (*Store, error) {
	now := o.Now
	if now == nil {
		now = time.Now
	}
	d, err := dialectOf(o.DSN)
	if err != nil {
		return nil, err
	}
	writing, readers, err := d.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := migrate(ctx, d, writing, readers); err != nil {
		return nil, errors.Join(err, writing.Close(), readers.Close())
	}
	templates := newTemplates()
	var checkpoints *checkpointer
	if d.othersWrote != "" {
		checkpoints = newCheckpointer(readers)
	}
	m := &memory{templates: templates, episodes: map[clientKey]*episodes{}, backlog: newBacklog(), storm: newStorm(o.NewIncidents), rows: rowTexts{}}
	if d.othersWrote != "" {
		m.facts = newFactCache()
	}
	return &Store{
		readers:   readers,
		writes:    newWriter(writing, d, now, m, checkpoints),
		templates: templates,
		facts:     m.facts,
		looks:     newLookLog(),
		now:       now,
		noted:     map[string]time.Time{},
	}, nil
}

// Close waits for the writes in hand and closes the database. Later writes get ErrClosed; closing twice is no error.
func (s *Store) Close() error {
	sighted := s.WriteSightings(context.Background(), true)
	if errors.Is(sighted, ErrClosed) || errors.Is(sighted, ErrBusy) {
		sighted = nil // it tells when known things were seen last: nothing that is worth a wait
	}
	s.writes.drain()
	s.writes.checkpoints.stop()
	// The writer's connection closes last: SQLite then folds the WAL into the file, which a reader may not do.
	return errors.Join(sighted, s.readers.Close(), s.writes.db.Close())
}

// probeEvery bounds what readiness checks cost: a probe is a commit of its own.
const probeEvery = time.Second

// Ready is nil when the database answers and can be written.
func (s *Store) Ready(ctx context.Context) error {
	now := s.now()
	s.mu.Lock()
	fresh := !s.readyAt.IsZero() && now.Sub(s.readyAt).Abs() < probeEvery
	s.mu.Unlock()
	if fresh {
		return nil
	}
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, `insert into probe (id, checked_at) values (1, $1)
			on conflict (id) do update set checked_at = excluded.checked_at`, now)
	})
	if err != nil {
		return fmt.Errorf("write probe: %w", err)
	}
	var checked int64
	if err := s.readers.QueryRowContext(ctx, `select checked_at from probe where id = 1`).Scan(&checked); err != nil {
		return fmt.Errorf("read probe: %w", err)
	}
	s.mu.Lock()
	s.readyAt = now
	s.mu.Unlock()
	return nil
}

// SchemaVersion is the number of the last migration that was applied.
func (s *Store) SchemaVersion(ctx context.Context) (int64, error) {
	version, err := appliedVersion(ctx, s.readers)
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return version, nil
}
