// A Fastify API behind @fastify/jwt, with keys from get-jwks as the plugin's own documents show. All words are Fastify's.
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import sensible from '@fastify/sensible'
import fastify from 'fastify'
import buildGetJwks from 'get-jwks'
import { params } from './paths.mjs'

export async function listen (setup) {
  const app = fastify()
  const keys = buildGetJwks({ jwksPath: new URL(setup.jwks).pathname, issuersWhitelist: [new URL(setup.jwks).origin] })
  await app.register(sensible)
  if (setup.limit) await app.register(rateLimit, { max: setup.limit, timeWindow: '1 minute' })
  await app.register(jwt, {
    decode: { complete: true },
    secret: (request, token) => keys.getPublicKey({ kid: token.header.kid, alg: token.header.alg, domain: new URL(setup.jwks).origin }),
    verify: {
      algorithms: [setup.algorithm],
      allowedIss: setup.issuer,
      allowedAud: setup.audience,
      requiredClaims: setup.required,
      clockTolerance: setup.skew_seconds * 1000
    },
    trusted: (request, token) => !setup.revoked.includes(token.jti)
  })
  app.addHook('onRequest', (request) => request.jwtVerify())
  for (const { method, path, scope } of setup.routes) {
    app.route({
      method,
      url: params(path),
      handler: async (request, reply) =>
        String(request.user.scope).split(' ').includes(scope) ? { items: [] } : reply.forbidden()
    })
  }
  if (setup.accounts) {
    app.get(params(setup.accounts), async (request, reply) =>
      request.user.account_id === request.params.account ? { items: [] } : reply.forbidden())
  }
  if (setup.admin) {
    app.delete(params(setup.admin), async (request, reply) =>
      request.user.roles?.includes('admin') ? { items: [] } : reply.forbidden())
  }
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app.server
}
