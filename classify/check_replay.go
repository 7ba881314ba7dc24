package classify

import "time"

// jtiFact is what history knows of the assertion's jti, if an earlier exchange showed it.
func (x *examination) jtiFact() (Fact, bool) {
	if !x.assertion || x.token == nil || !x.asks(FactJTI, x.Environment) {
		return Fact{}, false
	}
	jti := textOf(x.claims.jti)
	if jti == "" {
		return Fact{}, false
	}
	f, ok := x.fact(FactJTI, x.Environment, textOf(x.claims.iss), jti)
	if !ok || f.Count == 0 || f.FirstSeen.After(x.Record.Time) || f.FirstExchange == x.identity() {
		return Fact{}, false
	}
	return f, true
}

func (x *examination) jtiSeenBefore() bool {
	_, ok := x.jtiFact()
	return ok
}

// checkJTI looks for a second use of a single-use assertion. Only the same token, or a jti whose earlier use the server
// accepted, counts: anybody can put somebody else's jti into a forged token.
func checkJTI(x *examination) {
	const check = demandJTI
	if !x.assertion || !x.readable(check) || textOf(x.claims.jti) == "" {
		return
	}
	path := x.claimPath("jti")
	rules := x.Profile.Assertion
	if rules != nil && !rules.SingleUseJTI {
		x.skip(check, path, "this provider does not ask for a new jti each time")
		return
	}
	fact, ok := x.jtiFact()
	if !ok {
		x.pass(check, path, "this jti was not seen before")
		return
	}
	f := finding{cause: JTIReuse, weight: likely, witness: WitnessHistory, path: path, observed: clip(textOf(x.claims.jti)), expected: "a new value for each request",
		detail:  "the same jti was first seen at " + fact.FirstSeen.UTC().Format(time.RFC3339),
		repairs: []Edit{{Op: "replace", Path: path, Value: "<a new UUID for each request>"}}}
	switch {
	case fact.acceptedBy(x.Record.Time):
		f.detail = "an assertion with the same jti was accepted at " + fact.FirstAccepted.UTC().Format(time.RFC3339)
		if rules != nil {
			f.weight = demonstrated
		}
		x.report(check, f)
	case fact.FirstTokenPrint == x.token.fingerprint():
		x.report(check, f)
	default:
		x.pass(check, path, "another token claimed this jti before and was not accepted")
	}
}
