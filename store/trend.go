package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
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

// name is what a series is called under the dimension.
func (d Dimension) name(s series) string {
	switch d {
	case ByClient:
		return s.clientID
	case ByEnvironment:
		return s.environment
	case ByEndpoint:
		return s.endpoint
	}
	return string(s.cause)
}

// A trendPlan is a query in the terms of the rollups.
type trendPlan struct {
	query   TrendQuery
	filter  seriesFilter
	totals  grain // that the filters need
	grouped grain // that the dimension needs too
	window
}

func (q TrendQuery) plan() (p trendPlan, err error) {
	switch q.GroupBy {
	case ByCause, ByClient, ByEnvironment, ByEndpoint:
	default:
		return p, fmt.Errorf("%w: a trend is grouped by cause, client, environment or endpoint", ErrInvalid)
	}
	if q.Step <= 0 || q.Step%time.Minute != 0 {
		return p, fmt.Errorf("%w: the step %s is no whole number of minutes", ErrInvalid, q.Step)
	}
	w := window{step: q.Step.Milliseconds()}
	w.from, w.to = wholeMinutes(q.From, q.To)
	if w.to <= w.from {
		return p, fmt.Errorf("%w: the window is empty", ErrInvalid)
	}
	if w.steps() > maxSteps {
		return p, fmt.Errorf("%w: more than %d steps", ErrInvalid, maxSteps)
	}
	place, client := len(q.Providers)+len(q.Environments) > 0, len(q.Clients) > 0
	return trendPlan{
		query: q, window: w,
		filter:  seriesFilter{providers: keyTexts(q.Providers), environments: keyTexts(q.Environments), clients: keyTexts(q.Clients), causes: texts(q.Causes)},
		totals:  grainOf(place, client, false),
		grouped: grainOf(place || q.GroupBy == ByEnvironment, client || q.GroupBy == ByClient, q.GroupBy == ByEndpoint),
	}, nil
}

// Trend answers from the rollups. Errors: ErrInvalid for a step that is no whole number of minutes, an empty window,
// more than 10,000 steps or an unknown dimension.
func (s *Store) Trend(ctx context.Context, q TrendQuery) (Trend, error) {
	p, err := q.plan()
	if err != nil {
		return Trend{}, err
	}
	tx, err := beginReading(ctx, s.readers)
	if err != nil {
		return Trend{}, fmt.Errorf("read trend: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	read := countReader{tx: tx, grain: p.totals, filter: p.filter, window: p.window}
	trend := Trend{Failures: make([]int64, p.steps()), Successes: make([]int64, p.steps())}
	for i := range p.steps() {
		trend.Starts = append(trend.Starts, fromMillis(p.from+int64(i)*p.step))
	}
	// Where the totals' grain tells the names apart already, one reading is enough.
	named := p.totals == p.grouped
	totals, err := readCounts(ctx, read, func(s series) outcome {
		o := outcome{accepted: s.cause == ""}
		if named && !o.accepted {
			o.name = q.GroupBy.name(s)
		}
		return o
	})
	if err != nil {
		return Trend{}, fmt.Errorf("read trend: %w", err)
	}
	names := map[string][]int64{}
	for o, counts := range totals {
		into := trend.Failures
		if o.accepted {
			into = trend.Successes
		} else {
			names[o.name] = counts
		}
		for i, n := range counts {
			into[i] += n
		}
	}
	if !named {
		if names, err = p.names(ctx, tx); err != nil {
			return Trend{}, fmt.Errorf("read trend by %s: %w", q.GroupBy, err)
		}
	}
	trend.Series = largest(names)
	return trend, nil
}

// An outcome is what the totals of a trend tell apart.
type outcome struct {
	accepted bool
	name     string
}

// names reads the counts of each name, of the largest ones if there are many: a shipper can make up any number of them.
func (p trendPlan) names(ctx context.Context, tx *sql.Tx) (map[string][]int64, error) {
	read := countReader{tx: tx, grain: p.grouped, filter: p.filter, window: p.window}
	read.filter.failed = true
	many, err := read.exceeds(ctx, p.query.GroupBy, maxLimit)
	if err != nil {
		return nil, err
	}
	if many {
		sums := read
		sums.step = p.to - p.from
		totals, err := readCounts(ctx, sums, p.query.GroupBy.name)
		if err != nil {
			return nil, err
		}
		read.filter.only, read.filter.names = p.query.GroupBy, map[string]bool{}
		for _, one := range largest(totals) {
			read.filter.names[one.Name] = true
		}
	}
	return readCounts(ctx, read, p.query.GroupBy.name)
}

// largest returns the 200 largest series.
func largest(names map[string][]int64) []Series {
	list := make([]Series, 0, len(names))
	for name, counts := range names {
		one := Series{Name: name, Counts: counts}
		for _, n := range counts {
			one.Total += n
		}
		if one.Total != 0 {
			list = append(list, one)
		}
	}
	slices.SortFunc(list, func(a, b Series) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Name, b.Name))
	})
	return list[:min(len(list), maxLimit)]
}

// Totals returns the figures of the window [from, to) for these providers and environments (empty: all). As in Trend
// the window grows to whole minutes.
func (s *Store) Totals(ctx context.Context, from, to time.Time, providers, environments []string) (Totals, error) {
	begin, end := wholeMinutes(from, to)
	if end <= begin {
		return Totals{}, nil
	}
	tx, err := beginReading(ctx, s.readers)
	if err != nil {
		return Totals{}, fmt.Errorf("read totals: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	read := countReader{
		tx: tx, grain: grainOf(len(providers)+len(environments) > 0, false, false), window: window{begin, end, end - begin},
		filter: seriesFilter{providers: keyTexts(providers), environments: keyTexts(environments)},
	}
	counts, err := readCounts(ctx, read, func(s series) bool { return s.cause == "" })
	if err != nil {
		return Totals{}, fmt.Errorf("read totals: %w", err)
	}
	var t Totals
	if failed := counts[false]; failed != nil {
		t.Failures = failed[0]
	}
	if accepted := counts[true]; accepted != nil {
		t.Successes = accepted[0]
	}
	if t.Clients, err = read.failingClients(ctx); err != nil {
		return Totals{}, fmt.Errorf("count failing clients: %w", err)
	}
	t.Incidents, err = incidentsIn(ctx, tx, begin, end, providers, environments)
	return t, err
}

// failingClients counts the clients that failed in the window. Nearly always the first and the last failure of each tell;
// only where some lie around the window their counts in it are read.
func (r countReader) failingClients(ctx context.Context) (n int64, err error) {
	w := where{args: []any{r.from, r.to}}
	in(&w, `provider`, r.filter.providers)
	in(&w, `environment`, r.filter.environments)
	var doubtful int64
	err = r.tx.QueryRowContext(ctx, `select count(case when first_failure_at >= $1 or last_failure_at < $2 then 1 end),
			count(case when first_failure_at < $1 and last_failure_at >= $2 then 1 end)
		from client where last_failure_at >= $1 and first_failure_at < $2 and first_failure_at <> 0 and client_id <> '' and `+w.sql(), bind(w.args)...).Scan(&n, &doubtful)
	if err != nil || doubtful == 0 {
		return n, err
	}
	r.grain, r.filter.failed = byClient, true
	counts, err := readCounts(ctx, r, func(s series) clientKey { return clientKey{s.provider, s.environment, s.clientID} })
	if err != nil {
		return 0, err
	}
	n = 0
	for k, steps := range counts {
		if k.clientID != "" && steps[0] != 0 {
			n++
		}
	}
	return n, nil
}

// incidentsIn counts the incidents with a failure in the window. Most show it by their first or last failure; of the
// rest each costs one look into the lists of their failures.
func incidentsIn(ctx context.Context, tx *sql.Tx, from, to int64, providers, environments []string) (n int64, err error) {
	var w where
	w.and(`i.last_seen_at >= ?`, from)
	w.and(`i.first_seen_at < ?`, to)
	in(&w, `i.provider`, keyTexts(providers))
	in(&w, `i.environment`, keyTexts(environments))
	w.and(`(i.first_seen_at >= ? or i.last_seen_at < ?
		or exists (select 1 from incident_failure f where f.incident_id = i.id and f.id >= ? and f.id < ?))`, from, to, int64(idAt(from)), int64(idAt(to)))
	err = tx.QueryRowContext(ctx, `select count(*) from incident i where `+w.sql(), bind(w.args)...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count incidents in window: %w", err)
	}
	return n, nil
}
