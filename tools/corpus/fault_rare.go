package main

import "time"

// rareFaults need something of a verifier that few have. They are injected only where a System lists them in Only.
func rareFaults() []Fault {
	withoutKID := func(a *attempt) { delete(a.header, "kid") }
	return []Fault{
		{ID: "R28", Cause: "missing_kid", Inject: withoutKID},
		{ID: "R29", Cause: "step_up_required", Inject: func(a *attempt) {
			a.method, a.path = "POST", a.sys.Fresh
			pick(a,
				func() {},
				func() { a.claims["fresh"] = false },
				func() { a.claims["fresh"] = a.now.Add(-20 * time.Minute).Unix() }, // the sign-in was fresh until then
			)()
		}},
		{ID: "T29", Cause: "missing_kid", Request: true, Inject: withoutKID},
		{ID: "T30", Cause: "key_reused_across_environments", Also: []string{"wrong_environment", "unknown_key"}, Request: true, Inject: func(a *attempt) {
			a.established = true
			a.key = a.other.clients[a.client]
			a.header["kid"] = a.key.KID
		}},
	}
}

// rare is a system that is asked only for some faults, because its verifier answers them and most do not.
func rare(s System, faults ...string) System {
	s.Name, s.Set, s.Only = s.Name+"-rare", rareSet, faults
	return s
}
