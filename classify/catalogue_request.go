package classify

func wrongContentTypeCause() Cause {
	return Cause{Code: WrongContentType, Group: "token request", Title: "Wrong content type", Fault: FaultClient}
}

func invalidGrantTypeCause() Cause {
	return Cause{Code: InvalidGrantType, Group: "token request", Title: "Missing or unsupported grant type", Fault: FaultClient}
}

func invalidAssertionTypeCause() Cause {
	return Cause{Code: InvalidAssertionType, Group: "token request", Title: "Missing or wrong assertion type", Fault: FaultClient}
}

func missingAssertionCause() Cause {
	return Cause{Code: MissingAssertion, Group: "token request", Title: "Client assertion missing", Fault: FaultClient}
}

func invalidTokenRequestCause() Cause {
	return Cause{Code: InvalidTokenRequest, Group: "token request", Title: "Malformed token request", Fault: FaultClient}
}

func audienceNotGrantedCause() Cause {
	return Cause{Code: AudienceNotGranted, Group: "token request", Title: "API not granted to the client", Fault: FaultClient}
}
