package classify

import (
	"math"
	"strconv"
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
	if r.Response == nil || r.Response.Headers["date"] == "" || r.Response.Headers["age"] != "" {
		return at, 0
	}
	date, err := time.Parse(httpDate, r.Response.Headers["date"])
	if err != nil {
		return at, 0
	}
	gap = secondsOf(date) - at
	if math.Abs(gap) <= sameClock || math.Abs(gap) > 86400 {
		return at, 0
	}
	return secondsOf(date), gap
}

// gapEvidence says that the log's clock was not believed.
func (x *examination) gapEvidence() Evidence {
	direction := " behind"
	if x.gap > 0 {
		direction = " ahead of"
	}
	return Evidence{Witness: WitnessResponse, Path: "response.headers.date", Observed: clip(x.Record.Response.Headers["date"]),
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
	if x.ClientID == "" || len(x.history) == 0 {
		return clockEstimate{}
	}
	now := x.history[x.key(FactClock, clockName(x.ClientID, x.Record.Time))]
	before := x.history[x.key(FactClock, clockName(x.ClientID, x.Record.Time.Add(-time.Hour)))]
	both := now.Merge(before)
	largest := both.MaxOffset.Seconds()
	return clockEstimate{low: largest - 1, high: largest + 2 + max(lifetime, 0)/float64(both.Count+1), n: both.Count}
}

// slow says by how much, with the uncertainty: "11 to 12 min slow, by 5 earlier assertions".
func (c clockEstimate) slow() string {
	least, most := spanText(max(-c.high, 0)), spanText(-c.low)
	if least != most {
		most = least + " to " + most
	}
	return most + " slow, by " + strconv.FormatInt(c.n, 10) + " earlier assertions"
}
