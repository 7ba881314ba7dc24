// A Koa API behind koa-jwt, with keys from jwks-rsa. Its operator turned debug on in the test environment only, so that the
// same failure has words there and none in production.
import Koa from 'koa'
import jwt from 'koa-jwt'
import ratelimit from 'koa-ratelimit'
import { koaJwtSecret } from 'jwks-rsa'
import { match } from './paths.mjs'

export async function listen (setup) {
  const app = new Koa()
  app.silent = true
  if (setup.limit) app.use(ratelimit({ driver: 'memory', db: new Map(), duration: 60000, max: setup.limit, throw: true }))
  app.use(jwt({
    secret: koaJwtSecret({ jwksUri: setup.jwks, cache: true }),
    algorithms: [setup.algorithm],
    issuer: setup.issuer,
    audience: setup.audience,
    clockTolerance: setup.skew_seconds,
    debug: setup.verbose,
    isRevoked: async (ctx, token) => setup.revoked.includes(token.jti)
  }))
  app.use((ctx) => {
    const { user } = ctx.state
    for (const { method, path, scope } of setup.routes) {
      if (method !== ctx.method || !match(path, ctx.path)) continue
      if (!String(user.scope).split(' ').includes(scope)) ctx.throw(403)
      ctx.body = { items: [] }
      return
    }
    const account = setup.accounts && match(setup.accounts, ctx.path)
    if (account && account.account !== user.account_id) ctx.throw(403)
    if (ctx.method === 'DELETE' && !user.roles?.includes('admin')) ctx.throw(403)
    ctx.body = { items: [] }
  })
  return await new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server))
  })
}
