package classify

func missingTokenCause() Cause {
	return Cause{
		Code: MissingToken, Group: "credentials", Title: "No token was sent", Fault: FaultClient,
		Summary: "The request reached the API without an access token.",
		Happened: "The API asks for a bearer token and the request carried none. Most often the code path that adds the " +
			"Authorization header was skipped, the token variable was empty, or something between client and API dropped the header: " +
			"an HTTP client that follows a redirect to another host removes Authorization on purpose, and a proxy may not forward " +
			"it.",
		Recognised: "The request has no Authorization header (and no other token), and the answer is 401, usually with a bare " +
			"WWW-Authenticate: Bearer challenge. RFC 6750 says that a server leaves out the error code when the request held no " +
			"authentication at all, so a challenge without error points here.",
		ConfusedWith: []Confusion{
			{MalformedAuthorizationHeader, "There the header is present but in the wrong form, such as a token without the word " +
				"Bearer. Here there is no header."},
			{TokenExpired, "An expired token is sent and refused, mostly with error=\"invalid_token\". Here nothing was sent, so " +
				"nothing could expire."},
		},
		Fix: []string{
			"Send the access token in the header: Authorization: Bearer <token>.",
			"Check that the token variable is set at the moment of the call: a failed or unfinished token request leaves it empty.",
			"If the client follows redirects, call the final URL directly. HTTP libraries drop Authorization when the host changes.",
			"If a proxy or gateway stands between, check that it forwards the Authorization header.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"Include the token as Authorization: Bearer <token>, then test it: curl -H \"Authorization: Bearer $ACCESS_TOKEN\" " +
					"https://api.preprod.polymarketexchange.com/v1/accounts/whoami (use the API host of your own environment).",
			}},
		},
		References: []Reference{
			rfc("6750", "2.1", "Authorization Request Header Field"),
			rfc("6750", "3.1", "Error Codes: none when the request lacks authentication"),
			rfc("9110", "15.5.2", "401 Unauthorized"),
			exchangeErrors(),
		},
	}
}

func malformedAuthorizationHeaderCause() Cause {
	return Cause{
		Code: MalformedAuthorizationHeader, Group: "credentials", Title: "Malformed Authorization header", Fault: FaultClient,
		Summary: "An Authorization header was sent, but not in the form Bearer, one space, token.",
		Happened: "The server could not find a bearer token in the header. Typical forms: the token alone, the word Bearer twice " +
			"(a library adds it and so does the code), Token or JWT as the scheme, quotes or a line break around the token, or two " +
			"credentials in one header.",
		Recognised: "The shape of the header is read before anything else: its scheme, the number of parts and the marker of what " +
			"stood in the token's place. The server often answers invalid_request, or a challenge without an error, as if nothing " +
			"had been sent.",
		ConfusedWith: []Confusion{
			{MissingToken, "Servers answer both alike. The record shows whether a header was there."},
			{MalformedJWT, "There the header is right and the token inside it is broken. Here the token may be perfect."},
		},
		Fix: []string{
			"Send exactly: the word Bearer, one space, the token. No quotes, no line break, no second Bearer.",
			"If a library takes the bare token, give it the token without the word Bearer.",
			"Trim the value read from files and environment variables: a trailing newline becomes part of the header.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{"The format is Bearer eyJ…: an access token of the exchange always begins with eyJ."}},
		},
		References: []Reference{
			rfc("6750", "2.1", "Authorization Request Header Field"),
			rfc("9110", "11.6.2", "Authorization"),
			exchangeErrors(),
		},
	}
}

func malformedJWTCause() Cause {
	return Cause{
		Code: MalformedJWT, Group: "credentials", Title: "Malformed JWT", Fault: FaultClient,
		Summary: "What was sent where a JWT belongs cannot be decoded as one.",
		Happened: "A signed JWT is three base64url parts joined by two dots: header, claims, signature. This one lacks a part, has " +
			"a part too many, is cut off, or a part does not decode to a JSON object. The usual reasons are a truncated environment " +
			"variable or log field, the words null or undefined in place of a token, standard base64 instead of base64url, a token " +
			"encoded twice, or an encrypted token (five parts) where a signed one is due.",
		Recognised: "The number of parts and the decoding of each are checked before the token is stored without its signature; the " +
			"record keeps the reason. The server's own words (malformed, three components, could not be decoded) are the other " +
			"witness.",
		ConfusedWith: []Confusion{
			{WrongTokenType, "An opaque token or an ID token is whole, it is just not the kind that is due. A malformed one is " +
				"broken as a JWT."},
			{InvalidSignature, "Some servers say that a token could not be decoded when only its signature failed. If all three " +
				"parts decode, the token is not malformed."},
			{InvalidAssertionType, "A wrong client_assertion_type makes the server read the assertion as something else. Check the " +
				"form first."},
		},
		Fix: []string{
			"Look at the value just before it is sent: it must have three parts with two dots between them, and its first part must " +
				"begin with eyJ.",
			"Decode it locally, never on a public web site: cut -d. -f2 token.txt | tr '_-' '/+' | base64 -d | jq",
			"If it is cut off, look for a length limit in the configuration, the secret store or the environment.",
			"Use the library's compact serialization, and base64url without padding.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{"Decode and inspect the assertion as the exchange shows it: echo \"$ASSERTION\" | cut -d. -f2 | " +
				"base64 -d | jq"}},
			{"redox", []string{"Redox answers \"JWTs must have three components\" or \"JWT is malformed\": send the signed " +
				"assertion, not the claims or the private key."}},
			{"entra", []string{"AADSTS50027 also stands for an aud that is an array and for a missing certificate thumbprint: send " +
				"aud as one string and set x5t or x5t#S256 in the header."}},
		},
		References: []Reference{
			rfc("7515", "7.1", "JWS Compact Serialization"),
			rfc("7519", "7.2", "Validating a JWT"),
			redoxErrors(), exchangeErrors(),
		},
	}
}

func wrongTokenTypeCause() Cause {
	return Cause{
		Code: WrongTokenType, Group: "credentials", Title: "Wrong type of token", Fault: FaultClient,
		Summary: "A whole and perhaps valid token was sent, but of a kind that this server does not take.",
		Happened: "An ID token, a client assertion, a refresh token or another service's opaque token stands where an access token " +
			"for this API belongs (or an access token stands where an assertion belongs). Each kind has its own reader; the one that " +
			"got it sees a foreign audience, a missing scope or a text that is no JWT at all.",
		Recognised: "By the header's typ (at+jwt for access tokens, client-authentication+jwt for assertions), by claims that only " +
			"one kind has (nonce and at_hash in ID tokens, token_use at Cognito, iss equal to sub in assertions), and by an aud that " +
			"is a client id.",
		ConfusedWith: []Confusion{
			{WrongAudience, "A wrong type also has a foreign audience. When aud is the client's own id, or the token endpoint, the " +
				"token is of another kind rather than meant for another API."},
			{ScopeGap, "An ID token has no scope at all. A scope gap is an access token with some scopes and not the needed one."},
			{MalformedJWT, "An opaque access token is no JWT, and that is no fault: it is just not what this API can read."},
		},
		Fix: []string{
			"Send the access_token member of the token response to the API, not the id_token and not the client assertion.",
			"Ask the authorization server for a token for this API: without audience or resource some servers give an opaque token " +
				"or one for their own user info endpoint.",
			"Send the client assertion to the token endpoint only.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{"The assertion goes to the Auth0 token endpoint, the access token that comes back goes to the " +
				"API. Name the API in the token request's audience."}},
			{"auth0", []string{"Without audience in the token request Auth0 issues an opaque token for its own user info endpoint. " +
				"Send the API's identifier as audience."}},
			{"cognito", []string{"\"Missing a required claim: aud\" means that an access token was sent where the ID token belongs: " +
				"access tokens of Cognito have client_id and no aud."}},
		},
		References: []Reference{
			rfc("9068", "2.1", "Header: typ at+jwt"),
			rfc("8725", "3.11", "Use Explicit Typing"),
			rfc("8725", "3.12", "Use Mutually Exclusive Validation Rules for Different Kinds of JWTs"),
		},
	}
}

func revokedTokenCause() Cause {
	return Cause{
		Code: RevokedToken, Group: "credentials", Title: "Token revoked", Fault: FaultUnknown,
		Summary: "The token was withdrawn before its expiry.",
		Happened: "Somebody or something ended the token's life early: a sign-out, a revocation request, a deleted or disabled " +
			"client, a rotated refresh token used a second time, or an administrator after an incident. The token itself still looks " +
			"perfect.",
		Recognised: "The server's words name it (revoked, blacklisted, inactive, session not found), and the decoded token is inside " +
			"its lifetime at the time of the event. History helps: the same token worked before. Introspection says only active: " +
			"false, for expired and revoked alike.",
		ConfusedWith: []Confusion{
			{TokenExpired, "Introspection answers active: false to both. If exp was still ahead at the time of the event, the token " +
				"did not expire."},
			{ExpiredMidSession, "Both worked earlier. Compare exp with the time of the event."},
			{UnknownClient, "A deleted client also invalidates its tokens; then new token requests fail too."},
		},
		Fix: []string{
			"Request a new access token, once. If that works, find out who revoked the old one before you call it solved.",
			"If the new token is refused as well, the client itself was disabled: ask the provider's administrator.",
			"With rotating refresh tokens keep only the newest. Two instances that share one refresh token revoke each other.",
		},
		References: []Reference{
			rfc("7009", "2", "Token Revocation"),
			rfc("7662", "2.2", "Introspection Response: active"),
			rfc("6750", "3.1", "Error Codes: invalid_token covers revoked tokens"),
		},
	}
}
