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
	// rememberedRows and rememberedSeries bound what is remembered between folds.
	rememberedRows   = 100_000
	rememberedSeries = 50_000
)

// errFolded says that another process has folded meanwhile.
var errFolded = errors.New("another fold came first")

// A folder adds tallies to the rollups. It reads and adds up while others write, and takes the writer's turn only for the
// changed rows. What it remembers holds as long as nobody else folds.
type folder struct {
	generation int64 // of the last fold
	series     map[grainSeries]int64
	blocks     map[block]map[int64]slots // by series
	rows       int                       // in blocks
}

type grainSeries struct {
	grain grain
	series
}

// A block is the rows of all series for one stretch of time. They lie together in the database.
type block struct{ span, start int64 }

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
	block
	id     int64  // of the series
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
		s.folder = folder{} // what it remembers was never written
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
	if work.generation != f.generation || f.series == nil || f.rows > rememberedRows || len(f.series) > rememberedSeries {
		*f = folder{generation: work.generation, series: map[grainSeries]int64{}, blocks: map[block]map[int64]slots{}}
	}
	counts, tallies, more, err := readTallies(ctx, tx)
	if err != nil || len(tallies) == 0 {
		return fold{}, false, err
	}
	work.tallies = tallies
	changed := map[block]map[int64]bool{}
	for k, n := range counts {
		for _, g := range k.grains() {
			id, err := f.find(ctx, tx, grainSeries{g, g.of(k.series)}, &work)
			if err != nil {
				return fold{}, false, err
			}
			if err := f.count(ctx, tx, id, k.minute*minuteStep, n, changed); err != nil {
				return fold{}, false, err
			}
		}
	}
	for b, ids := range changed {
		for id := range ids {
			work.rows = append(work.rows, changedRow{b, id, f.blocks[b][id].encode()})
		}
	}
	slices.SortFunc(work.rows, func(a, b changedRow) int { // neighbours in the table one after the other
		return cmp.Or(cmp.Compare(a.span, b.span), cmp.Compare(a.start, b.start), cmp.Compare(a.id, b.id))
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

// find returns the id of a series.
func (f *folder) find(ctx context.Context, tx *sql.Tx, k grainSeries, work *fold) (id int64, err error) {
	if id := f.series[k]; id != 0 {
		return id, nil
	}
	err = tx.QueryRowContext(ctx, `select id from series where grain = $1 and client_id = $2 and provider = $3
		and environment = $4 and cause = $5 and endpoint = $6`,
		string(k.grain), k.clientID, k.provider, k.environment, k.cause, k.endpoint).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		id, err = k.grain.newSeriesID(), nil
		work.series = append(work.series, freshSeries{k, id})
	}
	if err != nil {
		return 0, fmt.Errorf("find series: %w", err)
	}
	f.series[k] = id
	return id, nil
}

// count adds n to the row of every level that holds the time.
func (f *folder) count(ctx context.Context, tx *sql.Tx, id, at, n int64, changed map[block]map[int64]bool) error {
	for _, l := range levels() {
		b := block{l.span, floorTo(at, l.span)}
		rows := f.blocks[b]
		if rows == nil {
			var err error
			if rows, err = readBlock(ctx, tx, b); err != nil {
				return fmt.Errorf("read rollup: %w", err)
			}
			f.blocks[b] = rows
			f.rows += len(rows)
		}
		before := len(rows)
		rows[id] = rows[id].add(int((at-b.start)/l.step), n)
		f.rows += len(rows) - before
		if changed[b] == nil {
			changed[b] = map[int64]bool{}
		}
		changed[b][id] = true
	}
	return nil
}

func readBlock(ctx context.Context, tx *sql.Tx, b block) (map[int64]slots, error) {
	rows, err := tx.QueryContext(ctx, `select series_id, counts from rollup where span = $1 and start = $2`, b.span, b.start)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	found := map[int64]slots{}
	for rows.Next() {
		var id int64
		var counts sql.RawBytes
		if err := rows.Scan(&id, &counts); err != nil {
			return nil, err
		}
		var s slots
		if err := eachSlot(counts, func(number int, n int64) { s = append(s, slot{number, n}) }); err != nil {
			return nil, err
		}
		found[id] = s
	}
	return found, rows.Err()
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
		return t.exec(ctx, `delete from rollup where span = $1 and start = $2 and series_id = $3`, r.span, r.start, r.id)
	}
	return t.exec(ctx, `insert into rollup (span, start, series_id, counts) values ($1, $2, $3, $4)
		on conflict (span, start, series_id) do update set counts = excluded.counts`, r.span, r.start, r.id, r.counts)
}

// beginReading begins a transaction that sees the database as it is at its first read.
func beginReading(ctx context.Context, readers *sql.DB) (*sql.Tx, error) {
	tx, err := readers.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("begin reading: %w", err)
	}
	return tx, nil
}
