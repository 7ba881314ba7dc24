package main

// systems lists the verifiers. What an operator chose (skew, required claims, algorithm) is what the adapter configures.
func systems() []System {
	return []System{
		goOIDCSystem(), goJWTMiddlewareSystem(), jwxSystem(),
		fastifySystem(), koaSystem(), hapiSystem(), honoSystem(), betterAuthSystem(),
		echoJWTSystem(), jwtAuthSystem(), katarasSystem(), goJoseSystem(), awsSystem(), oktaSystem(), googleSystem(),
	}
}
