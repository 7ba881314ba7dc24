package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// A pageClass is one page of the dashboard, asked for many times in a row by a signed-in person.
type pageClass struct {
	Name string  `json:"name"`
	P50  float64 `json:"p50_ms"`
	P95  float64 `json:"p95_ms"`
	// Bytes are the page as a browser gets it, compressed; FirstBytes count its stylesheet and its icon too.
	Bytes      int `json:"bytes"`
	FirstBytes int `json:"first_bytes"`
	path       string
}

// askPages times every page one after the other.
func (r *runner) askPages(ctx context.Context, p *product) ([]pageClass, error) {
	visitor, err := p.visitor(ctx)
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	key, err := p.key(ctx, "read")
	if err != nil {
		return nil, err
	}
	pages, err := pagesOf(ctx, p, key)
	if err != nil {
		return nil, err
	}
	for i := range pages {
		c := &pages[i]
		var times []time.Duration
		for n := range r.asks + 5 {
			start := time.Now()
			body, err := visitor.get(ctx, p.url+c.path)
			if err != nil {
				return nil, err
			}
			if c.Bytes = len(body); n >= 5 { // the first ones warm caches and connection
				times = append(times, time.Since(start))
			}
		}
		c.P50, c.P95 = milliseconds(quantile(times, 0.50)), milliseconds(quantile(times, 0.95))
	}
	parts, err := visitor.parts(ctx, p.url)
	for i := range pages {
		pages[i].FirstBytes = pages[i].Bytes + parts
	}
	return pages, err
}

// pagesOf are the pages of a night's work, about the incident with the most failures and its client: the dearest ones.
func pagesOf(ctx context.Context, p *product, key string) ([]pageClass, error) {
	_, incident, client, err := largestIncident(ctx, p, key)
	if err != nil {
		return nil, err
	}
	var records struct{ Data []struct{ ID string } }
	if err := p.get(ctx, key, "/api/v1/incidents/"+incident+"/failures?limit=1", &records); err != nil {
		return nil, err
	}
	if len(records.Data) == 0 {
		return nil, errors.New("the largest incident has no records")
	}
	return []pageClass{
		{Name: "overview, 24 hours", path: "/"},
		{Name: "overview, 30 days", path: "/?range=30d"},
		{Name: "incidents, 7 days", path: "/incidents"},
		{Name: "incidents, all of 30 days", path: "/incidents?range=30d&state=all"},
		{Name: "incidents, a search", path: "/incidents?range=30d&state=all&q=" + url.QueryEscape("client:p* -env:staging")},
		{Name: "incident", path: "/incidents/" + incident},
		{Name: "failures, 24 hours", path: "/failures"},
		{Name: "record", path: "/failures/" + records.Data[0].ID},
		{Name: "clients", path: "/clients"},
		{Name: "client", path: "/clients/" + url.PathEscape(client)},
		{Name: "environments", path: "/environments"},
		{Name: "keys", path: "/keys"},
		{Name: "live", path: "/live"},
		{Name: "causes", path: "/causes"},
		{Name: "cause", path: "/causes/token_expired"},
		{Name: "changes", path: "/changes"},
		{Name: "unclassified", path: "/unclassified"},
		{Name: "sources", path: "/sources"},
		{Name: "alerts", path: "/alerts"},
		{Name: "storage", path: "/settings/storage"},
	}, nil
}

// A visitor is a signed-in browser without scripts.
type visitor struct{ client *http.Client }

// visitor signs in by a link that the command line makes.
func (p *product) visitor(ctx context.Context) (*visitor, error) {
	out, err := exec.CommandContext(ctx, p.binary, "user", "link", "--db", p.db, "--url", p.url, "admin").Output()
	if err != nil {
		return nil, fmt.Errorf("make sign-in link: %w", err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	// The transport must not unpack what it gets, or its size were lost.
	v := &visitor{client: &http.Client{Jar: jar, Transport: &http.Transport{DisableCompression: true}}}
	resp, err := v.client.Post(strings.TrimSpace(string(out)), "application/x-www-form-urlencoded", nil)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answer %s", resp.Status)
	}
	return v, nil
}

// get returns a body as it came over the wire.
func (v *visitor) get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/html,*/*")
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := v.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", address, resp.Status)
	}
	return body, nil
}

// parts is the size of what a page needs besides itself on the first visit: all that its head links to. Scripts are optional.
func (v *visitor) parts(ctx context.Context, base string) (size int, err error) {
	body, err := v.get(ctx, base+"/causes")
	if err != nil {
		return 0, err
	}
	page, err := unpack(body)
	if err != nil {
		return 0, err
	}
	for _, m := range regexp.MustCompile(`<link rel="(?:icon|stylesheet)" href="([^"]+)"`).FindAllSubmatch(page, -1) {
		part, err := v.get(ctx, base+string(bytes.ReplaceAll(m[1], []byte("&amp;"), []byte("&"))))
		if err != nil {
			return 0, err
		}
		size += len(part)
	}
	if size == 0 {
		return 0, errors.New("the page links to no stylesheet")
	}
	return size, nil
}

func unpack(body []byte) ([]byte, error) {
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) { // sent as it is
		return body, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func (c pageClass) targets() []target {
	return []target{
		atMost("page "+c.Name+", p95", c.P95, 100, "ms"),
		atMost("page "+c.Name+", first visit", float64(c.FirstBytes)/1000, 100, "KB"),
	}
}
