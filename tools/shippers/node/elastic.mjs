// Elasticsearch's client and its bulk helper: node/elastic.mjs @elastic/elasticsearch or elasticsearch8, the same of the version before.
import { acknowledged, key, pause, records, url } from './work.mjs'

const { Client } = await import(process.argv[2])

const client = new Client({
  node: `${url}/ingest/elastic`,
  auth: { username: 'shipper', password: key },
  compression: true,
})

// The helper gives up as a whole when authwatch is gone; what it has not called onSuccess for is to be sent again.
const rest = new Map(records().map((r) => [r.request_id, r]))
for (let tries = 0; rest.size > 0 && tries < 30; tries++) {
  try {
    await client.helpers.bulk({
      datasource: [...rest.values()],
      onDocument: (doc) => (doc.id ? { create: { _index: 'crates', _id: doc.id } } : { create: { _index: 'crates' } }),
      onSuccess({ document }) {
        rest.delete(document.request_id)
        acknowledged([document])
      },
      onDrop({ document, error }) {
        rest.delete(document.request_id)
        console.error(document.request_id, error)
      },
      flushBytes: 50_000,
      concurrency: 1,
      wait: 1000,
    })
  } catch (err) {
    console.error(err.name, err.message)
    await pause(500)
  }
}
process.exit(rest.size > 0 ? 1 : 0)
