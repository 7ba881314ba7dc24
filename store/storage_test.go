package store

import (
	"testing"
	"time"
)

func storageContract() []contractTest {
	return []contractTest{{"what the database takes, holds, and will take", testStorage}}
}

func testStorage(t *testing.T, w *world) {
	empty, err := w.GetStorage(t.Context())
	if err != nil || empty.Used <= 0 || empty.Failures != 0 || !empty.OldestAt.IsZero() || empty.Forecast(dayLong) != empty.Used {
		t.Errorf("of nothing: %+v, %v", empty, err)
	}
	for day := range 14 {
		list := make([]Failure, 10+day/7*10) // 10 a day in the first week, 20 in the second
		for i := range list {
			list[i] = fail(day*daySecond + i*60)
		}
		w.add(t, list...)
	}
	w.fold(t)
	w.clock = at(14 * daySecond)
	got, err := w.GetStorage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "failures", got.Failures, 210)
	wantTime(t, "oldest", got.OldestAt, at(0))
	equal(t, "a day", got.PerDay, 20)
	if got.Used < empty.Used {
		t.Errorf("used: %d, less than %d when empty", got.Used, empty.Used)
	}
	for days, failures := range map[int]float64{15: 300, 30: 600} {
		each := float64(got.Used) / 210
		if f := float64(got.Forecast(time.Duration(days) * dayLong)); f < each*(failures-1) || f > each*(failures+1) {
			t.Errorf("forecast for %d days: %.0f, want %.0f", days, f, each*failures)
		}
	}
	w.clock = at(37 * daySecond)
	w.expire(t, month())
	left, err := w.GetStorage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "failures", left.Failures, 140)
	equal(t, "a day", left.PerDay, 0)
	wantTime(t, "oldest", left.OldestAt, at(7*daySecond).Truncate(time.Millisecond))
}
