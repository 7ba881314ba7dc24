package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
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
	for i, p := range list {
		id, err := newID("")
		if err != nil {
			return err
		}
		err = t.exec(ctx, `insert into pending (id, join_key, side, kind, occurred_at, body, expires_at)
			values ($1, $2, $3, $4, $5, $6, $7)`,
			id, keyText(p.JoinKey), p.Side, p.Kind, p.Time, string(p.Body), p.ExpiresAt)
		if err != nil {
			return fmt.Errorf("keep half of join %d: %w", i, err)
		}
	}
	return nil
}

// TakePending returns and removes the halves of that side under the given join keys, oldest first. Expired ones count as absent.
func (t *Tx) TakePending(ctx context.Context, side string, joinKeys []string) ([]Pending, error) {
	keys := keyTexts(joinKeys)
	slices.Sort(keys)
	type row struct {
		Pending
		id string
	}
	var found []row
	now := t.now()
	for _, key := range slices.Compact(keys) {
		rows, err := t.query(ctx, `delete from pending where join_key = $1 and side = $2
			returning id, join_key, kind, occurred_at, body, expires_at`, key, side)
		if err != nil {
			return nil, fmt.Errorf("take halves of joins: %w", err)
		}
		taken, err := collect(rows, func(scan func(...any) error) (row, error) {
			r := row{Pending: Pending{Side: side}}
			var occurred, expires int64
			var body string
			err := scan(&r.id, &r.JoinKey, &r.Kind, &occurred, &body, &expires)
			r.Time, r.Body, r.ExpiresAt = fromMillis(occurred), json.RawMessage(body), fromMillis(expires)
			return r, err
		})
		if err != nil {
			return nil, fmt.Errorf("take halves of joins: %w", err)
		}
		found = append(found, taken...)
	}
	slices.SortFunc(found, func(a, b row) int {
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		return cmp.Compare(a.id, b.id)
	})
	var list []Pending
	for _, r := range found {
		if r.ExpiresAt.After(now) {
			list = append(list, r.Pending)
		}
	}
	return list, nil
}
