package main

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// tokenFaults are injected into token requests with a client assertion.
func tokenFaults() []Fault {
	all := assertionClaimFaults()
	all = append(all, assertionTimeFaults()...)
	all = append(all, assertionKeyFaults()...)
	all = append(all, formFaults()...)
	for i := range all {
		all[i].Request = true
	}
	return all
}

func assertionClaimFaults() []Fault {
	missing := func(id, claim string) Fault {
		return Fault{ID: id, Cause: "missing_claim", Times: 2,
			Applies: func(s System) bool { return slices.Contains(s.AssertionRequired, claim) },
			Inject:  func(a *attempt) { delete(a.claims, claim) }}
	}
	return []Fault{
		{ID: "T01", Cause: "wrong_audience", Inject: func(a *attempt) {
			a.claims["aud"] = pick[any](a, a.env.API, nearMiss(a.env.tokenEndpoint(a.sys)), []string{a.env.Audience})
		}},
		{ID: "T02", Cause: "wrong_environment", Also: []string{"wrong_audience"}, Inject: func(a *attempt) {
			a.claims["aud"] = a.other.tokenEndpoint(a.sys)
		}},
		{ID: "T02b", Cause: "wrong_environment", Also: []string{"wrong_audience", "unknown_key", "key_mismatch"},
			Inject: func(a *attempt) { a.assertion(a.other) }},
		missing("T06a", "iss"), missing("T06b", "sub"), missing("T06c", "aud"), missing("T06d", "iat"), missing("T06e", "exp"), missing("T06f", "jti"),
		{ID: "T13", Cause: "unknown_client", Inject: func(a *attempt) {
			a.client = pick(a, "svc-"+hexID(a.rnd, 3), a.client+"-2", strings.ToUpper(a.client))
			a.claims["iss"], a.claims["sub"] = a.client, a.client
			a.form.Set("client_id", a.client)
		}},
		{ID: "T14", Cause: "client_identity_mismatch", Inject: func(a *attempt) {
			a.claims[pick(a, "iss", "sub", "iss")] = a.sys.Clients[len(a.sys.Clients)-1]
		}},
		{ID: "T26", Cause: "wrong_environment", Also: []string{"unknown_client"}, Inject: func(a *attempt) {
			// The last client is registered in the second environment only.
			if a.env.index == 1 {
				a.env, a.other = a.other, a.env
			}
			a.client = a.sys.Clients[len(a.sys.Clients)-1]
			a.key = a.other.clients[a.client]
			a.header["kid"] = a.key.KID
			a.claims["iss"], a.claims["sub"], a.claims["aud"] = a.client, a.client, a.env.tokenEndpoint(a.sys)
			a.form.Set("client_id", a.client)
		}},
		{ID: "T28", Cause: "invalid_claim", Inject: func(a *attempt) {
			pick(a,
				func() {
					a.claims["aud"], a.also = map[string]any{"url": a.claims["aud"]}, []string{"wrong_audience"}
				},
				func() { a.claims["sub"], a.also = 7, []string{"client_identity_mismatch"} },
				func() { a.claims["exp"] = false },
			)()
		}},
	}
}

func assertionTimeFaults() []Fault {
	return []Fault{
		{ID: "T03", Cause: "assertion_expired", Inject: func(a *attempt) {
			a.shift(pick(a, 3*time.Hour, 26*time.Hour, 90*time.Hour), pick(a, time.Hour, 5*time.Minute, time.Hour))
		}},
		{ID: "T04", Cause: "clock_skew", Also: []string{"assertion_expired"}, Inject: func(a *attempt) {
			a.shift(pick(a, 9*time.Minute, 13*time.Minute, 20*time.Minute), 4*time.Minute)
		}},
		{ID: "T05", Cause: "clock_skew", Also: []string{"not_yet_valid"}, Inject: func(a *attempt) {
			a.shift(-pick(a, 12*time.Minute, 7*time.Minute, 16*time.Minute), 4*time.Minute)
			a.claims["nbf"] = a.claims["iat"]
		}},
		{ID: "T20", Cause: "lifetime_too_long", Applies: func(s System) bool { return s.AssertionLifetime > 0 },
			Inject: func(a *attempt) { a.shift(0, pick(a, 24*time.Hour, time.Hour, 365*24*time.Hour)) }},
		{ID: "T21", Cause: "not_yet_valid", Also: []string{"clock_skew"}, Inject: func(a *attempt) {
			start := a.now.Add(pick(a, 45*time.Minute, 3*time.Hour, 30*time.Hour))
			a.claims["nbf"], a.claims["exp"] = start.Unix(), start.Add(5*time.Minute).Unix()
			if a.sys.AssertionLifetime > 0 { // else the lifetime is the fault that the server meets
				a.claims["exp"] = a.now.Add(4 * time.Minute).Unix()
			}
		}},
		{ID: "T22", Cause: "assertion_too_old", Applies: func(s System) bool { return s.AssertionLifetime > 0 },
			Inject: func(a *attempt) {
				age := a.sys.AssertionLifetime + pick(a, 10*time.Minute, 3*time.Hour, 40*time.Hour)
				a.claims["iat"] = a.now.Add(-age).Unix()
			}},
		{ID: "T23", Cause: "timestamp_units", Also: []string{"invalid_claim"}, Inject: func(a *attempt) {
			pick(a,
				func() { a.claims["iat"], a.claims["exp"] = a.now.UnixMilli(), a.now.Add(5*time.Minute).UnixMilli() },
				func() { a.claims["exp"] = a.now.Add(5 * time.Minute).UTC().Format(time.RFC3339) },
				func() { a.claims["nbf"] = a.now.UnixMilli() },
			)()
		}},
	}
}

func assertionKeyFaults() []Fault {
	algorithm := func(id, alg string) Fault {
		return Fault{ID: id, Cause: "wrong_algorithm", Times: 2, Applies: func(s System) bool { return s.Algorithm != alg },
			Inject: func(a *attempt) {
				a.header["alg"] = alg
				if strings.HasPrefix(alg, "ES") {
					a.key = a.env.elliptic
				}
			}}
	}
	return []Fault{
		{ID: "T07", Cause: "jti_reuse", Applies: func(s System) bool { return s.SingleUse }, Inject: func(a *attempt) { a.replay = true }},
		algorithm("T08a", "HS256"), algorithm("T08b", "RS512"), algorithm("T08c", "PS256"), algorithm("T08d", "none"), algorithm("T08e", "ES256"),
		{ID: "T09", Cause: "key_mismatch", Inject: func(a *attempt) { a.key = a.env.stranger }},
		{ID: "T10", Cause: "key_mismatch", Also: []string{"invalid_signature"}, Inject: func(a *attempt) { a.spoil = raisedScope }},
		{ID: "T11", Cause: "unknown_key", Inject: func(a *attempt) {
			a.key = a.env.stranger
			a.header["kid"] = pick(a, hexID(a.rnd, 8), a.client+"-new", "1")
		}},
		{ID: "T19a", Cause: "malformed_jwt", Inject: func(a *attempt) { a.spoil = withoutSignature }},
		{ID: "T19b", Cause: "malformed_jwt", Also: []string{"key_mismatch", "invalid_signature"}, Inject: func(a *attempt) { a.spoil = garbledClaims(a.n) }},
		{ID: "T19c", Cause: "malformed_jwt", Inject: func(a *attempt) { a.spoil = pick(a, quoted, cutShort, onlyDots) }},
	}
}

func formFaults() []Fault {
	set := func(name string, values ...string) func(*attempt) {
		return func(a *attempt) { a.form.Set(name, pick(a, values...)) }
	}
	return []Fault{
		{ID: "T15", Cause: "wrong_content_type", Inject: func(a *attempt) {
			a.contentType = pick(a, "application/json", "text/plain;charset=UTF-8", "application/json")
		}},
		{ID: "T16", Cause: "invalid_grant_type", Inject: set("grant_type", "client_credential", "password", "urn:ietf:params:oauth:grant-type:token-exchange")},
		{ID: "T17", Cause: "invalid_assertion_type", Inject: set("client_assertion_type",
			"urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "jwt-bearer", "urn:ietf:params:oauth:grant-type:jwt-bearer")},
		{ID: "T18", Cause: "missing_assertion", Inject: func(a *attempt) {
			a.header = nil
			if a.n != 1 {
				a.form.Del("client_assertion_type")
			}
		}},
		{ID: "T24", Cause: "scope_gap", Inject: func(a *attempt) {
			a.form.Set("scope", a.sys.Routes[0].Scope+" "+pick(a, "admin:all", "ledger.purge", "audit"))
		}},
		{ID: "T25", Cause: "audience_not_granted", Inject: set("resource", "https://api.partner.test", "https://graph.directory.test/v1", "https://api.partner.test/eu")},
		{ID: "P02", Cause: "provider_unavailable", Mode: modeGone, Inject: func(*attempt) {}},
		{ID: "T27", Cause: "scope_format", Also: []string{"scope_gap"}, Inject: func(a *attempt) {
			a.form.Set("scope", strings.Join(a.sys.scopes(), pick(a, ",", ";", "+")))
		}},
	}
}

// encodeForm writes the form in the content type that the client announces.
func encodeForm(form url.Values, contentType string) string {
	if !strings.HasPrefix(contentType, "application/json") {
		return form.Encode()
	}
	body := map[string]string{}
	for name := range form {
		body[name] = form.Get(name)
	}
	return marshal(body)
}
