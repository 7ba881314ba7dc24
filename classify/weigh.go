package classify

import "slices"

// The words against the record. Where a check shows a fault that the words do not fit, one of two stories is true: the credentials have
// a second fault, which the words are about, or the words were misread or mislead. Which one is told is a matter of odds, kept in bits:
// n bits is one case in two to the n. They are few and coarse on purpose; the package documentation says where each comes from.
type odds struct {
	// For the first story.
	secondFault int // two faults in one request that do not come from each other
	secondSign  int // the same, when the other fault is likely and not demonstrated
	ownCheck    int // the words' own check was run and passes: then the profile, or a clock, is wrong as well
	checkOrder  int // this server is documented to look at the shown fault first, and passed it
	unminded    int // taken off: not every server minds the shown fault

	// For the second.
	hinted     int // words read by the lexicon, naming no fault
	named      int // read by the lexicon, naming subject and fault
	documented int // documented by another system
	own        int // documented by this very system, a registered code, or the status
	signature  int // "the signature did not verify": verifying is one call in most libraries, reported by that name whatever it found
}

func usualOdds() odds {
	return odds{secondFault: 5, secondSign: 3, ownCheck: 4, checkOrder: 3, unminded: 1, hinted: 3, named: 4, documented: 5, own: 8, signature: 2}
}

// A standing is where words come from, and so how far they are trusted.
type standing uint8

const (
	ofWhom     standing = iota // a page that names who refused, and not why
	ofHint                     // the lexicon
	ofName                     // the lexicon, naming subject and fault
	ofDocument                 // a text of another system
	ofOwn                      // the system's own text, a registered code, the status
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
		(x.auth.kind == "jwt" || x.auth.kind == "opaque") && x.passed(demandAuthorization)
}

// outweighed reports whether a fault that a check shows explains the refusal better than the words, none of whose causes shows.
func (x *examination) outweighed() bool {
	for i := range x.findings {
		if f := &x.findings[i]; f.weight >= likely && x.fits(f) {
			return false
		}
	}
	o := x.odds
	if o == nil {
		usual := usualOdds()
		o = &usual
	}
	trust := x.trust(o)
	for i := range x.findings {
		if f := &x.findings[i]; f.weight >= likely && x.againstWords(f, o) >= trust {
			return true
		}
	}
	return false
}

// trust is how rarely words like these are about something else, in bits.
func (x *examination) trust(o *odds) int {
	w := &x.words
	switch {
	case w.standing == ofWhom:
		return 0
	case w.standing == ofOwn:
		return o.own
	case w.subject&^(aboutSignature|aboutKey) == 0:
		return o.signature
	case w.standing == ofDocument:
		return o.documented
	case w.standing == ofName:
		return o.named
	}
	return o.hinted
}

// againstWords is how rare it is, in bits, that the words are right although this finding is there and does not fit them.
func (x *examination) againstWords(f *finding, o *odds) int {
	bits := o.secondFault
	if f.weight == likely {
		bits = o.secondSign
	}
	if !x.explains(f) {
		return -1
	}
	if slices.Contains([]Code{WrongTokenType, InvalidClaim, TimestampUnits, ClockSkew, LifetimeTooLong, KeyReusedAcrossEnvironments}, f.cause) {
		bits -= o.unminded
	}
	if x.passed(x.trait(x.words.cause).check) {
		bits += o.ownCheck
	}
	if x.ordered(f.cause, x.words.cause) {
		bits += o.checkOrder
	}
	return bits
}

// explains reports whether the finding may be the reason for a refusal that speaks of something else. What a server comes to last is the
// reason of a refusal in other words only if what those name is in order, scopes besides only of one that recognised the caller; and a jti
// that was used before may be somebody else's.
func (x *examination) explains(f *finding) bool {
	if x.words.cause == BlockedByGateway && x.words.standing == ofWhom {
		return true
	}
	switch f.trait.group {
	case "scope":
		return x.status() == 403 && x.passed(x.trait(x.words.cause).check)
	case "replay":
		return x.words.subject&aboutKeys == 0 && x.passed(x.trait(x.words.cause).check)
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
	kid := textOf(x.head.kid)
	own, known := x.fact(FactKID, x.Environment, x.keyOwner(), kid)
	if kid == "" || !known || !own.acceptedBy(x.Record.Time) {
		return false
	}
	any, _ := x.fact(FactKID, x.Environment, x.keyOwner(), anyName)
	return any.LastAccepted.Sub(own.LastAccepted).Seconds() <= replaced
}
