package main

import (
	"net/http"

	"github.com/go-chi/jwtauth/v5"
	"github.com/lestrrat-go/jwx/v2/jwt"
)

// jwtAuth is an API behind chi's jwtauth with its own authenticator: a plain sentence, one of six.
func jwtAuth(s Setup) (http.Handler, error) {
	keys, err := fetchKeys(s.JWKS)
	if err != nil {
		return nil, err
	}
	auth := jwtauth.New(s.Algorithm, nil, keys.Keys[0].Key, jwt.WithIssuer(s.Issuer), jwt.WithAudience(s.Audience), jwt.WithRequiredClaim("exp"))
	authenticate := func(next http.Handler) http.Handler {
		return jwtauth.Verifier(auth)(jwtauth.Authenticator(auth)(next))
	}
	claims := func(r *http.Request) map[string]any {
		_, claims, _ := jwtauth.FromContext(r.Context()) // the authenticator was here before
		return claims
	}
	forbidden := func(w http.ResponseWriter, _ string) {
		http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
	}
	return protect(s, authenticate, claims, forbidden), nil
}

func jwtAuthSystem() System {
	return System{
		Name: "jwtauth", Set: blindSet, Packages: []string{"github.com/go-chi/jwtauth/v5", "github.com/lestrrat-go/jwx/v2"}, Go: jwtAuth,
		Calls: true, Algorithm: "ES256", Required: []string{"iss", "aud", "exp"}, Limits: true, KeysAtStart: true,
		TokenPath: "/api/oidc/token",
		Services:  []string{"trail-map", "hut-booking", "snow-gauge"}, Clients: []string{"trail-map", "hut-booking", "snow-gauge"},
		Envs: [2]Env{
			{"production", "https://pass.highridge.test", "https://trails.highridge.test", "highridge-trails", "hr-p-256"},
			{"integration", "https://pass.int.highridge.test", "https://trails.int.highridge.test", "highridge-trails-int", "hr-i-256"},
		},
		Routes:   []Route{{"GET", "/trails/{id}", "trails:get"}, {"POST", "/bookings", "bookings:add"}, {"GET", "/gauges", "gauges:get"}},
		Accounts: "/huts/{account}/keys", Admin: "/trails/{id}",
	}
}
