package store

import (
	"context"
	"fmt"
	"testing"
	"time"
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
