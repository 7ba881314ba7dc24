// A hapi API behind @hapi/jwt. Scopes are hapi's own route option, so that every word is hapi's.
import Boom from '@hapi/boom'
import Hapi from '@hapi/hapi'
import Jwt from '@hapi/jwt'

export async function listen (setup) {
  const server = Hapi.server({ host: '127.0.0.1', port: 0 })
  await server.register(Jwt)
  server.auth.strategy('jwt', 'jwt', {
    keys: { uri: setup.jwks, algorithms: [setup.algorithm] },
    verify: { aud: setup.audience, iss: setup.issuer, sub: false, timeSkewSec: setup.skew_seconds },
    validate: ({ decoded: { payload } }) => ({
      isValid: !setup.revoked.includes(payload.jti),
      credentials: { ...payload, scope: String(payload.scope).split(' ') }
    })
  })
  server.auth.default('jwt')
  for (const { method, path, scope } of setup.routes) {
    server.route({ method, path, options: { auth: { access: { scope } } }, handler: () => ({ items: [] }) })
  }
  server.route({
    method: 'GET',
    path: setup.accounts,
    handler: ({ auth, params }) => auth.credentials.account_id === params.account ? { items: [] } : Boom.forbidden()
  })
  server.route({
    method: 'DELETE',
    path: setup.admin,
    handler: ({ auth }) => auth.credentials.roles?.includes('admin') ? { items: [] } : Boom.forbidden()
  })
  await server.start()
  return server.listener
}
