package classify

// A demand is what a check asks for, by its place in the order of display: the request first, then the token from the outside in.
type demand uint8

const (
	_ demand = iota // of causes that no check can show
	demandAuthorization
	demandContentType
	demandGrantType
	demandAssertionType
	demandClientAuth
	demandParameters
	demandRequestedScope
	demandRequestedAudience
	demandStructure
	demandTokenType
	demandAlgorithm
	demandKeyID
	demandSignature
	demandRequiredClaims
	demandClaimTypes
	demandIdentity
	demandClient
	demandIssuer
	demandAudience
	demandExpiry
	demandNotBefore
	demandIssuedAt
	demandLifetime
	demandJTI
	demandScope
	demandAccount
	demandPossession
	demands // how many there are
)

// name is Check.Check.
func (d demand) name() string {
	return [demands]string{
		demandAuthorization: "authorization_header", demandContentType: "content_type", demandGrantType: "grant_type", demandAssertionType: "assertion_type",
		demandClientAuth: "client_authentication", demandParameters: "parameters", demandRequestedScope: "requested_scope", demandRequestedAudience: "requested_audience",
		demandStructure: "structure", demandTokenType: "token_type", demandAlgorithm: "algorithm", demandKeyID: "key_id", demandSignature: "signature",
		demandRequiredClaims: "required_claims", demandClaimTypes: "claim_types", demandIdentity: "identity", demandClient: "client", demandIssuer: "issuer",
		demandAudience: "audience", demandExpiry: "expiry", demandNotBefore: "not_before", demandIssuedAt: "issued_at", demandLifetime: "lifetime", demandJTI: "jti",
		demandScope: "scope", demandAccount: "account", demandPossession: "proof_of_possession",
	}[d]
}

// A demandSet has a bit for each demand.
type demandSet uint32

// A noted check is one with its demand.
type noted struct {
	demand demand
	check  *Check
}

// Minutes are what examinations noted, so that verdicts share what they say alike: nearly every check ends in words that it ended in
// before, most of them in those of the last time. They change nothing but what that costs. A note gives way to the next one of its place.
type minutes [demands]struct {
	latest [2]*Check // elsewhere, and in token requests
	places [64]*Check
}

// minute is the check with that outcome, whose detail is the parts put together.
func (x *examination) minute(d demand, result CheckResult, path string, detail []string) *Check {
	latest := &x.desk.minutes[d].latest[0]
	if x.assertion {
		latest = &x.desk.minutes[d].latest[1]
	}
	if c := *latest; c == nil || c.Result != result || c.Path != path || !consistsOf(c.Detail, detail) {
		*latest = x.desk.minutes.find(d, result, path, detail, &x.desk.text)
	}
	return *latest
}

// find is the check among the earlier ones, else a new one.
func (m *minutes) find(d demand, result CheckResult, path string, detail []string, t *texts) *Check {
	place := uint32(len(path))
	for _, part := range detail {
		place = place*31 + uint32(len(part))
		if part != "" {
			place = place*31 + uint32(part[0])<<16 + uint32(part[len(part)/2])<<8 + uint32(part[len(part)-1])
		}
	}
	kept := &m[d].places[place*0x9e3779b1>>26]
	if c := *kept; c != nil && c.Result == result && c.Path == path && consistsOf(c.Detail, detail) {
		return c
	}
	c := &Check{Check: d.name(), Result: result, Path: path}
	if len(detail) == 1 {
		c.Detail = detail[0]
	} else {
		c.Detail = t.join(detail)
	}
	*kept = c
	return c
}

// consistsOf reports whether a text is the parts put together.
func consistsOf(text string, parts []string) bool {
	for _, part := range parts {
		if len(part) > len(text) || text[:len(part)] != part {
			return false
		}
		text = text[len(part):]
	}
	return text == ""
}
