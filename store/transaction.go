package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
)

// transactionDown says that a transaction was rolled back as a whole before its commit was tried.
type transactionDown struct{ cause error }

func (e *transactionDown) Error() string { return e.cause.Error() }
func (e *transactionDown) Unwrap() error { return e.cause }

// transact runs the group in one transaction, and writes so much of what was put off. Its error concerns all; errors of single
// jobs are left in them.
func (w *writer) transact(group []*job, f flush) error {
	ctx := context.Background()
	if err := w.begin(ctx); err != nil {
		return fmt.Errorf("begin write: %w", err)
	}
	added := newSums()
	added.settleFacts = f.facts
	if err := w.adoptFacts(ctx, added); err != nil {
		w.rollback(ctx)
		return &transactionDown{err}
	}
	for _, j := range group {
		if err := w.runJob(ctx, j, added); err != nil {
			w.rollback(ctx)
			return &transactionDown{err}
		}
	}
	now := f.figures || w.dialect.othersWrote == "" || w.memory.backlog.isAtOnce(added.figures)
	last := w.tx(newSums(), added)
	err := added.write(ctx, last, now)
	if err == nil {
		err = last.writeFeed(ctx, append(added.feed, last.mine.feed...))
	}
	if err != nil {
		w.rollback(ctx)
		return &transactionDown{err}
	}
	err = w.memory.facts.commit(added, func() error {
		_, err := w.conn.ExecContext(ctx, `commit`)
		return err
	})
	if err != nil {
		w.rollback(ctx)
		return fmt.Errorf("commit: %w", err)
	}
	if b := w.memory.backlog; added.tookBacklog {
		b.emptied()
	} else if added.size() > 0 {
		b.keep(added.figures)
	}
	return nil
}

func (w *writer) tx(mine, group *sums) *Tx {
	return &Tx{conn: w.conn, dialect: w.dialect, now: w.now, mine: mine, group: group, memory: w.memory}
}

func (w *writer) begin(ctx context.Context) error {
	kept := w.conn != nil
	err := w.tryBegin(ctx)
	if err != nil && kept && w.dialect.lost(err) {
		err = w.tryBegin(ctx) // the server closed an idle connection
	}
	return err
}

func (w *writer) tryBegin(ctx context.Context) error {
	if w.conn == nil {
		conn, err := w.db.Conn(ctx)
		if err != nil {
			return err
		}
		if w.dialect.prepare != "" {
			if _, err := conn.ExecContext(ctx, w.dialect.prepare); err != nil {
				return errors.Join(err, conn.Close())
			}
		}
		w.conn = conn
	}
	if _, err := w.conn.ExecContext(ctx, w.dialect.begin); err != nil {
		w.discard()
		return err
	}
	if err := w.noticeOthers(ctx); err != nil {
		w.rollback(ctx)
		return err
	}
	return nil
}

// noticeOthers forgets what is remembered of the database when another process has written.
func (w *writer) noticeOthers(ctx context.Context) error {
	if w.dialect.othersWrote == "" {
		clear(w.memory.episodes)
		return nil
	}
	var version int64
	if err := w.conn.QueryRowContext(ctx, w.dialect.othersWrote).Scan(&version); err != nil {
		return fmt.Errorf("ask who has written: %w", err)
	}
	if version != w.version {
		w.memory.facts.forgetAll()
		clear(w.memory.episodes)
		if err := w.noticeAdoption(ctx); err != nil {
			return err
		}
		w.version = version
	}
	return nil
}

// runJob runs one job under its savepoint. It returns an error only if the transaction cannot go on.
func (w *writer) runJob(ctx context.Context, j *job, group *sums) error {
	if _, err := w.conn.ExecContext(ctx, `savepoint one`); err != nil {
		return fmt.Errorf("set savepoint: %w", err)
	}
	tx := w.tx(newSums(), group)
	j.err = callSafely(j.ctx, j.fn, tx)
	if j.err == nil {
		if tx.settled {
			group.figures, group.tookBacklog = newFigures(), true
		}
		group.take(tx.mine)
		if _, err := w.conn.ExecContext(ctx, `release savepoint one`); err != nil {
			return fmt.Errorf("release savepoint: %w", err)
		}
		return nil
	}
	w.memory.undone()
	if w.dialect.conflicts(j.err) {
		return j.err // locks of the earlier jobs are part of the conflict
	}
	if _, err := w.conn.ExecContext(ctx, `rollback to savepoint one`); err != nil {
		return fmt.Errorf("%w (and roll back: %w)", j.err, err)
	}
	_, err := w.conn.ExecContext(ctx, `release savepoint one`)
	return err
}

// callSafely turns a panic of fn into an error. fn has a goroutine of its own, so that one that ends it (runtime.Goexit,
// as a test's FailNow does) does not end the writer.
func callSafely(ctx context.Context, fn func(context.Context, *Tx) error, tx *Tx) error {
	result := make(chan error, 1)
	go func() {
		err := errors.New("write ended its goroutine")
		defer func() {
			if v := recover(); v != nil {
				err = panicError(v)
			}
			result <- err
		}()
		err = fn(ctx, tx)
	}()
	return <-result
}

// panicError tells where it happened but quotes only the runtime's own messages: any other value may hold log text.
func panicError(v any) error {
	if r, ok := v.(runtime.Error); ok {
		return fmt.Errorf("write panicked: %w\n%s", r, debug.Stack())
	}
	return fmt.Errorf("write panicked with a %T\n%s", v, debug.Stack())
}

// rollback ends the transaction; a connection that cannot even do that is thrown away, and the transaction with it.
func (w *writer) rollback(ctx context.Context) {
	w.memory.undone()
	if _, err := w.conn.ExecContext(ctx, `rollback`); err != nil {
		w.discard()
	}
}

func (w *writer) discard() {
	_ = w.conn.Raw(func(any) error { return driver.ErrBadConn }) // makes the pool close it
	_ = w.conn.Close()
	w.conn, w.version = nil, 0 // the next one counts the commits of others anew
}
