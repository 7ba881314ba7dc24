// An Express API behind a verifier: authenticate(request) resolves to claims, and refuse(response, error) says no. Express
// says no to a caller who is known.
import express from 'express'
import { params } from './paths.mjs'

export async function serve (setup, authenticate, refuse, ...before) {
  const app = express()
  for (const middleware of before) app.use(middleware)
  app.use(async (request, response, next) => {
    try {
      request.claims = await authenticate(request)
    } catch (error) {
      return refuse(response, error)
    }
    next()
  })
  const allow = (allowed) => (request, response) => allowed(request) ? response.json({ items: [] }) : response.sendStatus(403)
  for (const { method, path, scope } of setup.routes) {
    app[method.toLowerCase()](params(path), allow(({ claims }) => String(claims.scope).split(' ').includes(scope)))
  }
  app.get(params(setup.accounts), allow(({ claims, params }) => claims.account_id === params.account))
  app.delete(params(setup.admin), allow(({ claims }) => claims.roles?.includes('admin')))
  return await new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server))
  })
}

export const bearer = (request) => /^Bearer (.*)$/.exec(request.get('authorization') ?? '')?.[1]
