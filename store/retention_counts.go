package store

import (
	"context"
	"fmt"
	"slices"
)

// successes removes the minutes in which clients were accepted.
func (e *expiry) successes(ctx context.Context) error {
	if e.records == 0 {
		return nil
	}
	return e.eachSlice(ctx, "successes", `select ref from client where ref > $1 order by ref limit $2`, func(ctx context.Context, tx *Tx, refs []int64) error {
		for _, ref := range refs {
			if err := tx.exec(ctx, `delete from success where client_ref = $1 and hour < $2`, ref, floorTo(e.records, hourStep)); err != nil {
				return err
			}
		}
		return nil
	})
}

// rollups removes counts of minutes with the records that they count, the others with the summaries, and series that are
// left without any.
func (e *expiry) rollups(ctx context.Context) error {
	minutes := floorTo(e.records, hourStep)
	// This is set first, so that no reader misses what is removed.
	err := e.store.Write(ctx, func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, `update fold set minutes_from = $1 where id = 1 and minutes_from < $1`, minutes)
	})
	if err != nil {
		return fmt.Errorf("expire minutes: %w", err)
	}
	for n, l := range levels() {
		before := minutes
		if n > 0 {
			before = floorTo(e.summary, l.span)
		}
		err := e.repeat(ctx, "rollups", func(ctx context.Context, tx *Tx) (int64, error) {
			return tx.execCount(ctx, `delete from rollup where (span, start, series_id) in
				(select span, start, series_id from rollup where span = $1 and start < $2 order by start, series_id limit $3)`, l.span, before, int64(expireSize))
		})
		if err != nil {
			return err
		}
	}
	return e.series(ctx)
}

// series removes those that count nothing any more.
func (e *expiry) series(ctx context.Context) error {
	generation, left, err := e.emptySeries(ctx)
	if err != nil {
		return fmt.Errorf("find series without counts: %w", err)
	}
	for ids := range slices.Chunk(left, expireSize) {
		err := e.repeat(ctx, "series", func(ctx context.Context, tx *Tx) (int64, error) {
			// A fold since then may have counted something, and one that is being prepared may count on them: it has to begin anew.
			same, err := tx.changed(ctx, `update fold set generation = generation + 1 where id = 1 and generation = $1`, generation)
			if err != nil || !same {
				return 0, err
			}
			for _, id := range ids {
				if err := tx.exec(ctx, `delete from series where id = $1`, id); err != nil {
					return 0, err
				}
			}
			return 0, nil
		})
		if err != nil {
			return err
		}
		generation++
	}
	return nil
}

// emptySeries finds series without a row of the coarsest level, which counts everything, as of a generation of folds.
func (e *expiry) emptySeries(ctx context.Context) (generation int64, ids []int64, err error) {
	tx, err := beginReading(ctx, e.store.readers)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	if err := tx.QueryRowContext(ctx, `select generation from fold where id = 1`).Scan(&generation); err != nil {
		return 0, nil, err
	}
	coarsest := levels()[len(levels())-1]
	rows, err := tx.QueryContext(ctx, `select id from series where id not in (select series_id from rollup where span = $1)`, coarsest.span)
	if err != nil {
		return 0, nil, err
	}
	ids, err = collect(rows, func(scan func(...any) error) (id int64, err error) { return id, scan(&id) })
	return generation, ids, err
}
