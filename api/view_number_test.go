package api

import (
	"math"
	"testing"
)

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 13020: "13,020", 1234567: "1,234,567", -4200: "−4,200", math.MaxInt64: "9,223,372,036,854,775,807"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
	if got := counted(1, "failure", "failures") + ", " + counted(0, "failure", "failures"); got != "1 failure, 0 failures" {
		t.Errorf("counted: %q", got)
	}
}

func TestPercent(t *testing.T) {
	for _, tt := range []struct {
		part, whole int64
		want        string
	}{
		{0, 0, "0 %"}, {0, 10, "0 %"}, {5, 0, "0 %"}, {1, 100000, "< 0.1 %"}, {31, 1000, "3.1 %"}, {1, 10, "10 %"}, {999, 1000, "99 %"},
		{9999, 10000, "> 99.9 %"}, {10, 10, "100 %"}, {996, 1000, "99 %"},
	} {
		if got := percent(tt.part, tt.whole); got != tt.want {
			t.Errorf("percent(%d, %d) = %q, want %q", tt.part, tt.whole, got, tt.want)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		now, before int64
		want        change
	}{
		{0, 0, change{"none last week either", "same"}},
		{412, 0, change{"none last week", "worse"}},
		{0, 1200, change{"1,200 last week", "better"}},
		{418, 11, change{"38× last week (11)", "worse"}},
		{24, 10, change{"2.4× last week (10)", "worse"}},
		{20, 10, change{"2× last week (10)", "worse"}},
		{112, 100, change{"12 % more than last week (100)", "worse"}},
		{102, 100, change{"about the same as last week (100)", "same"}},
		{50, 100, change{"50 % fewer than last week (100)", "better"}},
	} {
		if got := compare(tt.now, tt.before, "last week"); got != tt.want {
			t.Errorf("compare(%d, %d) = %+v, want %+v", tt.now, tt.before, got, tt.want)
		}
	}
}

func TestCompareShare(t *testing.T) {
	for _, tt := range []struct {
		part, whole, partThen, wholeThen int64
		want                             change
	}{
		{5, 100, 0, 0, change{"no requests last week", "same"}},
		{5, 100, 1, 100, change{"up from 1.0 % last week", "worse"}},
		{1, 100, 5, 100, change{"down from 5.0 % last week", "better"}},
		{5, 100, 5, 100, change{"5.0 % last week too", "same"}},
	} {
		if got := compareShare(tt.part, tt.whole, tt.partThen, tt.wholeThen, "last week"); got != tt.want {
			t.Errorf("compareShare(%d/%d, %d/%d) = %+v, want %+v", tt.part, tt.whole, tt.partThen, tt.wholeThen, got, tt.want)
		}
	}
}
