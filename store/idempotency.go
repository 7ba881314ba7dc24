package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// An Answered request is one with an Idempotency-Key, and what it was answered.
type Answered struct {
	Source    string
	Name      string // the Idempotency-Key
	BodyPrint string // keyed digest of the body
	Answer    string
	ExpiresAt time.Time
}

// answersOfSource bounds how many answers are kept for one source; the next ones to expire go first.
// The bound is looked after at one answer in trimEvery, since it costs reading them all.
const (
	answersOfSource = 10_000
	trimEvery       = 64
)

// GetAnswered returns what a request of that source and name was answered; ErrNotFound when there was none or its time is over.
func (s *Store) GetAnswered(ctx context.Context, source, name string) (Answered, error) {
	a := Answered{Source: source, Name: name}
	var expires int64
	err := s.readers.QueryRowContext(ctx, `select body_print, answer, expires_at from idempotency where source = $1 and name = $2 and expires_at > $3`,
		keyText(source), keyText(name), toMillis(s.now())).Scan(&a.BodyPrint, &a.Answer, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return Answered{}, ErrNotFound
	}
	if err != nil {
		return Answered{}, fmt.Errorf("load answer of source %s: %w", source, err)
	}
	a.ExpiresAt = fromMillis(expires)
	return a, nil
}

// KeepAnswered keeps an answer until it expires. The first one of a name stays: first is false when there is one already.
func (t *Tx) KeepAnswered(ctx context.Context, a Answered) (first bool, err error) {
	source := keyText(a.Source)
	err = t.exec(ctx, `delete from idempotency where expires_at <= $1`, t.now())
	if err != nil {
		return false, fmt.Errorf("remove expired answers: %w", err)
	}
	first, err = t.changed(ctx, `insert into idempotency (source, name, body_print, answer, expires_at) values ($1, $2, $3, $4, $5)
		on conflict (source, name) do nothing`, source, keyText(a.Name), a.BodyPrint, a.Answer, a.ExpiresAt)
	if err == nil && newRef()%trimEvery == 0 {
		err = t.exec(ctx, `delete from idempotency where source = $1 and expires_at < coalesce((
			select expires_at from idempotency where source = $1 order by expires_at desc limit 1 offset $2), 0)`, source, int64(answersOfSource))
	}
	if err != nil {
		return false, fmt.Errorf("keep answer of source %s: %w", source, err)
	}
	return first, nil
}
