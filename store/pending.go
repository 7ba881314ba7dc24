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
// that came before its JWT. Each of its keys is "request:" or "trace:" and the id.
type Pending struct {
	JoinKey   string
	OtherKey  string // a key of the other sort, under which it is found as well; "" for none
	Side      string // "token" or "exchange"
	Kind      string // token side: client_assertion or access_token
	Time      time.Time
	Body      json.RawMessage // redacted classify.JWT, or redacted classify.Record
	ExpiresAt time.Time       // by receipt
}

// pendingKey is 64 bits that stand for a half's side and one of its keys. Whoever joins compares the ids themselves.
func pendingKey(side, key string) int64 { return nameDigest(side + " " + key) }

// keys are those of a half as columns: of the request, and of the trace; nil for none.
func (p *Pending) keys() (request, trace any) {
	place := func(key string) {
		if strings.HasPrefix(key, byTrace) {
			trace = pendingKey(p.Side, key)
		} else {
			request = pendingKey(p.Side, key)
		}
	}
	place(p.JoinKey)
	if p.OtherKey != "" {
		place(p.OtherKey)
	}
	return request, trace
}

// expireAtOnce is how many expired halves are removed with a write beyond twice as many as it brings: after a pause
// there may be those of ten minutes, which must not hold up the writer.
const expireAtOnce = 500

// PutPending keeps halves of joins. Some of those whose time is over are removed on the way.
func (t *Tx) PutPending(ctx context.Context, list []Pending) error {
	if _, err := t.expirePending(ctx, 2*len(list)+expireAtOnce); err != nil {
		return fmt.Errorf("remove expired halves of joins: %w", err)
	}
	rows := t.rowList(ctx, `insert into pending (join_key, other_key, side, kind, occurred_at, body, expires_at) values `, 7, ``)
	for i := range list {
		p := &list[i]
		request, trace := p.keys()
		rows.add(request, trace, p.Side, p.Kind, p.Time, string(p.Body), p.ExpiresAt)
	}
	if err := rows.end(); err != nil {
		return fmt.Errorf("keep halves of joins: %w", err)
	}
	return nil
}

// expirePending removes about as many halves whose time is over as most, those of one millisecond together.
func (t *Tx) expirePending(ctx context.Context, most int) (removed int64, err error) {
	return t.execCount(ctx, `delete from pending where expires_at <=
		coalesce((select expires_at from pending where expires_at <= $1 order by expires_at limit 1 offset $2), $1)`, t.now(), int64(most))
}

// TakePending returns and removes the halves of that side under the given join keys, each once, oldest first and without the keys. Expired
// ones count as absent.
func (t *Tx) TakePending(ctx context.Context, side string, joinKeys []string) ([]Pending, error) {
	list, err := t.pending(ctx, side, joinKeys, func(where string) string {
		return `delete from pending where ` + where + ` returning kind, occurred_at, body, expires_at`
	})
	if err != nil {
		return nil, fmt.Errorf("take halves of joins: %w", err)
	}
	return list, nil
}

// FindTokens returns the tokens that wait under the given join keys as TakePending does, and leaves them: one trace can hold several exchanges.
func (t *Tx) FindTokens(ctx context.Context, joinKeys []string) ([]Pending, error) {
	var waits bool
	if err := t.queryRow(ctx, `select exists (select 1 from pending where side = 'token' and expires_at > $1)`, t.now()).Scan(&waits); err != nil || !waits {
		if err != nil {
			err = fmt.Errorf("look for tokens: %w", err)
		}
		return nil, err
	}
	list, err := t.pending(ctx, "token", joinKeys, func(where string) string {
		return `select kind, occurred_at, body, expires_at from pending where ` + where
	})
	if err != nil {
		return nil, fmt.Errorf("find tokens: %w", err)
	}
	return slices.CompactFunc(list, func(a, b Pending) bool { // one is found by both of its keys
		return a.Kind == b.Kind && a.Time.Equal(b.Time) && bytes.Equal(a.Body, b.Body)
	}), nil
}

// pending runs a statement for the halves of that side under the given join keys.
func (t *Tx) pending(ctx context.Context, side string, joinKeys []string, statement func(where string) string) ([]Pending, error) {
	var requests, traces []int64
	for _, key := range joinKeys {
		if strings.HasPrefix(key, byTrace) {
			traces = append(traces, pendingKey(side, key))
		} else {
			requests = append(requests, pendingKey(side, key))
		}
	}
	var found []Pending
	for _, of := range []struct {
		column string
		keys   []int64
	}{{"join_key", requests}, {"other_key", traces}} {
		slices.Sort(of.keys)
		for chunk := range slices.Chunk(slices.Compact(of.keys), lookupSize) {
			list, err := t.pendingUnder(ctx, side, of.column, chunk, statement)
			if err != nil {
				return nil, err
			}
			found = append(found, list...)
		}
	}
	slices.SortFunc(found, func(a, b Pending) int {
		return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.Body, b.Body))
	})
	now := t.now()
	return slices.DeleteFunc(found, func(p Pending) bool { return !p.ExpiresAt.After(now) }), nil
}

// pendingUnder runs it for at most lookupSize keys. Shorter lists are filled up, so that one prepared statement serves all of a column.
func (t *Tx) pendingUnder(ctx context.Context, side, column string, keys []int64, statement func(where string) string) ([]Pending, error) {
	marks, args := make([]string, lookupSize), make([]any, lookupSize)
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
		args[i] = keys[min(i, len(keys)-1)]
	}
	rows, err := t.query(ctx, statement(column+` in (`+strings.Join(marks, ", ")+`)`), args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (Pending, error) {
		p := Pending{Side: side}
		var occurred, expires int64
		var body string
		err := scan(&p.Kind, &occurred, &body, &expires)
		p.Time, p.Body, p.ExpiresAt = fromMillis(occurred), json.RawMessage(body), fromMillis(expires)
		return p, err
	})
}
