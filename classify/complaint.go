package classify

import "slices"

// A subject is what a server's words are about. Several subjects make a set, so that a fault can say which complaints it may cause.
type subject uint64

const (
	aboutStructure subject = 1 << iota // the token cannot be read
	aboutHeader                        // the Authorization field's form
	aboutNoToken                       // no credentials at all
	aboutAudience
	aboutIssuer
	aboutSub
	aboutClient // who the client is
	aboutExpiry
	aboutNotBefore
	aboutIssuedAt
	aboutAge
	aboutLifetime
	aboutJTI
	aboutReplay
	aboutKID
	aboutKey // which key
	aboutSignature
	aboutAlgorithm
	aboutType   // of the token
	aboutClaims // some claim that is not named
	aboutScope
	aboutAccount
	aboutPermission
	aboutPossession // DPoP, mTLS
	aboutStepUp
	aboutContentType
	aboutGrant
	aboutAssertionType
	aboutAssertion // none was sent
	aboutRequest   // the token request's parameters
	aboutTarget    // the API that a token was asked for
	aboutServer    // the server or the way to it
	aboutRate
	aboutGateway
	aboutRevocation
	aboutKeyFile // the client's own key could not be used
)

const (
	aboutTime     = aboutExpiry | aboutNotBefore | aboutIssuedAt | aboutAge | aboutLifetime
	aboutIdentity = aboutIssuer | aboutSub | aboutClient
	aboutKeys     = aboutKID | aboutKey | aboutSignature | aboutAlgorithm
)

// A complaint is what one phrase of a server says: what it is about and which cause it names when nothing else is known.
type complaint struct {
	subject  subject
	cause    Code
	also     []Code // documented words of several causes that none is named by: the others, likeliest first
	strength int    // 3 names subject and fault, 2 names the subject, 1 is generic
	standing standing
	path     string
	text     string
}

// fits reports whether the fault of a finding may be what the words complain about.
func (c *complaint) fits(f *finding) bool {
	return f.complaints()&c.subject != 0 || slices.Contains(c.also, f.cause)
}

// symptoms lists the complaints that a cause is known to come out as: the same fault is reported as a wrong issuer by one
// verifier and as an unknown key by the next, which looks the key up by issuer first.
func symptoms(cause Code) subject {
	switch cause {
	case MissingToken:
		return aboutNoToken | aboutHeader | aboutStructure
	case MalformedAuthorizationHeader:
		return aboutHeader | aboutNoToken | aboutStructure
	case MalformedJWT:
		return aboutStructure | aboutSignature | aboutHeader | aboutKey | aboutClaims | aboutType | aboutAlgorithm | aboutRequest
	case WrongTokenType:
		return aboutType | aboutAudience | aboutIssuer | aboutKeys | aboutStructure | aboutScope | aboutClaims | aboutClient | aboutSub
	case RevokedToken:
		return aboutRevocation | aboutExpiry
	case TokenExpired, ExpiredMidSession, AssertionExpired:
		return aboutExpiry | aboutRevocation
	case ClockSkew:
		return aboutTime
	case NotYetValid:
		return aboutNotBefore | aboutIssuedAt
	case AssertionTooOld:
		return aboutIssuedAt | aboutAge | aboutExpiry
	case LifetimeTooLong:
		return aboutLifetime | aboutExpiry | aboutAge
	case TimestampUnits:
		return aboutTime | aboutClaims | aboutStructure
	case WrongAudience:
		return aboutAudience
	case WrongIssuer:
		return aboutIssuer | aboutKey | aboutKID | aboutSignature
	case ClientIdentityMismatch:
		return aboutIdentity | aboutKey | aboutKID | aboutSignature | aboutRequest
	case MissingKID:
		return aboutKID | aboutKey | aboutSignature | aboutStructure
	case KeyMismatch, InvalidSignature:
		return aboutSignature | aboutKey
	case UnknownKey:
		return aboutKey | aboutKID | aboutSignature
	case WrongAlgorithm:
		return aboutKeys | aboutStructure
	case JTIReuse:
		return aboutReplay | aboutJTI
	case WrongEnvironment:
		return aboutIdentity | aboutAudience | aboutKeys
	case KeyReusedAcrossEnvironments:
		return aboutKeys | aboutClient
	case UnknownClient:
		return aboutIdentity | aboutKey | aboutKID | aboutSignature
	case WrongContentType:
		return aboutContentType | aboutRequest | aboutGrant | aboutAssertion | aboutAssertionType
	case InvalidGrantType:
		return aboutGrant | aboutRequest
	case InvalidAssertionType:
		return aboutAssertionType | aboutAssertion | aboutRequest | aboutClient
	case MissingAssertion:
		return aboutAssertion | aboutAssertionType | aboutRequest | aboutClient | aboutStructure | aboutNoToken
	case InvalidTokenRequest:
		return aboutRequest | aboutGrant | aboutScope | aboutAssertion | aboutAssertionType | aboutClient
	case AudienceNotGranted:
		return aboutTarget | aboutRequest | aboutAudience
	case ScopeGap, ScopeFormat:
		return aboutScope | aboutPermission
	case AccountAccessDenied:
		return aboutAccount | aboutPermission
	case InsufficientPermissions:
		return aboutPermission | aboutAccount
	case ProofOfPossession:
		return aboutPossession
	case StepUpRequired:
		return aboutStepUp
	case ProviderUnavailable:
		return aboutServer | aboutKey
	case RateLimited:
		return aboutRate
	case BlockedByGateway:
		return aboutGateway | aboutPermission
	case BadKeyFormat:
		return aboutKeyFile | aboutKey
	}
	return 0
}

// claimSubject is what a server complains about when the named claim or header parameter is missing or ill-formed.
func claimSubject(name string) subject {
	switch name {
	case "aud":
		return aboutAudience | aboutClaims
	case "iss":
		return aboutIssuer | aboutClient | aboutKey | aboutClaims
	case "sub":
		return aboutSub | aboutClient | aboutClaims
	case "exp":
		return aboutExpiry | aboutLifetime | aboutClaims
	case "nbf":
		return aboutNotBefore | aboutClaims
	case "iat":
		return aboutIssuedAt | aboutAge | aboutLifetime | aboutClaims
	case "jti":
		return aboutJTI | aboutReplay | aboutClaims
	case "kid":
		return aboutKID | aboutKey | aboutStructure
	case "alg":
		return aboutAlgorithm | aboutStructure
	case "typ":
		return aboutType | aboutStructure
	case "scope", "scp":
		return aboutScope | aboutClaims
	case "client_id", "azp":
		return aboutClient | aboutClaims
	}
	return aboutClaims
}

// groupOf is the CheckGroup in which servers look at a cause, for Profile.CheckOrder; "" for causes outside any order.
func groupOf(cause Code) string {
	switch cause {
	case MissingToken, MalformedAuthorizationHeader, MalformedJWT, WrongTokenType, WrongContentType, InvalidGrantType,
		InvalidAssertionType, MissingAssertion, InvalidTokenRequest, MissingKID:
		return "structure"
	case UnknownClient, ClientIdentityMismatch:
		return "client"
	case UnknownKey, WrongAlgorithm, KeyReusedAcrossEnvironments:
		return "key"
	case KeyMismatch, InvalidSignature:
		return "signature"
	case WrongAudience, WrongIssuer, MissingClaim, InvalidClaim:
		return "claims"
	case TokenExpired, ExpiredMidSession, AssertionExpired, ClockSkew, NotYetValid, AssertionTooOld, LifetimeTooLong, TimestampUnits:
		return "time"
	case JTIReuse:
		return "replay"
	case ScopeGap, ScopeFormat, AccountAccessDenied, InsufficientPermissions, AudienceNotGranted:
		return "scope"
	}
	return ""
}

// atPhase translates a cause that a library names without knowing where it runs: "token expired" from a token endpoint is
// about the assertion, and a bad signature there is the client's key.
func atPhase(cause Code, phase Phase) Code {
	switch phase {
	case ClientSide:
		switch cause {
		case KeyMismatch, InvalidSignature, UnknownKey, WrongAlgorithm, MalformedJWT, MissingKID:
			return BadKeyFormat // before anything is sent, only the client's own key can be at fault
		}
	case APICall:
		switch cause {
		case AssertionExpired, AssertionTooOld:
			return TokenExpired
		case KeyMismatch:
			return InvalidSignature
		case ClientIdentityMismatch:
			return WrongIssuer
		case MissingAssertion:
			return MissingToken
		}
		return cause
	}
	switch cause {
	case TokenExpired, ExpiredMidSession:
		return AssertionExpired
	case InvalidSignature:
		return KeyMismatch
	case WrongIssuer:
		return ClientIdentityMismatch
	case MissingToken:
		return MissingAssertion
	case WrongTokenType:
		return InvalidClaim // a typ that the server does not take; an access token in its place shows in its claims
	}
	return cause
}
