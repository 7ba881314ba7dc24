package api

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// A moment is a time as a page shows it: Text for people, ISO for the datetime attribute. ISO is empty when there is none.
type moment struct {
	ISO  string
	Text string
}

// at shows a time to the second, in the time zone of now; without is the text for the zero time.
func at(t time.Time, now time.Time, without string) moment {
	if t.IsZero() {
		return moment{Text: without}
	}
	return moment{ISO: t.UTC().Format("2006-01-02T15:04:05.000Z"), Text: stamp(t, now)}
}

// stamp leaves out what is the same as now: the year, and on the same day the date.
func stamp(t, now time.Time) string {
	if now.Location() == time.Local { // of the server, which nobody has chosen
		now = now.UTC()
	}
	t = t.In(now.Location())
	switch {
	case t.Year() != now.Year():
		return t.Format("2 Jan 2006 15:04:05")
	case t.YearDay() != now.YearDay():
		return t.Format("2 Jan 15:04:05")
	default:
		return t.Format("15:04:05")
	}
}

// ago shows how long before now a time is, "4 min ago"; a later one reads "in 9 s".
func ago(t, now time.Time, without string) moment {
	m := at(t, now, without)
	if t.IsZero() {
		return m
	}
	if d := now.Sub(t); d >= 0 {
		m.Text = roughly(d) + " ago"
	} else {
		m.Text = "in " + roughly(-d)
	}
	return m
}

// durationWords writes a duration with its two largest units: "4 min 12 s". Negative ones are written as positive.
func durationWords(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	switch {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return strconv.FormatInt(int64(d/time.Second), 10) + " s"
	case d < time.Hour:
		return twoUnits(d, time.Minute, "min", time.Second, "s")
	case d < 24*time.Hour:
		return twoUnits(d, time.Hour, "h", time.Minute, "min")
	case d < 400*24*time.Hour:
		return twoUnits(d, 24*time.Hour, "d", time.Hour, "h")
	default:
		return strconv.FormatFloat(d.Hours()/24/365.25, 'f', 1, 64) + " years"
	}
}

func twoUnits(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	text := strconv.FormatInt(int64(d/large), 10) + " " + largeName
	if rest := int64(d % large / small); rest > 0 {
		text += " " + strconv.FormatInt(rest, 10) + " " + smallName
	}
	return text
}

// roughly writes a duration with its largest unit: "4 min".
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return strconv.FormatInt(int64(d/time.Second), 10) + " s"
	case d < time.Hour:
		return strconv.FormatInt(int64(d/time.Minute), 10) + " min"
	case d < 48*time.Hour:
		return strconv.FormatInt(int64(d/time.Hour), 10) + " h"
	default:
		return strconv.FormatInt(int64(d/(24*time.Hour)), 10) + " d"
	}
}

// numericDate reads a claim as RFC 7519 NumericDate, or in another unit than its seconds. Before 1970 and after the year
// 9999 it is none: such a time.Time would not even marshal.
func numericDate(claim any, unit time.Duration) (t time.Time, ok bool) {
	var seconds float64
	switch v := claim.(type) {
	case json.Number:
		parsed, err := v.Float64()
		if err != nil {
			return time.Time{}, false
		}
		seconds = parsed
	case float64:
		seconds = v
	case int64:
		seconds = float64(v)
	default:
		return time.Time{}, false
	}
	seconds *= unit.Seconds()
	if math.IsNaN(seconds) || seconds < 0 || seconds > 253402300799 {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), true
}

// isTimeClaim names the claims whose values are NumericDates.
func isTimeClaim(name string) bool {
	switch name {
	case "exp", "nbf", "iat", "auth_time", "updated_at":
		return true
	}
	return false
}

// claimTimeWords puts a time claim relative to the request that carried it, never to the reader's now.
func claimTimeWords(name string, claim, request time.Time) string {
	gap := request.Sub(claim)
	if gap.Abs() >= time.Second {
		gap = gap.Round(time.Second) // as the check beside it says it
	}
	words := durationWords(gap)
	switch {
	case name == "exp" && gap >= 0:
		return "expired " + words + " before this request"
	case name == "exp":
		return "valid for another " + words
	case name == "nbf" && gap >= 0:
		return "valid since " + words + " before this request"
	case name == "nbf":
		return "not valid until " + words + " after this request"
	case name == "iat" && gap >= 0:
		return "issued " + words + " before this request"
	case name == "iat":
		return "issued " + words + " after this request"
	case gap >= 0:
		return words + " before this request"
	default:
		return words + " after this request"
	}
}
