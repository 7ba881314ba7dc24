package demo

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/url"
	"strings"
	"time"

	"authwatch/classify"

	"github.com/golang-jwt/jwt/v5"
)

// A signer makes raw JWTs with keys that live as long as the process, so that redaction meets real ones.
type signer struct {
	rsa  *rsa.PrivateKey
	hmac []byte
}

func newSigner() (*signer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make a throw-away key: %w", err)
	}
	shared := make([]byte, 32)
	rand.Read(shared)
	return &signer{rsa: key, hmac: shared}, nil
}

func (s *signer) raw(t *classify.JWT) (string, error) {
	method := jwt.GetSigningMethod(fmt.Sprint(t.Header.Get("alg")))
	if method == nil {
		return "", fmt.Errorf("sign a token: unknown alg %v", t.Header.Get("alg"))
	}
	var key any = s.rsa
	if strings.HasPrefix(method.Alg(), "HS") {
		key = s.hmac
	}
	token := &jwt.Token{Header: t.Header.Map(), Claims: jwt.MapClaims(t.Claims.Map()), Method: method}
	return token.SignedString(key)
}

// A tokenRecord is a decoded JWT that arrives apart from its response.
type tokenRecord struct {
	Time      time.Time       `json:"time"`
	Kind      string          `json:"kind"`
	RequestID string          `json:"request_id"`
	Header    classify.Object `json:"header"`
	Claims    classify.Object `json:"claims"`
}

// show gives an exchange the form in which its shipper reports it.
func (m *maker) show(x *exchange) (classify.Record, []tokenRecord, error) {
	token := x.record.ClientAssertion
	kind := "client_assertion"
	if token == nil {
		token, kind = x.record.AccessToken, "access_token"
	}
	text := "[jwt]"
	if token == nil {
		text = "[opaque]"
	}
	var tokens []tokenRecord
	switch x.shown {
	case raw:
		var err error
		if text, err = m.rawText(x, token); err != nil {
			return classify.Record{}, nil, err
		}
		x.record.ClientAssertion, x.record.AccessToken = nil, nil
	case apart:
		if token != nil {
			tokens = []tokenRecord{{x.record.Time, kind, x.record.RequestID, token.Header, token.Claims}}
			x.record.ClientAssertion, x.record.AccessToken = nil, nil
		}
	}
	x.place(text)
	return x.record, tokens, nil
}

func (m *maker) rawText(x *exchange, token *classify.JWT) (string, error) {
	text := x.secret
	if token != nil {
		var err error
		if text, err = m.sign.raw(token); err != nil {
			return "", err
		}
	}
	if x.mangle != nil {
		text = x.mangle(text)
	}
	return text, nil
}

// place puts the token's text where the protocol has it.
func (x *exchange) place(text string) {
	if x.authorization != "" {
		x.record.Request.Headers = x.record.Request.Headers.With("authorization", strings.Replace(x.authorization, "%s", text, 1))
	}
	if x.parameters == nil {
		return
	}
	if _, sent := x.parameters["client_assertion"]; sent {
		x.parameters["client_assertion"] = text
	}
	x.record.Request.Body = encode(x.parameters)
	if x.shown == raw && x.record.Request.Headers.Get("content-type") != "application/json" {
		values := url.Values{}
		for name, value := range x.parameters {
			values.Set(name, value)
		}
		x.record.Request.Body = encode(values.Encode())
	}
	if x.record.Response.Status == 200 {
		issued := "[redacted]"
		if x.shown == raw {
			issued = x.secret
		}
		x.record.Response.Body = encode(map[string]any{"access_token": issued, "token_type": "Bearer", "expires_in": 180})
	}
}
