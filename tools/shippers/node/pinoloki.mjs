// pino-loki pushes a batch at each interval, and drops it when that fails. Its only word on success is the answer that it
// got and did not complain of, which is why its fetch is watched.
import { pinoLoki } from 'pino-loki'
import pino from 'pino'
import { acknowledged, key, pause, records, url } from './work.mjs'

const fetched = globalThis.fetch
globalThis.fetch = async (target, options) => {
  const response = await fetched(target, options)
  if (response.ok) acknowledged(JSON.parse(options.body).streams.map((s) => JSON.parse(s.values[0][1])))
  return response
}

const transport = pinoLoki({
  host: url,
  endpoint: '/ingest/loki/api/v1/push',
  basicAuth: { username: 'shipper', password: key },
  batching: { interval: 0.2 },
})
const logger = pino({ timestamp: false }, transport)
for (const r of records()) {
  logger.info(r)
  await pause(8)
}
transport.end()
