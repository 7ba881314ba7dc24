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
	// rememberedFolds is how many folds may pass before a block is forgotten that none of them has changed: traffic is of the
	// present, and what it has left behind would only be kept from other uses of the memory.
	rememberedFolds = 8
)

// errFolded says that another process has folded meanwhile.
var errFolded = errors.New("another fold came first")

// A folder adds tallies to the rollups. It reads and adds up while others write, and takes the writer's turn only for the
// changed rows. What it remembers holds as long as nobody else folds.
type folder struct {
	generation int64              // of the last fold
	counted    map[series][]int64 // the ids of what counts a series, of each of its grains
	ids        map[grainSeries]int64
	blocks     map[block]*blockRows
	rows       int // in blocks
}

type grainSeries struct {
	grain grain
	series
}

// A block is the rows of all series for one stretch of time. They lie together in the database.
type block struct{ span, start int64 }

type blockRows struct {
	counts  map[int64][]byte // by the id of the series, as the database has them
	changed int64            // the generation of the last fold that did
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
		err = s.writeAside(ctx, func(ctx context.Context, tx *Tx) error { return f.save(ctx, tx) })
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
	if work.generation != f.generation || f.counted == nil || f.rows > rememberedRows || len(f.ids) > rememberedSeries {
		*f = folder{generation: work.generation, counted: map[series][]int64{}, ids: map[grainSeries]int64{}, blocks: map[block]*blockRows{}}
	}
	counts, tallies, more, err := readTallies(ctx, tx)
	if err != nil || len(tallies) == 0 {
		return fold{}, false, err
	}
	work.tallies = tallies
	fresh := map[int64]minuteCounts{}
	for s, list := range counts {
		ids, err := f.find(ctx, tx, s, &work)
		if err != nil {
			return fold{}, false, fmt.Errorf("find series: %w", err)
		}
		for _, id := range ids {
			fresh[id] = append(fresh[id], list...)
		}
	}
	for id, list := range fresh {
		if err := f.count(ctx, tx, id, list, &work); err != nil {
			return fold{}, false, fmt.Errorf("read rollup: %w", err)
		}
	}
	slices.SortFunc(work.rows, func(a, b changedRow) int { // neighbours in the table one after the other
		return cmp.Or(cmp.Compare(a.span, b.span), cmp.Compare(a.start, b.start), cmp.Compare(a.id, b.id))
	})
	f.forget()
	return work, more, nil
}

// forget drops the blocks that recent folds have not changed.
func (f *folder) forget() {
	for b, rows := range f.blocks {
		if rows.changed <= f.generation-rememberedFolds {
			f.rows -= len(rows.counts)
			delete(f.blocks, b)
		}
	}
}

// readTallies adds up as many tallies as one fold takes, by minute.
func readTallies(ctx context.Context, tx *sql.Tx) (counts map[series]minuteCounts, ids []int64, more bool, err error) {
	rows, err := tx.QueryContext(ctx, `select id, counts from tally`)
	if err != nil {
		return nil, nil, false, fmt.Errorf("read tallies: %w", err)
	}
	defer func() { _ = rows.Close() }()
	counts = map[series]minuteCounts{}
	size := 0
	for rows.Next() {
		if size >= foldSize {
			return counts, ids, true, nil
		}
		var id int64
		var text sql.RawBytes
		if err := rows.Scan(&id, &text); err != nil {
			return nil, nil, false, fmt.Errorf("read tallies: %w", err)
		}
		ids = append(ids, id)
		err := eachSeries(text, func(s series, list minuteCounts) {
			sum := counts[s]
			size -= len(sum)
			for _, one := range list {
				sum.add(one.minute, one.n)
			}
			size += len(sum)
			counts[s] = sum
		})
		if err != nil {
			return nil, nil, false, fmt.Errorf("read tally %d: %w", id, err)
		}
	}
	return counts, ids, false, rows.Err()
}

// find returns the ids of what counts a series.
func (f *folder) find(ctx context.Context, tx *sql.Tx, s series, work *fold) (ids []int64, err error) {
	if ids := f.counted[s]; ids != nil {
		return ids, nil
	}
	for _, g := range s.grains() {
		k := grainSeries{g, g.of(s)}
		id, known := f.ids[k]
		if !known {
			if id, err = work.findSeries(ctx, tx, k); err != nil {
				return nil, err
			}
			f.ids[k] = id
		}
		ids = append(ids, id)
	}
	f.counted[s] = ids
	return ids, nil
}

// findSeries returns the id of a series, a new one for one that there was not.
func (f *fold) findSeries(ctx context.Context, tx *sql.Tx, k grainSeries) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `select id from series where grain = $1 and client_id = $2 and provider = $3
		and environment = $4 and cause = $5 and endpoint = $6`,
		string(k.grain), k.clientID, k.provider, k.environment, k.cause, k.endpoint).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		id, err = k.grain.newSeriesID(), nil
		f.series = append(f.series, freshSeries{k, id})
	}
	return id, err
}

// count adds changes to the rows that a series has on every level.
func (f *folder) count(ctx context.Context, tx *sql.Tx, id int64, list minuteCounts, work *fold) error {
	slices.SortFunc(list, func(a, b minuteCount) int { return cmp.Compare(a.minute, b.minute) })
	for _, level := range levels() {
		for rest := list; len(rest) > 0; {
			var b block
			var more slots
			b, more, rest = level.row(rest)
			rows, err := f.block(ctx, tx, b)
			if err != nil {
				return err
			}
			before, known := rows.counts[id]
			sum, err := more.addTo(before)
			if err != nil {
				return err
			}
			if !known {
				f.rows++
			}
			rows.counts[id] = sum
			work.rows = append(work.rows, changedRow{block: b, id: id, counts: sum})
		}
	}
	return nil
}

// row takes from changes in the order of time those that belong into the same row as the first.
func (l level) row(list minuteCounts) (b block, s slots, rest minuteCounts) {
	b = block{l.span, floorTo(list[0].minute*minuteStep, l.span)}
	for n, one := range list {
		at := one.minute*minuteStep - b.start
		if at >= l.span {
			return b, s, list[n:]
		}
		number := int(at / l.step)
		if last := len(s) - 1; last >= 0 && s[last].number == number {
			s[last].n += one.n
			continue
		}
		s = append(s, slot{number, one.n})
	}
	return b, s, nil
}

// block returns rows of which one is about to change.
func (f *folder) block(ctx context.Context, tx *sql.Tx, b block) (*blockRows, error) {
	rows := f.blocks[b]
	if rows == nil {
		found, err := readBlock(ctx, tx, b)
		if err != nil {
			return nil, err
		}
		rows = &blockRows{counts: found}
		f.blocks[b] = rows
		f.rows += len(found)
	}
	rows.changed = f.generation
	return rows, nil
}

func readBlock(ctx context.Context, tx *sql.Tx, b block) (map[int64][]byte, error) {
	rows, err := tx.QueryContext(ctx, `select series_id, counts from rollup where span = $1 and start = $2`, b.span, b.start)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	found := map[int64][]byte{}
	for rows.Next() {
		var id int64
		var counts []byte
		if err := rows.Scan(&id, &counts); err != nil {
			return nil, err
		}
		found[id] = counts
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
	rows := t.rowList(ctx, `insert into rollup (span, start, series_id, counts) values `, 4,
		` on conflict (span, start, series_id) do update set counts = excluded.counts`)
	for _, r := range f.rows {
		if len(r.counts) > 0 {
			rows.add(r.span, r.start, r.id, r.counts)
			continue
		}
		if err := t.exec(ctx, `delete from rollup where span = $1 and start = $2 and series_id = $3`, r.span, r.start, r.id); err != nil {
			return fmt.Errorf("remove rollup: %w", err)
		}
	}
	if err := rows.end(); err != nil {
		return fmt.Errorf("write rollup: %w", err)
	}
	return nil
}

// beginReading begins a transaction that sees the database as it is at its first read.
func beginReading(ctx context.Context, readers *sql.DB) (*sql.Tx, error) {
	tx, err := readers.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("begin reading: %w", err)
	}
	return tx, nil
}
