package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	echojwt "github.com/labstack/echo-jwt/v4"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/time/rate"
)

// echoJWT is an Echo API behind its JWT middleware, with keys from keyfunc. It has one sentence for every bad token; Echo's
// debug mode, which is on in the test environment, adds what the parser said.
func echoJWT(s Setup) (http.Handler, error) {
	keys, err := keyfunc.NewDefaultOverrideCtx(context.Background(), []string{s.JWKS}, keyfunc.Override{
		RefreshErrorHandlerFunc: func(string) func(context.Context, error) { return func(context.Context, error) {} },
	})
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	e := echo.New()
	e.Debug = s.Verbose
	if s.Limit > 0 {
		e.Use(middleware.RateLimiterWithConfig(middleware.RateLimiterConfig{
			Store: middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{Rate: rate.Limit(s.Limit) / 60, Burst: s.Limit}),
		}))
	}
	e.Use(echojwt.WithConfig(echojwt.Config{ParseTokenFunc: func(_ echo.Context, token string) (any, error) {
		return jwt.ParseWithClaims(token, jwt.MapClaims{}, keys.Keyfunc, jwt.WithIssuer(s.Issuer), jwt.WithAudience(s.Audience),
			jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithValidMethods([]string{s.Algorithm}), jwt.WithLeeway(time.Duration(s.SkewSeconds)*time.Second))
	}}))
	allow := func(allowed func(echo.Context, jwt.MapClaims) bool) echo.HandlerFunc {
		return func(c echo.Context) error {
			if !allowed(c, c.Get("user").(*jwt.Token).Claims.(jwt.MapClaims)) {
				return echo.ErrForbidden
			}
			return c.JSON(http.StatusOK, map[string]any{"items": []any{}})
		}
	}
	path := strings.NewReplacer("{", ":", "}", "")
	for _, route := range s.Routes {
		e.Add(route.Method, path.Replace(route.Path), allow(func(_ echo.Context, claims jwt.MapClaims) bool {
			scope, _ := claims["scope"].(string)
			return slices.Contains(strings.Fields(scope), route.Scope)
		}))
	}
	e.GET(path.Replace(s.Accounts), allow(func(c echo.Context, claims jwt.MapClaims) bool { return claims["account_id"] == c.Param("account") }))
	e.DELETE(path.Replace(s.Admin), allow(func(_ echo.Context, claims jwt.MapClaims) bool {
		roles, _ := claims["roles"].([]any)
		return slices.Contains(roles, any("admin"))
	}))
	return e, nil
}

func echoJWTSystem() System {
	return System{
		Name: "echo-jwt", Set: blindSet, Packages: []string{"github.com/labstack/echo-jwt/v4", "github.com/MicahParks/keyfunc/v3"}, Go: echoJWT,
		Calls: true, Algorithm: "RS256", Skew: 2 * time.Second, Required: []string{"iss", "aud", "exp"}, Limits: true,
		Vague:     map[string][]string{"R22": {"unclassified"}, "R22b": {"unclassified"}},
		TokenPath: "/oauth/v2/token",
		Services:  []string{"kiln-panel", "glaze-ledger"}, Clients: []string{"kiln-panel@pots", "glaze-ledger@pots", "studio-tablet@pots"},
		Envs: [2]Env{
			{"live", "https://zitadel.kilnhouse.test", "https://kilns.kilnhouse.test", "241090318255671298", "241090318255736834"},
			{"test", "https://zitadel-test.kilnhouse.test", "https://kilns-test.kilnhouse.test", "250117422918492162", "250117422918557698"},
		},
		Routes:   []Route{{"GET", "/api/kilns/{id}", "kilns.view"}, {"POST", "/api/firings", "firings.start"}, {"GET", "/api/glazes", "glazes.view"}},
		Accounts: "/api/studios/{account}/orders", Admin: "/api/kilns/{id}",
	}
}
