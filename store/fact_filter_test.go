package store

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"authwatch/classify"
)

func factFilterContract() []contractTest {
	return []contractTest{
		{"the filter of facts knows what is not there", testFilterKnows},
		{"the filter of facts spares a question", testFilterSpares},
		{"the filter of facts learns what was put off when it arrives", testFilterOfBacklog},
		{"the filter of facts learns what is written while it is made", testFilterMeanwhile},
		{"the filter of facts is made again when others have written", testFilterOfOthers},
		{"the filter of facts is made again when it holds too much", testFilterFull},
		{"the filter of facts grows with what it holds", testFilterGrows},
	}
}

// fill looks until the filter is whole.
func (w *world) fill(t *testing.T) {
	t.Helper()
	for looks := 0; w.facts != nil && !w.facts.filterIsWhole(); looks++ {
		w.snapshot(t)
		if looks > 100 {
			t.Fatal("the filter never becomes whole")
		}
	}
}

// kept asks for facts of names as if none was remembered, and returns how many the table is asked for.
func (w *world) kept(t *testing.T, names ...string) (asked int) {
	t.Helper()
	if w.facts == nil {
		return 0
	}
	w.facts.mu.Lock()
	clear(w.facts.young)
	clear(w.facts.old)
	w.facts.mu.Unlock()
	keys := make([]factKey, len(names))
	for i, name := range names {
		keys[i] = factKeyOf(key(name))
	}
	return len(w.facts.mayBeKept(keys))
}

// factsNamed are facts of as many names, the first of which is the prefix with 0.
func factsNamed(prefix string, n int) (list []classify.Fact) {
	for i := range n {
		list = append(list, seen(fmt.Sprint(prefix, i), i, "x"))
	}
	return list
}

func testFilterKnows(t *testing.T, w *world) {
	const n = 2*filterStep + 10
	w.observe(t, factsNamed("there", n)...)
	w.settleAll(t)
	w.fill(t)
	absent := 0
	for i := range n {
		name := fmt.Sprint("there", i)
		if asked := w.kept(t, name); asked != 1 && w.facts != nil {
			t.Fatalf("%s is there and not asked for", name)
		}
		absent += w.kept(t, fmt.Sprint("absent", i))
	}
	if absent > n/50 {
		t.Errorf("%d of %d that are not there are asked for", absent, n)
	}
	w.observe(t, seen("late", 1, "x")) // written at once
	w.kept(t)
	equal(t, "count of what came later", w.snapshot(t, key("late")).History()[key("late")].Count, 1)
	equal(t, "count", w.snapshot(t, key("there7")).History()[key("there7")].Count, 1)
	equal(t, "facts of an unknown key", len(w.snapshot(t, key("absent7")).History()), 0)
}

// A countedReader counts what is asked of a database.
type countedReader struct {
	rowsQuerier
	asked int
}

func (c *countedReader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	c.asked++
	return c.rowsQuerier.QueryContext(ctx, query, args...)
}

func testFilterSpares(t *testing.T, w *world) {
	w.observe(t, seen("there", 1, "x"))
	w.fill(t)
	from := &countedReader{rowsQuerier: w.readers}
	for _, name := range []string{"absent", "there"} {
		w.kept(t)
		if _, err := w.facts.read(t.Context(), from, []factKey{factKeyOf(key(name))}, make([]fact, 1)); err != nil {
			t.Fatal(err)
		}
		if w.facts != nil {
			equal(t, "remembered after "+name, len(w.facts.young), map[string]int{"absent": 0, "there": 1}[name])
		}
	}
	want := 1
	if w.facts == nil { // replicas write there
		want = 2
	}
	equal(t, "questions", from.asked, want)
}

// testFilterOfBacklog: facts reach the table long after they were committed.
func testFilterOfBacklog(t *testing.T, w *world) {
	w.observe(t, manyFacts("first", 5)...) // which are due
	w.observe(t, manyFacts("a", 5)...)
	w.fill(t)
	for _, step := range []string{"put off", "moved"} {
		w.kept(t)
		equal(t, "count when "+step, w.snapshot(t, key("a")).History()[key("a")].Count, 1)
		w.move(t)
	}
}

func testFilterMeanwhile(t *testing.T, w *world) {
	w.observe(t, factsNamed("before", 3*filterStep)...)
	w.settleAll(t)
	w.snapshot(t) // a third is read
	for i := range 3 * filterStep {
		if asked := w.kept(t, fmt.Sprint("before", i)); asked != 1 && w.facts != nil {
			t.Fatalf("a filter of a third of the table is used")
		}
	}
	w.observe(t, factsNamed("meanwhile", 3*filterStep)...)
	w.settleAll(t)
	w.fill(t)
	for i := range 3 * filterStep {
		for _, name := range []string{fmt.Sprint("before", i), fmt.Sprint("meanwhile", i)} {
			if asked := w.kept(t, name); asked != 1 && w.facts != nil {
				t.Fatalf("%s is there and not asked for", name)
			}
		}
	}
}

func testFilterOfOthers(t *testing.T, w *world) {
	w.fill(t)
	other := w.second(t)
	err := other.Write(t.Context(), func(ctx context.Context, tx *Tx) error { return tx.Observe(ctx, []classify.Fact{seen("a", 5, "x")}) })
	if err != nil {
		t.Fatal(err)
	}
	before := w.snapshot(t, key("a"))
	equal(t, "changes since a look that may have missed it", len(w.changed(t, before)), 1-len(before.History()))
	equal(t, "count", w.snapshot(t, key("a")).History()[key("a")].Count, 1)
	w.fill(t)
	w.kept(t)
	equal(t, "count by the new filter", w.snapshot(t, key("a")).History()[key("a")].Count, 1)
}

func testFilterGrows(t *testing.T, w *world) {
	if w.facts == nil {
		return
	}
	w.observe(t, factsNamed("a", 20)...)
	w.arrive(t, assertions("b", 5))
	w.facts.filter = newFactFilter(1)
	for growth := 1; growth <= filterGrowth; growth *= 2 {
		equal(t, "blocks", len(w.facts.filter.blocks), growth*filterBlocks)
		w.facts.filter.most = 10
		w.facts.filter.rows = growth == 2 // of the table or of the runs there are too many
		w.snapshot(t)
	}
	equal(t, "blocks at last", len(w.facts.filter.blocks), filterGrowth*filterBlocks)
	w.fill(t)
	w.wantKept(t, assertions("b", 5))
	equal(t, "keys", w.facts.filter.keys, 21+runLeast)
}

func testFilterFull(t *testing.T, w *world) {
	if w.facts == nil {
		return
	}
	w.observe(t, seen("first", 1, "x"))
	w.fill(t)
	w.facts.filter.enough = 10
	w.observe(t, factsNamed("a", 20)...)
	if w.facts.filterIsWhole() {
		t.Error("it is still used")
	}
	w.fill(t)
	equal(t, "keys", w.facts.filter.keys, 21)
	equal(t, "keys from which it is made again", w.facts.filter.enough, filterMost)
}
