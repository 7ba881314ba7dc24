package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	_ "github.com/mattn/go-sqlite3" // the engine that the product uses too
)

// A reference is what an experienced engineer writes in an afternoon: encoding/json into structs for every record, one
// prepared INSERT for every failure, one transaction for every request, synchronous=FULL. It neither redacts nor
// deduplicates, judges or counts.
type reference struct {
	db     *sql.DB
	insert *sql.Stmt
	mu     sync.Mutex // one writer
}

// A referenceRecord is the record as the reference decodes it.
type referenceRecord struct {
	Time      time.Time `json:"time"`
	ID        string    `json:"id"`
	Service   string    `json:"service"`
	ClientID  string    `json:"client_id"`
	RequestID string    `json:"request_id"`
	TraceID   string    `json:"trace_id"`
	ClientIP  string    `json:"client_ip"`
	UserAgent string    `json:"user_agent"`
	Request   struct {
		Method  string            `json:"method"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	} `json:"response"`
	ClientAssertion *referenceToken `json:"client_assertion"`
	AccessToken     *referenceToken `json:"access_token"`
}

type referenceToken struct {
	Header map[string]any `json:"header"`
	Claims map[string]any `json:"claims"`
}

// openReference creates the database at path.
func openReference(ctx context.Context, path string) (*reference, error) {
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_busy_timeout=5000")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, `create table failure (
			id text primary key, occurred_at bigint not null, service text not null, client_id text not null, request_id text not null,
			trace_id text not null, method text not null, url text not null, status bigint not null,
			error text not null, description text not null, challenge text not null, claims text not null, record text not null);
		create index failure_time on failure (occurred_at);
		create index failure_client on failure (client_id, occurred_at)`)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create table: %w", err), db.Close())
	}
	insert, err := db.PrepareContext(ctx, `insert into failure values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare insert: %w", err), db.Close())
	}
	return &reference{db: db, insert: insert}, nil
}

// take stores the failures of a batch in one transaction.
func (r *reference) take(body []byte) (int, error) {
	var rows [][]any
	n := 0
	for line := range bytes.Lines(body) {
		var record referenceRecord
		if err := json.Unmarshal(line, &record); err != nil {
			return 0, fmt.Errorf("decode record: %w", err)
		}
		n++
		if record.Response.Status < 400 {
			continue
		}
		row, err := record.row(line)
		if err != nil {
			return 0, err
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return n, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	tx, err := r.db.Begin()
	if err != nil {
		return 0, err
	}
	insert := tx.Stmt(r.insert)
	for _, row := range rows {
		if _, err := insert.Exec(row...); err != nil {
			return 0, errors.Join(fmt.Errorf("insert failure: %w", err), tx.Rollback())
		}
	}
	return n, tx.Commit()
}

func (r *referenceRecord) row(line []byte) ([]any, error) {
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(r.Response.Body, &said) // a body that is text says neither
	token := r.AccessToken
	if r.ClientAssertion != nil {
		token = r.ClientAssertion
	}
	var claims []byte
	if token != nil {
		var err error
		if claims, err = json.Marshal(token.Claims); err != nil {
			return nil, fmt.Errorf("encode claims: %w", err)
		}
		if id, ok := token.Claims["client_id"].(string); ok && r.ClientID == "" {
			r.ClientID = id
		}
	}
	return []any{
		r.ID, r.Time.UnixMilli(), r.Service, r.ClientID, r.RequestID, r.TraceID, r.Request.Method, r.Request.URL, r.Response.Status,
		said.Error, said.Description, r.Response.Headers["www-authenticate"], string(claims), string(line),
	}, nil
}

func (r *reference) close() error { return errors.Join(r.insert.Close(), r.db.Close()) }
