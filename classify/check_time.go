package classify

import (
	"math"
	"time"
)

// Times are always judged against the event's own time: a record may be read days later.

// seconds of a Duration.
func (d Duration) seconds() float64 { return time.Duration(d).Seconds() }

// A slow clock is believed up to maxDrift: machines drift by minutes, and an assertion hours past its exp was kept.
const maxDrift = 20 * 60 // seconds

// freshLifetime is the longest lifetime of an assertion that is built for one request.
const freshLifetime = 15 * 60 // seconds

// date is a time claim that is written as the RFC asks; other forms are checkUnits' business.
func (x *examination) date(name string) (float64, bool) {
	d := x.numericDate(name)
	return d.seconds, d.form == dateSeconds
}

func (x *examination) numericDate(name string) numericDate {
	switch name {
	case "exp":
		return x.exp
	case "nbf":
		return x.nbf
	}
	return x.iat
}

// checkExpiry compares exp with the event's time.
func checkExpiry(x *examination) {
	const check = demandExpiry
	if !x.readable(check) {
		return
	}
	exp, ok := x.date("exp")
	if !ok {
		return
	}
	path := x.claimPath("exp")
	late := x.at - exp
	if late <= x.skew() {
		number, unit := spanOf(late)
		if late > 0 {
			x.pass(check, path, "exp passed ", number, unit, " before, within the allowed skew")
			return
		}
		x.pass(check, path, "exp was ", number, unit, " ahead")
		return
	}
	f := finding{cause: TokenExpired, weight: demonstrated, path: path, observed: clockText(exp), expected: "after " + clockText(x.at-x.skew()),
		detail: x.say("exp passed ", spanText(late), " before the request"), repairs: []Edit{{Op: "replace", Path: path, Value: int64(x.at) + x.properLifetime()}}}
	if x.assertion {
		x.expiredAssertion(&f, exp, late)
	} else {
		x.expiredToken(&f)
	}
	x.byBothClocks(&f, late-x.skew())
	tolerable := x.Profile.Assertion == nil && x.assertion && late < 60 // an unknown server may allow that much
	if tolerable {
		f.weight = likely
	}
	if tolerable || late-x.skew() <= math.Abs(x.gap) {
		x.report(check, f)
		return
	}
	x.fail(check, f) // exp has passed for sure, though it may not be sure why
}

func (x *examination) expiredToken(f *finding) {
	fact, ok := x.tokenFact()
	if ok && !fact.FirstAccepted.IsZero() && !fact.FirstAccepted.After(x.Record.Time) {
		f.cause, f.witness = ExpiredMidSession, WitnessHistory
		f.detail += "; the same token was accepted from " + fact.FirstAccepted.UTC().Format(time.RFC3339)
		return
	}
	iat, ok := x.date("iat")
	if clock := x.clockOffset(0); ok && clock.n >= 2 && clock.high < -60 && x.at-iat < maxDrift {
		f.cause, f.weight, f.witness = ClockSkew, likely, WitnessHistory
		f.detail += "; the client's clock is " + clock.slow()
	}
}

// expiredAssertion tells a slow clock from a kept assertion: a client that builds a short-lived assertion for each request can
// only send an expired one if its clock is slow.
func (x *examination) expiredAssertion(f *finding, exp, late float64) {
	f.cause = AssertionExpired
	iat, ok := x.date("iat")
	if !ok || x.jtiSeenBefore() {
		return
	}
	age, lifetime := x.at-iat, exp-iat
	clock := x.clockOffset(lifetime)
	_, single := x.claim("jti") // without one, nobody knows whether this assertion was sent before
	switch {
	case clock.n >= 3 && clock.high < -x.skew()-lifetime && age < maxDrift*3 && single:
		f.cause, f.witness, f.path, f.observed, f.expected = ClockSkew, WitnessHistory, x.claimPath("iat"), clockText(iat), clockText(x.at)
		f.detail = "the assertion was expired when it was made: the client's clock is " + clock.slow()
	case lifetime > 0 && lifetime <= freshLifetime && age <= maxDrift:
		f.cause, f.weight, f.path, f.observed, f.expected = ClockSkew, likely, x.claimPath("iat"), clockText(iat), clockText(x.at)
		f.detail = "an assertion made for " + spanText(lifetime) + " arrived already expired by " + spanText(late) + ": the client's clock looks slow"
	}
}

// checkNotBefore compares nbf with the event's time.
func checkNotBefore(x *examination) {
	const check = demandNotBefore
	if !x.readable(check) {
		return
	}
	nbf, ok := x.date("nbf")
	if !ok {
		return
	}
	path := x.claimPath("nbf")
	ahead := nbf - x.at
	if ahead <= x.skew()+1 { // one second for rounding
		x.pass(check, path, "nbf has passed")
		return
	}
	f := finding{cause: NotYetValid, weight: demonstrated, path: path, observed: clockText(nbf), expected: "not after " + clockText(x.at+x.skew()),
		detail: "nbf is " + spanText(ahead) + " ahead of the request", repairs: []Edit{{Op: "replace", Path: path, Value: int64(x.at)}}}
	if iat, known := x.date("iat"); known && iat-x.at > x.skew()+1 {
		f.cause = ClockSkew
		f.detail = "nbf and iat are " + spanText(ahead) + " ahead: the clock that made the token is fast"
	}
	x.byBothClocks(&f, ahead-x.skew()-1)
	x.report(check, f)
}

// checkIssuedAt looks at iat: not ahead, and not older than the profile allows.
func checkIssuedAt(x *examination) {
	const check = demandIssuedAt
	if !x.readable(check) {
		return
	}
	iat, ok := x.date("iat")
	if !ok {
		return
	}
	path := x.claimPath("iat")
	ahead := iat - x.at
	if ahead > x.skew()+1 {
		f := x.misdated(ClockSkew, path, iat)
		f.expected = "not after " + clockText(x.at+x.skew())
		f.detail = "iat is " + spanText(ahead) + " ahead of the request: the clock that made the token is fast"
		if ahead < 60 && x.words.subject&aboutTime == 0 {
			f.weight = likely // many servers do not look at iat
		}
		x.byBothClocks(&f, ahead-x.skew()-1)
		x.report(check, f)
		return
	}
	rules := x.Profile.Assertion
	if !x.assertion || rules == nil || rules.MaxAge == nil {
		x.pass(check, path, "iat is not ahead")
		return
	}
	exp, dated := x.date("exp")
	if dated && x.at-exp > x.skew() {
		x.skip(check, path, "exp has passed as well, which explains more")
		return
	}
	limit := rules.MaxAge.seconds()
	if age := -ahead; age > limit+x.skew() {
		f := x.misdated(AssertionTooOld, path, iat)
		f.expected = "at most " + spanText(limit) + " old"
		f.detail = "the assertion was " + spanText(age) + " old; at most " + spanText(limit) + " is allowed"
		x.byBothClocks(&f, age-limit-x.skew())
		x.report(check, f)
		return
	}
	x.pass(check, path, "iat is recent")
}

func (x *examination) misdated(cause Code, path string, iat float64) finding {
	return finding{cause: cause, weight: demonstrated, path: path, observed: clockText(iat), repairs: []Edit{{Op: "replace", Path: path, Value: int64(x.at)}}}
}

// checkLifetime compares exp − iat with the longest lifetime that the profile allows.
func checkLifetime(x *examination) {
	const check = demandLifetime
	if !x.assertion && x.Profile.AccessToken != nil && x.Profile.AccessToken.Lifetime != nil {
		x.tokenLifetime(check, x.Profile.AccessToken.Lifetime.seconds())
		return
	}
	if !x.assertion || !x.readable(check) || x.Profile.Assertion == nil || x.Profile.Assertion.MaxLifetime == nil {
		return
	}
	exp, ok := x.date("exp")
	if !ok {
		return
	}
	path := x.claimPath("exp")
	start, dated := x.date("iat")
	if !dated {
		start = x.at
	}
	limit := x.Profile.Assertion.MaxLifetime.seconds()
	if lifetime := exp - start; lifetime > limit+x.skew() {
		f := finding{cause: LifetimeTooLong, weight: demonstrated, path: path,
			repairs: []Edit{{Op: "replace", Path: path, Value: int64(start) + int64(limit)}, {Op: "replace", Path: x.claimPath("iat"), Value: int64(x.at)}}}
		if !x.quiet { // what nearly every edit of an assertion's exp would be asked for in vain
			f.observed, f.expected = spanText(lifetime), "at most "+spanText(limit)
			f.detail = "exp is " + spanText(lifetime) + " after iat; at most " + spanText(limit) + " is allowed"
		}
		x.fail(check, f)
		return
	}
	number, unit := spanOf(limit)
	x.pass(check, path, "the lifetime is within ", number, unit)
}

// tokenLifetime compares an access token with the lifetime that the provider's tokens have. It is the issuer's choice and not the
// client's, so a longer one decides only when the server complains of it; but it dates a token whose exp was not kept.
func (x *examination) tokenLifetime(check demand, limit float64) {
	if !x.readable(check) {
		return
	}
	iat, issued := x.date("iat")
	exp, dated := x.date("exp")
	path := x.claimPath("exp")
	switch {
	case issued && dated && exp-iat > limit+max(x.skew(), 1):
		f := finding{cause: LifetimeTooLong, weight: likely, path: path, observed: spanText(exp - iat), expected: spanText(limit),
			detail: "the token lives " + spanText(exp-iat) + ", this provider's live " + spanText(limit)}
		if x.words.subject&aboutLifetime == 0 {
			x.skip(check, path, f.detail+"; whether the API minds is not known")
			return
		}
		x.report(check, f)
	case issued && dated:
		x.pass(check, path, "the lifetime is the provider's own")
	case issued && x.claims.exp == nil && x.at-iat > limit+x.skew():
		x.report(check, finding{cause: TokenExpired, weight: likely, path: x.claimPath("iat"), observed: clockText(iat), expected: "at most " + spanText(limit) + " old",
			detail: "the token was " + spanText(x.at-iat) + " old and its exp is not known; this provider's tokens live " + spanText(limit)})
	default:
		x.skip(check, path, "exp or iat is not known")
	}
}
