package classify

func providerUnavailableCause() Cause {
	return Cause{Code: ProviderUnavailable, Group: "not the client", Title: "Provider unavailable", Fault: FaultProvider}
}

func rateLimitedCause() Cause {
	return Cause{Code: RateLimited, Group: "not the client", Title: "Rate limited", Fault: FaultClient}
}

func blockedByGatewayCause() Cause {
	return Cause{Code: BlockedByGateway, Group: "not the client", Title: "Blocked before the service", Fault: FaultNetwork}
}

func unclassifiedCause() Cause {
	return Cause{Code: Unclassified, Group: "", Title: "Unclassified", Fault: FaultUnknown}
}
