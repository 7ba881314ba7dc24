package classify

import "strings"

// Inputs are the parts of a record that a check reads, so that after an edit only the checks are run again that it can touch.
type inputs uint

const (
	inHeader inputs = 1 << iota // of the token
	inIss                       // these are its claims
	inSub
	inAud
	inExp
	inNbf
	inIat
	inJTI
	inClaims // any other claim
	inFields // header fields of the request
	inForm
	inWords // what the server said, as far as it makes a fault demonstrated

	inToken = inHeader | inIss | inSub | inAud | inExp | inNbf | inIat | inJTI | inClaims
	inAll   = inToken | inFields | inForm | inWords
)

// A rule is a check with what it reads of what an edit may change.
type rule struct {
	check func(*examination)
	reads inputs
}

// allRules lists the checks. Their order is that of display, and is only that.
func allRules() [27]rule {
	return [...]rule{
		{checkAuthorization, inFields | inWords},
		{checkContentType, inFields},
		{checkGrant, inForm},
		{checkAssertionType, inForm},
		{checkAssertion, inForm | inFields},
		{checkParameters, inForm | inFields},
		{checkRequestedScope, inForm | inWords},
		{checkRequestedAudience, inForm | inWords},
		{checkStructure, inFields},
		{checkKind, inToken},
		{checkAlgorithm, inHeader},
		{checkKID, inHeader | inIss | inAud},
		{checkSignature, 0},
		{checkRequired, inToken},
		{checkForms, inToken},
		{checkIdentity, inIss | inSub | inForm | inWords},
		{checkClient, inHeader | inIss},
		{checkIssuer, inIss},
		{checkAudience, inAud},
		{checkExpiry, inExp | inIat | inJTI},
		{checkNotBefore, inNbf | inIat},
		{checkIssuedAt, inIat | inExp | inWords},
		{checkLifetime, inExp | inIat},
		{checkJTI, inJTI | inIss},
		{checkScope, inClaims | inWords},
		{checkAccount, inClaims | inWords},
		{checkPossession, inClaims | inFields},
	}
}

// Claims are those that nearly every check asks for.
type claims struct {
	iss, sub, aud, exp, nbf, iat, jti, clientID, scope any

	rest Object // all, when there are others; they are looked for
}

// claimsOf looks at each member once, which is less than to look up every claim that some check asks for.
func claimsOf(o Object) claims {
	var c claims
	for i := range o {
		if known := c.named(o[i].Name); known != nil {
			*known = o[i].Value
		} else {
			c.rest = o
		}
	}
	return c
}

// get is a claim's value, nil for none.
func (c *claims) get(name string) any {
	if known := c.named(name); known != nil {
		return *known
	}
	return c.rest.Get(name)
}

// named is where a claim is kept, nil for any other.
func (c *claims) named(name string) *any {
	switch name {
	case "iss":
		return &c.iss
	case "sub":
		return &c.sub
	case "aud":
		return &c.aud
	case "exp":
		return &c.exp
	case "nbf":
		return &c.nbf
	case "iat":
		return &c.iat
	case "jti":
		return &c.jti
	case "client_id":
		return &c.clientID
	case "scope":
		return &c.scope
	}
	return nil
}

// A head is what checks ask of a token's header.
type head struct {
	alg, kid, typ any
	kind          string // what typ says, as a media type without application/, in lower case
}

func headOf(o Object) (h head) {
	for i := range o {
		switch o[i].Name {
		case "alg":
			h.alg = o[i].Value
		case "kid":
			h.kid = o[i].Value
		case "typ":
			h.typ = o[i].Value
			h.kind = tokenKind(textOf(h.typ))
		}
	}
	return h
}

// tokenKind reads typ. RFC 7515 section 4.1.9.
func tokenKind(typ string) string {
	switch typ {
	case "JWT", "jwt": // nearly all
		return "jwt"
	case "at+jwt":
		return "at+jwt"
	}
	return strings.ToLower(strings.TrimPrefix(strings.ToLower(typ), "application/"))
}

// claimInput is the input that a claim is.
func claimInput(name string) inputs {
	switch name {
	case "iss":
		return inIss
	case "sub":
		return inSub
	case "aud":
		return inAud
	case "exp":
		return inExp
	case "nbf":
		return inNbf
	case "iat":
		return inIat
	case "jti":
		return inJTI
	}
	return inClaims
}
