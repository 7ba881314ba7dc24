package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A product is the real authwatch binary, serving a database of its own.
type product struct {
	*process
	binary string
	db     string
}

// startProduct serves the database at db, which need not exist yet.
func (r *runner) startProduct(ctx context.Context, db string) (*product, error) {
	args := []string{"serve", "--db", db, "--listen", "127.0.0.1:0"}
	for _, path := range r.profiles {
		args = append(args, "--profile", path)
	}
	p, err := startProcess(ctx, filepath.Dir(db), r.product, args...)
	if err != nil {
		return nil, err
	}
	return &product{process: p, binary: r.product, db: db}, nil
}

// key makes an API key beside the running server.
func (p *product) key(ctx context.Context, scope string) (string, error) {
	out, err := exec.CommandContext(ctx, p.binary, "key", "create", "--db", p.db, "--scope", scope, "bench").Output()
	if err != nil {
		return "", fmt.Errorf("create key: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// get reads JSON from the REST API.
func (p *product) get(ctx context.Context, key, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s: %.500s", path, resp.Status, text)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}

// settleTime is how long the figures of incidents may take to hold the last failures: under load they are put off, and written when it ends.
const settleTime = 30 * time.Second

// check compares what the database holds with what was sent: a fast wrong answer is worth nothing.
func (p *product) check(ctx context.Context, key string, t traffic) error {
	for until := time.Now().Add(settleTime); ; time.Sleep(100 * time.Millisecond) {
		err := p.checkNow(ctx, key, t)
		if err == nil || time.Now().After(until) {
			return err
		}
	}
}

func (p *product) checkNow(ctx context.Context, key string, t traffic) error {
	var trend struct {
		Totals struct{ Failures int }
	}
	if err := p.get(ctx, key, "/api/v1/trends?step=24h&"+window(t.from, t.end()), &trend); err != nil {
		return err
	}
	counted, err := p.countIncidents(ctx, key)
	if err != nil {
		return err
	}
	if want := t.failures(); trend.Totals.Failures != want || counted != want {
		return fmt.Errorf("%d failures were sent; trends count %d and incidents %d", want, trend.Totals.Failures, counted)
	}
	return nil
}

func (p *product) countIncidents(ctx context.Context, key string) (int, error) {
	total := 0
	for cursor := ""; ; {
		var page struct {
			Data []struct{ Count int }
			Next string
		}
		if err := p.get(ctx, key, "/api/v1/incidents?limit=200&cursor="+url.QueryEscape(cursor), &page); err != nil {
			return 0, err
		}
		for _, incident := range page.Data {
			total += incident.Count
		}
		if page.Next == "" {
			return total, nil
		}
		cursor = page.Next
	}
}

func window(from, to time.Time) string {
	return url.Values{"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}.Encode()
}

// ready waits until the server says that it can take records.
func (p *product) ready(ctx context.Context) error {
	for range 6000 {
		resp, err := http.Get(p.url + "/readyz")
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("the server does not become ready")
}

// emptySize is the size of a database that holds nothing.
func (r *runner) emptySize(ctx context.Context) (int64, error) {
	path := filepath.Join(r.dir, "empty.db")
	defer os.Remove(path)
	if err := r.migrate(ctx, path); err != nil {
		return 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// migrate makes an empty database, with its fingerprint key.
func (r *runner) migrate(ctx context.Context, path string) error {
	if out, err := exec.CommandContext(ctx, r.product, "migrate", "--db", path).CombinedOutput(); err != nil {
		return fmt.Errorf("migrate: %w: %s", err, out)
	}
	return nil
}
