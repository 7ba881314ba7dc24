package classify

// checkKID asks whether the key is one of the client's (assertion) or of the issuer's (access token).
func checkKID(x *examination) {
	const check = demandKeyID
	if !x.readable(check) || x.token.Header == nil {
		return
	}
	path := x.headerPath("kid")
	kid, isText := x.head.kid.(string)
	if !isText || kid == "" {
		x.absentKID(check, path)
		return
	}
	owner := x.keyOwner()
	known := x.clientKIDs()
	f := finding{cause: UnknownKey, weight: demonstrated, path: path, witness: WitnessToken}
	switch {
	case len(known) > 0 && contains(known, kid):
		x.knownKID(check, path, owner, kid)
	case len(known) > 0 && distinctive(kid) && x.seenElsewhere(FactKID, anyName, kid):
		x.knownKID(check, path, anyName, kid)
	case len(known) > 0:
		f.observed, f.expected, f.detail = clip(kid), known, x.say("kid ", clip(kid), " is none of the client's keys")
		x.report(check, f)
	case x.seenAccepted(FactKID, owner, kid):
		x.pass(check, path, "this key was accepted here before")
	case x.assertion && distinctive(kid) && x.seenElsewhere(FactKID, anyName, kid):
		x.knownKID(check, path, anyName, kid)
	case x.seenElsewhere(FactKID, owner, kid):
		x.knownKID(check, path, owner, kid)
	case x.seenAccepted(FactKID, owner, anyName) && !x.seenAccepted(FactKID, owner, kid):
		f.weight, f.observed, f.detail = likely, clip(kid), "kid "+clip(kid)+" was never accepted here, other keys of "+clip(owner)+" were"
		x.report(check, f)
	default:
		x.skip(check, path, "which keys are registered is not known")
	}
}

// knownKID looks for a registered key that only ever worked in another environment.
func (x *examination) knownKID(check demand, path, owner, kid string) {
	if !x.assertion || x.Environment == "" || !x.seenElsewhere(FactKID, owner, kid) {
		x.pass(check, path, "kid ", clip(kid), " is known")
		return
	}
	f := finding{cause: KeyReusedAcrossEnvironments, weight: likely, witness: WitnessHistory, path: path, observed: clip(kid),
		detail: "kid " + clip(kid) + " was accepted in another environment and never in " + x.Environment}
	foreign, _ := x.foreignAudience()
	if foreign || x.seenElsewhere(FactClient, x.keyOwner()) {
		f.cause = WrongEnvironment // the whole credentials moved, not the key alone
	}
	x.report(check, f)
}

func (x *examination) absentKID(check demand, path string) {
	f := finding{cause: MissingKID, weight: demonstrated, path: path, detail: "the header has no kid", repairs: []Edit{{Op: "add", Path: path, Value: x.someKID()}}}
	if v := x.head.kid; v != nil {
		f.observed, f.detail, f.repairs[0].Op = shown(v), "kid is no text", "replace"
	}
	required := x.assertion && x.Profile.Assertion != nil && contains(x.Profile.Assertion.RequiredHeader, "kid")
	switch {
	case required:
		x.report(check, f)
	case x.words.subject&(aboutKID|aboutKey) != 0:
		f.weight = likely
		x.report(check, f)
	case x.seenAccepted(FactKID, x.keyOwner(), anyName):
		f.weight, f.detail = possible, "the header has no kid; accepted ones here name their key"
		x.report(check, f)
	default:
		x.skip(check, path, "the header has no kid, and no profile asks for one")
	}
}

// borrowedKey reports whether the key was accepted here for another client.
func (x *examination) borrowedKey() bool {
	if x.token == nil || x.unreadable != "" {
		return false
	}
	kid := textOf(x.head.kid)
	return distinctive(kid) && x.seenAccepted(FactKID, anyName, kid) && !x.seenAccepted(FactKID, x.keyOwner(), kid)
}

func (x *examination) someKID() string {
	if known := x.clientKIDs(); len(known) > 0 {
		return known[0]
	}
	return "<id of the registered key>"
}

// keyOwner is whose key signs the token: the client's own for an assertion, the issuer's for an access token.
func (x *examination) keyOwner() string {
	if x.assertion {
		if iss := textOf(x.claims.iss); iss != "" {
			return iss
		}
		return x.ClientID
	}
	return textOf(x.claims.iss)
}

func (x *examination) clientKIDs() []string {
	if !x.assertion {
		return nil
	}
	if c := clientNamed(x.Profile, x.keyOwner()); c != nil {
		return c.KIDs
	}
	return nil
}
