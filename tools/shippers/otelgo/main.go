// Command otelgo delivers with OpenTelemetry's exporter for Go.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"authwatch/tools/shippers/internal/given"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdk "go.opentelemetry.io/otel/sdk/log"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	exporter, err := otlploghttp.New(ctx,
		otlploghttp.WithEndpointURL(given.URL()+"/ingest/otlp/v1/logs"),
		otlploghttp.WithHeaders(map[string]string{"Authorization": "Bearer " + given.Key()}),
		otlploghttp.WithCompression(otlploghttp.GzipCompression),
		otlploghttp.WithRetry(otlploghttp.RetryConfig{
			Enabled: true, InitialInterval: time.Second, MaxInterval: 10 * time.Second, MaxElapsedTime: 5 * time.Minute,
		}),
	)
	if err != nil {
		return err
	}
	records, err := given.Records()
	if err != nil {
		return err
	}
	provider := sdk.NewLoggerProvider(sdk.WithProcessor(sdk.NewBatchProcessor(recorded{exporter},
		sdk.WithExportMaxBatchSize(50), sdk.WithExportInterval(200*time.Millisecond))))
	logger := provider.Logger("crates")
	for _, r := range records {
		var line log.Record
		line.SetTimestamp(r.Time)
		line.SetBody(attribute.StringValue(string(r.JSON)))
		logger.Emit(ctx, line)
		time.Sleep(6 * time.Millisecond)
	}
	// Its error is that of an export, which is noted already.
	_ = provider.Shutdown(ctx)
	return nil
}

// recorded notes the exporter's own word on each batch: no error is success.
type recorded struct{ *otlploghttp.Exporter }

func (e recorded) Export(ctx context.Context, batch []sdk.Record) error {
	if err := e.Exporter.Export(ctx, batch); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return err
	}
	for _, r := range batch {
		var line given.Record
		if err := json.Unmarshal([]byte(r.Body().AsString()), &line); err != nil {
			return err
		}
		given.Acknowledged(line.RequestID)
	}
	return nil
}
