package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Pending is one half of a join that waits for the other: a decoded JWT that came before its response, or a response
// that came before its JWT. JoinKey is "request:" or "trace:" and the id.
type Pending struct {
	JoinKey   string
	Side      string // "token" or "exchange"
	Kind      string // token side: client_assertion or access_token
	Time      time.Time
	Body      json.RawMessage // redacted classify.JWT, or redacted classify.Record
	ExpiresAt time.Time       // by receipt
}

// PutPending keeps halves of joins. Those whose time is over are removed on the way.
func (t *Tx) PutPending(ctx context.Context, list []Pending) error {
	if err := t.exec(ctx, `delete from pending where expires_at <= $1`, t.now()); err != nil {
		return fmt.Errorf("remove expired halves of joins: %w", err)
	}
	const columns = 6
	args := make([]any, 0, columns*len(list))
	for _, p := range list {
		args = append(args, keyText(p.JoinKey), p.Side, p.Kind, p.Time, string(p.Body), p.ExpiresAt)
	}
	err := t.execRows(ctx, `insert into pending (join_key, side, kind, occurred_at, body, expires_at) values `, columns, ``, args)
	if err != nil {
		return fmt.Errorf("keep halves of joins: %w", err)
	}
	return nil
}

// TakePending returns and removes the halves of that side under the given join keys, oldest first. Expired ones count as absent.
func (t *Tx) TakePending(ctx context.Context, side string, joinKeys []string) ([]Pending, error) {
	var waits bool
	if err := t.queryRow(ctx, `select exists (select 1 from pending where side = $1)`, side).Scan(&waits); err != nil || !waits {
		if err != nil {
			err = fmt.Errorf("look for halves of joins: %w", err)
		}
		return nil, err
	}
	keys := keyTexts(joinKeys)
	slices.Sort(keys)
	var found []Pending
	for chunk := range slices.Chunk(slices.Compact(keys), lookupSize) {
		taken, err := t.takePending(ctx, side, chunk)
		if err != nil {
			return nil, fmt.Errorf("take halves of joins: %w", err)
		}
		found = append(found, taken...)
	}
	slices.SortFunc(found, func(a, b Pending) int {
		return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.Body, b.Body))
	})
	now := t.now()
	return slices.DeleteFunc(found, func(p Pending) bool { return !p.ExpiresAt.After(now) }), nil
}

// takePending removes the halves under at most lookupSize keys. Shorter lists are filled up, so that one prepared statement serves all.
func (t *Tx) takePending(ctx context.Context, side string, keys []string) ([]Pending, error) {
	marks, args := make([]string, lookupSize), make([]any, 0, 1+lookupSize)
	args = append(args, side)
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+2)
		args = append(args, keys[min(i, len(keys)-1)])
	}
	rows, err := t.query(ctx, `delete from pending where side = $1 and join_key in (`+strings.Join(marks, ", ")+`)
		returning join_key, kind, occurred_at, body, expires_at`, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (Pending, error) {
		p := Pending{Side: side}
		var occurred, expires int64
		var body string
		err := scan(&p.JoinKey, &p.Kind, &occurred, &body, &expires)
		p.Time, p.Body, p.ExpiresAt = fromMillis(occurred), json.RawMessage(body), fromMillis(expires)
		return p, err
	})
}
