package classify

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// A Profile says what is right for one provider: the checks of the token witness are run against it. Package
// classify/profile reads it from YAML. What a profile does not say is not checked, except by the RFCs' own rules.
type Profile struct {
	ID           string            `yaml:"provider" json:"provider"`
	Title        string            `yaml:"title" json:"title,omitempty"`
	References   []string          `yaml:"references" json:"references,omitempty"` // URLs of the provider's documents
	Environments []Environment     `yaml:"environments" json:"environments,omitempty"`
	Assertion    *AssertionRules   `yaml:"assertion" json:"assertion,omitempty"`
	AccessToken  *AccessTokenRules `yaml:"access_token" json:"access_token,omitempty"`
	Clients      []Client          `yaml:"clients" json:"clients,omitempty"`
	Scopes       []ScopeRule       `yaml:"scopes" json:"scopes,omitempty"`
	JWKSFile     string            `yaml:"jwks_file" json:"jwks_file,omitempty"`     // path, relative to the profile's own file
	CheckOrder   []string          `yaml:"check_order" json:"check_order,omitempty"` // of CheckGroups
	AudienceNext string            `yaml:"audience_next" json:"audience_next,omitempty"`
	Meanings     []Meaning         `yaml:"meanings" json:"meanings,omitempty"`
}

// A Meaning is what the provider's documents say about an answer that names no cause by itself: a bare 403, a bare invalid_client.
// It speaks only when neither a check nor the server's words decide and no check refutes it, and it never makes more than an
// inference. Every member that is given has to fit the answer; at least one of Status, Error and Code is.
type Meaning struct {
	Phase  Phase  `yaml:"phase" json:"phase,omitempty"`   // token_request or api_call; empty: either
	Status int    `yaml:"status" json:"status,omitempty"` // of the response
	Error  string `yaml:"error" json:"error,omitempty"`   // OAuth error, of the challenge or the body
	Code   string `yaml:"code" json:"code,omitempty"`     // the provider's own code: a whole value anywhere in the body
	Cause  Code   `yaml:"cause" json:"cause"`
}

// An Environment is one isolated installation of the provider: production, staging, …
type Environment struct {
	Name           string   `yaml:"name" json:"name"`
	Hosts          []string `yaml:"hosts" json:"hosts,omitempty"`                     // of the API, beside those in APIAudiences
	TokenEndpoints []string `yaml:"token_endpoints" json:"token_endpoints,omitempty"` // URLs
	Issuers        []string `yaml:"issuers" json:"issuers,omitempty"`
	APIAudiences   []string `yaml:"api_audiences" json:"api_audiences,omitempty"`
}

// AssertionRules are the demands on a client assertion, RFC 7523 section 3.
type AssertionRules struct {
	Algorithms     []string  `yaml:"algorithms" json:"algorithms,omitempty"`
	RequiredClaims []string  `yaml:"required_claims" json:"required_claims,omitempty"`
	RequiredHeader []string  `yaml:"required_header" json:"required_header,omitempty"`
	Audience       Audience  `yaml:"audience" json:"audience,omitzero"`
	MaxAge         *Duration `yaml:"max_age" json:"max_age,omitempty"`           // of iat at the time of the request
	MaxLifetime    *Duration `yaml:"max_lifetime" json:"max_lifetime,omitempty"` // exp − iat
	ClockSkew      *Duration `yaml:"clock_skew" json:"clock_skew,omitempty"`
	SingleUseJTI   bool      `yaml:"single_use_jti" json:"single_use_jti,omitempty"`
	// DistinctSubject says that iss and sub name two parties by design: an authorization grant for a user (RFC 7523 section
	// 2.1), or a client secret that a team signs. Else both are the client id (section 3).
	DistinctSubject bool   `yaml:"distinct_subject" json:"distinct_subject,omitempty"`
	ContentType     string `yaml:"content_type" json:"content_type,omitempty"` // media type of the token request
}

// AccessTokenRules are the demands on a bearer token at the provider's API.
type AccessTokenRules struct {
	Algorithms     []string  `yaml:"algorithms" json:"algorithms,omitempty"`
	RequiredClaims []string  `yaml:"required_claims" json:"required_claims,omitempty"`
	Lifetime       *Duration `yaml:"lifetime" json:"lifetime,omitempty"`
	ClockSkew      *Duration `yaml:"clock_skew" json:"clock_skew,omitempty"`
}

// A Client is one registered client and where it is registered.
type Client struct {
	ID           string   `yaml:"id" json:"id"`
	Environments []string `yaml:"environments" json:"environments,omitempty"`
	KIDs         []string `yaml:"kids" json:"kids,omitempty"`
}

// A ScopeRule says which scopes a route asks for. Path may hold {name} segments.
type ScopeRule struct {
	Method string   `yaml:"method" json:"method,omitempty"`
	Path   string   `yaml:"path" json:"path"`
	AnyOf  []string `yaml:"any_of" json:"any_of,omitempty"`
	AllOf  []string `yaml:"all_of" json:"all_of,omitempty"`
}

// title is empty for a provider that nobody described.
func (p *Profile) title() string {
	if p == nil {
		return ""
	}
	return p.Title
}

// CheckGroups lists what Profile.CheckOrder may hold.
func CheckGroups() []string {
	return []string{"structure", "client", "key", "signature", "claims", "time", "replay", "scope"}
}

// A Duration is a time.Duration that is written as a Go duration ("10s") or as seconds (10).
type Duration time.Duration

// UnmarshalText reads "10s", "10" or "0.5".
func (d *Duration) UnmarshalText(text []byte) error {
	if seconds, err := strconv.ParseFloat(string(text), 64); err == nil {
		// NaN fails the comparison too; beyond 292 years a Duration would wrap around.
		if !(math.Abs(seconds) < math.MaxInt64/float64(time.Second)) {
			return fmt.Errorf("duration %q is out of range", text)
		}
		*d = Duration(seconds * float64(time.Second))
		return nil
	}
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration %q is neither a Go duration such as 10s nor a number of seconds", text)
	}
	*d = Duration(parsed)
	return nil
}

// MarshalText writes a Go duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }
