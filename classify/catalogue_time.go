package classify

func tokenExpiredCause() Cause {
	return Cause{
		Code: TokenExpired, Group: "time", Title: "Access token expired", Fault: FaultClient,
		Summary: "The access token's exp lay in the past when the API received it.",
		Happened: "An access token lives for a fixed time from its issue. This one was sent after its end. The token was right; " +
			"the client used it too long, or kept it from an earlier run.",
		Recognised: "exp in the decoded access token lies before the time of the event by more than the tolerated clock skew. " +
			"Without the token: the server says that it has expired. An API's skew matters: the same token 45 seconds past exp " +
			"passes one gateway and fails behind it.",
		ConfusedWith: []Confusion{
			{ExpiredMidSession, "There the very same token was accepted earlier, so the client refreshes too late. Here no success " +
				"with this token is known: it may have been old from the start."},
			{ClockSkew, "A token that is expired the moment it was issued points at a clock. If iat lies far back, the token is " +
				"simply old."},
			{InvalidSignature, "PyJWT and ruby-jwt say \"Signature has expired\". They mean exp; nothing is wrong with the signature."},
			{RevokedToken, "A revoked token is refused before its exp."},
		},
		Fix: []string{
			"Request a new access token and retry the call once.",
			"Refresh ahead of time: take expires_in from the token response and renew 30 seconds before the end.",
			"Never store a token across restarts without its expiry.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"Tokens of the exchange live 180 seconds (3 minutes). Request a new one from Auth0 and retry.",
				"Refresh proactively, 30 seconds before the 180 are over, that is every 150 seconds.",
			}},
			{"redox", []string{"Redox access tokens live 5 minutes. Request a new one and retry."}},
		},
		References: []Reference{
			rfc("7519", "4.1.4", "exp"),
			rfc("6750", "3.1", "Error Codes: invalid_token"),
			rfc("6749", "5.1", "Successful Response: expires_in"),
			exchangeErrors(),
		},
	}
}

func expiredMidSessionCause() Cause {
	return Cause{
		Code: ExpiredMidSession, Group: "time", Title: "Token expired mid-session", Fault: FaultClient,
		Summary: "A token that had worked ran out while the client was still using it.",
		Happened: "The client got a token, used it with success, and went on using it after its end. This is the failure behind " +
			"\"it works sometimes and then not\": the first calls of each session pass, the later ones get 401 until something " +
			"fetches a new token.",
		Recognised: "exp lies before the time of the event, and history has this very token (the same header and claims) accepted " +
			"earlier. No server can say this; only history can.",
		ConfusedWith: []Confusion{
			{TokenExpired, "The same 401, but no earlier success with this token is known."},
			{RevokedToken, "There the token stops working before its exp."},
			{ProviderUnavailable, "Intermittent 401s in step with the token lifetime are expiry. Those that hit every client at one " +
				"moment are the provider."},
		},
		Fix: []string{
			"Refresh the token before it expires, with a buffer of 30 seconds: renew when now ≥ expiry − 30 s.",
			"Compute the expiry from expires_in at the moment of the response, and let one component of the process own the token, " +
				"so that parallel calls do not race.",
			"For long streams and batch jobs fetch a token per unit of work, or reconnect before the expiry.",
			"On a 401 fetch one new token and retry once. More retries only hide the missing refresh.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"Tokens live 180 seconds. Implement proactive refresh as the exchange's TokenManager does: if time.time() >= " +
					"token_expiry - 30, get a new token; token_expiry = time.time() + 180.",
			}},
			{"redox", []string{"Tokens live 5 minutes: renew after four and a half."}},
		},
		References: []Reference{
			rfc("6749", "5.1", "Successful Response: expires_in"),
			rfc("7519", "4.1.4", "exp"),
			rfc("9068", "4", "Validating JWT Access Tokens"),
			exchangeErrors(),
		},
	}
}

func assertionExpiredCause() Cause {
	return Cause{
		Code: AssertionExpired, Group: "time", Title: "Client assertion expired", Fault: FaultClient,
		Summary: "The client assertion's exp lay in the past when the token endpoint received it.",
		Happened: "A client assertion is meant to live for a minute or a few and to be used at once. This one was kept: built at " +
			"start-up and reused, held in a queue, or re-sent by a retry after a delay.",
		Recognised: "exp of the decoded client assertion lies before the time of the event by more than the skew, and the assertion " +
			"was not fresh: iat lies back as well, and the client's other assertions are on time.",
		ConfusedWith: []Confusion{
			{ClockSkew, "A slow client clock makes fresh assertions look expired. If every assertion of the client is late by the " +
				"same amount, or this one expired although it was just built, it is the clock."},
			{AssertionTooOld, "There exp is still ahead but iat is older than the server allows."},
			{TimestampUnits, "An exp near 1970 is a wrong unit, not an old assertion."},
			{JTIReuse, "A stored assertion is often both expired and used before. Building a new one per request cures both."},
		},
		Fix: []string{
			"Build a new assertion for each token request, inside the retry loop: new iat, new exp, new jti.",
			"Set exp a few minutes ahead of iat, within the server's limit.",
			"Compare the machine's clock with real time, to rule out skew.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"exp must lie in the future; the exchange's example uses iat + 300 seconds. An expired one is answered with " +
					"invalid_client_assertion.",
			}},
			{"redox", []string{"Redox answers: \"exp\" claim timestamp check failed. Build the assertion right before the request."}},
			{"entra", []string{"AADSTS700024 prints the current time, the valid-from and the expiry time: compare the three to tell " +
				"an old assertion from a wrong clock."}},
		},
		References: []Reference{
			rfc("7523", "3", "JWT Format and Processing Requirements, item 4"),
			rfc("7521", "5.2", "General Assertion Format and Processing Rules"),
			exchangeErrors(), redoxErrors(),
		},
	}
}

func clockSkewCause() Cause {
	return Cause{
		Code: ClockSkew, Group: "time", Title: "Clock skew", Fault: FaultClient,
		Summary: "The client's clock and the server's disagree by more than the server tolerates.",
		Happened: "The client stamps its assertions with a wrong clock. A fast clock puts iat or nbf into the server's future; a " +
			"slow one makes fresh assertions arrive expired. Suspended laptops and virtual machines, containers on a drifting host " +
			"and machines without NTP are the usual places. Strict servers fail on a single second.",
		Recognised: "iat or nbf lies ahead of the time of the event, or an assertion was already expired when it was built, or the " +
			"client's measured offset over its other requests says so. The offset in seconds is in the evidence.",
		ConfusedWith: []Confusion{
			{AssertionExpired, "An assertion that was really kept too long: the client's other assertions are on time."},
			{AssertionTooOld, "The same sign from a slow clock. A steady offset on every request means clock; a single late one " +
				"means that this assertion waited."},
			{LifetimeTooLong, "GitHub and Box blame the lifetime (\"too far in the future\") when the clock is fast, because they " +
				"compare exp with their own time. If exp − iat is within the limit, it is the clock."},
			{NotYetValid, "An nbf that was set ahead on purpose. Then iat is right."},
			{TimestampUnits, "Hours, not seconds, off: a time zone. Factor 1000: milliseconds. Neither is cured by NTP."},
		},
		Fix: []string{
			"Compare the machine's clock with real time: run date -u and compare it with a trusted clock.",
			"Synchronize the clock with NTP (timedatectl set-ntp true, or chronyc makestep), on the host as well as in the virtual " +
				"machine. Containers use the host's clock.",
			"Use UTC seconds since 1970 for iat, nbf and exp, never local time.",
			"If the clock is right to the second and the server is strict, set iat and nbf a few seconds back, and leave nbf out " +
				"where it is not required.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"\"Token expired immediately after creation\" means that the system clock is incorrect. Run date, compare with the " +
					"actual time, and synchronize using NTP.",
			}},
			{"redox", []string{
				"iat must be in the past and at most 5 minutes old; Redox tolerates 10 seconds of clock skew. \"It should be in the " +
					"past\" means a fast clock, \"too far in the past\" a slow clock or a stored assertion. Check that the system " +
					"clock works as expected.",
			}},
			{"github-app", []string{
				"GitHub says that exp is too far in the future, or that iat must be an Integer, when the clock is fast. Its " +
					"documentation advises iat 60 seconds back.",
			}},
			{"google", []string{"\"Token must be a short-lived token (60 minutes) and in a reasonable timeframe\" covers expired, " +
				"too long, fast and slow clocks alike: compute which from iat and exp."}},
		},
		References: []Reference{
			rfc("7519", "4.1.6", "iat"),
			rfc("7519", "4.1.4", "exp: leeway for clock skew"),
			rfc("7521", "5.2", "General Assertion Format and Processing Rules: clock skew"),
			rfc("5905", "", "Network Time Protocol Version 4"),
			exchangeErrors(), redoxErrors(),
		},
	}
}

func notYetValidCause() Cause {
	return Cause{
		Code: NotYetValid, Group: "time", Title: "Token not yet valid", Fault: FaultClient,
		Summary: "nbf lies in the future: the token was used before its time.",
		Happened: "The not-before claim says that the token must not be accepted earlier. It was set ahead on purpose, or computed " +
			"with a wrong time zone, and the token was used at once.",
		Recognised: "nbf lies after the time of the event by more than the skew while iat does not, so the client's clock is not to " +
			"blame.",
		ConfusedWith: []Confusion{
			{ClockSkew, "With a fast clock iat lies ahead together with nbf. Here iat is right and only nbf is ahead."},
			{TokenExpired, "Keycloak says \"Token is not active\" to both. Compare exp and nbf with the time of the event."},
			{TimestampUnits, "nbf in milliseconds lies 50,000 years ahead and reads as not yet valid."},
		},
		Fix: []string{
			"Set nbf to iat, or leave it out: it is optional.",
			"If nbf lies ahead by whole hours, the code uses local time. Use UTC seconds since 1970.",
		},
		FixAt: []FixAt{
			{"redox", []string{"Redox answers: \"nbf\" claim timestamp check failed. 10 seconds of skew are tolerated."}},
		},
		References: []Reference{
			rfc("7519", "4.1.5", "nbf"),
			rfc("7523", "3", "JWT Format and Processing Requirements, item 5"),
			redoxErrors(),
		},
	}
}

func assertionTooOldCause() Cause {
	return Cause{
		Code: AssertionTooOld, Group: "time", Title: "Assertion issued too long ago", Fault: FaultClient,
		Summary: "exp is still ahead, but iat is older than this server accepts.",
		Happened: "Some servers limit the age of an assertion by its iat, whatever exp says. The assertion was built minutes " +
			"before it was sent: at start-up, ahead of a queue, or once for a whole run.",
		Recognised: "The time of the event minus iat exceeds the profile's max_age plus skew, while exp lies ahead. The server's " +
			"words may say \"too far in the past\".",
		ConfusedWith: []Confusion{
			{ClockSkew, "A slow clock makes every assertion look old by the same amount. If the client's measured offset is small, " +
				"this one was kept."},
			{AssertionExpired, "There exp itself has passed."},
			{JTIReuse, "A stored assertion that is sent twice fails for its jti first at some servers. The cure is the same."},
		},
		Fix: []string{
			"Build the assertion right before each token request; do not prepare it at start-up or before a queue.",
			"Set iat to the current UTC second.",
			"If that is so already, check the clock.",
		},
		FixAt: []FixAt{
			{"redox", []string{
				"iat must lie within the past 5 minutes (10 seconds of skew are tolerated). The message is \"iat\" claim timestamp " +
					"check failed (too far in the past).",
				"If it keeps coming, check that the system clock works as expected.",
			}},
			{"snowflake", []string{"JWT_TOKEN_INVALID_ISSUE_TIME: iat may be at most 60 seconds old."}},
		},
		References: []Reference{
			rfc("7523", "3", "JWT Format and Processing Requirements, item 6: an unreasonably old iat"),
			rfc("7519", "4.1.6", "iat"),
			redoxErrors(),
		},
	}
}

func lifetimeTooLongCause() Cause {
	return Cause{
		Code: LifetimeTooLong, Group: "time", Title: "Lifetime too long", Fault: FaultClient,
		Summary: "exp lies further after iat than the server accepts.",
		Happened: "Servers that remember each jti limit how long an assertion may live, from 60 seconds (Box) to an hour (Okta, " +
			"Google). This assertion asked for more.",
		Recognised: "exp − iat in the decoded assertion exceeds the profile's max_lifetime. The difference is free of any clock, " +
			"which tells it from skew.",
		ConfusedWith: []Confusion{
			{ClockSkew, "A fast clock gives the same complaint at GitHub and Box although exp − iat is within the limit."},
			{TimestampUnits, "exp in milliseconds is a lifetime of millennia. Mend the unit."},
		},
		Fix: []string{
			"Set exp to iat plus at most the server's limit; one minute is enough for an assertion that is used at once.",
			"Mind libraries whose default lifetime is an hour.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{"Use exp = iat + 300, as in the exchange's example. Auth0's limit is 5 minutes, and its answer " +
				"is a plain invalid_client."}},
			{"auth0", []string{"At most 300 seconds."}},
			{"okta", []string{"At most one hour ahead."}},
			{"google", []string{"At most 3600 seconds."}},
			{"github-app", []string{"At most 600 seconds ahead of GitHub's clock; its documentation sets iat 60 seconds back."}},
			{"box", []string{"At most 60 seconds after the issue time."}},
			{"snowflake", []string{"At most 3600 seconds."}},
		},
		References: []Reference{
			rfc("7523", "3", "JWT Format and Processing Requirements, item 4: an exp unreasonably far in the future"),
			rfc("7521", "5.2", "General Assertion Format and Processing Rules"),
			auth0PrivateKeyJWT(),
		},
	}
}

func timestampUnitsCause() Cause {
	return Cause{
		Code: TimestampUnits, Group: "time", Title: "Timestamp in the wrong unit", Fault: FaultClient,
		Summary: "A time claim is in milliseconds or is text, where seconds since 1970 are due.",
		Happened: "JWT times are numbers of seconds (NumericDate). Code that uses the platform's milliseconds, such as Date.now() " +
			"in JavaScript or System.currentTimeMillis() in Java, or that writes a formatted date or a quoted number, produces a " +
			"time that no server can accept.",
		Recognised: "The value is about a thousand times the time of the event (milliseconds), a million times (microseconds), or " +
			"not a JSON number. Milliseconds in exp are silently accepted by most libraries, since the year 57000 is far from over; " +
			"in iat or nbf they read as not yet valid.",
		ConfusedWith: []Confusion{
			{NotYetValid, "The year tells: tens of thousands of years ahead is a unit, not a plan."},
			{ClockSkew, "No clock is 50,000 years fast."},
			{LifetimeTooLong, "exp in milliseconds with iat in seconds is a lifetime of millennia."},
			{InvalidClaim, "A server may complain about the value's type, such as exp must be a number. The cure is the unit."},
		},
		Fix: []string{
			"Divide by 1000 and drop the fraction: Math.floor(Date.now() / 1000), System.currentTimeMillis() / 1000, " +
				"int(time.time()), time.Now().Unix().",
			"Write it as a JSON number, without quotes.",
			"Check iat, nbf and exp alike: code that gets one wrong usually gets all wrong.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{"iat and exp are whole seconds, as in the exchange's example: \"iat\": 1703270400, \"exp\": " +
				"1703270700."}},
		},
		References: []Reference{
			rfc("7519", "2", "Terminology: NumericDate"),
			rfc("7519", "4.1.4", "exp: its value must be a number containing a NumericDate value"),
		},
	}
}
