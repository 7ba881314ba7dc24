package classify

func scopeGapCause() Cause {
	return Cause{Code: ScopeGap, Group: "authorization", Title: "Scope missing", Fault: FaultClient}
}

func scopeFormatCause() Cause {
	return Cause{Code: ScopeFormat, Group: "authorization", Title: "Scope claim in the wrong format", Fault: FaultClient}
}

func accountAccessDeniedCause() Cause {
	return Cause{Code: AccountAccessDenied, Group: "authorization", Title: "No access to the account", Fault: FaultClient}
}

func insufficientPermissionsCause() Cause {
	return Cause{Code: InsufficientPermissions, Group: "authorization", Title: "Not permitted", Fault: FaultClient}
}

func proofOfPossessionCause() Cause {
	return Cause{Code: ProofOfPossession, Group: "authorization", Title: "Proof of possession failed", Fault: FaultClient}
}

func stepUpRequiredCause() Cause {
	return Cause{Code: StepUpRequired, Group: "authorization", Title: "Stronger or fresher sign-in required", Fault: FaultClient}
}
