// An Express API that verifies with google-auth-library, as programs behind Google's Identity-Aware Proxy do.
import { createPublicKey } from 'node:crypto'
import { OAuth2Client } from 'google-auth-library'
import { bearer, serve } from './express.mjs'

export async function listen (setup) {
  const { keys } = await (await fetch(setup.jwks)).json()
  const pems = Object.fromEntries(keys.map((key) => [key.kid, createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' })]))
  const client = new OAuth2Client()
  return await serve(setup, async (request) => {
    const ticket = await client.verifySignedJwtWithCertsAsync(bearer(request) ?? '', pems, setup.audience, [setup.issuer])
    return ticket.getPayload()
  }, (response, error) => response.status(401).set('WWW-Authenticate', 'Bearer').json({ error: error.message }))
}
