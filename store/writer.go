package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
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

// next waits for a job that somebody waits for. Meanwhile it does what can wait. How long there is no such job does not begin anew
// with what is written aside, or what was put off would stay so for as long as there is enough of that.
func (w *writer) next() (j *job, open bool) {
	var idle <-chan time.Time
	for {
		select {
		case j, open = <-w.queue:
			return j, open
		default:
		}
		if idle == nil {
			idle = w.idle()
		}
		select {
		case j, open = <-w.queue:
			return j, open
		case aside := <-w.asides:
			w.commitAside(aside)
		case <-idle:
			_ = w.transact(nil, w.memory.rest()) // if it fails it is tried again
			idle = nil
		}
	}
}

// idle is when there was no batch for so long that what was put off is written; never if nothing is.
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
