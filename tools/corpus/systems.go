package main

// systems lists the verifiers. What an operator chose (skew, required claims, algorithm) is what the adapter configures.
func systems() []System {
	return []System{
		goOIDCSystem(), goJWTMiddlewareSystem(), jwxSystem(),
		fastifySystem(), koaSystem(), hapiSystem(), honoSystem(), betterAuthSystem(),
		echoJWTSystem(), jwtAuthSystem(), katarasSystem(), goJoseSystem(), awsSystem(), oktaSystem(), googleSystem(),
		capSystem(), authlibSystem(), rackOAuth2System(),
		apacheSystem(), haproxySystem(), flaskJWTSystem(), simpleJWTSystem(), cryptJWTSystem(), mcpSystem(),
		goSPIFFESystem(), fastAPISystem(), rackBearerSystem(), restifySystem(), mojoJWTSystem(),
		rare(capSystem(), "T29", "T30"), rare(rackOAuth2System(), "T29", "T30"), rare(betterAuthSystem(), "T20", "T30"),
		rare(awsSystem(), "R28"), rare(cryptJWTSystem(), "R28"), rare(flaskJWTSystem(), "R29"),
	}
}
