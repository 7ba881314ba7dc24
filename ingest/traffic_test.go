package ingest

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// Of each failure the nearest success before and after it is among the times that traffic keeps, and each success is counted once, in its minute.
func TestTraffic_KeepsWhatIsAroundFailures(t *testing.T) {
	start := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	rng := rand.New(rand.NewPCG(1, 2))
	sites := []*site{{"p", "prod", "a"}, {"p", "prod", "b"}, {"p", "prod", "a"}} // one may be remembered twice
	for range 500 {
		var all successes
		var failures []store.Failure
		given, counted := map[site][]int64{}, map[site]map[int64]int64{}
		for range rng.IntN(40) {
			at, where := start.Add(time.Duration(rng.IntN(300))*500*time.Millisecond), sites[rng.IntN(3)]
			if rng.IntN(4) == 0 {
				failures = append(failures, store.Failure{Verdict: classify.Verdict{Provider: "p", Environment: "prod", ClientID: where.client, Time: at}})
				continue
			}
			all.add(where, at)
			given[*where] = append(given[*where], at.UnixMilli())
			if counted[*where] == nil {
				counted[*where] = map[int64]int64{}
			}
			counted[*where][at.Unix()/60]++
		}
		kept := map[site][]int64{}
		for _, one := range all.traffic(failures) {
			k := site{one.Provider, one.Environment, one.ClientID}
			kept[k] = append(kept[k], one.First.UnixMilli(), one.Last.UnixMilli())
			if counted[k][one.First.Unix()/60] -= one.Count; one.First.Unix()/60 != one.Last.Unix()/60 {
				t.Fatalf("%+v is of two minutes", one)
			}
		}
		for k, minutes := range counted {
			for minute, left := range minutes {
				if left != 0 {
					t.Fatalf("%v: %d too few in minute %d", k, left, minute)
				}
			}
		}
		for _, f := range failures {
			k, at := site{"p", "prod", f.Verdict.ClientID}, f.Verdict.Time.UnixMilli()
			gotBefore, gotAfter := around(kept[k], at)
			wantBefore, wantAfter := around(given[k], at)
			if gotBefore != wantBefore || gotAfter != wantAfter {
				t.Fatalf("around %d of %v: %d and %d, want %d and %d", at, k, gotBefore, gotAfter, wantBefore, wantAfter)
			}
		}
	}
}

// around finds the last time before one and the first after it, 0 where there is none.
func around(times []int64, at int64) (before, after int64) {
	slices.Sort(times)
	for _, one := range times {
		if one < at {
			before = one
		}
		if one > at && after == 0 {
			after = one
		}
	}
	return before, after
}
