package classify

import "strings"

// complaintOfCode reads a registered or a provider's own error code. generic is true for codes that are known to say nothing:
// invalid_client stands for 45 faults at one provider.
func complaintOfCode(code string) (c complaint, generic bool) {
	switch code {
	case "invalid_client", "invalid_token", "invalid_grant", "invalid_request", "unauthorized_client", "access_denied", "server_error",
		"invalid_client_assertion", "unauthorized", "forbidden", "error", "Unauthorized", "Forbidden", "bad_request", "401", "403", "400",
		"E0000004", "ERR_JWT_CLAIM_VALIDATION_FAILED", "ERR_JOSE_GENERIC", "invalid_credentials", "JWT_TOKEN_INVALID", "390144", "NOT_AUTHORIZED",
		"UNAUTHORIZED", "UNAUTHENTICATED", "FORBIDDEN", "PERMISSION_DENIED", "unauthenticated", "invalid_assertion", "not_authorized", "invalid_jwt":
		return complaint{}, true
	case "insufficient_scope":
		return named(aboutScope, ScopeGap), false
	case "invalid_scope":
		return hinted(aboutScope, ScopeGap), false
	case "unsupported_grant_type":
		return named(aboutGrant, InvalidGrantType), false
	case "invalid_target":
		return named(aboutTarget, AudienceNotGranted), false
	case "jti_known":
		return named(aboutReplay, JTIReuse), false
	case "invalid_dpop_proof", "use_dpop_nonce":
		return named(aboutPossession, ProofOfPossession), false
	case "insufficient_user_authentication", "interaction_required", "login_required":
		return named(aboutStepUp, StepUpRequired), false
	case "temporarily_unavailable":
		return named(aboutServer, ProviderUnavailable), false
	case "slow_down", "too_many_requests", "rate_limit_exceeded":
		return named(aboutRate, RateLimited), false
	case "ERR_JWT_EXPIRED", "394303":
		return named(aboutExpiry, TokenExpired), false
	case "ERR_JWS_INVALID", "ERR_JWT_INVALID":
		return hinted(aboutStructure, MalformedJWT), false
	case "394300":
		return named(aboutClient, UnknownClient), false
	case "394301":
		return named(aboutExpiry|aboutIssuedAt|aboutClaims, MissingClaim), false
	case "394302":
		return named(aboutAge|aboutIssuedAt, AssertionTooOld), false
	case "394304":
		return named(aboutKey|aboutKID, UnknownKey), false
	case "394305":
		return named(aboutAlgorithm, WrongAlgorithm), false
	case "394306":
		return named(aboutSignature, KeyMismatch), false
	case "394307":
		return named(aboutIssuer|aboutClient, WrongEnvironment), false
	case "E0000011":
		return hinted(aboutExpiry|aboutRevocation|aboutClaims, TokenExpired), false
	case "E0000006":
		return named(aboutPermission, InsufficientPermissions), false
	case "E0000021":
		return named(aboutContentType, WrongContentType), false
	case "E0000047":
		return named(aboutRate, RateLimited), false
	}
	return complaint{}, false
}

// complaintOfNumbered finds a numbered code of Microsoft's servers and libraries inside a text; their wording changes, the numbers do not.
func complaintOfNumbered(text string) complaint {
	if i := strings.Index(text, "AADSTS"); i >= 0 {
		return entraComplaint(leadingDigits(text[i+len("AADSTS"):]), text)
	}
	if i := strings.Index(text, "IDX"); i >= 0 {
		return identityModelComplaint(leadingDigits(text[i+len("IDX"):]))
	}
	return complaint{}
}

func leadingDigits(text string) string {
	i := 0
	for i < len(text) && i < 10 && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	return text[:i]
}

func entraComplaint(number, text string) complaint {
	switch number {
	case "50001", "500011", "65001", "650057":
		return named(aboutTarget, AudienceNotGranted)
	case "50012", "50013":
		return hinted(aboutSignature|aboutKey|aboutAudience|aboutIssuer|aboutExpiry, KeyMismatch)
	case "700027", "7000274":
		if strings.Contains(text, "key was not found") {
			return named(aboutKey|aboutKID, UnknownKey)
		}
		return named(aboutSignature|aboutKey, KeyMismatch)
	case "7000214", "7000215", "7000222", "7000277", "1000502", "900384":
		return named(aboutSignature|aboutKey, KeyMismatch)
	case "500131", "700023":
		return named(aboutAudience, WrongAudience)
	case "500133":
		return named(aboutExpiry, AssertionExpired)
	case "700024":
		return named(aboutTime, AssertionExpired)
	case "50027":
		return hinted(aboutStructure|aboutAudience|aboutKID|aboutClaims, MalformedJWT)
	case "50048", "700021":
		return named(aboutIdentity, ClientIdentityMismatch)
	case "50059", "90002", "90038":
		return named(aboutIdentity, WrongEnvironment)
	case "50076", "50079":
		return named(aboutStepUp, StepUpRequired)
	case "50105", "7000112":
		return named(aboutAccount|aboutPermission, AccountAccessDenied)
	case "50173":
		return named(aboutRevocation, RevokedToken)
	case "50196", "90055":
		return named(aboutRate, RateLimited)
	case "53003":
		return named(aboutGateway, BlockedByGateway)
	case "700016":
		return named(aboutClient, UnknownClient)
	case "7000218":
		return named(aboutAssertion, MissingAssertion)
	case "700022", "70011":
		return named(aboutScope, ScopeFormat)
	case "700025", "90014", "900144", "9002313", "900561", "901002":
		return named(aboutRequest, InvalidTokenRequest)
	case "700229":
		return named(aboutType, WrongTokenType)
	case "90033":
		return named(aboutServer, ProviderUnavailable)
	case "90094":
		return named(aboutPermission, InsufficientPermissions)
	}
	return complaint{}
}

func identityModelComplaint(number string) complaint {
	switch number {
	case "10204", "10205", "10212":
		return named(aboutIssuer, WrongIssuer)
	case "10206", "10207":
		return named(aboutAudience, MissingClaim)
	case "10208", "10214", "10215", "10231":
		return named(aboutAudience, WrongAudience)
	case "10209", "10508", "12709", "12741", "14100":
		return named(aboutStructure, MalformedJWT)
	case "10211":
		return named(aboutIssuer, MissingClaim)
	case "10222":
		return named(aboutNotBefore, NotYetValid)
	case "10223", "10230":
		return named(aboutExpiry, TokenExpired)
	case "10224":
		return named(aboutExpiry|aboutNotBefore|aboutClaims, InvalidClaim)
	case "10225":
		return named(aboutExpiry, MissingClaim)
	case "10227":
		return named(aboutJTI, MissingClaim)
	case "10228", "10229":
		return named(aboutReplay, JTIReuse)
	case "10232", "10249", "10511":
		return named(aboutSignature, KeyMismatch)
	case "10256", "10257":
		return named(aboutType, WrongTokenType)
	case "10261", "20803", "20804", "20806", "20807":
		return named(aboutServer, ProviderUnavailable)
	case "10500", "10501", "10502", "10503", "10516":
		return named(aboutKey|aboutKID|aboutSignature, UnknownKey)
	case "10504", "10518":
		return named(aboutAlgorithm, WrongAlgorithm)
	case "10517":
		return named(aboutKID, MissingKID)
	}
	return complaint{}
}
