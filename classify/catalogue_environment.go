package classify

func wrongEnvironmentCause() Cause {
	return Cause{
		Code: WrongEnvironment, Group: "environment", Title: "Credentials of another environment", Fault: FaultClient,
		Summary: "A value in the request belongs to another environment of the same provider.",
		Happened: "Environments are isolated: each has its own key pairs, client ids, authorization server and API audience. This " +
			"request mixes two, for instance a development client id at the production token endpoint, or a preprod token at the " +
			"production API. It is a configuration slip, mostly after a deployment or a copied settings file.",
		Recognised: "Each value (host, issuer, audience, client id, kid) is looked up in all environments of the profile and in " +
			"history. The evidence says which value belongs where. No server names this: it comes out as invalid_client, 401, " +
			"unknown key or a wrong audience.",
		ConfusedWith: []Confusion{
			{WrongAudience, "If the audience belongs to no environment, it is wrong in itself."},
			{WrongIssuer, "The same for the issuer."},
			{UnknownClient, "If no environment knows the client id, it is unknown rather than misplaced."},
			{KeyMismatch, "With another environment's key the signature fails. Look whether client id or kid gives the environment " +
				"away."},
			{KeyReusedAcrossEnvironments, "There the key alone belongs elsewhere; client id, issuer and audience are those of this " +
				"environment."},
		},
		Fix: []string{
			"List the four settings side by side: token endpoint, client id, key (kid), API audience. All must come from the " +
				"environment that you call.",
			"Keep one configuration per environment and switch it as a whole, never value by value.",
			"After the change get a new token: cached tokens belong to the old environment.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"Each environment requires separate key pairs, Client IDs, Auth0 domains and API audiences.",
				"Development: pmx-dev01.us.auth0.com with https://api.dev01.polymarketexchange.com. Pre-production: " +
					"pmx-preprod.us.auth0.com with https://api.preprod.polymarketexchange.com. Production: pmx-prod.us.auth0.com " +
					"with https://api.polymarketexchange.com.",
				"Verify that your credentials match your environment. Each environment needs its own complete onboarding.",
			}},
			{"redox", []string{"Check that the client id and key belong to the OAuth API key of the environment that you mean."}},
			{"salesforce", []string{"Use https://login.salesforce.com for production and https://test.salesforce.com for a sandbox, " +
				"as endpoint and as aud."}},
		},
		References: []Reference{
			rfc("8414", "2", "Authorization Server Metadata: one issuer, its own endpoints and keys"),
			rfc("8725", "3.8", "Validate Issuer and Subject"),
			exchangeErrors(),
		},
	}
}

func keyReusedAcrossEnvironmentsCause() Cause {
	return Cause{
		Code: KeyReusedAcrossEnvironments, Group: "environment", Title: "One key pair in two environments", Fault: FaultClient,
		Summary: "The key that signed this assertion is in use in another environment, and this one does not accept it.",
		Happened: "The same private key is used for several environments. Where environments are isolated this cannot work, since " +
			"the public key is registered in one of them only; where it does work it is a risk, because a leak in a test system then " +
			"opens production.",
		Recognised: "History has this client's kid (or key) accepted in another environment, and it is refused here although client " +
			"id, issuer and audience are those of this environment. No server says so.",
		ConfusedWith: []Confusion{
			{WrongEnvironment, "There other values as well belong to the other environment: the whole configuration is misplaced."},
			{UnknownKey, "The same refusal for a key that no environment knows."},
			{KeyMismatch, "There the key is known nowhere else."},
		},
		Fix: []string{
			"Generate a key pair for this environment and register its public key there.",
			"Give each pair its own kid, with the environment in its name, so that logs tell them apart.",
			"Remove the shared key from the environments that should not have it.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"Keys cannot be reused: you cannot use the same private key in multiple environments, use preprod credentials in " +
					"production, or transfer Client IDs between environments.",
				"Each environment requires a complete separate onboarding, with its own key pair.",
			}},
			{"epic", []string{"Epic: always use unique key pairs for non-production and production systems."}},
		},
		References: []Reference{
			rfc("7517", "4.5", "kid in a JWK"),
			rfc("8725", "3.8", "Validate Issuer and Subject"),
			exchangeErrors(),
		},
	}
}

func unknownClientCause() Cause {
	return Cause{
		Code: UnknownClient, Group: "environment", Title: "Client unknown", Fault: FaultClient,
		Summary: "The authorization server does not know this client id, or the client is disabled.",
		Happened: "The client was never registered here, was deleted or disabled, or its id is misspelt. Some servers also answer " +
			"this way when the client is registered in another tenant.",
		Recognised: "The server's words (client not found, unknown client, application not found in the tenant), or a client id that " +
			"neither the profile nor history knows in any environment.",
		ConfusedWith: []Confusion{
			{WrongEnvironment, "If another environment knows the id, it was sent to the wrong one."},
			{KeyMismatch, "Both are invalid_client. A client that succeeded here before is known; then it is the key or a claim."},
			{UnknownKey, "\"Public key not found, check client_id, kid\" is said of both."},
			{ClientIdentityMismatch, "There iss, sub and client_id contradict each other."},
		},
		Fix: []string{
			"Compare the client id with the provider's console, character for character.",
			"Check that the client is enabled, and registered in this tenant and environment.",
			"If it worked before, ask the provider's administrator what changed.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{"Client IDs cannot be transferred between environments. If yours is right for this environment, " +
				"contact support with: " + supportBundle + "."}},
			{"redox", []string{"Redox takes the client_id from iss: compare it with the Client ID of the OAuth API key in the " +
				"dashboard."}},
			{"entra", []string{"AADSTS700016: the application is not in this tenant's directory. Check the tenant in the endpoint's " +
				"URL first."}},
			{"google", []string{"invalid_grant: account not found means that the service account in iss does not exist."}},
		},
		References: []Reference{
			rfc("6749", "5.2", "Error Response: invalid_client, unauthorized_client"),
			rfc("6749", "2.2", "Client Identifier"),
			exchangeErrors(), redoxErrors(),
		},
	}
}
