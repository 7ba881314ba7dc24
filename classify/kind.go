package classify

import "strings"

// kindMismatch recognises a token of another kind than the place asks for: what it is shows in its own claims.
func (x *examination) kindMismatch() string {
	t := x.token
	if t == nil || x.unreadable != "" {
		return ""
	}
	typ, others := x.head.kind, x.claims.rest
	iss, sub := textOf(x.claims.iss), textOf(x.claims.sub)
	if x.assertion {
		if typ == "at+jwt" || typ == "logout+jwt" || typ == "dpop+jwt" {
			return "typ is " + clip(typ) + ", which is no client assertion"
		}
		return ""
	}
	list := x.audiences
	switch {
	case typ == "at+jwt":
		return ""
	case x.root == "client_assertion":
		return "it is the client assertion, which only the token endpoint accepts"
	case typ == "client-authentication+jwt" || typ == "logout+jwt" || typ == "dpop+jwt":
		return "typ is " + clip(typ) + ", which is no access token"
	case iss != "" && iss == sub && addressOf(iss).scheme == "" && x.anyTokenEndpoint(list):
		return "iss equals sub and aud is a token endpoint: this is a client assertion"
	case iss != "" && iss == sub && x.claims.scope == nil && clientNamed(x.Profile, iss) != nil:
		return "iss and sub are the registered client " + clip(iss) + ": this is its client assertion"
	case x.looksLikeAssertion(iss, sub, list):
		x.kindWeight = likely
		return "iss equals sub and aud is another server: this looks like a client assertion"
	case textOf(others.Get("token_use")) == "id", textOf(others.Get("token_use")) == "string(2)" && x.claims.scope == nil: // what a redactor leaves; the other value is access
		return "token_use is id: this is an ID token"
	case x.audienceIsClient(list):
		return "aud is the client itself and there is no scope: this is an ID token"
	case (others.Get("at_hash") != nil || others.Get("c_hash") != nil || others.Get("nonce") != nil) && x.claims.scope == nil && others.Get("scp") == nil && !x.ownAudience(list):
		return "it has nonce or at_hash and no scope: this is an ID token"
	case strings.EqualFold(textOf(others.Get("typ")), "refresh") || strings.EqualFold(textOf(others.Get("typ")), "id"):
		return "its typ claim says " + clip(textOf(others.Get("typ")))
	}
	return ""
}

// looksLikeAssertion recognises a client assertion that was sent to an API when no profile knows the token endpoint: a client names
// itself twice, for a short while, to a server that is not the one that was called, and claims no rights.
func (x *examination) looksLikeAssertion(iss, sub string, list []string) bool {
	c := &x.claims
	if iss == "" || iss != sub || addressOf(iss).scheme != "" || len(list) != 1 || x.ownAudience(list) {
		return false
	}
	if a := addressOf(list[0]); a.scheme == "" || a.host == hostOf(x.Record) || x.claims.scope != nil || c.get("scp") != nil || c.get("roles") != nil || c.clientID != nil || c.get("azp") != nil {
		return false
	}
	exp, dated := x.date("exp")
	iat, issued := x.date("iat")
	return dated && issued && exp-iat <= freshLifetime
}

// audienceIsClient recognises an ID token by its only sign that every redactor leaves: it is meant for the client (OpenID Connect
// Core, section 2). It counts where the API's own audience is known to be another.
func (x *examination) audienceIsClient(list []string) bool {
	c := &x.claims
	if len(list) != 1 || x.env == nil || len(x.env.APIAudiences) == 0 || x.ownAudience(list) || x.claims.scope != nil || c.get("scp") != nil || c.get("roles") != nil {
		return false
	}
	return list[0] == textOf(c.get("azp")) || list[0] == textOf(c.clientID)
}

func (x *examination) ownAudience(list []string) bool {
	if x.env != nil {
		for _, aud := range list {
			if contains(x.env.APIAudiences, aud) {
				return true
			}
		}
	}
	return false
}

// anyTokenEndpoint reports whether an audience is a token endpoint or an issuer, of the profile or by its form.
func (x *examination) anyTokenEndpoint(list []string) bool {
	for _, aud := range list {
		for i := range x.Profile.Environments {
			env := &x.Profile.Environments[i]
			if contains(env.TokenEndpoints, aud) || contains(env.Issuers, aud) || authorizationServer(env, addressOf(aud).host) {
				return true
			}
		}
		if tokenPath(addressOf(aud).path) {
			return true
		}
	}
	return false
}

// authorizationServer reports whether a host is that of the environment's issuers or token endpoints, and none of the API's.
func authorizationServer(env *Environment, host string) bool {
	if host == "" {
		return false
	}
	for _, aud := range env.APIAudiences {
		if addressOf(aud).host == host {
			return false
		}
	}
	for _, list := range [...][]string{env.TokenEndpoints, env.Issuers} {
		for _, u := range list {
			if a := addressOf(u); a.scheme != "" && a.host == host {
				return true
			}
		}
	}
	return false
}

// checkKind asks whether the token is of the kind that is due here, RFC 8725 section 3.11.
func checkKind(x *examination) {
	if x.token == nil || x.unreadable != "" {
		return
	}
	path := x.claimPath("aud")
	if x.otherKind == "" {
		x.pass(demandTokenType, x.root, "nothing says that it is another kind of token")
		return
	}
	if strings.HasPrefix(x.otherKind, "typ ") {
		path = x.headerPath("typ")
	}
	expected := "an access token for the API"
	if x.assertion {
		expected = "a client assertion"
	}
	x.report(demandTokenType, finding{cause: WrongTokenType, weight: x.kindWeight, path: path, observed: shown(x.claims.aud), expected: expected, detail: x.otherKind})
}
