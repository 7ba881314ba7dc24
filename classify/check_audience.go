package classify

import "strings"

// environment is the profile's for the exchange, nil for none.
func (e *Exchange) environment() *Environment {
	if env := environmentNamed(e.Profile, e.Environment); env != nil || len(e.Profile.Environments) != 1 {
		return env
	}
	return &e.Profile.Environments[0]
}

// environmentNamed finds an environment of the profile; the usual spellings of one name count as the same.
func environmentNamed(p *Profile, name string) *Environment {
	if name == "" {
		return nil
	}
	for i := range p.Environments {
		if p.Environments[i].Name == name {
			return &p.Environments[i]
		}
	}
	for i := range p.Environments {
		if plainEnvironment(p.Environments[i].Name) == plainEnvironment(name) {
			return &p.Environments[i]
		}
	}
	return nil
}

func plainEnvironment(name string) string {
	switch name = strings.ToLower(strings.TrimSpace(name)); name {
	case "production", "live", "prd":
		return "prod"
	case "stage", "stg":
		return "staging"
	case "development":
		return "dev"
	case "pre-production", "preproduction", "pre-prod":
		return "preprod"
	}
	return name
}

// environmentOf finds another environment than the one that was called for which the test holds.
func (x *examination) environmentOf(test func(*Environment) bool) *Environment {
	for i := range x.Profile.Environments {
		env := &x.Profile.Environments[i]
		if env != x.env && (x.env == nil || env.Name != x.env.Name) && test(env) {
			return env
		}
	}
	return nil
}

// wantedAudiences lists the values of aud that the profile takes in an environment.
func (e *Exchange) wantedAudiences(env *Environment) []string {
	if e.Phase != TokenRequest {
		if env == nil {
			return nil
		}
		return env.APIAudiences
	}
	if e.Profile.Assertion == nil {
		return nil
	}
	rule := e.Profile.Assertion.Audience
	switch {
	case len(rule.Values) > 0:
		return rule.Values
	case env == nil:
		return nil
	case rule.Keyword == AudienceIssuer:
		return env.Issuers
	case rule.Keyword == AudienceTokenEndpoint:
		return env.TokenEndpoints
	}
	return nil
}

// foreignAudience reports whether aud is what another environment would take.
func (x *examination) foreignAudience() (bool, *Environment) {
	list := x.audiences
	if !x.wellAud || x.env == nil {
		return false, nil
	}
	other := x.environmentOf(func(env *Environment) bool {
		for _, aud := range list {
			if contains(x.wantedAudiences(env), aud) || (x.assertion && (contains(env.TokenEndpoints, aud) || contains(env.Issuers, aud))) {
				return true
			}
		}
		return false
	})
	if other == nil {
		return false, nil
	}
	for _, aud := range list { // a value that both environments share says nothing
		if contains(x.env.TokenEndpoints, aud) || contains(x.env.Issuers, aud) || contains(x.env.APIAudiences, aud) {
			return false, nil
		}
	}
	return true, other
}

// checkAudience compares aud with what the place that was called expects.
func checkAudience(x *examination) {
	const check = demandAudience
	if !x.readable(check) {
		return
	}
	value, ok := x.claim("aud")
	list := x.audiences
	if !ok || !x.wellAud {
		return // missing_claim or invalid_claim says it
	}
	path := x.claimPath("aud")
	want := x.wantedAudiences(x.env)
	if len(want) == 0 {
		x.unruledAudience(check, path, value, list)
		return
	}
	for _, aud := range list {
		if contains(want, aud) {
			x.pass(check, path, "aud is ", clip(aud))
			return
		}
	}
	f := finding{cause: WrongAudience, weight: demonstrated, path: path, observed: shown(value), expected: want, repairs: []Edit{{Op: "replace", Path: path, Value: x.calledOr(want)}}}
	if foreign, other := x.foreignAudience(); foreign {
		f.cause = WrongEnvironment
		f.detail = x.say("aud is ", said(value), ", which belongs to ", other.Name, "; this is ", x.env.Name)
	} else {
		near := ""
		if len(list) == 1 {
			near = nearMiss(list[0], want[0])
		}
		what, of := x.describe(list)
		f.detail = x.expects(x.say("aud is ", what, said(value), of, "; ", x.place()), want, near)
	}
	x.report(check, f)
}

// expects says what is due, and how near the value comes to it.
func (x *examination) expects(observed string, due []string, near string) string {
	expected := due[0]
	if len(due) > 1 {
		expected = strings.Join(due, " or ")
	}
	if near == "" {
		return x.say(observed, " expects ", expected)
	}
	return x.say(observed, " expects ", expected, " (", near, ")")
}

// calledOr prefers the token endpoint that was called among the accepted values.
func (x *examination) calledOr(want []string) string {
	if x.Record.Request != nil {
		for _, v := range want {
			if sameURL(v, x.Record.Request.URL) {
				return v
			}
		}
	}
	return want[0]
}

func (x *examination) place() string {
	if x.assertion {
		return "the token endpoint"
	}
	return "the API"
}

// describe says what a wrong audience is when the profile knows it, before its value and behind it.
func (x *examination) describe(list []string) (what, of string) {
	for i := range x.Profile.Environments {
		env := &x.Profile.Environments[i]
		for _, aud := range list {
			switch {
			case contains(env.APIAudiences, aud):
				return "the API ", " of " + env.Name
			case contains(env.Issuers, aud):
				return "the issuer ", " of " + env.Name
			case contains(env.TokenEndpoints, aud):
				return "the token endpoint ", " of " + env.Name
			}
		}
	}
	return "", ""
}

// unruledAudience looks at aud without a profile: only what was accepted before and the called URL are there to compare with.
func (x *examination) unruledAudience(check demand, path string, value any, list []string) {
	f := finding{cause: WrongAudience, weight: likely, witness: WitnessHistory, path: path, observed: shown(value)}
	for _, aud := range list {
		if x.seenAccepted(FactAudience, string(x.Phase), aud) {
			x.pass(check, path, "this aud was accepted here before")
			return
		}
	}
	first := list[0]
	switch {
	case x.seenElsewhere(FactAudience, string(x.Phase), first) && x.Environment != "":
		f.cause, f.detail = WrongEnvironment, "aud "+clip(first)+" was accepted in another environment and never in "+x.Environment
		x.report(check, f)
	case x.seenAccepted(FactAudience, string(x.Phase), anyName) && !x.seenAccepted(FactAudience, string(x.Phase), first) && !x.sameHostAs(first):
		f.detail = "aud " + clip(first) + " was never accepted here, another one was"
		x.report(check, f)
	case x.assertion && addressOf(first).scheme != "" && hostOf(x.Record) != "" && !x.sameHostAs(first):
		f.witness, f.weight = WitnessToken, likely
		f.expected, f.detail = clip(x.Record.Request.URL), "aud is "+clip(first)+", which is not the server that was called"
		x.report(check, f)
	case x.assertion && x.Record.Request != nil && nearMiss(first, x.Record.Request.URL) != "":
		f.witness, f.weight = WitnessToken, possible
		f.expected = clip(x.Record.Request.URL)
		f.detail = "aud is " + clip(first) + ", nearly the address that was called (" + nearMiss(first, x.Record.Request.URL) + ")"
		x.report(check, f)
	default:
		x.skip(check, path, "no profile says which aud is due")
	}
}

func (x *examination) sameHostAs(aud string) bool {
	host := addressOf(aud).host
	return host != "" && host == hostOf(x.Record)
}

// checkIssuer compares the issuer of an access token with those of the environment.
func checkIssuer(x *examination) {
	const check = demandIssuer
	if x.assertion || !x.readable(check) {
		return
	}
	iss := textOf(x.claims.iss)
	path := x.claimPath("iss")
	if iss == "" {
		return
	}
	switch {
	case x.env == nil || len(x.env.Issuers) == 0:
		x.unruledIssuer(check, path, iss)
	case contains(x.env.Issuers, iss):
		x.pass(check, path, "iss is ", clip(iss))
	default:
		f := finding{cause: WrongIssuer, weight: demonstrated, path: path, observed: clip(iss), expected: x.env.Issuers}
		f.detail = x.expects(x.say("iss is ", clip(iss), "; the API"), x.env.Issuers, nearMiss(iss, x.env.Issuers[0]))
		if other := x.environmentOf(func(env *Environment) bool { return contains(env.Issuers, iss) }); other != nil {
			f.cause, f.detail = WrongEnvironment, "the token was issued by "+clip(iss)+", which is "+other.Name+"; this is "+x.env.Name
		}
		x.report(check, f)
	}
}

func (x *examination) unruledIssuer(check demand, path, iss string) {
	f := finding{cause: WrongIssuer, weight: likely, witness: WitnessHistory, path: path}
	switch {
	case x.seenAccepted(FactIssuer, iss):
		x.pass(check, path, "tokens of this issuer were accepted here before")
		return
	case x.seenElsewhere(FactIssuer, iss) && x.Environment != "":
		f.cause, f.detail = WrongEnvironment, "tokens of "+clip(iss)+" were accepted in another environment and never in "+x.Environment
	case x.seenAccepted(FactIssuer, anyName) && !x.seenAccepted(FactIssuer, iss):
		f.detail = "tokens of " + clip(iss) + " were never accepted here, those of another issuer were"
	default:
		x.skip(check, path, "no profile says which issuer is due")
		return
	}
	f.observed = clip(iss)
	x.report(check, f)
}
