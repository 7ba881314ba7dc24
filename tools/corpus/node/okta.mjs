// An Express API behind Okta's verifier, written as Okta's resource server sample is: the error's message is the answer.
import OktaJwtVerifier from '@okta/jwt-verifier'
import { rateLimit } from 'express-rate-limit'
import { bearer, serve } from './express.mjs'

export async function listen (setup) {
  const verifier = new OktaJwtVerifier({ issuer: setup.issuer, jwksUri: setup.jwks, jwksRequestsPerMinute: 100 })
  const limiter = setup.limit ? [rateLimit({ windowMs: 60000, limit: setup.limit })] : []
  return await serve(setup, async (request) => {
    const token = bearer(request)
    if (!token) throw undefined
    return (await verifier.verifyAccessToken(token, setup.audience)).claims
  }, (response, error) => error ? response.status(401).send(error.message) : response.sendStatus(401), ...limiter)
}
