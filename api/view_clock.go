package api

import (
	"context"
	"fmt"
	"math"
	"time"

	"authwatch/classify"
)

// A clockHour is what the assertions of a client in one hour say of its clock.
type clockHour struct {
	Start time.Time
	classify.ClockReading
}

// clockOf reads the clock of a client in one environment, hour by hour, as far back as readings are kept.
func (s *Server) clockOf(ctx context.Context, provider, environment, client string, lifetime time.Duration, w window) ([]clockHour, error) {
	var keys []classify.Key
	var starts []time.Time
	from := latestOf(w.From, s.Now().Add(-classify.ClockKept)).UTC().Truncate(time.Hour)
	for start := from; start.Before(w.To); start = start.Add(time.Hour) {
		starts = append(starts, start)
		keys = append(keys, classify.ClockKey(provider, environment, client, start))
	}
	snapshot, err := s.Store.History(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read clock: %w", err)
	}
	var hours []clockHour
	for n := range keys {
		if reading, ok := classify.ReadClock(snapshot.Fact(n), lifetime); ok {
			hours = append(hours, clockHour{starts[n], reading})
		}
	}
	return hours, nil
}

// A clockView draws a client's clock as a band between the least and the most that it can be off.
type clockView struct {
	Place   string
	Summary string
	Band    string // path
	Zero    float64
	Ticks   []string
	Labels  []string
	Rows    []clockRow
}

type clockRow struct {
	Hour       moment
	Between    string
	Assertions string
}

const (
	clockWidth  = 960
	clockHeight = 120
)

func clockViewOf(place string, hours []clockHour, w window) clockView {
	v := clockView{Place: place, Summary: clockWords(hours, w.Now), Labels: axisLabels(w)}
	if len(hours) == 0 {
		return v
	}
	low, high := -5., 5.
	for _, h := range hours {
		low, high = min(low, h.Low), max(high, h.High)
	}
	y := func(seconds float64) float64 { return clockHeight * (high - seconds) / (high - low) }
	span := float64(w.To.Sub(w.From))
	x := func(t time.Time) float64 { return clockWidth * min(max(float64(t.Sub(w.From))/span, 0), 1) }
	v.Zero, v.Ticks = round(y(0)), []string{offsetWords(high), offsetWords(low)}
	for _, h := range hours {
		left, right := x(h.Start), x(h.Start.Add(time.Hour))
		v.Band += "M" + short(left) + " " + short(y(h.High)) + "H" + short(max(right, left+2)) + "V" + short(max(y(h.Low), y(h.High)+2)) + "H" + short(left) + "Z"
		v.Rows = append(v.Rows, clockRow{Hour: at(h.Start, w.Now, "–"), Between: betweenWords(h.ClockReading), Assertions: count(h.Assertions)})
	}
	return v
}

// clockWords says how the clock goes now, since when it is off, and whether it drifts.
func clockWords(hours []clockHour, now time.Time) string {
	if len(hours) == 0 {
		return "No assertion of this time says anything about its clock."
	}
	last := hours[len(hours)-1]
	text := "In the hour from " + stamp(last.Start, now) + " its clock was " + betweenWords(last.ClockReading) + ", by " + counted(last.Assertions, "assertion", "assertions")
	if !isOff(last.ClockReading) {
		return text + "."
	}
	since := last.Start
	for n := len(hours) - 1; n >= 0 && isOff(hours[n].ClockReading) && (hours[n].High < 0) == (last.High < 0); n-- {
		since = hours[n].Start
	}
	text += "; it is wrong since " + stamp(since, now)
	if apart := last.Start.Sub(since).Hours(); apart >= 2 {
		for _, h := range hours {
			if h.Start.Equal(since) {
				if drift := (last.Low - h.Low) / apart; math.Abs(drift) >= 0.1 {
					text += fmt.Sprintf(", drifting %.1f s an hour", drift)
				}
			}
		}
	}
	return text + "."
}

// isOff is true for a clock that is certainly wrong.
func isOff(r classify.ClockReading) bool { return r.High < 0 || r.Low > 0 }

// betweenWords says how far a clock is off.
func betweenWords(r classify.ClockReading) string {
	switch {
	case r.High < 0:
		return spanWords(-r.High, -r.Low) + " slow"
	case r.Low > 0:
		return spanWords(r.Low, r.High) + " fast"
	default:
		return "right to within " + durationWords(secondsSpan(max(-r.Low, r.High)))
	}
}

func spanWords(least, most float64) string {
	a, b := durationWords(secondsSpan(least)), durationWords(secondsSpan(most))
	if a == b {
		return a
	}
	return a + " to " + b
}

func offsetWords(seconds float64) string {
	if seconds < 0 {
		return durationWords(secondsSpan(seconds)) + " slow"
	}
	return durationWords(secondsSpan(seconds)) + " fast"
}

func secondsSpan(seconds float64) time.Duration {
	return time.Duration(math.Round(seconds)) * time.Second
}
