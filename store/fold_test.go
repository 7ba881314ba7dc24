package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

func foldContract() []contractTest {
	return []contractTest{
		{"of two folds at one time one gives way, and nothing is counted twice", testTwoFolders},
		{"a fold that could not be written leaves everything as it was", testFoldRefused},
		{"what traffic has left behind is forgotten, and read again for a late failure", testFoldForgets},
		{"counts that cannot be read are an error and no number", testDamagedCounts},
	}
}

func testTwoFolders(t *testing.T, w *world) {
	var all sync.WaitGroup
	for n, s := range []*Store{w.Store, w.second(t)} {
		all.Go(func() {
			for i := range 15 {
				f := fail(i*600, client(fmt.Sprint("client-", i%3)), endpoint(fmt.Sprint("GET /", n)))
				err := s.Write(t.Context(), func(ctx context.Context, tx *Tx) error { return tx.AddFailures(ctx, []Failure{f}) })
				if err == nil {
					_, err = s.Fold(t.Context())
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	w.compareCounts(t)
	w.fold(t)
	w.compareCounts(t)
	equal(t, "tallies", w.rowCount(t, `select count(*) from tally`), 0)
}

func testFoldRefused(t *testing.T, w *world) {
	w.add(t, fail(0))
	w.fold(t)
	w.add(t, fail(1), fail(2, client("client-b")))
	ctx, cancel := context.WithCancel(t.Context())
	release := w.hold(t)
	done := make(chan error, 1)
	go func() {
		_, err := w.Fold(ctx)
		done <- err
	}()
	w.waiting(t, 1)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	release()
	w.compareCounts(t)
	w.fold(t)
	w.compareCounts(t)
}

func testFoldForgets(t *testing.T, w *world) {
	const hour = 3600
	for n := range 2 * rememberedFolds {
		w.add(t, fail(n/rememberedFolds*hour+n))
		w.fold(t)
	}
	hours, rows := 0, 0
	for b, one := range w.folder.blocks {
		rows += len(one.counts)
		if b.span == hourStep {
			hours++
		}
	}
	if hours != 1 || rows != w.folder.rows {
		t.Errorf("%d hours of %d rows are remembered, want 1 of %d", hours, rows, w.folder.rows)
	}
	w.add(t, fail(1))
	w.fold(t)
	w.compareCounts(t)
}

func testDamagedCounts(t *testing.T, w *world) {
	w.add(t, fail(0))
	w.fold(t)
	w.write(t, func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, `update rollup set counts = $1 where span = $2`, []byte{0x80}, hourStep)
	})
	if _, err := w.Trend(t.Context(), TrendQuery{From: at(0), To: at(60), Step: time.Minute, GroupBy: ByCause}); !errors.Is(err, errDamagedCounts) {
		t.Errorf("trend: got %v, want errDamagedCounts", err)
	}
	w.write(t, func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, `insert into tally (id, counts) values (1, $1)`, []byte{1, 5, 'x'})
	})
	if _, err := w.Fold(t.Context()); !errors.Is(err, errDamagedCounts) {
		t.Errorf("fold: got %v, want errDamagedCounts", err)
	}
}

// TestSlots_AddTo adds changes to rows, some of which take back all that a step has.
func TestSlots_AddTo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		want, row := map[int]int64{}, []byte(nil)
		for range 10 {
			var more slots
			for number := range 60 {
				switch r.IntN(4) {
				case 0:
					more = append(more, slot{number, 1 + r.Int64N(300)})
				case 1:
					more = append(more, slot{number, -want[number]})
				}
			}
			for _, one := range more {
				if want[one.number] += one.n; want[one.number] == 0 {
					delete(want, one.number)
				}
			}
			sum, err := more.addTo(row)
			if err != nil {
				t.Fatal(err)
			}
			row = sum
			got, last := map[int]int64{}, -1
			err = eachSlot(row, func(number int, n int64) {
				if number <= last {
					t.Fatalf("step %d comes after %d", number, last)
				}
				got[number], last = n, number
			})
			if err != nil || !maps.Equal(got, want) {
				t.Fatalf("got %v, %v, want %v", got, err, want)
			}
		}
	}
}

// FuzzCounts reads any bytes as a tally or a row of a rollup without a panic, and what was written as it was.
func FuzzCounts(f *testing.F) {
	counts := rollupCounts{}
	counts.add(series{provider: "exchange", cause: "token_expired", clientID: "client-a"}, at(0), 3)
	counts.add(series{provider: "exchange", clientID: "client-a"}, at(60), 90)
	f.Add(counts.encode())
	row, err := slots{{0, 1}, {59, 1000}}.addTo(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(row)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = eachSlot(b, func(int, int64) {})
		read, err := countsOf(b)
		if err != nil {
			return
		}
		written := rollupCounts{}
		for k, n := range read {
			written.of(k.series).add(k.minute, n)
		}
		again, err := countsOf(written.encode())
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(again, read) {
			t.Errorf("read %v, want %v", again, read)
		}
	})
}

// A countKey is a series in one minute.
type countKey struct {
	series
	minute int64
}

// countsOf adds up what a tally holds.
func countsOf(tally []byte) (map[countKey]int64, error) {
	found := map[countKey]int64{}
	err := eachSeries(tally, func(s series, list minuteCounts) {
		for _, one := range list {
			found[countKey{s, one.minute}] += one.n
		}
	})
	return found, err
}
