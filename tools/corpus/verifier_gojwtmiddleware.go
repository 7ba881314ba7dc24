package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	jwtmiddleware "github.com/auth0/go-jwt-middleware/v2"
	"github.com/auth0/go-jwt-middleware/v2/jwks"
	"github.com/auth0/go-jwt-middleware/v2/validator"
)

// A scopeClaim is read as the middleware's quickstart reads it.
type scopeClaim struct {
	Scope string `json:"scope"`
}

// Validate accepts every scope: the routes ask for theirs.
func (*scopeClaim) Validate(context.Context) error { return nil }

// goJWTMiddleware is an API behind Auth0's middleware with its own error handler, and the quickstart's answer to a missing
// scope.
func goJWTMiddleware(s Setup) (http.Handler, error) {
	issuer, err := url.Parse(s.Issuer)
	if err != nil {
		return nil, fmt.Errorf("parse issuer: %w", err)
	}
	keys, err := url.Parse(s.JWKS)
	if err != nil {
		return nil, fmt.Errorf("parse key set: %w", err)
	}
	provider := jwks.NewCachingProvider(issuer, 5*time.Minute, jwks.WithCustomJWKSURI(keys))
	v, err := validator.New(provider.KeyFunc, validator.SignatureAlgorithm(s.Algorithm), s.Issuer, []string{s.Audience},
		validator.WithCustomClaims(func() validator.CustomClaims { return &scopeClaim{} }),
		validator.WithAllowedClockSkew(time.Duration(s.SkewSeconds)*time.Second))
	if err != nil {
		return nil, fmt.Errorf("make validator: %w", err)
	}
	claims := func(r *http.Request) map[string]any {
		token := r.Context().Value(jwtmiddleware.ContextKey{}).(*validator.ValidatedClaims)
		return map[string]any{"scope": token.CustomClaims.(*scopeClaim).Scope}
	}
	forbidden := func(w http.ResponseWriter, _ string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"message":"Insufficient scope."}`)) // a test client that hung up
	}
	return protect(s, jwtmiddleware.New(v.ValidateToken).CheckJWT, claims, forbidden), nil
}

func goJWTMiddlewareSystem() System {
	return System{
		Name: "go-jwt-middleware", Set: heldOutSet, Packages: []string{"github.com/auth0/go-jwt-middleware/v2", "gopkg.in/go-jose/go-jose.v2"}, Go: goJWTMiddleware,
		Calls: true, Algorithm: "RS256", Skew: 30 * time.Second, Required: []string{"iss", "aud"},
		TokenPath: "/oauth/token",
		Services:  []string{"seat-map", "box-office"}, Clients: []string{"t8Xq2vLrPz5nWk1c", "Hd4yJm7sBf0eUa9g", "Nc6oRi3tKx8wQl5p"},
		Envs: [2]Env{
			{"prod", "https://stagehand.eu.idp.test/", "https://api.stagehand.test", "https://api.stagehand.test/", "8fPzVn2cQkTj6dXr0sLmY"},
			{"dev", "https://stagehand-dev.eu.idp.test/", "https://api.dev.stagehand.test", "https://api.dev.stagehand.test/", "W3hBg9yKeUa5iNo7tRqC1"},
		},
		Routes: []Route{{"GET", "/shows/{id}", "read:shows"}, {"PUT", "/shows/{id}", "update:shows"}, {"POST", "/holds", "create:holds"}},
	}
}
