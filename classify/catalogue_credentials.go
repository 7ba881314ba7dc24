package classify

func missingTokenCause() Cause {
	return Cause{Code: MissingToken, Group: "credentials", Title: "No token was sent", Fault: FaultClient}
}

func malformedAuthorizationHeaderCause() Cause {
	return Cause{Code: MalformedAuthorizationHeader, Group: "credentials", Title: "Malformed Authorization header", Fault: FaultClient}
}

func malformedJWTCause() Cause {
	return Cause{Code: MalformedJWT, Group: "credentials", Title: "Malformed JWT", Fault: FaultClient}
}

func wrongTokenTypeCause() Cause {
	return Cause{Code: WrongTokenType, Group: "credentials", Title: "Wrong type of token", Fault: FaultClient}
}

func revokedTokenCause() Cause {
	return Cause{Code: RevokedToken, Group: "credentials", Title: "Token revoked", Fault: FaultUnknown}
}
