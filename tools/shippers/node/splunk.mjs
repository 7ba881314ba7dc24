// splunk-logging tries again when it could not connect, but not after a status: the code in the answer tells.
import splunk from 'splunk-logging'
import { acknowledged, key, pause, records, url } from './work.mjs'

const logger = new splunk.Logger({ token: key, url, maxBatchCount: 0, maxRetries: 8 })
logger.error = (err) => console.error(err.message)

const all = records()
for (let n = 0; n < all.length; n += 50) {
  const batch = all.slice(n, n + 50)
  for (const r of batch) logger.send({ message: r, metadata: { time: Date.parse(r.time) / 1000, source: 'crates' } })
  await new Promise((resolve) => {
    logger.flush((err, response, body) => {
      if (!err && body?.code === 0) acknowledged(batch)
      resolve()
    })
  })
  await pause(400)
}
