package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"authwatch/classify"
)

func traceContract() []contractTest {
	return []contractTest{
		{"adds, revisions, withdrawals and resolutions leave figures that the failures themselves give", testTraces},
	}
}

// testTraces does random things, and compares every figure that is kept with the same figure recomputed from the rows of failures.
func testTraces(t *testing.T, w *world) {
	random := rand.New(rand.NewPCG(7, 11))
	anything := func() Failure {
		f := fail(random.IntN(3*86400)-86400, cause([]classify.Code{classify.WrongAudience, classify.TokenExpired}[random.IntN(2)]),
			client(fmt.Sprint(random.IntN(3))), environment([]string{"production", "staging"}[random.IntN(2)]),
			endpoint(fmt.Sprint("GET /", random.IntN(3))), summary(fmt.Sprint(random.IntN(1000))))
		return f
	}
	var ids []string
	for range 60 {
		switch action := random.IntN(10); {
		case action < 5 || len(ids) == 0:
			list := make([]Failure, 1+random.IntN(4))
			for i := range list {
				list[i] = anything()
			}
			for _, f := range w.add(t, list...) {
				ids = append(ids, f.ID)
			}
		case action < 7:
			f := anything()
			f.ID = ids[random.IntN(len(ids))]
			w.write(t, func(ctx context.Context, tx *Tx) error { return tx.ReviseFailure(ctx, f) })
		case action < 9:
			i := random.IntN(len(ids))
			w.write(t, func(ctx context.Context, tx *Tx) error { return tx.WithdrawFailure(ctx, ids[i]) })
			ids = slices.Delete(ids, i, i+1)
		default:
			open := w.incidents(t, IncidentFilter{States: []State{StateOpen}})
			if len(open) > 0 {
				w.resolve(t, open[random.IntN(len(open))].ID, random.IntN(86400))
			}
		}
		if random.IntN(3) == 0 {
			w.fold(t)
		}
		w.compareTraces(t)
		if t.Failed() {
			return
		}
	}
}

func (w *world) compareTraces(t *testing.T) {
	t.Helper()
	incidents, endpoints, clients := map[string]*trace{}, map[string]*trace{}, map[string]*trace{}
	for _, f := range w.everyFailure(t) {
		incident := fmt.Sprint(incidentKey(f.IncidentID))
		traceOf(incidents, incident).add(f)
		traceOf(endpoints, incident+" "+f.Endpoint).add(f)
		traceOf(clients, f.Verdict.Provider+" "+f.Verdict.Environment+" "+f.Verdict.ClientID).add(f)
	}
	w.compareLines(t, "incidents", `select id || ' ' || count || ' ' || first_seen_at || ' ' || last_seen_at from incident`,
		recomputed(incidents, func(c *trace) string { return fmt.Sprint(c.count, " ", c.first, " ", c.last) }))
	w.compareLines(t, "endpoints", `select incident_id || ' ' || endpoint || ' ' || count from incident_endpoint`,
		recomputed(endpoints, func(c *trace) string { return fmt.Sprint(c.count) }))
	w.compareLines(t, "clients", `select provider || ' ' || environment || ' ' || client_id || ' ' || failures || ' ' || first_failure_at || ' ' || last_failure_at || ' ' || last_seen_at from client`,
		recomputed(clients, func(c *trace) string { return fmt.Sprint(c.count, " ", c.first, " ", c.last, " ", c.last) }))
	w.compareCounts(t)
	w.compareNewest(t)
}

// A trace is what failures left in a row that counts them.
type trace struct{ count, first, last int64 }

func traceOf(all map[string]*trace, name string) *trace {
	if all[name] == nil {
		all[name] = &trace{}
	}
	return all[name]
}

func (c *trace) add(f Failure) {
	at := toMillis(f.Verdict.Time)
	c.count, c.first, c.last = c.count+1, earliest(c.first, at), latest(c.last, at)
}

func recomputed(all map[string]*trace, line func(*trace) string) (out []string) {
	for name, c := range all {
		out = append(out, name+" "+line(c))
	}
	slices.Sort(out)
	return out
}

func (w *world) compareLines(t *testing.T, what, kept string, want []string) {
	t.Helper()
	if got := w.lines(t, kept); !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\nkept       %q\nrecomputed %q", what, got, want)
	}
}

func (w *world) lines(t *testing.T, query string) []string {
	t.Helper()
	rows, err := w.readers.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	list, err := collect(rows, func(scan func(...any) error) (line string, err error) { return line, scan(&line) })
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// compareNewest checks that the newest failure speaks for its incident.
func (w *world) compareNewest(t *testing.T) {
	t.Helper()
	for _, i := range w.incidents(t, IncidentFilter{Page: Page{Limit: maxLimit}}) {
		list, _, err := w.ListFailures(t.Context(), FailureFilter{IncidentID: i.ID, Page: Page{Limit: 1}})
		if err != nil || len(list) == 0 {
			t.Fatal(err, sql.ErrNoRows)
		}
		equal(t, "summary of "+i.ID, i.Summary, list[0].Verdict.Summary)
		equal(t, "cause of its failure", list[0].Verdict.Cause, i.Cause)
	}
}

// fold adds everything counted to the rollups.
func (w *world) fold(t *testing.T) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = w.Fold(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A countedStep is one count as a rollup, or what waits for it, holds it.
type countedStep struct {
	grainSeries
	level
	start int64
}

// compareCounts compares every count of every rollup with the failures.
func (w *world) compareCounts(t *testing.T) {
	t.Helper()
	got, want := map[countedStep]int64{}, map[countedStep]int64{}
	count := func(into map[countedStep]int64, s series, at, n int64) {
		for _, g := range s.grains() {
			for _, l := range levels() {
				into[countedStep{grainSeries{g, g.of(s)}, l, floorTo(at, l.step)}] += n
			}
		}
	}
	for _, f := range w.everyFailure(t) {
		count(want, f.series(), toMillis(f.Verdict.Time), 1)
	}
	for _, text := range w.blobs(t, `select counts from tally`) {
		counts, err := countsOf(text)
		if err != nil {
			t.Fatal(err)
		}
		for k, n := range counts {
			count(got, k.series, k.minute*minuteStep, n)
		}
	}
	w.addRollups(t, got)
	for k, n := range got {
		if n == 0 {
			delete(got, k)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("rollups:\nkept       %v\nrecomputed %v", got, want)
	}
}

func (w *world) addRollups(t *testing.T, into map[countedStep]int64) {
	t.Helper()
	rows, err := w.readers.Query(`select s.grain, s.provider, s.environment, s.client_id, s.cause, s.endpoint, r.span, r.start, r.counts
		from rollup r join series s on s.id = r.series_id`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = collect(rows, func(scan func(...any) error) (none struct{}, err error) {
		var k countedStep
		var span, start int64
		var counts []byte
		if err := scan(&k.grain, &k.provider, &k.environment, &k.clientID, &k.cause, &k.endpoint, &span, &start, &counts); err != nil {
			return none, err
		}
		for _, l := range levels() {
			if l.span == span {
				k.level = l
			}
		}
		return none, eachSlot(counts, func(number int, n int64) {
			k.start = start + int64(number)*k.step
			into[k] += n
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) blobs(t *testing.T, query string) [][]byte {
	t.Helper()
	rows, err := w.readers.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	list, err := collect(rows, func(scan func(...any) error) (b []byte, err error) { return b, scan(&b) })
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// everyFailure reads all pages.
func (w *world) everyFailure(t *testing.T) (all []Failure) {
	t.Helper()
	f := FailureFilter{Page: Page{Limit: maxLimit}}
	for {
		list, next, err := w.ListFailures(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, list...)
		if next == "" {
			return all
		}
		f.Cursor = next
	}
}
