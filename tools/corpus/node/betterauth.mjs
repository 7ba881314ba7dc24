// The token endpoint of Better Auth's OAuth provider, a whole authorization server, in memory. Clients authenticate with
// private_key_jwt; all words are the provider's.
import { createServer } from 'node:http'
import { oauthProvider } from '@better-auth/oauth-provider'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'

// The memory adapter's tables are arrays. This one holds to its primary key, as the database of an operator does: the
// provider leans on that to see a replayed assertion.
class Table extends Array {
  push (row) {
    if (this.some(({ id }) => id === row.id)) throw new Error('UNIQUE constraint failed')
    return super.push(row)
  }
}

export async function listen (setup) {
  const scopes = setup.clients[0].scopes
  const auth = betterAuth({
    baseURL: setup.origin,
    basePath: new URL(setup.issuer).pathname,
    secret: crypto.randomUUID() + crypto.randomUUID(),
    database: memoryAdapter(new Proxy({}, { get: (tables, name) => (tables[name] ??= new Table()) })),
    logger: { disabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    plugins: [
      jwt(),
      oauthProvider({
        loginPage: '/login',
        consentPage: '/consent',
        scopes,
        assertionMaxLifetime: setup.lifetime_limit,
        silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true }
      })
    ]
  })
  const { adapter } = await auth.$context
  for (const client of setup.clients) {
    await adapter.create({
      model: 'oauthClient',
      data: {
        clientId: client.id,
        name: client.id,
        tokenEndpointAuthMethod: 'private_key_jwt',
        grantTypes: ['client_credentials'],
        jwks: JSON.stringify(client.jwks),
        scopes,
        clientCredentialsScopes: scopes,
        redirectUris: [],
        createdAt: new Date(),
        updatedAt: new Date()
      }
    })
  }
  const server = createServer(toNodeHandler(auth))
  return await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}
