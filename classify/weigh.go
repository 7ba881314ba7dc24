package classify

import "slices"

// The words against the record. Where a check shows a fault that the words do not fit, one of two stories is true: the credentials have
// a second fault, which the words are about, or the words were misread or mislead. Which one is told is a matter of odds, kept in bits:
// n bits is one case in two to the n. They are few and coarse on purpose; see the package documentation for where each comes from.
const (
	bitsSecondFault = 5 // two faults in one request that do not come from each other
	bitsSecondSign  = 3 // the same, when the other fault is likely and not demonstrated
	bitsOwnCheck    = 4 // the words' own check was run and passes: then the profile, or a clock, is wrong as well
	bitsCheckOrder  = 3 // this server is documented to look at the shown fault first, and passed it
	bitsUnminded    = 1 // not every server minds the shown fault

	bitsHinted    = 3 // read by the lexicon, naming no fault
	bitsNamed     = 4 // read by the lexicon, naming subject and fault
	bitsDocument  = 5 // documented by another system
	bitsOwnWords  = 8 // documented by this very system, a registered code, or the status
	bitsSignature = 2 // "the signature did not verify": verifying is one call in most libraries, and reported by that name whatever it found
)

// weighWords takes the server less literally where the record shows that its words cannot be all. Whatever is judged then is never
// more than inferred.
func (x *examination) weighWords() {
	w := &x.words
	if w.strength < 2 {
		return
	}
	switch {
	case x.refuted():
		w.complaint, x.overruled = complaint{}, true
	case x.outweighed():
		x.doubted, w.complaint, x.overruled = w.complaint, complaint{}, true
	case w.cause == UnknownKey && x.Phase == APICall && x.keyInUse():
		// A key that other calls were accepted with is known: the server could not get at it.
		w.cause, w.also, w.subject = ProviderUnavailable, append([]Code{UnknownKey}, w.also...), w.subject|aboutServer
	}
}

// refuted reports whether the record shows the contrary of the complaint: some servers say that authentication is missing, or its
// header malformed, when the header is there and well formed and the token in it is not to their liking.
func (x *examination) refuted() bool {
	const complaints = aboutNoToken | aboutHeader
	return x.Phase == APICall && x.words.subject&complaints != 0 && x.words.subject&^(complaints|aboutStructure) == 0 &&
		(x.auth.kind == "jwt" || x.auth.kind == "opaque") && x.passed("authorization_header")
}

// outweighed reports whether a fault that a check shows explains the refusal better than the words, none of whose causes shows.
func (x *examination) outweighed() bool {
	for i := range x.findings {
		if f := &x.findings[i]; f.weight >= likely && x.words.fits(f) {
			return false
		}
	}
	trust := x.trust()
	for i := range x.findings {
		if f := &x.findings[i]; f.weight >= likely && x.againstWords(f) >= trust {
			return true
		}
	}
	return false
}

// trust is how rarely words like these are about something else, in bits.
func (x *examination) trust() int {
	w := &x.words
	switch {
	case w.trust >= bitsOwnWords || w.trust == 0:
		return w.trust
	case w.subject&^(aboutSignature|aboutKey) == 0:
		return bitsSignature
	}
	return w.trust
}

// againstWords is how rare it is, in bits, that the words are right although this finding is there and does not fit them.
func (x *examination) againstWords(f *finding) int {
	bits := bitsSecondFault
	if f.weight == likely {
		bits = bitsSecondSign
	}
	if !x.explains(f) {
		return 0
	}
	if slices.Contains([]Code{WrongTokenType, InvalidClaim, TimestampUnits, ClockSkew, LifetimeTooLong, KeyReusedAcrossEnvironments}, f.cause) {
		bits -= bitsUnminded
	}
	if x.passed(checkOf(x.words.cause)) {
		bits += bitsOwnCheck
	}
	if x.ordered(f.cause, x.words.cause) {
		bits += bitsCheckOrder
	}
	return bits
}

// explains reports whether the finding may be the reason for a refusal that speaks of something else. What a server comes to last is the
// reason of a refusal in other words only if what those name is in order, scopes besides only of one that recognised the caller; and a jti
// that was used before may be somebody else's.
func (x *examination) explains(f *finding) bool {
	if x.words.cause == BlockedByGateway && x.words.trust == 0 {
		return true
	}
	switch groupOf(f.cause) {
	case "scope":
		return x.status() == 403 && x.passed(checkOf(x.words.cause))
	case "replay":
		return x.words.subject&aboutKeys == 0 && x.passed(checkOf(x.words.cause))
	case "":
		return f.cause == WrongEnvironment
	}
	return true
}

// keyInUse reports whether the token's key was accepted here, and no other of the same issuer for an hour and more after it: a key that was
// replaced may be unknown by now.
func (x *examination) keyInUse() bool {
	const replaced = 3600 // seconds
	if x.token == nil || x.unreadable != "" {
		return false
	}
	kid := textOf(x.token.Header["kid"])
	own, known := x.history[x.key(FactKID, x.factName(x.keyOwner(), kid))]
	if kid == "" || !known || !own.acceptedBy(x.Record.Time) {
		return false
	}
	any := x.history[x.key(FactKID, x.factName(x.keyOwner(), anyName))]
	return any.LastAccepted.Sub(own.LastAccepted).Seconds() <= replaced
}
