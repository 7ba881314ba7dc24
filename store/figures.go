package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"authwatch/classify"
)

// Figures are what failures and accepted exchanges add to incidents, clients and rollups.
type figures struct {
	counts  rollupCounts
	grown   map[rowID]*growth
	clients map[clientKey]*clientFigures
}

func newFigures() figures {
	return figures{grown: map[rowID]*growth{}, clients: map[clientKey]*clientFigures{}}
}

func (f figures) empty() bool { return len(f.counts) == 0 && len(f.grown) == 0 && len(f.clients) == 0 }

// A growth is what failures add to an incident. That of a new incident has no count: its row was inserted with it.
type growth struct {
	client      clientKey
	resolvedAt  int64 // of the incident when the failures joined it
	count       int64
	first, last int64
	newest      spokesman
	endpoints   []EndpointCount // in order
	failures    []rowID         // that are new in its list
}

// A spokesman is what an incident has from its newest failure.
type spokesman struct {
	confidence classify.Confidence
	fault      classify.Fault
	summary    string
}

// clientFigures are what exchanges add to a client. Times are event times in milliseconds, 0 where there is none.
type clientFigures struct {
	failures, successes       int64
	firstFailure, lastFailure int64
	accepted                  []int64 // of those of one minute and endpoint only the first and the last time
}

func (f figures) client(k clientKey) *clientFigures {
	c := f.clients[k]
	if c == nil {
		c = &clientFigures{}
		f.clients[k] = c
	}
	return c
}

func (f figures) growth(id rowID, k clientKey, resolvedAt int64) *growth {
	g := f.grown[id]
	if g == nil {
		g = &growth{client: k, resolvedAt: resolvedAt}
		f.grown[id] = g
	}
	return g
}

// note counts a failure that was joined. Its endpoint is that of the one before, or a later one in order.
func (g *growth) note(f *Failure) {
	at := toMillis(f.Verdict.Time)
	if at >= g.last {
		g.newest = spokesman{f.Verdict.Confidence, f.Verdict.Fault, f.Verdict.Summary}
	}
	g.count, g.first, g.last = g.count+1, earliest(g.first, at), latest(g.last, at)
	if n := len(g.endpoints) - 1; n >= 0 && g.endpoints[n].Endpoint == f.Endpoint {
		g.endpoints[n].Count++
	} else {
		g.endpoints = append(g.endpoints, EndpointCount{f.Endpoint, 1})
	}
}

func (g *growth) add(other *growth) {
	g.count += other.count
	if other.last >= g.last {
		g.newest = other.newest
	}
	g.first, g.last = earliest(g.first, other.first), latest(g.last, other.last)
	g.endpoints = mergeEndpoints(g.endpoints, other.endpoints)
	g.failures = append(g.failures, other.failures...)
}

// mergeEndpoints adds up two lists that are in order.
func mergeEndpoints(a, b []EndpointCount) []EndpointCount {
	sum := make([]EndpointCount, 0, max(len(a), len(b)))
	for len(a) > 0 && len(b) > 0 {
		switch c := strings.Compare(a[0].Endpoint, b[0].Endpoint); {
		case c < 0:
			sum, a = append(sum, a[0]), a[1:]
		case c > 0:
			sum, b = append(sum, b[0]), b[1:]
		default:
			sum = append(sum, EndpointCount{a[0].Endpoint, a[0].Count + b[0].Count})
			a, b = a[1:], b[1:]
		}
	}
	return append(append(sum, a...), b...)
}

func (c *clientFigures) add(other *clientFigures) {
	c.failures += other.failures
	c.successes += other.successes
	c.firstFailure, c.lastFailure = earliest(c.firstFailure, other.firstFailure), latest(c.lastFailure, other.lastFailure)
	c.accepted = append(c.accepted, other.accepted...)
}

// add adds what another write added.
func (f *figures) add(other figures) {
	for n := range other.counts {
		one := other.counts[n]
		f.counts = append(f.counts, seriesCounts{one.series, slices.Clone(one.minutes)})
	}
	for id, g := range other.grown {
		f.growth(id, g.client, g.resolvedAt).add(g)
	}
	for k, c := range other.clients {
		f.client(k).add(c)
	}
}

// grow adds a growth that is of no use to anybody else afterwards.
func (f figures) grow(id rowID, g *growth) {
	if mine := f.grown[id]; mine != nil {
		mine.add(g)
	} else {
		f.grown[id] = g
	}
}

// take is add for what is of no use to anybody else afterwards.
func (f *figures) take(other figures) {
	if f.empty() {
		*f = other
		return
	}
	f.counts = append(f.counts, other.counts...)
	for id, g := range other.grown {
		f.grow(id, g)
	}
	for k, c := range other.clients {
		if mine := f.clients[k]; mine != nil {
			mine.add(c)
		} else {
			f.clients[k] = c
		}
	}
}

// writeFigures adds figures to the rows.
func (t *Tx) writeFigures(ctx context.Context, f figures) error {
	if f.empty() {
		return nil
	}
	if err := t.writeGrowths(ctx, f.grown); err != nil {
		return err
	}
	keys := make([]clientKey, 0, len(f.clients))
	for k, c := range f.clients {
		keys = append(keys, k)
		slices.Sort(c.accepted)
		c.accepted = slices.Compact(c.accepted)
	}
	slices.SortFunc(keys, clientKey.compare)
	rows, err := t.countClients(ctx, keys, f.clients)
	if err != nil {
		return err
	}
	// The successes of this transaction are known to the millisecond, those in the table only by the minute: so they are
	// looked at each for itself, before they meet.
	for _, k := range keys {
		if err := t.moveBrackets(ctx, k, f, rows[k]); err != nil {
			return fmt.Errorf("find successes around incidents: %w", err)
		}
	}
	if err := t.writeSuccesses(ctx, keys, f.clients, rows); err != nil {
		return err
	}
	return t.addCounts(ctx, f.counts)
}

// writeGrowths adds to incidents.
func (t *Tx) writeGrowths(ctx context.Context, grown map[rowID]*growth) error {
	ids := make([]rowID, 0, len(grown))
	for id := range grown {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b rowID) int { // clients in one order, for the locks of replicas
		return cmp.Or(grown[a].client.compare(grown[b].client), cmp.Compare(a, b))
	})
	if err := t.growIncidents(ctx, ids, grown); err != nil {
		return fmt.Errorf("count failures in incidents: %w", err)
	}
	endpoints := t.rowList(ctx, `insert into incident_endpoint (incident_id, endpoint, count) values `, 3,
		` on conflict (incident_id, endpoint) do update set count = incident_endpoint.count + excluded.count`)
	for _, id := range ids {
		for _, e := range grown[id].endpoints {
			endpoints.add(int64(id), e.Endpoint, e.Count)
		}
	}
	if err := endpoints.end(); err != nil {
		return fmt.Errorf("count endpoints of incidents: %w", err)
	}
	return t.listFailures(ctx, grown)
}

// listFailures adds failures to the lists of incidents, in their order.
func (t *Tx) listFailures(ctx context.Context, grown map[rowID]*growth) error {
	rows := t.rowList(ctx, `insert into incident_failure (incident_id, id) values `, 2, ` on conflict do nothing`)
	for _, id := range slices.Sorted(maps.Keys(grown)) {
		slices.Sort(grown[id].failures)
		for _, failure := range grown[id].failures {
			rows.add(int64(id), int64(failure))
		}
	}
	if err := rows.end(); err != nil {
		return fmt.Errorf("list failures of incidents: %w", err)
	}
	return nil
}

// growIncidents adds failures to incidents.
func (t *Tx) growIncidents(ctx context.Context, ids []rowID, grown map[rowID]*growth) error {
	var args []any
	now := t.now()
	for _, id := range ids {
		if g := grown[id]; g.count > 0 {
			args = append(args, int64(id), g.resolvedAt, g.count, g.first, g.last,
				string(g.newest.confidence), string(g.newest.fault), g.newest.summary, now)
		}
	}
	rows := rowsAtOnce
	if t.dialect.othersWrote == "" {
		rows = 1 // the plan of a statement for more is free to lock them in another order
	}
	return cutRows(rows, args, 9, func(n int, args []any) error {
		further := strings.TrimPrefix(t.rows.of(n, 9), t.rows.of(1, 9))
		answer, err := t.query(ctx, growIncidents(further), args...)
		if err != nil {
			return err
		}
		list, err := collect(answer, func(scan func(...any) error) (e episode, err error) {
			return e, scan((*int64)(&e.id), &e.first, &e.last, &e.before, &e.after)
		})
		if err != nil {
			return err
		}
		if len(list) < n {
			return errRaced
		}
		return t.rememberGrown(ctx, list, grown)
	})
}

// growIncidents is the statement for one row, by which PostgreSQL knows the types, and further ones. The newest event
// speaks for all.
func growIncidents(further string) string {
	return `with grown (grown_id, resolved, added, earliest, latest, sure, whose, said, now) as (values (cast($1 as bigint),
			cast($2 as bigint), cast($3 as bigint), cast($4 as bigint), cast($5 as bigint), $6, $7, $8, cast($9 as bigint))` + further + `)
		update incident set
			confidence = case when latest >= last_seen_at then sure else confidence end,
			fault = case when latest >= last_seen_at then whose else fault end,
			summary = case when latest >= last_seen_at then said else summary end,
			last_seen_at = case when latest > last_seen_at then latest else last_seen_at end,
			first_seen_at = case when earliest < first_seen_at then earliest else first_seen_at end,
			count = count + added, updated_at = now, version = version + 1
		from grown where id = grown_id and resolved_at = resolved
		returning id, first_seen_at, last_seen_at, last_success_at, first_success_at`
}

// rememberGrown notes where the failures of incidents begin and end now.
func (t *Tx) rememberGrown(ctx context.Context, list []episode, grown map[rowID]*growth) error {
	for _, e := range list {
		known, err := t.episodesOf(ctx, grown[e.id].client)
		if err != nil {
			return err
		}
		if mine := known.find(e.id); mine != nil {
			mine.first, mine.last, mine.before, mine.after = e.first, e.last, e.before, e.after
		}
	}
	return nil
}
