package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"authwatch/classify"
)

func factBacklogContract() []contractTest {
	return []contractTest{
		{"facts that are put off are seen by who asks, and arrive", testFactsPutOff},
		{"facts are counted once while they are moved into the table", testFactsMoved},
		{"facts of a process that was killed are known before anything is judged", testFactsAdopted},
		{"facts that another process took over do not count twice", testFactsTaken},
		{"facts of a write that failed are not put off", testFactsRolledBack},
		{"a fact that is put off is not forgotten", testFactsKept},
		{"what was written before is no news, though it was never looked up", testNewsOfWritten},
	}
}

// manyFacts is more facts than one write would write at once, of which the first is named.
func manyFacts(name string, seconds int) []classify.Fact {
	list := []classify.Fact{seen(name, seconds, "x")}
	for i := range 3 * factsSmall {
		list = append(list, seen(fmt.Sprint("many ", i), seconds, "x"))
	}
	return list
}

// factRows is how many facts are in their table.
func (w *world) factRows(t *testing.T) int { return w.rowCount(t, `select count(*) from fact`) }

func testFactsPutOff(t *testing.T, w *world) {
	w.observe(t, manyFacts("a", 5)...)
	w.settleAll(t)
	w.stopTheClock(t)
	w.observe(t, manyFacts("b", 3)...)
	putOff := 0
	if w.facts != nil {
		putOff = 1
	}
	equal(t, "facts in the table", w.factRows(t), 3*factsSmall+2-putOff)
	equal(t, "rows of backlog", w.rowCount(t, `select count(*) from backlog`), putOff)
	want := func(w *world, name string, first, count int) {
		t.Helper()
		for range 2 { // from the database, and from memory
			f := w.snapshot(t, key(name)).History()[key(name)]
			equal(t, name+" was seen", f.Count, int64(count))
			wantTime(t, name+" was seen first", f.FirstSeen, at(first))
			equal(t, name+" in the turn", w.history(t, key(name))[key(name)].Count, int64(count))
		}
	}
	want(w, "a", 5, 1)
	want(w, "b", 3, 1)
	want(w, "many 7", 3, 2)
	w.observe(t, manyFacts("a", 1)...)
	want(w, "many 7", 1, 3)
	w = w.reopen(t)
	equal(t, "rows of backlog at the end", w.rowCount(t, `select count(*) from backlog`), 0)
	equal(t, "facts at the end", w.factRows(t), 3*factsSmall+2)
	want(w, "a", 1, 2)
	want(w, "many 7", 1, 3)
}

// stopTheClock has facts put off until there is another reason to write them than time.
func (w *world) stopTheClock(t *testing.T) {
	t.Helper()
	w.write(t, func(context.Context, *Tx) error {
		if w.facts != nil {
			w.facts.backlog.idle, w.facts.backlog.written = time.Hour, time.Now().Add(time.Hour)
		}
		return nil
	})
}

// testFactsMoved looks again and again at a fact that is counted: what is answered was true at some moment of the look.
func testFactsMoved(t *testing.T, w *world) {
	var begun, done atomic.Int64
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
				if w.facts != nil {
					w.facts.mu.Lock() // so that each look is one into the database
					clear(w.facts.young)
					clear(w.facts.old)
					w.facts.mu.Unlock()
				}
				least := done.Load()
				s, err := w.History(t.Context(), []classify.Key{key("counted"), key("other")})
				if err != nil {
					t.Error(err)
					return
				}
				if n := s.History()[key("counted")].Count; n < least || n > begun.Load() {
					t.Errorf("seen %d times, but %d to %d is true", n, least, begun.Load())
				}
			}
		})
	}
	for n := range 60 {
		list := manyFacts("counted", n)
		if n%4 == 3 {
			list = list[:1]
		}
		begun.Add(1)
		w.observe(t, list...)
		done.Add(1)
		if n%7 == 6 {
			w.move(t)
		}
	}
	close(ended)
	all.Wait()
}

// move has a part of what is put off moved into the table, which is done after a write.
func (w *world) move(t *testing.T) {
	t.Helper()
	if w.facts == nil {
		return
	}
	moves := func() (n uint64, left bool) {
		w.facts.moving.RLock() // until a move is committed
		defer w.facts.moving.RUnlock()
		w.facts.mu.Lock()
		defer w.facts.mu.Unlock()
		return w.facts.moves, len(w.facts.backlog.rows) > 0
	}
	var before uint64
	w.write(t, func(context.Context, *Tx) error {
		w.facts.backlog.written = time.Time{}
		before = w.facts.moves
		return nil
	})
	for now, left := moves(); left && now == before; now, left = moves() {
		runtime.Gosched()
	}
}

func testFactsAdopted(t *testing.T, w *world) {
	w.observe(t, seen("jti", 10, "x"))
	left := inOrder([]Observation{
		{factKeyOf(key("jti")), factOf(&classify.Fact{FirstSeen: at(4), LastSeen: at(4), Count: 2, FirstExchange: "earlier", FirstTokenPrint: "print", Expires: at(99), MaxOffset: -time.Second})},
		{factKeyOf(key("other")), factOf(&classify.Fact{FirstSeen: at(5), LastSeen: at(5), FirstAccepted: at(5), LastAccepted: at(6), Count: 1})},
	})
	w.write(t, func(ctx context.Context, tx *Tx) error {
		return tx.exec(ctx, `insert into backlog (id, owner, body) values (1, 1, $1)`, encoded(factLists{left}.encode))
	})
	w = w.reopen(t)
	if w.facts == nil { // such rows are of SQLite alone, and a Settle takes over whatever there is
		w.settleAll(t)
	}
	s := w.snapshot(t, key("jti"))
	changed := w.changed(t, s)
	f := w.history(t, key("jti"))[key("jti")]
	equal(t, "count", f.Count, 3)
	equal(t, "first exchange", f.FirstExchange, "earlier")
	if w.facts != nil {
		equal(t, "changes since the snapshot", len(changed), 1)
	}
	w.settleAll(t)
	equal(t, "rows of backlog", w.rowCount(t, `select count(*) from backlog`), 0)
	wantTime(t, "the other was accepted last", w.history(t, key("other"))[key("other")].LastAccepted, at(6))
	decoded, err := decodeFacts(encoded(factLists{left}.encode))
	if err != nil || !reflect.DeepEqual(decoded, left) {
		t.Errorf("decoded %+v, %v; want %+v", decoded, err, left)
	}
}

func testFactsTaken(t *testing.T, w *world) {
	other := w.second(t)
	for n := range 6 {
		w.observe(t, manyFacts("a", n)...)
		if n%2 == 1 {
			if err := other.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	equal(t, "in the turn", w.history(t, key("a"))[key("a")].Count, 6)
	equal(t, "count", w.snapshot(t, key("a")).History()[key("a")].Count, 6)
	w.settleAll(t)
	equal(t, "count in the table", w.rowCount(t, `select count from fact where count > 0 order by count desc limit 1`), 6)
}

func testFactsRolledBack(t *testing.T, w *world) {
	w.observe(t, manyFacts("a", 5)...)
	err := w.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
		return errors.Join(tx.Observe(ctx, manyFacts("a", 1)), ErrInvalid)
	})
	if !errors.Is(err, ErrInvalid) {
		t.Fatal(err)
	}
	equal(t, "count", w.snapshot(t, key("a")).History()[key("a")].Count, 1)
}

// testFactsKept: a fact is about to be removed for its age when it is seen again.
func testFactsKept(t *testing.T, w *world) {
	w.observe(t, manyFacts("a", 5)...)
	w.observe(t, manyFacts("a", 9)...)
	w.write(t, func(ctx context.Context, tx *Tx) error {
		return tx.forgetFact(ctx, keptFact{key: factKeyOf(key("a")), lastSeen: toMillis(at(5))})
	})
	equal(t, "count", w.snapshot(t, key("a")).History()[key("a")].Count, 2)
}

func testNewsOfWritten(t *testing.T, w *world) {
	accepted := func(kind classify.FactKind, seconds int) classify.Fact {
		k := key("never looked up")
		k.Kind = kind
		return classify.Fact{Key: k, FirstSeen: at(seconds), LastSeen: at(seconds), FirstAccepted: at(seconds), LastAccepted: at(seconds), Count: 1}
	}
	soon, later := int(FactResolution.Seconds()), int(forgottenBy.Seconds())
	for _, kind := range []classify.FactKind{classify.FactKID, classify.FactToken} {
		w.observe(t, accepted(kind, 100))
		noted := map[int]bool{99: true, 100: false, 100 + soon: kind == classify.FactKID, 100 + later: true}
		for seconds, news := range noted {
			if w.facts == nil {
				news = true
			}
			equal(t, fmt.Sprintf("%s is news at %d", kind, seconds), w.isNews(accepted(kind, seconds)), news)
		}
	}
	jti := accepted(classify.FactJTI, 100)
	jti.FirstExchange = "x"
	w.observe(t, jti)
	jti.FirstExchange = "y"
	equal(t, "the use of an id again is news", w.isNews(jti), true)
}

func (w *world) isNews(f classify.Fact) bool {
	news, kept := w.News([]classify.Fact{f}, nil)
	return len(news) == 1 && len(kept) == 1
}

// FuzzFacts: damaged facts are an error, never a panic.
func FuzzFacts(f *testing.F) {
	f.Add(encoded(factLists{{{factKey{1}, fact{extent: extent{firstSeen: toMillis(at(1))}, count: 1, firstExchange: "x"}}}}.encode))
	f.Fuzz(func(t *testing.T, b []byte) {
		if decoded, err := decodeFacts(b); err == nil {
			again, err := decodeFacts(encoded(factLists{decoded}.encode))
			if err != nil || !reflect.DeepEqual(again, decoded) {
				t.Errorf("got %+v, %v; want %+v", again, err, decoded)
			}
		}
	})
}
