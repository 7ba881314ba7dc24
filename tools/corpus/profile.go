package main

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
)

// A Profile is what the operator of a system would write down for authwatch.
type Profile struct {
	Provider     string               `yaml:"provider"`
	Environments []ProfileEnvironment `yaml:"environments"`
	Assertion    *ProfileAssertion    `yaml:"assertion,omitempty"`
	AccessToken  *ProfileAccessToken  `yaml:"access_token,omitempty"`
	Clients      []ProfileClient      `yaml:"clients"`
	Scopes       []ProfileScope       `yaml:"scopes,omitempty"`
}

// A ProfileEnvironment is one environment's names.
type ProfileEnvironment struct {
	Name           string   `yaml:"name"`
	TokenEndpoints []string `yaml:"token_endpoints,omitempty"`
	Hosts          []string `yaml:"hosts,omitempty"`
	Issuers        []string `yaml:"issuers"`
	Audiences      []string `yaml:"api_audiences"`
}

// A ProfileAssertion is what the token endpoint asks of a client assertion.
type ProfileAssertion struct {
	Algorithms   []string `yaml:"algorithms"`
	Required     []string `yaml:"required_claims"`
	Audience     string   `yaml:"audience"`
	MaxAge       string   `yaml:"max_age,omitempty"`
	MaxLifetime  string   `yaml:"max_lifetime,omitempty"`
	ClockSkew    string   `yaml:"clock_skew"`
	SingleUseJTI bool     `yaml:"single_use_jti"`
}

// A ProfileAccessToken is what the API asks of an access token.
type ProfileAccessToken struct {
	Algorithms []string `yaml:"algorithms"`
	Required   []string `yaml:"required_claims"`
	ClockSkew  string   `yaml:"clock_skew"`
	Lifetime   string   `yaml:"lifetime"`
}

// A ProfileClient is a registered client.
type ProfileClient struct {
	ID           string   `yaml:"id"`
	Environments []string `yaml:"environments"`
	KIDs         []string `yaml:"kids,omitempty"`
}

// A ProfileScope is what a route asks for.
type ProfileScope struct {
	Method string   `yaml:"method"`
	Path   string   `yaml:"path"`
	AnyOf  []string `yaml:"any_of"`
}

func (w *world) profile() ([]byte, error) {
	s := w.sys
	p := Profile{Provider: "lab-" + s.Name}
	for _, env := range w.envs {
		e := ProfileEnvironment{Name: env.Name, Issuers: []string{env.Issuer}, Audiences: []string{env.Audience}}
		if s.Calls {
			e.Hosts = []string{origin(env.API)[len("https://"):]}
		}
		if s.Tokens {
			e.TokenEndpoints = []string{env.tokenEndpoint(s)}
		}
		p.Environments = append(p.Environments, e)
	}
	if s.Tokens {
		p.Assertion = &ProfileAssertion{Algorithms: []string{s.Algorithm}, Required: s.AssertionRequired, Audience: "token_endpoint",
			ClockSkew: s.Skew.String(), SingleUseJTI: s.SingleUse}
		if s.AssertionLifetime > 0 {
			p.Assertion.MaxAge, p.Assertion.MaxLifetime = s.AssertionLifetime.String(), s.AssertionLifetime.String()
		}
	}
	if s.Calls {
		p.AccessToken = &ProfileAccessToken{Algorithms: []string{s.Algorithm}, Required: s.Required, ClockSkew: s.Skew.String(), Lifetime: time.Hour.String()}
		for _, r := range s.Routes {
			p.Scopes = append(p.Scopes, ProfileScope{r.Method, r.Path, []string{r.Scope}})
		}
	}
	for i, id := range s.Clients {
		c := ProfileClient{ID: id}
		for _, env := range w.envs {
			if env.index == 0 && i == len(s.Clients)-1 && s.Tokens {
				continue
			}
			c.Environments = append(c.Environments, env.Name)
			if s.Tokens {
				c.KIDs = append(c.KIDs, env.clients[id].KID)
			}
		}
		p.Clients = append(p.Clients, c)
	}
	data, err := yaml.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("write profile of %s: %w", s.Name, err)
	}
	return data, nil
}
