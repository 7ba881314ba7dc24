package classify

func tokenExpiredCause() Cause {
	return Cause{Code: TokenExpired, Group: "time", Title: "Access token expired", Fault: FaultClient}
}

func expiredMidSessionCause() Cause {
	return Cause{Code: ExpiredMidSession, Group: "time", Title: "Token expired mid-session", Fault: FaultClient}
}

func assertionExpiredCause() Cause {
	return Cause{Code: AssertionExpired, Group: "time", Title: "Client assertion expired", Fault: FaultClient}
}

func clockSkewCause() Cause {
	return Cause{Code: ClockSkew, Group: "time", Title: "Clock skew", Fault: FaultClient}
}

func notYetValidCause() Cause {
	return Cause{Code: NotYetValid, Group: "time", Title: "Token not yet valid", Fault: FaultClient}
}

func assertionTooOldCause() Cause {
	return Cause{Code: AssertionTooOld, Group: "time", Title: "Assertion issued too long ago", Fault: FaultClient}
}

func lifetimeTooLongCause() Cause {
	return Cause{Code: LifetimeTooLong, Group: "time", Title: "Lifetime too long", Fault: FaultClient}
}

func timestampUnitsCause() Cause {
	return Cause{Code: TimestampUnits, Group: "time", Title: "Timestamp in the wrong unit", Fault: FaultClient}
}
