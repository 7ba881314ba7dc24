// winston-splunk-httplogger makes a request of each record and calls every one logged; its logger's error handler tells which were not.
import winston from 'winston'
import SplunkStreamEvent from 'winston-splunk-httplogger'
import { acknowledged, key, pause, records, url } from './work.mjs'

const transport = new SplunkStreamEvent({ splunk: { token: key, url, maxRetries: 8 } })
const refused = new Set()
transport.server.error = (err, context) => {
  console.error(err.message)
  refused.add(JSON.parse(context.message).event.message.meta.request_id)
}

const logger = winston.createLogger({ transports: [transport] })
const all = records()
let logged = 0
transport.on('logged', () => {
  if (++logged === all.length) acknowledged(all.filter((r) => !refused.has(r.request_id)))
})
for (const r of all) {
  logger.info('exchange', r)
  await pause(5)
}
