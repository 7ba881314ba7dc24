package classify

func wrongContentTypeCause() Cause {
	return Cause{
		Code: WrongContentType, Group: "token request", Title: "Wrong content type", Fault: FaultClient,
		Summary: "The token request's body is in a format that the endpoint does not read.",
		Happened: "OAuth token requests are form-encoded (application/x-www-form-urlencoded). This one was sent as JSON, as " +
			"multipart, or without a Content-Type, so the server found no parameters in it. Many HTTP clients send JSON unless told " +
			"otherwise.",
		Recognised: "The request's Content-Type is compared with the profile's; the server's words may name it. A server that cannot " +
			"read the body often complains about a missing grant_type instead.",
		ConfusedWith: []Confusion{
			{InvalidGrantType, "\"Missing grant_type\" with a JSON body that holds grant_type is a wrong content type."},
			{MissingAssertion, "The same with client_assertion."},
			{InvalidTokenRequest, "There the format is right and the parameters are wrong."},
		},
		Fix: []string{
			"Send the parameters form-encoded, with Content-Type: application/x-www-form-urlencoded.",
			"With curl use --data-urlencode; in JavaScript pass a URLSearchParams; in Python requests use data=, not json=.",
		},
		FixAt: []FixAt{
			{"redox", []string{"POST to https://api.redoxengine.com/v2/auth/token with content-type: " +
				"application/x-www-form-urlencoded."}},
			{"polymarket", []string{"The exchange's example sends JSON with Content-Type: application/json. Header and body must " +
				"agree."}},
		},
		References: []Reference{
			rfc("6749", "4.4.2", "Access Token Request: application/x-www-form-urlencoded"),
			rfc("6749", "3.2", "Token Endpoint"),
			redoxErrors(),
		},
	}
}

func invalidGrantTypeCause() Cause {
	return Cause{
		Code: InvalidGrantType, Group: "token request", Title: "Missing or unsupported grant type", Fault: FaultClient,
		Summary: "grant_type is missing, misspelt, or not allowed for this client.",
		Happened: "The token endpoint needs grant_type to know what is asked for. It is absent, has another value than the " +
			"endpoint supports, or the client is not registered for it.",
		Recognised: "The form is read: grant_type is absent or not client_credentials. The server says unsupported_grant_type, " +
			"unauthorized_client, or names the parameter.",
		ConfusedWith: []Confusion{
			{WrongContentType, "If the body holds grant_type but in the wrong format, the server does not see it."},
			{InvalidAssertionType, "Two long URNs, easily exchanged: grant-type:jwt-bearer belongs in grant_type with the parameter " +
				"assertion, client-assertion-type:jwt-bearer in client_assertion_type."},
			{InvalidTokenRequest, "invalid_grant is not about grant_type: it means that a code, a refresh token or an assertion " +
				"grant was refused."},
		},
		Fix: []string{
			"Send grant_type=client_credentials in the request body, spelt with an underscore.",
			"If the server says unauthorized_client, enable the grant for this client in the provider's console.",
		},
		FixAt: []FixAt{
			{"redox", []string{"The request body needs a key of grant_type set to client_credentials."}},
			{"polymarket", []string{"Send \"grant_type\": \"client_credentials\"."}},
		},
		References: []Reference{
			rfc("6749", "4.4.2", "Access Token Request"),
			rfc("6749", "5.2", "Error Response: unsupported_grant_type, unauthorized_client"),
			redoxErrors(),
		},
	}
}

func invalidAssertionTypeCause() Cause {
	return Cause{
		Code: InvalidAssertionType, Group: "token request", Title: "Missing or wrong assertion type", Fault: FaultClient,
		Summary: "client_assertion_type is missing or is not the JWT bearer URN.",
		Happened: "The parameter tells the server in which format the client proves its identity. For a JWT it has exactly one " +
			"value, and a shortened, misspelt or URL-encoded-twice one is refused.",
		Recognised: "The form is read: client_assertion_type is absent or differs from the URN of RFC 7523. The server's words name " +
			"it.",
		ConfusedWith: []Confusion{
			{MissingAssertion, "There the type is right and the assertion itself is absent."},
			{InvalidGrantType, "urn:ietf:params:oauth:grant-type:jwt-bearer is a grant type, not an assertion type."},
		},
		Fix: []string{
			"Send client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer, encoded once.",
		},
		FixAt: []FixAt{
			{"redox", []string{"The request body needs client_assertion_type with the value " +
				"urn:ietf:params:oauth:client-assertion-type:jwt-bearer."}},
			{"polymarket", []string{"\"client_assertion_type\": \"urn:ietf:params:oauth:client-assertion-type:jwt-bearer\""}},
		},
		References: []Reference{
			rfc("7523", "2.2", "Using JWTs for Client Authentication"),
			rfc("7521", "4.2", "Using Assertions for Client Authentication"),
			redoxErrors(),
		},
	}
}

func missingAssertionCause() Cause {
	return Cause{
		Code: MissingAssertion, Group: "token request", Title: "Client assertion missing", Fault: FaultClient,
		Summary: "The token request has no client_assertion.",
		Happened: "The client is registered to authenticate with a signed JWT, and the request carries none: the parameter is " +
			"absent, empty, misnamed (assertion instead of client_assertion), or the client tried a secret.",
		Recognised: "The form is read: client_assertion is absent or empty. The server's words name it.",
		ConfusedWith: []Confusion{
			{WrongContentType, "If the parameter is in the body but in the wrong format, the server does not see it."},
			{MalformedJWT, "There something was sent, and it is no JWT."},
			{InvalidAssertionType, "There the type beside it is missing or wrong."},
		},
		Fix: []string{
			"Send the signed JWT as client_assertion, in the request body.",
			"Check that signing did not fail silently: log the length of the assertion, never the assertion itself.",
		},
		FixAt: []FixAt{
			{"redox", []string{"The request body needs the parameter client_assertion with the value of your signed assertion."}},
		},
		References: []Reference{
			rfc("7521", "4.2", "Using Assertions for Client Authentication"),
			rfc("7523", "2.2", "Using JWTs for Client Authentication"),
			redoxErrors(),
		},
	}
}

func invalidTokenRequestCause() Cause {
	return Cause{
		Code: InvalidTokenRequest, Group: "token request", Title: "Malformed token request", Fault: FaultClient,
		Summary: "The token request lacks a parameter, repeats one, or holds a value that the endpoint refuses.",
		Happened: "The endpoint could read the request and found it wrong in some other way: a parameter twice, two ways of client " +
			"authentication at once, an unknown scope, a code or refresh token that is no longer valid, or GET instead of POST.",
		Recognised: "The server says invalid_request, invalid_grant or invalid_scope and names the parameter, or the form shows the " +
			"defect, and no more specific cause fits.",
		ConfusedWith: []Confusion{
			{WrongContentType, "If all parameters are \"missing\", the format is wrong."},
			{AudienceNotGranted, "A refused audience or resource has its own cause."},
			{WrongAudience, "Redox answers invalid_request without a word when the assertion's aud, alg or jti is wrong: look at the " +
				"claims."},
		},
		Fix: []string{
			"Compare the request with the provider's example, parameter by parameter.",
			"Use POST, send each parameter once, and use one way of client authentication: an assertion, or a secret, not both.",
			"Ask only for scopes that the client is registered for.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{"The exchange's example sends client_id, client_assertion_type, client_assertion, audience and " +
				"grant_type. Test with curl, to isolate problems of your client's code."}},
		},
		References: []Reference{
			rfc("6749", "5.2", "Error Response: invalid_request, invalid_grant, invalid_scope"),
			rfc("6749", "2.3", "Client Authentication: not more than one method"),
			rfc("7521", "4.2.1", "Error Responses"),
			exchangeErrors(),
		},
	}
}

func audienceNotGrantedCause() Cause {
	return Cause{
		Code: AudienceNotGranted, Group: "token request", Title: "API not granted to the client", Fault: FaultClient,
		Summary: "The client is authenticated, but may not get a token for the API that it asked for.",
		Happened: "The token request names an API (audience or resource) for which this client has no grant, or which does not " +
			"exist in this tenant. The client's credentials are fine.",
		Recognised: "The server speaks of the audience or resource of the request, or answers access_denied or invalid_target, and " +
			"the assertion passes its checks. The audience parameter is compared with the environment's API audiences.",
		ConfusedWith: []Confusion{
			{WrongAudience, "That is the aud claim inside the assertion or the access token."},
			{WrongEnvironment, "If the audience parameter is another environment's API, the settings are mixed."},
			{ScopeGap, "There the API is granted, but not the scope."},
		},
		Fix: []string{
			"Compare the audience (or resource) parameter with the API's identifier, character for character.",
			"Ask the provider's administrator to grant this API to the client.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{"Set audience to the API audience of your environment, for instance " +
				"https://api.preprod.polymarketexchange.com. If it is right, contact support with: " + supportBundle + "."}},
			{"auth0", []string{"\"Client is not authorized to access …\": create a client grant for this API under Applications > " +
				"APIs > Machine to Machine Applications."}},
		},
		References: []Reference{
			rfc("8707", "2", "Resource Parameter: invalid_target"),
			rfc("6749", "5.2", "Error Response: unauthorized_client"),
			exchangeErrors(),
		},
	}
}
