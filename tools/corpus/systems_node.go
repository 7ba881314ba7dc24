package main

import "time"

// The systems whose verifiers run in Node.js.

func fastifySystem() System {
	return System{
		Name: "fastify-jwt", Set: heldOutSet, Packages: []string{"@fastify/jwt", "fastify"}, Start: node("fastify"),
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
		Name: "koa-jwt", Set: heldOutSet, Packages: []string{"koa-jwt", "jwks-rsa", "koa"}, Start: node("koa"),
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
		Name: "hapi-jwt", Set: heldOutSet, Packages: []string{"@hapi/jwt", "@hapi/hapi"}, Start: node("hapi"),
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
		Name: "hono-jwk", Set: heldOutSet, Packages: []string{"hono"}, Start: node("hono"),
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
		Name: "better-auth", Set: heldOutSet, Packages: []string{"@better-auth/oauth-provider", "better-auth"}, Start: node("betterauth"),
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

func awsSystem() System {
	return System{
		Name: "aws-jwt-verify", Set: blindSet, Packages: []string{"aws-jwt-verify", "express"}, Start: node("aws"),
		Calls: true, Algorithm: "RS256", Required: []string{"iss", "aud"}, KeysAtStart: true,
		TokenPath: "/oauth2/token",
		Services:  []string{"orchard-api", "press-line"}, Clients: []string{"5k1r8qv0m3tz7ydw2hb9xcn4", "1p6sgj4u8eo2fia7lw5qm0rv", "7c3bx9kz1ynd6htm8vq2wp5s"},
		Envs: [2]Env{
			{"prod", "https://cognito-idp.eu-west-1.ciderworks.test/eu-west-1_Qm4TzYk2B", "https://api.ciderworks.test", "orchard", "kT7vQ2mX9rYbN4cLw0hZs3uE+pJfG1aDiO5kVxR8tM="},
			{"beta", "https://cognito-idp.eu-west-1.ciderworks.test/eu-west-1_b7RxLw0Nf", "https://beta.ciderworks.test", "orchard-beta", "Zc5nH8dW1yPqU4sKgB7jTxE0oRv+L2fMaI6tN3mXwQ="},
		},
		Routes:   []Route{{"GET", "/orchards/{id}", "orchard/read"}, {"POST", "/pressings", "pressing/write"}, {"GET", "/barrels", "barrel/read"}},
		Accounts: "/growers/{account}/statements", Admin: "/orchards/{id}",
	}
}

func oktaSystem() System {
	return System{
		Name: "okta-jwt-verifier", Set: blindSet, Packages: []string{"@okta/jwt-verifier", "njwt", "express"}, Start: node("okta"),
		Calls: true, Algorithm: "RS256", Required: []string{"iss", "aud"}, Limits: true, Dies: []string{"R03a", "R03c"}, Vague: map[string][]string{"R22": {"unclassified"}, "R22b": {"unclassified"}},
		TokenPath: "/oauth2/aus9k2lqv1XyTzRb4697/v1/token",
		Services:  []string{"ferry-desk", "deck-plan"}, Clients: []string{"0oa3fmq8zcVtK1yBd5d7", "0oa7wpr2hnXeL9uJs5d7", "0oa1kdt5vgYqM4zAo5d7"},
		Envs: [2]Env{
			{"production", "https://id.islandferry.test/oauth2/aus9k2lqv1XyTzRb4697", "https://sailings.islandferry.test", "api://sailings", "Uv2zKq8rNw5tXy1mBc7dEf4gHj9kLp3sQa6wRt0yUi"},
			{"preview", "https://id-preview.islandferry.test/oauth2/aus4m7dwp8QcVnJh2697", "https://sailings-preview.islandferry.test", "api://sailings-preview", "Gb8hNj5mKl2pQw9eRt6yUi3oAs0dFf7gHz4xCv1bNm"},
		},
		Routes:   []Route{{"GET", "/sailings/{id}", "sailings.list"}, {"POST", "/tickets", "tickets.sell"}, {"GET", "/decks", "decks.list"}},
		Accounts: "/agents/{account}/commission", Admin: "/sailings/{id}",
	}
}

func googleSystem() System {
	return System{
		Name: "google-auth-library", Set: blindSet, Packages: []string{"google-auth-library"}, Start: node("google"),
		Calls: true, Algorithm: "ES256", Skew: 5 * time.Minute, Required: []string{"iss", "aud", "exp", "iat"}, KeysAtStart: true,
		TokenPath: "/token",
		Services:  []string{"scan-booth", "plate-index"}, Clients: []string{"731950284617-scan.apps.lantern.test", "731950284617-plate.apps.lantern.test", "731950284617-vault.apps.lantern.test"},
		Envs: [2]Env{
			{"prod", "https://signin.lantern.test", "https://archive.lantern.test", "/projects/731950284617/apps/archive", "e3f6a1"},
			{"qa", "https://signin-qa.lantern.test", "https://archive-qa.lantern.test", "/projects/904417326058/apps/archive", "b90c47"},
		},
		Routes:   []Route{{"GET", "/plates/{id}", "plates.get"}, {"POST", "/scans", "scans.create"}, {"GET", "/shelves", "shelves.list"}},
		Accounts: "/museums/{account}/loans", Admin: "/plates/{id}",
	}
}

func mcpSystem() System {
	return System{
		Name: "mcp-sdk", Set: blind2Set, Packages: []string{"@modelcontextprotocol/sdk", "oauth4webapi"}, Start: node("mcp"),
		Calls: true, Algorithm: "RS256", Skew: 30 * time.Second, Required: []string{"iss", "exp", "aud", "sub", "iat", "jti", "client_id"},
		TokenPath: "/oauth/token",
		Services:  []string{"atlas-agent", "survey-bot"}, Clients: []string{"https://agents.cartographer.test/atlas.json", "https://agents.cartographer.test/survey.json", "https://agents.cartographer.test/legend.json"},
		Envs: [2]Env{
			{"prod", "https://as.cartographer.test", "https://maps.cartographer.test", "https://maps.cartographer.test/mcp", "c1VbN0xQ"},
			{"canary", "https://as-canary.cartographer.test", "https://maps-canary.cartographer.test", "https://maps-canary.cartographer.test/mcp", "Zr8TgK2w"},
		},
		Routes:   []Route{{"POST", "/mcp/sheets/{id}", "sheets:draw"}, {"GET", "/mcp/sheets", "sheets:list"}, {"POST", "/mcp/surveys", "surveys:run"}},
		Accounts: "/mcp/patrons/{account}/orders", Admin: "/mcp/sheets/{id}",
	}
}
