package classify

// weighWords takes the server less literally where the record shows that its words cannot be all. Whatever is judged then is never
// more than inferred.
func (x *examination) weighWords() {
	w := &x.words
	if w.strength < 2 {
		return
	}
	if x.refuted() || x.wrapped() {
		w.complaint, x.overruled = complaint{}, true
	}
}

// refuted reports whether the record shows the contrary of the complaint: some servers say that authentication is missing, or its
// header malformed, when the header is there and well formed and the token in it is not to their liking.
func (x *examination) refuted() bool {
	const complaints = aboutNoToken | aboutHeader
	return x.Phase == APICall && x.words.subject&complaints != 0 && x.words.subject&^(complaints|aboutStructure) == 0 &&
		(x.auth.kind == "jwt" || x.auth.kind == "opaque") && x.passed("authorization_header")
}

// wrapped reports whether the complaint is about the signature only, nothing in the record speaks for the key, and a check of the
// claims fails: verifying is one call in most libraries, and many a server reports whatever it returns as a signature that did not
// verify. Two independent faults in one token are rarer.
func (x *examination) wrapped() bool {
	if x.words.subject&^(aboutSignature|aboutKey) != 0 || x.token == nil {
		return false
	}
	claims := false
	for i := range x.findings {
		switch f := &x.findings[i]; {
		case f.weight < likely:
		case x.words.fits(f):
			return false
		case groupOf(f.cause) == "claims" || groupOf(f.cause) == "time":
			claims = true
		}
	}
	return claims
}
