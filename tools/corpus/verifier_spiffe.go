package main

import (
	"crypto"
	"net/http"
	"strings"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
)

// goSPIFFE is a net/http API of a SPIFFE mesh: callers show a JWT-SVID, and it answers with what go-spiffe said.
func goSPIFFE(s Setup) (http.Handler, error) {
	set, err := fetchKeys(s.JWKS)
	if err != nil {
		return nil, err
	}
	authorities := map[string]crypto.PublicKey{}
	for _, key := range set.Keys {
		authorities[key.KeyID] = key.Key
	}
	bundle := jwtbundle.FromJWTAuthorities(spiffeid.RequireTrustDomainFromString("mesh.saltworks.test"), authorities)
	authenticate := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			svid, err := jwtsvid.ParseAndValidate(token, bundle, []string{s.Audience})
			if err != nil {
				w.Header().Set("WWW-Authenticate", "Bearer")
				http.Error(w, err.Error(), http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, withClaims(r, svid.Claims))
		})
	}
	return protect(s, authenticate, contextClaims, plainForbidden), nil
}

func goSPIFFESystem() System {
	return System{
		Name: "go-spiffe", Set: blind3Set, Packages: []string{"github.com/spiffe/go-spiffe/v2"}, Go: goSPIFFE,
		Calls: true, Algorithm: "ES256", Skew: time.Minute, SkewFixed: true, Required: []string{"sub", "aud", "exp"}, KeysAtStart: true, TokenType: "JWT",
		TokenPath: "/token",
		Services:  []string{"brine-pump", "pan-stove"}, Clients: []string{"spiffe://mesh.saltworks.test/ns/brine/sa/pump", "spiffe://mesh.saltworks.test/ns/pans/sa/stove", "spiffe://mesh.saltworks.test/ns/store/sa/scale"},
		Envs: [2]Env{
			{"prod", "https://spire.saltworks.test", "https://pans.saltworks.test", "spiffe://mesh.saltworks.test/ns/pans/sa/api", "q8ZtW1vKxE7nRbLd"},
			{"pilot", "https://spire.pilot.saltworks.test", "https://pans.pilot.saltworks.test", "spiffe://mesh.saltworks.test/ns/pilot/sa/api", "Yc3uGf6oPsHa9jTm"},
		},
		Routes:   []Route{{"GET", "/pans/{id}", "pans.read"}, {"POST", "/harvests", "harvests.write"}, {"GET", "/brine", "brine.read"}},
		Accounts: "/owners/{account}/tonnage", Admin: "/pans/{id}",
	}
}
