package demo

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"authwatch/classify"
)

// A form is how a log shipper reports tokens.
type form int

const (
	decoded form = iota // in the record, decoded
	raw                 // in the record as they were sent: ingestion has to redact them
	apart               // decoded, in a record of their own
)

// An exchange is one request and its answer, before it takes its form as records.
type exchange struct {
	record        classify.Record
	shown         form
	parameters    map[string]string // of a token request; client_assertion is filled in when shown
	authorization string            // of an API call, with %s for the token; "" sends none
	secret        string            // an opaque token or a response's token, shown raw only
	mangle        func(string) string
}

// A maker builds exchanges. It is seeded: the same start time and seed give the same traffic, but for the throw-away keys.
type maker struct {
	rng  *rand.Rand
	sign *signer
}

func newMaker(seed uint64) (*maker, error) {
	sign, err := newSigner()
	if err != nil {
		return nil, err
	}
	return &maker{rng: rand.New(rand.NewPCG(seed, 23)), sign: sign}, nil
}

// hex returns n random hexadecimal digits.
func (m *maker) hex(n int) string {
	const digits = "0123456789abcdef"
	text := make([]byte, n)
	for i := range text {
		text[i] = digits[m.rng.IntN(len(digits))]
	}
	return string(text)
}

func (m *maker) uuid() string {
	return fmt.Sprintf("%s-%s-4%s-a%s-%s", m.hex(8), m.hex(4), m.hex(3), m.hex(3), m.hex(12))
}

// assertion is what a client with a right clock sends at t.
func (m *maker) assertion(c client, t time.Time) *classify.JWT {
	return &classify.JWT{
		Header: classify.ObjectOf(map[string]any{"alg": c.algorithm, "typ": "JWT", "kid": c.kid}),
		Claims: classify.ObjectOf(map[string]any{
			"iss": c.id, "sub": c.id, "aud": c.tokenEndpoint,
			"iat": t.Unix(), "exp": t.Add(5 * time.Minute).Unix(), "jti": m.uuid(),
		}),
	}
}

// accessToken is what the exchange's authorization server issues at t.
func (m *maker) accessToken(c client, t time.Time) *classify.JWT {
	return &classify.JWT{
		Header: classify.ObjectOf(map[string]any{"alg": "RS256", "typ": "JWT", "kid": m.keyOf(c.issuer)}),
		Claims: classify.ObjectOf(map[string]any{
			"iss": c.issuer, "sub": c.id + "@clients", "aud": c.api, "azp": c.id, "gty": "client-credentials",
			"iat": t.Unix(), "exp": t.Add(3 * time.Minute).Unix(), "scope": c.scope,
		}),
	}
}

// keyOf names an authorization server's signing key.
func (m *maker) keyOf(issuer string) string {
	return fmt.Sprintf("as-%x", len(issuer)*7919%0xffff)
}

func (m *maker) newRecord(c client, t time.Time, method, url string) classify.Record {
	return classify.Record{
		Time: t.UTC().Truncate(time.Millisecond), ID: m.uuid(), RequestID: "req-" + m.hex(16), Service: c.service, ClientID: c.id,
		ClientIP: fmt.Sprintf("10.20.%d.%d", m.rng.IntN(4), 10+m.rng.IntN(40)), UserAgent: c.service + "/" + c.version,
		Request:  &classify.Request{Method: method, URL: url, Headers: classify.HeadersOf(map[string]string{"accept": "application/json"})},
		Response: &classify.Response{Headers: classify.HeadersOf(map[string]string{"content-type": "application/json"})},
	}
}

// tokenRequest is a token request that is granted.
func (m *maker) tokenRequest(c client, t time.Time, a *classify.JWT) *exchange {
	x := &exchange{shown: c.shown, record: m.newRecord(c, t, "POST", c.tokenEndpoint)}
	x.record.ClientAssertion = a
	x.parameters = map[string]string{
		"grant_type":            "client_credentials",
		"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
		"client_assertion":      "",
	}
	x.record.Request.Headers = x.record.Request.Headers.With("content-type", "application/x-www-form-urlencoded")
	if !c.form {
		x.parameters["client_id"], x.parameters["audience"] = c.id, c.api
		x.record.Request.Headers = x.record.Request.Headers.With("content-type", "application/json")
	}
	x.secret = m.hex(48)
	return x.answer(200, nil)
}

// apiCall is an API call that is answered; token is nil where tokens are opaque.
func (m *maker) apiCall(c client, t time.Time, token *classify.JWT, operation call) *exchange {
	url := c.api + operation.path
	if n := len(operation.path) - 2; n > 0 && operation.path[n:] == "%s" {
		url = c.api + operation.path[:n] + m.hex(8)
	}
	x := &exchange{shown: c.shown, authorization: "Bearer %s", record: m.newRecord(c, t, operation.method, url)}
	x.record.AccessToken = token
	x.secret = m.hex(48)
	return x.answer(200, map[string]any{"items": []any{}, "next": nil})
}

// answer sets the response. A text is a body that is no JSON.
func (x *exchange) answer(status int, body any) *exchange {
	x.record.Response.Status = status
	if text, ok := body.(string); ok {
		x.record.Response.Headers = x.record.Response.Headers.With("content-type", "text/plain; charset=utf-8")
		if len(text) > 0 && text[0] == '<' {
			x.record.Response.Headers = x.record.Response.Headers.With("content-type", "text/html")
		}
	}
	x.record.Response.Body = encode(body)
	return x
}

// challenge sets WWW-Authenticate as well.
func (x *exchange) challenge(status int, challenge, text string) *exchange {
	x.answer(status, text)
	x.record.Response.Headers = x.record.Response.Headers.With("www-authenticate", challenge)
	return x
}

// refuse is an RFC 6749 error answer without a description, as the exchange's authorization server gives it.
func (x *exchange) refuse(code string) *exchange {
	return x.answer(401, map[string]string{"error": code})
}

// describe is the health API's error answer: the code is always the same, the description may be blank.
func (x *exchange) describe(description string) *exchange {
	return x.answer(400, map[string]string{"error": "invalid_request", "error_description": description})
}

// encode makes a JSON body of values that JSON can always hold.
func encode(v any) classify.Body {
	if v == nil {
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // a programming mistake in this package's own literals
	}
	return text
}
