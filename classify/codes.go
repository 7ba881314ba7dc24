package classify

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
