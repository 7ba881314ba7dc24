package main

import (
	"math"
	"net/http"
	"time"
)

// A System is one verifier with the small world around it: who calls it, in which environments, with what values. A
// contributor adds a verifier by adding a System to systems and its adapter.
type System struct {
	Name     string   // of the corpus: <Name>.ndjson, and provider lab-<Name>
	Set      string   // that its corpus belongs to: heldOutSet, blindSet
	Packages []string // of the verifier; their versions, from go.mod, package-lock.json or dpkg, become the truth's "verifier"

	// One of the two starts the verifier: Go builds the handler in this process, Start starts servers of their own.
	Go    func(Setup) (http.Handler, error)
	Start starter

	Times  int                    // the most that each fault is injected; 0: as often as the fault says
	Calls  bool                   // its API is attacked
	Tokens bool                   // its token endpoint is attacked
	Keys   func(pem []byte) error // reads a client's private key as its users do; nil: no key faults

	Algorithm string        // of the access tokens and of the client assertions
	Skew      time.Duration // that the verifier allows
	SkewFixed bool          // by the verifier, whatever the operator says
	Required  []string      // claims that the verifier asks of an access token
	TokenType string        // typ of an access token; "": at+jwt

	AssertionRequired []string      // claims that it asks of a client assertion
	AssertionLifetime time.Duration // the longest that it accepts; 0: no limit
	SingleUse         bool          // it accepts each jti once

	TokenPath   string // of the token endpoint below the issuer's host
	Services    []string
	Clients     []string
	Envs        [2]Env
	Routes      []Route
	Accounts    string              // path with {account}: only the token's own account may be read; "": none
	Admin       string              // path whose DELETE asks for the role admin; "": none
	Fresh       string              // path whose POST asks for a sign-in of the last minutes; "": none
	Revokes     bool                // it can refuse a token by its jti
	Vague       map[string][]string // by fault: what its record allows as well, because the verifier's words name no cause; docs/corpus.md argues each
	Only        []string            // faults that are injected, rare ones among them; nil: all that apply but the rare ones
	Dies        []string            // faults that are not injected, because they end the verifier's process
	KeysAtStart bool                // it does not start without the issuer's keys
	Limits      bool                // it has a rate limiter
	Blocks      bool                // it has a filter of client addresses
}

// The sets of corpora are the directories below classify/testdata that they are recorded into.
const (
	heldOutSet = "heldout" // its misses were read, and rules mended by them
	blindSet   = "blind"   // its figures were taken before anything was mended by it
	blind2Set  = "blind2"  // again, with other verifiers
	blind3Set  = "blind3"  // and again
	rareSet    = "rare"    // faults that few verifiers answer
)

func (s System) times() int {
	if s.Times == 0 {
		return math.MaxInt
	}
	return s.Times
}

// An Env is one isolated installation.
type Env struct {
	Name, Issuer, API, Audience string // API is the origin of the API
	KID                         string // of the key that signs access tokens
}

// A Route is one API call and the scope that it asks for.
type Route struct{ Method, Path, Scope string }

// A Setup is everything that an adapter is told. Adapters in other languages get it as JSON.
type Setup struct {
	Origin        string        `json:"origin"` // natural origin of this server
	Issuer        string        `json:"issuer"`
	Audience      string        `json:"audience"`
	JWKS          string        `json:"jwks"` // URL on 127.0.0.1
	Algorithm     string        `json:"algorithm"`
	SkewSeconds   int           `json:"skew_seconds"`
	Required      []string      `json:"required"`
	Routes        []SetupRoute  `json:"routes"`
	Accounts      string        `json:"accounts"`
	Admin         string        `json:"admin"`
	Fresh         string        `json:"fresh"`
	TokenPath     string        `json:"token_path"`
	Clients       []SetupClient `json:"clients"`
	Revoked       []string      `json:"revoked"` // jti
	Limit         int           `json:"limit"`   // requests a minute; 0: no limit
	Block         bool          `json:"block"`   // refuse every client address
	Verbose       bool          `json:"verbose"` // operators turn words on in test environments
	LifetimeLimit int           `json:"lifetime_limit"`

	AssertionRequired []string `json:"assertion_required"`
}

// A SetupRoute is a Route as adapters get it.
type SetupRoute struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Scope  string `json:"scope"`
}

// A SetupClient is a client that is registered at a token endpoint.
type SetupClient struct {
	ID     string         `json:"id"`
	JWKS   map[string]any `json:"jwks"`
	Scopes []string       `json:"scopes"`
}
