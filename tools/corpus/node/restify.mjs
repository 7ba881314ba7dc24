// A restify API behind restify-jwt-community, with keys from jwks-rsa. restify makes the answer of every error.
import errors from 'restify-errors'
import jwt from 'restify-jwt-community'
import { JwksClient } from 'jwks-rsa'
import { createRequire } from 'node:module'
import { params } from './paths.mjs'

process.noDeprecation = true
const restify = createRequire(import.meta.url)('restify')

export async function listen (setup) {
  const keys = new JwksClient({ jwksUri: setup.jwks })
  const app = restify.createServer()
  if (setup.limit) app.use(restify.plugins.throttle({ burst: setup.limit, rate: setup.limit / 60, ip: true }))
  app.use(jwt({
    secret: (request, header, payload, done) => {
      keys.getSigningKey(header?.kid).then((key) => done(null, key.getPublicKey()), done)
    },
    algorithms: [setup.algorithm],
    issuer: setup.issuer,
    audience: setup.audience,
    clockTolerance: setup.skew_seconds,
    isRevoked: (request, payload, done) => done(null, setup.revoked.includes(payload?.jti))
  }))
  const allow = (allowed) => (request, response, next) => {
    if (!allowed(request)) return next(new errors.ForbiddenError())
    response.send({ items: [] })
    next()
  }
  const add = { GET: 'get', POST: 'post', PUT: 'put', DELETE: 'del' }
  for (const { method, path, scope } of setup.routes) {
    app[add[method]](params(path), allow(({ user }) => String(user.scope).split(' ').includes(scope)))
  }
  app.get(params(setup.accounts), allow(({ user, params }) => user.account_id === params.account))
  app.del(params(setup.admin), allow(({ user }) => user.roles?.includes('admin')))
  return await new Promise((resolve) => app.listen(0, '127.0.0.1', () => resolve(app.server)))
}
