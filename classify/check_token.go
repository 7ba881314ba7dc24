package classify

import (
	"encoding/json"
	"slices"
	"strings"
)

// checkStructure asks whether the token could be decoded at all.
func checkStructure(x *examination) {
	const check = demandStructure
	if x.Phase == APICall && x.auth.kind == "malformed" {
		x.fail(check, finding{cause: MalformedJWT, weight: demonstrated, witness: WitnessRequest, path: "request.headers.authorization", observed: x.auth.original,
			detail: "the bearer token cannot be decoded: " + clip(x.auth.why)})
		return
	}
	if x.Phase == APICall && x.token == nil && x.auth.kind == "opaque" {
		x.opaqueToken()
		return
	}
	switch {
	case x.token == nil:
		x.skip(check, x.root, "no decoded token was logged")
	case x.unreadable != "":
		x.fail(check, finding{cause: MalformedJWT, weight: demonstrated, path: x.root, observed: clip(x.unreadable), detail: "the token cannot be decoded: " + clip(x.unreadable)})
	default:
		x.pass(check, x.root, "header and claims are JSON objects")
	}
}

// opaqueToken judges a bearer token that is no JWT: right at some APIs, the wrong kind at those that verify JWTs.
func (x *examination) opaqueToken() {
	const check = demandStructure
	f := finding{cause: WrongTokenType, weight: possible, witness: WitnessRequest, path: "request.headers.authorization", observed: x.auth.original, expected: "a JWT",
		detail: "the token is not a JWT"}
	jwts := x.seenAccepted(FactShape, string(APICall), "jwt")
	switch {
	case x.seenAccepted(FactShape, string(APICall), "opaque"):
		x.pass(check, f.path, "accepted calls here carry opaque tokens too")
		return
	case x.Profile.AccessToken != nil && (len(x.Profile.AccessToken.Algorithms) > 0 || jwts):
		f.weight = demonstrated
	case jwts:
		f.weight, f.detail = likely, "the token is not a JWT; accepted calls here carry JWTs"
	case x.words.subject&aboutStructure != 0:
		f.weight = likely
	}
	x.report(check, f)
}

// checkAlgorithm compares alg with the profile; none is refused by everyone.
func checkAlgorithm(x *examination) {
	const check = demandAlgorithm
	if !x.readable(check) || x.token.Header == nil {
		return
	}
	path := x.headerPath("alg")
	value := x.head.alg
	alg, isText := value.(string)
	allowed := x.algorithms()
	if isText && contains(allowed, alg) {
		x.pass(check, path, "alg is ", clip(alg))
		return
	}
	f := finding{cause: WrongAlgorithm, weight: demonstrated, path: path}
	if len(allowed) > 0 {
		f.expected = allowed
		f.repairs = []Edit{{Op: "replace", Path: path, Value: allowed[0]}}
	}
	switch {
	case value == nil && len(x.token.Header) == 0:
		x.skip(check, path, "the header was not logged")
		return
	case !isText, strings.EqualFold(alg, "none"), len(allowed) > 0:
	case x.seenAccepted(FactShape, string(x.Phase), "alg") && !x.seenAccepted(FactShape, string(x.Phase), "alg", alg):
		f.weight, f.detail = likely, "alg is "+clip(alg)+", which was never accepted here"
	case strings.HasPrefix(alg, "HS") && x.head.kid != nil:
		f.weight = possible
	default:
		x.skip(check, path, "no profile says which algorithms are allowed")
		return
	}
	f.observed = shown(value)
	if f.detail == "" {
		f.detail = "alg is " + said(value)
		if len(allowed) > 0 {
			f.detail += "; allowed is " + strings.Join(allowed, ", ")
		}
	}
	x.report(check, f)
}

func clientNamed(p *Profile, id string) *Client {
	for i := range p.Clients {
		if p.Clients[i].ID == id {
			return &p.Clients[i]
		}
	}
	return nil
}

// checkSignature repeats what the verification against the profile's key set said before the signature was dropped.
func checkSignature(x *examination) {
	const check = demandSignature
	if x.token == nil || x.unreadable != "" {
		return
	}
	switch x.token.Signature {
	case "valid":
		x.pass(check, x.root, "the signature was verified against the profile's key set")
	case "invalid":
		cause := InvalidSignature
		if x.assertion {
			cause = KeyMismatch
		}
		x.fail(check, finding{cause: cause, weight: demonstrated, path: x.root + ".signature", detail: "the signature does not verify against the profile's key set"})
	default:
		x.skip(check, x.root, "signatures are dropped before storage and no key set is configured")
	}
}

// requiredClaims are the profile's and those that its other rules cannot be checked without.
func (x *examination) requiredClaims() []string {
	if !x.assertion {
		if x.Profile.AccessToken == nil {
			return nil
		}
		return x.Profile.AccessToken.RequiredClaims
	}
	a := x.Profile.Assertion
	if a == nil {
		return []string{"iss", "sub", "aud", "exp"} // RFC 7523 section 3
	}
	required := slices.Clip(a.RequiredClaims)
	if a.MaxAge != nil && !contains(required, "iat") {
		required = append(required, "iat")
	}
	if a.SingleUseJTI && !contains(required, "jti") {
		required = append(required, "jti")
	}
	return required
}

// checkRequired looks for claims that are missing.
func checkRequired(x *examination) {
	const check = demandRequiredClaims
	if !x.readable(check) {
		return
	}
	required := x.requiredClaims()
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
		x.passAll(check, x.claimsPath(), required, " are there")
	}
}

// standardClaims looks for what an access token must hold that says by its typ that it follows RFC 9068 (section 2.2), as far as verifiers
// are known to need it: even where no profile asks for it, a server may stumble over its absence.
func (x *examination) standardClaims(required []string) {
	if x.assertion || strings.TrimPrefix(strings.ToLower(textOf(x.head.typ)), "application/") != "at+jwt" {
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

// checkIdentity compares iss, sub and client_id of a client's own assertion, RFC 7523 section 3.
func checkIdentity(x *examination) {
	const check = demandIdentity
	if !x.assertion || !x.readable(check) {
		return
	}
	if x.form.known && !x.form.has("client_assertion") && x.form.has("assertion") {
		x.skip(check, x.claimPath("sub"), "an authorization grant's sub is its user")
		return
	}
	if r := x.Profile.Assertion; r != nil && r.DistinctSubject {
		x.skip(check, x.claimPath("sub"), "at this provider iss and sub name two parties")
		return
	}
	iss, sub, id := textOf(x.claims.iss), textOf(x.claims.sub), x.form.text("client_id")
	f := finding{cause: ClientIdentityMismatch, weight: demonstrated}
	switch {
	case iss == "" || sub == "":
		x.skip(check, x.claimsPath(), "iss or sub is missing")
	case id != "" && sub != id:
		f.path, f.observed, f.expected = x.claimPath("sub"), clip(sub), clip(id)
		f.detail = "sub is " + clip(sub) + ", client_id of the request is " + clip(id)
		f.repairs = []Edit{{Op: "replace", Path: "request.body.client_id", Value: clip(sub)}, {Op: "replace", Path: x.claimPath("sub"), Value: clip(id)}}
		x.report(check, f)
	case iss != sub:
		f.path, f.observed, f.expected = x.claimPath("iss"), clip(iss), clip(sub)
		if x.words.subject&aboutSub != 0 {
			f.path, f.observed, f.expected = x.claimPath("sub"), clip(sub), clip(iss)
		}
		f.detail = "iss is " + clip(iss) + ", sub is " + clip(sub) + "; both must be the client id"
		f.repairs = []Edit{{Op: "replace", Path: x.claimPath("iss"), Value: clip(sub)}, {Op: "replace", Path: x.claimPath("sub"), Value: clip(iss)}}
		if f.path == x.claimPath("sub") {
			slices.Reverse(f.repairs)
		}
		x.report(check, f)
	default:
		x.pass(check, x.claimPath("sub"), "iss, sub and client_id agree")
	}
}

// checkClient asks whether the client is registered, and here.
func checkClient(x *examination) {
	const check = demandClient
	id := x.ClientID
	if x.Phase != TokenRequest || id == "" {
		return
	}
	path := "client_id"
	if x.token != nil && x.unreadable == "" && textOf(x.claims.iss) != "" {
		id, path = textOf(x.claims.iss), x.claimPath("iss")
	}
	client := clientNamed(x.Profile, id)
	f := finding{cause: UnknownClient, weight: demonstrated, path: path}
	switch {
	case client == nil && len(x.Profile.Clients) > 0 && x.seenAccepted(FactClient, id):
		x.pass(check, path, "this client was accepted here before")
		return
	case client == nil && len(x.Profile.Clients) > 0:
		f.detail = x.unregistered(id)
	case client != nil && len(client.Environments) > 0 && x.Environment != "" && environmentNamed(x.Profile, x.Environment) != nil && !contains(client.Environments, x.Environment):
		f.cause, f.expected = WrongEnvironment, client.Environments
		f.detail = "the client " + clip(id) + " is registered in " + strings.Join(client.Environments, ", ") + ", not in " + x.Environment
	case client != nil:
		x.pass(check, path, "the client is registered")
		return
	case x.seenAccepted(FactClient, id):
		x.pass(check, path, "this client was accepted here before")
		return
	case x.seenAccepted(FactClient, anyName) && !x.seenAccepted(FactClient, id) && x.borrowedKey():
		f.weight, f.witness, f.detail = likely, WitnessHistory, "the client "+clip(id)+" was never accepted here; its key was, for another client"
	case x.seenElsewhere(FactClient, id) && x.Environment != "":
		f.cause, f.weight, f.witness = WrongEnvironment, possible, WitnessHistory
		f.detail = "the client " + clip(id) + " was accepted in another environment and never in " + x.Environment
		if x.words.subject&aboutClient != 0 {
			f.weight = likely
		}
	default:
		x.skip(check, path, "which clients are registered is not known")
		return
	}
	f.observed = clip(id)
	x.report(check, f)
}

// unregistered says so, with the registered client that was probably meant.
func (x *examination) unregistered(id string) string {
	detail := "the client " + clip(id) + " is not registered"
	for i := range x.Profile.Clients {
		if near := nearMiss(id, x.Profile.Clients[i].ID); near != "" {
			detail += "; " + x.Profile.Clients[i].ID + " is: " + near
		}
	}
	return detail
}
