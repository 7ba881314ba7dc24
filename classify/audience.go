package classify

import (
	"encoding/json"
	"fmt"
)

// The keywords of an Audience.
const (
	AudienceTokenEndpoint = "token_endpoint" // the token endpoint's URL in the environment that was called
	AudienceIssuer        = "issuer"         // the issuer identifier of that environment, as RFC 10070 asks for
)

// An Audience is the rule for a client assertion's aud: Keyword "token_endpoint" or "issuer" (of the environment), or the
// Values themselves. It is written as the keyword or as a list.
type Audience struct {
	Keyword string
	Values  []string
}

// IsZero reports whether nothing is said about the audience.
func (a Audience) IsZero() bool { return a.Keyword == "" && len(a.Values) == 0 }

// UnmarshalYAML reads a keyword or a list of values. This form of the method needs no YAML package here.
func (a *Audience) UnmarshalYAML(unmarshal func(any) error) error {
	var values []string
	if err := unmarshal(&values); err == nil {
		*a = Audience{Values: values}
		return nil
	}
	var keyword string
	if err := unmarshal(&keyword); err != nil {
		return errAudience("")
	}
	if keyword != AudienceTokenEndpoint && keyword != AudienceIssuer {
		return errAudience(keyword)
	}
	*a = Audience{Keyword: keyword}
	return nil
}

func errAudience(keyword string) error {
	return fmt.Errorf("audience %.100q is not %s, %s or a list of values", keyword, AudienceTokenEndpoint, AudienceIssuer)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Audience) UnmarshalJSON(data []byte) error {
	return a.UnmarshalYAML(func(into any) error { return json.Unmarshal(data, into) })
}

// MarshalYAML writes what UnmarshalYAML reads.
func (a Audience) MarshalYAML() (any, error) { return a.plain(), nil }

// MarshalJSON writes the keyword or the list.
func (a Audience) MarshalJSON() ([]byte, error) { return json.Marshal(a.plain()) }

func (a Audience) plain() any {
	if a.Keyword != "" {
		return a.Keyword
	}
	return a.Values
}
