package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// goJose is a token endpoint that verifies client assertions with go-jose.
func goJose(s Setup) (http.Handler, error) {
	keys := map[string]jose.JSONWebKeySet{}
	for _, c := range s.Clients {
		var set jose.JSONWebKeySet
		if err := json.Unmarshal([]byte(marshal(c.JWKS)), &set); err != nil {
			return nil, fmt.Errorf("parse keys of %s: %w", c.ID, err)
		}
		keys[c.ID] = set
	}
	return tokenEndpoint(s, func(client, assertion string) error {
		token, err := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(s.Algorithm)})
		if err != nil {
			return err
		}
		var claims jwt.Claims
		if err := token.Claims(keys[client], &claims); err != nil {
			return err
		}
		expected := jwt.Expected{Issuer: client, Subject: client, AnyAudience: jwt.Audience{s.Origin + s.TokenPath}}
		return claims.ValidateWithLeeway(expected, time.Duration(s.SkewSeconds)*time.Second)
	}), nil
}

func goJoseSystem() System {
	return System{
		Name: "go-jose", Set: blindSet, Packages: []string{"github.com/go-jose/go-jose/v4"}, Go: goJose,
		Tokens: true, Algorithm: "ES256", Skew: 10 * time.Second, AssertionRequired: []string{"iss", "sub", "aud"}, TokenPath: "/v1/token",
		Services: []string{"loom-floor", "dye-works"}, Clients: []string{"loom-floor", "dye-works", "pattern-vault", "yarn-scales"},
		Envs: [2]Env{
			{"prod", "https://sts.warpandweft.test", "https://mill.warpandweft.test", "https://mill.warpandweft.test", "ww-ec-1"},
			{"staging", "https://sts-staging.warpandweft.test", "https://mill-staging.warpandweft.test", "https://mill-staging.warpandweft.test", "ww-ec-s1"},
		},
		Routes: []Route{{"GET", "/looms/{id}", "looms/read"}, {"POST", "/batches", "batches/write"}},
	}
}
