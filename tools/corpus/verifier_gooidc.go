package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

// goOIDC is a net/http API whose middleware verifies access tokens with go-oidc, and says what went wrong in the challenge
// of RFC 6750.
func goOIDC(s Setup) (http.Handler, error) {
	verifier := oidc.NewVerifier(s.Issuer, oidc.NewRemoteKeySet(context.Background(), s.JWKS),
		&oidc.Config{ClientID: s.Audience, SupportedSigningAlgs: []string{s.Algorithm}})
	authenticate := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			refuse := func(challenge string) {
				w.Header().Set("WWW-Authenticate", challenge)
				http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
			}
			raw, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !found {
				refuse("Bearer")
				return
			}
			token, err := verifier.Verify(r.Context(), raw)
			var claims map[string]any
			if err == nil {
				err = token.Claims(&claims)
			}
			if err != nil {
				refuse(`Bearer error="invalid_token", error_description="` + strings.ReplaceAll(err.Error(), `"`, `'`) + `"`)
				return
			}
			next.ServeHTTP(w, withClaims(r, claims))
		})
	}
	return protect(s, authenticate, contextClaims, plainForbidden), nil
}

func goOIDCSystem() System {
	return System{
		Name: "go-oidc", Set: heldOutSet, Packages: []string{"github.com/coreos/go-oidc/v3"}, Go: goOIDC,
		Calls: true, Algorithm: "RS256", Required: []string{"iss", "aud", "exp"}, Limits: true,
		TokenPath: "/oauth2/token",
		Services:  []string{"crane-console", "berth-planner", "gate-reader"}, Clients: []string{"crane-console", "berth-planner", "gate-reader", "tally-sync"},
		Envs: [2]Env{
			{"prod", "https://sso.quayside.test/realms/port", "https://api.quayside.test", "quay-api", "Zk3w8h0tQ1yRkXv5dPq2LA"},
			{"staging", "https://sso.quayside.test/realms/port-staging", "https://api.staging.quayside.test", "quay-api-staging", "m7Jt4bNc9uFhE0aWgYs6Kw"},
		},
		Routes:   []Route{{"GET", "/berths/{id}", "berth:read"}, {"POST", "/berths", "berth:write"}, {"GET", "/cranes", "crane:read"}},
		Accounts: "/terminals/{account}/manifest", Admin: "/berths/{id}",
	}
}
