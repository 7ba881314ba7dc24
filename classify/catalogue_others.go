package classify

func providerUnavailableCause() Cause {
	return Cause{
		Code: ProviderUnavailable, Group: "not the client", Title: "Provider unavailable", Fault: FaultProvider,
		Summary: "The authorization server, or the key set that it publishes, could not be reached or failed by itself.",
		Happened: "The token endpoint answered with a server error or not at all, or an API could not fetch the keys with which it " +
			"verifies tokens. The client's credentials were never judged.",
		Recognised: "A 5xx of a token endpoint, temporarily_unavailable, or a client's log line about DNS, connection, TLS or a " +
			"timeout; an API that says that it cannot fetch keys or reach its identity provider. Many clients at one moment support " +
			"it.",
		ConfusedWith: []Confusion{
			{UnknownKey, "A verifier that cannot fetch the key set may report every kid as unknown. If all clients fail since one " +
				"moment, it is the provider."},
			{InvalidSignature, "Some servers answer 500 to a token that they cannot verify. If the carried token shows a fault, that " +
				"fault is the cause."},
			{RateLimited, "429 is a limit, not an outage."},
			{BadKeyFormat, "Also without a response, but about the key."},
		},
		Fix: []string{
			"Check the provider's status page, and whether other clients fail too.",
			"Retry with growing pauses and some jitter, and with a new assertion each time; honour Retry-After.",
			"Keep using the current access token while it is valid: an outage of the token endpoint need not stop the API calls.",
			"If it is only you: check DNS, the proxy, the firewall and the TLS trust store of the machine.",
		},
		References: []Reference{
			rfc("9110", "15.6.4", "503 Service Unavailable"),
			rfc("9110", "10.2.3", "Retry-After"),
			rfc("6749", "5.2", "Error Response of the token endpoint"),
		},
	}
}

func rateLimitedCause() Cause {
	return Cause{
		Code: RateLimited, Group: "not the client", Title: "Rate limited", Fault: FaultClient,
		Summary: "The server refuses for now because too many requests came.",
		Happened: "A limit per client, address or tenant was reached. At token endpoints the reason is mostly a client that " +
			"requests a token for every call instead of keeping it until it expires.",
		Recognised: "429, or a refusal that speaks of too many requests or a quota, at a token endpoint or on a request that carried " +
			"credentials.",
		ConfusedWith: []Confusion{
			{ProviderUnavailable, "503 with Retry-After may be either; a limit hits one client, an outage many."},
			{BlockedByGateway, "A gateway may answer 403 to a flood. Its page names itself."},
			{InsufficientPermissions, "Some APIs answer 403 for a spent quota. Their text says so."},
		},
		Fix: []string{
			"Wait as long as Retry-After says.",
			"Keep the access token and reuse it until shortly before it expires; let parallel workers share one.",
			"Retry with growing pauses and some jitter.",
			"If the load is real, ask the provider for a higher limit.",
		},
		References: []Reference{
			rfc("6585", "4", "429 Too Many Requests"),
			rfc("9110", "10.2.3", "Retry-After"),
		},
	}
}

func blockedByGatewayCause() Cause {
	return Cause{
		Code: BlockedByGateway, Group: "not the client", Title: "Blocked before the service", Fault: FaultNetwork,
		Summary: "A firewall, proxy or gateway answered; the request did not reach the service.",
		Happened: "Something in front of the service refused: an address filter, a web application firewall, a bot check, a " +
			"geographic rule, or a proxy that wants its own credentials (407). Token and claims were not looked at.",
		Recognised: "The answer is a gateway's own: an HTML page where the API speaks JSON, a known firewall's words or headers, or " +
			"407.",
		ConfusedWith: []Confusion{
			{InsufficientPermissions, "The API's own 403 is in its own format."},
			{MissingToken, "A gateway's bare 401 may also mean that it dropped the header. A login page instead of JSON is a gateway."},
			{ProviderUnavailable, "A gateway's 502 or 504 means that the service behind it did not answer."},
		},
		Fix: []string{
			"Compare with a request from another network. If that passes, it is the address or the path.",
			"Ask the gateway's operator with the time, the client's address and the reference number on the page.",
			"For 407 set the credentials of the proxy, in Proxy-Authorization.",
		},
		References: []Reference{
			rfc("9110", "15.5.8", "407 Proxy Authentication Required"),
			rfc("9110", "15.5.4", "403 Forbidden"),
		},
	}
}

func unclassifiedCause() Cause {
	return Cause{
		Code: Unclassified, Group: "", Title: "Unclassified", Fault: FaultUnknown,
		Summary: "An authentication failure whose cause cannot be told from what was recorded.",
		Happened: "The server refused without a reason that could be read, and neither the token, the request nor history shows " +
			"one. This is an honest answer: the candidates are listed in the order of their likelihood.",
		Recognised: "No check fails, the server's words name nothing, and history is silent; or the witnesses contradict each other.",
		ConfusedWith: []Confusion{
			{ProviderUnavailable, "A healthy token that is refused with a bare 401 may mean that the verifier could not fetch its " +
				"keys."},
			{KeyMismatch, "If every readable check passes at a token endpoint, the signature is what remains."},
		},
		Fix: []string{
			"Send the decoded JWT with the record: most causes can be read from the claims.",
			"Name the provider and the environment, and give a profile: what is right there decides what is wrong here.",
			"Look for the reason in the server's own log; many servers hide it from the response on purpose.",
			"Test with curl, to isolate problems of the client's code, and compare with a request that works.",
			"If it persists, contact the provider's support with: environment, client ID, error messages and decoded JWT claims " +
				"(never share your private key).",
		},
		FixAt: []FixAt{
			{"polymarket", []string{"Contact support with: " + supportBundle + "."}},
			{"redox", []string{"For a blank error_description confirm that all parameter values (aud, alg, jti) are correct, and " +
				"that iat lies within the past 5 minutes."}},
			{"snowflake", []string{"An ACCOUNTADMIN gets the reason of \"JWT token is invalid. [uuid]\" with " +
				"SYSTEM$GET_LOGIN_FAILURE_DETAILS('uuid')."}},
		},
		References: []Reference{
			rfc("6749", "5.2", "Error Response"),
			rfc("6750", "3", "The WWW-Authenticate Response Header Field"),
			exchangeErrors(), redoxErrors(),
		},
	}
}
