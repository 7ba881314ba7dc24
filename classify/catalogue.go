package classify

// Catalogue returns the rows of all causes in the order of the design's table.
func Catalogue() []Cause {
	rows := catalogueRows()
	causes := make([]Cause, len(rows))
	for i, r := range rows {
		causes[i] = r.cause()
	}
	return causes
}

// Lookup returns the row of one cause; ok is false for a code that has none. It builds that row alone.
func Lookup(code Code) (cause Cause, ok bool) {
	for _, r := range catalogueRows() {
		if r.code == code {
			return r.cause(), true
		}
	}
	return Cause{}, false
}

// A catalogueRow defers the row's text, so that looking up one cause does not build the others.
type catalogueRow struct {
	code  Code
	cause func() Cause
}

func catalogueRows() []catalogueRow {
	return []catalogueRow{
		{MissingToken, missingTokenCause},
		{MalformedAuthorizationHeader, malformedAuthorizationHeaderCause},
		{MalformedJWT, malformedJWTCause},
		{WrongTokenType, wrongTokenTypeCause},
		{RevokedToken, revokedTokenCause},

		{TokenExpired, tokenExpiredCause},
		{ExpiredMidSession, expiredMidSessionCause},
		{AssertionExpired, assertionExpiredCause},
		{ClockSkew, clockSkewCause},
		{NotYetValid, notYetValidCause},
		{AssertionTooOld, assertionTooOldCause},
		{LifetimeTooLong, lifetimeTooLongCause},
		{TimestampUnits, timestampUnitsCause},

		{WrongAudience, wrongAudienceCause},
		{WrongIssuer, wrongIssuerCause},
		{ClientIdentityMismatch, clientIdentityMismatchCause},
		{MissingClaim, missingClaimCause},
		{InvalidClaim, invalidClaimCause},
		{MissingKID, missingKIDCause},

		{KeyMismatch, keyMismatchCause},
		{UnknownKey, unknownKeyCause},
		{WrongAlgorithm, wrongAlgorithmCause},
		{InvalidSignature, invalidSignatureCause},
		{BadKeyFormat, badKeyFormatCause},

		{JTIReuse, jtiReuseCause},

		{WrongEnvironment, wrongEnvironmentCause},
		{KeyReusedAcrossEnvironments, keyReusedAcrossEnvironmentsCause},
		{UnknownClient, unknownClientCause},

		{WrongContentType, wrongContentTypeCause},
		{InvalidGrantType, invalidGrantTypeCause},
		{InvalidAssertionType, invalidAssertionTypeCause},
		{MissingAssertion, missingAssertionCause},
		{InvalidTokenRequest, invalidTokenRequestCause},
		{AudienceNotGranted, audienceNotGrantedCause},

		{ScopeGap, scopeGapCause},
		{ScopeFormat, scopeFormatCause},
		{AccountAccessDenied, accountAccessDeniedCause},
		{InsufficientPermissions, insufficientPermissionsCause},
		{ProofOfPossession, proofOfPossessionCause},
		{StepUpRequired, stepUpRequiredCause},

		{ProviderUnavailable, providerUnavailableCause},
		{RateLimited, rateLimitedCause},
		{BlockedByGateway, blockedByGatewayCause},

		{Unclassified, unclassifiedCause},
	}
}
