package classify

func scopeGapCause() Cause {
	return Cause{
		Code: ScopeGap, Group: "authorization", Title: "Scope missing", Fault: FaultClient,
		Summary: "The token is valid but lacks a scope that this endpoint requires.",
		Happened: "Authentication worked; authorization did not. The endpoint asks for a scope that was not granted to the client, " +
			"or was not requested for this token.",
		Recognised: "403 with insufficient_scope names it; its scope attribute says what is needed. Otherwise the token's scopes are " +
			"compared with the profile's scope rules for this route.",
		ConfusedWith: []Confusion{
			{ScopeFormat, "There the scope is in the token, but in a form that the API cannot read."},
			{InsufficientPermissions, "Scopes limit what the client may ask for; permissions are what this subject may do. With all " +
				"scopes present it is the latter."},
			{AccountAccessDenied, "Some accounts work and one does not: that is access to the account."},
			{TokenExpired, "Authentication failures are 401. A 403 despite a valid token is an authorization issue; a new token with " +
				"the same scopes changes nothing."},
		},
		Fix: []string{
			"Decode the access token and read which scopes it has (scope or scp).",
			"Compare with what the endpoint requires: the challenge's scope attribute or the API's documentation.",
			"If the client is allowed the scope, request it in the token request.",
			"If it is not, ask the provider to grant it to the client, then request a new token. The old one keeps its old scopes.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"Decode your access token and look at scope; verify that the endpoint requires a scope you have.",
				"Contact support to request additional scopes for your Client ID, with: " + supportBundle + ".",
			}},
		},
		References: []Reference{
			rfc("6750", "3.1", "Error Codes: insufficient_scope"),
			rfc("6749", "3.3", "Access Token Scope"),
			rfc("9110", "15.5.4", "403 Forbidden"),
			exchangeErrors(),
		},
	}
}

func scopeFormatCause() Cause {
	return Cause{
		Code: ScopeFormat, Group: "authorization", Title: "Scope claim in the wrong format", Fault: FaultClient,
		Summary: "The needed scope is there, but written in a form that the API does not read.",
		Happened: "Scopes are one text with single spaces between them. This token or request has a JSON array, commas, another " +
			"claim name, or another spelling, so the API finds no such scope.",
		Recognised: "The scope claim is not a space-separated text, and split in another way it would contain the scope that is " +
			"asked for. No API says so; it answers insufficient_scope or a bare 403.",
		ConfusedWith: []Confusion{
			{ScopeGap, "There the scope is absent however one reads the claim."},
			{InvalidClaim, "A strict verifier may call the claim's type invalid."},
		},
		Fix: []string{
			"Write scopes as one text, space-separated: \"read:orders write:orders\". No commas, no array.",
			"In a form-encoded request a space becomes + or %20; encode it once.",
			"If the authorization server issues the claim in that form, change its mapping, or tell the API's operator which form " +
				"arrives.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{"Scopes must be space-separated in the scope claim, for example \"read:orders write:orders\"."}},
			{"entra", []string{"For client credentials the scope must be the resource's identifier followed by /.default " +
				"(AADSTS70011)."}},
		},
		References: []Reference{
			rfc("6749", "3.3", "Access Token Scope: space-delimited"),
			rfc("8693", "4.2", "scope claim"),
			exchangeErrors(),
		},
	}
}

func accountAccessDeniedCause() Cause {
	return Cause{
		Code: AccountAccessDenied, Group: "authorization", Title: "No access to the account", Fault: FaultClient,
		Summary: "The client is authenticated, but not authorized for this account, tenant or resource.",
		Happened: "Authentication proves which firm calls; authorization decides which accounts it may touch. This call names an " +
			"account that was not assigned to the client, or that belongs to another tenant.",
		Recognised: "403 whose text names an account, organization, tenant or resource, with a valid token that has the scope.",
		ConfusedWith: []Confusion{
			{ScopeGap, "There every account fails at this endpoint, for want of a scope."},
			{InsufficientPermissions, "There the action is refused, whatever the account."},
			{WrongEnvironment, "An account number of another environment does not exist here."},
		},
		Fix: []string{
			"Check the account id in the path, query or body for a mix-up.",
			"List the accounts that the client may use, if the API offers that, and compare.",
			"Ask the provider to assign the account to the client.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"Call GET /v1/accounts/whoami with the same token: it shows who you are for the exchange.",
				"You may be authenticated and still not be authorized for a specific trading account. Contact support with: " +
					"" + supportBundle + ".",
			}},
			{"xero", []string{"AuthenticationUnsuccessful with a good token means a missing or wrong tenant id."}},
		},
		References: []Reference{
			rfc("9110", "15.5.4", "403 Forbidden"),
			rfc("9068", "5", "Security Considerations of JWT access tokens"),
			exchangeErrors(),
		},
	}
}

func insufficientPermissionsCause() Cause {
	return Cause{
		Code: InsufficientPermissions, Group: "authorization", Title: "Not permitted", Fault: FaultClient,
		Summary: "The token is valid and has its scopes, but this action is not permitted to the caller.",
		Happened: "A role, a group, a policy or an approval is missing, or the action is reserved. The API knows who calls and " +
			"says no.",
		Recognised: "403 with words such as permission, role, policy or not allowed, while the token passes all checks and no scope " +
			"is known to be missing.",
		ConfusedWith: []Confusion{
			{ScopeGap, "If the challenge says insufficient_scope, or the route's scope is not in the token, it is the scope."},
			{AccountAccessDenied, "If the same action works with another account, it is the account."},
			{BlockedByGateway, "A 403 with an HTML page or a gateway's headers never reached the API."},
		},
		Fix: []string{
			"Read the API's words: they often name the permission or role.",
			"Ask the provider to grant it to this client or user.",
			"Do not retry: the answer stays the same until the permission changes.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{"403 despite being authenticated is an authorization issue: contact support to learn which " +
				"permission the action needs, with: " + supportBundle + "."}},
			{"salesforce", []string{"\"user hasn't approved this consumer\": pre-authorize the user's profile for the connected app."}},
		},
		References: []Reference{
			rfc("9110", "15.5.4", "403 Forbidden"),
			rfc("9068", "2.2.3.1", "roles, groups and entitlements"),
			exchangeErrors(),
		},
	}
}

func proofOfPossessionCause() Cause {
	return Cause{
		Code: ProofOfPossession, Group: "authorization", Title: "Proof of possession failed", Fault: FaultClient,
		Summary: "The token is bound to a key, and the request did not prove that it holds that key.",
		Happened: "The access token works only together with a DPoP proof or a TLS client certificate. The proof is missing, is " +
			"for another method or URL, is too old, lacks the server's nonce, or was made with another key; or the token was sent as " +
			"Bearer where DPoP is due.",
		Recognised: "invalid_dpop_proof, use_dpop_nonce or a DPoP challenge from the server; a cnf claim in the token together with " +
			"a request that has no DPoP header.",
		ConfusedWith: []Confusion{
			{InvalidSignature, "That is the access token's signature; this is the signature of the proof beside it."},
			{JTIReuse, "A DPoP proof has a jti of its own and is for one request."},
			{ClockSkew, "A proof's iat is checked within seconds. If it is ahead, mend the clock."},
		},
		Fix: []string{
			"Send Authorization: DPoP <token> and a fresh DPoP proof for each request, with htm, htu and ath of that request.",
			"If the answer is use_dpop_nonce, repeat the request once with the nonce from the DPoP-Nonce header; this is a normal " +
				"step, not a failure.",
			"Sign the proof with the key to which the token is bound (cnf.jkt), or present the certificate of cnf.x5t#S256.",
		},
		References: []Reference{
			rfc("9449", "4.3", "Checking DPoP Proofs"),
			rfc("9449", "7.1", "The DPoP Authentication Scheme"),
			rfc("9449", "9", "Resource Server-Provided Nonce"),
			rfc("8705", "3", "Mutual-TLS Client Certificate-Bound Access Tokens"),
		},
	}
}

func stepUpRequiredCause() Cause {
	return Cause{
		Code: StepUpRequired, Group: "authorization", Title: "Stronger or fresher sign-in required", Fault: FaultClient,
		Summary:  "The API wants the user to have signed in more strongly or more recently.",
		Happened: "The token is valid, but the sign-in behind it is too weak (no second factor) or too old for this action.",
		Recognised: "insufficient_user_authentication in the challenge, with acr_values or max_age; or words such as multi-factor or " +
			"re-authentication required.",
		ConfusedWith: []Confusion{
			{ScopeGap, "Another scope does not help: the sign-in itself is the matter."},
			{TokenExpired, "max_age is about the sign-in, not about the token: a refreshed token fails again."},
		},
		Fix: []string{
			"Send the user to the authorization endpoint again, with the acr_values and max_age of the challenge.",
			"A service without a user cannot do this: ask the API's operator which endpoint is meant for services.",
		},
		References: []Reference{
			rfc("9470", "3", "Authentication Requirements Challenge"),
			rfc("9470", "4", "Authorization Request"),
		},
	}
}
