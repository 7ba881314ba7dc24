package main

import "time"

// The systems of the third blind set that do not run in this process.

func fastAPISystem() System {
	return System{
		Name: "fastapi-jose", Set: blind3Set, Packages: []string{"python3-jose", "python3-fastapi"}, Start: python("fastapi_token"),
		Tokens: true, Algorithm: "RS256", Skew: 20 * time.Second, AssertionRequired: []string{"iss", "sub", "aud", "exp", "iat"}, TokenPath: "/token",
		Services: []string{"echo-sounder", "wreck-chart"}, Clients: []string{"snd-0417", "wrk-2290", "div-1183", "buoy-77"},
		Envs: [2]Env{
			{"prod", "https://auth.soundings.test", "https://depths.soundings.test", "depths", "snd-a"},
			{"harbour", "https://auth.harbour.soundings.test", "https://depths.harbour.soundings.test", "depths-harbour", "snd-h"},
		},
		Routes: []Route{{"GET", "/depths/{id}", "depths"}, {"POST", "/wrecks", "wrecks"}},
	}
}

func rackBearerSystem() System {
	return System{
		Name: "rack-bearer", Set: blind3Set, Packages: []string{"ruby-rack-oauth2", "ruby-json-jwt"}, Start: ruby("rack_bearer"),
		Calls: true, Algorithm: "ES256", Skew: 10 * time.Second, Required: []string{"iss", "aud", "exp"},
		TokenPath: "/oauth/token",
		Services:  []string{"loft-door", "race-clock"}, Clients: []string{"loftdoor", "raceclock", "ringreader"},
		Envs: [2]Env{
			{"production", "https://id.pigeonpost.test", "https://lofts.pigeonpost.test", "https://lofts.pigeonpost.test", "pp-2026"},
			{"training", "https://id.training.pigeonpost.test", "https://lofts.training.pigeonpost.test", "https://lofts.training.pigeonpost.test", "pp-t-2026"},
		},
		Routes:   []Route{{"GET", "/lofts/{id}", "lofts_read"}, {"POST", "/races", "races_write"}, {"GET", "/rings", "rings_read"}},
		Accounts: "/breeders/{account}/prizes", Admin: "/lofts/{id}",
	}
}

func restifySystem() System {
	return System{
		Name: "restify-jwt", Set: blind3Set, Packages: []string{"restify-jwt-community", "restify"}, Start: node("restify"),
		Calls: true, Algorithm: "RS256", Skew: 5 * time.Second, Required: []string{"iss", "aud"}, Limits: true, Revokes: true,
		TokenPath: "/connect/token",
		Services:  []string{"glacier-cam", "crevasse-map"}, Clients: []string{"glacier.cam", "crevasse.map", "hut.radio"},
		Envs: [2]Env{
			{"prod", "https://sts.icefield.test", "https://ice.icefield.test", "icefield_api", "D41F7C0BA9"},
			{"winter", "https://sts.winter.icefield.test", "https://ice.winter.icefield.test", "icefield_winter_api", "77E0A2C95B"},
		},
		Routes:   []Route{{"GET", "/cams/{id}", "cams.view"}, {"POST", "/routes", "routes.mark"}, {"GET", "/huts", "huts.view"}},
		Accounts: "/clubs/{account}/dues", Admin: "/cams/{id}",
	}
}

func mojoJWTSystem() System {
	return System{
		Name: "mojo-jwt", Set: blind3Set, Packages: []string{"libmojo-jwt-perl", "libmojolicious-perl"}, Start: perl("mojo_jwt"),
		Calls: true, Algorithm: "RS256", Required: []string{"iss", "aud"},
		TokenPath: "/token",
		Services:  []string{"bell-ringer", "tower-clock"}, Clients: []string{"bell:ringer", "tower:clock", "choir:board"},
		Envs: [2]Env{
			{"prod", "https://keys.carillon.test/", "https://bells.carillon.test", "carillon/bells", "c-minor"},
			{"rehearsal", "https://keys.rehearsal.carillon.test/", "https://bells.rehearsal.carillon.test", "carillon/rehearsal", "d-major"},
		},
		Routes:   []Route{{"GET", "/bells/{id}", "bell:hear"}, {"POST", "/chimes", "chime:ring"}, {"GET", "/towers", "tower:see"}},
		Accounts: "/parishes/{account}/collections", Admin: "/bells/{id}",
	}
}
