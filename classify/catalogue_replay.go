package classify

func jtiReuseCause() Cause {
	return Cause{
		Code: JTIReuse, Group: "replay", Title: "Assertion used twice (jti reuse)", Fault: FaultClient,
		Summary: "A client assertion with this jti had been used before.",
		Happened: "Servers remember the jti of each assertion until it expires and refuse a second one, so that a stolen assertion " +
			"is worthless. The usual reason is a retry that sends the same request again instead of building a new assertion; then " +
			"static assertions, shared ones between instances, and a jti made from a second or a counter.",
		Recognised: "History holds an earlier, different exchange with the same iss and jti. The time between the two tells more: " +
			"seconds apart is a retry, regular intervals are a stored assertion, two addresses are a shared one. A log line " +
			"delivered twice is not reuse, nor is an access token's jti, which repeats on every call.",
		ConfusedWith: []Confusion{
			{AssertionExpired, "A stored assertion is in the end both. If exp is still ahead, it is the jti."},
			{WrongAudience, "fosite stores the jti before it checks aud: after a claim error, a retry with the same assertion " +
				"reports the jti. Mend the first error."},
			{InvalidClaim, "Redox may say \"Unexpected \"jti\" claim value\", or nothing."},
		},
		Fix: []string{
			"Generate a new UUID as jti for each token request.",
			"Build the assertion inside the retry loop, so that each attempt has its own jti, iat and exp.",
			"Do not share one assertion between processes; share the access token instead.",
			"If the two uses came from different machines that you do not know, treat the assertion as stolen: rotate the key.",
		},
		FixAt: []FixAt{
			{"polymarket", []string{
				"jti must be unique for each request: claims[\"jti\"] = str(uuid.uuid4()).",
			}},
			{"redox", []string{"Use a new jti in every assertion. A reused one can come back with a blank description."}},
			{"keycloak", []string{"\"Token reuse detected\" on a first use: the client is set to client_secret_jwt but has keys, and " +
				"two authenticators look at the same assertion. Set the authenticator that the client really uses."}},
		},
		References: []Reference{
			rfc("7523", "3", "JWT Format and Processing Requirements, item 7"),
			rfc("7519", "4.1.7", "jti"),
			rfc("7521", "8.2", "Stolen Assertion"),
			rfc("9562", "5.4", "UUID version 4"),
			exchangeErrors(), redoxErrors(),
		},
	}
}
