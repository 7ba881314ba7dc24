package classify

import (
	"encoding/json"
	"slices"
	"strings"
)

// A requirement is which claims a token must hold.
type requirement struct {
	claims []string
	met    string // what is said when they are there
}

// Requirements are those of a profile.
type requirements struct{ accessToken, assertion requirement }

func requirementsOf(p *Profile) (r requirements) {
	if p.AccessToken != nil {
		r.accessToken = requirementOf(p.AccessToken.RequiredClaims)
	}
	a := p.Assertion
	if a == nil {
		r.assertion = requirementOf([]string{"iss", "sub", "aud", "exp"}) // RFC 7523 section 3
		return r
	}
	required := slices.Clip(a.RequiredClaims) // and those that its other rules cannot be checked without
	if a.MaxAge != nil && !contains(required, "iat") {
		required = append(required, "iat")
	}
	if a.SingleUseJTI && !contains(required, "jti") {
		required = append(required, "jti")
	}
	r.assertion = requirementOf(required)
	return r
}

func requirementOf(claims []string) requirement {
	return requirement{claims: claims, met: strings.Join(claims, ", ") + " are there"}
}

// required is what the token that this phase is about must hold.
func (x *examination) required() *requirement {
	known := x.requirements
	if known == nil {
		of := requirementsOf(x.Profile)
		known = &of
	}
	if x.assertion {
		return &known.assertion
	}
	return &known.accessToken
}

// checkRequired looks for claims that are missing.
func checkRequired(x *examination) {
	const check = demandRequiredClaims
	if !x.readable(check) {
		return
	}
	of := x.required()
	required := of.claims
	x.missedClaims(required)
	x.standardClaims(required)
	if len(required) == 0 {
		x.skip(check, x.claimsPath(), "no profile says which claims are required")
		return
	}
	found := 0
	for _, name := range required {
		if v, ok := x.claim(name); ok && v != "" {
			found++
			continue
		}
		f := finding{cause: MissingClaim, weight: demonstrated, subject: claimSubject(name), path: x.claimPath(name), detail: "the claim " + name + " is missing",
			repairs: []Edit{{Op: "add", Path: x.claimPath(name), Value: x.properValue(name)}}}
		if x.assertion && x.Profile.Assertion == nil {
			f.weight = likely // the RFC demands it, this server may not
		}
		x.report(check, f)
	}
	if found == len(required) {
		x.pass(check, x.claimsPath(), of.met)
	}
}

// standardClaims looks for what an access token must hold that says by its typ that it follows RFC 9068 (section 2.2), as far as verifiers
// are known to need it: even where no profile asks for it, a server may stumble over its absence.
func (x *examination) standardClaims(required []string) {
	if x.assertion || x.head.kind != "at+jwt" {
		return
	}
	for _, name := range [...]string{"iss", "exp", "aud", "sub"} {
		if _, there := x.claim(name); there || contains(required, name) || x.complainsOf(name) {
			continue
		}
		f := finding{cause: MissingClaim, weight: likely, subject: claimSubject(name), path: x.claimPath(name),
			detail: "the claim " + name + ", which RFC 9068 asks for, is missing", repairs: []Edit{{Op: "add", Path: x.claimPath(name), Value: x.properValue(name)}}}
		if name == "sub" || x.Profile.AccessToken != nil {
			f.weight = possible
		}
		x.suspect(demandRequiredClaims, f)
	}
}

// complainsOf reports whether the server's words are about the claim.
func (x *examination) complainsOf(name string) bool {
	about := claimSubject(name) &^ (aboutClaims | aboutClient | aboutKey | aboutLifetime | aboutReplay | aboutAge)
	return x.words.strength >= 2 && x.words.subject&about != 0
}

// missedClaims looks for claims that no rule asks for but the server complains about: a verifier that finds no aud says "unexpected aud".
func (x *examination) missedClaims(required []string) {
	if x.words.strength < 2 {
		return
	}
	for _, name := range [...]string{"iss", "sub", "aud", "exp", "iat", "jti"} {
		if _, there := x.claim(name); there || contains(required, name) || !x.complainsOf(name) {
			continue
		}
		x.suspect(demandRequiredClaims, finding{cause: MissingClaim, weight: likely, subject: claimSubject(name), path: x.claimPath(name),
			detail: "the claim " + name + ", which the server complains about, is missing", repairs: []Edit{{Op: "add", Path: x.claimPath(name), Value: x.properValue(name)}}})
	}
}

// properValue is a value that would pass for a claim, to show in a fix.
func (x *examination) properValue(name string) any {
	switch name {
	case "iss", "sub", "client_id":
		if x.assertion && x.ClientID != "" {
			return clip(x.ClientID)
		}
		if name == "iss" && x.env != nil && len(x.env.Issuers) > 0 {
			return x.env.Issuers[0]
		}
	case "aud":
		if want := x.wantedAudiences(x.env); len(want) > 0 {
			return want[0]
		}
	case "iat", "nbf":
		return int64(x.at)
	case "exp":
		return int64(x.at) + x.properLifetime()
	case "jti":
		return "<a new UUID for each request>"
	}
	return "<" + clip(name) + ">"
}

// properLifetime is a lifetime in seconds that the profile allows.
func (x *examination) properLifetime() int64 {
	const short = 300
	if x.assertion && x.Profile.Assertion != nil && x.Profile.Assertion.MaxLifetime != nil {
		return min(short, int64(x.Profile.Assertion.MaxLifetime.seconds()))
	}
	return short
}

// checkForms looks at the JSON types of the registered claims, RFC 7519 section 4.1.
func checkForms(x *examination) {
	const check = demandClaimTypes
	if !x.readable(check) {
		return
	}
	sound := true
	for _, name := range [...]string{"iss", "sub", "jti", "client_id"} {
		if v, ok := x.claim(name); ok {
			if _, isText := v.(string); !isText {
				sound = false
				x.illFormed(check, name, v, "a text")
			}
		}
	}
	if v, ok := x.claim("aud"); ok {
		if !x.wellAud && v != "" {
			sound = false
			x.illFormed(check, "aud", v, "a text or an array of texts")
		}
	}
	for _, name := range [...]string{"exp", "nbf", "iat"} {
		if v, ok := x.claim(name); ok && !x.checkUnits(check, name, v) {
			sound = false
		}
	}
	if sound {
		x.pass(check, x.claimsPath(), "the registered claims have the types of RFC 7519")
	}
}

func (x *examination) illFormed(check demand, name string, value any, due string) {
	f := finding{cause: InvalidClaim, weight: demonstrated, subject: claimSubject(name), path: x.claimPath(name), observed: shown(value), expected: due,
		detail: name + " is " + said(value) + ", due is " + due}
	switch inner := value.(type) {
	case []any:
		if len(inner) == 1 && textOf(inner[0]) != "" {
			f.repairs = []Edit{{Op: "replace", Path: f.path, Value: clip(textOf(inner[0]))}}
		}
	case json.Number:
		if name == "jti" {
			break
		}
		f.repairs = []Edit{{Op: "replace", Path: f.path, Value: said(inner)}}
	}
	if f.repairs == nil {
		f.repairs = []Edit{{Op: "replace", Path: f.path, Value: x.properValue(name)}}
	}
	x.fail(check, f)
}

func (x *examination) checkUnits(check demand, name string, value any) bool {
	d := x.numericDate(name)
	if d.form == dateSeconds {
		return true
	}
	f := finding{cause: TimestampUnits, weight: demonstrated, subject: claimSubject(name) | aboutStructure, path: x.claimPath(name), observed: shown(value), expected: "seconds since 1970, as a number",
		repairs: []Edit{{Op: "replace", Path: x.claimPath(name), Value: x.properValue(name)}}}
	if d.guessed {
		f.repairs[0].Value = int64(d.seconds)
	}
	switch d.form {
	case dateFiner:
		f.detail = name + " is " + said(value) + ": a finer unit where seconds are due"
	case dateText:
		f.detail = name + " is the text " + said(value) + " where a number of seconds is due"
	default:
		f.cause, f.detail = InvalidClaim, name+" is "+said(value)+", which is no time in seconds"
	}
	x.fail(check, f)
	return false
}
