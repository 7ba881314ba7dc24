package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"authwatch/classify"
)

// A Failure is one judged auth failure as it is kept. Its event time is Verdict.Time, to the millisecond. Provider,
// environment, client, endpoint and the ids of request and trace are kept to 256 bytes (keyText).
type Failure struct {
	ID         string // "rec_" and a UUIDv7, made by the store
	IncidentID string // set by the store
	Source     string // the ingest key's id that delivered it
	RecordID   string // the shipper's own id, "" if it gave none
	ReceivedAt time.Time
	RequestID  string
	TraceID    string
	Service    string
	Endpoint   string // classify.Exchange.Endpoint
	Method     string
	URL        string
	Status     int             // HTTP status, 0 when there was no response
	Record     json.RawMessage // the redacted classify.Record
	Verdict    classify.Verdict
}

// FailureFilter selects failures, newest event first.
type FailureFilter struct {
	IncidentID   string
	Causes       []classify.Code
	Providers    []string
	Environments []string
	Clients      []string
	Endpoints    []string
	Statuses     []int
	RequestIDs   []string
	From, To     time.Time // half-open, event time
	Page
}

// normalize gives f the values as they are kept, so that what is stored, grouped and answered agrees.
func (f *Failure) normalize(id string, now time.Time) {
	v := &f.Verdict
	f.ID, v.ID = id, id
	v.Time = v.Time.UTC().Truncate(time.Millisecond)
	v.Provider, v.Environment, v.ClientID = keyText(v.Provider), keyText(v.Environment), keyText(v.ClientID)
	f.Endpoint, f.RequestID, f.TraceID = keyText(f.Endpoint), keyText(f.RequestID), keyText(f.TraceID)
	if len(f.Record) == 0 {
		f.Record = json.RawMessage("null")
	}
	if f.ReceivedAt.IsZero() {
		f.ReceivedAt = now
	}
	f.ReceivedAt = f.ReceivedAt.UTC().Truncate(time.Millisecond)
}

// Pack does ahead of AddFailures and ReviseFailure what can be done outside of the writer's turn: it encodes record and verdict.
func (s *Store) Pack(list []Failure) error {
	for i := range list {
		if _, err := json.Marshal(list[i].Verdict); err != nil {
			return fmt.Errorf("encode verdict: %w", err)
		}
	}
	return nil
}

const failureColumns = `id, incident_id, source, record_id, occurred_at, received_at, request_id, trace_id,
	service, endpoint, method, url, status, record, verdict`

// putFailure stores a row, in the place of one with the same id if there is one.
func (t *Tx) putFailure(ctx context.Context, f *Failure) error {
	verdict, err := json.Marshal(f.Verdict)
	if err != nil {
		return fmt.Errorf("encode verdict: %w", err)
	}
	return t.exec(ctx, `insert into failure (`+failureColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		on conflict (id) do update set
			incident_id = excluded.incident_id, source = excluded.source, record_id = excluded.record_id,
			occurred_at = excluded.occurred_at, received_at = excluded.received_at,
			request_id = excluded.request_id, trace_id = excluded.trace_id, service = excluded.service,
			endpoint = excluded.endpoint, method = excluded.method, url = excluded.url, status = excluded.status,
			record = excluded.record, verdict = excluded.verdict`,
		f.ID, f.IncidentID, f.Source, f.RecordID, f.Verdict.Time, f.ReceivedAt, f.RequestID, f.TraceID,
		f.Service, f.Endpoint, f.Method, f.URL, int64(f.Status), string(f.Record), string(verdict))
}

func scanFailure(scan func(...any) error) (Failure, error) {
	var f Failure
	var occurred, received, status int64
	var record, verdict string
	err := scan(&f.ID, &f.IncidentID, &f.Source, &f.RecordID, &occurred, &received, &f.RequestID, &f.TraceID,
		&f.Service, &f.Endpoint, &f.Method, &f.URL, &status, &record, &verdict)
	if err != nil {
		return Failure{}, err
	}
	f.ReceivedAt, f.Status, f.Record = fromMillis(received), int(status), json.RawMessage(record)
	dec := json.NewDecoder(bytes.NewReader([]byte(verdict)))
	dec.UseNumber() // observed values keep every digit
	if err := dec.Decode(&f.Verdict); err != nil {
		return Failure{}, fmt.Errorf("decode verdict of %s: %w", f.ID, err)
	}
	return f, nil
}

func (t *Tx) failure(ctx context.Context, id string) (Failure, error) {
	f, err := scanFailure(t.queryRow(ctx, `select `+failureColumns+` from failure where id = $1`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Failure{}, ErrNotFound
	}
	return f, err
}

// joinLimit bounds what one request id can pull in: an id that every request repeats is no identity.
const joinLimit = 200

// FailuresByRequest returns failures with one of these request ids or trace ids, for the late join of a token: the
// newest 200 of each id, in the order in which they were stored.
func (t *Tx) FailuresByRequest(ctx context.Context, requestIDs, traceIDs []string) ([]Failure, error) {
	found := map[string]Failure{}
	find := func(query string, ids []string) error {
		for _, id := range ids {
			if id == "" {
				continue
			}
			rows, err := t.query(ctx, query, keyText(id), int64(joinLimit))
			if err != nil {
				return err
			}
			list, err := collect(rows, scanFailure)
			if err != nil {
				return err
			}
			for _, f := range list {
				found[f.ID] = f
			}
		}
		return nil
	}
	err := find(`select `+failureColumns+` from failure
		where request_id = $1 and request_id <> '' order by id desc limit $2`, requestIDs)
	if err == nil {
		err = find(`select `+failureColumns+` from failure
			where trace_id = $1 and trace_id <> '' order by id desc limit $2`, traceIDs)
	}
	if err != nil {
		return nil, fmt.Errorf("find failures by request: %w", err)
	}
	list := make([]Failure, 0, len(found))
	for _, id := range sortedKeys(found) {
		list = append(list, found[id])
	}
	return list, nil
}

// ListFailures returns a page and the cursor of the next one, "" on the last.
func (s *Store) ListFailures(ctx context.Context, f FailureFilter) (list []Failure, next string, err error) {
	query, args, err := failureQuery(f)
	if err != nil {
		return nil, "", err
	}
	rows, err := s.readers.QueryContext(ctx, query, bind(args)...)
	if err != nil {
		return nil, "", fmt.Errorf("list failures: %w", err)
	}
	list, err = collect(rows, scanFailure)
	if err != nil {
		return nil, "", fmt.Errorf("list failures: %w", err)
	}
	list, more := cut(list, f.rows())
	if more {
		last := list[len(list)-1]
		next = cursor{List: "failures", Key: toMillis(last.Verdict.Time), Tie: []string{last.ID}}.String()
	}
	return list, next, nil
}

// failureQuery finds the ids in an index and only then reads the rows, which are wide.
func failureQuery(f FailureFilter) (query string, args []any, err error) {
	var w where
	if f.IncidentID != "" {
		w.and(`incident_id = ?`, f.IncidentID)
	}
	of := where{args: w.args}
	in(&of, `cause`, texts(f.Causes))
	in(&of, `provider`, keyTexts(f.Providers))
	in(&of, `environment`, keyTexts(f.Environments))
	in(&of, `client_id`, keyTexts(f.Clients))
	w.args = of.args
	if len(of.conditions) > 0 {
		w.and(`incident_id in (select id from incident where ` + of.sql() + `)`)
	}
	in(&w, `endpoint`, keyTexts(f.Endpoints))
	in(&w, `status`, numbers(f.Statuses))
	if len(f.RequestIDs) > 0 {
		w.and(`request_id <> ''`) // what the partial index asks for
		in(&w, `request_id`, keyTexts(f.RequestIDs))
	}
	w.between(`occurred_at`, f.From, f.To)
	c, ok, err := readCursor(f.Cursor, "failures", 1)
	if err != nil {
		return "", nil, err
	}
	if ok {
		w.and(`(occurred_at, id) < (?, ?)`, c.Key, c.Tie[0])
	}
	query = `select ` + failureColumns + ` from failure where id in (
			select id from failure where ` + w.sql() + `
			order by occurred_at desc, id desc limit ` + w.arg(int64(f.rows()+1)) + `)
		order by occurred_at desc, id desc`
	return query, w.args, nil
}

// GetFailure returns one failure, or ErrNotFound.
func (s *Store) GetFailure(ctx context.Context, id string) (Failure, error) {
	row := s.readers.QueryRowContext(ctx, `select `+failureColumns+` from failure where id = $1`, cleanText(id))
	f, err := scanFailure(row.Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Failure{}, ErrNotFound
	case err != nil:
		return Failure{}, fmt.Errorf("load failure %s: %w", id, err)
	}
	return f, nil
}
