package ingest

import (
	"slices"
	"time"

	"authwatch/store"
)

// successes are the times of accepted exchanges, in Unix milliseconds, by whose they were.
type successes map[*site][]int64

// add counts one; nobody's, which is nil, is not counted.
func (s *successes) add(whose *site, at time.Time) {
	if whose == nil {
		return
	}
	if *s == nil {
		*s = successes{}
	}
	(*s)[whose] = append((*s)[whose], at.UnixMilli())
}

// traffic counts successes by the minute, and apart before, at and after each failure of the same client among the failures,
// so that the successes around a failure keep their times.
func (s successes) traffic(failures []store.Failure) []store.Traffic {
	if len(s) == 0 {
		return nil
	}
	failed := map[site][]int64{}
	for n := range failures {
		v := &failures[n].Verdict
		key := site{v.Provider, v.Environment, v.ClientID}
		failed[key] = append(failed[key], v.Time.UnixMilli())
	}
	for _, times := range failed {
		slices.Sort(times)
	}
	out := make([]store.Traffic, 0, 2*len(s))
	for whose, times := range s {
		slices.Sort(times)
		out = appendTraffic(out, whose, times, failed[*whose])
	}
	return out
}

// appendTraffic counts the sorted times of one client.
func appendTraffic(out []store.Traffic, whose *site, times, failed []int64) []store.Traffic {
	for len(times) > 0 {
		first := times[0]
		for len(failed) > 0 && failed[0] < first {
			failed = failed[1:]
		}
		n := 1
		for n < len(times) && sameMinute(times[n], first) && (len(failed) == 0 || times[n] < failed[0] || times[n] == first) {
			n++
		}
		out = append(out, store.Traffic{
			Provider: whose.provider, Environment: whose.environment, ClientID: whose.client,
			Count: int64(n), First: time.UnixMilli(first), Last: time.UnixMilli(times[n-1]),
		})
		times = times[n:]
	}
	return out
}

// minute is one in milliseconds.
const minute = int64(time.Minute / time.Millisecond)

func sameMinute(a, b int64) bool { return a/minute == b/minute }
