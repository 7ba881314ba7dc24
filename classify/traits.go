package classify

import "slices"

// A trait is what the engine knows of a cause.
type trait struct {
	cause Code
	group string // in which servers look at it, for Profile.CheckOrder; "" for causes outside any order
	// rank orders faults of equal weight: what keeps a server from looking further comes first, then the particular before the general.
	rank  int
	check demand  // that it would fail; 0 for causes that no check can show
	usual subject // what the plainest wording of it is about
	// symptoms are the complaints that it is known to come out as: the same fault is reported as a wrong issuer by one verifier and as an
	// unknown key by the next, which looks the key up by issuer first.
	symptoms subject
}

// newTraits makes the table by cause, once.
func newTraits() map[Code]*trait {
	list := traits()
	table := make(map[Code]*trait, 2*len(list))
	for i := range list {
		table[list[i].cause] = &list[i]
	}
	return table
}

func traits() []trait {
	return []trait{
		{cause: MissingToken, group: "structure", rank: 48, usual: aboutNoToken, symptoms: aboutStructure | aboutHeader | aboutNoToken},
		{cause: MalformedAuthorizationHeader, group: "structure", rank: 48, usual: aboutHeader, symptoms: aboutStructure | aboutHeader | aboutNoToken},
		{cause: MalformedJWT, group: "structure", rank: 46, check: demandStructure, usual: aboutStructure, symptoms: aboutStructure | aboutHeader | aboutKey | aboutSignature | aboutAlgorithm | aboutType | aboutClaims | aboutRequest},
		{cause: WrongTokenType, group: "structure", rank: 42, usual: aboutType, symptoms: aboutIdentity | aboutKeys | aboutStructure | aboutAudience | aboutType | aboutClaims | aboutScope},
		{cause: RevokedToken, usual: aboutRevocation, symptoms: aboutExpiry | aboutRevocation},
		{cause: TokenExpired, group: "time", rank: 20, check: demandExpiry, usual: aboutExpiry, symptoms: aboutExpiry | aboutRevocation},
		{cause: ExpiredMidSession, group: "time", rank: 22, check: demandExpiry, usual: aboutExpiry, symptoms: aboutExpiry | aboutRevocation},
		{cause: AssertionExpired, group: "time", rank: 20, check: demandExpiry, usual: aboutExpiry, symptoms: aboutExpiry | aboutRevocation},
		{cause: ClockSkew, group: "time", rank: 21, usual: aboutExpiry | aboutNotBefore | aboutIssuedAt, symptoms: aboutTime},
		{cause: NotYetValid, group: "time", rank: 19, check: demandNotBefore, usual: aboutNotBefore | aboutIssuedAt, symptoms: aboutNotBefore | aboutIssuedAt},
		{cause: AssertionTooOld, group: "time", rank: 18, check: demandIssuedAt, usual: aboutIssuedAt | aboutAge, symptoms: aboutExpiry | aboutIssuedAt | aboutAge},
		{cause: LifetimeTooLong, group: "time", rank: 18, check: demandLifetime, usual: aboutExpiry | aboutLifetime, symptoms: aboutExpiry | aboutAge | aboutLifetime},
		{cause: TimestampUnits, group: "time", rank: 40, usual: aboutTime, symptoms: aboutTime | aboutStructure | aboutClaims},
		{cause: WrongAudience, group: "claims", rank: 23, check: demandAudience, usual: aboutAudience, symptoms: aboutAudience},
		{cause: WrongIssuer, group: "claims", rank: 24, check: demandIssuer, usual: aboutIssuer, symptoms: aboutIssuer | aboutKID | aboutKey | aboutSignature},
		{cause: ClientIdentityMismatch, group: "client", rank: 34, check: demandIdentity, usual: aboutIdentity, symptoms: aboutIdentity | aboutKID | aboutKey | aboutSignature | aboutRequest},
		{cause: MissingClaim, group: "claims", rank: 36, check: demandRequiredClaims, usual: aboutClaims},
		{cause: InvalidClaim, group: "claims", rank: 38, usual: aboutClaims},
		{cause: MissingKID, group: "structure", rank: 29, usual: aboutKID, symptoms: aboutStructure | aboutKID | aboutKey | aboutSignature},
		{cause: KeyMismatch, group: "signature", rank: 26, check: demandSignature, usual: aboutSignature, symptoms: aboutKey | aboutSignature},
		{cause: UnknownKey, group: "key", rank: 28, check: demandKeyID, usual: aboutKID | aboutKey, symptoms: aboutKID | aboutKey | aboutSignature},
		{cause: WrongAlgorithm, group: "key", rank: 30, check: demandAlgorithm, usual: aboutAlgorithm, symptoms: aboutKeys | aboutStructure},
		{cause: InvalidSignature, group: "signature", rank: 26, check: demandSignature, usual: aboutSignature, symptoms: aboutKey | aboutSignature},
		{cause: BadKeyFormat, usual: aboutKeyFile, symptoms: aboutKey | aboutKeyFile},
		{cause: JTIReuse, group: "replay", rank: 14, check: demandJTI, usual: aboutReplay, symptoms: aboutJTI | aboutReplay},
		{cause: WrongEnvironment, rank: 33, usual: aboutIdentity, symptoms: aboutIdentity | aboutKeys | aboutAudience},
		{cause: KeyReusedAcrossEnvironments, group: "key", rank: 32, usual: aboutKID | aboutKey, symptoms: aboutKeys | aboutClient},
		{cause: UnknownClient, group: "client", rank: 31, check: demandClient, usual: aboutClient, symptoms: aboutIdentity | aboutKID | aboutKey | aboutSignature},
		{cause: WrongContentType, group: "structure", rank: 48, check: demandContentType, usual: aboutContentType, symptoms: aboutContentType | aboutGrant | aboutAssertionType | aboutAssertion | aboutRequest},
		{cause: InvalidGrantType, group: "structure", rank: 44, usual: aboutGrant, symptoms: aboutGrant | aboutRequest},
		{cause: InvalidAssertionType, group: "structure", rank: 44, usual: aboutAssertionType, symptoms: aboutClient | aboutAssertionType | aboutAssertion | aboutRequest},
		{cause: MissingAssertion, group: "structure", rank: 46, usual: aboutAssertion, symptoms: aboutStructure | aboutNoToken | aboutClient | aboutAssertionType | aboutAssertion | aboutRequest},
		{cause: InvalidTokenRequest, group: "structure", rank: 43, usual: aboutRequest, symptoms: aboutClient | aboutScope | aboutGrant | aboutAssertionType | aboutAssertion | aboutRequest},
		{cause: AudienceNotGranted, group: "scope", usual: aboutTarget, symptoms: aboutAudience | aboutRequest | aboutTarget},
		{cause: ScopeGap, group: "scope", rank: 8, check: demandScope, usual: aboutScope, symptoms: aboutScope | aboutPermission},
		{cause: ScopeFormat, group: "scope", rank: 10, usual: aboutScope, symptoms: aboutScope | aboutPermission},
		{cause: AccountAccessDenied, group: "scope", rank: 8, usual: aboutAccount, symptoms: aboutAccount | aboutPermission},
		{cause: InsufficientPermissions, group: "scope", usual: aboutPermission, symptoms: aboutAccount | aboutPermission},
		{cause: ProofOfPossession, rank: 12, usual: aboutPossession, symptoms: aboutPossession},
		{cause: StepUpRequired, usual: aboutStepUp, symptoms: aboutStepUp},
		{cause: ProviderUnavailable, usual: aboutServer, symptoms: aboutKey | aboutServer},
		{cause: RateLimited, usual: aboutRate, symptoms: aboutRate},
		{cause: BlockedByGateway, usual: aboutGateway, symptoms: aboutPermission | aboutGateway},
		{cause: Unclassified},
		{}, // of no cause
	}
}

// trait is what is known of a cause; without a Knowledge the table is made for one look.
func (k *Knowledge) trait(cause Code) *trait {
	var table map[Code]*trait
	if k == nil {
		table = newTraits()
	} else {
		table = k.traits
	}
	if t := table[cause]; t != nil {
		return t
	}
	return &trait{}
}

func (x *examination) trait(cause Code) *trait { return x.knowledge.trait(cause) }

// complaints are what a server may say when it meets the fault of a finding.
func (x *examination) complaints(f *finding) subject {
	if f.subject != 0 {
		return f.subject
	}
	return f.trait.symptoms
}

// fits reports whether the fault of a finding may be what the words complain about.
func (x *examination) fits(f *finding) bool {
	return x.complaints(f)&x.words.subject != 0 || slices.Contains(x.words.also, f.cause)
}
