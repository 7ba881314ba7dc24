// Command elasticgo delivers with Elasticsearch's client for Go and its bulk indexer.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"authwatch/tools/shippers/internal/given"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v9"
	"github.com/elastic/go-elasticsearch/v9/esutil"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	client, err := elasticsearch.New(
		elasticsearch.WithAddresses(given.URL()+"/ingest/elastic"),
		elasticsearch.WithBasicAuth("shipper", given.Key()),
		elasticsearch.WithCompression(),
		elasticsearch.WithRetry(60),
		elasticsearch.WithTransportOptions(elastictransport.WithRetryBackoff(func(int) time.Duration { return time.Second })),
	)
	if err != nil {
		return err
	}
	indexer, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{
		Client: client, Index: "crates", NumWorkers: 1, FlushBytes: 50_000,
		OnError: func(_ context.Context, err error) { fmt.Fprintln(os.Stderr, err) },
	})
	if err != nil {
		return err
	}
	records, err := given.Records()
	if err != nil {
		return err
	}
	for _, r := range records {
		item := esutil.BulkIndexerItem{
			Action: "create", DocumentID: r.ID, Body: bytes.NewReader(r.JSON),
			OnSuccess: func(context.Context, esutil.BulkIndexerItem, esutil.BulkIndexerResponseItem) {
				given.Acknowledged(r.RequestID)
			},
			OnFailure: func(_ context.Context, _ esutil.BulkIndexerItem, answer esutil.BulkIndexerResponseItem, err error) {
				fmt.Fprintln(os.Stderr, r.RequestID, answer.Status, err)
			},
		}
		if err := indexer.Add(ctx, item); err != nil {
			return err
		}
	}
	return indexer.Close(ctx)
}
