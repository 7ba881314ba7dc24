package demo

import (
	"strings"
	"time"

	"authwatch/classify"
)

// healthTable is the health API's table of error descriptions, row by row.
func healthTable() []mistake {
	return []mistake{
		// A blank description hides a wrong aud, alg or jti: only the claims and history tell them apart.
		described("", func(a *classify.JWT, c client, _ time.Time) { a.Claims = a.Claims.With("aud", c.api) }),
		described("", func(a *classify.JWT, _ client, _ time.Time) { a.Header = a.Header.With("alg", "HS256") }),
		blankReuse,
		parameters("x-www-form-urlencoded content-type required", func(x *exchange) {
			x.record.Request.Headers = x.record.Request.Headers.With("content-type", "application/json")
		}),
		parameters("Missing grant_type parameter", func(x *exchange) { delete(x.parameters, "grant_type") }),
		parameters("The grant_type parameter should equal 'client_credentials'", func(x *exchange) { x.parameters["grant_type"] = "authorization_code" }),
		parameters("Missing client assertion type", func(x *exchange) { delete(x.parameters, "client_assertion_type") }),
		parameters("Invalid client assertion type", func(x *exchange) { x.parameters["client_assertion_type"] = "jwt-bearer" }),
		parameters("Missing client assertion", func(x *exchange) {
			delete(x.parameters, "client_assertion")
			x.record.ClientAssertion = nil
		}),
		described("JWT header kid property is required", func(a *classify.JWT, _ client, _ time.Time) { a.Header = a.Header.Without("kid") }),
		described(keyNotFound, func(a *classify.JWT, _ client, _ time.Time) { a.Header = a.Header.With("kid", "clinic-intake-2027") }),
		described(keyNotFound, func(a *classify.JWT, _ client, _ time.Time) {
			a.Claims = a.Claims.With("iss", "clinic-intake-new").With("sub", "clinic-intake-new")
		}),
		described(`Unexpected "iss" claim value`, func(a *classify.JWT, _ client, _ time.Time) { a.Claims = a.Claims.Without("iss") }),
		described(`Unexpected "sub" claim value`, func(a *classify.JWT, _ client, _ time.Time) { a.Claims = a.Claims.With("sub", "intake") }),
		described(`Unexpected "jti" claim value`, func(a *classify.JWT, _ client, _ time.Time) { a.Claims = a.Claims.With("jti", 20261122) }),
		described(`Unexpected "aud" claim value`, func(a *classify.JWT, _ client, _ time.Time) {
			a.Claims = a.Claims.With("aud", "https://api.redoxengine.com")
		}),
		described(`Unexpected "typ" claim value`, func(a *classify.JWT, _ client, _ time.Time) { a.Header = a.Header.With("typ", "at+jwt") }),
		described(`"iat" claim timestamp check failed (it should be in the past)`, func(a *classify.JWT, _ client, t time.Time) {
			a.Claims = a.Claims.With("iat", t.Add(2*time.Minute).Unix())
		}),
		described(`"iat" claim timestamp check failed (too far in the past)`, func(a *classify.JWT, _ client, t time.Time) {
			a.Claims = a.Claims.With("iat", t.Add(-20*time.Minute).Unix()).With("exp", t.Add(10*time.Minute).Unix())
		}),
		described(`"nbf" claim timestamp check failed`, func(a *classify.JWT, _ client, t time.Time) {
			a.Claims = a.Claims.With("nbf", t.Add(10*time.Minute).Unix())
		}),
		described(`"exp" claim timestamp check failed`, func(a *classify.JWT, _ client, t time.Time) {
			a.Claims = a.Claims.With("iat", t.Add(-2*time.Minute).Unix()).With("exp", t.Add(-time.Minute).Unix())
		}),
		mangled("JWTs must have three components", func(text string) string { return text[:strings.LastIndex(text, ".")] }),
		mangled("JWT is malformed", func(text string) string { return strings.Replace(text, ".", ".%%", 1) }),
	}
}

const keyNotFound = "Public key not found, check client_id, kid and Redox dashboard settings"

// described refuses a spoilt assertion with one description.
func described(description string, spoil func(a *classify.JWT, c client, t time.Time)) mistake {
	return func(m *maker, c client, t time.Time) []*exchange {
		a := m.assertion(c, t)
		spoil(a, c, t)
		return []*exchange{m.tokenRequest(c, t, a).describe(description)}
	}
}

// parameters refuses a token request whose form is wrong.
func parameters(description string, spoil func(x *exchange)) mistake {
	return func(m *maker, c client, t time.Time) []*exchange {
		x := m.tokenRequest(c, t, m.assertion(c, t))
		spoil(x)
		return []*exchange{x.describe(description)}
	}
}

// mangled refuses a text that is no JWT any more; such a text can only be logged as it was sent.
func mangled(description string, mangle func(string) string) mistake {
	return func(m *maker, c client, t time.Time) []*exchange {
		c.algorithm = "RS384"
		x := m.tokenRequest(c, t, m.assertion(c, t)).describe(description)
		x.shown, x.mangle = raw, mangle
		return []*exchange{x}
	}
}

func blankReuse(m *maker, c client, t time.Time) []*exchange {
	a := m.assertion(c, t)
	return []*exchange{
		m.tokenRequest(c, t, a),
		m.tokenRequest(c, t.Add(2*time.Second), a).describe(""),
	}
}
