// An API behind the bearer middleware of the Model Context Protocol's SDK, whose tokens oauth4webapi validates.
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import express from 'express'
import * as oauth from 'oauth4webapi'
import { params } from './paths.mjs'

export async function listen (setup) {
  const issuer = { issuer: setup.issuer, jwks_uri: setup.jwks }
  const verifier = {
    async verifyAccessToken (token) {
      const request = new Request(setup.origin, { headers: { authorization: `Bearer ${token}` } })
      const options = { signingAlgorithms: [setup.algorithm], [oauth.allowInsecureRequests]: true }
      const claims = await oauth.validateJwtAccessToken(issuer, request, setup.audience, options).catch((error) => {
        if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError) {
          throw new InvalidTokenError(error.message)
        }
        throw error
      })
      return { token, clientId: claims.client_id, scopes: String(claims.scope).split(' '), expiresAt: claims.exp, extra: claims }
    }
  }
  const app = express()
  const protect = (...requiredScopes) =>
    requireBearerAuth({ verifier, requiredScopes, resourceMetadataUrl: `${setup.origin}/.well-known/oauth-protected-resource` })
  const allow = (allowed) => (request, response) => allowed(request) ? response.json({ items: [] }) : response.sendStatus(403)
  for (const { method, path, scope } of setup.routes) {
    app[method.toLowerCase()](params(path), protect(scope), allow(() => true))
  }
  app.get(params(setup.accounts), protect(), allow(({ auth, params }) => auth.extra.account_id === params.account))
  app.delete(params(setup.admin), protect(), allow(({ auth }) => auth.extra.roles?.includes('admin')))
  return await new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server))
  })
}
