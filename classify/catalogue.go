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

// rfc names a section of an RFC; an empty section means the whole document.
func rfc(number, section, subject string) Reference {
	if section == "" {
		return Reference{Title: "RFC " + number + ": " + subject, URL: "https://www.rfc-editor.org/rfc/rfc" + number}
	}
	return Reference{
		Title: "RFC " + number + " section " + section + ": " + subject,
		URL:   "https://www.rfc-editor.org/rfc/rfc" + number + "#section-" + section,
	}
}

// supportBundle is what the exchange asks for in a support request.
const supportBundle = "environment (dev, preprod, prod), Client ID, error messages and decoded JWT claims (never share your private key)"

func exchangeErrors() Reference {
	return Reference{"Polymarket Exchange: authentication " +
		"troubleshooting", "https://docs.polymarket.us/trader-guide/authentication-troubleshooting"}
}

func redoxErrors() Reference {
	return Reference{"Redox: troubleshoot OAuth API key " +
		"errors", "https://docs.redoxengine.com/troubleshooting/troubleshoot-oauth-api-key-errors/"}
}

func auth0PrivateKeyJWT() Reference {
	return Reference{"Auth0: authenticate with private key " +
		"JWT", "https://auth0.com/docs/get-started/authentication-and-authorization-flow/authenticate-with-private-key-jwt"}
}
