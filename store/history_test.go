package store

import (
	"context"
	"encoding/json"
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

func deliveryContract() []contractTest {
	return []contractTest{
		{"a delivery is new once", testClaim},
		{"a delivery of another source is another", testClaimSources},
		{"a delivery of another time is another", testClaimTimes},
		{"a claim notices one id with two contents", testClaimAltered},
		{"a claim tells the known from the new in lists longer than one statement", testClaimMany},
		{"a claim that was rolled back is new again", testClaimRolledBack},
		{"nothing received yet", testNothingReceived},
		{"the last token that came apart is remembered", testTokenApart},
	}
}

func (w *world) claim(t *testing.T, seconds int, list ...Delivery) (fresh []bool) {
	t.Helper()
	w.write(t, func(ctx context.Context, tx *Tx) (err error) {
		fresh, err = tx.Claim(ctx, at(seconds), list)
		return err
	})
	return fresh
}

func testTokenApart(t *testing.T, w *world) {
	last := func() time.Time {
		at, err := w.LastTokenApart(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	wantTime(t, "without any source", last(), time.Time{})
	w.claim(t, 1, Delivery{Source: "s", Key: "a"}, Delivery{Source: "q", Key: "a"})
	wantTime(t, "without any token", last(), time.Time{})
	for _, of := range []struct {
		source  string
		seconds int
	}{{"s", 20}, {"q", 30}, {"q", 10}, {"s", 25}} {
		w.write(t, func(ctx context.Context, tx *Tx) error { return tx.NoteTokenApart(ctx, of.source, at(of.seconds)) })
	}
	w.claim(t, 40, Delivery{Source: "q", Key: "b"})
	wantTime(t, "of two sources", last(), at(30))
}

func testClaim(t *testing.T, w *world) {
	a, b := Delivery{Source: "s", Key: "a"}, Delivery{Source: "s", Key: "b"}
	equal(t, "first batch", fmt.Sprint(w.claim(t, 5, a, b, a)), "[true true false]")
	equal(t, "again", fmt.Sprint(w.claim(t, 3, b, a)), "[false false]")
	received, n, err := w.LastReceived(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "records", n, 2)
	wantTime(t, "last received", received, at(5))
	var duplicates int64
	if err := w.readers.QueryRow(`select duplicates from source where id = 's'`).Scan(&duplicates); err != nil {
		t.Fatal(err)
	}
	equal(t, "duplicates", duplicates, 3)
}

func testClaimAltered(t *testing.T, w *world) {
	list := func(contents ...uint16) (list []Delivery) {
		for n, c := range contents {
			list = append(list, Delivery{Source: "s", Key: string(rune('a' + n)), Content: c})
		}
		return list
	}
	altered := func(fresh string, list ...Delivery) (out []bool) {
		t.Helper()
		equal(t, "fresh", fmt.Sprint(w.claim(t, 0, list...)), fresh)
		for _, d := range list {
			out = append(out, d.Altered)
		}
		return out
	}
	equal(t, "first", fmt.Sprint(altered("[true true true]", list(1, 0x1234, 0xff00)...)), "[false false false]")
	equal(t, "again", fmt.Sprint(altered("[false false false true]", list(1, 0x1235, 0, 9)...)), "[false true true false]")
	equal(t, "in one list", fmt.Sprint(altered("[true false false]", Delivery{Key: "x", Content: 1}, Delivery{Key: "x", Content: 2}, Delivery{Key: "x", Content: 2})), "[false true true]")
}

func testClaimSources(t *testing.T, w *world) {
	// The last two differ only in where the source ends and the key begins.
	list := []Delivery{{Source: "s", Key: "a"}, {Source: "t", Key: "a"}, {Key: "a"}, {Source: "s1", Key: "2:x"}, {Source: "s", Key: "12:x"}}
	equal(t, "fresh", fmt.Sprint(w.claim(t, 0, list...)), "[true true true true true]")
}

func testClaimTimes(t *testing.T, w *world) {
	a, b := Delivery{Source: "s", Key: "a", Time: at(0)}, Delivery{Source: "s", Key: "a", Time: at(0).Add(time.Millisecond)}
	equal(t, "fresh", fmt.Sprint(w.claim(t, 0, a, b, a)), "[true true false]")
	far := []Delivery{{Source: "s", Key: "b"}, {Source: "s", Key: "c", Time: time.Date(-200, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Source: "s", Key: "d", Time: time.Date(99999, 1, 1, 0, 0, 0, 0, time.UTC)}}
	equal(t, "far from now", fmt.Sprint(w.claim(t, 0, far...)), "[true true true]")
	equal(t, "far from now again", fmt.Sprint(w.claim(t, 0, far...)), "[false false false]")
}

func testClaimMany(t *testing.T, w *world) {
	many := make([]Delivery, 2*claimSize+10)
	var known []Delivery
	for i := range many {
		many[i] = Delivery{Source: "s", Key: fmt.Sprint(i), Time: at(i % 100)}
		if i%7 == 3 {
			known = append(known, many[i])
		}
	}
	w.claim(t, 0, known...)
	for i, fresh := range w.claim(t, 0, many...) {
		equal(t, fmt.Sprintf("delivery %d is new", i), fresh, i%7 != 3)
	}
	equal(t, "records", w.records(t), int64(len(many)))
}

func testClaimRolledBack(t *testing.T, w *world) {
	err := w.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
		if _, err := tx.Claim(ctx, at(0), []Delivery{{Source: "s", Key: "a"}}); err != nil {
			return err
		}
		return ErrInvalid
	})
	if err == nil {
		t.Fatal("no error")
	}
	equal(t, "fresh", fmt.Sprint(w.claim(t, 0, Delivery{Source: "s", Key: "a"})), "[true]")
}

func testNothingReceived(t *testing.T, w *world) {
	received, n, err := w.LastReceived(t.Context())
	if err != nil || !received.IsZero() || n != 0 {
		t.Errorf("got %v, %d, %v", received, n, err)
	}
}

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

func pendingContract() []contractTest {
	return []contractTest{
		{"a half of a join is taken once, oldest first", testPending},
		{"a half is found by either of its keys, once", testPendingKeys},
		{"tokens that are found go on waiting", testFindTokens},
		{"an expired half counts as absent", testPendingExpired},
		{"many expired halves are removed a part at a time", testPendingManyExpired},
	}
}

func (w *world) take(t *testing.T, side string, keys ...string) (list []Pending) {
	t.Helper()
	w.write(t, func(ctx context.Context, tx *Tx) (err error) {
		list, err = tx.TakePending(ctx, side, keys)
		return err
	})
	return list
}

func testPending(t *testing.T, w *world) {
	half := func(key, side string, seconds int) Pending {
		return Pending{JoinKey: key, Side: side, Kind: "access_token", Time: at(seconds), Body: json.RawMessage(`{"n":1.10}`), ExpiresAt: at(600)}
	}
	young, old, other := half("request:1", "token", 5), half("trace:1", "token", 1), half("request:1", "exchange", 0)
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.PutPending(ctx, []Pending{young, old, other}) })
	got := w.take(t, "token", "request:1", "trace:1", "request:1", "request:2")
	young.JoinKey, old.JoinKey = "", ""
	if want := []Pending{old, young}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	equal(t, "taken again", len(w.take(t, "token", "request:1", "trace:1")), 0)
	equal(t, "of the other side", len(w.take(t, "exchange", "request:1")), 1)
}

func testPendingKeys(t *testing.T, w *world) {
	half := func(join, other string, n int) Pending {
		return Pending{JoinKey: join, OtherKey: other, Side: "exchange", Time: at(n), Body: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n)), ExpiresAt: at(600)}
	}
	list := []Pending{half("request:1", "trace:1", 1), half("request:2", "trace:1", 2), half("trace:1", "", 3), half("trace:request:3", "", 4), half("request:trace:5", "trace:5", 5)}
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.PutPending(ctx, list) })
	taken := func(keys ...string) (bodies string) {
		for _, p := range w.take(t, "exchange", keys...) {
			bodies += string(p.Body)
		}
		return bodies
	}
	equal(t, "by two keys of one", taken("trace:2", "request:2", "trace:1", "request:2"), `{"n":1}{"n":2}{"n":3}`)
	equal(t, "by the other keys", taken("request:1", "request:3", "trace:trace:5"), ``)
	equal(t, "by keys like others", taken("request:trace:5", "trace:request:3"), `{"n":4}{"n":5}`)
}

func testFindTokens(t *testing.T, w *world) {
	find := func(keys ...string) (bodies string) {
		w.write(t, func(ctx context.Context, tx *Tx) error {
			list, err := tx.FindTokens(ctx, keys)
			for _, p := range list {
				bodies += string(p.Body)
			}
			return err
		})
		return bodies
	}
	equal(t, "where none waits", find("request:1"), ``)
	half := func(side string, n int, body string) Pending {
		return Pending{JoinKey: "request:1", OtherKey: "trace:1", Side: side, Kind: "access_token", Time: at(n), Body: json.RawMessage(body), ExpiresAt: at(60 * n)}
	}
	list := []Pending{half("token", 2, `{"n":2}`), half("token", 1, `{"n":1}`), half("exchange", 3, `{"n":3}`)}
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.PutPending(ctx, list) })
	for range 2 {
		equal(t, "by both keys", find("request:1", "trace:1", "trace:2"), `{"n":1}{"n":2}`)
	}
	equal(t, "by one key", find("trace:1"), `{"n":1}{"n":2}`)
	w.clock = at(90)
	equal(t, "after one has expired", find("request:1"), `{"n":2}`)
	w.clock = at(150)
	equal(t, "after both have", find("request:1"), ``)
	equal(t, "of the other side", len(w.take(t, "exchange", "request:1")), 1)
}

func testPendingManyExpired(t *testing.T, w *world) {
	const n = 4 * expireAtOnce
	list := make([]Pending, n)
	for i := range list {
		list[i] = Pending{JoinKey: fmt.Sprint("request:", i), Side: "token", Body: json.RawMessage(`{}`), ExpiresAt: at(60).Add(time.Duration(i) * time.Millisecond)}
	}
	left := func() (rows int) { return w.rowCount(t, `select count(*) from pending`) }
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.PutPending(ctx, list) })
	w.clock = at(200)
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.PutPending(ctx, nil) })
	if got := left(); got < n-2*expireAtOnce || got > n-expireAtOnce {
		t.Errorf("%d are left after one write", got)
	}
	for range 4 {
		w.write(t, func(ctx context.Context, tx *Tx) error { return tx.PutPending(ctx, nil) })
	}
	equal(t, "left at the end", left(), 0)
}

func testPendingExpired(t *testing.T, w *world) {
	p := Pending{JoinKey: "request:1", Side: "token", Time: at(0), Body: json.RawMessage(`{}`), ExpiresAt: at(60)}
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.PutPending(ctx, []Pending{p, p}) })
	w.clock = at(60)
	equal(t, "halves", len(w.take(t, "token", "request:1")), 0)
	p.JoinKey, p.ExpiresAt = "request:2", at(90)
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.PutPending(ctx, []Pending{p}) })
	w.clock = at(100)
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.PutPending(ctx, nil) })
	var left int
	if err := w.readers.QueryRow(`/* test */ select count(*) from pending`).Scan(&left); err != nil {
		t.Fatal(err)
	}
	equal(t, "rows left", left, 0)
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
