package store

import (
	"context"
	"fmt"
)

// A togetherKey finds in a context the transaction of a WriteTogether of that store.
type togetherKey struct{ store *Store }

// together is one transaction that several calls of Write share.
type together struct {
	tx   *Tx
	down error // what made it impossible to go on, even if nobody looked
}

// WriteTogether runs fn in a transaction that every Write with fn's context joins: they are committed together when fn
// returns nil, and undone together when it does not. An error of one that fn passes over costs only that one. What fn
// reads of the store is as it was before. fn may run more than once and must be quick: nobody else writes meanwhile. Its
// context must not be used after it, nor a Write without that context inside it, which would wait for itself.
// Errors: fn's and those of Write.
func (s *Store) WriteTogether(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		t := &together{tx: tx}
		err := fn(context.WithValue(ctx, togetherKey{s}, t))
		if t.down != nil {
			return t.down
		}
		return err
	})
}

// write runs one of the writes under a savepoint of its own, as the writer does with those that share a commit.
func (t *together) write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if t.down != nil {
		return t.down
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // as newJob does
	if err := t.tx.exec(ctx, `savepoint part`); err != nil {
		t.down = fmt.Errorf("set savepoint: %w", err)
		return t.down
	}
	part := *t.tx
	part.mine, part.group = newSums(), newSums()
	part.group.add(t.tx.group)
	part.group.add(t.tx.mine)
	part.group.tookBacklog = t.tx.group.tookBacklog
	err := fn(ctx, &part)
	if err != nil {
		t.tx.undone()
		if t.tx.dialect.conflicts(err) {
			t.down = err
			return err
		}
		if t.down = t.tx.exec(ctx, `rollback to savepoint part`); t.down != nil {
			return t.down
		}
	}
	if t.down = t.tx.exec(ctx, `release savepoint part`); t.down != nil {
		return t.down
	}
	if err != nil {
		return err
	}
	if part.settled {
		t.tx.settled, t.tx.group, t.tx.mine.figures = true, part.group, newFigures()
	}
	t.tx.mine.take(part.mine)
	return nil
}
