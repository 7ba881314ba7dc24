package shippers

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	tokenEndpoint = "https://login.orchard.test/oauth/token"
	issuer        = "https://login.orchard.test"
	api           = "https://api.orchard.test"
)

// A record is one exchange as a service would log it, and the cause that a verdict must name.
type record struct {
	RequestID string
	ID        string // "" for some: told by its content then
	Cause     string // "" for a success
	Bad       bool   // it cannot be taken, and must cost nothing but itself
	JSON      json.RawMessage
}

// A trade makes records up. The same seed and start give the same records.
type trade struct {
	rnd      *rand.Rand
	at       time.Time
	n        int
	used     []object // assertions that were accepted
	shortest []object // access tokens that were accepted and expire soon after the first records
}

type object = map[string]any

// warmUp is how many of the first records are successes on which later verdicts hang. They are so few that every
// client delivers them before anything is disturbed.
const warmUp = 20

// bad is which record cannot be taken.
const bad = 507

// good leaves out what cannot be taken.
func good(records []record) []record {
	return slices.DeleteFunc(slices.Clone(records), func(r record) bool { return r.Bad })
}

// makeRecords makes up n exchanges of the orchard's clients, one a second from start on: token requests and API calls, most of
// them accepted, the others refused for one known cause each. One in the middle is of another century, and bad.
func makeRecords(n int, seed uint64, start time.Time) []record {
	tr := &trade{rnd: rand.New(rand.NewPCG(seed, 0)), at: start}
	records := make([]record, 0, n)
	for ; tr.n < n; tr.n++ {
		records = append(records, tr.next())
		tr.at = tr.at.Add(time.Second)
	}
	return records
}

func (tr *trade) next() record {
	members, cause := tr.accepted(), ""
	if tr.n >= warmUp && tr.rnd.IntN(10) < 4 {
		faults := []func() (object, string){
			tr.expiredToken, tr.expiredMidSession, tr.otherAudience, tr.noToken, tr.noScope,
			tr.assertionForAPI, tr.usedAssertion, tr.noJTI, tr.serverDown, tr.keyUnreadable,
		}
		members, cause = faults[tr.rnd.IntN(len(faults))]()
	}
	r := record{RequestID: fmt.Sprintf("req-%04d", tr.n), ID: fmt.Sprintf("ex-%04d", tr.n), Cause: cause}
	if members["time"] = tr.at.Format(time.RFC3339Nano); tr.n == bad {
		r.Bad, r.Cause, members["time"] = true, "", tr.at.AddDate(-100, 0, 0).Format(time.RFC3339Nano)
	}
	members["request_id"] = r.RequestID
	members["service"] = tr.service()
	members["client_id"] = tr.client()
	if r.Cause != "" && tr.n%9 == 0 {
		r.ID = ""
	} else {
		members["id"] = r.ID
	}
	r.JSON = encode(members)
	return r
}

func encode(members object) json.RawMessage {
	text, err := json.Marshal(members)
	if err != nil {
		panic(err) // made of maps, texts and numbers here
	}
	return text
}

func (tr *trade) client() string  { return fmt.Sprintf("picker-%d", tr.n%5) }
func (tr *trade) service() string { return fmt.Sprintf("crate-%d", tr.n%3) }

func (tr *trade) accepted() object {
	if tr.n < warmUp/2 || tr.n >= warmUp && tr.rnd.IntN(3) == 0 {
		assertion := tr.assertion()
		if tr.n < warmUp {
			tr.used = append(tr.used, assertion)
		}
		return tokenRequest(200, object{"access_token": "[redacted]", "token_type": "Bearer", "expires_in": 600}, assertion)
	}
	token := tr.token()
	if tr.n < warmUp {
		claims(token)["exp"] = tr.at.Add(time.Minute).Unix()
		tr.shortest = append(tr.shortest, token)
	}
	return tr.call("GET", 200, nil, object{"crates": tr.rnd.IntN(90)}, token)
}

func (tr *trade) jti() string { return fmt.Sprintf("%016x", tr.rnd.Uint64()) }

func (tr *trade) assertion() object {
	return object{
		"header": object{"alg": "RS256", "typ": "JWT", "kid": tr.client() + "-key"},
		"claims": object{
			"iss": tr.client(), "sub": tr.client(), "aud": tokenEndpoint, "jti": tr.jti(),
			"iat": tr.at.Unix(), "exp": tr.at.Add(2 * time.Minute).Unix(),
		},
	}
}

func (tr *trade) token() object {
	return object{
		"header": object{"alg": "RS256", "typ": "at+jwt", "kid": "orchard-2026"},
		"claims": object{
			"iss": issuer, "sub": tr.client(), "client_id": tr.client(), "aud": api, "scope": "harvests:read", "jti": tr.jti(),
			"iat": tr.at.Add(-5 * time.Minute).Unix(), "exp": tr.at.Add(5 * time.Minute).Unix(),
		},
	}
}

func claims(token object) object { return token["claims"].(object) }

func tokenRequest(status int, answer, assertion object) object {
	return object{
		"request": object{
			"method": "POST", "url": tokenEndpoint, "headers": object{"content-type": "application/x-www-form-urlencoded"},
			"body": object{
				"grant_type": "client_credentials", "client_assertion": "[redacted]",
				"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
			},
		},
		"response":         object{"status": status, "headers": object{"content-type": "application/json"}, "body": answer},
		"client_assertion": assertion,
	}
}

func (tr *trade) call(method string, status int, challenge any, answer, token object) object {
	request := object{"method": method, "url": api + "/v1/harvests?row=" + fmt.Sprint(tr.rnd.IntN(40)), "headers": object{"accept": "application/json"}}
	response := object{"status": status, "headers": object{"content-type": "application/json"}, "body": answer}
	if challenge != nil {
		response["headers"].(object)["www-authenticate"] = challenge
	}
	members := object{"request": request, "response": response}
	if token != nil {
		request["headers"].(object)["authorization"] = "Bearer [jwt]"
		members["access_token"] = token
	}
	return members
}

// refused is a call whose token the server finds wrong without a word on what is wrong with it.
func (tr *trade) refused(token object) object {
	return tr.call("GET", 401, `Bearer error="invalid_token"`, object{"error": "invalid_token"}, token)
}

func (tr *trade) expiredToken() (object, string) {
	token := tr.token()
	claims(token)["exp"] = tr.at.Add(-90 * time.Second).Unix()
	return tr.refused(token), "token_expired"
}

func (tr *trade) expiredMidSession() (object, string) {
	token := tr.shortest[tr.rnd.IntN(len(tr.shortest))]
	if tr.n < 5*warmUp {
		return tr.otherAudience()
	}
	return tr.refused(token), "expired_mid_session"
}

func (tr *trade) otherAudience() (object, string) {
	token := tr.token()
	claims(token)["aud"] = "https://cellar.orchard.test"
	return tr.refused(token), "wrong_audience"
}

func (tr *trade) noToken() (object, string) {
	return tr.call("GET", 401, `Bearer realm="orchard"`, object{"message": "Unauthorized"}, nil), "missing_token"
}

func (tr *trade) noScope() (object, string) {
	return tr.call("POST", 403, `Bearer error="insufficient_scope", scope="harvests:write"`, object{"error": "insufficient_scope"}, tr.token()), "scope_gap"
}

// denied is a token request whose assertion the server finds wrong without a word on what is wrong with it.
func denied(assertion object) object {
	return tokenRequest(401, object{"error": "invalid_client"}, assertion)
}

func (tr *trade) assertionForAPI() (object, string) {
	assertion := tr.assertion()
	claims(assertion)["aud"] = api
	return denied(assertion), "wrong_audience"
}

func (tr *trade) usedAssertion() (object, string) {
	old := tr.used[tr.rnd.IntN(len(tr.used))]
	assertion := tr.assertion()
	claims(assertion)["jti"] = claims(old)["jti"]
	claims(assertion)["iss"], claims(assertion)["sub"] = claims(old)["iss"], claims(old)["sub"]
	assertion["header"] = old["header"]
	return denied(assertion), "jti_reuse"
}

func (tr *trade) noJTI() (object, string) {
	assertion := tr.assertion()
	delete(claims(assertion), "jti")
	return denied(assertion), "missing_claim"
}

func (tr *trade) serverDown() (object, string) {
	return tokenRequest(503, object{"message": "Service Unavailable"}, tr.assertion()), "provider_unavailable"
}

// keyUnreadable is the client's own log line: there was no request.
func (tr *trade) keyUnreadable() (object, string) {
	return object{
		"request": object{"method": "POST", "url": tokenEndpoint},
		"error":   "load private key: asn1: structure error: tags don't match (16 vs {class:1 tag:15 length:112 isCompound:true})",
	}, "bad_key_format"
}
