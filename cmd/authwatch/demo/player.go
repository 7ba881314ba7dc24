package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// batchSize is how many records a request carries, as a shipper would.
const batchSize = 500

// A Player posts the sample traffic to a server's ingestion API.
type Player struct {
	URL       string // http://127.0.0.1:8080
	Key       string // scope ingest
	ChangeKey string // scope respond: tells of deploys
	Progress  io.Writer
	Terminal  bool // Progress can redraw its line

	client http.Client
}

// Fill sends everything up to now and returns when the last record is committed.
func (p *Player) Fill(ctx context.Context) error {
	m, err := newMaker(1)
	if err != nil {
		return err
	}
	now := time.Now().Truncate(time.Second)
	if err := p.tell(ctx, now); err != nil {
		return err
	}
	if err := p.arm(ctx); err != nil {
		return err
	}
	all := m.day(now)
	bar := &progress{out: p.Progress, redraw: p.Terminal, total: len(all)}
	for done := 0; done < len(all); {
		n := min(batchSize, len(all)-done)
		if err := p.send(ctx, m, all[done:done+n], done/batchSize%2 == 0); err != nil {
			return err
		}
		done += n
		bar.show(done)
	}
	return nil
}

// Trickle goes on with live traffic, about one record a second, until ctx ends.
func (p *Player) Trickle(ctx context.Context) error {
	m, err := newMaker(2) // another seed: ids must not repeat
	if err != nil {
		return err
	}
	start := time.Now()
	var queue []*exchange
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			queue = append(queue, m.live(start, now)...)
			var due []*exchange
			due, queue = split(queue, now)
			if err := p.send(ctx, m, due, true); err != nil {
				return err
			}
		}
	}
}

// live starts something new every few seconds: the stories that are still going on, and ordinary work.
func (m *maker) live(start, now time.Time) []*exchange {
	switch n := m.rng.IntN(20); {
	case n == 0:
		return []*exchange{m.reportRefused(clientOf("position-reports-prod"), now)}
	case n < 3:
		c := clientOf("order-router-prod")
		c.version = "2.14.0"
		return reusedJTI(m, c, now)
	case n < 8:
		clients := cast()
		return m.session(start, clients[m.rng.IntN(len(clients))], now)
	}
	return nil
}

// split takes what is due by now out of a queue.
func split(queue []*exchange, now time.Time) (due, later []*exchange) {
	for _, x := range queue {
		if x.record.Time.After(now) {
			later = append(later, x)
		} else {
			due = append(due, x)
		}
	}
	return due, later
}

// send posts exchanges and the tokens that are reported apart, before or after them: shippers give no order.
func (p *Player) send(ctx context.Context, m *maker, list []*exchange, tokensFirst bool) error {
	var responses, tokens bytes.Buffer
	for _, x := range list {
		record, aside, err := m.show(x)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(&responses).Encode(record); err != nil {
			return fmt.Errorf("encode a record: %w", err)
		}
		for _, t := range aside {
			if err := json.NewEncoder(&tokens).Encode(t); err != nil {
				return fmt.Errorf("encode a token: %w", err)
			}
		}
	}
	if tokensFirst {
		if err := p.post(ctx, "/ingest/v1/tokens", &tokens); err != nil {
			return err
		}
	}
	if err := p.post(ctx, "/ingest/v1/responses", &responses); err != nil {
		return err
	}
	if !tokensFirst {
		return p.post(ctx, "/ingest/v1/tokens", &tokens)
	}
	return nil
}

// post sends one body and insists that every record of it was taken.
func (p *Player) post(ctx context.Context, path string, body *bytes.Buffer) error {
	if body.Len() == 0 {
		return nil
	}
	answer, err := p.request(ctx, path, p.Key, "application/x-ndjson", body)
	if err != nil {
		return err
	}
	var result struct{ Rejected int }
	if err := json.Unmarshal(answer, &result); err != nil {
		return fmt.Errorf("post %s: read the answer: %w", path, err)
	}
	if result.Rejected > 0 {
		return fmt.Errorf("post %s: %d records were rejected: %s", path, result.Rejected, strings.TrimSpace(string(answer)))
	}
	return nil
}

// request posts a body and returns the answer to it; one that refuses is an error.
func (p *Player) request(ctx context.Context, path, key, media string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+path, body)
	if err != nil {
		return nil, fmt.Errorf("post %s: %w", path, err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", media)
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("post %s: %w", path, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("post %s: read the answer: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return nil, fmt.Errorf("post %s: %s: %s", path, resp.Status, strings.TrimSpace(string(answer)))
	}
	return answer, nil
}

// progress shows how far the sending is: a bar that redraws itself on a terminal, else a line at every quarter.
type progress struct {
	out    io.Writer
	redraw bool
	total  int
	shown  int // quarters
}

func (b *progress) show(done int) {
	if b.redraw {
		const width = 40
		full := width * done / b.total
		fmt.Fprintf(b.out, "\rsample traffic [%s%s] %d of %d records", strings.Repeat("█", full), strings.Repeat("·", width-full), done, b.total)
		if done == b.total {
			fmt.Fprintln(b.out)
		}
		return
	}
	if quarter := 4 * done / b.total; quarter > b.shown {
		b.shown = quarter
		fmt.Fprintf(b.out, "sample traffic: %d of %d records\n", done, b.total)
	}
}
