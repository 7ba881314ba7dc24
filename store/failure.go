package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"authwatch/classify"
)

// A Failure is one judged auth failure as it is kept. Its event time is Verdict.Time, to the millisecond. Provider,
// environment, client, endpoint and the ids of request and trace are kept to 256 bytes (keyText).
type Failure struct {
	ID         string // "rec_" and 13 characters, made by the store; sorts by the time of the event
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
	// Gathered is set by the store when it gave a new failure to the incident of ManyNewClients. It is not kept.
	Gathered bool

	id, incident rowID
	endpoint     int64  // the digest of Endpoint, once it is joined
	body         []byte // packed; nil until Pack
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
	Terms        []Term
	From, To     time.Time // half-open, event time
	Page
}

// Pack does ahead of AddFailures and ReviseFailure what can be done outside of the writer's turn: it encodes record and
// verdict. A packed failure is not to be changed any more.
func (s *Store) Pack(list []Failure) error {
	now := s.now()
	for i := range list {
		if err := s.templates.pack(&list[i], now); err != nil {
			return fmt.Errorf("pack failure %d: %w", i, err)
		}
	}
	return nil
}

// normalize gives f the values as they are kept, so that what is stored, grouped and answered agrees.
func (f *Failure) normalize(now time.Time) {
	v := &f.Verdict
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

// setID names the failure and its verdict.
func (f *Failure) setID(id rowID) {
	f.id, f.ID = id, id.text("rec_")
	f.Verdict.ID = f.ID
}

func (f *Failure) setIncident(id rowID) { f.incident, f.IncidentID = id, id.text("inc_") }

// insertTries is how many ids of one millisecond are tried before the next one.
const insertTries = 16

// insertFailures stores packed failures under new ids. Those are nearly always free; only where one is not, the
// failures are stored again, each for itself.
func (t *Tx) insertFailures(ctx context.Context, list []Failure) error {
	if err := t.exec(ctx, `savepoint failures`); err != nil {
		return err
	}
	rows := t.rowList(ctx, insertFailure, 5, ``)
	for i := range list {
		f := &list[i]
		f.setID(idAt(toMillis(f.Verdict.Time)) + t.tails.next())
		rows.add(f.row()...)
	}
	if rows.end() != nil { // an id is taken; what else may be wrong is so with each
		if err := t.exec(ctx, `rollback to savepoint failures`); err != nil {
			return err
		}
		for i := range list {
			if err := t.insertFailure(ctx, &list[i]); err != nil {
				return err
			}
		}
	}
	return t.exec(ctx, `release savepoint failures`)
}

const insertFailure = `insert into failure (id, incident_id, endpoint, status, body) values `

func (f *Failure) row() []any {
	return []any{int64(f.id), int64(f.incident), f.endpoint, int64(f.Status), f.body}
}

// insertFailure stores one, under the first id that is free.
func (t *Tx) insertFailure(ctx context.Context, f *Failure) error {
	id := idAt(toMillis(f.Verdict.Time))
	for try := 1; ; try++ {
		f.setID(id + t.tails.next())
		stored, err := t.changed(ctx, insertFailure+t.rows.of(1, 5)+` on conflict do nothing`, f.row()...)
		if err != nil || stored {
			return err
		}
		if try%insertTries == 0 {
			id += 1 << idTailBits // so many events share a millisecond that the next one has to help out
		}
	}
}

// replaceFailures stores packed failures in the place of those with their ids.
func (t *Tx) replaceFailures(ctx context.Context, list []Failure) error {
	for i := range list {
		if err := t.replaceFailure(ctx, &list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) replaceFailure(ctx context.Context, f *Failure) error {
	return t.changeOne(ctx, `update failure set incident_id = $1, endpoint = $2, status = $3, body = $4 where id = $5`,
		int64(f.incident), f.endpoint, int64(f.Status), f.body, int64(f.id))
}

const failureColumns = `id, incident_id, status, body`

// scanFailure reads a row whose body is still packed.
func scanFailure(scan func(...any) error) (f Failure, err error) {
	var status int64
	err = scan((*int64)(&f.id), (*int64)(&f.incident), &status, &f.body)
	f.Status = int(status)
	f.setIncident(f.incident)
	return f, err
}

// A querier is what rows are read through: the pool of readers, or the writer's connection.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// unpackAll reads the bodies of rows. The rows must have been read to their end: templates are loaded meanwhile.
func (t *templates) unpackAll(ctx context.Context, from querier, list []Failure) error {
	verdicts := newVerdictReader()
	for i := range list {
		if err := t.unpack(ctx, from, &list[i], verdicts); err != nil {
			return fmt.Errorf("read failure %s: %w", list[i].id.text("rec_"), err)
		}
	}
	return nil
}

// failures runs a query for failureColumns.
func (t *Tx) failures(ctx context.Context, query string, args ...any) ([]Failure, error) {
	rows, err := t.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	list, err := collect(rows, scanFailure)
	if err != nil {
		return nil, err
	}
	return list, t.templates.unpackAll(context.WithoutCancel(ctx), t.conn, list)
}

// failure runs a query for failureColumns that has one answer, or ErrNotFound.
func (t *Tx) failure(ctx context.Context, query string, args ...any) (Failure, error) {
	list, err := t.failures(ctx, query, args...)
	if err != nil {
		return Failure{}, err
	}
	if len(list) == 0 {
		return Failure{}, ErrNotFound
	}
	return list[0], nil
}

// GetFailure returns one failure, what this write and those before it did included, or ErrNotFound.
func (t *Tx) GetFailure(ctx context.Context, id string) (Failure, error) {
	return t.failure(ctx, failureByID, int64(parseID("rec_", id)))
}

const failureByID = `select ` + failureColumns + ` from failure where id = $1`

func (s *Store) failures(ctx context.Context, query string, args ...any) ([]Failure, error) {
	rows, err := s.readers.QueryContext(ctx, query, bind(args)...)
	if err != nil {
		return nil, err
	}
	list, err := collect(rows, scanFailure)
	if err != nil {
		return nil, err
	}
	return list, s.templates.unpackAll(ctx, s.readers, list)
}

// GetFailure returns one failure, or ErrNotFound.
func (s *Store) GetFailure(ctx context.Context, id string) (Failure, error) {
	list, err := s.failures(ctx, failureByID, int64(parseID("rec_", id)))
	switch {
	case err != nil:
		return Failure{}, fmt.Errorf("load failure %s: %w", id, err)
	case len(list) == 0:
		return Failure{}, ErrNotFound
	}
	return list[0], nil
}
