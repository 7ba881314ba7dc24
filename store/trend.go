package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
)

// A Dimension is what a trend is grouped by.
type Dimension string

// The dimensions.
const (
	ByCause       Dimension = "cause"
	ByClient      Dimension = "client"
	ByEnvironment Dimension = "environment"
	ByEndpoint    Dimension = "endpoint"
)

// TrendQuery asks for counts of failures in [From, To) in steps of Step (whole minutes). The rollups know whole
// minutes: From is rounded down to one and To up.
type TrendQuery struct {
	From, To     time.Time
	Step         time.Duration
	GroupBy      Dimension
	Providers    []string
	Environments []string
	Causes       []classify.Code
	Clients      []string
}

// A Trend is the answer: one series a value of the dimension, largest first, each as long as Starts.
type Trend struct {
	Starts    []time.Time // start of each step
	Series    []Series    // the 200 largest
	Failures  []int64     // total a step, of all series
	Successes []int64     // accepted exchanges a step, same filters but Causes
}

// A Series is the counts of one value of the dimension.
type Series struct {
	Name   string
	Total  int64
	Counts []int64
}

// Totals are the figures of one window.
type Totals struct {
	Failures  int64
	Successes int64
	Clients   int64 // with at least one failure, known by name
	Incidents int64 // with a failure in the window
}

// maxSteps bounds the answer: a month by 5 minutes is 8,928.
const maxSteps = 10_000

// column is a name of our own, never the caller's text.
func (d Dimension) column() (string, error) {
	switch d {
	case ByCause:
		return `s.cause`, nil
	case ByClient:
		return `s.client_id`, nil
	case ByEnvironment:
		return `s.environment`, nil
	case ByEndpoint:
		return `s.endpoint`, nil
	}
	return "", fmt.Errorf("%w: a trend is grouped by cause, client, environment or endpoint", ErrInvalid)
}

// A trendPlan is a query in the terms of the rollups. Times are in milliseconds.
type trendPlan struct {
	query  TrendQuery
	column string // of the dimension
	from   int64
	step   int64
	steps  int
	parts  []segment
}

func (q TrendQuery) plan() (p trendPlan, err error) {
	p = trendPlan{query: q, step: q.Step.Milliseconds()}
	if p.column, err = q.GroupBy.column(); err != nil {
		return p, err
	}
	if q.Step <= 0 || q.Step%time.Minute != 0 {
		return p, fmt.Errorf("%w: the step %s is no whole number of minutes", ErrInvalid, q.Step)
	}
	from, to := wholeMinutes(q.From, q.To)
	if to <= from {
		return p, fmt.Errorf("%w: the window is empty", ErrInvalid)
	}
	p.from, p.steps = from, int((to-from+p.step-1)/p.step)
	if p.steps > maxSteps {
		return p, fmt.Errorf("%w: more than %d steps", ErrInvalid, maxSteps)
	}
	// A bucket must not reach across the border of two steps.
	p.parts = segments(from, to, func(bucket int64) bool { return p.step%bucket == 0 && from%bucket == 0 })
	return p, nil
}

// where selects from rollup r and series s. Its first two parameters are for slot.
func (p trendPlan) where() where {
	w := where{args: []any{p.from, p.step}}
	w.covered(p.parts)
	in(&w, `s.provider`, keyTexts(p.query.Providers))
	in(&w, `s.environment`, keyTexts(p.query.Environments))
	in(&w, `s.client_id`, keyTexts(p.query.Clients))
	return w
}

// slot is the number of the step that a bucket falls into.
const slot = `(r.bucket - $1) / $2`

// Trend answers from the rollups. Errors: ErrInvalid for a step that is no whole number of minutes, an empty window,
// more than 10,000 steps or an unknown dimension.
func (s *Store) Trend(ctx context.Context, q TrendQuery) (Trend, error) {
	p, err := q.plan()
	if err != nil {
		return Trend{}, err
	}
	trend := Trend{Failures: make([]int64, p.steps), Successes: make([]int64, p.steps)}
	for i := range p.steps {
		trend.Starts = append(trend.Starts, fromMillis(p.from+int64(i)*p.step))
	}
	if err := s.trendTotals(ctx, p, &trend); err != nil {
		return Trend{}, fmt.Errorf("read trend: %w", err)
	}
	if trend.Series, err = s.trendSeries(ctx, p); err != nil {
		return Trend{}, fmt.Errorf("read trend by %s: %w", q.GroupBy, err)
	}
	return trend, nil
}

// trendTotals fills in the counts a step, which the largest series alone might not add up to.
func (s *Store) trendTotals(ctx context.Context, p trendPlan, trend *Trend) error {
	w := p.where()
	if len(p.query.Causes) > 0 {
		in(&w, `s.cause`, append(texts(p.query.Causes), "")) // "" is accepted traffic
	}
	rows, err := s.readers.QueryContext(ctx, `select case when s.cause = '' then 1 else 0 end, `+slot+`, cast(sum(r.count) as bigint)
		from rollup r join series s on s.id = r.series_id where `+w.sql()+` group by 1, 2`, bind(w.args)...)
	if err != nil {
		return err
	}
	type cell struct{ accepted, slot, n int64 }
	cells, err := collect(rows, func(scan func(...any) error) (c cell, err error) { return c, scan(&c.accepted, &c.slot, &c.n) })
	for _, c := range cells {
		if c.accepted == 1 {
			trend.Successes[c.slot] = c.n
		} else {
			trend.Failures[c.slot] = c.n
		}
	}
	return err
}

// trendSeries returns the largest series. They are chosen in the statement: a shipper can make up any number of names.
func (s *Store) trendSeries(ctx context.Context, p trendPlan) ([]Series, error) {
	w := p.where()
	w.and(`s.cause <> ''`)
	in(&w, `s.cause`, texts(p.query.Causes))
	matching := ` from rollup r join series s on s.id = r.series_id where ` + w.sql()
	rows, err := s.readers.QueryContext(ctx, `select `+p.column+`, `+slot+`, cast(sum(r.count) as bigint)`+matching+`
			and `+p.column+` in (select `+p.column+matching+` group by `+p.column+`
				order by sum(r.count) desc, `+p.column+` limit `+w.arg(int64(maxLimit))+`)
		group by 1, 2`, bind(w.args)...)
	if err != nil {
		return nil, err
	}
	type cell struct {
		name    string
		slot, n int64
	}
	cells, err := collect(rows, func(scan func(...any) error) (c cell, err error) { return c, scan(&c.name, &c.slot, &c.n) })
	if err != nil {
		return nil, err
	}
	byName := map[string]*Series{}
	for _, c := range cells {
		if byName[c.name] == nil {
			byName[c.name] = &Series{Name: c.name, Counts: make([]int64, p.steps)}
		}
		byName[c.name].Counts[c.slot] = c.n
		byName[c.name].Total += c.n
	}
	list := make([]Series, 0, len(byName))
	for _, one := range byName {
		list = append(list, *one)
	}
	slices.SortFunc(list, func(a, b Series) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Name, b.Name))
	})
	return list, nil
}

// Totals returns the figures of the window [from, to) for these providers and environments (empty: all). As in Trend
// the window grows to whole minutes.
func (s *Store) Totals(ctx context.Context, from, to time.Time, providers, environments []string) (Totals, error) {
	begin, end := wholeMinutes(from, to)
	if end <= begin {
		return Totals{}, nil
	}
	var w where
	w.covered(segments(begin, end, func(int64) bool { return true }))
	in(&w, `s.provider`, keyTexts(providers))
	in(&w, `s.environment`, keyTexts(environments))
	var t Totals
	err := s.readers.QueryRowContext(ctx, `select
			cast(coalesce(sum(case when cause = '' then 0 else n end), 0) as bigint),
			cast(coalesce(sum(case when cause = '' then n else 0 end), 0) as bigint)
		from (select s.cause as cause, sum(r.count) as n from rollup r join series s on s.id = r.series_id
			where `+w.sql()+` group by s.cause) counted`, bind(w.args)...).Scan(&t.Failures, &t.Successes)
	if err != nil {
		return Totals{}, fmt.Errorf("read totals: %w", err)
	}
	w.and(`s.cause <> ''`)
	w.and(`s.client_id <> ''`)
	err = s.readers.QueryRowContext(ctx, `select count(*) from (select distinct s.provider, s.environment, s.client_id
		from rollup r join series s on s.id = r.series_id where `+w.sql()+`) failing`, bind(w.args)...).Scan(&t.Clients)
	if err != nil {
		return Totals{}, fmt.Errorf("count failing clients: %w", err)
	}
	t.Incidents, err = s.incidentsIn(ctx, begin, end, providers, environments)
	return t, err
}

// incidentsIn counts the incidents with a failure in the window, one look into the index of failures each.
func (s *Store) incidentsIn(ctx context.Context, from, to int64, providers, environments []string) (n int64, err error) {
	var w where
	w.and(`i.last_seen_at >= ?`, from)
	w.and(`i.first_seen_at < ?`, to)
	in(&w, `i.provider`, keyTexts(providers))
	in(&w, `i.environment`, keyTexts(environments))
	w.and(`exists (select 1 from failure f where f.incident_id = i.id and f.occurred_at >= ? and f.occurred_at < ?)`, from, to)
	err = s.readers.QueryRowContext(ctx, `select count(*) from incident i where `+w.sql(), bind(w.args)...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count incidents in window: %w", err)
	}
	return n, nil
}

// wholeMinutes grows a window to the minutes that it touches.
func wholeMinutes(from, to time.Time) (begin, end int64) {
	return floorTo(from.UnixMilli(), minuteStep), floorTo(to.Add(time.Minute-1).UnixMilli(), minuteStep)
}

// A segment is a stretch of time that buckets of one width cover exactly.
type segment struct{ step, from, to int64 }

// segments covers [from, to), which are whole minutes, with as few buckets as possible of the widths that fit.
func segments(from, to int64, fits func(step int64) bool) []segment {
	return cover(from, to, fits, rollupSteps())
}

func cover(from, to int64, fits func(step int64) bool, steps []int64) []segment {
	if from >= to {
		return nil
	}
	if len(steps) == 1 {
		return []segment{{steps[0], from, to}}
	}
	step := steps[len(steps)-1]
	finer := steps[:len(steps)-1]
	begin, end := floorTo(from+step-1, step), floorTo(to, step)
	if !fits(step) || begin >= end {
		return cover(from, to, fits, finer)
	}
	return slices.Concat(cover(from, begin, fits, finer), []segment{{step, begin, end}}, cover(end, to, fits, finer))
}

// covered adds that the bucket belongs to one of the segments.
func (w *where) covered(parts []segment) {
	either := where{args: w.args}
	for _, p := range parts {
		either.and(`(r.step = ? and r.bucket >= ? and r.bucket < ?)`, p.step, p.from, p.to)
	}
	w.args = either.args
	w.conditions = append(w.conditions, `(`+strings.Join(either.conditions, ` or `)+`)`)
}
