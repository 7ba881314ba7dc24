package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// A Reject is a record that was not taken, kept to be looked at and tried again. Body has been redacted.
type Reject struct {
	Source      string // id of the ingest key
	ID          string // the same whenever the same record comes again
	FirstAt     time.Time
	LastAt      time.Time
	Count       int64  // how often it came
	Route       string // where it was sent to
	Code        string
	Pointer     string // RFC 6901, into the record
	Detail      string
	Bytes       int64  // of the record as it came; 0: not known
	DeliveryKey string // what a repeated delivery has in common with it; "" when the record has an id of its own
	Body        string // JSON; "" when it could not be redacted safely
}

// What is kept of rejects at most: enough to see what is wrong, never so much that bad records fill the disk.
const (
	rejectsOfSource     = 500
	rejectBytesOfSource = 4 << 20
	rejectsOfAll        = 5000
	rejectBytesOfAll    = 32 << 20
)

// KeepRejects keeps rejected records. Of one that is kept already it counts the repetition. The oldest go when there are too many.
func (t *Tx) KeepRejects(ctx context.Context, list []Reject) error {
	sources := map[string]bool{}
	for _, r := range list {
		source := keyText(r.Source)
		sources[source] = true
		err := t.exec(ctx, `insert into reject (source, id, first_at, last_at, count, route, code, pointer, detail, bytes, delivery_key, body, kept)
			values ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9, $10, $11, $12)
			on conflict (source, id) do update set last_at = excluded.last_at, count = reject.count + 1, route = excluded.route,
				code = excluded.code, pointer = excluded.pointer, detail = excluded.detail, body = excluded.body, kept = excluded.kept`,
			source, keyText(r.ID), r.FirstAt, r.LastAt, r.Route, r.Code, r.Pointer, r.Detail, r.Bytes, r.DeliveryKey, r.Body, int64(len(r.Body)))
		if err != nil {
			return fmt.Errorf("keep reject %s of source %s: %w", r.ID, source, err)
		}
	}
	for _, source := range sortedKeys(sources) {
		if err := t.trimRejects(ctx, `where source = $1`, []any{source}, rejectsOfSource, rejectBytesOfSource); err != nil {
			return fmt.Errorf("trim rejects of source %s: %w", source, err)
		}
	}
	if err := t.trimRejects(ctx, ``, nil, rejectsOfAll, rejectBytesOfAll); err != nil {
		return fmt.Errorf("trim rejects: %w", err)
	}
	return nil
}

// trimRejects removes the oldest of those selected until they are within the limits. It reads indexes alone unless there is something to remove.
func (t *Tx) trimRejects(ctx context.Context, where string, args []any, most, mostBytes int64) error {
	var count, bytes int64
	err := t.queryRow(ctx, `select count(*), cast(coalesce(sum(kept), 0) as bigint) from reject `+where, args...).Scan(&count, &bytes)
	if err != nil || count <= most && bytes <= mostBytes {
		return err
	}
	type old struct {
		source, id string
		kept       int64
	}
	rows, err := t.query(ctx, `select source, id, kept from reject `+where+` order by last_at, source, id`, args...)
	if err != nil {
		return err
	}
	list, err := collect(rows, func(scan func(...any) error) (o old, err error) { return o, scan(&o.source, &o.id, &o.kept) })
	if err != nil {
		return err
	}
	for _, o := range list {
		if count <= most && bytes <= mostBytes {
			break
		}
		if err := t.RemoveReject(ctx, o.source, o.id); err != nil {
			return err
		}
		count, bytes = count-1, bytes-o.kept
	}
	return nil
}

// RemoveReject forgets a reject; one that is gone already is no error.
func (t *Tx) RemoveReject(ctx context.Context, source, id string) error {
	if err := t.exec(ctx, `delete from reject where source = $1 and id = $2`, keyText(source), keyText(id)); err != nil {
		return fmt.Errorf("remove reject %s of source %s: %w", id, source, err)
	}
	return nil
}

// ReplayedReject forgets a reject that was tried again and needs no keeping any more, and says so in the audit log.
func (t *Tx) ReplayedReject(ctx context.Context, source, id, result string) error {
	if err := t.RemoveReject(ctx, source, id); err != nil {
		return err
	}
	return t.audit(ctx, AuditRejectReplayed, keyText(source), "record "+keyText(id)+": "+result)
}

const rejectColumns = `source, id, first_at, last_at, count, route, code, pointer, detail, bytes, delivery_key, body`

func scanReject(scan func(...any) error) (r Reject, err error) {
	var first, last int64
	err = scan(&r.Source, &r.ID, &first, &last, &r.Count, &r.Route, &r.Code, &r.Pointer, &r.Detail, &r.Bytes, &r.DeliveryKey, &r.Body)
	r.FirstAt, r.LastAt = fromMillis(first), fromMillis(last)
	return r, err
}

// ListRejects returns the rejects of a source, the latest first, and the cursor of the next page, "" on the last. A code
// that is not empty selects those rejected for it.
func (s *Store) ListRejects(ctx context.Context, source, code string, page Page) (list []Reject, next string, err error) {
	var w where
	w.and(`source = ?`, keyText(source))
	if code != "" {
		w.and(`code = ?`, code)
	}
	c, ok, err := readCursor(page.Cursor, "rejects", 1)
	if err != nil {
		return nil, "", err
	}
	if ok {
		w.and(`(last_at, id) < (?, ?)`, c.Key, c.Tie[0])
	}
	query := strings.Join([]string{`select`, rejectColumns, `from reject where`, w.sql(), `order by last_at desc, id desc limit`, w.arg(int64(page.rows() + 1))}, " ")
	rows, err := s.readers.QueryContext(ctx, query, bind(w.args)...)
	if err != nil {
		return nil, "", fmt.Errorf("list rejects of source %s: %w", source, err)
	}
	list, err = collect(rows, scanReject)
	if err != nil {
		return nil, "", fmt.Errorf("list rejects of source %s: %w", source, err)
	}
	list, more := cut(list, page.rows())
	if more {
		last := list[len(list)-1]
		next = cursor{List: "rejects", Key: toMillis(last.LastAt), Tie: []string{last.ID}}.String()
	}
	return list, next, nil
}

// GetReject returns one reject, or ErrNotFound.
func (s *Store) GetReject(ctx context.Context, source, id string) (Reject, error) {
	r, err := scanReject(s.readers.QueryRowContext(ctx, `select `+rejectColumns+` from reject where source = $1 and id = $2`,
		keyText(source), keyText(id)).Scan)
	return r, missing(err, "load reject "+id)
}
