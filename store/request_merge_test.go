package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

func requestMergeContract() []contractTest {
	return []contractTest{{"slices of requests become few and find the same", testSliceMerge}}
}

// filed is how many slices there are, of each of which the entries are in order, and all entries.
func (w *world) filed(t *testing.T) (number int, all map[entry]bool) {
	t.Helper()
	lists, err := w.lists(t.Context(), sliceMerger())
	if err != nil {
		t.Fatal(err)
	}
	all = map[entry]bool{}
	for _, slice := range lists {
		rows, err := w.readers.Query(`select entry, more from failure_request where slice = $1 order by entry`, slice)
		if err != nil {
			t.Fatal(err)
		}
		var before entry
		err = filedEntries(rows, func(e entry) {
			if bytes.Compare(e[:], before[:]) <= 0 {
				t.Fatalf("%x follows %x in slice %d", e, before, slice)
			}
			before, all[e] = e, true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return len(lists), all
}

func testSliceMerge(t *testing.T, w *world) {
	if w.facts == nil {
		return // replicas would each move what the other does
	}
	const size, many = (mergedRows + 10) * sliceRow, 20
	n := rowID(0)
	file := func(begun time.Time, after int64) {
		list := make([]entry, size)
		for i := range list {
			n++
			list[i] = entryOf(byRequest, fmt.Sprint("request ", n), n)
		}
		w.write(t, func(ctx context.Context, tx *Tx) error { return tx.fileSlice(ctx, toMillis(begun)+after, list) })
	}
	for i := range many {
		file(at(0), int64(i)) // which follow each other at once
		file(at(60*i), 500)
	}
	file(at(daySecond), 0)
	file(at(daySecond), 1) // as long as the minute is not over they stay as they are
	check := func(when string, want int) {
		t.Helper()
		got, all := w.filed(t)
		equal(t, "slices "+when, got, want)
		equal(t, "entries "+when, len(all), int(n))
		for i := rowID(1); i <= n; i += n / 50 {
			found, err := requestFinder{from: w.readers}.find(t.Context(), byRequest, fmt.Sprint("request ", i))
			if err != nil || len(found) != 1 || found[0] != i {
				t.Fatalf("%s request %d: %v, %v", when, i, found, err)
			}
		}
	}
	check("at first", 2*many+2)
	stop, steps := errors.New("stop"), 0
	err := w.merge(t.Context(), sliceMerger(), func(context.Context, time.Duration) error {
		if steps++; steps == 1 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	check("after a part of a merge", 2*many+3)
	if err := w.mergeAll(t.Context(), func(context.Context, time.Duration) error { return nil }); err != nil {
		t.Fatal(err)
	}
	check("after all", 3)
}

func TestSpanOf(t *testing.T) {
	newest := toMillis(at(5*daySecond + 4000))
	for seconds, want := range map[int]time.Duration{5*daySecond + 4000: time.Millisecond, 5*daySecond + 3900: time.Minute, 5 * daySecond: time.Hour, 4 * daySecond: 24 * time.Hour} {
		equal(t, fmt.Sprint("span of ", seconds), time.Duration(spanOf(toMillis(at(seconds)), newest))*time.Millisecond, want)
	}
}
