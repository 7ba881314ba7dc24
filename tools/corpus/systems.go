package main

import "time"

// systems lists the verifiers. What an operator chose (skew, required claims, algorithms) is what the adapter configures.
func systems() []System {
	return []System{
		{
			Name: "go-oidc", Packages: []string{"github.com/coreos/go-oidc/v3"}, Go: goOIDC,
			Calls: true, Algorithm: "RS256", Required: []string{"iss", "aud", "exp"}, Limits: true,
			TokenPath: "/oauth2/token",
			Services:  []string{"crane-console", "berth-planner", "gate-reader"}, Clients: []string{"crane-console", "berth-planner", "gate-reader", "tally-sync"},
			Envs: [2]Env{
				{"prod", "https://sso.quayside.test/realms/port", "https://api.quayside.test", "quay-api", "Zk3w8h0tQ1yRkXv5dPq2LA"},
				{"staging", "https://sso.quayside.test/realms/port-staging", "https://api.staging.quayside.test", "quay-api-staging", "m7Jt4bNc9uFhE0aWgYs6Kw"},
			},
			Routes:   []Route{{"GET", "/berths/{id}", "berth:read"}, {"POST", "/berths", "berth:write"}, {"GET", "/cranes", "crane:read"}},
			Accounts: "/terminals/{account}/manifest", Admin: "/berths/{id}",
		},
		{
			Name: "go-jwt-middleware", Packages: []string{"github.com/auth0/go-jwt-middleware/v2", "gopkg.in/go-jose/go-jose.v2"}, Go: goJWTMiddleware,
			Calls: true, Algorithm: "RS256", Skew: 30 * time.Second, Required: []string{"iss", "aud"},
			TokenPath: "/oauth/token",
			Services:  []string{"seat-map", "box-office"}, Clients: []string{"t8Xq2vLrPz5nWk1c", "Hd4yJm7sBf0eUa9g", "Nc6oRi3tKx8wQl5p"},
			Envs: [2]Env{
				{"prod", "https://stagehand.eu.idp.test/", "https://api.stagehand.test", "https://api.stagehand.test/", "8fPzVn2cQkTj6dXr0sLmY"},
				{"dev", "https://stagehand-dev.eu.idp.test/", "https://api.dev.stagehand.test", "https://api.dev.stagehand.test/", "W3hBg9yKeUa5iNo7tRqC1"},
			},
			Routes: []Route{{"GET", "/shows/{id}", "read:shows"}, {"PUT", "/shows/{id}", "update:shows"}, {"POST", "/holds", "create:holds"}},
		},
		{
			Name: "jwx", Packages: []string{"github.com/lestrrat-go/jwx/v3"}, Go: jwxServer, Keys: jwxReadsKey, Times: 2,
			Calls: true, Tokens: true, Algorithm: "PS256", Skew: 2 * time.Second, Required: []string{"iss", "aud", "exp", "sub"},
			AssertionRequired: []string{"iss", "sub", "aud", "exp", "jti"}, TokenPath: "/as/token",
			Services: []string{"meter-intake", "tariff-engine"}, Clients: []string{"meter-intake", "tariff-engine", "outage-map", "field-crew"},
			Envs: [2]Env{
				{"prod", "https://auth.voltmere.test", "https://api.voltmere.test", "https://api.voltmere.test/v3", "vm-2026-04"},
				{"sandbox", "https://auth.sandbox.voltmere.test", "https://api.sandbox.voltmere.test", "https://api.sandbox.voltmere.test/v3", "vm-sbx-2026-02"},
			},
			Routes: []Route{{"GET", "/v3/meters/{id}", "meters.read"}, {"POST", "/v3/readings", "readings.write"}, {"GET", "/v3/tariffs", "tariffs.read"}},
		},
		{
			Name: "fastify-jwt", Packages: []string{"@fastify/jwt", "fastify"}, Node: "fastify",
			Calls: true, Algorithm: "RS256", Skew: time.Second, Required: []string{"iss", "aud"}, Limits: true, Revokes: true, Vague: map[string][]string{"R26": {"unclassified"}},
			TokenPath: "/oauth/token",
			Services:  []string{"route-sheet", "van-tracker"}, Clients: []string{"route-sheet", "van-tracker", "depot-kiosk"},
			Envs: [2]Env{
				{"production", "https://login.milkround.test", "https://gw.milkround.test", "milkround-gw", "mr-live-7"},
				{"test", "https://login.test.milkround.test", "https://gw.test.milkround.test", "milkround-gw-test", "mr-test-3"},
			},
			Routes:   []Route{{"GET", "/rounds/{id}", "rounds"}, {"POST", "/drops", "drops"}, {"GET", "/depots", "depots"}},
			Accounts: "/dairies/{account}/invoices", Admin: "/rounds/{id}",
		},
		{
			Name: "koa-jwt", Packages: []string{"koa-jwt", "jwks-rsa", "koa"}, Node: "koa",
			Calls: true, Algorithm: "RS256", Required: []string{"iss", "aud"}, Limits: true, Revokes: true,
			TokenPath: "/connect/token",
			Services:  []string{"loan-desk", "shelf-scan"}, Clients: []string{"loan-desk", "shelf-scan", "reader-app"},
			Envs: [2]Env{
				{"prod", "https://id.stacks.test/", "https://catalogue.stacks.test", "https://catalogue.stacks.test", "stk-01"},
				{"uat", "https://id.uat.stacks.test/", "https://catalogue.uat.stacks.test", "https://catalogue.uat.stacks.test", "stk-uat-01"},
			},
			Routes:   []Route{{"GET", "/works/{id}", "works:read"}, {"POST", "/loans", "loans:create"}, {"PUT", "/loans/{id}", "loans:renew"}},
			Accounts: "/branches/{account}/loans", Admin: "/works/{id}",
		},
		{
			Name: "hapi-jwt", Packages: []string{"@hapi/jwt", "@hapi/hapi"}, Node: "hapi",
			Calls: true, Algorithm: "RS256", Skew: 5 * time.Second, Required: []string{"iss", "aud"}, Revokes: true, KeysAtStart: true, Vague: map[string][]string{"R26": {"unclassified"}},
			TokenPath: "/oauth2/default/v1/token",
			Services:  []string{"ward-board", "lab-bridge"}, Clients: []string{"ward-board", "lab-bridge", "pharmacy-feed"},
			Envs: [2]Env{
				{"prod", "https://idp.thornfield.test/oauth2/default", "https://records.thornfield.test", "api://records", "Q0pB6vKx3ZtYw9Rn"},
				{"preprod", "https://idp-preprod.thornfield.test/oauth2/default", "https://records-preprod.thornfield.test", "api://records-preprod", "D5mLc1Hs8FgUj2Te"},
			},
			Routes:   []Route{{"GET", "/patients/{id}", "patients.read"}, {"POST", "/orders", "orders.write"}, {"GET", "/wards", "wards.read"}},
			Accounts: "/sites/{account}/roster", Admin: "/orders/{id}",
		},
		{
			Name: "hono-jwk", Packages: []string{"hono"}, Node: "hono",
			Calls: true, Algorithm: "ES256", Required: []string{"iss", "aud"}, Limits: true, Blocks: true, Vague: map[string][]string{"R24": {"insufficient_permissions", "unclassified"}},
			TokenPath: "/token",
			Services:  []string{"edge-menu", "till-sync"}, Clients: []string{"edge-menu", "till-sync", "kitchen-display"},
			Envs: [2]Env{
				{"production", "https://accounts.saltandrye.test", "https://edge.saltandrye.test", "saltandrye-edge", "sr-es-1"},
				{"staging", "https://accounts.stg.saltandrye.test", "https://edge.stg.saltandrye.test", "saltandrye-edge-stg", "sr-es-stg-1"},
			},
			Routes:   []Route{{"GET", "/menus/{id}", "menu:read"}, {"POST", "/tickets", "ticket:write"}, {"GET", "/stock", "stock:read"}},
			Accounts: "/venues/{account}/takings", Admin: "/menus/{id}",
		},
		{
			Name: "better-auth", Packages: []string{"@better-auth/oauth-provider", "better-auth"}, Node: "betterauth",
			Tokens: true, Algorithm: "RS256", AssertionRequired: []string{"iss", "sub", "aud", "exp", "jti"},
			AssertionLifetime: 5 * time.Minute, SingleUse: true, TokenPath: "/api/auth/oauth2/token",
			Services: []string{"harvest-sync", "silo-metrics"}, Clients: []string{"harvest-sync", "silo-metrics", "co-op-portal", "weather-feed"},
			Envs: [2]Env{
				{"prod", "https://accounts.barleyfield.test/api/auth", "https://api.barleyfield.test", "https://api.barleyfield.test", "bf-1"},
				{"staging", "https://accounts.staging.barleyfield.test/api/auth", "https://api.staging.barleyfield.test", "https://api.staging.barleyfield.test", "bf-s-1"},
			},
			Routes: []Route{{"GET", "/fields/{id}", "fields:read"}, {"POST", "/deliveries", "deliveries:write"}},
		},
	}
}
