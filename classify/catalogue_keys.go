package classify

func keyMismatchCause() Cause {
	return Cause{
		Code: KeyMismatch, Group: "keys", Title: "Signing key does not match the registered key", Fault: FaultClient,
		Summary: "The client assertion's signature does not verify with the public key registered for this client.",
		Happened: "The token endpoint knows the client and its public key, and the signature was made with another private key. " +
			"Either the wrong key file was loaded, or the registered public key is an old one, or the key file was damaged on its " +
			"way.",
		Recognised: "The token endpoint answers invalid_client or speaks of the signature while all readable checks of the assertion " +
			"pass. A signature that fails against the profile's JWKS file proves it. Without key material no log can, so the " +
			"confidence then rests on the server's words.",
		ConfusedWith: []Confusion{
			{UnknownKey, "There the server has no key under this kid at all. Here it has one, and it is another."},
			{WrongEnvironment, "Another environment's key pair fails in the same way. If client id or kid belong to another " +
				"environment, that is the cause."},
			{BadKeyFormat, "A key in the wrong format mostly fails in the client, before anything is sent."},
			{WrongAudience, "Auth0 and others answer invalid_client for claim errors too. If a claim is wrong, mend it before you " +
				"touch keys."},
			{InvalidSignature, "That is an access token's signature at an API, made by the authorization server."},
		},
		Fix: []string{
			"Compare the two public keys: openssl pkey -in private.pem -pubout | openssl sha256, and the same hash of the registered " +
				"public key.",
			"If they differ, load the right private key file, for this client and this environment.",
			"If the right private key is lost, generate a new pair and register its public key.",
			"If kid is sent, check that it names the key that signs.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"Verify that your private key matches the public key you submitted during onboarding: wrong key file, corrupted file " +
					"and invalid format are the usual causes of invalid_client.",
				"If the keys are mismatched, re-onboard with the correct public key.",
			}},
			{"redox", []string{"Compare your key with the public keys shown in the dashboard or served by your JWKS URL, under the " +
				"same kid."}},
			{"google", []string{"\"Invalid JWT Signature.\" also stands for a deleted key and for a key of another service account " +
				"than iss."}},
			{"github-app", []string{"\"A JSON web token could not be decoded\" mostly means another app's key or a wrong app ID."}},
		},
		References: []Reference{
			rfc("7523", "3", "JWT Format and Processing Requirements, item 9"),
			rfc("7515", "5.2", "Message Signature or MAC Validation"),
			rfc("6749", "5.2", "Error Response: invalid_client"),
			exchangeErrors(),
		},
	}
}

func unknownKeyCause() Cause {
	return Cause{
		Code: UnknownKey, Group: "keys", Title: "Signing key unknown to the verifier", Fault: FaultClient,
		Summary: "The verifier has no public key under the kid in the JWT header.",
		Happened: "The key was never registered, was registered but not saved, was rotated away, or is not yet known to this " +
			"verifier because its copy of the key set is old. At a token endpoint the key is the client's; at an API it is the " +
			"authorization server's.",
		Recognised: "The server says that the key was not found, or kid is none of those that the profile or history knows for this " +
			"client. Who else accepts that kid tells who has to act: if another API accepts it, this API's copy is stale.",
		ConfusedWith: []Confusion{
			{KeyMismatch, "There a key is found and the signature does not fit."},
			{WrongEnvironment, "A kid that another environment knows was sent to the wrong one."},
			{UnknownClient, "Redox uses one text for a wrong client id and a wrong kid: without the client no key can be found."},
			{ProviderUnavailable, "Istio and others report an unknown kid when they could not fetch the key set at all. Then every " +
				"client fails at one moment."},
			{MissingKID, "There no kid was sent."},
		},
		Fix: []string{
			"Compare kid in the header with the ids of the registered public keys, or of the JWKS that the server reads.",
			"Register the public key, save it, and allow for the provider's propagation time before using it.",
			"When rotating, publish the new key first, then sign with it, and remove the old one last.",
			"If an API does not know a key that the authorization server already publishes, its key cache is stale: its operator " +
				"refreshes it; do not change the client.",
		},
		FixAt: []FixAt{
			{"redox", []string{
				"Redox takes (a) the client_id from iss, (b) looks up the public keys from the JWKS URL or the dashboard, (c) picks " +
					"one by kid. Check each of the three.",
				"Check that iss holds the right client_id.",
				"Check that Save Changes was clicked after the public keys were set in the dashboard.",
				"If a JWKS URL is set, only the URL is used: check that it is public and lists this kid.",
			}},
			{"entra", []string{"AADSTS700027 with \"The key was not found\" means that the certificate's thumbprint is not " +
				"registered on the app, not that the signature is bad."}},
			{"epic", []string{"New keys take time to propagate, and production and non-production need separate pairs."}},
		},
		References: []Reference{
			rfc("7515", "4.1.4", "kid"),
			rfc("7517", "5", "JWK Set Format"),
			rfc("7515", "6", "Key Identification"),
			redoxErrors(),
		},
	}
}

func wrongAlgorithmCause() Cause {
	return Cause{
		Code: WrongAlgorithm, Group: "keys", Title: "Wrong signing algorithm", Fault: FaultClient,
		Summary: "alg in the JWT header is not one that this server accepts.",
		Happened: "Servers accept a fixed list of algorithms, whatever the token says, to shut out forged tokens. This JWT was " +
			"signed with another: often a library's default such as HS256, or another variant of the right family (RS384 or PS256 " +
			"where RS256 is due).",
		Recognised: "alg of the decoded header is compared with the profile's list. none and HMAC algorithms against a public key " +
			"are named as such.",
		ConfusedWith: []Confusion{
			{KeyMismatch, "A server that tries the registered key with the wrong algorithm reports a bad signature. alg decides."},
			{UnknownKey, "nimbus and Spring say \"Another algorithm expected, or no matching key(s) found\". Compare alg and kid " +
				"with the key set."},
			{BadKeyFormat, "An EC key cannot sign RS256: the library complains before anything is sent."},
		},
		Fix: []string{
			"Name the algorithm explicitly when you sign; do not rely on the library's default.",
			"Use a key of the matching type: RSA for RS and PS algorithms, EC for ES.",
			"Never send alg none. HS256 signs with a shared secret: with a public key registered it cannot be right.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"You must use RS256 (RSA with SHA-256). Not HS256 (HMAC, a symmetric key) and no other RSA variant (RS384, RS512, " +
					"PS256 …).",
			}},
			{"redox", []string{"Redox documents RS384 and ES384 for OAuth API keys. A wrong algorithm can come back with a blank " +
				"description."}},
			{"google", []string{"Use RS256."}},
			{"github-app", []string{"Use RS256."}},
			{"entra", []string{"Use PS256; older integrations use RS256."}},
		},
		References: []Reference{
			rfc("8725", "3.1", "Perform Algorithm Verification"),
			rfc("7515", "4.1.1", "alg"),
			rfc("7518", "3.1", "alg values for JWS"),
			exchangeErrors(), redoxErrors(),
		},
	}
}

func invalidSignatureCause() Cause {
	return Cause{
		Code: InvalidSignature, Group: "keys", Title: "Access token signature does not verify", Fault: FaultUnknown,
		Summary: "The API could not verify the access token's signature.",
		Happened: "The token was altered or cut on its way, was signed with a key that the API takes for another (a rotated key, " +
			"another environment), or the API verifies with the wrong key or algorithm. Clients do not sign access tokens, so they " +
			"rarely cause this.",
		Recognised: "The API's words name the signature and the token passes all readable checks. A verification against the " +
			"profile's JWKS file, done before the signature is dropped, proves it.",
		ConfusedWith: []Confusion{
			{TokenExpired, "\"Signature has expired\" (PyJWT, ruby-jwt) is about exp."},
			{UnknownKey, "There the API finds no key under the kid."},
			{WrongEnvironment, "A token of another environment is signed by its keys. Look at iss first."},
			{KeyMismatch, "That is the client's own signature at the token endpoint."},
			{WrongTokenType, "A token for Microsoft Graph has a nonce in its header and can be verified by nobody else."},
		},
		Fix: []string{
			"Request a new token and send it unchanged. If it passes, something altered the old one: look for trimming, re-encoding " +
				"and line breaks.",
			"If new tokens fail as well, compare their kid with the authorization server's JWKS.",
			"If kid is listed there, the API's copy of the key set is stale or its configured algorithm is wrong: tell its operator.",
		},
		References: []Reference{
			rfc("7515", "5.2", "Message Signature or MAC Validation"),
			rfc("9068", "4", "Validating JWT Access Tokens"),
			rfc("8725", "2.1", "Weak Signatures and Insufficient Signature Validation"),
		},
	}
}

func badKeyFormatCause() Cause {
	return Cause{
		Code: BadKeyFormat, Group: "keys", Title: "Private key cannot be read", Fault: FaultClient,
		Summary: "The client could not load its private key, so nothing valid could be signed.",
		Happened: "The key file is not in the format that the library expects: DER or JWK instead of PEM, PKCS#1 instead of PKCS#8 " +
			"(or the reverse), an encrypted key without its passphrase, a public key or certificate in its place, an EC key for an " +
			"RSA algorithm, or a PEM whose line breaks became the two characters \\n in an environment variable.",
		Recognised: "The client's own log line names PEM, ASN.1, DER, PKCS or a key that could not be read, and there was no " +
			"response; or the server says that the key cannot be used.",
		ConfusedWith: []Confusion{
			{KeyMismatch, "There the key is readable and signs; it is just not the registered one."},
			{WrongAlgorithm, "\"secretOrPrivateKey must be an asymmetric key\" means that a secret was given for RS256."},
			{ProviderUnavailable, "Also without a response, but about the network."},
		},
		Fix: []string{
			"Look at the first line of the file: -----BEGIN RSA PRIVATE KEY----- is PKCS#1, -----BEGIN PRIVATE KEY----- is PKCS#8, " +
				"-----BEGIN ENCRYPTED PRIVATE KEY----- needs a passphrase. Anything else is not a PEM private key.",
			"Convert DER to PEM: openssl rsa -inform DER -in key.der -out key.pem",
			"Convert PKCS#1 to PKCS#8: openssl pkcs8 -topk8 -nocrypt -in key.pem -out key.p8.pem",
			"Convert a JWK with the library that made it (in Node: crypto.createPrivateKey({key: jwk, format: 'jwk'}).export({type: " +
				"'pkcs8', format: 'pem'})).",
			"In environment variables keep real line breaks, or replace \\n by line breaks when reading.",
			"Check the result: openssl pkey -in key.pem -noout -check",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"Private keys must be in PEM format (-----BEGIN RSA PRIVATE KEY-----). Convert DER with openssl rsa -inform DER -in " +
					"key.der -out key.pem.",
			}},
		},
		References: []Reference{
			rfc("7468", "10", "Textual encoding of PKCS #8 private keys"),
			rfc("5958", "", "Asymmetric Key Packages (PKCS #8)"),
			exchangeErrors(),
		},
	}
}
