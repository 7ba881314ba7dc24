// winston-loki, node/winstonloki.mjs json or proto. It keeps what failed, waits a minute after a failure, and sends the rest when it is closed.
import winston from 'winston'
import LokiTransport from 'winston-loki'
import { acknowledged, key, pause, records, url } from './work.mjs'

let failures = 0
const transport = new LokiTransport({
  host: `${url}/ingest`,
  basicAuth: `shipper:${key}`,
  json: process.argv[2] === 'json',
  interval: 0.3,
  format: winston.format.printf((info) => JSON.stringify(info.message)),
  onConnectionError(err) {
    failures++
    console.error(err.message)
  },
})
const logger = winston.createLogger({ transports: [transport] })
const all = records()
for (const r of all) {
  logger.info(r)
  await pause(3)
}
while (failures < 2) await pause(100) // one of them a minute after the other
await pause(2000)
await transport.close()

// Its own store is the batch: what is in it was not delivered.
const kept = new Set()
for (const s of transport.batcher.batch.streams) for (const e of s.entries) kept.add(JSON.parse(e.line).request_id)
acknowledged(all.filter((r) => !kept.has(r.request_id)))
process.exit(0)
