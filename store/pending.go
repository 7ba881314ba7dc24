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

// keys are those of a half as columns: of the request, and of the trace.
func (p *Pending) keys() (request string, trace any) {
	for _, key := range [...]string{p.JoinKey, p.OtherKey} {
		switch {
		case key == "":
		case strings.HasPrefix(key, byTrace):
			trace = keyText(key)
		default:
			request = keyText(key)
		}
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
	const columns = 7
	args := make([]any, 0, columns*len(list))
	for i := range list {
		p := &list[i]
		request, trace := p.keys()
		args = append(args, request, trace, p.Side, p.Kind, p.Time, string(p.Body), p.ExpiresAt)
	}
	err := t.execRows(ctx, `insert into pending (join_key, other_key, side, kind, occurred_at, body, expires_at) values `, columns, ``, args)
	if err != nil {
		return fmt.Errorf("keep halves of joins: %w", err)
	}
	return nil
}

// expirePending removes about as many halves whose time is over as most, those of one millisecond together.
func (t *Tx) expirePending(ctx context.Context, most int) (removed int64, err error) {
	return t.execCount(ctx, `delete from pending where expires_at <=
		coalesce((select expires_at from pending where expires_at <= $1 order by expires_at limit 1 offset $2), $1)`, t.now(), int64(most))
}

// TakePending returns and removes the halves of that side under the given join keys, each once, oldest first. Expired ones count as absent.
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
	keys = slices.Compact(keys)
	var traces []string
	keys = slices.DeleteFunc(keys, func(key string) bool {
		if strings.HasPrefix(key, byTrace) {
			traces = append(traces, key)
			return true
		}
		return false
	})
	var found []Pending
	for _, of := range []struct {
		column string
		keys   []string
	}{{"join_key", keys}, {"other_key", traces}} {
		for chunk := range slices.Chunk(of.keys, lookupSize) {
			taken, err := t.takePending(ctx, side, of.column, chunk)
			if err != nil {
				return nil, fmt.Errorf("take halves of joins: %w", err)
			}
			found = append(found, taken...)
		}
	}
	slices.SortFunc(found, func(a, b Pending) int {
		return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.Body, b.Body))
	})
	now := t.now()
	return slices.DeleteFunc(found, func(p Pending) bool { return !p.ExpiresAt.After(now) }), nil
}

// takePending removes the halves under at most lookupSize keys. Shorter lists are filled up, so that one prepared statement serves all of a column.
func (t *Tx) takePending(ctx context.Context, side, column string, keys []string) ([]Pending, error) {
	marks, args := make([]string, lookupSize), make([]any, 0, 1+lookupSize)
	args = append(args, side)
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+2)
		args = append(args, keys[min(i, len(keys)-1)])
	}
	rows, err := t.query(ctx, `delete from pending where side = $1 and `+column+` in (`+strings.Join(marks, ", ")+`)
		returning join_key, coalesce(other_key, ''), kind, occurred_at, body, expires_at`, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (Pending, error) {
		p := Pending{Side: side}
		var occurred, expires int64
		var body string
		err := scan(&p.JoinKey, &p.OtherKey, &p.Kind, &occurred, &body, &expires)
		if p.JoinKey == "" {
			p.JoinKey, p.OtherKey = p.OtherKey, ""
		}
		p.Time, p.Body, p.ExpiresAt = fromMillis(occurred), json.RawMessage(body), fromMillis(expires)
		return p, err
	})
}
