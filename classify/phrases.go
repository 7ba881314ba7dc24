package classify

// complaintOf reads one clause. The table is ordered from the particular to the general: what a clause is about is decided by its
// rarest notion ("the signature of the token has expired" is about expiry, since only a few phrases speak of it), then the
// fault by what is said of it. The cause is the plain reading; the token decides between look-alikes later.
func complaintOf(p phrase, phase Phase) complaint {
	p.phase = phase
	t := p.terms
	for _, row := range [...]func(phrase, terms) complaint{
		transportPhrase, syntaxPhrase, requestPhrase, replayPhrase, timePhrase, keyFilePhrase, scopePhrase, claimPhrase, keyPhrase, accessPhrase, shapePhrase,
	} {
		if c := row(p, t); c.subject != 0 {
			c.cause = atPhase(c.cause, phase)
			if phase == APICall && c.cause == BadKeyFormat {
				c.subject, c.cause = c.subject&^aboutKeyFile|aboutServer|aboutKey, ProviderUnavailable // the key that an API cannot use is its own
			}
			return c
		}
	}
	return complaint{}
}

func named(about subject, cause Code) complaint {
	return complaint{subject: about, cause: cause, strength: 3, standing: ofName}
}
func hinted(about subject, cause Code) complaint {
	return complaint{subject: about, cause: cause, strength: 2, standing: ofHint}
}
func vague(about subject, cause Code) complaint {
	return complaint{subject: about, cause: cause, strength: 1}
}

// missing tells "is missing", "must be set", "no … found" from a value that is there and wrong.
func (p phrase) missing() bool {
	t := p.terms
	switch {
	case t.any(pInvalid) || p.notes.any(nMatch):
		return false
	case p.notes.any(nHaveA) && t.any(pNot) && t.any(tClaim):
		return true
	case p.notes.any(nHave) && p.notes.any(nWord) && t.any(pNot):
		return false // "does not have the expected value"
	case p.notes.any(nHave):
		return t.any(pUnknown) || t.any(pNot) && t.any(tClaim) && !t.any(tAudience|tIssuer) || t.any(pMust) && !t.any(tAudience)
	case t.all(pNot|pFound) && t.any(tClaim|tBody):
		return true
	}
	return t.any(pMissing) && !t.any(pNot|pMust) || t.all(pMissing|pNot) && !t.any(tAudience|tIssuer) || t.all(pSet|pNot) || t.all(pSet|pMust) || t.all(pUnknown|pSet) || t.all(pMissing|pMust)
}

func (t terms) unknown() bool {
	return t.any(pUnknown) || t.all(pNot|pFound)
}

func transportPhrase(p phrase, t terms) complaint {
	switch {
	case t.any(tNetwork) && t.any(tKey) && !t.any(tAudience|tIssuer|tScope|tSignature|tExpiry|tExpired):
		return named(aboutServer|aboutKey, ProviderUnavailable) // fetched anew for a kid that is unknown, or not at all
	case t.any(tNetwork) && !t.any(tAudience|tIssuer|tScope|tSignature|tExpiry|tExpired):
		return named(aboutServer, ProviderUnavailable)
	case t.any(tConnect) && p.notes.any(nMetadata) && t.any(pFailed|pNot) && !t.any(subjects&^tIssuer):
		return named(aboutServer|aboutKey, ProviderUnavailable)
	case p.notes.any(nLoad) && t.any(tKey) && t.any(pNot|pFailed) && !t.any(tPrivate|tKeyFile|tClient|pFound) && p.phase != ClientSide:
		return named(aboutServer|aboutKey, ProviderUnavailable)
	case t.any(tConnect) && t.any(tKey|tNetwork) && t.any(pFailed|pNot|tConnect) && !t.any(tSignature|pFound|pUnknown|tAudience|tIssuer|tClient):
		return named(aboutServer, ProviderUnavailable)
	case p.phase == ClientSide && t.any(tConnect) && !t.any(subjects|tToken|tKeyFile|tPrivate):
		return hinted(aboutServer, ProviderUnavailable)
	case t.all(tConnect|pFailed) && !t.any(subjects):
		return named(aboutServer, ProviderUnavailable)
	case t.any(tRate) && t.any(pTooMuch|pMissing|tRate) && !t.any(subjects&^tClient|tToken):
		if t.any(pTooMuch | pFailed) {
			return named(aboutRate, RateLimited)
		}
		return vague(aboutRate, RateLimited)
	case t.any(tPossession) && !t.any(tAudience|tIssuer):
		return named(aboutPossession, ProofOfPossession)
	case t.any(tStepUp):
		return named(aboutStepUp, StepUpRequired)
	}
	return complaint{}
}

// syntaxPhrase reads what parsers of JSON say, each runtime's in its own way, and of numbers in it.
func syntaxPhrase(p phrase, t terms) complaint {
	stopped := t.any(pInvalid|pNot|tShape|pFailed|pMust) || p.notes.any(nStopped)
	switch {
	case p.phase == ClientSide || t.any(tContentType|tForm|tScope) || !p.notes.any(nJSON) && !(p.notes.any(nStopped) && t.all(pInvalid|pKindOf)):
	case p.notes.any(nKeySet):
		return named(aboutServer|aboutKey, ProviderUnavailable) // the key set that the server fetched is none
	case t.any(pMissing) && t.any(tExpiry|tNotBefore|tIssuedAt|tAudience|tIssuer|tSub|tJTI):
	case p.notes.any(nNumber) && !t.any(tShape):
		return hinted(aboutClaims|aboutTime|aboutStructure, InvalidClaim)
	case stopped:
		return hinted(aboutStructure, MalformedJWT)
	}
	return complaint{}
}

func requestPhrase(p phrase, t terms) complaint {
	switch {
	case t.any(tContentType) && p.phase == APICall:
		return complaint{}
	case p.notes.any(nPayload) && p.phase == APICall: // of the token: an API call is refused before its body is read
		return complaint{}
	case t.any(tContentType):
		if t.any(tForm) || t.any(tType|tContentType) {
			return named(aboutContentType, WrongContentType)
		}
	case t.all(tBody|tType) && !t.any(tToken|tClaim|subjects):
		return named(aboutContentType, WrongContentType)
	case t.all(tAssertionType|tAssertion) && p.first == tAssertion && p.missing():
		return named(aboutAssertion, MissingAssertion)
	case t.any(tAssertionType), t.all(tAssertion|tType) && !t.any(tToken):
		return named(aboutAssertionType, InvalidAssertionType)
	case t.all(tGrant | tType), t.any(tGrant) && t.any(pInvalid|pMissing|pSet|pMust|pKindOf|pDenied|pNot) && !t.any(tAudience|tScope|tExpired):
		return named(aboutGrant, InvalidGrantType)
	case t.any(tMethod) && t.any(tClient|tToken|pDenied|pInvalid|pNot) && !t.any(tSigning|tAlgorithm|tGrant|tSignature) && (t.any(pTwice|pDenied|pInvalid|pNot|pMust|pMissing) || p.notes.any(nMultiple)):
		return named(aboutRequest, InvalidTokenRequest)
	case p.notes.any(nMultiple) && t.any(tHeader|tToken|tBearer) && !t.any(subjects&^(tHeader|tClient)|tShape|tScheme|pKindOf|tConnect):
		if p.phase == APICall {
			return named(aboutHeader, MalformedAuthorizationHeader)
		}
		return named(aboutRequest, InvalidTokenRequest)
	case t.any(tClient) && t.any(tHeader|tToken) && t.any(pUnknown) && !t.any(pInvalid|tClaim|tSub|tAudience|tIssuer|tKey|pFailed) && p.phase != APICall:
		return named(aboutAssertion, MissingAssertion)
	case t.all(tBody|pTwice) && !t.any(tJTI|tReplay|tAssertion|tToken):
		return named(aboutRequest, InvalidTokenRequest)
	case t.any(tTarget) && !t.any(tRole|tScope) && (t.any(pRequested|pUnknown|pInvalid|pDenied) || p.missing()):
		return named(aboutTarget, AudienceNotGranted)
	case t.any(tAudience) && t.any(pRequested) && !t.any(tToken|tAssertion|tClaim):
		return named(aboutTarget, AudienceNotGranted)
	case t.any(tAssertion) && p.missing() && p.first == tAssertion && !t.any(tClaim|tAudience|tIssuer|tSub|tJTI|tExpiry|tKID|tAlgorithm|tSignature|tIssuedAt|tNotBefore):
		return named(aboutAssertion, MissingAssertion)
	case t.any(tBody) && p.missing() && !t.any(subjects&^tClient|tToken|tClaim):
		return hinted(aboutRequest, InvalidTokenRequest)
	}
	return complaint{}
}

func replayPhrase(p phrase, t terms) complaint {
	switch {
	case t.any(tJTI) && p.missing():
		return named(aboutJTI, MissingClaim)
	case t.any(tReplay), t.any(tJTI) && (t.any(pTwice) || p.notes.any(nUsed)):
		return named(aboutReplay, JTIReuse)
	case t.any(tAssertion|tToken) && t.any(pTwice) && p.notes.any(nUsed) && !t.any(subjects&^(tAssertion|tClient)) && !t.any(tBearer|tShape|tMethod|tBody|tExpired|tBefore|tRevoked|pFuture|pKindOf):
		return named(aboutReplay, JTIReuse)
	case t.any(tJTI):
		return named(aboutJTI, InvalidClaim)
	}
	return complaint{}
}

func timePhrase(p phrase, t terms) complaint {
	timed := t.any(tExpiry | tNotBefore | tIssuedAt)
	switch {
	case timed && p.missing() && !t.any(pPast|pFuture|pTooMuch|tBefore|tExpired|pKindOf):
		return named(dateSubject(t), MissingClaim)
	case timed && p.notes.any(nSeconds) && !t.any(pPast|pFuture|pTooMuch|tExpired):
		return named(dateSubject(t)|aboutClaims, TimestampUnits)
	case timed && t.any(tType) && t.any(tClaim|pInvalid):
		return named(dateSubject(t)|aboutClaims, InvalidClaim)
	case timed && t.any(pKindOf) && !t.any(pPast|pFuture|pTooMuch|tExpired):
		return named(dateSubject(t)|aboutClaims, InvalidClaim) // a text or a list where a number is due; milliseconds are one
	case t.any(tIssuedAt) && t.all(pTooMuch|pPast), t.any(tIssuedAt) && t.any(tAge), t.any(tAge) && t.any(pTooMuch|tToken|tAssertion|tAge) && !t.any(tExpired|tLifetime|subjects&^(tIssuedAt|tAssertion)):
		return named(aboutAge|aboutIssuedAt, AssertionTooOld)
	case timed && t.any(pInvalid) && p.notes.any(nWord) && !t.any(pPast|pFuture|pTooMuch|tExpired|tBefore|tTime|pFailed):
		return named(dateSubject(t)|aboutClaims, TimestampUnits)
	case t.any(tLifetime) && t.any(pTooMuch|pInvalid|pNot|pDenied), t.any(tExpiry) && t.any(pTooMuch):
		return named(aboutLifetime|aboutExpiry, LifetimeTooLong)
	case t.any(tExpired) && t.any(tKey) && !t.any(tToken|tAssertion|tSignature|tClaim):
		return named(aboutKey|aboutSignature, UnknownKey) // the certificate's end, not the token's
	case t.any(tExpired):
		return named(aboutExpiry, TokenExpired)
	case t.any(tNotBefore) && t.any(tIssuedAt):
		return named(aboutNotBefore|aboutIssuedAt, NotYetValid)
	case t.any(tNotBefore), t.any(tBefore) && t.any(pNot) && !t.any(tIssuedAt|tExpiry):
		return named(aboutNotBefore, NotYetValid)
	case t.any(tIssuedAt) && t.any(pFuture|pPast|tBefore|tTime|pMust):
		return named(aboutIssuedAt, ClockSkew)
	case t.any(tIssuedAt) && !t.any(tAudience|tIssuer|tKey|tClient):
		return named(aboutIssuedAt, ClockSkew)
	case t.any(pFuture) && t.any(tToken|tAssertion|tTime) && t.any(pNot|tTime|tToken):
		return named(aboutNotBefore|aboutIssuedAt, NotYetValid)
	case p.notes.any(nLate) && t.any(tToken|tAssertion|tTime) && !t.any(subjects&^tAssertion):
		return named(aboutExpiry, TokenExpired)
	case t.all(tBefore|tToken) && (p.notes.any(nUsed) || t.any(tTime)) && !t.any(subjects):
		return named(aboutNotBefore|aboutIssuedAt, NotYetValid)
	case t.any(tExpiry) && !t.any(tAudience|tIssuer|tScope|tSub):
		return named(aboutExpiry, TokenExpired)
	case t.any(pActive) && p.notes.any(nWill):
		return named(aboutNotBefore, NotYetValid)
	case t.all(pActive|pNot) && !p.notes.any(nJWT):
		return hinted(aboutExpiry|aboutNotBefore|aboutRevocation, TokenExpired)
	case t.all(pActive | pNot):
		return hinted(aboutNotBefore|aboutExpiry|aboutRevocation, NotYetValid)
	}
	return complaint{}
}

func dateSubject(t terms) subject {
	var s subject
	if t.any(tExpiry) {
		s |= aboutExpiry
	}
	if t.any(tNotBefore) {
		s |= aboutNotBefore
	}
	if t.any(tIssuedAt) {
		s |= aboutIssuedAt | aboutAge
	}
	return s
}

func keyFilePhrase(p phrase, t terms) complaint {
	switch {
	case t.any(tKeyFile) && p.phase != ClientSide && (p.missing() || t.unknown()):
		return named(aboutKey|aboutKID, UnknownKey) // a server that has no certificate for a token; only a client fails to read a file
	case t.any(tKeyFile) && !t.any(tAudience|tIssuer|tScope):
		return named(aboutKeyFile, BadKeyFormat)
	case t.all(tPrivate|tKey) && p.notes.any(nMatch|nMismatch):
		return named(aboutSignature|aboutKey, KeyMismatch)
	case t.all(tPrivate | tKey):
		return named(aboutKeyFile, BadKeyFormat)
	case p.phase == ClientSide && t.all(pInvalid) && t.any(tKey|pKindOf|tShape):
		return named(aboutKeyFile, BadKeyFormat)
	}
	return complaint{}
}

func scopePhrase(p phrase, t terms) complaint {
	switch {
	case t.any(tScope) && t.any(pKindOf) && !t.any(pDenied):
		return named(aboutScope, ScopeFormat)
	case t.any(tScope):
		return named(aboutScope, ScopeGap)
	}
	return complaint{}
}

func claimPhrase(p phrase, t terms) complaint {
	switch {
	case p.notes.any(nRead) && t.any(tClaim|tType|pKindOf):
		return named(aboutClaims|aboutTime|aboutAudience|aboutIdentity|aboutStructure, InvalidClaim)
	case t.any(tAudience):
		return valueComplaint(p, aboutAudience, WrongAudience)
	case t.any(tIssuer) && !t.all(tKey|pFound):
		return valueComplaint(p, aboutIssuer, WrongIssuer)
	case t.any(tSub) && !t.any(tRole|tAccount|tScope):
		return valueComplaint(p, aboutSub|aboutIssuer, p.identity())
	case t.any(tClient) && t.any(tClaim):
		return valueComplaint(p, aboutClient|aboutClaims, p.identity())
	case t.any(tClaim) && t.any(pKindOf) && t.any(pInvalid|pNot|pMust) && !t.any(subjects|tRole|tShape), t.all(pInvalid|tType|pKindOf) && !t.any(subjects|tToken):
		return hinted(aboutClaims|aboutTime|aboutAudience|aboutIdentity, InvalidClaim)
	case t.any(tClaim) && p.missing() && !t.any(subjects|tRole|tShape):
		return hinted(aboutClaims, MissingClaim)
	case t.any(tClaim) && t.any(pInvalid|pNot|pFailed) && !t.any(subjects|tRole|tShape|tType):
		return vague(aboutClaims, InvalidClaim)
	}
	return complaint{}
}

// identity is the cause of a sub or client_id that a server does not take: in an assertion it must agree with the rest of the request,
// in an access token it is a value like any other.
func (p phrase) identity() Code {
	if p.phase == APICall {
		return InvalidClaim
	}
	return ClientIdentityMismatch
}

func valueComplaint(p phrase, about subject, wrong Code) complaint {
	switch t := p.terms; {
	case p.missing():
		return named(about, MissingClaim)
	case t.any(pKindOf), t.any(tType):
		return named(about, InvalidClaim)
	}
	return named(about, wrong)
}

func keyPhrase(p phrase, t terms) complaint {
	switch {
	case t.any(tKID) && p.missing() && (!t.unknown() || t.any(pMissing|tClaim)), t.any(tKID) && p.notes.any(nNo) && p.notes.any(nHeader) && !t.any(tKey):
		return named(aboutKID, MissingKID)
	case t.all(tKID | pMust | pKindOf):
		return named(aboutKID|aboutStructure, InvalidClaim)
	case p.notes.any(nKeySet) && p.notes.any(nHave) && t.any(pNot) && t.any(tBody):
		return named(aboutServer|aboutKey, ProviderUnavailable)
	case p.notes.any(nSigned) && t.any(pNot|pMust) && t&subjects&^tAssertion == tSignature && p.words <= 6:
		return named(aboutAlgorithm|aboutSignature, WrongAlgorithm)
	case t.all(tKey|pNot) && p.notes.any(nMatch) && !p.notes.any(nFind) && !t.any(pUnknown|tKID|tAlgorithm):
		return named(aboutSignature|aboutKey, KeyMismatch)
	case t.all(tShape|tSignature) && !t.any(pFailed|tKey):
		return named(aboutStructure, MalformedJWT)
	case t.all(tKey|pInvalid) && t.any(tType|pKindOf) && !t.any(tSignature|tToken):
		return hinted(aboutKeyFile|aboutKey|aboutAlgorithm, BadKeyFormat)
	case t.all(tKey|tShape) && p.phase == ClientSide:
		return named(aboutKeyFile, BadKeyFormat)
	case t.all(tKey|tShape) && !p.notes.any(nKeySet) && !t.any(tToken|tSignature|tClient|pFound|tKID):
		return hinted(aboutKeyFile|aboutKey, BadKeyFormat)
	case t.all(tKey|tShape) && !t.any(tToken|tSignature|tClient|pFound|tKID):
		return named(aboutServer|aboutKey, ProviderUnavailable)
	case t.any(tKID), t.any(tKey) && !t.any(tAlgorithm|tSignature) && (t.unknown() || p.missing() || t.any(pSet)):
		return named(aboutKey|aboutKID, UnknownKey)
	case t.any(tAlgorithm), t.all(tSigning | tMethod):
		return named(aboutAlgorithm, WrongAlgorithm)
	case t.any(tSignature) && t.any(pMissing) && !t.any(pInvalid|pFailed|pNot|pFound):
		return named(aboutSignature|aboutAlgorithm, WrongAlgorithm)
	case t.any(tSignature) && t.all(tKey|pFound) && t.any(pUnknown|pNot) && !t.any(pFailed):
		return named(aboutKey|aboutKID, UnknownKey)
	case t.any(tSignature):
		return named(aboutSignature, KeyMismatch)
	case t.any(tKey) && t.any(pInvalid|pNot|pFailed):
		return hinted(aboutKey|aboutSignature, KeyMismatch)
	case p.notes.any(nCrypto) && t.any(pFailed) && p.phase != ClientSide && !t.any(subjects|tShape|pSet):
		return hinted(aboutSignature, KeyMismatch)
	}
	return complaint{}
}

func accessPhrase(p phrase, t terms) complaint {
	switch {
	case t.all(tClaim|tType) && t.any(pInvalid|pFailed|pNot):
		return hinted(aboutClaims|aboutTime|aboutAudience|aboutIdentity, InvalidClaim) // the type of a claim, not of a token
	case p.notes.any(nAccess) && t.any(tToken) && (p.notes.any(nNotA) || p.notes.any(nOnly)) && !t.any(subjects&^tHeader|tExpired):
		return named(aboutType, WrongTokenType)
	case t.any(tIDToken) && t.any(tToken|pNot|pInvalid|pMust|pFound), t.all(tToken|tType) && !t.any(subjects&^tHeader|tBody) && !p.notes.any(nAny):
		return named(aboutType, WrongTokenType)
	case p.notes.any(nTyp) && p.notes.any(nHeader) && t.any(pInvalid|pNot|pFailed) && !t.any(subjects&^tHeader):
		return named(aboutType, WrongTokenType)
	case t.any(tType) && !p.notes.any(nAny) && t.any(pInvalid|pNot|pFailed) && (p.notes.any(nTyp) || t.any(tToken|tHeader|tIDToken)) && !t.any(tBody|tGrant|tKey):
		return named(aboutType, WrongTokenType)
	case t.any(tRevoked) && p.notes.any(nInactive) && p.notes.any(nJWT):
		return hinted(aboutNotBefore|aboutExpiry|aboutRevocation, NotYetValid)
	case t.any(tRevoked) && t.any(tToken|tRevoked) && !t.any(tClient|tAccount|tKey):
		return named(aboutRevocation, RevokedToken)
	case t.any(tAccount) && t.any(pDenied|pNot|pInvalid|tRole):
		return named(aboutAccount|aboutPermission, AccountAccessDenied)
	case t.any(tRole) && p.notes.any(nPermission) && !p.notes.any(nInsufficient) && !t.any(pMissing|pFound|tClaim):
		return vague(aboutPermission, InsufficientPermissions) // what a 403 says in any case
	case t.any(tRole):
		return named(aboutPermission, InsufficientPermissions)
	case t.any(tGateway) && t.any(pDenied|tGateway) && !t.any(tToken|tClient|tHeader):
		return hinted(aboutGateway, BlockedByGateway)
	case p.notes.any(nUser) && (t.any(tRevoked|pDenied) || t.all(pNot|pFound)) && !t.any(tToken|tHeader|tAssertion):
		return hinted(aboutAccount|aboutPermission, AccountAccessDenied)
	case t.any(tClient) && p.notes.any(nMatch) && t.any(pNot|pInvalid), t.any(tClient) && p.notes.any(nMismatch) && !t.any(tKey|tSignature):
		return named(aboutClient|aboutIssuer|aboutSub, ClientIdentityMismatch)
	case t.any(tClient) && !t.any(tToken|tAssertion) && t.unknown():
		return named(aboutClient, UnknownClient)
	case t.any(tClient) && t.all(pNot|pDenied) && p.phase == TokenRequest && p.notes.any(nAccess) && !t.any(tToken|tRole):
		return named(aboutTarget|aboutRequest, AudienceNotGranted)
	}
	return complaint{}
}

func shapePhrase(p phrase, t terms) complaint {
	switch {
	case t.any(tBearer|tHeader|tToken) && t.all(pNot|pFound) && (t.any(tBearer|pRequested) || !t.any(tToken)) && !t.any(subjects&^tHeader|tShape|pInvalid|tRole|tRevoked):
		return named(aboutNoToken, MissingToken)
	case p.notes.any(nHeader) && p.notes.any(nAuthorization) && t.any(pInvalid) && !t.any(tShape|tClient|pFailed|pMissing|pUnknown):
		return named(aboutHeader, MalformedAuthorizationHeader)
	case p.notes.any(nPayload) && p.phase == APICall && t.any(pInvalid|pNot|pFailed|pKindOf|tType|pMust) && !t.any(subjects|tNetwork):
		return hinted(aboutStructure|aboutClaims, MalformedJWT)
	case p.notes.any(nJWT) && p.notes.any(nNotA) && !t.any(subjects|tType|pFound|tKeyFile):
		return hinted(aboutStructure, MalformedJWT)
	case t.all(pFailed|tToken) && p.notes.any(nFind) && !t.any(subjects&^tHeader|tShape):
		return named(aboutNoToken, MissingToken)
	case t.any(tHeader) && t.any(tScheme|tBearer|pKindOf|tShape) && !t.any(tKey) && (p.notes.any(nAuthorization) && !p.notes.any(nJWT) || t.any(tScheme|tBearer)):
		return named(aboutHeader, MalformedAuthorizationHeader)
	case t.any(tScheme|tBearer) && t.any(pKindOf|pMust|pInvalid|pNot):
		return named(aboutHeader, MalformedAuthorizationHeader)
	case t.any(tShape) && (t.any(tToken|tAssertion|tHeader|tClaim|tSignature|tBearer|tShape) && p.words > 1 || t.any(tToken)):
		return named(aboutStructure, MalformedJWT)
	case t.any(tToken|tHeader|tBearer) && t.any(pMissing|pUnknown|pSet) && !t.any(pInvalid|pFailed|tClaim|tClient|tType) && (p.missing() || t.any(pUnknown)):
		return named(aboutNoToken, MissingToken)
	case t.any(tAssertion) && p.missing():
		return hinted(aboutAssertion, MissingAssertion)
	case t.any(tAssertion|tToken) && t.any(pKindOf) && t.any(pInvalid|pNot|pMust):
		return hinted(aboutStructure, MalformedJWT)
	}
	return complaint{}
}
