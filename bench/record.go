package main

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"time"
)

// A record is the text of one native record while it is written. All of its values are plain ASCII without quotes, so
// none needs escaping; what servers said comes as JSON already.
type record struct {
	rng    *rand.Rand
	b      []byte
	client *client
	at     time.Time
	format format
}

func (r *record) put(parts ...string) {
	for _, p := range parts {
		r.b = append(r.b, p...)
	}
}

func (r *record) number(n int64) { r.b = strconv.AppendInt(r.b, n, 10) }

func (r *record) hex(digits int) { r.b = appendHex(r.b, r.rng, digits) }

// appendHex appends random hexadecimal digits.
func appendHex(b []byte, rng *rand.Rand, digits int) []byte {
	const alphabet = "0123456789abcdef"
	for ; digits > 0; digits -= 16 {
		bits := rng.Uint64()
		for range min(digits, 16) {
			b = append(b, alphabet[bits&15])
			bits >>= 4
		}
	}
	return b
}

func tokenID(rng *rand.Rand) string { return string(appendHex(nil, rng, 22)) }

func (r *record) uuid() {
	r.hex(8)
	r.put("-")
	r.hex(4)
	r.put("-4")
	r.hex(3)
	r.put("-a")
	r.hex(3)
	r.put("-")
	r.hex(12)
}

// accepted writes a success: mostly API calls, now and then the token request that they rest on.
func (r *record) accepted() {
	if r.rng.IntN(12) == 0 {
		headers := []byte(`,"content-type":"application/json;charset=UTF-8","cache-control":"no-store"`)
		r.tokenRequest(answer{Fault: "none", Status: 200, headers: headers, Body: json.RawMessage(
			`{"access_token":"[jwt]","token_type":"Bearer","expires_in":3600,"scope":"` + r.client.provider.scopes + `"}`)})
		return
	}
	r.apiCall(answer{Fault: "none", Status: 200, headers: []byte(`,"content-type":"application/json; charset=utf-8"`), Body: json.RawMessage(
		`{"items":[{"id":"7f3c1e","state":"confirmed","updated_at":"2026-11-19T22:41:07Z"}],"next":null}`)})
}

func (r *record) refused(a answer) {
	if a.Phase == "token_request" {
		r.tokenRequest(a)
		return
	}
	r.apiCall(a)
}

// common writes the members that every record has.
func (r *record) common() {
	c := r.client
	r.put(`{"time":"`)
	r.b = r.at.AppendFormat(r.b, "2006-01-02T15:04:05.000Z")
	r.put(`","id":"`)
	r.uuid()
	r.put(`","service":"`, c.service, `","request_id":"`)
	r.uuid()
	r.put(`","trace_id":"`)
	r.hex(32)
	r.put(`","client_ip":"`, c.ip, `","user_agent":"`, c.agent, `",`)
}

func (r *record) response(a answer) {
	r.put(`"response":{"status":`)
	r.number(int64(a.Status))
	r.put(`,"headers":{"date":"`)
	r.b = r.at.AppendFormat(r.b, "Mon, 02 Jan 2006 15:04:05 GMT")
	r.put(`","server":"nginx","strict-transport-security":"max-age=31536000; includeSubDomains","x-request-id":"`)
	r.hex(20)
	r.put(`"`)
	r.b = append(r.b, a.headers...)
	r.put(`}`)
	if a.Body != nil {
		r.put(`,"body":`)
		r.b = append(r.b, a.Body...)
	}
	r.put(`}`)
}

func (r *record) apiCall(a answer) {
	c := r.client
	if r.format.isAccessLog() {
		method, path := r.path(pick(r.rng, c.provider.routes))
		r.accessLine(method, c.provider.api(c.environment)+path, a)
		return
	}
	r.common()
	method, path := r.path(pick(r.rng, c.provider.routes))
	r.put(`"request":{"method":"`, method, `","url":"`, c.provider.api(c.environment), path, `","headers":{"accept":"application/json"`)
	if a.Fault != "absent" {
		r.put(`,"authorization":"Bearer [jwt]"`)
	}
	r.put(`,"x-forwarded-for":"`, c.ip, `"}},`)
	r.response(a)
	if a.Fault != "absent" && !(r.format == bare && a.Fault == "none") {
		r.accessToken(a.Fault)
	}
	r.put(`}`)
}

// accessToken writes the token of the call: the client's own, unless the fault asks for another.
func (r *record) accessToken(fault string) {
	c := r.client
	p, e := c.provider, c.environment
	t := r.claims(fault, claims{
		alg: "RS256", kid: "as-" + e.name + "-1", issuer: p.issuer(e), audience: p.api(e), scope: p.scopes,
		issued: c.issued, lifetime: tokenLifetime,
	})
	if fault == "none" || fault == "scope" {
		if r.at.Sub(c.issued) >= tokenLifetime {
			c.issued = r.at.Truncate(time.Second)
			c.tokenID = tokenID(r.rng)
		}
		t.issued, t.id = c.issued, c.tokenID
	}
	r.put(`,"access_token":{"header":{"alg":"`, t.alg, `","typ":"at+jwt","kid":"`, t.kid, `"},"claims":{"iss":"`, t.issuer,
		`","sub":"`, c.id, `","aud":"`, t.audience, `","client_id":"`, c.id, `","scope":"`, t.scope, `","jti":"`, t.id, `"`)
	r.times(t)
	r.put(`}}`)
}

func (r *record) tokenRequest(a answer) {
	c := r.client
	p, e := c.provider, c.environment
	if r.format.isAccessLog() {
		r.accessLine("POST", p.endpoint(e), a)
		return
	}
	r.common()
	r.put(`"client_id":"`, c.id, `","request":{"method":"POST","url":"`, p.endpoint(e),
		`","headers":{"accept":"application/json","content-type":"application/x-www-form-urlencoded"},"body":{"grant_type":"client_credentials","client_id":"`, c.id,
		`","client_assertion_type":"urn:ietf:params:oauth:client-assertion-type:jwt-bearer","client_assertion":"[jwt]","scope":"`, p.scopes, `"}},`)
	r.response(a)
	if r.format == bare && a.Fault == "none" {
		r.put(`}`)
		return
	}
	t := r.claims(a.Fault, claims{
		alg: "RS256", kid: c.kid, issuer: c.id, audience: p.endpoint(e), issued: r.at.Truncate(time.Second), lifetime: 2 * time.Minute,
	})
	r.put(`,"client_assertion":{"header":{"alg":"`, t.alg, `","typ":"JWT","kid":"`, t.kid, `"},"claims":{"iss":"`, t.issuer,
		`","sub":"`, c.id, `","aud":"`, t.audience, `","jti":"`, t.id, `"`)
	r.times(t)
	r.put(`}}}`)
}

// claims are what differs between tokens.
type claims struct {
	alg, kid, issuer, audience, scope, id string
	issued                                time.Time
	lifetime                              time.Duration
}

// claims makes a token of its own that has the fault.
func (r *record) claims(fault string, t claims) claims {
	t.id = tokenID(r.rng)
	now := r.at.Truncate(time.Second)
	t.issued = now.Add(-time.Duration(r.rng.IntN(30)) * time.Second)
	switch fault {
	case "expired":
		t.issued = now.Add(-t.lifetime - time.Duration(60+r.rng.IntN(3000))*time.Second)
	case "future":
		t.issued = now.Add(time.Duration(60+r.rng.IntN(240)) * time.Second)
	case "audience":
		t.audience = "https://reports.example"
	case "issuer":
		t.issuer = "https://login.example/"
	case "kid":
		t.kid = "retired-2025"
	case "alg":
		t.alg = "HS256"
	case "scope":
		t.scope = "status.read"
	}
	return t
}

func (r *record) times(t claims) {
	r.put(`,"iat":`)
	r.number(t.issued.Unix())
	r.put(`,"exp":`)
	r.number(t.issued.Add(t.lifetime).Unix())
}
