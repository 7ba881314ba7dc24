// A Hono API behind its built-in jwk and ipRestriction, and hono-rate-limiter. It goes without Hono's app.onError: the
// middleware's own answers are what is recorded.
import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono } from 'hono'
import { rateLimiter } from 'hono-rate-limiter'
import { HTTPException } from 'hono/http-exception'
import { ipRestriction } from 'hono/ip-restriction'
import { jwk } from 'hono/jwk'
import { params } from './paths.mjs'

const forbidden = () => { throw new HTTPException(403) }

export async function listen (setup) {
  const app = new Hono()
  if (setup.block) app.use(ipRestriction(getConnInfo, { denyList: ['127.0.0.1'] }))
  if (setup.limit) app.use(rateLimiter({ windowMs: 60000, limit: setup.limit, keyGenerator: () => 'all' }))
  app.use(jwk({
    jwks_uri: setup.jwks,
    alg: [setup.algorithm],
    verification: { iss: setup.issuer, aud: setup.audience, typ: 'at+jwt' }
  }))
  for (const { method, path, scope } of setup.routes) {
    app.on(method, params(path), (c) =>
      String(c.get('jwtPayload').scope).split(' ').includes(scope) ? c.json({ items: [] }) : forbidden())
  }
  app.get(params(setup.accounts), (c) =>
    c.get('jwtPayload').account_id === c.req.param('account') ? c.json({ items: [] }) : forbidden())
  app.delete(params(setup.admin), (c) =>
    c.get('jwtPayload').roles?.includes('admin') ? c.json({ items: [] }) : forbidden())
  return await new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(server))
  })
}
