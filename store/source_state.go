package store

import "time"

// A SourceState says how a source is doing, by receipt and never by the times in its records.
type SourceState string

// The states of a source.
const (
	SourceOK      SourceState = "ok"
	SourceLagging SourceState = "lagging" // half of its records come more than lateAfter after their events
	SourceSilent  SourceState = "silent"  // nothing came for longer than its habit allows
)

const (
	rhythmSpan = 24 * time.Hour // of a source's past that tells its habit
	// rhythmMinutes is in how many minutes a source must have sent before its silence means anything: a file that
	// is sent once is done, not silent.
	rhythmMinutes = 10
	steadySpan    = time.Hour        // a source is steady that sent in four of five minutes of it
	silentAfter   = 5 * time.Minute  // without a record from a steady source
	idleAfter     = 15 * time.Minute // at the least, from one that is not steady
	lateAfter     = 5 * time.Minute
	recentSpan    = 10 * time.Minute // that rate and lag are of
	gapMinutes    = 3                // without a record make a gap in a steady source
)

// LastAt is when the last record came; the zero time when none within the week.
func (s Source) LastAt() time.Time {
	for i := len(s.Minutes) - 1; i >= 0; i-- {
		if s.Minutes[i].Records() > 0 {
			return s.Minutes[i].LastAt
		}
	}
	return time.Time{}
}

// heard are the starts of the minutes in which records came.
func (s Source) heard() []time.Time {
	starts := make([]time.Time, 0, len(s.Minutes))
	for _, m := range s.Minutes {
		if m.Records() > 0 {
			starts = append(starts, m.Start)
		}
	}
	return starts
}

// State is how the source is doing at that time, and since when.
func (s Source) State(now time.Time) (state SourceState, since time.Time) {
	heard := s.heard()
	if s.Key.ID == "" || !s.Key.RevokedAt.IsZero() || len(heard) < rhythmMinutes {
		return SourceOK, time.Time{}
	}
	if last := s.LastAt(); now.Sub(last) > patience(heard) {
		return SourceSilent, last
	}
	recent := s.Recent(now)
	if recent.Lags.Median() > lateAfter {
		return SourceLagging, recent.Start
	}
	return SourceOK, time.Time{}
}

// patience is how long nothing may come before a source counts as silent: some minutes for a steady one, and twice the
// longest pause of its day for any other.
func patience(heard []time.Time) time.Duration {
	if steadyBefore(heard, len(heard)) {
		return silentAfter
	}
	longest := time.Duration(0)
	for i := 1; i < len(heard); i++ {
		longest = max(longest, heard[i].Sub(heard[i-1]))
	}
	return max(idleAfter, 2*longest)
}

// steadyBefore is true when records came in four of five minutes of the hour that ends with the minute before n. A
// source that is younger than that is measured from its first minute.
func steadyBefore(heard []time.Time, n int) bool {
	if n < rhythmMinutes {
		return false
	}
	end := heard[n-1]
	first := n - 1
	for first > 0 && end.Sub(heard[first-1]) < steadySpan {
		first--
	}
	span := steadySpan
	if first == 0 {
		span = min(span, end.Sub(heard[0])+time.Minute)
	}
	return n-first >= rhythmMinutes && time.Duration(n-first)*time.Minute*5 >= span*4
}

// Recent adds up the last ten minutes, the present one included.
func (s Source) Recent(now time.Time) SourceMinute {
	return s.since(now, recentSpan)
}

// Day adds up the last day.
func (s Source) Day(now time.Time) SourceMinute { return s.since(now, rhythmSpan) }

func (s Source) since(now time.Time, span time.Duration) SourceMinute {
	sum := SourceMinute{Start: now.Add(-span)}
	for _, m := range s.Minutes {
		if !m.Start.After(sum.Start) {
			continue
		}
		sum.LastAt = m.LastAt
		sum.Accepted += m.Accepted
		sum.Duplicates += m.Duplicates
		sum.Other += m.Other
		sum.Rejected += m.Rejected
		sum.Refused += m.Refused
		sum.Gathered += m.Gathered
		sum.Altered += m.Altered
		sum.Lags.Merge(m.Lags)
	}
	return sum
}

// A Gap is minutes without a record from a source that was steady until then, [From, To).
type Gap struct{ From, To time.Time }

// Gaps lists the gaps of the source's last day, oldest first. A silence that still lasts is the last of them.
func (s Source) Gaps(now time.Time) []Gap {
	heard := s.heard()
	var gaps []Gap
	for n := 1; n < len(heard); n++ {
		from := heard[n-1].Add(time.Minute)
		if heard[n].Sub(from) >= gapMinutes*time.Minute && steadyBefore(heard, n) {
			gaps = append(gaps, Gap{From: from, To: heard[n]})
		}
	}
	if state, _ := s.State(now); state == SourceSilent {
		gaps = append(gaps, Gap{From: heard[len(heard)-1].Add(time.Minute), To: now})
	}
	return gaps
}
