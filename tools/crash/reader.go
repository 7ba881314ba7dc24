package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	_ "github.com/mattn/go-sqlite3" // the driver
)

// A reader asks the server's REST API.
type reader struct {
	url, key string
}

// read returns what is stored of a round's client.
func (r reader) read(ctx context.Context, client string) (stored, error) {
	var s stored
	for cursor := ""; ; {
		var page struct {
			Data []struct {
				RecordID string `json:"record_id"`
			}
			Next string
		}
		q := url.Values{"client": {client}, "fields": {"record_id"}, "limit": {"200"}}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		if err := r.get(ctx, "/api/v1/failures?"+q.Encode(), &page); err != nil {
			return s, err
		}
		for _, f := range page.Data {
			s.failures = append(s.failures, f.RecordID)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	var incidents struct{ Data []struct{ Count int64 } }
	if err := r.get(ctx, "/api/v1/incidents?limit=200&client="+url.QueryEscape(client), &incidents); err != nil {
		return s, err
	}
	for _, i := range incidents.Data {
		s.counted += i.Count
	}
	var clients struct{ Data []struct{ Successes int64 } }
	if err := r.get(ctx, "/api/v1/clients?limit=200&client="+url.QueryEscape(client), &clients); err != nil {
		return s, err
	}
	for _, c := range clients.Data {
		s.successes += c.Successes
	}
	return s, nil
}

func (r reader) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
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
		return fmt.Errorf("GET %s: %s: %s", path, resp.Status, text)
	}
	return json.Unmarshal(text, into)
}

// sound runs SQLite's own check over the database.
func sound(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_query_only=on&_busy_timeout=5000")
	if err != nil {
		return err
	}
	defer db.Close()
	var said string
	if err := db.QueryRowContext(ctx, `pragma integrity_check`).Scan(&said); err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	if said != "ok" {
		return fmt.Errorf("database is not sound: %s", said)
	}
	return nil
}
