package profile

import (
	"errors"
	"mime"
	"net/url"
	"slices"
	"strings"

	"authwatch/classify"
)

// validate checks what the shape of the fields cannot say.
func (d *document) validate(p *classify.Profile) error {
	d.checkName(p.ID, "provider")
	for i, ref := range p.References {
		d.checkURL(ref, "references", i)
	}
	environments := map[string]bool{}
	for i, env := range p.Environments {
		if environments[env.Name] {
			d.problem(d.line("environments", i, "name"), "environment %q occurs twice", env.Name)
		}
		environments[env.Name] = true
		d.validateEnvironment(i, env)
	}
	if a := p.Assertion; a != nil {
		d.validateAssertion(a)
	}
	if t := p.AccessToken; t != nil {
		d.checkAlgorithms(t.Algorithms, "access_token", "algorithms")
		d.checkTexts(t.RequiredClaims, "access_token", "required_claims")
		d.checkDuration(t.Lifetime, "access_token", "lifetime")
		d.checkDuration(t.ClockSkew, "access_token", "clock_skew")
	}
	clients := map[string]bool{}
	for i, c := range p.Clients {
		if clients[c.ID] {
			d.problem(d.line("clients", i, "id"), "client %.100q occurs twice", c.ID)
		}
		clients[c.ID] = true
		d.validateClient(i, c, environments)
	}
	for i, s := range p.Scopes {
		d.validateScope(i, s)
	}
	for i, m := range p.Meanings {
		d.validateMeaning(i, m)
	}
	d.validateOrder(p.CheckOrder)
	if next := p.AudienceNext; next != "" && next != classify.AudienceIssuer && next != classify.AudienceTokenEndpoint {
		d.problem(d.line("audience_next"), "audience_next %.100q: allowed: %s, %s", next, classify.AudienceIssuer, classify.AudienceTokenEndpoint)
	}
	return errors.Join(d.problems...)
}

func (d *document) validateEnvironment(i int, env classify.Environment) {
	d.checkName(env.Name, "environments", i, "name")
	for j, host := range env.Hosts {
		if u, err := url.Parse("//" + host); err != nil || u.Host != host || u.Hostname() == "" {
			d.problem(d.line("environments", i, "hosts", j), "host %.100q must be a host name, with a port where needed, without scheme and path", host)
		}
	}
	for j, endpoint := range env.TokenEndpoints {
		d.checkURL(endpoint, "environments", i, "token_endpoints", j)
	}
	for j, issuer := range env.Issuers {
		// An issuer is a StringOrURI (RFC 7519 section 4.1.1): only what claims to be a URL must be one.
		if strings.Contains(issuer, "://") {
			d.checkURL(issuer, "environments", i, "issuers", j)
		}
	}
	d.checkTexts(env.Issuers, "environments", i, "issuers")
	d.checkTexts(env.APIAudiences, "environments", i, "api_audiences")
}

func (d *document) validateAssertion(a *classify.AssertionRules) {
	d.checkAlgorithms(a.Algorithms, "assertion", "algorithms")
	d.checkTexts(a.RequiredClaims, "assertion", "required_claims")
	d.checkTexts(a.RequiredHeader, "assertion", "required_header")
	d.checkTexts(a.Audience.Values, "assertion", "audience")
	d.checkDuration(a.MaxAge, "assertion", "max_age")
	d.checkDuration(a.MaxLifetime, "assertion", "max_lifetime")
	d.checkDuration(a.ClockSkew, "assertion", "clock_skew")
	if a.ContentType != "" {
		if media, _, err := mime.ParseMediaType(a.ContentType); err != nil || !strings.Contains(media, "/") {
			d.problem(d.line("assertion", "content_type"), "content_type %.100q is not a media type", a.ContentType)
		}
	}
}

func (d *document) validateClient(i int, c classify.Client, environments map[string]bool) {
	if strings.TrimSpace(c.ID) == "" {
		d.problem(d.line("clients", i, "id"), "a client needs an id")
	}
	for j, name := range c.Environments {
		if !environments[name] {
			d.problem(d.line("clients", i, "environments", j), "client %.100q names environment %.100q, which the profile does not have", c.ID, name)
		}
	}
	d.checkTexts(c.KIDs, "clients", i, "kids")
}

func (d *document) validateScope(i int, s classify.ScopeRule) {
	if !strings.HasPrefix(s.Path, "/") {
		d.problem(d.line("scopes", i, "path"), "path %.100q must begin with /", s.Path)
	}
	if s.Method != strings.ToUpper(s.Method) || strings.ContainsAny(s.Method, " \t/") {
		d.problem(d.line("scopes", i, "method"), "method %.100q must be an HTTP method in capitals", s.Method)
	}
	if (len(s.AnyOf) == 0) == (len(s.AllOf) == 0) {
		d.problem(d.line("scopes", i), "a scope rule needs any_of or all_of, one of the two")
	}
	d.checkTexts(s.AnyOf, "scopes", i, "any_of")
	d.checkTexts(s.AllOf, "scopes", i, "all_of")
}

func (d *document) validateMeaning(i int, m classify.Meaning) {
	if _, known := classify.Lookup(m.Cause); !known || m.Cause == classify.Unclassified {
		d.problem(d.line("meanings", i, "cause"), "cause %.100q is none that an answer can mean; `authwatch causes` lists them", m.Cause)
	}
	if m.Status == 0 && m.Error == "" && m.Code == "" {
		d.problem(d.line("meanings", i), "a meaning needs status, error or code")
	}
	if m.Status != 0 && (m.Status < 100 || m.Status > 599) {
		d.problem(d.line("meanings", i, "status"), "status %d is no HTTP status", m.Status)
	}
	if m.Phase != "" && m.Phase != classify.TokenRequest && m.Phase != classify.APICall {
		d.problem(d.line("meanings", i, "phase"), "phase %.100q: allowed: %s, %s", m.Phase, classify.TokenRequest, classify.APICall)
	}
}

func (d *document) validateOrder(order []string) {
	groups := classify.CheckGroups()
	for i, group := range order {
		if !slices.Contains(groups, group) {
			d.problem(d.line("check_order", i), "check_order %.100q: allowed: %s", group, strings.Join(groups, ", "))
		} else if slices.Contains(order[:i], group) {
			d.problem(d.line("check_order", i), "check_order has %s twice", group)
		}
	}
}

func (d *document) checkAlgorithms(algorithms []string, path ...any) {
	known := algorithmNames()
	for i, alg := range algorithms {
		if !slices.Contains(known, alg) {
			d.problem(d.line(append(path, i)...), "algorithm %.100q: allowed: %s", alg, strings.Join(known, ", "))
		}
	}
}

// algorithmNames lists the signature algorithms of RFC 7518 section 3.1, RFC 8037, RFC 8812 and RFC 9864. "none" is left
// out: no profile may accept an unsigned token.
func algorithmNames() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K",
		"EdDSA", "Ed25519", "Ed448", "HS256", "HS384", "HS512"}
}

func (d *document) checkTexts(texts []string, path ...any) {
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			d.problem(d.line(append(path, i)...), "%v[%d] is empty", path[len(path)-1], i)
		}
	}
}

func (d *document) checkDuration(value *classify.Duration, path ...any) {
	if value != nil && *value < 0 {
		d.problem(d.line(path...), "%v must not be negative", path[len(path)-1])
	}
}

// checkURL wants an absolute http or https URL. User info is refused because a profile is printed and shown.
func (d *document) checkURL(text string, path ...any) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		d.problem(d.line(path...), "%.100q must be a URL with https:// or http:// and a host, without user and password", text)
	}
}

// checkName keeps ids fit for command lines, URLs and metric labels.
func (d *document) checkName(name string, path ...any) {
	foreign := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r))
	}
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, foreign) {
		d.problem(d.line(path...), "%v %.100q must be 1 to 64 letters, digits, dots, hyphens or underscores", path[len(path)-1], name)
	}
}
