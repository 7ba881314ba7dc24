package main

import "time"

// The systems whose verifiers run in Node.js: node/<Node>.mjs is the adapter.

func fastifySystem() System {
	return System{
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
	}
}

func koaSystem() System {
	return System{
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
	}
}

func hapiSystem() System {
	return System{
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
	}
}

func honoSystem() System {
	return System{
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
	}
}

func betterAuthSystem() System {
	return System{
		Name: "better-auth", Packages: []string{"@better-auth/oauth-provider", "better-auth"}, Node: "betterauth",
		Tokens: true, Algorithm: "RS256", AssertionRequired: []string{"iss", "sub", "aud", "exp", "jti"},
		AssertionLifetime: 5 * time.Minute, SingleUse: true, TokenPath: "/api/auth/oauth2/token",
		Services: []string{"harvest-sync", "silo-metrics"}, Clients: []string{"harvest-sync", "silo-metrics", "co-op-portal", "weather-feed"},
		Envs: [2]Env{
			{"prod", "https://accounts.barleyfield.test/api/auth", "https://api.barleyfield.test", "https://api.barleyfield.test", "bf-1"},
			{"staging", "https://accounts.staging.barleyfield.test/api/auth", "https://api.staging.barleyfield.test", "https://api.staging.barleyfield.test", "bf-s-1"},
		},
		Routes: []Route{{"GET", "/fields/{id}", "fields:read"}, {"POST", "/deliveries", "deliveries:write"}},
	}
}
