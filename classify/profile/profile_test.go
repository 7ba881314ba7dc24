package profile

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"authwatch/classify"
)

const whole = `provider: acme
title: Acme
references: [https://acme.example/auth]
environments:
  - name: prod
    hosts: [api.acme.example, "api.acme.example:8443"]
    token_endpoints: [https://id.acme.example/token]
    issuers: [https://id.acme.example/, acme-legacy]
    api_audiences: [acme-api]
assertion:
  algorithms: [ES256]
  required_claims: [iss, sub]
  required_header: [kid]
  audience: [https://id.acme.example/, https://id.acme.example]
  max_age: 10m
  max_lifetime: 60
  clock_skew: 0
  single_use_jti: true
  content_type: application/json
access_token:
  algorithms: [RS256]
  lifetime: 0.5
clients:
  - id: bot
    environments: [prod]
    kids: [k1]
scopes:
  - {method: GET, path: "/v1/orders/{id}", any_of: [read]}
  - {path: /v1/admin, all_of: [admin, write]}
jwks_file: keys.json
check_order: [signature, claims]
audience_next: issuer
meanings:
  - {phase: api_call, status: 403, cause: scope_gap}
  - {error: invalid_client, code: E-17, cause: key_mismatch}
`

func TestParse_Whole(t *testing.T) {
	p, err := Parse("acme.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	a := p.Assertion
	if got := time.Duration(*a.MaxAge); got != 10*time.Minute {
		t.Errorf("max_age = %v", got)
	}
	if got := time.Duration(*a.MaxLifetime); got != time.Minute {
		t.Errorf("max_lifetime in plain seconds = %v", got)
	}
	if got := time.Duration(*p.AccessToken.Lifetime); got != 500*time.Millisecond {
		t.Errorf("lifetime = %v", got)
	}
	if a.ClockSkew == nil || *a.ClockSkew != 0 {
		t.Errorf("clock_skew 0 is written, but reads %v", a.ClockSkew)
	}
	if p.AccessToken.ClockSkew != nil {
		t.Errorf("clock_skew is not written, but reads %v", *p.AccessToken.ClockSkew)
	}
	if want := []string{"https://id.acme.example/", "https://id.acme.example"}; !slices.Equal(a.Audience.Values, want) {
		t.Errorf("audience = %+v", a.Audience)
	}
	if p.JWKSFile != "keys.json" || p.AudienceNext != "issuer" || len(p.Scopes) != 2 || len(p.Meanings) != 2 || p.Clients[0].KIDs[0] != "k1" {
		t.Errorf("profile = %+v", p)
	}
}

// What is printed must be readable again: `profiles show` is how people start a profile of their own.
func TestParse_RoundTrip(t *testing.T) {
	for _, source := range []string{whole, strings.Replace(whole, "[https://id.acme.example/, https://id.acme.example]", "issuer", 1)} {
		p, err := Parse("a.yaml", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		printed, err := yaml.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("b.yaml", printed)
		if err != nil {
			t.Fatalf("%v in\n%s", err, printed)
		}
		if !reflect.DeepEqual(p.Assertion.Audience, again.Assertion.Audience) || *again.Assertion.MaxAge != *p.Assertion.MaxAge {
			t.Errorf("printed and read again: %+v, want %+v", again.Assertion, p.Assertion)
		}
		asJSON, err := json.Marshal(p.Assertion)
		if err != nil {
			t.Fatal(err)
		}
		audience := `"audience":["https://id.acme.example/","https://id.acme.example"]`
		if p.Assertion.Audience.Keyword != "" {
			audience = `"audience":"issuer"`
		}
		for _, part := range []string{audience, `"max_age":"10m0s"`, `"clock_skew":"0s"`} {
			if !strings.Contains(string(asJSON), part) {
				t.Errorf("%s lacks %s", asJSON, part)
			}
		}
	}
}

func TestParse_Refuses(t *testing.T) {
	tests := []struct {
		name, yaml string
		want       []string // parts of the error
	}{
		{"empty", "", []string{"x.yaml", "empty"}},
		{"only a comment", "# nothing\n", []string{"x.yaml", "empty"}},
		{"null", "---\n", []string{"x.yaml:", "provider"}},
		{"not YAML", "provider: [", []string{"x.yaml", "line 1"}},
		{"not a mapping", "- a\n", []string{"x.yaml:1", "must be a mapping"}},
		{"unknown field", "provider: a\nassertion:\n  algoritms: [RS256]\n", []string{"x.yaml:3", "algoritms", "allowed: algorithms, required_claims"}},
		{"unknown field at the top", "provider: a\nscope: []\n", []string{"x.yaml:2", "scopes"}},
		{"field twice", "provider: a\nprovider: b\n", []string{"x.yaml:2", "twice"}},
		{"two documents", "provider: a\n---\nprovider: b\n", []string{"x.yaml", "more than one"}},
		{"no id", "title: A\n", []string{"x.yaml:1", "provider"}},
		{"id with a space", "provider: a b\n", []string{"x.yaml:1", "letters"}},
		{"list expected", "provider: a\nreferences: https://a.example\n", []string{"x.yaml:2", "must be a list"}},
		{"text expected", "provider: {a: b}\n", []string{"x.yaml:1", "must be a text"}},
		{"bool expected", "provider: a\nassertion: {single_use_jti: maybe}\n", []string{"x.yaml:2", "true or false"}},
		{"reference without scheme", "provider: a\nreferences: [a.example]\n", []string{"x.yaml:2", "https://"}},
		{"environment without name", "provider: a\nenvironments:\n  - issuers: [x]\n", []string{"x.yaml:3", "name"}},
		{"environment twice", "provider: a\nenvironments:\n  - name: p\n  - name: p\n", []string{"x.yaml:4", `"p" occurs twice`}},
		{"endpoint without host", "provider: a\nenvironments:\n  - name: p\n    token_endpoints: ['https:///token']\n", []string{"x.yaml:4", "https://"}},
		{"endpoint with password", "provider: a\nenvironments:\n  - name: p\n    token_endpoints: ['https://u:p@a.example']\n", []string{"x.yaml:4", "password"}},
		{"endpoint with a control character", "provider: a\nenvironments:\n  - name: p\n    token_endpoints: [\"https://a\\n.example\"]\n", []string{"x.yaml:4"}},
		{"issuer is a broken URL", "provider: a\nenvironments:\n  - name: p\n    issuers: ['ftp://x']\n", []string{"x.yaml:4"}},
		{"host with scheme", "provider: a\nenvironments:\n  - name: p\n    hosts:\n      - a.example\n      - https://b.example\n", []string{"x.yaml:6", "without scheme"}},
		{"empty audience value", "provider: a\nenvironments:\n  - name: p\n    api_audiences: ['']\n", []string{"x.yaml:4", "empty"}},
		{"unknown algorithm", "provider: a\nassertion:\n  algorithms:\n    - RS256\n    - rs384\n", []string{"x.yaml:5", "rs384", "RS384"}},
		{"algorithm none", "provider: a\naccess_token: {algorithms: [none]}\n", []string{"x.yaml:2", "none"}},
		{"audience keyword", "provider: a\nassertion:\n  audience: token_endpiont\n", []string{"x.yaml:3", "token_endpiont", "token_endpoint, issuer"}},
		{"audience mapping", "provider: a\nassertion:\n  audience: {a: b}\n", []string{"x.yaml:3", "audience"}},
		{"duration", "provider: a\nassertion:\n  max_age: soon\n", []string{"x.yaml:3", "soon", "10s"}},
		{"duration not a number", "provider: a\nassertion:\n  max_age: NaN\n", []string{"x.yaml:3", "range"}},
		{"duration beyond range", "provider: a\nassertion:\n  max_age: 1e300\n", []string{"x.yaml:3", "range"}},
		{"duration list", "provider: a\nassertion:\n  max_age: [1]\n", []string{"x.yaml:3", "single value"}},
		{"negative duration", "provider: a\naccess_token:\n  clock_skew: -5s\n", []string{"x.yaml:3", "negative"}},
		{"content type", "provider: a\nassertion: {content_type: form}\n", []string{"x.yaml:2", "media type"}},
		{"client without id", "provider: a\nclients: [{kids: [k]}]\n", []string{"x.yaml:2", "needs an id"}},
		{"client twice", "provider: a\nclients:\n  - id: c\n  - id: c\n", []string{"x.yaml:4", "twice"}},
		{"client in unknown environment", "provider: a\nclients:\n  - id: c\n    environments: [prod]\n", []string{"x.yaml:4", "prod"}},
		{"scope path", "provider: a\nscopes: [{path: v1, any_of: [a]}]\n", []string{"x.yaml:2", "begin with /"}},
		{"scope method", "provider: a\nscopes: [{method: get, path: /v1, any_of: [a]}]\n", []string{"x.yaml:2", "capitals"}},
		{"scope without scopes", "provider: a\nscopes: [{path: /v1}]\n", []string{"x.yaml:2", "any_of or all_of"}},
		{"scope with both", "provider: a\nscopes: [{path: /v1, any_of: [a], all_of: [b]}]\n", []string{"x.yaml:2", "one of the two"}},
		{"check_order", "provider: a\ncheck_order: [structure, keys]\n", []string{"x.yaml:2", "keys", "replay"}},
		{"check_order twice", "provider: a\ncheck_order: [key, key]\n", []string{"x.yaml:2", "twice"}},
		{"audience_next", "provider: a\naudience_next: later\n", []string{"x.yaml:2", "later"}},
		{"meaning of nothing", "provider: a\nmeanings:\n  - {cause: scope_gap}\n", []string{"x.yaml:3", "status, error or code"}},
		{"meaning unknown", "provider: a\nmeanings:\n  - {status: 403, cause: forbidden}\n", []string{"x.yaml:3", "forbidden"}},
		{"meaning unclassified", "provider: a\nmeanings:\n  - {status: 403, cause: unclassified}\n", []string{"x.yaml:3", "unclassified"}},
		{"meaning of a phase", "provider: a\nmeanings:\n  - {status: 403, phase: login, cause: scope_gap}\n", []string{"x.yaml:3", "login", "token_request, api_call"}},
		{"meaning of a status in words", "provider: a\nmeanings:\n  - {status: forbidden, cause: scope_gap}\n", []string{"x.yaml:3", "whole number"}},
		{"meaning of no status", "provider: a\nmeanings:\n  - {status: 40, cause: scope_gap}\n", []string{"x.yaml:3", "HTTP status"}},
		{"alias", "provider: &a acme\ntitle: *a\n", []string{"x.yaml:1", "anchors"}},
		{"alias bomb", aliasBomb(), []string{"anchors"}},
		{"too large", "# " + strings.Repeat("x", maxSize), []string{"larger than"}},
		{"two mistakes, both told", "provider: a\nfoo: 1\nbar: 2\n", []string{"x.yaml:2", "x.yaml:3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Parse("x.yaml", []byte(tt.yaml))
			if err == nil {
				t.Fatalf("accepted: %+v", p)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
		})
	}
}

// Hostile files cost no more than their size: deep nesting, and a mistake on every line.
func TestParse_Hostile(t *testing.T) {
	tests := map[string]string{
		"deep flow":           "provider: " + strings.Repeat("[", maxSize-100),
		"deep block":          strings.Repeat("- ", maxSize/2-100),
		"unknown fields":      strings.Repeat("x: 1\n", 20_000),
		"environments twice":  "provider: a\nenvironments:\n" + strings.Repeat("- name: p\n", 10_000),
		"clients in nowhere":  "provider: a\nclients:\n- id: c\n  environments: [" + strings.Repeat("p,", 50_000) + "]\n",
		"invalid UTF-8":       "provider: \xff\xfe",
		"control characters":  "provider: a\x00b",
		"binary tag":          "provider: !!binary gICA\n",
		"a merge key":         "<<: {provider: a}\n",
		"a number for an id":  "provider: 1e400\n",
		"a list for a number": "provider: a\naccess_token: {lifetime: [[[[]]]]}\n",
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("x.yaml", []byte(data))
			if err != nil && len(err.Error()) > 16<<10 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if err == nil && name != "a number for an id" {
				t.Error("accepted")
			}
		})
	}
}

func aliasBomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		from, to := string(rune('a'+i-1)), string(rune('a'+i))
		b.WriteString(to + "0: &" + to + "0 [" + strings.Repeat("*"+from+"0, ", 9) + "*" + from + "0]\n")
	}
	return b.String()
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "acme.yaml")
	if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "keys.json"); p.JWKSFile != want {
		t.Errorf("jwks_file = %s, want %s", p.JWKSFile, want)
	}
	if _, err := Load(filepath.Join(dir, "absent.yaml")); err == nil {
		t.Error("no error for an absent file")
	}
	absolute := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, []byte(strings.Replace(whole, "keys.json", absolute, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err = Load(path); err != nil || p.JWKSFile != absolute {
		t.Errorf("absolute jwks_file: %v, %v", p, err)
	}
}

// What operators of real verifiers wrote down must be readable as it is.
func TestLoad_Corpus(t *testing.T) {
	paths, err := filepath.Glob("../testdata/corpus/*.profile.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no corpus profiles: %v", err)
	}
	for _, path := range paths {
		if p, err := Load(path); err != nil {
			t.Error(err)
		} else if len(p.Environments) != 2 {
			t.Errorf("%s has %d environments", path, len(p.Environments))
		}
	}
}

func TestBuiltIn(t *testing.T) {
	profiles, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]*classify.Profile{}
	for _, p := range profiles {
		byID[p.ID] = p
		if p.Title == "" || len(p.References) == 0 {
			t.Errorf("%s needs a title and the documents that it rests on", p.ID)
		}
	}
	if len(byID) != len(profiles) {
		t.Error("two built-in profiles share an id")
	}

	exchange := byID["polymarket"]
	domains := map[string][2]string{
		"dev":     {"pmx-dev01.us.auth0.com", "https://api.dev01.polymarketexchange.com"},
		"preprod": {"pmx-preprod.us.auth0.com", "https://api.preprod.polymarketexchange.com"},
		"prod":    {"pmx-prod.us.auth0.com", "https://api.polymarketexchange.com"},
	}
	if len(exchange.Environments) != len(domains) {
		t.Errorf("polymarket has %d environments", len(exchange.Environments))
	}
	for _, env := range exchange.Environments {
		want := domains[env.Name]
		if env.TokenEndpoints[0] != "https://"+want[0]+"/oauth/token" || env.Issuers[0] != "https://"+want[0]+"/" || env.APIAudiences[0] != want[1] {
			t.Errorf("environment %s = %+v", env.Name, env)
		}
	}
	a := exchange.Assertion
	if !slices.Equal(a.Algorithms, []string{"RS256"}) || !slices.Equal(a.RequiredClaims, []string{"iss", "sub", "aud", "iat", "exp", "jti"}) ||
		a.Audience.Keyword != classify.AudienceTokenEndpoint || !a.SingleUseJTI || time.Duration(*exchange.AccessToken.Lifetime) != 180*time.Second {
		t.Errorf("polymarket rules = %+v, %+v", a, exchange.AccessToken)
	}

	r := byID["redox"].Assertion
	if r.ContentType != "application/x-www-form-urlencoded" || !slices.Contains(r.RequiredHeader, "kid") || !r.SingleUseJTI ||
		time.Duration(*r.MaxAge) != 5*time.Minute || time.Duration(*r.ClockSkew) != 10*time.Second {
		t.Errorf("redox rules = %+v", r)
	}
}

func TestWith(t *testing.T) {
	ids := func(ps classify.Profiles) (out []string) {
		for _, p := range ps {
			out = append(out, p.ID+p.Title)
		}
		return out
	}
	base := classify.Profiles{{ID: "a"}, {ID: "b"}}
	tests := []struct {
		name string
		more []*classify.Profile
		want []string
	}{
		{"nothing more", nil, []string{"a", "b"}},
		{"a new one comes first", []*classify.Profile{{ID: "c"}}, []string{"c", "a", "b"}},
		{"one of the same id replaces", []*classify.Profile{{ID: "b", Title: "2"}}, []string{"b2", "a"}},
		{"the later of two counts", []*classify.Profile{{ID: "c"}, {ID: "b", Title: "1"}, {ID: "b", Title: "2"}}, []string{"c", "b2", "a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ids(With(base, tt.more...)); !slices.Equal(got, tt.want) {
				t.Errorf("With = %v, want %v", got, tt.want)
			}
			if got := ids(base); !slices.Equal(got, []string{"a", "b"}) {
				t.Errorf("base became %v", got)
			}
		})
	}
}
