package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A world is a system that runs: its two environments with their keys and servers.
type world struct {
	sys    System
	rnd    *rand.Rand // decides order and values, so that a seed gives the same attempts again
	envs   [2]*environment
	client *http.Client
	close  []func()
}

// An environment is a running Env.
type environment struct {
	Env
	index    int
	signer   Key            // of the access tokens
	stranger Key            // registered nowhere
	elliptic Key            // of the other family than the algorithm's
	clients  map[string]Key // by client id: of the assertions
	revoked  []string       // jti
	keys     *httptest.Server
	servers  map[string]string // by mode: base URL on 127.0.0.1
}

func (e *environment) tokenEndpoint(s System) string { return origin(e.Issuer) + s.TokenPath }

func (w *world) otherThan(env *environment) *environment { return w.envs[1-env.index] }

// start brings up a system. The caller closes it, also after an error.
func start(ctx context.Context, sys System, seed uint64) (*world, error) {
	w := &world{sys: sys, rnd: rand.New(rand.NewPCG(seed, seed)), client: &http.Client{Timeout: 20 * time.Second}}
	var setups []Setup
	var modes []string
	for i, e := range sys.Envs {
		env := &environment{Env: e, index: i, clients: map[string]Key{}, servers: map[string]string{}}
		w.envs[i] = env
		if err := w.makeKeys(env); err != nil {
			return w, err
		}
		for _, mode := range sys.modes() {
			setup, err := w.setup(env, mode)
			if err != nil {
				return w, err
			}
			setups, modes = append(setups, setup), append(modes, mode)
		}
	}
	bases, err := w.serve(ctx, setups)
	if err != nil {
		return w, fmt.Errorf("start %s: %w", sys.Name, err)
	}
	for i, base := range bases {
		w.envs[i*2/len(bases)].servers[modes[i]] = base
	}
	for _, env := range w.envs {
		env.servers[modeGone] = w.deadUpstream()
	}
	return w, nil
}

// modes lists the servers that the system needs.
func (s System) modes() []string {
	list := []string{modeNormal}
	if s.Calls && fetchesKeys(s) {
		list = append(list, modeNoKeys, modeBadKeys)
	}
	if s.Limits {
		list = append(list, modeLimited)
	}
	if s.Blocks {
		list = append(list, modeBlocked)
	}
	return list
}

func (w *world) makeKeys(env *environment) error {
	var err error
	add := func(algorithm, kid string) (key Key) {
		if err == nil {
			key, err = newKey(algorithm, kid)
		}
		return key
	}
	env.signer = add(w.sys.Algorithm, env.KID)
	env.stranger = add(w.sys.Algorithm, "stranger")
	env.elliptic = add(w.sys.otherAlgorithm(), "other-family")
	for _, client := range w.sys.Clients {
		env.clients[client] = add(w.sys.Algorithm, client+"-"+env.Name[:1]+fmt.Sprint(w.rnd.IntN(90)+10))
	}
	for range 3 {
		env.revoked = append(env.revoked, hexID(w.rnd, 8))
	}
	if err != nil {
		return err
	}
	set, err := keySet(w.sys.Algorithm, env.signer)
	env.keys = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/"+modeBadKeys {
			http.Error(rw, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprint(rw, marshal(set))
	}))
	w.close = append(w.close, env.keys.Close)
	return err
}

func (w *world) setup(env *environment, mode string) (Setup, error) {
	s := Setup{
		Origin: env.API, Issuer: env.Issuer, Audience: env.Audience, JWKS: env.keys.URL + "/.well-known/jwks.json",
		Algorithm: w.sys.Algorithm, SkewSeconds: int(w.sys.Skew.Seconds()), Required: w.sys.Required, Accounts: w.sys.Accounts,
		Admin: w.sys.Admin, TokenPath: w.sys.TokenPath, Revoked: env.revoked, Verbose: env.index == 1,
		LifetimeLimit: int(w.sys.AssertionLifetime.Seconds()), Block: mode == modeBlocked,
		AssertionRequired: w.sys.AssertionRequired, Fresh: w.sys.Fresh,
	}
	if w.sys.Tokens {
		s.Origin = origin(env.Issuer)
	}
	switch mode {
	case modeLimited:
		s.Limit = 2
	case modeNoKeys:
		s.JWKS = deadURL() + "/.well-known/jwks.json"
	case modeBadKeys:
		s.JWKS = env.keys.URL + "/" + modeBadKeys
	}
	for _, r := range w.sys.Routes {
		s.Routes = append(s.Routes, SetupRoute(r))
	}
	for i, id := range w.sys.Clients {
		if i == len(w.sys.Clients)-1 && env.index == 0 {
			continue // registered in the second environment only
		}
		set, err := keySet(w.sys.Algorithm, env.clients[id])
		if err != nil {
			return s, err
		}
		s.Clients = append(s.Clients, SetupClient{ID: id, JWKS: set, Scopes: w.sys.scopes()})
	}
	return s, nil
}

// serve starts one server for each setup and returns their base URLs.
func (w *world) serve(ctx context.Context, setups []Setup) ([]string, error) {
	if w.sys.Go == nil {
		bases, stop, err := w.sys.Start(ctx, setups)
		w.close = append(w.close, stop)
		return bases, err
	}
	var bases []string
	for _, s := range setups {
		handler, err := w.sys.Go(s)
		if err != nil {
			return nil, err
		}
		server := httptest.NewServer(handler)
		w.close = append(w.close, server.Close)
		bases = append(bases, server.URL)
	}
	return bases, nil
}

// deadUpstream starts a reverse proxy whose upstream is gone: Go's own, and so its own words.
func (w *world) deadUpstream() string {
	target, _ := url.Parse(deadURL())
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = silentLog()
	server := httptest.NewServer(proxy)
	w.close = append(w.close, server.Close)
	return server.URL
}

func (w *world) stop() {
	for _, f := range slices.Backward(w.close) {
		f()
	}
}

// deadURL is an address where nothing listens any more.
func deadURL() string {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.URL
}

func origin(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	return u.Scheme + "://" + u.Host
}

func marshal(v any) string {
	data, err := json.Marshal(v)
	if err != nil { // only values of this program come here
		panic(fmt.Sprintf("encode %T: %v", v, err))
	}
	return strings.TrimSpace(string(data))
}
