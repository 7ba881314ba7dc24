package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"authwatch/classify"
)

func historyContract() []contractTest {
	return []contractTest{
		{"history merges as classify does, in any order", testFactsMerge},
		{"history answers only what was asked", testHistoryKeys},
		{"history answers more keys than one query holds", testHistoryMany},
		{"long names stay apart", testHistoryLongNames},
		{"a snapshot learns what changed since it was taken", testChanged},
		{"snapshots of many writes at once never miss a change", testChangedAlways},
		{"a snapshot sees what another process wrote", testChangedByOthers},
		{"an observation that says nothing new is no news", testNews},
		{"facts of a write that failed are not remembered", testObserveRolledBack},
	}
}

func key(name string) classify.Key {
	return classify.Key{Kind: classify.FactJTI, Provider: "exchange", Environment: "production", Name: name}
}

func (w *world) observe(t *testing.T, facts ...classify.Fact) {
	t.Helper()
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.Observe(ctx, facts) })
}

func (w *world) history(t *testing.T, keys ...classify.Key) (h classify.History) {
	t.Helper()
	w.write(t, func(ctx context.Context, tx *Tx) (err error) {
		h, err = tx.History(ctx, keys)
		return err
	})
	return h
}

func testFactsMerge(t *testing.T, w *world) {
	random := rand.New(rand.NewPCG(1, 2))
	sometimes := func(fact *time.Time) {
		if random.IntN(3) > 0 {
			*fact = at(random.IntN(6)).Add(time.Duration(random.IntN(3)) * 400 * time.Microsecond)
		}
	}
	for round := range 40 {
		k := key(fmt.Sprint(round))
		want := classify.Fact{}
		for i := range 6 {
			f := classify.Fact{Key: k, Count: int64(random.IntN(3)), MaxOffset: time.Duration(random.IntN(7)-3) * time.Second,
				FirstExchange: fmt.Sprint(random.IntN(3)), FirstTokenPrint: fmt.Sprint(random.IntN(1000))}
			for _, field := range []*time.Time{&f.FirstSeen, &f.LastSeen, &f.FirstAccepted, &f.LastAccepted, &f.Expires} {
				sometimes(field)
			}
			// Two facts of the same exchange at the same time have the same token.
			f.FirstTokenPrint = f.FirstExchange
			w.observe(t, f)
			for _, field := range []*time.Time{&f.FirstSeen, &f.LastSeen, &f.FirstAccepted, &f.LastAccepted, &f.Expires} {
				*field = fromMillis(toMillis(*field))
			}
			if i == 0 {
				want = f
			} else {
				want = want.Merge(f)
			}
		}
		if got := w.history(t, k)[k]; !reflect.DeepEqual(got, want) {
			t.Fatalf("round %d:\n got %+v\nwant %+v", round, got, want)
		}
	}
}

func testHistoryKeys(t *testing.T, w *world) {
	known, other := key("a"), key("a")
	other.Environment = "staging"
	w.observe(t, classify.Fact{Key: known, FirstSeen: at(1), Count: 1}, classify.Fact{Key: known, FirstSeen: at(2), Count: 1})
	h := w.history(t, known, other, key("b"), known)
	equal(t, "facts", len(h), 1)
	equal(t, "count", h[known].Count, 2)
	wantTime(t, "first seen", h[known].FirstSeen, at(1))
	equal(t, "facts of no keys", len(w.history(t)), 0)
}

func testHistoryMany(t *testing.T, w *world) {
	var facts []classify.Fact
	var keys []classify.Key
	for i := range 3*lookupSize + 1 {
		k := key(fmt.Sprint(i))
		k.Provider = fmt.Sprint(i % 2)
		keys = append(keys, k)
		facts = append(facts, classify.Fact{Key: k, FirstSeen: at(i), Count: 1})
	}
	w.observe(t, facts...)
	h := w.history(t, keys...)
	equal(t, "facts", len(h), len(keys))
	for i, k := range keys {
		wantTime(t, "first seen", h[k].FirstSeen, at(i))
	}
}

func testHistoryLongNames(t *testing.T, w *world) {
	long := strings.Repeat("ä", 4000)
	a, b := key(long+"a"), key(long+"b")
	w.observe(t, classify.Fact{Key: a, FirstSeen: at(1), Count: 1})
	h := w.history(t, a, b)
	if _, found := h[b]; found || h[a].Key != a || h[a].Count != 1 {
		t.Errorf("got %d facts, count %d", len(h), h[a].Count)
	}
}

func (w *world) snapshot(t *testing.T, keys ...classify.Key) *Snapshot {
	t.Helper()
	s, err := w.History(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	return &s
}

func (w *world) changed(t *testing.T, s *Snapshot) (h classify.History) {
	t.Helper()
	w.write(t, func(ctx context.Context, tx *Tx) (err error) {
		h, err = tx.Changed(ctx, *s)
		return err
	})
	return h
}

func seen(name string, seconds int, exchange string) classify.Fact {
	return classify.Fact{Key: key(name), FirstSeen: at(seconds), LastSeen: at(seconds), FirstExchange: exchange, Count: 1}
}

func testChanged(t *testing.T, w *world) {
	w.observe(t, seen("known", 10, "x"))
	s := w.snapshot(t, key("known"), key("new"), key("absent"))
	equal(t, "facts", len(s.History()), 1)
	equal(t, "changes at once", len(w.changed(t, s)), 0)
	w.observe(t, seen("known", 20, "y"), seen("unrelated", 1, "z"))
	equal(t, "changes after it was seen again", len(w.changed(t, s)), 0)
	w.observe(t, seen("known", 5, "z"), seen("new", 7, "z"))
	changed := w.changed(t, s)
	equal(t, "changes", len(changed), 2)
	equal(t, "first exchange", changed[key("known")].FirstExchange, "z")
	equal(t, "count", changed[key("known")].Count, 3)
	equal(t, "what appeared", changed[key("new")].Count, 1)
	equal(t, "the caller's copy", s.History()[key("known")].FirstExchange, "x")
	equal(t, "changes since", len(w.changed(t, w.snapshot(t, key("known"), key("new"), key("absent")))), 0)
	w.write(t, func(ctx context.Context, tx *Tx) error {
		if err := tx.Observe(ctx, []classify.Fact{seen("absent", 1, "w")}); err != nil {
			return err
		}
		mine, err := tx.Changed(ctx, *s)
		equal(t, "changes of this very write", len(mine), 3)
		return err
	})
}

// testChangedAlways: whoever judges by a snapshot and what Changed adds judges by what a look in the turn would show.
func testChangedAlways(t *testing.T, w *world) {
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 7))
			for range 25 {
				keys := []classify.Key{}
				for _, i := range random.Perm(12)[:4] {
					keys = append(keys, key(fmt.Sprint(i)))
				}
				s, err := w.History(t.Context(), keys)
				if err != nil {
					t.Error(err)
				}
				err = w.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
					changed, err := tx.Changed(ctx, s)
					if err != nil {
						return err
					}
					now, err := tx.History(ctx, keys)
					for _, k := range keys {
						judgedBy, isChanged := changed[k]
						if !isChanged {
							judgedBy = s.History()[k]
						}
						is := now[k]
						if by, f := factOf(&judgedBy), factOf(&is); f.saysMore(&by) {
							t.Errorf("%v: judged by %+v, is %+v", k, judgedBy, is)
						}
					}
					if err != nil {
						return err
					}
					if random.IntN(4) == 0 {
						return ErrInvalid // what it observed must not be remembered
					}
					return tx.Observe(ctx, []classify.Fact{seen(keys[0].Name, random.IntN(1000), fmt.Sprint(random.IntN(5)))})
				})
				if err != nil && !errors.Is(err, ErrInvalid) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func testChangedByOthers(t *testing.T, w *world) {
	other, err := Open(t.Context(), Options{DSN: w.dsn})
	if err != nil {
		t.Fatal(err)
	}
	s := w.snapshot(t, key("a"))
	err = other.Write(t.Context(), func(ctx context.Context, tx *Tx) error { return tx.Observe(ctx, []classify.Fact{seen("a", 3, "x")}) })
	if err := errors.Join(err, other.Close()); err != nil {
		t.Fatal(err)
	}
	equal(t, "changes", len(w.changed(t, s)), 1)
	equal(t, "facts", len(w.history(t, key("a"))), 1)
}

func testNews(t *testing.T, w *world) {
	accepted := func(seconds int) classify.Fact {
		return classify.Fact{Key: key("client"), FirstSeen: at(seconds), LastSeen: at(seconds), FirstAccepted: at(seconds), LastAccepted: at(seconds), Count: 1}
	}
	equal(t, "news of the first", w.isNews(accepted(100)), true)
	w.observe(t, accepted(100))
	w.snapshot(t, key("client"))
	minute := int(FactResolution.Seconds())
	for seconds, news := range map[int]bool{100: false, 101: false, 99: true, 100 + minute - 1: false, 100 + minute: true} {
		if w.facts == nil {
			news = true // others may have written since
		}
		equal(t, fmt.Sprintf("news at %d", seconds), w.isNews(accepted(seconds)), news)
	}
	equal(t, "news of what is counted", w.isNews(seen("client", 101, "")), true)
	w.observe(t, accepted(101), accepted(100+minute))
	wantTime(t, "last accepted", w.history(t, key("client"))[key("client")].LastAccepted, at(100+minute))
}

func testObserveRolledBack(t *testing.T, w *world) {
	w.snapshot(t, key("a"))
	err := w.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
		if err := tx.Observe(ctx, []classify.Fact{seen("a", 1, "x")}); err != nil {
			return err
		}
		return ErrInvalid
	})
	if !errors.Is(err, ErrInvalid) {
		t.Fatal(err)
	}
	equal(t, "facts", len(w.snapshot(t, key("a")).History()), 0)
	equal(t, "facts in the turn", len(w.history(t, key("a"))), 0)
}
