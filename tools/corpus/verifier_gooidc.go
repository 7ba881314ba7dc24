package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

type claimsKey struct{}

func contextClaims(r *http.Request) map[string]any {
	claims, _ := r.Context().Value(claimsKey{}).(map[string]any)
	return claims
}

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
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, claims)))
		})
	}
	return protect(s, authenticate, contextClaims, plainForbidden), nil
}
