package classify

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// httpDate is the form of a Date field, RFC 9110 section 5.6.7. It is written here because net/http is no part of a pure package.
const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

// sameClock is the difference in seconds that rounding and latency make between a Date field and the time of the log line.
const sameClock = 2

// judgedAt is the time, in seconds, by which the server judged the exchange, and how far its clock was from that of the log. The
// server's own Date field is the better witness when the two differ: a log whose clock is wrong must not make tokens expire. A Date
// that a cache handed on, or one that is a day off, says nothing.
func (r *Record) judgedAt() (at, gap float64) {
	at = secondsOf(r.Time)
	if r.Response == nil {
		return at, 0
	}
	field := r.Response.Headers.Get("date")
	if field == "" {
		return at, 0
	}
	date, ok := dateOfField(field)
	if !ok {
		return at, 0
	}
	gap = secondsOf(date) - at
	if math.Abs(gap) <= sameClock || math.Abs(gap) > 86400 || r.Response.Headers.Get("age") != "" {
		return at, 0
	}
	return secondsOf(date), gap
}

// dateOfField reads a Date field. Nearly all are of one length with the parts in one place, which is read many times quicker than a layout.
func dateOfField(field string) (time.Time, bool) {
	if len(field) == len(httpDate) && field[3] == ',' && field[19] == ':' && field[22] == ':' {
		month := strings.Index("JanFebMarAprMayJunJulAugSepOctNovDec", field[8:11])
		day, _ := wholeNumber(field[5:7])
		year, _ := wholeNumber(field[12:16])
		hour, okHour := wholeNumber(field[17:19])
		minute, okMinute := wholeNumber(field[20:22])
		second, okSecond := wholeNumber(field[23:25])
		if month >= 0 && month%3 == 0 && day >= 1 && day <= 28 && year >= 1 && okHour && hour < 24 && okMinute && minute < 60 && okSecond && second < 60 &&
			field[4] == ' ' && field[7] == ' ' && field[11] == ' ' && field[16] == ' ' && field[25:] == " GMT" && weekday(field[:3]) {
			return time.Date(int(year), time.Month(month/3+1), int(day), int(hour), int(minute), int(second), 0, time.UTC), true
		}
	}
	date, err := time.Parse(httpDate, field) // the last days of a month too, which not every month has
	return date, err == nil
}

func weekday(name string) bool {
	i := strings.Index("MonTueWedThuFriSatSun", name)
	return i >= 0 && i%3 == 0
}

// gapEvidence says that the log's clock was not believed.
func (x *examination) gapEvidence() Evidence {
	direction := " behind"
	if x.gap > 0 {
		direction = " ahead of"
	}
	return Evidence{Witness: WitnessResponse, Path: "response.headers.date", Observed: clip(x.Record.Response.Headers.Get("date")),
		Detail: "The server's clock was " + spanText(x.gap) + direction + " the log's; times are judged by the server's."}
}

// byBothClocks lowers a finding that holds by the server's clock and not by the log's: latency and a wrong clock look alike. excess
// is by how many seconds the token fails.
func (x *examination) byBothClocks(f *finding, excess float64) {
	if excess <= math.Abs(x.gap) {
		f.weight = min(f.weight, likely)
	}
}

// A clockEstimate is a client's clock against its servers', in seconds, negative when slow, with the number of assertions that it rests on.
type clockEstimate struct {
	low, high float64
	n         int64
}

// clockOffset estimates the client's clock from the iat of its assertions in this hour and the last. The largest difference is the
// one to use, since network and queues only make an assertion look older. It is one second uncertain each way by rounding; and the
// clock may be faster than it shows by the delay of the freshest assertion seen: a client may keep one for its whole lifetime, so the
// fewer there were, the more of it.
func (x *examination) clockOffset(lifetime float64) clockEstimate {
	if x.ClientID == "" || !x.asks(FactClock, x.Environment) {
		return clockEstimate{}
	}
	now, _ := x.fact(FactClock, x.Environment, clockName(x.ClientID, x.Record.Time))
	before, _ := x.fact(FactClock, x.Environment, clockName(x.ClientID, x.Record.Time.Add(-time.Hour)))
	both := now.Merge(before)
	return estimateClock(both, lifetime)
}

func estimateClock(f Fact, lifetime float64) clockEstimate {
	largest := f.MaxOffset.Seconds()
	return clockEstimate{low: largest - 1, high: largest + 2 + max(lifetime, 0)/float64(f.Count+1), n: f.Count}
}

// A ClockReading is a client's clock against its servers', measured by the assertions of one hour: between Low and High seconds
// ahead, negative when behind.
type ClockReading struct {
	Low, High  float64
	Assertions int64
}

// ClockKey names the fact that holds the clock of a client in the hour of a time. It is kept for ClockKept.
func ClockKey(provider, environment, client string, at time.Time) Key {
	return Key{Kind: FactClock, Provider: provider, Environment: environment, Name: boundedName(clockName(client, at))}
}

// ClockKept is how long readings of clocks are kept, so that a drift can be seen.
const ClockKept = 7 * 24 * time.Hour

// ReadClock reads a fact under a ClockKey; lifetime is that of the client's assertions, which it may keep for so long before it
// sends one. ok is false when there was no assertion.
func ReadClock(f Fact, lifetime time.Duration) (r ClockReading, ok bool) {
	if f.Count == 0 {
		return ClockReading{}, false
	}
	e := estimateClock(f, lifetime.Seconds())
	return ClockReading{Low: e.low, High: e.high, Assertions: e.n}, true
}

// slow says by how much, with the uncertainty: "11 to 12 min slow, by 5 earlier assertions".
func (c clockEstimate) slow() string {
	least, most := spanText(max(-c.high, 0)), spanText(-c.low)
	if least != most {
		most = least + " to " + most
	}
	return most + " slow, by " + strconv.FormatInt(c.n, 10) + " earlier assertions"
}
