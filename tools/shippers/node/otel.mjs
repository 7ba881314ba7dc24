// OpenTelemetry's exporters for JavaScript: node/otel.mjs http (JSON) or proto (protobuf).
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { acknowledged, key, pause, records, url } from './work.mjs'

const { OTLPLogExporter } = await import(`@opentelemetry/exporter-logs-otlp-${process.argv[2]}`)

const exporter = new OTLPLogExporter({
  url: `${url}/ingest/otlp/v1/logs`,
  headers: { authorization: `Bearer ${key}` },
  compression: 'gzip',
})

// The exporter's own word on each batch is its callback: code 0 is success.
const recorded = {
  export(batch, done) {
    exporter.export(batch, (result) => {
      if (result.code === 0) acknowledged(batch.map((r) => r.body))
      else console.error(result.error)
      done(result)
    })
  },
  shutdown: () => exporter.shutdown(),
  forceFlush: () => exporter.forceFlush(),
}

const provider = new LoggerProvider({
  processors: [new BatchLogRecordProcessor({ exporter: recorded, maxExportBatchSize: 50, scheduledDelayMillis: 200 })],
})
const logger = provider.getLogger('crates')
for (const r of records()) {
  logger.emit({ timestamp: new Date(r.time), body: r })
  await pause(1)
}
await provider.shutdown()
