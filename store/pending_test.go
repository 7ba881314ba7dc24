package store

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"
)

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
