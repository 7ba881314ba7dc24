package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

const (
	queueLength = 256                   // writes that may wait; beyond that ErrBusy
	groupSize   = 64                    // writes that share one commit
	giveWay     = 20 * time.Millisecond // and up to as much again for each try, before one
	attempts    = 3                     // tries of a write that lost against another replica's
)

// Write runs fn in a transaction and returns when it is durably committed. Several calls share one commit; each runs
// under a savepoint of its own, so that an error of one costs only that one. fn may run more than once, must not keep tx
// and must not call Write.
// Errors: ErrBusy or ErrClosed when it was never begun, ctx's own when it ended before the write was begun,
// fn's, or the commit's. A write that has begun runs to its end, whatever becomes of ctx.
func (s *Store) Write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	return s.writeIn(ctx, s.writes.queue, fn)
}

// writeAside is Write for what can wait: it is in nobody's commit, and of several there is one between two commits of others.
func (s *Store) writeAside(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	return s.writeIn(ctx, s.writes.asides, fn)
}

func (s *Store) writeIn(ctx context.Context, queue chan *job, fn func(ctx context.Context, tx *Tx) error) error {
	if t, ok := ctx.Value(togetherKey{s}).(*together); ok {
		return t.write(ctx, fn)
	}
	if err := ctx.Err(); err != nil {
		return err // else it could be committed before the end is noticed below
	}
	j := newJob(ctx, fn)
	if err := s.writes.enqueue(queue, j); err != nil {
		return err
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		if j.abandon() {
			return ctx.Err()
		}
		return <-j.done
	}
}

// writeLater queues a write that nobody waits for and that may be lost.
func (s *Store) writeLater(fn func(ctx context.Context, tx *Tx) error) {
	_ = s.writes.enqueue(s.writes.asides, newJob(context.Background(), fn)) // a full queue has better things to do
}

// A job is one call of Write.
type job struct {
	ctx   context.Context
	fn    func(ctx context.Context, tx *Tx) error
	done  chan error // holds one
	taken atomic.Bool
	err   error // of fn in the present transaction
}

// newJob takes ctx's values but not its end: a statement that is interrupted inside a transaction makes SQLite roll
// back the writes of all others in it, and pgx close the connection.
func newJob(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) *job {
	return &job{ctx: context.WithoutCancel(ctx), fn: fn, done: make(chan error, 1)}
}

// start and abandon exclude each other: the first one called wins.
func (j *job) start() bool   { return j.taken.CompareAndSwap(false, true) }
func (j *job) abandon() bool { return j.taken.CompareAndSwap(false, true) }

// errRaced says that another replica changed what a write had just read. It may succeed when it is run again.
var errRaced = errors.New("another replica was faster")

// A writer owns the one connection that writes. Its goroutine takes the jobs that wait, commits them together and answers them.
type writer struct {
	db          *sql.DB
	dialect     dialect
	now         func() time.Time
	memory      *memory
	checkpoints *checkpointer
	queue       chan *job
	asides      chan *job     // that can wait; never closed
	stopped     chan struct{} // closed when the goroutine has ended

	mu     sync.RWMutex // held while a job is queued, so that none is queued after the end
	closed bool

	conn    *sql.Conn // of the goroutine alone; nil until the first write and after a loss
	version int64     // of the database at the last look, in which the commits of others are counted
}

func newWriter(db *sql.DB, d dialect, now func() time.Time, m *memory, c *checkpointer) *writer {
	w := &writer{
		db: db, dialect: d, now: now, memory: m, checkpoints: c,
		queue: make(chan *job, queueLength), asides: make(chan *job, queueLength), stopped: make(chan struct{}),
	}
	go w.run()
	return w
}

func (w *writer) enqueue(queue chan *job, j *job) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	select {
	case queue <- j:
		return nil
	default:
		return ErrBusy
	}
}

// drain refuses new jobs and lets the queued ones finish.
func (w *writer) drain() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.stopped
}

func (w *writer) run() {
	defer close(w.stopped)
	for open := true; open; {
		var first *job
		if first, open = w.next(); first != nil {
			w.commit(w.gather(first))
		}
		if !w.writeOverdue() {
			w.takeAside()
		}
	}
	for w.takeAside() {
	}
	if w.memory.backlog.rows > 0 || w.memory.facts.putOff() > 0 {
		_ = w.transact(nil, flush{figures: true, facts: true}) // if it fails the next process does it: the rows are there
	}
	if w.conn != nil {
		_ = w.conn.Close() // hands the connection back; closing the database reports what is wrong with it
	}
}

// next waits for a job that somebody waits for. Meanwhile it does what can wait.
func (w *writer) next() (j *job, open bool) {
	for {
		select {
		case j, open = <-w.queue:
			return j, open
		default:
		}
		idle := w.idle()
		select {
		case j, open = <-w.queue:
			return j, open
		case aside := <-w.asides:
			w.commitAside(aside)
		case <-idle:
			_ = w.transact(nil, w.memory.rest()) // if it fails it is tried again
		}
	}
}

// idle is when there was no write for so long that what was put off is written; never if nothing is.
func (w *writer) idle() <-chan time.Time {
	switch m := w.memory; {
	case m.backlog.rows > 0:
		return time.After(m.backlog.patience())
	case m.facts.putOff() > 0:
		return time.After(m.facts.backlog.idle)
	}
	return nil
}

// writeOverdue writes one part of what was put off for long enough, if there is one. It has a commit of its own, so that no
// batch waits for it that was there before, and the next one at most for that part.
func (w *writer) writeOverdue() bool {
	f := w.memory.overdue()
	return f != flush{} && w.transact(nil, f) == nil
}

func (w *writer) takeAside() bool {
	select {
	case j := <-w.asides:
		w.commitAside(j)
		return true
	default:
		return false
	}
}

func (w *writer) commitAside(j *job) {
	if j.start() {
		w.commit([]*job{j})
	}
}

// commit serves a group, and has the templates learnt that texts wait for.
func (w *writer) commit(group []*job) {
	if len(group) == 0 {
		return
	}
	if lesson := w.memory.templates.lesson(); lesson == nil {
		w.serve(group)
	} else {
		learning := newJob(context.Background(), lesson.write)
		if w.dialect.othersWrote != "" {
			w.serve(append(group, learning))
		} else { // replicas learn the same templates, and whoever waits for another's must hold nothing that it waits for
			w.serve(group)
			w.serve([]*job{learning})
		}
		if <-learning.done == nil { // else they are asked for again
			w.memory.templates.learn(lesson)
		}
	}
	w.checkpoints.committed(context.Background(), w.conn)
}

// gather takes what waits and no more: under load groups grow by themselves, at rest nobody waits for company.
func (w *writer) gather(first *job) []*job {
	var group []*job
	if first.start() {
		group = append(group, first)
	}
	for len(group) < groupSize {
		select {
		case j, open := <-w.queue:
			if !open {
				return group
			}
			if j.start() {
				group = append(group, j)
			}
		default:
			return group
		}
	}
	return group
}

// noticeAdoption drops the backlog when another process has written it.
func (w *writer) noticeAdoption(ctx context.Context) error {
	if b := w.memory.backlog; b.rows > 0 {
		left, err := w.rowsOf(ctx, b.owner)
		if err != nil {
			return err
		}
		if left < b.rows {
			b.emptied()
		}
	}
	if c := w.memory.facts; c.putOff() > 0 {
		left, err := w.rowsOf(ctx, c.backlog.owner)
		if err != nil {
			return err
		}
		if left < len(c.backlog.rows) {
			c.othersWroteBacklog()
		}
	}
	return nil
}

func (w *writer) rowsOf(ctx context.Context, owner int64) (left int, err error) {
	if err := w.conn.QueryRowContext(ctx, `select count(*) from backlog where owner = $1`, owner).Scan(&left); err != nil {
		return 0, fmt.Errorf("look at backlog: %w", err)
	}
	return left, nil
}

// serve commits a group and answers every job of it. When one job takes the whole transaction down, each is run alone.
func (w *writer) serve(group []*job) {
	err := w.checkpoints.refuse(context.Background(), w.conn)
	if err == nil {
		err = w.transact(group, flush{})
	}
	var down *transactionDown
	if errors.As(err, &down) && len(group) > 1 {
		for _, j := range group {
			w.serve([]*job{j})
		}
		return
	}
	for try := 1; try < attempts && errors.As(err, &down) && w.dialect.conflicts(err); try++ {
		time.Sleep(giveWay + rand.N(time.Duration(try)*giveWay)) // the one that won needs a moment to take what was let go
		err = w.transact(group, flush{})
	}
	for _, j := range group {
		if err != nil {
			j.err = err
		}
		j.done <- j.err
	}
}

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
	clear(w.memory.episodes) // some may be of incidents that are not there any more
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
	clear(w.memory.episodes)
	if _, err := w.conn.ExecContext(ctx, `rollback`); err != nil {
		w.discard()
	}
}

func (w *writer) discard() {
	_ = w.conn.Raw(func(any) error { return driver.ErrBadConn }) // makes the pool close it
	_ = w.conn.Close()
	w.conn = nil
}
