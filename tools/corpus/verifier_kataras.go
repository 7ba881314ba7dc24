package main

import (
	"net/http"
	"strings"

	"github.com/kataras/jwt"
)

// katarasJWT is a net/http API that answers with what kataras/jwt said.
func katarasJWT(s Setup) (http.Handler, error) {
	set, err := fetchKeys(s.JWKS)
	if err != nil {
		return nil, err
	}
	keys := jwt.Keys{}
	for _, key := range set.Keys {
		keys.Register(jwt.RS256, key.KeyID, key.Key, nil)
	}
	expected := jwt.Expected{Issuer: s.Issuer, Audience: []string{s.Audience}}
	authenticate := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			var claims map[string]any
			verified, err := jwt.VerifyWithHeaderValidator(nil, nil, []byte(token), keys.ValidateHeader, expected)
			if err == nil {
				err = verified.Claims(&claims)
			}
			if err != nil {
				w.Header().Set("WWW-Authenticate", "Bearer")
				http.Error(w, err.Error(), http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, withClaims(r, claims))
		})
	}
	return protect(s, authenticate, contextClaims, plainForbidden), nil
}

// katarasReadsKey loads a private key as the users of kataras/jwt do.
func katarasReadsKey(file []byte) error {
	_, err := jwt.ParsePrivateKeyRSA(file)
	return err
}

func katarasSystem() System {
	return System{
		Name: "kataras-jwt", Set: blindSet, Packages: []string{"github.com/kataras/jwt"}, Go: katarasJWT, Keys: katarasReadsKey,
		Calls: true, Algorithm: "RS256", Required: []string{"iss", "aud"}, KeysAtStart: true,
		TokenPath: "/auth/token",
		Services:  []string{"lighthouse", "tide-table"}, Clients: []string{"lighthouse", "tide-table", "pilot-boat"},
		Envs: [2]Env{
			{"prod", "https://keys.seamark.test/auth", "https://harbour.seamark.test", "urn:seamark:harbour", "beacon-11"},
			{"drill", "https://keys.drill.seamark.test/auth", "https://harbour.drill.seamark.test", "urn:seamark:harbour:drill", "beacon-drill-4"},
		},
		Routes:   []Route{{"GET", "/lights/{id}", "lights"}, {"PUT", "/lights/{id}", "lights-admin"}, {"GET", "/tides", "tides"}},
		Accounts: "/ports/{account}/dues", Admin: "/tides/{id}",
	}
}
