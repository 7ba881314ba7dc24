package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"authwatch/api"
	"authwatch/store"
)

type exportCommand struct {
	databaseFlag
	From     time.Time `placeholder:"TIME" help:"Only failures from this event time on (RFC 3339)."`
	To       time.Time `placeholder:"TIME" help:"Only failures before this event time."`
	Provider []string  `help:"Only failures at this provider; may be repeated."`
	Client   []string  `help:"Only failures of this client; may be repeated."`
}

// Help shows the example.
func (exportCommand) Help() string {
	return `One failure a line, newest first, each as GET /api/v1/failures/ID shows it: the verdict and its redacted record. A server may go on working meanwhile; what it takes after the beginning is not in the export unless its event is older than what was written already.

    authwatch export --db authwatch.db --from 2026-11-01T00:00:00Z | gzip > november.ndjson.gz`
}

// Run writes page after page: none is a transaction that others would have to wait for, however slowly the output is read.
func (c *exportCommand) Run(ctx context.Context, p *program) error {
	if !c.From.IsZero() && !c.To.IsZero() && !c.From.Before(c.To) {
		return usageError("--from must be before --to")
	}
	s, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	out := bufio.NewWriterSize(p.stdout, 1<<16)
	lines := json.NewEncoder(out)
	filter := store.FailureFilter{From: c.From, To: c.To, Providers: c.Provider, Clients: c.Client, Page: store.Page{Limit: 200}}
	for {
		list, next, err := s.ListFailures(ctx, filter)
		if err != nil {
			return fmt.Errorf("export failures: %w", err)
		}
		for _, f := range list {
			if err := lines.Encode(api.FailureDocument(f)); err != nil {
				return fmt.Errorf("write failure %s: %w", f.ID, err)
			}
		}
		if filter.Cursor = next; next == "" {
			break
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
}
