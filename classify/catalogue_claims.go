package classify

func wrongAudienceCause() Cause {
	return Cause{Code: WrongAudience, Group: "claims", Title: "Wrong audience", Fault: FaultClient}
}

func wrongIssuerCause() Cause {
	return Cause{Code: WrongIssuer, Group: "claims", Title: "Wrong issuer", Fault: FaultClient}
}

func clientIdentityMismatchCause() Cause {
	return Cause{Code: ClientIdentityMismatch, Group: "claims", Title: "Client identity mismatch", Fault: FaultClient}
}

func missingClaimCause() Cause {
	return Cause{Code: MissingClaim, Group: "claims", Title: "Missing claim", Fault: FaultClient}
}

func invalidClaimCause() Cause {
	return Cause{Code: InvalidClaim, Group: "claims", Title: "Invalid claim value", Fault: FaultClient}
}

func missingKIDCause() Cause {
	return Cause{Code: MissingKID, Group: "claims", Title: "Missing key id", Fault: FaultClient}
}
