package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// An effort bounds what one page may cost.
type effort struct {
	incidents int // up to which number they are looked into one by one for the newest of their failures
	rows      int // that are looked at where no index knows which of them match
	leastRows int // of one incident, however many share rows
}

func usualEffort() effort { return effort{incidents: 200, rows: 20_000, leastRows: 100} }

// A search looks for one page of failures, newest first. Failures with a certain cause, client or place are those of
// incidents, so either the incidents' own lists are merged or, of too many incidents, the list of all is looked through.
// What no list knows, status and endpoint, is looked up row by row, so many rows a page: it may end early and yet have a next one.
type search struct {
	effort
	store        *Store
	filter       FailureFilter
	endpoints    [][]int64 // digests of those that each term speaks of
	from, before rowID
	limit        int
}

// A find is the newest ids of a list that match. Above reached nothing was overlooked; 0 is the end of the list.
type find struct {
	ids     []rowID
	reached rowID
}

// ListFailures returns a page and the cursor of the next one, "" on the last. A page may hold fewer failures than asked
// for, none even, and yet have a next one: where few of many failures match. Errors: ErrInvalidCursor.
func (s *Store) ListFailures(ctx context.Context, f FailureFilter) (list []Failure, next string, err error) {
	return s.search(ctx, f, usualEffort())
}

func (s *Store) search(ctx context.Context, f FailureFilter, e effort) (list []Failure, next string, err error) {
	q := search{effort: e, store: s, filter: f, before: 1<<63 - 1, limit: f.rows()}
	c, ok, err := readCursor(f.Cursor, "failures", 0)
	if err != nil {
		return nil, "", err
	}
	if ok {
		q.before = rowID(c.Key)
	}
	if !f.To.IsZero() {
		q.before = min(q.before, idAt(ceilMillis(f.To)))
	}
	if !f.From.IsZero() {
		q.from = idAt(ceilMillis(f.From))
	}
	found, err := q.run(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("list failures: %w", err)
	}
	ids, more := cut(found.ids, q.limit)
	if more {
		found.reached = ids[len(ids)-1]
	}
	if found.reached > 0 {
		next = cursor{List: "failures", Key: int64(found.reached)}.String()
	}
	if list, err = s.failuresByID(ctx, ids); err != nil {
		return nil, "", fmt.Errorf("list failures: %w", err)
	}
	return list, next, nil
}

// ceilMillis is the first whole millisecond that is not before at.
func ceilMillis(at time.Time) int64 {
	ms := at.UnixMilli()
	if time.UnixMilli(ms).Before(at) {
		ms++
	}
	return ms
}

func (q search) run(ctx context.Context) (find, error) {
	if err := q.nameEndpoints(ctx); err != nil {
		return find{}, err
	}
	incidents := q.filter.ofIncidents()
	switch {
	case len(q.filter.RequestIDs) > 0:
		return q.named(ctx)
	case len(incidents.conditions) == 0:
		return q.scan(ctx, list{}, q.rows)
	}
	candidates, err := q.candidates(ctx, incidents)
	if err != nil {
		return find{}, err
	}
	if len(candidates) <= q.incidents {
		return q.merge(ctx, candidates)
	}
	return q.scan(ctx, list{}, q.rows)
}

// ofIncidents are the conditions on the incident of a failure.
func (f FailureFilter) ofIncidents() where {
	var w where
	f.addIncidents(&w)
	return w
}

func (f FailureFilter) addIncidents(w *where) {
	if f.IncidentID != "" {
		w.and(`id = ?`, incidentKey(f.IncidentID))
	}
	in(w, `cause`, texts(f.Causes))
	in(w, `provider`, keyTexts(f.Providers))
	in(w, `environment`, keyTexts(f.Environments))
	in(w, `client_id`, keyTexts(f.Clients))
	if len(f.Endpoints) > 0 {
		of := where{args: w.args}
		in(&of, `endpoint`, keyTexts(f.Endpoints))
		w.args = of.args
		w.and(`id in (select incident_id from incident_endpoint where ` + of.sql() + `)`)
	}
	// That an incident has an endpoint says nothing against its failures at others.
	w.incidentTerms(slices.DeleteFunc(slices.Clone(f.Terms), func(t Term) bool { return t.Not && t.Field == FieldEndpoint }))
}

// addRows adds the conditions on a failure itself.
func (q search) addRows(w *where) {
	in(w, `endpoint`, nameDigests(q.filter.Endpoints))
	in(w, `status`, numbers(q.filter.Statuses))
	w.failureTerms(q.filter.Terms)
	for i, digests := range q.endpoints {
		if t := q.filter.Terms[i]; t.Field == FieldEndpoint {
			one := where{args: w.args}
			in(&one, `endpoint`, append(digests, 0)) // 0 is nobody's, and keeps the list from being empty
			w.args = one.args
			if t.Not {
				one.conditions[0] = `not ` + one.conditions[0]
			}
			w.and(one.sql())
		}
	}
}

// nameEndpoints finds the endpoints that the terms speak of: a failure's row holds only a digest of its own.
func (q *search) nameEndpoints(ctx context.Context) error {
	q.endpoints = make([][]int64, len(q.filter.Terms))
	for i, t := range q.filter.Terms {
		if t.Field != FieldEndpoint {
			continue
		}
		t.Not = false
		var w where
		w.anyOf(t, func(v string) string { return w.like(`endpoint`, v) })
		rows, err := q.store.readers.QueryContext(ctx, `select distinct endpoint from incident_endpoint where `+w.sql()+
			` limit `+w.arg(int64(namedLimit)), bind(w.args)...)
		if err != nil {
			return fmt.Errorf("find endpoints: %w", err)
		}
		names, err := collect(rows, func(scan func(...any) error) (name string, err error) { return name, scan(&name) })
		if err != nil {
			return fmt.Errorf("find endpoints: %w", err)
		}
		q.endpoints[i] = nameDigests(names)
	}
	return nil
}

// A candidate is an incident that may have failures for the page.
type candidate struct{ id, last int64 }

// candidates returns the incidents that match and were seen in the window, the latest seen first; one more than are
// looked into one by one if there are as many.
func (q search) candidates(ctx context.Context, w where) ([]candidate, error) {
	w.and(`last_seen_at >= ?`, q.from.millis())
	w.and(`first_seen_at <= ?`, q.before.millis())
	query := `select id, last_seen_at from incident where ` + w.sql() + ` order by last_seen_at desc, id desc limit ` + w.arg(int64(q.incidents+1))
	rows, err := q.store.readers.QueryContext(ctx, query, bind(w.args)...)
	if err != nil {
		return nil, fmt.Errorf("find incidents: %w", err)
	}
	list, err := collect(rows, func(scan func(...any) error) (c candidate, err error) { return c, scan(&c.id, &c.last) })
	if err != nil {
		return nil, fmt.Errorf("find incidents: %w", err)
	}
	return list, nil
}

// merge takes the newest failures of each incident, until the page is full of newer ones than the next incident has.
func (q search) merge(ctx context.Context, candidates []candidate) (all find, err error) {
	for _, c := range candidates {
		if len(all.ids) > q.limit && all.ids[q.limit].millis() > c.last {
			break
		}
		one, err := q.scan(ctx, list{incident: c.id}, max(q.rows/len(candidates), q.leastRows))
		if err != nil {
			return find{}, err
		}
		all.reached = max(all.reached, one.reached)
		all.ids = newestFirst(append(all.ids, one.ids...), q.limit+1)
	}
	// What lies below the point that a list was looked at may not be next in line.
	if end := slices.IndexFunc(all.ids, func(id rowID) bool { return id < all.reached }); end >= 0 {
		all.ids = all.ids[:end]
	}
	return all, nil
}

// A list is what is read in the order of ids: the failures of one incident, named ones, or all.
type list struct {
	incident int64
	named    []rowID
}

func (q search) where(l list) (w where) {
	id := l.table() + `.id`
	if l.incident != 0 {
		w.and(`incident_failure.incident_id = ?`, l.incident)
	}
	in(&w, id, numbers(l.named))
	w.and(id+` < ?`, int64(q.before))
	w.and(id+` >= ?`, int64(q.from))
	return w
}

// table is where the ids of the list are.
func (l list) table() string {
	if l.incident != 0 {
		return `incident_failure`
	}
	return `failure`
}

// scan reads a list from its newest end. At most so many rows are looked at.
func (q search) scan(ctx context.Context, l list, rows int) (find, error) {
	query, args, exact := q.scanQuery(l, rows)
	ids, err := q.ids(ctx, query, args)
	if err != nil || exact || len(ids) > q.limit {
		return find{ids: ids}, err
	}
	w := q.where(l)
	last, err := q.ids(ctx, `select id from `+l.table()+` where `+w.sql()+` order by id desc limit 1 offset `+w.arg(int64(rows-1)), w.args)
	if err != nil || len(last) == 0 {
		return find{ids: ids}, err
	}
	return find{ids, last[0]}, nil
}

// scanQuery selects the ids of a page. It is exact when the list holds nothing else, so that no row is looked at in vain.
func (q search) scanQuery(l list, rows int) (query string, args []any, exact bool) {
	w := q.where(l)
	of := where{args: append(slices.Clone(w.args), int64(rows))}
	q.addRows(&of)
	if l.incident == 0 {
		incidents := where{args: of.args}
		q.filter.addIncidents(&incidents)
		of.args = incidents.args
		if len(incidents.conditions) > 0 {
			of.and(`incident_id in (select id from incident where ` + incidents.sql() + `)`)
		}
	}
	if len(of.conditions) == 0 {
		return `select id from ` + l.table() + ` where ` + w.sql() + ` order by id desc limit ` + w.arg(int64(q.limit+1)), w.args, true
	}
	from := `failure where `
	if l.incident != 0 {
		from = `incident_failure cross join failure where failure.id = incident_failure.id and `
	}
	looked := `select ` + l.table() + `.id, failure.incident_id, endpoint, status from ` + from + w.sql() + ` order by ` + l.table() + `.id desc limit ` + w.arg(int64(rows))
	return `select id from (` + looked + `) looked where ` + of.sql() + ` order by id desc limit ` + of.arg(int64(q.limit+1)), of.args, false
}

// named reads failures by the ids of their requests, which are few.
func (q search) named(ctx context.Context) (find, error) {
	named, err := q.store.failuresNamed(ctx, q.filter, q.before)
	if err != nil {
		return find{}, err
	}
	if len(named) == 0 {
		return find{}, nil
	}
	return q.scan(ctx, list{named: named}, len(named)+1)
}

func (q search) ids(ctx context.Context, query string, args []any) ([]rowID, error) {
	rows, err := q.store.readers.QueryContext(ctx, query, bind(args)...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (id rowID, err error) { return id, scan((*int64)(&id)) })
}

// failuresByID reads rows in the order of their ids.
func (s *Store) failuresByID(ctx context.Context, ids []rowID) ([]Failure, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var w where
	in(&w, `id`, numbers(ids))
	return s.failures(ctx, `select `+failureColumns+` from failure where `+w.sql()+` order by id desc`, w.args...)
}
