package main

import (
	"net/http"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

// jwxServer is an API and a token endpoint that verify with jwx and pass its words on, as the services built on it do.
func jwxServer(s Setup) (http.Handler, error) {
	endpoint, err := jwxTokenEndpoint(s)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(s.TokenPath, endpoint)
	mux.Handle("/", protect(s, jwxAuthenticate(s), contextClaims, plainForbidden))
	return mux, nil
}

func jwxAuthenticate(s Setup) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			keys, err := jwk.Fetch(r.Context(), s.JWKS)
			var token jwt.Token
			if err == nil {
				token, err = jwt.ParseRequest(r, append(jwxChecks(s, s.Issuer, s.Audience), jwt.WithKeySet(keys, jws.WithRequireKid(true)))...)
			}
			if err != nil {
				w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
				writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token", "error_description": err.Error()})
				return
			}
			claims := map[string]any{}
			for _, name := range token.Keys() {
				var value any
				if token.Get(name, &value) == nil {
					claims[name] = value
				}
			}
			next.ServeHTTP(w, withClaims(r, claims))
		})
	}
}

func jwxChecks(s Setup, issuer, audience string) []jwt.ParseOption {
	return []jwt.ParseOption{
		jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithAcceptableSkew(time.Duration(s.SkewSeconds) * time.Second),
		jwt.WithRequiredClaim("exp"), jwt.WithRequiredClaim("sub"),
	}
}

// jwxTokenEndpoint is a token endpoint that verifies client assertions with jwx.
func jwxTokenEndpoint(s Setup) (http.Handler, error) {
	keys := map[string]jwk.Set{}
	for _, c := range s.Clients {
		set, err := jwk.Parse([]byte(marshal(c.JWKS)))
		if err != nil {
			return nil, err
		}
		keys[c.ID] = set
	}
	return tokenEndpoint(s, func(client, assertion string) error {
		checks := append(jwxChecks(s, client, s.Origin+s.TokenPath), jwt.WithSubject(client), jwt.WithRequiredClaim("iat"), jwt.WithRequiredClaim("jti"),
			jwt.WithKeySet(keys[client], jws.WithRequireKid(true)))
		_, err := jwt.Parse([]byte(assertion), checks...)
		return err
	}), nil
}

// jwxReadsKey loads a private key as the users of jwx do.
func jwxReadsKey(file []byte) error {
	_, err := jwk.ParseKey(file, jwk.WithPEM(true))
	return err
}

func jwxSystem() System {
	return System{
		Name: "jwx", Set: heldOutSet, Packages: []string{"github.com/lestrrat-go/jwx/v3"}, Go: jwxServer, Keys: jwxReadsKey, Times: 2,
		Calls: true, Tokens: true, Algorithm: "PS256", Skew: 2 * time.Second, Required: []string{"iss", "aud", "exp", "sub"},
		AssertionRequired: []string{"iss", "sub", "aud", "exp", "iat", "jti"}, TokenPath: "/as/token",
		Services: []string{"meter-intake", "tariff-engine"}, Clients: []string{"meter-intake", "tariff-engine", "outage-map", "field-crew"},
		Envs: [2]Env{
			{"prod", "https://auth.voltmere.test", "https://api.voltmere.test", "https://api.voltmere.test/v3", "vm-2026-04"},
			{"sandbox", "https://auth.sandbox.voltmere.test", "https://api.sandbox.voltmere.test", "https://api.sandbox.voltmere.test/v3", "vm-sbx-2026-02"},
		},
		Routes: []Route{{"GET", "/v3/meters/{id}", "meters.read"}, {"POST", "/v3/readings", "readings.write"}, {"GET", "/v3/tariffs", "tariffs.read"}},
	}
}
