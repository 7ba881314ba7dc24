package classify

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
	quoted   *quotation // of the text; nil unless the answer is remembered
}

// A quotation is a text as verdicts repeat it. Those on answers that are worded alike share it.
type quotation struct {
	value    any // the text as evidence shows it
	sentence string
}

func (c *complaint) quote(phase Phase) *quotation {
	return &quotation{value: c.text, sentence: quoteOf(c.text, phase)}
}

func quoteOf(text string, phase Phase) string {
	if phase == ClientSide {
		return "The client reports “" + text + "”."
	}
	return "The server says “" + text + "”."
}

// value is the text as evidence shows it.
func (c *complaint) value() any {
	if c.quoted != nil {
		return c.quoted.value
	}
	return c.text
}

// sentence says the text in a sentence.
func (c *complaint) sentence(phase Phase) string {
	if c.quoted != nil {
		return c.quoted.sentence
	}
	return quoteOf(c.text, phase)
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
