package classify

// A Code is the stable name of a documented cause.
type Code string

// The cause codes. Catalogue has a row for each.
const (
	MissingToken                 Code = "missing_token"
	MalformedAuthorizationHeader Code = "malformed_authorization_header"
	MalformedJWT                 Code = "malformed_jwt"
	WrongTokenType               Code = "wrong_token_type"
	RevokedToken                 Code = "revoked_token"

	TokenExpired      Code = "token_expired"
	ExpiredMidSession Code = "expired_mid_session"
	AssertionExpired  Code = "assertion_expired"
	ClockSkew         Code = "clock_skew"
	NotYetValid       Code = "not_yet_valid"
	AssertionTooOld   Code = "assertion_too_old"
	LifetimeTooLong   Code = "lifetime_too_long"
	TimestampUnits    Code = "timestamp_units"

	WrongAudience          Code = "wrong_audience"
	WrongIssuer            Code = "wrong_issuer"
	ClientIdentityMismatch Code = "client_identity_mismatch"
	MissingClaim           Code = "missing_claim"
	InvalidClaim           Code = "invalid_claim"
	MissingKID             Code = "missing_kid"

	KeyMismatch      Code = "key_mismatch"
	UnknownKey       Code = "unknown_key"
	WrongAlgorithm   Code = "wrong_algorithm"
	InvalidSignature Code = "invalid_signature"
	BadKeyFormat     Code = "bad_key_format"

	JTIReuse Code = "jti_reuse"

	WrongEnvironment            Code = "wrong_environment"
	KeyReusedAcrossEnvironments Code = "key_reused_across_environments"
	UnknownClient               Code = "unknown_client"

	WrongContentType     Code = "wrong_content_type"
	InvalidGrantType     Code = "invalid_grant_type"
	InvalidAssertionType Code = "invalid_assertion_type"
	MissingAssertion     Code = "missing_assertion"
	InvalidTokenRequest  Code = "invalid_token_request"
	AudienceNotGranted   Code = "audience_not_granted"

	ScopeGap                Code = "scope_gap"
	ScopeFormat             Code = "scope_format"
	AccountAccessDenied     Code = "account_access_denied"
	InsufficientPermissions Code = "insufficient_permissions"
	ProofOfPossession       Code = "proof_of_possession"
	StepUpRequired          Code = "step_up_required"

	ProviderUnavailable Code = "provider_unavailable"
	RateLimited         Code = "rate_limited"
	BlockedByGateway    Code = "blocked_by_gateway"

	Unclassified Code = "unclassified"
)

// A Cause is one row of the catalogue: what people read about a Code. Plain text; sentences end with a full stop.
type Cause struct {
	Code         Code
	Group        string      // credentials, time, claims, keys, replay, environment, token request, authorization, not the client, or "" for unclassified
	Title        string      // "Wrong audience"
	Summary      string      // one sentence for lists
	Happened     string      // what happened
	Recognised   string      // how authwatch recognises it
	ConfusedWith []Confusion // what it is mistaken for, and how the two are told apart
	Fix          []string    // what to do, in order, for any provider
	FixAt        []FixAt     // what to do at one provider
	Fault        Fault       // who acts, usually
	References   []Reference // RFC sections and the providers' documents
}

// A Confusion names a look-alike cause and the sign that tells the two apart.
type Confusion struct {
	Code Code
	How  string
}

// FixAt holds the remedy in one provider's own terms.
type FixAt struct {
	Provider string // profile id
	Steps    []string
}

// A Reference is a document that a statement rests on.
type Reference struct {
	Title string // "RFC 7519 section 4.1.3"
	URL   string
}
