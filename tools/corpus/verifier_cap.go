package main

import (
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/hashicorp/cap/jwt"
)

// hashicorpCap is a token endpoint that verifies client assertions with HashiCorp's cap, which asks for the key of the kid.
func hashicorpCap(s Setup) (http.Handler, error) {
	validators := map[string]*jwt.Validator{}
	for _, c := range s.Clients {
		var set jose.JSONWebKeySet
		if err := json.Unmarshal([]byte(marshal(c.JWKS)), &set); err != nil {
			return nil, fmt.Errorf("parse keys of %s: %w", c.ID, err)
		}
		validator, err := jwt.NewValidatorWithKeySetSearcher(func(_ context.Context, kid string) (jwt.KeySet, error) {
			for _, key := range set.Key(kid) {
				return jwt.NewStaticKeySet([]crypto.PublicKey{key.Key})
			}
			return nil, nil
		})
		if err != nil {
			return nil, fmt.Errorf("build validator of %s: %w", c.ID, err)
		}
		validators[c.ID] = validator
	}
	return tokenEndpoint(s, func(client, assertion string) error {
		_, err := validators[client].Validate(context.Background(), assertion, jwt.Expected{
			Issuer: client, Subject: client, Audiences: []string{s.Origin + s.TokenPath},
			SigningAlgorithms: []jwt.Alg{jwt.Alg(s.Algorithm)}, ClockSkewLeeway: time.Duration(s.SkewSeconds) * time.Second,
		})
		return err
	}), nil
}

func capSystem() System {
	return System{
		Name: "hashicorp-cap", Set: blind2Set, Packages: []string{"github.com/hashicorp/cap"}, Go: hashicorpCap,
		Tokens: true, Algorithm: "RS256", Skew: time.Minute, AssertionRequired: []string{"iss", "sub", "aud"}, TokenPath: "/v1/identity/token",
		Services: []string{"bellows", "organ-loft"}, Clients: []string{"f0c5a7d2-bellows", "8e41b93c-loft", "27d6ee0f-stops"},
		Envs: [2]Env{
			{"prod", "https://vault.pipeworks.test/v1/identity/oidc", "https://organs.pipeworks.test", "organs", "0b6e2c9f-prod"},
			{"rehearsal", "https://vault-rehearsal.pipeworks.test/v1/identity/oidc", "https://organs-rehearsal.pipeworks.test", "organs-rehearsal", "77aa41d0-rehearsal"},
		},
		Routes: []Route{{"GET", "/organs/{id}", "organs:list"}, {"POST", "/tunings", "tunings:create"}},
	}
}
