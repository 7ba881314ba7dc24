package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// callFaults are injected into API calls.
func callFaults() []Fault {
	all := headerFaults()
	all = append(all, accessTimeFaults()...)
	all = append(all, accessClaimFaults()...)
	all = append(all, accessKeyFaults()...)
	return append(all, callPermissionFaults()...)
}

func headerFaults() []Fault {
	const malformed = "malformed_authorization_header"
	return []Fault{
		{ID: "R01", Cause: "missing_token", Inject: func(a *attempt) {
			a.header, a.authorization = nil, func(string) string { return "" }
		}},
		{ID: "R02a", Cause: malformed, Inject: func(a *attempt) {
			scheme := pick(a, "Token ", "JWT ", "Bearer: ")
			a.authorization = func(token string) string { return scheme + token }
		}},
		{ID: "R02b", Cause: malformed, Inject: func(a *attempt) {
			a.authorization = func(token string) string { return token }
		}},
		{ID: "R02c", Cause: malformed, Inject: func(a *attempt) {
			a.authorization = func(token string) string { return "Bearer Bearer " + token }
		}},
		{ID: "R03a", Cause: "malformed_jwt", Inject: func(a *attempt) { a.spoil = withoutSignature }},
		{ID: "R03b", Cause: "malformed_jwt", Also: []string{"invalid_signature"}, Inject: func(a *attempt) { a.spoil = garbledClaims(a.n) }},
		{ID: "R03c", Cause: "malformed_jwt", Inject: func(a *attempt) { a.spoil = pick(a, cutShort, quoted, onlyDots) }},
		{ID: "R15", Cause: "wrong_token_type", Also: []string{"wrong_audience"}, Inject: func(a *attempt) {
			a.assertion(a.env)
			// Its audience is what clients write there: the endpoint, the issuer as RFC 7523bis has it, or just the host.
			a.claims["aud"] = pick(a, a.env.tokenEndpoint(a.sys), a.env.Issuer, origin(a.env.Issuer))
		}},
		{ID: "R16", Cause: "wrong_token_type", Also: []string{"malformed_jwt"}, Inject: func(a *attempt) {
			opaque := pick(a, "ory_at_"+hexID(a.rnd, 20), hexID(a.rnd, 16), uuid(a.rnd))
			a.header, a.spoil = nil, func(string) string { return opaque }
		}},
	}
}

func accessTimeFaults() []Fault {
	return []Fault{
		{ID: "R04", Cause: "token_expired", Inject: func(a *attempt) {
			a.shift(pick(a, 2*time.Hour, 9*time.Hour, 75*time.Hour), time.Hour)
		}},
		{ID: "R17", Cause: "clock_skew", Also: []string{"not_yet_valid"}, Inject: func(a *attempt) {
			a.shift(-pick(a, 11*time.Minute, 14*time.Minute, 8*time.Minute), time.Hour)
			if a.n > 0 {
				a.claims["nbf"] = a.claims["iat"]
			}
		}},
		{ID: "R18", Cause: "not_yet_valid", Also: []string{"clock_skew"}, Inject: func(a *attempt) {
			start := a.now.Add(pick(a, 40*time.Minute, 2*time.Hour, 26*time.Hour))
			a.shift(0, time.Until(start)+time.Hour)
			a.claims["nbf"] = start.Unix()
		}},
		{ID: "R20", Cause: "timestamp_units", Also: []string{"invalid_claim"}, Inject: func(a *attempt) {
			pick(a,
				func() { a.claims["nbf"] = a.claims["iat"].(int64) * 1000 },
				func() { a.claims["exp"] = time.Unix(a.claims["exp"].(int64), 0).UTC().Format(time.RFC3339) },
				func() { a.claims["iat"], a.claims["exp"] = a.claims["iat"].(int64)*1000, a.claims["exp"].(int64)*1000 },
			)()
		}},
	}
}

func accessClaimFaults() []Fault {
	return []Fault{
		{ID: "R06", Cause: "wrong_audience", Times: 4, Inject: func(a *attempt) {
			a.claims["aud"] = pick[any](a, []string{a.env.Issuer + "/userinfo"}, "urn:billing:ledger", nearMiss(a.env.Audience), []string{a.client})
		}},
		{ID: "R07", Cause: "wrong_environment", Also: []string{"wrong_issuer", "wrong_audience", "unknown_key", "invalid_signature"},
			Inject: func(a *attempt) { a.accessToken(a.other) }},
		{ID: "R14", Cause: "wrong_token_type", Also: []string{"wrong_audience"}, Inject: func(a *attempt) {
			a.header["typ"] = "JWT"
			for _, name := range []string{"scope", "client_id", "account_id", "roles", "jti"} {
				delete(a.claims, name)
			}
			a.claims["sub"], a.claims["aud"] = "usr-"+hexID(a.rnd, 5), a.client
			a.claims["nonce"], a.claims["at_hash"] = hexID(a.rnd, 6), b64([]byte(hexID(a.rnd, 8)))
			a.claims["auth_time"] = a.claims["iat"].(int64) - 5
		}},
		{ID: "R19", Cause: "wrong_issuer", Inject: func(a *attempt) {
			a.claims["iss"] = pick(a, "https://accounts.partner.test", nearMiss(a.env.Issuer), strings.Replace(a.env.Issuer, "https://", "https://old-", 1))
		}},
		{ID: "R21", Cause: "missing_claim", Times: 4, Inject: func(a *attempt) {
			delete(a.claims, pick(a, "aud", "exp", "iss", "sub"))
		}},
		{ID: "R27", Cause: "invalid_claim", Times: 4, Inject: func(a *attempt) {
			pick(a,
				func() { a.claims["aud"], a.also = map[string]any{"api": a.env.Audience}, []string{"wrong_audience"} },
				func() { a.claims["iss"], a.also = []string{a.env.Issuer}, []string{"wrong_issuer"} },
				func() { a.claims["exp"] = true },
				func() { a.claims["sub"] = 48113 },
			)()
		}},
	}
}

func accessKeyFaults() []Fault {
	return []Fault{
		{ID: "R08", Cause: "invalid_signature", Silent: true, Inject: func(a *attempt) {
			if a.n == 1 {
				a.spoil = raisedScope
				return
			}
			kid := a.key.KID
			a.key = a.env.stranger
			a.header["kid"] = kid
		}},
		{ID: "R09", Cause: "unknown_key", Inject: func(a *attempt) {
			a.header["kid"] = pick(a, a.key.KID+"-old", uuid(a.rnd), "2019-03-key")
		}},
		{ID: "R10", Cause: "wrong_algorithm", Inject: func(a *attempt) {
			a.header["alg"] = pick(a, "none", "HS256", a.sys.otherAlgorithm())
			if a.header["alg"] == "ES256" {
				a.key = a.env.elliptic
			}
		}},
		{ID: "R22", Cause: "provider_unavailable", Mode: modeNoKeys, Silent: true, Times: 2, Applies: fetchesKeys, Inject: func(*attempt) {}},
		{ID: "R22b", Cause: "provider_unavailable", Mode: modeBadKeys, Silent: true, Times: 2, Applies: fetchesKeys, Inject: func(*attempt) {}},
		{ID: "R22c", Cause: "provider_unavailable", Mode: modeGone, Silent: true, Times: 2, Inject: func(*attempt) {}},
	}
}

func fetchesKeys(s System) bool { return !s.KeysAtStart }

func callPermissionFaults() []Fault {
	return []Fault{
		{ID: "R11", Cause: "scope_gap", Inject: func(a *attempt) {
			var others []string
			for _, r := range a.sys.Routes {
				if !strings.HasPrefix(a.path, strings.Split(r.Path, "{")[0]) || r.Method != a.method {
					others = append(others, r.Scope)
				}
			}
			a.claims["scope"] = strings.Join(others, " ")
		}},
		{ID: "R12", Cause: "scope_format", Also: []string{"scope_gap"}, Inject: func(a *attempt) {
			a.claims["scope"] = strings.Join(a.sys.scopes(), pick(a, ",", ";", ", "))
			if a.n == 2 { // ", " would still hold the last scope as it should be
				a.claims["scope"] = "[" + strings.Join(a.sys.scopes(), "],[") + "]"
			}
		}},
		{ID: "R13", Cause: "account_access_denied", Also: []string{"insufficient_permissions"},
			Applies: func(s System) bool { return s.Accounts != "" },
			Inject: func(a *attempt) {
				a.method, a.path = "GET", strings.ReplaceAll(a.sys.Accounts, "{account}", account(a.client+"-parent"))
			}},
		{ID: "R25", Cause: "insufficient_permissions", Silent: true, Applies: func(s System) bool { return s.Admin != "" },
			Inject: func(a *attempt) {
				a.method, a.path = "DELETE", strings.ReplaceAll(a.sys.Admin, "{id}", hexID(a.rnd, 3))
			}},
		{ID: "R26", Cause: "revoked_token", Silent: true, Applies: func(s System) bool { return s.Revokes },
			Inject: func(a *attempt) { a.claims["jti"] = a.env.revoked[a.n] }},
		{ID: "R23", Cause: "rate_limited", Mode: modeLimited, Applies: func(s System) bool { return s.Limits }, Inject: func(*attempt) {}},
		{ID: "R24", Cause: "blocked_by_gateway", Mode: modeBlocked, Silent: true, Applies: func(s System) bool { return s.Blocks }, Inject: func(*attempt) {}},
	}
}

// nearMiss is a value that a human reads as the same.
func nearMiss(url string) string {
	if strings.HasSuffix(url, "/") {
		return strings.TrimSuffix(url, "/")
	}
	return url + "/"
}

func (s System) otherAlgorithm() string {
	if s.Algorithm == "ES256" {
		return "RS256"
	}
	return "ES256"
}

func withoutSignature(token string) string { return token[:strings.LastIndexByte(token, '.')] }

// cutShort is a token that a field of limited length cut off among the claims.
func cutShort(token string) string {
	parts := strings.Split(token, ".")
	return parts[0] + "." + parts[1][:len(parts[1])*2/3]
}

func quoted(token string) string { return `"` + token + `"` }

func onlyDots(token string) string {
	parts := strings.Split(token, ".")
	return parts[0] + ".." + parts[2]
}

// garbledClaims breaks the claims, or the header, so that they are no JSON any more.
func garbledClaims(n int) func(string) string {
	return func(token string) string {
		parts := strings.Split(token, ".")
		part := n % 2
		parts[1-part] = b64([]byte("{broken" + parts[1-part][:24]))
		return strings.Join(parts, ".")
	}
}

// raisedScope changes the claims after they were signed.
func raisedScope(token string) string {
	parts := strings.Split(token, ".")
	var claims map[string]any
	if err := json.Unmarshal(unb64(parts[1]), &claims); err != nil {
		return token
	}
	claims["roles"] = []string{"admin"}
	for _, name := range []string{"iat", "exp"} { // whole numbers again
		claims[name] = int64(claims[name].(float64))
	}
	changed, err := json.Marshal(claims)
	if err != nil {
		return token
	}
	parts[1] = b64(changed)
	return strings.Join(parts, ".")
}

func unb64(text string) []byte {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return data
}
