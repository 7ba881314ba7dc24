package ingest

import (
	"slices"
	"time"

	"authwatch/store"
)

// successes are the times of accepted exchanges by where they were.
type successes map[*site][]time.Time

func (s *successes) add(where *site, at time.Time) {
	if *s == nil {
		*s = successes{}
	}
	(*s)[where] = append((*s)[where], at)
}

// A clientKey names a client of one provider and environment.
type clientKey struct{ provider, environment, client string }

// traffic counts successes by the minute, and apart before and after each failure of the same client among the failures,
// so that the successes around a failure keep their times.
func (s successes) traffic(failures []store.Failure) []store.Traffic {
	failed := map[clientKey][]time.Time{}
	for n := range failures {
		v := &failures[n].Verdict
		key := clientKey{v.Provider, v.Environment, v.ClientID}
		failed[key] = append(failed[key], v.Time)
	}
	for _, times := range failed {
		slices.SortFunc(times, time.Time.Compare)
	}
	out := make([]store.Traffic, 0, len(s))
	for where, times := range s {
		slices.SortFunc(times, time.Time.Compare)
		out = appendTraffic(out, where, times, failed[clientKey{where.provider, where.environment, where.client}])
	}
	return out
}

// appendTraffic counts the sorted times of one site.
func appendTraffic(out []store.Traffic, where *site, times, failed []time.Time) []store.Traffic {
	for len(times) > 0 {
		first := times[0]
		for len(failed) > 0 && !failed[0].After(first) {
			failed = failed[1:]
		}
		n := 1
		for n < len(times) && sameMinute(times[n], first) && (len(failed) == 0 || times[n].Before(failed[0])) {
			n++
		}
		out = append(out, store.Traffic{
			Provider: where.provider, Environment: where.environment, ClientID: where.client, Endpoint: where.endpoint,
			Count: int64(n), First: first, Last: times[n-1],
		})
		times = times[n:]
	}
	return out
}

func sameMinute(a, b time.Time) bool { return a.Unix()/60 == b.Unix()/60 }
