// pino-elasticsearch, as behind a pipe: it ends at the first error, and is started again with the same lines.
import pinoElastic from 'pino-elasticsearch'
import pino from 'pino'
import { acknowledged, key, pause, records, url } from './work.mjs'

const stream = pinoElastic({
  node: `${url}/ingest/elastic`,
  auth: { username: 'shipper', password: key },
  index: 'crates',
  esVersion: 8,
  opType: 'create',
  flushBytes: 50_000,
  flushInterval: 300,
})
const all = records()
stream.on('error', (err) => {
  console.error(err.message)
  process.exit(1)
})
const dropped = new Set()
stream.on('insertError', (err) => dropped.add(err.document.document.request_id))
stream.on('insert', (stats) => {
  const complete = stats.successful + dropped.size === all.length
  if (complete) acknowledged(all.filter((r) => !dropped.has(r.request_id)))
  process.exit(complete ? 0 : 1)
})
// A pipe's lines are made once, so that they are the same when they are sent again.
const logger = pino({ timestamp: false, base: { pid: 1, hostname: 'crates' } }, stream)
for (const [n, r] of all.entries()) {
  logger.info(r)
  if (n % 50 === 49) await pause(100)
}
stream.end()
