package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// A window is [from, to) cut into steps, of which the last may reach beyond it. All are whole minutes in milliseconds.
type window struct{ from, to, step int64 }

func (w window) steps() int { return int((w.to - w.from + w.step - 1) / w.step) }

// wholeMinutes grows a window to the minutes that it touches.
func wholeMinutes(from, to time.Time) (begin, end int64) {
	return floorTo(from.UnixMilli(), minuteStep), floorTo(to.Add(time.Minute-1).UnixMilli(), minuteStep)
}

// A segment is a stretch of time that the counts of one level cover exactly.
type segment struct {
	level
	from, to int64
}

// segments covers the window with as few counts as possible, none of which reaches across the border of two steps.
// Before minutesFrom only hours are known: there the window grows to whole hours, and an hour counts in the step in which
// it begins.
func (w window) segments(minutesFrom int64) []segment {
	var fitting []level
	for _, l := range levels() {
		if w.step%l.step == 0 && floorTo(w.from, l.step) == w.from || w.steps() == 1 {
			fitting = append(fitting, l)
		}
	}
	var parts []segment
	for _, p := range cover(w.from, w.to, fitting) {
		if p.step == minuteStep && p.from < minutesFrom {
			end := min(floorTo(p.to+hourStep-1, hourStep), minutesFrom)
			parts = append(parts, segment{levels()[1], floorTo(p.from, hourStep), end})
			p.from = end
		}
		if p.from < p.to {
			parts = append(parts, p)
		}
	}
	return parts
}

func cover(from, to int64, levels []level) []segment {
	if from >= to {
		return nil
	}
	l, finer := levels[len(levels)-1], levels[:len(levels)-1]
	if len(finer) == 0 {
		return []segment{{l, from, to}}
	}
	begin, end := floorTo(from+l.step-1, l.step), floorTo(to, l.step)
	if begin >= end {
		return cover(from, to, finer)
	}
	return slices.Concat(cover(from, begin, finer), []segment{{l, begin, end}}, cover(end, to, finer))
}

// A seriesFilter selects series. Empty selects all.
type seriesFilter struct {
	providers, environments, clients, causes []string
	failed                                   bool // no accepted traffic, which no cause excludes
	only                                     Dimension
	names                                    map[string]bool // of the dimension only, unless nil
}

// addTo selects from series s.
func (f seriesFilter) addTo(w *where, g grain) {
	w.and(`s.grain = ?`, string(g))
	in(w, `s.client_id`, f.clients)
	in(w, `s.provider`, f.providers)
	in(w, `s.environment`, f.environments)
	if len(f.causes) > 0 {
		in(w, `s.cause`, append([]string{""}, f.causes...)) // "" is accepted traffic
	}
	if f.failed {
		w.and(`s.cause <> ''`)
	}
}

// matches does the same for what only tallies hold yet, and looks at names.
func (f seriesFilter) matches(s series) bool {
	one := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
	return one(f.clients, s.clientID) && one(f.providers, s.provider) && one(f.environments, s.environment) &&
		(s.cause == "" && !f.failed || s.cause != "" && one(f.causes, s.cause)) &&
		(f.names == nil || f.names[f.only.name(s)])
}

// A countReader reads the counts of one grain.
type countReader struct {
	tx     *sql.Tx
	grain  grain
	filter seriesFilter
	window
}

// readCounts adds up the counts of each step of the window by key.
func readCounts[K comparable](ctx context.Context, r countReader, key func(series) K) (map[K][]int64, error) {
	sums := map[K][]int64{}
	into := func(s series) []int64 {
		k := key(s)
		if sums[k] == nil {
			sums[k] = make([]int64, r.steps())
		}
		return sums[k]
	}
	found, err := r.series(ctx)
	if err != nil {
		return nil, fmt.Errorf("find series: %w", err)
	}
	byID := make(map[int64][]int64, len(found))
	for id, s := range found {
		byID[id] = into(s)
	}
	var minutesFrom int64
	if err := r.tx.QueryRowContext(ctx, `select minutes_from from fold where id = 1`).Scan(&minutesFrom); err != nil {
		return nil, fmt.Errorf("read precision: %w", err)
	}
	for _, part := range r.segments(minutesFrom) {
		if err := r.rollup(ctx, part, byID); err != nil {
			return nil, fmt.Errorf("read rollup: %w", err)
		}
	}
	return sums, r.tallies(ctx, into)
}

// series finds what the filter selects.
func (r countReader) series(ctx context.Context) (map[int64]series, error) {
	var w where
	r.filter.addTo(&w, r.grain)
	rows, err := r.tx.QueryContext(ctx, `select s.id, s.provider, s.environment, s.client_id, s.cause, s.endpoint
		from series s where `+w.sql(), bind(w.args)...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	found := map[int64]series{}
	for rows.Next() {
		var id int64
		var s series
		if err := rows.Scan(&id, &s.provider, &s.environment, &s.clientID, &s.cause, &s.endpoint); err != nil {
			return nil, err
		}
		if r.filter.matches(s) {
			found[id] = s
		}
	}
	return found, rows.Err()
}

// rollupQuery selects the rows of a segment. The cross joins keep SQLite to their order; PostgreSQL sees no difference.
// Of some clients each series is looked up in each block; otherwise all series of the grain are read, which lie together.
func (r countReader) rollupQuery(part segment) (query string, args []any) {
	first := floorTo(part.from, part.span)
	blocks := (part.to - first + part.span - 1) / part.span
	w := where{args: []any{part.span, first}}
	w.and(`n.i < ?`, blocks)
	if len(r.filter.clients) > 0 {
		r.filter.addTo(&w, r.grain)
		return `select r.series_id, r.start, r.counts from series s cross join number n cross join rollup r
			where r.span = $1 and r.start = $2 + n.i * $1 and r.series_id = s.id and ` + w.sql(), w.args
	}
	from, to := r.grain.ids()
	w.and(`r.series_id >= ?`, from)
	w.and(`r.series_id <= ?`, to)
	return `select r.series_id, r.start, r.counts from number n cross join rollup r
		where r.span = $1 and r.start = $2 + n.i * $1 and ` + w.sql(), w.args
}

// rollup adds the counts of a segment to those of the series that are asked for.
func (r countReader) rollup(ctx context.Context, part segment, byID map[int64][]int64) error {
	query, args := r.rollupQuery(part)
	rows, err := r.tx.QueryContext(ctx, query, bind(args)...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, start int64
		var counts sql.RawBytes
		if err := rows.Scan(&id, &start, &counts); err != nil {
			return err
		}
		into := byID[id]
		if into == nil {
			continue
		}
		err := eachSlot(counts, func(number int, n int64) {
			if at := start + int64(number)*part.step; at >= part.from && at < part.to {
				into[(max(at, r.from)-r.from)/r.step] += n
			}
		})
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

// tallies adds what no fold has added yet.
func (r countReader) tallies(ctx context.Context, into func(series) []int64) error {
	rows, err := r.tx.QueryContext(ctx, `select id, counts from tally`)
	if err != nil {
		return fmt.Errorf("read tallies: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var text sql.RawBytes
		if err := rows.Scan(&id, &text); err != nil {
			return fmt.Errorf("read tallies: %w", err)
		}
		err := eachSeries(text, func(s series, list minuteCounts) {
			if s = r.grain.of(s); !r.filter.matches(s) {
				return
			}
			var counts []int64
			for _, one := range list {
				at := one.minute * minuteStep
				if at < r.from || at >= r.to {
					continue
				}
				if counts == nil {
					counts = into(s)
				}
				counts[(at-r.from)/r.step] += one.n
			}
		})
		if err != nil {
			return fmt.Errorf("read tally %d: %w", id, err)
		}
	}
	return rows.Err()
}

// exceeds says whether the rollups know more than so many names of a dimension.
func (r countReader) exceeds(ctx context.Context, d Dimension, names int) (bool, error) {
	found, err := r.series(ctx)
	if err != nil {
		return false, fmt.Errorf("find series: %w", err)
	}
	distinct := map[string]bool{}
	for _, s := range found {
		distinct[d.name(s)] = true
	}
	return len(distinct) > names, nil
}
