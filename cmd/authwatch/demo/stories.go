package demo

import "time"

// What happened in the last day, in time before now. Each is something that an on-call engineer has met.
const (
	deploy      = 6 * time.Hour                // order-router 2.14.0 goes out: its retries send the same assertion again
	driftStart  = 17 * time.Hour               // market-data's host loses NTP and its clock falls behind …
	driftEnd    = 9 * time.Hour                // … until somebody restarts the daemon
	driftAtEnd  = 8 * time.Minute              //
	mixUpStart  = 13 * time.Hour               // risk-engine is configured with pre-production credentials in production
	mixUpEnd    = mixUpStart - 40*time.Minute  //
	rotateStart = 10 * time.Hour               // clinic-results signs with a new key that nobody saved in the dashboard
	rotateEnd   = rotateStart - 70*time.Minute //
	outageStart = 170 * time.Minute            // the exchange's token endpoint is down for everybody
	outageEnd   = outageStart - 5*time.Minute  //
	silence     = 7 * time.Hour                // settlement is refused without a word
	endpointNew = 4 * time.Hour                // position-reports calls an endpoint for which it has no scope
)

func during(now, t time.Time, start, end time.Duration) bool {
	return !t.Before(now.Add(-start)) && t.Before(now.Add(-end))
}

// obtain asks for a token at t: whether it is granted, and every exchange that this took.
func (m *maker) obtain(now time.Time, c client, t time.Time) (granted bool, all []*exchange) {
	production := c.environment == exchangeProd()
	switch {
	case production && during(now, t, outageStart, outageEnd):
		return false, []*exchange{m.tokenRequest(c, t, m.assertion(c, t)).answer(503, gatewayDown)}
	case c.service == "risk-engine" && production && during(now, t, mixUpStart, mixUpEnd):
		return false, nil // its own story tells what it sent
	case c.service == "market-data" && during(now, t, driftStart, driftEnd):
		return m.driftedClock(now, c, t)
	case c.service == "clinic-results" && during(now, t, rotateStart, rotateEnd):
		return false, nil
	case c.service == "clinic-results" && t.After(now.Add(-rotateEnd)):
		c.kid = "clinic-results-2026"
	case c.service == "order-router" && production && t.After(now.Add(-deploy)):
		c.version = "2.14.0"
		if m.rng.IntN(2) == 0 {
			return true, reusedJTI(m, c, t)
		}
	}
	return true, []*exchange{m.tokenRequest(c, t, m.assertion(c, t))}
}

// driftedClock is a client whose clock falls further and further behind.
func (m *maker) driftedClock(now time.Time, c client, t time.Time) (granted bool, all []*exchange) {
	passed := driftStart - now.Sub(t)
	behind := time.Duration(float64(driftAtEnd) * float64(passed) / float64(driftStart-driftEnd))
	x := m.tokenRequest(c, t, m.assertion(c, t.Add(-behind)))
	if behind < 5*time.Minute+10*time.Second { // the assertion's life and the server's tolerance
		return true, []*exchange{x}
	}
	again := m.tokenRequest(c, t.Add(5*time.Second), m.assertion(c, t.Add(5*time.Second-behind)))
	return false, []*exchange{
		x.refuse("invalid_client_assertion"),
		again.refuse("invalid_client_assertion"),
	}
}

// stories is what does not belong to anybody's regular sessions.
func (m *maker) stories(now time.Time) []*exchange {
	all := m.wrongCredentials(now)
	all = append(all, m.keyNotSaved(now)...)
	all = append(all, m.missingScope(now)...)
	all = append(all, m.outage(now)...)
	all = append(all, m.silentGateway(now)...)
	all = append(all, m.experiments(now)...)
	all = append(all, m.onboarding(now, newcomer(), exchangeGuide(), 22*time.Hour, 13*time.Hour)...)
	all = append(all, m.onboarding(now, intake(), healthTable(), 8*time.Hour, time.Hour)...)
	return all
}

// silentGateway: for some minutes a gateway answers 401 to token requests and says nothing, and logs neither body nor token. Nobody can
// tell why from that, and the verdict has to say so.
func (m *maker) silentGateway(now time.Time) []*exchange {
	var all []*exchange
	c := clientOf("settlement-prod")
	for n := range 9 {
		x := m.tokenRequest(c, now.Add(-silence+time.Duration(n)*40*time.Second), nil).answer(401, nil)
		x.shown, x.parameters = decoded, nil
		all = append(all, x)
	}
	return all
}

// experiments: in development somebody always tries something out, so that some causes are old friends.
func (m *maker) experiments(now time.Time) []*exchange {
	var all []*exchange
	c := clientOf("order-router-dev")
	c.scope = "read:orders"
	known := []mistake{missingToken, expiredToken, wrongScheme, scopeGap, slowClock, wrongKey}
	for t := now.Add(-24*time.Hour - history); t.Before(now); t = t.Add(90*time.Minute + time.Duration(m.rng.Int64N(int64(2*time.Hour)))) {
		all = append(all, known[m.rng.IntN(len(known))](m, c, t)...)
	}
	return all
}

// wrongCredentials: a configuration push gave the production risk engine its pre-production client id and key.
func (m *maker) wrongCredentials(now time.Time) []*exchange {
	var all []*exchange
	c := clientOf("risk-engine-preprod")
	c.environment, c.version, c.shown = exchangeProd(), "4.0.2", decoded
	for t := now.Add(-mixUpStart); t.Before(now.Add(-mixUpEnd)); t = t.Add(90 * time.Second) {
		all = append(all, m.tokenRequest(c, t, m.assertion(c, t)).refuse("invalid_client"))
	}
	// A token of pre-production at the production API is refused as well.
	for t := now.Add(-mixUpStart + 10*time.Minute); t.Before(now.Add(-mixUpEnd)); t = t.Add(6 * time.Minute) {
		token := m.accessToken(clientOf("risk-engine-preprod"), t)
		all = append(all, m.apiCall(c, t, token, c.calls[0]).challenge(401, unexpectedIssuer, "Unauthorized"))
	}
	return all
}

// keyNotSaved: the new public key was pasted into the dashboard and "Save Changes" was not clicked.
func (m *maker) keyNotSaved(now time.Time) []*exchange {
	var all []*exchange
	c := clientOf("clinic-results")
	c.kid = "clinic-results-2026"
	for t := now.Add(-rotateStart); t.Before(now.Add(-rotateEnd)); t = t.Add(4 * time.Minute) {
		all = append(all, m.tokenRequest(c, t, m.assertion(c, t)).describe(keyNotFound))
	}
	return all
}

func (m *maker) missingScope(now time.Time) []*exchange {
	var all []*exchange
	c := clientOf("position-reports-prod")
	c.version = "1.3.0"
	for t := now.Add(-endpointNew); t.Before(now); t = t.Add(5 * time.Minute) {
		all = append(all, m.reportRefused(c, t))
	}
	return all
}

func (m *maker) reportRefused(c client, t time.Time) *exchange {
	x := m.apiCall(c, t, m.accessToken(c, t.Add(-40*time.Second)), call{"GET", "/v1/reports/positions"})
	return x.challenge(403, insufficientScope("read:reports"), "Forbidden")
}

// outage: every production client asks again and again while the token endpoint is down.
func (m *maker) outage(now time.Time) []*exchange {
	var all []*exchange
	for _, c := range cast() {
		if c.environment != exchangeProd() {
			continue
		}
		c.shown = decoded
		for t := now.Add(-outageStart); t.Before(now.Add(-outageEnd)); t = t.Add(20*time.Second + time.Duration(m.rng.Int64N(int64(20*time.Second)))) {
			all = append(all, m.tokenRequest(c, t, m.assertion(c, t)).answer(503, gatewayDown))
		}
	}
	return all
}

// onboarding lets a client make every mistake once, in the order of its document, then work.
func (m *maker) onboarding(now time.Time, c client, mistakes []mistake, start, end time.Duration) []*exchange {
	var all []*exchange
	step := (start - end) / time.Duration(len(mistakes))
	for i, wrong := range mistakes {
		t := now.Add(-start + time.Duration(i)*step)
		c.shown = form(i % 3) // its shipper is being set up, too
		if i%4 == 0 {
			all = append(all, m.session(now, c, t.Add(-step/3))...)
		}
		all = append(all, wrong(m, c, t)...)
	}
	return all
}

func clientOf(id string) client {
	for _, c := range cast() {
		if c.id == id {
			return c
		}
	}
	return client{}
}
