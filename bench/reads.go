package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A readResult is how fast the REST API answers on a filled database: first the time from start to ready, then what the
// pages ask for.
type readResult struct {
	Failures int   `json:"failures"`
	Days     int   `json:"days"`
	Bytes    int64 `json:"bytes"` // of the database
	// StoredPerSecond is how fast each tenth of the failures was stored, one transaction at a time.
	StoredPerSecond []float64      `json:"stored_per_second"`
	ReadyMS         float64        `json:"ready_ms"` // from start of the process to a ready server
	Requests        []requestClass `json:"requests,omitempty"`
	Pages           []pageClass    `json:"pages,omitempty"`
}

// A requestClass is one question, asked many times in a row on a warm database.
type requestClass struct {
	Name  string   `json:"name"`
	P50   float64  `json:"p50_ms"`
	P95   float64  `json:"p95_ms"`
	paths []string // that together answer it
}

// readDays is what the database covers.
const readDays = 30

// reads fills a database with failures of the last 30 days by way of the product itself and asks it what its pages ask.
func (r *runner) reads(ctx context.Context) (readResult, error) {
	dir, remove, err := r.folder()
	if err != nil {
		return readResult{}, err
	}
	defer remove()
	t := r.month(time.Now())
	db := filepath.Join(dir, "authwatch.db")
	speeds, err := r.fill(ctx, db, t)
	if err != nil {
		return readResult{}, fmt.Errorf("fill database: %w", err)
	}
	info, err := os.Stat(db)
	if err != nil {
		return readResult{}, err
	}
	result := readResult{Failures: t.records, Days: readDays, Bytes: info.Size(), StoredPerSecond: speeds}
	start := time.Now()
	p, err := r.startProduct(ctx, db)
	if err != nil {
		return result, err
	}
	if err := p.ready(ctx); err != nil {
		p.kill()
		return result, err
	}
	result.ReadyMS = milliseconds(time.Since(start))
	if err := r.askAll(ctx, p, t, &result); err != nil {
		p.kill()
		return result, err
	}
	return result, p.stop()
}

// askAll asks what the chosen parts are about.
func (r *runner) askAll(ctx context.Context, p *product, t traffic, result *readResult) (err error) {
	if slices.Contains(r.parts, "reads") {
		if result.Requests, err = r.ask(ctx, p, t); err != nil {
			return err
		}
	}
	if slices.Contains(r.parts, "pages") {
		if result.Pages, err = r.askPages(ctx, p); err != nil {
			return fmt.Errorf("pages: %w", err)
		}
	}
	return nil
}

// month describes the failures of the 30 days that end now, with an hour to spare before retention removes the first.
func (r *runner) month(now time.Time) traffic {
	t := r.traffic(100)
	t.records = r.failures
	t.from = now.UTC().Add(time.Hour - readDays*24*time.Hour)
	t.step = now.Sub(t.from) / time.Duration(t.records+1)
	return t
}

// fill stores t's failures in a new database and says how the speed fell as it grew.
func (r *runner) fill(ctx context.Context, path string, t traffic) (speeds []float64, err error) {
	const parts = 10
	if err := r.migrate(ctx, path); err != nil {
		return nil, err
	}
	start, before := time.Now(), 0
	err = r.fillDatabase(ctx, path, t, func(n int) {
		if n == 0 {
			start = time.Now() // the sample is made
		}
		if (n-before)*parts >= t.records {
			speed := float64(n-before) / time.Since(start).Seconds()
			r.log("%d failures stored, the last %d at %.0f a second", n, n-before, speed)
			speeds, start, before = append(speeds, speed), time.Now(), n
		}
	})
	return speeds, err
}

// ask times every question one after the other.
func (r *runner) ask(ctx context.Context, p *product, t traffic) ([]requestClass, error) {
	key, err := p.key(ctx, "read")
	if err != nil {
		return nil, err
	}
	classes, err := questions(ctx, p, key, t)
	if err != nil {
		return nil, err
	}
	for i := range classes {
		c := &classes[i]
		var times []time.Duration
		for n := range r.asks + 5 {
			start := time.Now()
			for _, path := range c.paths {
				var answer struct{}
				if err := p.get(ctx, key, path, &answer); err != nil {
					return nil, err
				}
			}
			if n >= 5 { // the first ones warm caches and connection
				times = append(times, time.Since(start))
			}
		}
		c.P50, c.P95 = milliseconds(quantile(times, 0.50)), milliseconds(quantile(times, 0.95))
	}
	return classes, nil
}

// questions are what the pages read, about the incident with the most failures and its client: the dearest ones.
func questions(ctx context.Context, p *product, key string, t traffic) ([]requestClass, error) {
	incident, _, client, err := largestIncident(ctx, p, key)
	if err != nil {
		return nil, err
	}
	to := t.end()
	day, month := window(to.Add(-24*time.Hour), to), window(to.Add(-readDays*24*time.Hour), to)
	of := url.Values{"client": {client}}.Encode()
	return []requestClass{
		{Name: "trend by cause, 24 h at 5 min", paths: []string{"/api/v1/trends?group_by=cause&step=5m&" + day}},
		{Name: "trend by cause, 30 d at 1 h", paths: []string{"/api/v1/trends?group_by=cause&step=1h&" + month}},
		{Name: "incident list", paths: []string{"/api/v1/incidents?limit=50"}},
		{Name: "incident page data", paths: []string{incident, incident + "/failures?limit=50"}},
		{Name: "client page data", paths: []string{"/api/v1/clients/" + url.PathEscape(client), "/api/v1/incidents?limit=50&" + of,
			"/api/v1/trends?group_by=cause&step=1h&" + month + "&" + of}},
	}, nil
}

// largestIncident finds the one with the most failures: its address in the API, its id and its client.
func largestIncident(ctx context.Context, p *product, key string) (address, id, client string, err error) {
	var page struct {
		Data []struct {
			ID       string
			ClientID string `json:"client_id"`
		}
	}
	if err := p.get(ctx, key, "/api/v1/incidents?sort=count&limit=200", &page); err != nil {
		return "", "", "", err
	}
	for _, i := range page.Data {
		if i.ClientID != "" { // a call without a token is nobody's
			return "/api/v1/incidents/" + i.ID, i.ID, i.ClientID, nil
		}
	}
	return "", "", "", errors.New("the database holds no incident of a known client")
}
