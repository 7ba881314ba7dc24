package classify

import (
	"slices"
	"time"
)

// A SightKind is one sort of thing that traffic shows of a client: a key, a habit of its tokens, a server's words.
type SightKind string

// The kinds of sights. Those of a token are named like the path of what they are about.
const (
	SightAssertionKID      SightKind = "client_assertion.kid" // "" when the header has none
	SightAssertionType     SightKind = "client_assertion.typ"
	SightAssertionAlg      SightKind = "client_assertion.alg"
	SightAssertionIssuer   SightKind = "client_assertion.iss"
	SightAssertionAudience SightKind = "client_assertion.aud"      // the text, or the array as JSON
	SightAssertionClaims   SightKind = "client_assertion.claims"   // the names, sorted, with a space between them
	SightAssertionLifetime SightKind = "client_assertion.lifetime" // exp − iat, such as 300s
	SightAssertionID       SightKind = "client_assertion.jti"      // its pattern: uuid, hex 32, digits 10, text 12, none
	SightTokenKID          SightKind = "access_token.kid"
	SightTokenType         SightKind = "access_token.typ"
	SightTokenAlg          SightKind = "access_token.alg"
	SightTokenIssuer       SightKind = "access_token.iss"
	SightTokenAudience     SightKind = "access_token.aud"
	SightTokenClaims       SightKind = "access_token.claims"
	SightTokenLifetime     SightKind = "access_token.lifetime"
	SightTokenEndpoint     SightKind = "token_endpoint" // host and path that were asked for a token
	SightAPI               SightKind = "api"            // host that was called with a token
	SightUserAgent         SightKind = "user_agent"
	SightWording           SightKind = "wording"       // what the server said of a failure, without what is of one occasion only
	SightScopeGranted      SightKind = "scope_granted" // one scope of a token, or of the answer that granted it
	SightScopeUsed         SightKind = "scope_used"    // one that a route asks for and that was there when it was called
	SightScopeRefused      SightKind = "scope_refused" // one that was missing
	SightExpiryMargin      SightKind = "expiry_margin" // how long before its expiry a token was used: see MarginClass
)

// SightKinds lists them. Their order is that of AppendLook's numbers within one process; nothing stores it.
func SightKinds() []SightKind {
	return []SightKind{
		SightAssertionKID, SightAssertionType, SightAssertionAlg, SightAssertionIssuer, SightAssertionAudience, SightAssertionClaims,
		SightAssertionLifetime, SightAssertionID, SightTokenKID, SightTokenType, SightTokenAlg, SightTokenIssuer, SightTokenAudience,
		SightTokenClaims, SightTokenLifetime, SightTokenEndpoint, SightAPI, SightUserAgent, SightWording, SightScopeGranted, SightScopeUsed,
		SightScopeRefused, SightExpiryMargin,
	}
}

// A Sight is one thing that an exchange shows, and what its outcome says of it.
type Sight struct {
	Kind  SightKind
	Owner string // of a key: whose it is, by the token's iss; of words: the cause that they were said of
	Host  string // of a key and of words: the server that judged
	Value string // as it was sent, at most maxSight bytes
	// Outcome is Accepted; Failed when the failure was about this very thing; Other when it was about another: that a token had
	// expired says nothing against its key.
	Outcome Outcome
}

// isBlamedBy says whether a failure of this cause was about what the kind shows.
func (k SightKind) isBlamedBy(cause Code) bool {
	return slices.Contains(k.Causes(), cause)
}

// Causes are those that a value of this kind can be the reason of: a change of it explains them better than any other change.
func (k SightKind) Causes() []Code {
	switch k {
	case SightAssertionKID, SightTokenKID:
		return []Code{KeyMismatch, UnknownKey, InvalidSignature, BadKeyFormat, MissingKID, KeyReusedAcrossEnvironments}
	case SightAssertionType, SightTokenType:
		return []Code{WrongTokenType, MalformedJWT}
	case SightAssertionAlg, SightTokenAlg:
		return []Code{WrongAlgorithm, KeyMismatch, InvalidSignature}
	case SightAssertionIssuer, SightTokenIssuer:
		return []Code{WrongIssuer, ClientIdentityMismatch, UnknownClient, WrongEnvironment}
	case SightAssertionAudience, SightTokenAudience:
		return []Code{WrongAudience, AudienceNotGranted, WrongEnvironment}
	case SightAssertionClaims, SightTokenClaims:
		return []Code{MissingClaim, InvalidClaim, ClientIdentityMismatch}
	case SightAssertionLifetime, SightTokenLifetime:
		return []Code{LifetimeTooLong, TokenExpired, AssertionExpired, ExpiredMidSession, TimestampUnits}
	case SightAssertionID:
		return []Code{JTIReuse}
	case SightTokenEndpoint, SightAPI:
		return []Code{WrongEnvironment, UnknownClient, UnknownKey}
	case SightScopeGranted, SightScopeRefused:
		return []Code{ScopeGap, ScopeFormat, InsufficientPermissions}
	case SightExpiryMargin:
		return []Code{TokenExpired, ExpiredMidSession}
	}
	return nil
}

// Expires is the exp of a token that was used at a time, in Unix seconds; 0 when it has none that can be read.
func (t *JWT) Expires(at time.Time) int64 {
	if t == nil {
		return 0
	}
	if exp := dateOf(t.Claims.Get("exp"), secondsOf(at)); exp.form == dateSeconds {
		return int64(exp.seconds)
	}
	return 0
}

// MarginClasses are the upper bounds, in seconds, of the classes in which the time from the use of a token to its expiry is
// counted. The first is of tokens that were used when they had expired; what is beyond the last bound is a class of its own.
func MarginClasses() [9]int64 { return [...]int64{0, 5, 15, 30, 60, 120, 300, 900, 3600} }

// MarginClass is the class of a use that many seconds before the expiry: the place of the first bound that is above it.
func MarginClass(seconds int64) int {
	bounds := MarginClasses()
	for n, bound := range bounds {
		if seconds < bound {
			return n
		}
	}
	return len(bounds)
}
