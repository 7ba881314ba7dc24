package main

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"
)

// An attempt is one request before it is sent. It starts out healthy; a fault spoils it.
type attempt struct {
	sys        System
	env, other *environment // where it is sent, and the environment that it is not meant for
	n          int          // how often this fault was injected before: each time takes other values
	rnd        *rand.Rand
	now        time.Time
	mode       string // of the server that is asked: modeNormal, …
	client     string

	header, claims map[string]any
	key            Key
	spoil          func(token string) string // changes the signed token

	// An API call.
	method, path  string
	authorization func(token string) string // "" leaves the header away

	// A token request.
	form        url.Values
	contentType string
	replay      bool // send it twice: the second one is the fault
	established bool // the client was accepted in both environments before

	also []string // causes that the record cannot tell from the fault's own, for this attempt alone
}

// call makes a healthy API call.
func (w *world) call(env *environment, n int) *attempt {
	route := w.sys.Routes[w.rnd.IntN(len(w.sys.Routes))]
	client := w.sys.Clients[w.rnd.IntN(len(w.sys.Clients))]
	a := w.attempt(env, n, client)
	a.method, a.path = route.Method, strings.ReplaceAll(route.Path, "{id}", fmt.Sprint(10000+w.rnd.IntN(89999)))
	a.authorization = func(token string) string { return "Bearer " + token }
	a.accessToken(env)
	return a
}

// accessToken puts in a token that env issued to the attempt's client some minutes ago.
func (a *attempt) accessToken(env *environment) {
	issued := a.now.Add(-time.Duration(30+a.rnd.IntN(870)) * time.Second)
	a.key = env.signer
	a.header = map[string]any{"alg": a.sys.Algorithm, "typ": a.sys.tokenType(), "kid": env.signer.KID}
	a.claims = map[string]any{
		"iss": env.Issuer, "sub": a.client, "aud": env.Audience, "client_id": a.client,
		"iat": issued.Unix(), "exp": issued.Add(time.Hour).Unix(), "jti": hexID(a.rnd, 8),
		"scope": strings.Join(a.sys.scopes(), " "), "account_id": account(a.client), "roles": []string{"operator"},
	}
}

// request makes a healthy token request.
func (w *world) request(env *environment, n int) *attempt {
	a := w.requestOf(env, w.sys.Clients[w.rnd.IntN(len(w.sys.Clients)-1)]) // the last one lives in the second environment only
	a.n = n
	return a
}

// requestOf makes a healthy token request of one client.
func (w *world) requestOf(env *environment, client string) *attempt {
	a := w.attempt(env, 0, client)
	a.assertion(env)
	a.contentType = "application/x-www-form-urlencoded"
	a.form = url.Values{
		"grant_type": {"client_credentials"}, "client_id": {a.client}, "scope": {a.sys.Routes[0].Scope},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}
	return a
}

// assertion puts in what the attempt's client signs for env.
func (a *attempt) assertion(env *environment) {
	a.key = env.clients[a.client]
	a.header = map[string]any{"alg": a.sys.Algorithm, "typ": "JWT", "kid": a.key.KID}
	a.claims = map[string]any{
		"iss": a.client, "sub": a.client, "aud": env.tokenEndpoint(a.sys), "iat": a.now.Unix(),
		"exp": a.now.Add(time.Duration(1+a.rnd.IntN(4)) * time.Minute).Unix(), "jti": uuid(a.rnd),
	}
}

func (w *world) attempt(env *environment, n int, client string) *attempt {
	return &attempt{
		sys: w.sys, env: env, other: w.otherThan(env), n: n, rnd: w.rnd, now: time.Now(), mode: modeNormal, client: client,
		spoil: func(token string) string { return token },
	}
}

// pick gives the n-th attempt the n-th value.
func pick[T any](a *attempt, values ...T) T { return values[a.n%len(values)] }

// shift moves the token's times: iat to ago before now, exp to lifetime after iat.
func (a *attempt) shift(ago, lifetime time.Duration) {
	issued := a.now.Add(-ago)
	a.claims["iat"], a.claims["exp"] = issued.Unix(), issued.Add(lifetime).Unix()
}

func (s System) tokenType() string {
	if s.TokenType == "" {
		return "at+jwt"
	}
	return s.TokenType
}

func (s System) scopes() []string {
	var list []string
	for _, r := range s.Routes {
		list = append(list, r.Scope)
	}
	return list
}

// account is the account that a client's tokens belong to.
func account(client string) string {
	n := 0
	for _, c := range client {
		n = (n*31 + int(c)) % 9000
	}
	return fmt.Sprintf("acc-%d", 1000+n)
}

func hexID(rnd *rand.Rand, bytes int) string {
	id := make([]byte, bytes)
	for i := range id {
		id[i] = byte(rnd.Uint32())
	}
	return fmt.Sprintf("%x", id)
}

func uuid(rnd *rand.Rand) string {
	id := hexID(rnd, 16)
	return id[:8] + "-" + id[8:12] + "-4" + id[13:16] + "-a" + id[17:20] + "-" + id[20:]
}
