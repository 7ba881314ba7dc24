// An Express API behind aws-jwt-verify, with the key set loaded beforehand. It passes the error's name and message on.
import { JwtVerifier } from 'aws-jwt-verify'
import { bearer, serve } from './express.mjs'

export async function listen (setup) {
  const verifier = JwtVerifier.create({ issuer: setup.issuer, audience: setup.audience, graceSeconds: setup.skew_seconds })
  verifier.cacheJwks(await (await fetch(setup.jwks)).json())
  return await serve(setup, (request) => verifier.verifySync(bearer(request) ?? ''),
    (response, { name, message }) => response.status(401).json({ name, message }))
}
