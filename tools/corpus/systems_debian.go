package main

import "time"

// The systems whose verifiers are Debian's packages for Python, Ruby and Perl.

func authlibSystem() System {
	return System{
		Name: "authlib", Set: blind2Set, Packages: []string{"python3-authlib", "python3-flask"}, Start: python("authlib_token"),
		Tokens: true, Algorithm: "RS256", AssertionRequired: []string{"iss", "sub", "aud", "exp", "jti"}, SingleUse: true, TokenPath: "/oauth/token",
		Services: []string{"seed-vault", "sprout-lab"}, Clients: []string{"Vq3nX8rT2mKc", "bY7wLp0ZsJdE", "H4gUf9aNoCiR", "e1MtQk6yWxDv"},
		Envs: [2]Env{
			{"prod", "https://accounts.seedbank.test", "https://seeds.seedbank.test", "https://seeds.seedbank.test", "seed-1"},
			{"sandbox", "https://accounts.sandbox.seedbank.test", "https://seeds.sandbox.seedbank.test", "https://seeds.sandbox.seedbank.test", "seed-s1"},
		},
		Routes: []Route{{"GET", "/seeds/{id}", "seeds"}, {"POST", "/plantings", "plantings"}},
	}
}

func rackOAuth2System() System {
	return System{
		Name: "rack-oauth2", Set: blind2Set, Packages: []string{"ruby-rack-oauth2", "ruby-jwt"}, Start: ruby("rack_oauth2"),
		Tokens: true, Algorithm: "ES256", Skew: 15 * time.Second, AssertionRequired: []string{"iss", "sub", "aud", "exp", "jti"}, SingleUse: true,
		TokenPath: "/access_tokens",
		Services:  []string{"night-bus", "depot"}, Clients: []string{"night_bus", "depot_gate", "ticket_printer"},
		Envs: [2]Env{
			{"production", "https://id.omnibus.test/", "https://fleet.omnibus.test", "fleet", "omnibus-ec"},
			{"acceptance", "https://id.acc.omnibus.test/", "https://fleet.acc.omnibus.test", "fleet-acc", "omnibus-acc-ec"},
		},
		Routes: []Route{{"GET", "/buses/{id}", "bus.location"}, {"POST", "/tickets", "ticket.issue"}},
	}
}

func flaskJWTSystem() System {
	return System{
		Name: "flask-jwt-extended", Set: blind2Set, Packages: []string{"python3-python-flask-jwt-extended", "python3-jwt"}, Start: python("flask_jwt_api"),
		Calls: true, Algorithm: "RS256", Skew: 5 * time.Second, Required: []string{"iss", "aud", "sub"}, KeysAtStart: true, Revokes: true,
		TokenPath: "/token",
		Services:  []string{"reel-index", "box-office"}, Clients: []string{"reel-index", "box-office", "foyer-screen"},
		Envs: [2]Env{
			{"live", "https://auth.kinothek.test/oauth", "https://films.kinothek.test", "films.kinothek.test", "kino-k1"},
			{"trial", "https://auth.trial.kinothek.test/oauth", "https://films.trial.kinothek.test", "films.trial.kinothek.test", "kino-trial-k1"},
		},
		Routes:   []Route{{"GET", "/reels/{id}", "reels:view"}, {"POST", "/screenings", "screenings:plan"}, {"GET", "/posters", "posters:view"}},
		Accounts: "/cinemas/{account}/takings", Admin: "/reels/{id}", Fresh: "/payouts",
	}
}

func simpleJWTSystem() System {
	return System{
		Name: "simplejwt", Set: blind2Set, Packages: []string{"python3-djangorestframework-simplejwt", "python3-djangorestframework"}, Start: python("simplejwt_api"),
		Calls: true, Algorithm: "RS256", Required: []string{"iss", "aud", "exp", "sub", "jti"}, Limits: true,
		TokenPath: "/o/token/",
		Services:  []string{"moor-station", "rain-gauge"}, Clients: []string{"moor_station", "rain_gauge", "peat_probe"},
		Envs: [2]Env{
			{"prod", "https://sso.bogwatch.test/o", "https://api.bogwatch.test", "bogwatch", "3f9c17"},
			{"dev", "https://sso-dev.bogwatch.test/o", "https://api-dev.bogwatch.test", "bogwatch-dev", "a802de"},
		},
		Routes:   []Route{{"GET", "/api/stations/{id}/", "read:stations"}, {"POST", "/api/readings/", "write:readings"}, {"GET", "/api/alarms/", "read:alarms"}},
		Accounts: "/api/owners/{account}/invoices/", Admin: "/api/stations/{id}/",
	}
}

func cryptJWTSystem() System {
	return System{
		Name: "crypt-jwt", Set: blind2Set, Packages: []string{"libcrypt-jwt-perl", "libplack-perl"}, Start: perl("crypt_jwt"),
		Calls: true, Algorithm: "ES256", Skew: 3 * time.Second, Required: []string{"iss", "aud", "exp", "iat"},
		TokenPath: "/cgi-bin/token",
		Services:  []string{"type-case", "proof-press"}, Clients: []string{"typecase.4711", "proofpress.4712", "bindery.4713"},
		Envs: [2]Env{
			{"prod", "https://keys.letterpress.test/issuer", "https://jobs.letterpress.test", "letterpress:jobs", "lp/2025/2"},
			{"proof", "https://keys.proof.letterpress.test/issuer", "https://jobs.proof.letterpress.test", "letterpress:jobs:proof", "lp/proof/2025/2"},
		},
		Routes:   []Route{{"GET", "/jobs/{id}", "job-read"}, {"POST", "/proofs", "proof-make"}, {"GET", "/fonts", "font-read"}},
		Accounts: "/customers/{account}/bills", Admin: "/jobs/{id}",
	}
}
