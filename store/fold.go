package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

const (
	// foldSize bounds the counts of one fold: its memory, and how long other writes wait for it.
	foldSize = 50_000
	// rememberedRows bounds the rows of rollups that are remembered between folds.
	rememberedRows = 100_000
)

// errFolded says that another process has folded meanwhile.
var errFolded = errors.New("another fold came first")

// A folder adds tallies to the rollups. It reads and adds up while others write, and takes the writer's turn only for the
// changed rows.
type folder struct {
	generation int64 // of the fold after which known was right
	known      map[grainSeries]*foldedSeries
	rows       int // in known
}

type grainSeries struct {
	grain grain
	series
}

// A foldedSeries is what is known of a series and its rows.
type foldedSeries struct {
	id    int64
	fresh bool // not in the database yet
	rows  map[rowKey]*foldedRow
}

type rowKey struct{ span, start int64 }

type foldedRow struct {
	slots   slots
	changed bool
}

// A fold is the work of one transaction.
type fold struct {
	generation int64
	tallies    []int64
	series     []freshSeries
	rows       []changedRow
}

type freshSeries struct {
	grainSeries
	id int64
}

type changedRow struct {
	id     int64
	key    rowKey
	counts []byte // empty: the row goes
}

// Fold adds what recent transactions have counted to the rollups and says whether more waits. Answers do not depend on
// it, but their speed does. Errors: the engine's, ErrBusy, ErrClosed.
func (s *Store) Fold(ctx context.Context) (more bool, err error) {
	s.folding.Lock()
	defer s.folding.Unlock()
	f, more, err := s.folder.prepare(ctx, s.readers)
	if err == nil && len(f.tallies) > 0 {
		err = s.Write(ctx, func(ctx context.Context, tx *Tx) error { return f.save(ctx, tx) })
	}
	if err != nil {
		s.folder = folder{} // what it knows was never written
		if errors.Is(err, errFolded) {
			return true, nil
		}
		return false, fmt.Errorf("fold tallies: %w", err)
	}
	if len(f.tallies) > 0 {
		s.folder.generation++
	}
	return more, nil
}

// prepare reads tallies and adds them up.
func (f *folder) prepare(ctx context.Context, readers *sql.DB) (work fold, more bool, err error) {
	tx, err := beginReading(ctx, readers)
	if err != nil {
		return fold{}, false, err
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	if err := tx.QueryRowContext(ctx, `select generation from fold where id = 1`).Scan(&work.generation); err != nil {
		return fold{}, false, fmt.Errorf("read generation: %w", err)
	}
	if work.generation != f.generation || f.known == nil || f.rows > rememberedRows {
		*f = folder{generation: work.generation, known: map[grainSeries]*foldedSeries{}}
	}
	counts, tallies, more, err := readTallies(ctx, tx)
	if err != nil || len(tallies) == 0 {
		return fold{}, false, err
	}
	work.tallies = tallies
	changed := map[*foldedSeries]bool{}
	for k, n := range counts {
		for _, g := range k.grains() {
			one, err := f.find(ctx, tx, grainSeries{g, g.of(k.series)}, &work)
			if err != nil {
				return fold{}, false, err
			}
			changed[one] = true
			if err := f.count(ctx, tx, one, k.minute*minuteStep, n); err != nil {
				return fold{}, false, err
			}
		}
	}
	for one := range changed {
		for key, row := range one.rows {
			if row.changed {
				row.changed = false
				work.rows = append(work.rows, changedRow{one.id, key, row.slots.encode()})
			}
		}
		one.fresh = false
	}
	slices.SortFunc(work.rows, func(a, b changedRow) int { // neighbours in the table one after the other
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.key.span, b.key.span), cmp.Compare(a.key.start, b.key.start))
	})
	return work, more, nil
}

// readTallies adds up as many tallies as one fold takes.
func readTallies(ctx context.Context, tx *sql.Tx) (counts rollupCounts, ids []int64, more bool, err error) {
	rows, err := tx.QueryContext(ctx, `select id, counts from tally`)
	if err != nil {
		return nil, nil, false, fmt.Errorf("read tallies: %w", err)
	}
	defer func() { _ = rows.Close() }()
	counts = rollupCounts{}
	for rows.Next() {
		if len(counts) >= foldSize {
			return counts, ids, true, nil
		}
		var id int64
		var text sql.RawBytes
		if err := rows.Scan(&id, &text); err != nil {
			return nil, nil, false, fmt.Errorf("read tallies: %w", err)
		}
		ids = append(ids, id)
		if err := eachCount(text, func(k countKey, n int64) { counts[k] += n }); err != nil {
			return nil, nil, false, fmt.Errorf("read tally %d: %w", id, err)
		}
	}
	return counts, ids, false, rows.Err()
}

func (f *folder) find(ctx context.Context, tx *sql.Tx, k grainSeries, work *fold) (*foldedSeries, error) {
	if one := f.known[k]; one != nil {
		return one, nil
	}
	one := &foldedSeries{rows: map[rowKey]*foldedRow{}}
	err := tx.QueryRowContext(ctx, `select id from series where grain = $1 and client_id = $2 and provider = $3
		and environment = $4 and cause = $5 and endpoint = $6`,
		string(k.grain), k.clientID, k.provider, k.environment, k.cause, k.endpoint).Scan(&one.id)
	if errors.Is(err, sql.ErrNoRows) {
		one.id, one.fresh, err = newRef(), true, nil
		work.series = append(work.series, freshSeries{k, one.id})
	}
	if err != nil {
		return nil, fmt.Errorf("find series: %w", err)
	}
	f.known[k] = one
	return one, nil
}

// count adds n to the rows of every level that hold the time.
func (f *folder) count(ctx context.Context, tx *sql.Tx, one *foldedSeries, at, n int64) error {
	for _, l := range levels() {
		key := rowKey{l.span, floorTo(at, l.span)}
		row := one.rows[key]
		if row == nil {
			row = &foldedRow{}
			if !one.fresh {
				if err := row.load(ctx, tx, one.id, key); err != nil {
					return err
				}
			}
			one.rows[key] = row
			f.rows++
		}
		row.slots = row.slots.add(int((at-key.start)/l.step), n)
		row.changed = true
	}
	return nil
}

func (r *foldedRow) load(ctx context.Context, tx *sql.Tx, id int64, key rowKey) error {
	var counts []byte
	err := tx.QueryRowContext(ctx, `select counts from rollup where series_id = $1 and span = $2 and start = $3`,
		id, key.span, key.start).Scan(&counts)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		err = eachSlot(counts, func(number int, n int64) { r.slots = append(r.slots, slot{number, n}) })
	}
	if err != nil {
		return fmt.Errorf("read rollup: %w", err)
	}
	return nil
}

// save writes the fold, unless another one came first.
func (f fold) save(ctx context.Context, t *Tx) error {
	first, err := t.changed(ctx, `update fold set generation = generation + 1 where id = 1 and generation = $1`, f.generation)
	if err != nil {
		return fmt.Errorf("count fold: %w", err)
	}
	if !first {
		return errFolded
	}
	for _, id := range f.tallies {
		if err := t.exec(ctx, `delete from tally where id = $1`, id); err != nil {
			return fmt.Errorf("remove tally: %w", err)
		}
	}
	for _, one := range f.series {
		err := t.exec(ctx, `insert into series (id, grain, provider, environment, cause, client_id, endpoint) values ($1, $2, $3, $4, $5, $6, $7)`,
			one.id, string(one.grain), one.provider, one.environment, one.cause, one.clientID, one.endpoint)
		if err != nil {
			return fmt.Errorf("add series: %w", err)
		}
	}
	for _, r := range f.rows {
		if err := r.save(ctx, t); err != nil {
			return fmt.Errorf("write rollup: %w", err)
		}
	}
	return nil
}

func (r changedRow) save(ctx context.Context, t *Tx) error {
	if len(r.counts) == 0 {
		return t.exec(ctx, `delete from rollup where series_id = $1 and span = $2 and start = $3`, r.id, r.key.span, r.key.start)
	}
	return t.exec(ctx, `insert into rollup (series_id, span, start, counts) values ($1, $2, $3, $4)
		on conflict (series_id, span, start) do update set counts = excluded.counts`, r.id, r.key.span, r.key.start, r.counts)
}

// beginReading begins a transaction that sees the database as it is at its first read.
func beginReading(ctx context.Context, readers *sql.DB) (*sql.Tx, error) {
	tx, err := readers.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("begin reading: %w", err)
	}
	return tx, nil
}
