package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func requestContract() []contractTest {
	return []contractTest{
		{"a failure is found by the ids of request and trace before they are filed", testRequestsNew},
		{"new ids of requests are filed together", testRequestsFiled},
		{"an id is found wherever in a row of many it stands", testRequestsInRows},
		{"ids that stand in rows of their own are filed with new ones", testRequestsFiledAnew},
		{"what a killed process left to be filed is found, and filed", testRequestsLeft},
		{"a failure is found while new ids are filed", testRequestsWhileFiled},
		{"a write that fails leaves no ids of requests", testRequestsRolledBack},
		{"two processes file new ids of requests", testRequestsOfTwo},
		{"new ids of requests grow old as others do", testRequestsExpire},
	}
}

// named adds a failure that is found by both ids.
func (w *world) named(t *testing.T, name string) Failure {
	t.Helper()
	f := fail(len(name), requestID(name))
	f.TraceID = name
	return w.add(t, f)[0]
}

// wantNamed looks a failure up by each of its ids.
func (w *world) wantNamed(t *testing.T, want Failure) {
	t.Helper()
	for how, list := range map[string][]Failure{
		"request": w.byRequest(t, []string{want.RequestID}, nil),
		"trace":   w.byRequest(t, nil, []string{want.TraceID}),
		"search":  w.lookUp(t, want.RequestID),
	} {
		if len(list) != 1 || list[0].ID != want.ID {
			t.Errorf("%s by %s: got %v", want.RequestID, how, list)
		}
	}
}

func (w *world) lookUp(t *testing.T, name string) []Failure {
	t.Helper()
	list, _, err := w.ListFailures(t.Context(), FailureFilter{RequestIDs: []string{name}})
	if err != nil {
		t.Error(err)
	}
	return list
}

// wantFiled compares how many rows of new ids there are, of which PostgreSQL has none, and how many ids are filed.
func (w *world) wantFiled(t *testing.T, rows, ids, filed int) {
	t.Helper()
	if w.facts == nil {
		rows, filed = 0, filed+ids
	}
	equal(t, "rows of new ids", w.rowCount(t, `select count(*) from failure_request_new`), rows)
	equal(t, "ids that are filed", w.rowCount(t, `select coalesce(sum(1 + length(more) / 16), 0) from failure_request`), filed)
}

func testRequestsNew(t *testing.T, w *world) {
	list := []Failure{w.named(t, "a")} // the first is filed
	w.write(t, func(ctx context.Context, tx *Tx) error {
		two := []Failure{fail(1, requestID("bb")), fail(2, requestID("ccc"))}
		two[0].TraceID, two[1].TraceID = "bb", "ccc"
		if err := tx.AddFailures(ctx, two); err != nil {
			return err
		}
		found, err := tx.FailuresByRequest(ctx, []string{"bb", "a", "bb"}, []string{"ccc"})
		equal(t, "found in the same write", len(found), 3)
		list = append(list, two...)
		return err
	})
	list = append(list, w.named(t, "dddd"))
	for _, f := range list {
		w.wantNamed(t, f)
	}
	w.wantFiled(t, 2, 6, 2)
	equal(t, "found by an id of nobody", len(w.lookUp(t, "nobody")), 0)
	equal(t, "found by an id of another kind", len(w.byRequest(t, []string{""}, []string{"trace:a"})), 0)
}

func testRequestsFiled(t *testing.T, w *world) {
	var list []Failure
	for i := range newRows + 3 {
		list = append(list, w.named(t, fmt.Sprint("r-", i)))
	}
	w.wantFiled(t, 2, 4, 2*newRows+2)
	for _, i := range []int{0, 1, newRows, newRows + 1, newRows + 2} {
		w.wantNamed(t, list[i])
	}
	var many []Failure
	for i := range sliceSize / 2 {
		many = append(many, fail(i%60, requestID(fmt.Sprint("m-", i)), client(fmt.Sprint(i%9))))
		many[i].TraceID = many[i].RequestID
	}
	many = w.add(t, many...)
	w.wantNamed(t, many[7]) // one row, or filed with what was new
	equal(t, "slices of a part", w.rowCount(t, `select count(*) from (select slice from failure_request group by slice having sum(1 + length(more) / 16) > `+fmt.Sprint(sliceSize)+`) too_large`), 0)
}

func testRequestsInRows(t *testing.T, w *world) {
	var many []Failure
	shared := 0
	for i := range 9*sliceRow + 7 {
		many = append(many, fail(i%60, requestID(fmt.Sprint("m-", i))))
		if many[i].TraceID = many[i].RequestID; i%10 < 7 {
			many[i].TraceID = "shared"
			shared++
		}
	}
	many = w.add(t, many...)
	if w.facts != nil {
		equal(t, "rows", w.rowCount(t, `select count(*) from failure_request`), (2*len(many)+sliceRow-1)/sliceRow)
	}
	for _, f := range many {
		if list := w.byRequest(t, []string{f.RequestID}, nil); len(list) != 1 || list[0].ID != f.ID {
			t.Errorf("%s: got %v", f.RequestID, list)
		}
	}
	equal(t, "found by an id of several rows", len(w.byRequest(t, nil, []string{"shared"})), shared)
	equal(t, "found by an id of nobody", len(w.byRequest(t, []string{"nobody"}, nil)), 0)
}

func testRequestsFiledAnew(t *testing.T, w *world) {
	list := []Failure{w.named(t, "a"), w.named(t, "bb")}
	w.write(t, func(ctx context.Context, tx *Tx) error {
		if err := tx.fileNew(ctx); err != nil {
			return err
		}
		if err := tx.exec(ctx, `delete from failure_request`); err != nil {
			return err
		}
		var entries []entry // as an earlier version filed them, in the slice that is written to
		for _, f := range list {
			entries = append(entries, entryOf(byRequest, f.RequestID, f.id), entryOf(byTrace, f.TraceID, f.id))
		}
		return tx.fileEntries(ctx, tx.slices.id, sortedEntries(entries, nil))
	})
	for range 2 {
		w.wantFiled(t, 0, 0, 2*len(list))
		for _, f := range list {
			w.wantNamed(t, f)
		}
		list = append(list, w.named(t, "ccc"), w.named(t, "dddd"))[:4]
		w.write(t, func(ctx context.Context, tx *Tx) error { return tx.fileNew(ctx) })
	}
}

func testRequestsLeft(t *testing.T, w *world) {
	list := []Failure{w.named(t, "a"), w.named(t, "bb"), w.named(t, "ccc")}
	w.wantFiled(t, 2, 4, 2)
	w = w.reopen(t) // an end files nothing, so that it leaves what a kill would
	w.wantFiled(t, 2, 4, 2)
	for _, f := range list {
		w.wantNamed(t, f)
	}
	list = append(list, w.named(t, "dddd"))
	w.wantFiled(t, 0, 0, 8)
	for _, f := range list {
		w.wantNamed(t, f)
	}
}

func testRequestsWhileFiled(t *testing.T, w *world) {
	var newest atomic.Pointer[Failure]
	note := func(name string) {
		f := w.named(t, name)
		newest.Store(&f)
	}
	note("first")
	ended := make(chan struct{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				f := newest.Load()
				if list := w.lookUp(t, f.RequestID); len(list) != 1 || list[0].ID != f.ID {
					t.Errorf("%s: got %v", f.RequestID, list)
					return
				}
			}
		})
	}
	for i := range 60 {
		note(fmt.Sprint("r-", i))
		w.write(t, func(ctx context.Context, tx *Tx) error { return tx.fileNew(ctx) })
	}
	close(ended)
	all.Wait()
}

func testRequestsRolledBack(t *testing.T, w *world) {
	kept := []Failure{w.named(t, "a"), w.named(t, "bb")}
	fails := func(name string, file bool) {
		t.Helper()
		err := w.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
			if file {
				tx.slices.rows = newRows
			}
			return errors.Join(tx.AddFailures(ctx, []Failure{fail(3, requestID(name))}), ErrInvalid)
		})
		if !errors.Is(err, ErrInvalid) {
			t.Fatal(err)
		}
		equal(t, "found by "+name, len(w.lookUp(t, name)), 0)
		w.wantFiled(t, 1, 2, 2)
	}
	fails("left", false)
	fails("filed", true)
	for _, f := range append(kept, w.named(t, "dddd")) {
		w.wantNamed(t, f)
	}
}

func testRequestsOfTwo(t *testing.T, w *world) {
	other := &world{Store: w.second(t), dsn: w.dsn, clock: w.clock}
	var list []Failure
	for i := range 6 {
		list = append(list, w.named(t, fmt.Sprint("mine ", i)), other.named(t, fmt.Sprint("its ", i)))
	}
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.fileNew(ctx) })
	w.wantFiled(t, 0, 0, 2*len(list))
	for _, f := range list {
		w.wantNamed(t, f)
		other.wantNamed(t, f)
	}
}

func testRequestsExpire(t *testing.T, w *world) {
	w.named(t, "a")
	w.named(t, "bb")
	w.clock = at(40 * daySecond)
	list := []Failure{fail(40*daySecond, requestID("ccc"))}
	list[0].TraceID = "ccc"
	list = w.add(t, list...)
	w.received(t)
	w.expire(t, month())
	w.wantFiled(t, 1, 2, 0)
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.fileNew(ctx) })
	w.wantFiled(t, 0, 0, 2)
	w.wantNamed(t, list[0])
}

func TestNewEntries_Damaged(t *testing.T) {
	w := openWorld(t, engines(t)[0])
	w.named(t, "a")
	w.write(t, func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, `insert into failure_request_new (id, slice, entries) values (1, 1, $1)`, []byte("seventeen bytes!!"))
	})
	if _, _, err := w.ListFailures(t.Context(), FailureFilter{RequestIDs: []string{"a"}}); !errors.Is(err, errDamagedEntries) {
		t.Errorf("got %v", err)
	}
}

func TestSortedEntries(t *testing.T) {
	var got []entry // whose room is used again
	for _, n := range []int{0, 1, 2, 3, 4096, 300} {
		list := make([]entry, n)
		for i := range list {
			list[i] = entryOf(byTrace, fmt.Sprint(i%7*i), rowID(n-i)) // some names are shared
		}
		want := slices.SortedFunc(slices.Values(list), entry.compare)
		if got = sortedEntries(list, got); !slices.Equal(got, want) {
			t.Errorf("%d entries are not in order", n)
		}
	}
}
