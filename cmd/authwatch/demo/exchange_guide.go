package demo

import (
	"strings"
	"time"

	"authwatch/classify"
)

// A mistake is one row of a document: what the newcomer does wrong at t, and what the server says.
type mistake func(m *maker, c client, t time.Time) []*exchange

// Server texts of the exchange. The API verifies with Auth0's own middleware, so these are that library's words.
const (
	realm            = `Bearer realm="api"`
	expired          = realm + `, error="invalid_token", error_description="'exp' claim timestamp check failed"`
	unexpectedIssuer = realm + `, error="invalid_token", error_description="Unexpected 'iss' value"`
	gatewayDown      = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)

func insufficientScope(scope string) string {
	return realm + `, error="insufficient_scope", error_description="Insufficient Scope", scope="` + scope + `"`
}

// exchangeGuide is the exchange's troubleshooting guide, row by row.
func exchangeGuide() []mistake {
	list := []mistake{missingToken, expiredToken, wrongScheme, wrongDomain, scopeGap, scopeFormat,
		wrongKey, keyOfOtherEnvironment, otherClientID, expiredMidSession, slowClock, fastClock, reusedJTI, accountDenied, actionDenied}
	for _, text := range []string{
		"error:1E08010C:DECODER routines::unsupported (ERR_OSSL_UNSUPPORTED)", // corrupted file
		"invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key",           // DER
		`TypeError: "pkcs8" must be PKCS#8 formatted string`,                  // JWK
		"secretOrPrivateKey must be an asymmetric key when using RS256",       // a shared secret
		"Post \"https://pmx-dev01.us.auth0.com/oauth/token\": dial tcp: lookup pmx-dev01.us.auth0.com on 10.20.0.2:53: no such host",
	} {
		list = append(list, clientSide(text))
	}
	for _, alg := range []string{"HS256", "RS384", "RS512", "PS256"} {
		list = append(list, assertionFault(func(a *classify.JWT, _ client, _ time.Time) { a.Header = a.Header.With("alg", alg) }))
	}
	for _, claim := range []string{"iss", "sub", "aud", "iat", "exp", "jti"} {
		list = append(list, assertionFault(func(a *classify.JWT, _ client, _ time.Time) { a.Claims = a.Claims.Without(claim) }))
	}
	return append(list,
		assertionFault(func(a *classify.JWT, c client, _ time.Time) { a.Claims = a.Claims.With("aud", c.api) }),
		assertionFault(func(a *classify.JWT, _ client, t time.Time) {
			a.Claims = a.Claims.With("iat", t.Add(-time.Hour).Unix()).With("exp", t.Add(-55*time.Minute).Unix())
		}),
		assertionFault(func(a *classify.JWT, _ client, _ time.Time) {
			a.Claims = a.Claims.With("aud", exchangePreprod().tokenEndpoint)
		}),
	)
}

func missingToken(m *maker, c client, t time.Time) []*exchange {
	x := m.apiCall(c, t, nil, c.calls[0]).challenge(401, realm, "Unauthorized")
	x.authorization = ""
	return []*exchange{x}
}

func expiredToken(m *maker, c client, t time.Time) []*exchange {
	return []*exchange{m.apiCall(c, t, m.accessToken(c, t.Add(-11*time.Minute)), c.calls[0]).challenge(401, expired, "Unauthorized")}
}

func wrongScheme(m *maker, c client, t time.Time) []*exchange {
	x := m.apiCall(c, t, m.accessToken(c, t), c.calls[0]).challenge(401, realm, "Unauthorized")
	x.authorization = "Token %s"
	bare := m.apiCall(c, t.Add(20*time.Second), m.accessToken(c, t), c.calls[0]).challenge(401, realm, "Unauthorized")
	bare.authorization = "%s"
	return []*exchange{x, bare}
}

// wrongDomain takes a token of another environment's authorization server to the API.
func wrongDomain(m *maker, c client, t time.Time) []*exchange {
	other := c
	other.environment = exchangePreprod()
	return []*exchange{m.apiCall(c, t, m.accessToken(other, t), c.calls[0]).challenge(401, unexpectedIssuer, "Unauthorized")}
}

func scopeGap(m *maker, c client, t time.Time) []*exchange {
	x := m.apiCall(c, t, m.accessToken(c, t), call{"POST", "/v1/orders"})
	return []*exchange{x.challenge(403, insufficientScope("write:orders"), "Forbidden")}
}

// scopeFormat sends the scopes separated by commas: the server then sees one scope of that long name.
func scopeFormat(m *maker, c client, t time.Time) []*exchange {
	token := m.accessToken(c, t)
	token.Claims = token.Claims.With("scope", "read:orders,write:orders")
	return []*exchange{m.apiCall(c, t, token, call{"GET", "/v1/orders"}).challenge(403, insufficientScope("read:orders"), "Forbidden")}
}

// wrongKey signs with a private key whose public half was never registered; the claims are all right.
func wrongKey(m *maker, c client, t time.Time) []*exchange {
	return []*exchange{m.tokenRequest(c, t, m.assertion(c, t)).refuse("invalid_client")}
}

// keyOfOtherEnvironment signs with the key that the firm's router uses in pre-production.
func keyOfOtherEnvironment(m *maker, c client, t time.Time) []*exchange {
	a := m.assertion(c, t)
	a.Header = a.Header.With("kid", "order-router-preprod-1")
	return []*exchange{m.tokenRequest(c, t, a).refuse("invalid_client")}
}

// otherClientID takes the client id that the router has in production.
func otherClientID(m *maker, c client, t time.Time) []*exchange {
	c.id = "order-router-prod"
	return []*exchange{m.tokenRequest(c, t, m.assertion(c, t)).refuse("invalid_client")}
}

// expiredMidSession uses one token until it is refused.
func expiredMidSession(m *maker, c client, t time.Time) []*exchange {
	token := m.accessToken(c, t)
	list := []*exchange{m.tokenRequest(c, t, m.assertion(c, t))}
	for _, age := range []time.Duration{5 * time.Second, 80 * time.Second, 160 * time.Second} {
		list = append(list, m.apiCall(c, t.Add(age), token, c.calls[0]))
	}
	return append(list, m.apiCall(c, t.Add(215*time.Second), token, c.calls[0]).challenge(401, expired, "Unauthorized"))
}

// slowClock makes assertions that are expired when they are made.
func slowClock(m *maker, c client, t time.Time) []*exchange {
	return []*exchange{m.tokenRequest(c, t, m.assertion(c, t.Add(-7*time.Minute))).refuse("invalid_client_assertion")}
}

func fastClock(m *maker, c client, t time.Time) []*exchange {
	return []*exchange{m.tokenRequest(c, t, m.assertion(c, t.Add(4*time.Minute))).refuse("invalid_client_assertion")}
}

func reusedJTI(m *maker, c client, t time.Time) []*exchange {
	a := m.assertion(c, t)
	return []*exchange{
		m.tokenRequest(c, t, a),
		m.tokenRequest(c, t.Add(3*time.Second), a).refuse("invalid_client_assertion"),
	}
}

// accountDenied asks for an account that is not the token's.
func accountDenied(m *maker, c client, t time.Time) []*exchange {
	token := m.accessToken(c, t)
	token.Claims = token.Claims.With("account_id", "acc_1188")
	return []*exchange{m.apiCall(c, t, token, call{"GET", "/v1/accounts/acc_2207/positions"}).answer(403, "Forbidden\n")}
}

// actionDenied has the scope and lacks the role.
func actionDenied(m *maker, c client, t time.Time) []*exchange {
	token := m.accessToken(c, t)
	token.Claims = token.Claims.With("scope", "read:orders write:orders").With("roles", []string{"viewer"})
	x := m.apiCall(c, t, token, call{"DELETE", "/v1/orders/%s"})
	return []*exchange{x.challenge(401, realm+`, error="invalid_token", error_description="Unexpected 'roles' value"`, "Unauthorized")}
}

// clientSide is a log line of a client that never got as far as a request.
func clientSide(text string) mistake {
	return func(m *maker, c client, t time.Time) []*exchange {
		x := &exchange{record: m.newRecord(c, t, "POST", c.tokenEndpoint)}
		x.record.Response, x.record.Error = nil, text
		if strings.HasPrefix(text, "Post ") {
			return []*exchange{x}
		}
		x.record.Request = nil
		x.record.Provider, x.record.Environment = "polymarket", "dev"
		return []*exchange{x}
	}
}

// assertionFault refuses an assertion with the guide's answer to any wrong claim.
func assertionFault(spoil func(a *classify.JWT, c client, t time.Time)) mistake {
	return func(m *maker, c client, t time.Time) []*exchange {
		a := m.assertion(c, t)
		spoil(a, c, t)
		return []*exchange{m.tokenRequest(c, t, a).refuse("invalid_client_assertion")}
	}
}
