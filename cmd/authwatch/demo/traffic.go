package demo

import (
	"slices"
	"time"
)

const (
	history = 8 * 24 * time.Hour // thinner traffic before the last day, so that last week can be compared
	thin    = 0.4                // of the last day's density
)

// day is the traffic of the last 24 hours before now and of the thinner week before, in time order.
func (m *maker) day(now time.Time) []*exchange {
	var all []*exchange
	yesterday := now.Add(-24 * time.Hour)
	for _, c := range cast() {
		all = append(all, m.sessions(now, c, yesterday.Add(-history), yesterday, thin)...)
		all = append(all, m.sessions(now, c, yesterday, now, 1)...)
	}
	all = append(all, m.stories(now)...)
	slices.SortStableFunc(all, func(a, b *exchange) int { return a.record.Time.Compare(b.record.Time) })
	for len(all) > 0 && all[len(all)-1].record.Time.After(now) {
		all = all[:len(all)-1] // the end of a session that goes on
	}
	return all
}

// sessions is a client's regular traffic: it gets a token, works with it, gets the next.
func (m *maker) sessions(now time.Time, c client, from, to time.Time, density float64) []*exchange {
	var all []*exchange
	if from.Before(now.Add(-25 * time.Hour)) {
		c.shown = decoded // signing a week of tokens would make the start slow
	}
	for t := from.Add(m.pause(c, from, density)); t.Before(to); t = t.Add(m.pause(c, t, density)) {
		all = append(all, m.session(now, c, t)...)
	}
	return all
}

// pause is the time to the client's next session; outside its hours it is twice as long.
func (m *maker) pause(c client, t time.Time, density float64) time.Duration {
	mean := float64(24*time.Hour) / c.sessions / density
	if h := t.UTC().Hour(); h < c.hours[0] || h >= c.hours[1] {
		mean *= 2
	}
	return time.Duration(mean * (0.5 + m.rng.Float64()))
}

// session is one token and the calls made with it, as the stories of the day let it go.
func (m *maker) session(now time.Time, c client, t time.Time) []*exchange {
	granted, refused := m.obtain(now, c, t)
	if !granted {
		return refused
	}
	all := refused // what went wrong before the token was granted
	token := m.accessToken(c, t)
	if c.opaque {
		token = nil
	}
	for range 2 + m.rng.IntN(4) {
		at := t.Add(time.Second + time.Duration(m.rng.Int64N(int64(170*time.Second))))
		all = append(all, m.apiCall(c, at, token, c.calls[m.rng.IntN(len(c.calls))]))
	}
	if c.service == "settlement" && m.rng.IntN(3) == 0 {
		late := t.Add(184*time.Second + time.Duration(m.rng.Int64N(int64(40*time.Second))))
		all = append(all, m.apiCall(c, late, token, c.calls[0]).challenge(401, expired, "Unauthorized"))
	}
	return append(all, m.ordinaryErrors(c, t)...)
}

// ordinaryErrors are answers that are no auth failures and must not look like any.
func (m *maker) ordinaryErrors(c client, t time.Time) []*exchange {
	if m.rng.IntN(25) != 0 || c.opaque {
		return nil
	}
	x := m.apiCall(c, t.Add(30*time.Second), m.accessToken(c, t), c.calls[m.rng.IntN(len(c.calls))])
	switch m.rng.IntN(4) {
	case 0:
		x.answer(404, map[string]string{"message": "Not Found"})
	case 1:
		x.answer(409, map[string]string{"message": "Conflict"})
	case 2:
		x.answer(422, map[string]string{"message": "Unprocessable Entity"})
	default:
		x.answer(500, "Internal Server Error")
	}
	return []*exchange{x}
}
