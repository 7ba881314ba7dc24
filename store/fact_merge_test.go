package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"authwatch/classify"
)

func factMergeContract() []contractTest {
	return []contractTest{{"runs of facts become few and say the same", testFactMerge}}
}

// addRun writes a run of many facts, and of one that is in every run.
func (w *world) addRun(t *testing.T, number int) {
	t.Helper()
	facts := []classify.Fact{asserted("again", number, fmt.Sprint("exchange ", number))}
	for i := range mergedRows*runRow + 100 {
		facts = append(facts, asserted(fmt.Sprint(number, " of ", i), number, ""))
		facts[i+1].FirstExchange = "x"
	}
	_, list := w.facts.news(facts, nil)
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.writeRun(ctx, list) })
}

// inRuns is what all runs say, the facts of each of which are in order.
func (w *world) inRuns(t *testing.T) (runs int, facts map[factKey]fact) {
	t.Helper()
	rows, err := runRowsBehind(t.Context(), w.Store)
	if err != nil {
		t.Fatal(err)
	}
	facts = map[factKey]fact{}
	var run int64
	var before factKey
	for _, row := range rows {
		if row.run != run {
			runs, run, before = runs+1, row.run, factKey{}
		}
		if !bytes.Equal(row.digest, row.facts[0].key[:]) {
			t.Fatalf("a row of %x begins with %x", row.digest, row.facts[0].key)
		}
		for _, o := range row.facts {
			if bytes.Compare(o.key[:], before[:]) <= 0 {
				t.Fatalf("%x follows %x in run %d", o.key, before, run)
			}
			before, facts[o.key] = o.key, facts[o.key].merge(o.fact)
		}
	}
	return runs, facts
}

func runRowsBehind(ctx context.Context, s *Store) (list []runRowFacts, err error) {
	for last := (runRowKey{digest: []byte{}}); ; last = list[len(list)-1].runRowKey {
		some, err := runRowsAfter(ctx, s.readers, last)
		if list = append(list, some...); err != nil || len(some) < runStep {
			return list, err
		}
	}
}

func testFactMerge(t *testing.T, w *world) {
	if w.facts == nil {
		return // replicas write no runs
	}
	const written = 2*mergedLists + 3
	for number := range written {
		w.addRun(t, number)
	}
	_, want := w.inRuns(t)
	again := asserted("again", 0, "exchange 0")
	again.Count, again.LastSeen, again.Expires = written, at(written-1), at(written-1+7200)
	check := func(when string, runs int) {
		t.Helper()
		got, facts := w.inRuns(t)
		equal(t, "runs "+when, got, runs)
		if !reflect.DeepEqual(facts, want) {
			t.Fatalf("%s the runs say something else", when)
		}
		w.wantKept(t, []classify.Fact{again})
	}
	check("at first", written)
	w.facts.filter.rows = true
	w.snapshot(t) // some of the runs are in the filter
	stop, steps := errors.New("stop"), 0
	err := w.merge(t.Context(), runMerger(), func(context.Context, time.Duration) error {
		if steps++; steps == 1 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	check("after a part of a merge", written+1)
	if err := w.merge(t.Context(), runMerger(), func(context.Context, time.Duration) error { return nil }); err != nil {
		t.Fatal(err)
	}
	check("after all", 3+3) // of which one is the part
	w.fill(t)
	check("by the filter", 3+3)
	for k := range want {
		if len(w.facts.mayBeInRun([]factKey{k})) == 0 {
			t.Fatal("the filter lacks a fact")
		}
	}
	w.addRun(t, written)
	runs, _ := w.inRuns(t)
	equal(t, "runs with a new one", runs, 3+3+1)
}
