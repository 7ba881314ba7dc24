package classify

import "strings"

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
