package classify

func wrongAudienceCause() Cause {
	return Cause{
		Code: WrongAudience, Group: "claims", Title: "Wrong audience", Fault: FaultClient,
		Summary: "aud does not name the server that received the token.",
		Happened: "aud says for whom a token is meant, and a server must refuse what is meant for another. The classic mistake is " +
			"the API's URL in a client assertion that goes to the token endpoint. What is right differs: the token endpoint's URL at " +
			"some providers, the issuer at others, and in Auth0's own documentation the tenant URL with a trailing slash. Comparison " +
			"is exact: a slash, a port or a letter's case is enough to fail.",
		Recognised: "aud of the decoded token is compared with what the profile of that provider and environment expects. Near " +
			"misses (slash, case, an array where one text is due) are named as such. Servers often say nothing: Redox leaves the " +
			"description blank, Auth0 and others answer a plain invalid_client.",
		ConfusedWith: []Confusion{
			{WrongEnvironment, "If aud is right for another environment of the same provider, the client mixed environments; it did " +
				"not misunderstand the claim."},
			{WrongTokenType, "An aud that is the client's own id belongs to an ID token."},
			{AudienceNotGranted, "That is the audience parameter of the token request, refused by policy. This is the aud claim " +
				"inside a token."},
			{WrongIssuer, "iss says who made the token, aud for whom. The texts of some libraries print both."},
		},
		Fix: []string{
			"For a client assertion set aud to exactly what the provider documents, as one string, character for character.",
			"For an API call ask for a token whose audience is this API: name it in the token request (audience or resource).",
			"If aud was right until today, ask whether the provider has moved to RFC 10070, which accepts only the issuer identifier.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"In the client assertion set aud to the Auth0 token endpoint of your environment, " +
					"https://pmx-{env}.us.auth0.com/oauth/token (dev01, preprod or prod), NOT the API URL.",
				"The API URL belongs in the token request's audience parameter; the access token you receive will have it as its aud.",
			}},
			{"redox", []string{
				"Set aud to https://api.redoxengine.com/v2/auth/token. A wrong one is answered with a blank description or " +
					"\"Unexpected \"aud\" claim value\".",
			}},
			{"auth0", []string{"Auth0 documents the tenant URL or custom domain with its trailing slash: https://{tenant}.auth0.com/"}},
			{"okta", []string{"Use the full URL of the endpoint that is invoked, with the authorization server's path."}},
			{"entra", []string{"Use the tenant's token endpoint, https://login.microsoftonline.com/{tenantId}/oauth2/v2.0/token, as " +
				"one string: an array is refused with AADSTS50027."}},
			{"keycloak", []string{"Send one audience only: newer versions refuse several by default. The realm's issuer URL is " +
				"accepted."}},
			{"google", []string{"Use https://oauth2.googleapis.com/token."}},
			{"box", []string{"Always use https://api.box.com/oauth2/token."}},
		},
		References: []Reference{
			rfc("7523", "3", "JWT Format and Processing Requirements, item 3"),
			rfc("7519", "4.1.3", "aud"),
			rfc("8725", "3.9", "Use and Validate Audience"),
			rfc("10070", "", "Updates to OAuth 2.0 JWT Client Authentication: the issuer as the only audience"),
			exchangeErrors(), redoxErrors(),
		},
	}
}

func wrongIssuerCause() Cause {
	return Cause{
		Code: WrongIssuer, Group: "claims", Title: "Wrong issuer", Fault: FaultClient,
		Summary: "The access token was issued by an authorization server that this API does not trust.",
		Happened: "An API trusts the tokens of certain issuers. This token comes from another tenant, another realm, another version " +
			"of the same endpoint, or a custom domain, or the API's configured issuer differs by a slash.",
		Recognised: "iss of the decoded access token is none of the issuers in the profile and belongs to no other environment of it.",
		ConfusedWith: []Confusion{
			{WrongEnvironment, "If iss is the issuer of another environment in the profile, the token was fetched in the wrong one."},
			{ClientIdentityMismatch, "In a client assertion iss is the client itself. A wrong one there is a mismatch of identity."},
			{UnknownKey, "A foreign issuer signs with foreign keys, so verifiers that look up the key first report the key."},
		},
		Fix: []string{
			"Fetch the token from the authorization server that the API names in its documentation or metadata.",
			"Compare iss with the API's configured issuer character for character, trailing slash included.",
			"If every client fails since one moment, the issuer or the API's configuration changed: tell the API's operator.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"Check that the token was issued by the Auth0 domain of your environment: pmx-dev01, pmx-preprod or " +
					"pmx-prod.us.auth0.com, with https:// and a trailing slash in iss.",
			}},
			{"entra", []string{"Tokens of version 1 have iss https://sts.windows.net/{tenant}/, those of version 2 " +
				"https://login.microsoftonline.com/{tenant}/v2.0. The app registration decides which is issued."}},
		},
		References: []Reference{
			rfc("7519", "4.1.1", "iss"),
			rfc("9068", "4", "Validating JWT Access Tokens"),
			rfc("8725", "3.8", "Validate Issuer and Subject"),
			rfc("8414", "2", "Authorization Server Metadata: issuer"),
			exchangeErrors(),
		},
	}
}

func clientIdentityMismatchCause() Cause {
	return Cause{
		Code: ClientIdentityMismatch, Group: "claims", Title: "Client identity mismatch", Fault: FaultClient,
		Summary: "iss, sub and client_id of a token request do not name one and the same client.",
		Happened: "In a client assertion iss and sub are both the client id, and the form's client_id, if sent, must be the same. " +
			"Here they differ: often an API key's name, a user or a URL stands in one of them, or two configurations were mixed.",
		Recognised: "iss, sub and client_id are compared with each other, and with the clients of the profile.",
		ConfusedWith: []Confusion{
			{UnknownClient, "There all agree on an id that the server does not know."},
			{KeyMismatch, "With another client's id the server takes that client's key and the signature fails. If the ids disagree, " +
				"mend them first."},
			{WrongIssuer, "That is about access tokens, whose iss is the authorization server."},
		},
		Fix: []string{
			"Set iss and sub of the assertion to the client id, character for character; ids are case-sensitive.",
			"Send the same value as client_id in the form, or leave it out where the provider allows that.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{"\"iss\": \"YOUR_CLIENT_ID\", \"sub\": \"YOUR_CLIENT_ID\" and client_id in the request: all " +
				"three are the Client ID of the environment that you call."}},
			{"redox", []string{"Redox takes the client id out of iss. \"Unexpected \"iss\" claim value\" or \"sub\": set both to the " +
				"OAuth API key's client id."}},
			{"google", []string{"iss is the service account's e-mail address; sub is sent only for domain-wide delegation."}},
		},
		References: []Reference{
			rfc("7523", "3", "JWT Format and Processing Requirements, items 1 and 2"),
			rfc("7521", "4.2", "Using Assertions for Client Authentication"),
			exchangeErrors(), redoxErrors(),
		},
	}
}

func missingClaimCause() Cause {
	return Cause{
		Code: MissingClaim, Group: "claims", Title: "Missing claim", Fault: FaultClient,
		Summary: "A claim that this server requires is not in the token.",
		Happened: "The token lacks a claim that the server insists on. The RFC requires iss, sub, aud and exp of a client assertion; " +
			"many providers ask for iat and jti too.",
		Recognised: "The decoded token is compared with the profile's required claims. An empty text or null counts as missing, as " +
			"it does for servers.",
		ConfusedWith: []Confusion{
			{InvalidClaim, "There the claim is present with a value that is not accepted. Redox says \"Unexpected X claim value\" to " +
				"both."},
			{AssertionExpired, "go-oidc reports a missing exp as an expired token."},
			{WrongAudience, "A missing aud often reads as a wrong one."},
			{MissingKID, "kid, alg and typ belong in the header, not among the claims."},
		},
		Fix: []string{
			"Add the missing claim; do not rely on a library's defaults: print the claims of one assertion and compare them with the " +
				"provider's list.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"Required claims: iss, sub, aud, iat, exp, jti.",
				"Print what you send: jwt.decode(your_assertion, options={\"verify_signature\": False})",
			}},
			{"redox", []string{"iss, sub, aud, jti and iat must be there; the header needs kid."}},
			{"box", []string{"jti is required, with 16 to 128 characters; sub needs box_sub_type beside it."}},
		},
		References: []Reference{
			rfc("7523", "3", "JWT Format and Processing Requirements"),
			rfc("9068", "2.2", "Data Structure of JWT access tokens"),
			exchangeErrors(), redoxErrors(),
		},
	}
}

func invalidClaimCause() Cause {
	return Cause{
		Code: InvalidClaim, Group: "claims", Title: "Invalid claim value", Fault: FaultClient,
		Summary: "A claim or header value is present, but the server does not accept it.",
		Happened: "The value has the wrong type, form or content: a number where text is due, a jti that is too long, an object in " +
			"sub, or a typ that the server does not expect.",
		Recognised: "The server names the claim (Unexpected \"X\" claim value), or the value's JSON type contradicts RFC 7519. When " +
			"the claim is aud, iss or sub and the profile tells what is right, the more specific cause is given instead.",
		ConfusedWith: []Confusion{
			{MissingClaim, "Some servers say \"unexpected\" for an absent claim. The decoded token shows which."},
			{WrongAudience, "The same text with aud in it."},
			{ClientIdentityMismatch, "The same text with iss or sub in it."},
			{TimestampUnits, "A complaint about the type or value of iat, nbf or exp is usually a unit."},
		},
		Fix: []string{
			"Compare the named claim with the provider's documentation: type, length, letter case, exact value.",
			"Send typ as JWT, or leave it out, unless the provider asks for another.",
		},
		FixAt: []FixAt{
			{"redox", []string{"\"Unexpected X claim value\" names iss, sub, jti, aud or typ. iss and sub are the client id, aud is " +
				"https://api.redoxengine.com/v2/auth/token, jti a new unique text per request, typ in the header is JWT."}},
			{"auth0", []string{"jti may have at most 64 characters."}},
			{"github-app", []string{"iss is the client ID or the app ID. An invisible character at the end of a variable makes it " +
				"invalid; exp and iat must be integers."}},
		},
		References: []Reference{
			rfc("7519", "4.1", "Registered Claim Names"),
			rfc("7519", "5.1", "typ"),
			redoxErrors(),
		},
	}
}

func missingKIDCause() Cause {
	return Cause{
		Code: MissingKID, Group: "claims", Title: "Missing key id", Fault: FaultClient,
		Summary: "The JWT header has no kid, and the server needs it to choose the public key.",
		Happened: "A client can have several public keys registered, for rotation. The server picks one by the header's kid; without " +
			"it there is nothing to pick.",
		Recognised: "kid is absent from (or empty in) the decoded header and the profile requires it, or the server says so: JWT " +
			"header kid property is required.",
		ConfusedWith: []Confusion{
			{UnknownKey, "There a kid was sent and the server has no key under it."},
			{MissingClaim, "A kid among the claims does not count: it must stand in the header."},
		},
		Fix: []string{
			"Set kid in the JWT header to the id under which the public key is registered. Most libraries take it beside alg, for " +
				"example jwt.encode(claims, key, algorithm, headers={\"kid\": …}).",
		},
		FixAt: []FixAt{
			{"redox", []string{"Send kid in the header of your signed assertion. It allows several public keys and key rotation; its " +
				"value is the kid shown with the public key in the dashboard or in your JWKS."}},
			{"entra", []string{"Entra names the certificate by x5t or x5t#S256 in the header, not by kid."}},
			{"box", []string{"kid is required: the public key id from the developer console."}},
		},
		References: []Reference{
			rfc("7515", "4.1.4", "kid"),
			rfc("7517", "4.5", "kid in a JWK"),
			redoxErrors(),
		},
	}
}
