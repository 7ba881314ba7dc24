package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

func idContract() []contractTest {
	return []contractTest{
		{"failures whose ids are taken get others", testTakenIDs},
		{"failures of one millisecond keep the order in which they came", testOrderWithinMillisecond},
		{"failures of any time are stored", testAnyTime},
	}
}

func testTakenIDs(t *testing.T, w *world) {
	var all []Failure
	for range 3 {
		list := make([]Failure, 20)
		for i := range list {
			list[i] = fail(0, summary(fmt.Sprint(len(all), i)))
		}
		w.write(t, func(ctx context.Context, tx *Tx) error {
			tx.tails.last = 1<<idTailBits - 5 // the ids begin anew, beyond the end of the millisecond's
			return tx.AddFailures(ctx, list)
		})
		all = append(all, list...)
	}
	kept := w.everyFailure(t)
	equal(t, "failures", len(kept), len(all))
	for _, f := range all {
		got, err := w.GetFailure(t.Context(), f.ID)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "summary of "+f.ID, got.Verdict.Summary, f.Verdict.Summary)
	}
}

func testOrderWithinMillisecond(t *testing.T, w *world) {
	list := make([]Failure, 40)
	for i := range list {
		list[i] = fail(0)
	}
	w.add(t, list[:25]...)
	w.add(t, list[25:]...)
	want := failureIDs(list)
	slices.Reverse(want)
	equal(t, "ids", fmt.Sprint(failureIDs(w.everyFailure(t))), fmt.Sprint(want))
}

func testAnyTime(t *testing.T, w *world) {
	years := []int{-4000, 1800, 2026, 2094, 2300, 9999}
	day := func(year int) time.Time { return time.Date(year, 2, 3, 4, 5, 6, int(7*time.Millisecond), time.UTC) }
	for _, year := range years {
		w.add(t, fail(0, func(f *Failure) { f.Verdict.Time = day(year) }))
	}
	kept := w.everyFailure(t)
	equal(t, "failures", len(kept), len(years))
	for _, year := range years {
		found := slices.ContainsFunc(kept, func(f Failure) bool { return f.Verdict.Time.Equal(day(year)) })
		equal(t, fmt.Sprintf("there is one of the year %d", year), found, true)
	}
}

func TestRowID(t *testing.T) {
	last := ""
	for _, id := range []rowID{1, 31, 32, idAt(toMillis(noon())), idAt(toMillis(noon())) + 5, idAt(math.MaxInt64), 1<<63 - 1} {
		text := id.text("rec_")
		if parseID("rec_", text) != id || text <= last {
			t.Errorf("%d is %s, read as %d, after %s", id, text, parseID("rec_", text), last)
		}
		last = text
	}
	for _, text := range []string{"", "rec_", "inc_0000000000001", "rec_00000000000001", "rec_000000000000u", "rec_000000000000A", "rec_zzzzzzzzzzzzz"} {
		equal(t, text, parseID("rec_", text), 0)
	}
	if at := idAt(toMillis(noon())); at.millis() != toMillis(noon()) {
		t.Errorf("got %d", at.millis())
	}
	var one ids
	seen := one.next(noon())
	for range 1000 {
		next := one.next(noon())
		if next <= seen {
			t.Fatalf("%d after %d", next, seen)
		}
		seen = next
	}
}
