package api

import (
	"strings"
	"testing"
	"time"

	"authwatch/store"
)

func chartWindow(steps int) (window, []time.Time) {
	from := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	w := window{From: from, To: from.Add(time.Duration(steps) * time.Hour), Now: from.Add(time.Duration(steps) * time.Hour), Step: time.Hour, Shift: week}
	var starts []time.Time
	for i := range steps {
		starts = append(starts, from.Add(time.Duration(i)*time.Hour))
	}
	return w, starts
}

func TestChart_Stacks(t *testing.T) {
	w, starts := chartWindow(4)
	v := chartOf(chartInput{
		Title: "Failures", Window: w, Starts: starts,
		Series:   []namedSeries{{Class: "g-time", Name: "token expired", Total: 6, Counts: []int64{0, 2, 0, 4}}, {Class: "g-keys", Name: "unknown key", Total: 2, Counts: []int64{0, 2, 0, 0}}},
		Failures: []int64{0, 4, 0, 4}, Successes: []int64{3, 0, 0, 5}, Earlier: []int64{1, 1, 1, 1},
	})
	// Four columns of 240; the top line is 4; the second series stands on the first.
	if want := "M240.75 220h238.5v-110h-238.5zM720.75 220h238.5v-220h-238.5z"; v.Series[0].Path != want {
		t.Errorf("first series %q, want %q", v.Series[0].Path, want)
	}
	if want := "M240.75 110h238.5v-110h-238.5z"; v.Series[1].Path != want {
		t.Errorf("second series %q, want %q", v.Series[1].Path, want)
	}
	if want := "M0 165H240V165H480V165H720V165H960"; v.Ghost != want {
		t.Errorf("outline %q, want %q", v.Ghost, want)
	}
	if v.Gaps == "" || v.Steps[2].Title != "02:00: nothing received" {
		t.Errorf("the silent step is not marked: %q, %+v", v.Gaps, v.Steps[2])
	}
	if want := "8 failures from 22 Nov 2026 00:00 to 22 Nov 2026 04:00, at most 4 in 1 h (01:00); most often token expired (75 %); 2× last week (4)."; v.Summary != want {
		t.Errorf("summary %q", v.Summary)
	}
	if len(v.Rows) != 4 || strings.Join(v.Rows[1].Cells, " ") != "4 2 2 1 0" || strings.Join(v.Columns, ",") != "Failures,Token expired,Unknown key,Failures last week,Accepted" {
		t.Errorf("table %v %+v", v.Columns, v.Rows)
	}
}

func TestChart_Empty(t *testing.T) {
	w, starts := chartWindow(3)
	v := chartOf(chartInput{Title: "Failures", Window: w, Starts: starts, Failures: make([]int64, 3)})
	if !v.Empty || v.Summary != "No failures from 22 Nov 2026 00:00 to 22 Nov 2026 03:00." {
		t.Errorf("%+v", v)
	}
	chartOf(chartInput{Window: w}) // no steps at all is no panic
}

func TestChart_FoldsTheRest(t *testing.T) {
	w, starts := chartWindow(1)
	var trend store.Trend
	for _, code := range []string{"token_expired", "clock_skew", "not_yet_valid", "wrong_audience", "unknown_key", "jti_reuse", "scope_gap", "rate_limited", "missing_token"} {
		trend.Series = append(trend.Series, store.Series{Name: code, Total: 2, Counts: []int64{2}})
	}
	series := causeSeries(trend)
	if series[0].Class != "g-time" || series[1].Class != "g-time tone-1" || series[2].Class != "g-time tone-2" {
		t.Errorf("causes of one group look alike: %v %v %v", series[0].Class, series[1].Class, series[2].Class)
	}
	v := chartOf(chartInput{Window: w, Starts: starts, Series: series, Failures: []int64{18}})
	last := v.Series[len(v.Series)-1]
	if len(v.Series) != chartSeries || last.Name != "other causes" || last.Total.Text != "6" {
		t.Errorf("%d series, last %+v", len(v.Series), last)
	}
}

func TestNiceTop(t *testing.T) {
	for n, want := range map[int64]int64{0: 2, 1: 2, 3: 4, 9: 10, 11: 20, 61: 80, 100: 100, 101: 200, 12345: 20000} {
		if got := niceTop(n); got != want || got%2 != 0 {
			t.Errorf("niceTop(%d) = %d, want %d", n, got, want)
		}
	}
	if got := niceTop(1 << 62); got < 1<<62 {
		t.Errorf("niceTop overflows: %d", got)
	}
}

func TestBars_OneFailureAmongMany(t *testing.T) {
	// A failure of a thousand is less than a pixel tall; it must still be seen.
	if got := bars([]int64{1}, []int64{0}, 100000, 10, chartHeight); !strings.Contains(got, "v-1h") {
		t.Errorf("bars = %q", got)
	}
}

func TestSpark(t *testing.T) {
	w, _ := chartWindow(3)
	if v := sparkOf([]int64{0, 3, 1}, w); v.Path == "" || v.Words != "4 failures from 22 Nov 2026 00:00 to 22 Nov 2026 03:00, most at 01:00" {
		t.Errorf("%+v", v)
	}
	if v := sparkOf(nil, w); v.Path != "" || !strings.HasPrefix(v.Words, "no failures") {
		t.Errorf("%+v", v)
	}
}
