package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"authwatch/classify"
)

// Under load the same few hundred rows of clients and incidents would be written with every commit. So a commit that
// touches many of them keeps its figures in one row of backlog instead, and they are written once in a while for all. They are
// as durable there; only the lists of incidents and clients, and those of the failures of an incident, lag behind by as much. A small write is never put off.

const (
	backlogSmall = 128                    // clients and incidents that are written at once
	backlogLarge = 50_000                 // that are waited with at most
	backlogTime  = time.Second            // for which they are waited with at most
	backlogIdle  = 20 * time.Millisecond  // without a write, after which they are written,
	backlogLull  = 250 * time.Millisecond // or where one came so soon after the other
)

// A backlog is the figures that are committed but not written. It is of the writer's goroutine alone.
type backlog struct {
	figures
	owner   int64     // of the rows that hold them
	rows    int       // how many there are
	written time.Time // when it was last emptied
	latest  time.Time // when a row was last added
	steady  bool      // soon after the one before
}

func newBacklog() *backlog { return &backlog{figures: newFigures(), owner: newRef()} }

// emptied is called when the figures were written, or somebody else has taken them.
func (b *backlog) emptied() { b.figures, b.rows, b.written = newFigures(), 0, time.Now() }

// keep remembers figures that were put off.
func (b *backlog) keep(f figures) {
	b.take(f)
	b.rows++
	b.steady, b.latest = time.Since(b.latest) < backlogLull, time.Now()
}

// patience is for how long the writer waits for more. Between the batches of a steady stream there is often nothing to do for a
// moment, in which it is not to write what the next batches change again.
func (b *backlog) patience() time.Duration {
	if b.steady {
		return backlogLull
	}
	return backlogIdle
}

func (f figures) size() int { return len(f.grown) + len(f.clients) }

// isAtOnce reports whether the figures of a transaction, and the backlog with them, are not put off: they are few, or stand alone.
func (b *backlog) isAtOnce(added figures) bool {
	return b.size()+added.size() <= backlogSmall || b.rows == 0 && time.Since(b.written) >= backlogTime
}

func (b *backlog) isOverdue() bool {
	return b.rows > 0 && (b.size() >= backlogLarge || time.Since(b.written) >= backlogTime)
}

// A flush is what a transaction writes of that which was put off.
type flush struct{ figures, facts bool }

// overdue is what was put off for long enough: one thing of several, because others wait meanwhile.
func (m *memory) overdue() flush {
	switch {
	case m.backlog.isOverdue():
		return flush{figures: true}
	case m.facts != nil && m.facts.backlog.isOverdue():
		return flush{facts: true}
	}
	return flush{}
}

// rest is what is written next where nothing else is to be done.
func (m *memory) rest() flush {
	if m.backlog.rows > 0 {
		return flush{figures: true}
	}
	return flush{facts: true}
}

// keepFigures puts the figures of a transaction off, but for counts, which nobody waits for (see rollup.go).
func (t *Tx) keepFigures(ctx context.Context, f *figures) error {
	if err := t.addCounts(ctx, f.counts); err != nil {
		return err
	}
	f.counts = nil
	if f.size() == 0 {
		return nil
	}
	if _, err := t.putOff(ctx, t.backlog.owner, f.encode); err != nil {
		return fmt.Errorf("put figures off: %w", err)
	}
	return nil
}

// putOff keeps what encode writes in a row of the backlog.
func (t *Tx) putOff(ctx context.Context, owner int64, encode func(*encoder)) (row int64, err error) {
	const most = 1 << 20 // bytes of room that are worth keeping
	e, row := encoder{t.body[:0]}, newRef()
	if encode(&e); cap(e.b) <= most {
		t.body = e.b
	}
	return row, t.exec(ctx, `insert into backlog (id, owner, body) values ($1, $2, $3)`, row, owner, e.b)
}

// settle writes the figures of this transaction so far and the backlog, for those who read or take back what they add to.
func (t *Tx) settle(ctx context.Context) error {
	all := newFigures()
	all.add(t.group.figures)
	all.add(t.mine.figures)
	if err := t.writeAll(ctx, all, !t.group.tookBacklog); err != nil {
		return err
	}
	// The writer's own sums are emptied if this write succeeds.
	t.group = &sums{facts: t.group.facts, figures: newFigures(), tookBacklog: true}
	t.mine.figures, t.settled = newFigures(), true
	return nil
}

// writeAll writes figures, and those of the backlog with them if asked.
func (t *Tx) writeAll(ctx context.Context, f figures, andBacklog bool) error {
	if andBacklog && t.backlog.rows > 0 {
		f.add(t.backlog.figures)
		if err := t.exec(ctx, `delete from backlog where owner = $1`, t.backlog.owner); err != nil {
			return fmt.Errorf("empty backlog: %w", err)
		}
	}
	return t.writeFigures(ctx, f)
}

// adopt writes the figures that another process has put off, and takes over its facts. If it lives, it will notice.
func (t *Tx) adopt(ctx context.Context) error {
	bodies, err := t.takeOver(ctx, func([]byte) bool { return true })
	if err != nil {
		return err
	}
	all := newFigures()
	for _, body := range bodies {
		one, err := decodeFigures(body)
		if err != nil {
			return fmt.Errorf("read figures that were put off: %w", err)
		}
		all.add(one)
	}
	return t.writeFigures(ctx, all)
}

// takeOver removes rows of other processes from the backlog. It observes the facts that are in some, and returns the others.
func (t *Tx) takeOver(ctx context.Context, wanted func(body []byte) bool) (figures [][]byte, err error) {
	type row struct {
		id   int64
		body []byte
	}
	owners := []any{t.backlog.owner, t.backlog.owner}
	if t.facts != nil {
		owners[1] = t.facts.backlog.owner
	}
	answer, err := t.query(ctx, `select id, body from backlog where owner <> $1 and owner <> $2`, owners...)
	if err != nil {
		return nil, fmt.Errorf("find what was put off: %w", err)
	}
	list, err := collect(answer, func(scan func(...any) error) (r row, err error) { return r, scan(&r.id, &r.body) })
	if err != nil {
		return nil, fmt.Errorf("find what was put off: %w", err)
	}
	for _, one := range list {
		if !wanted(one.body) {
			continue
		}
		mine, err := t.changed(ctx, `delete from backlog where id = $1`, one.id)
		if err != nil {
			return nil, fmt.Errorf("take over what was put off: %w", err)
		}
		switch {
		case !mine: // another process was faster
		case holdsFacts(one.body):
			facts, err := decodeFacts(one.body)
			if err != nil {
				return nil, fmt.Errorf("read facts that were put off: %w", err)
			}
			t.ObserveNews(facts)
		default:
			figures = append(figures, one.body)
		}
	}
	return figures, nil
}

// Settle writes what commits have put off, also those of a process that ended before it could. Errors: ErrBusy, ErrClosed, the engine's.
func (s *Store) Settle(ctx context.Context) error {
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.settle(ctx); err != nil {
			return err
		}
		tx.mine.settleFacts = true
		return tx.adopt(ctx)
	})
	if err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	return nil
}

var errDamagedFigures = errors.New("the figures are damaged")

// encode writes figures but their counts, which have rows of their own.
func (f figures) encode(e *encoder) {
	e.number(int64(len(f.grown)))
	for id, g := range f.grown {
		e.key(g.client)
		e.number(int64(id), g.resolvedAt, g.count, g.first, g.last, int64(len(g.endpoints)))
		e.text(string(g.newest.confidence), string(g.newest.fault), g.newest.summary)
		for _, one := range g.endpoints {
			e.text(one.Endpoint)
			e.number(one.Count)
		}
		e.number(int64(len(g.failures)))
		before := int64(0)
		for _, failure := range g.failures {
			e.number(int64(failure) - before) // of which nearly all are near
			before = int64(failure)
		}
	}
	e.number(int64(len(f.clients)))
	for k, c := range f.clients {
		e.key(k)
		e.number(c.failures, c.successes, c.firstFailure, c.lastFailure, int64(len(c.accepted)))
		before := int64(0)
		for _, at := range c.accepted {
			e.number(at - before) // of which nearly all are near
			before = at
		}
	}
}

func decodeFigures(b []byte) (figures, error) {
	d := &decoder{b: b}
	f := newFigures()
	for left := d.number(); left > 0 && !d.damaged; left-- {
		k := d.key()
		id := rowID(d.number())
		g := f.growth(id, k, d.number())
		g.count, g.first, g.last = d.number(), d.number(), d.number()
		endpoints := d.number()
		g.newest = spokesman{classify.Confidence(d.text()), classify.Fault(d.text()), d.text()}
		for ; endpoints > 0 && !d.damaged; endpoints-- {
			g.endpoints = append(g.endpoints, EndpointCount{d.text(), d.number()})
		}
		failure := int64(0)
		for failures := d.number(); failures > 0 && !d.damaged; failures-- {
			failure += d.number()
			g.failures = append(g.failures, rowID(failure))
		}
	}
	for left := d.number(); left > 0 && !d.damaged; left-- {
		c := f.client(d.key())
		c.failures, c.successes, c.firstFailure, c.lastFailure = d.number(), d.number(), d.number(), d.number()
		at := int64(0)
		for times := d.number(); times > 0 && !d.damaged; times-- {
			at += d.number()
			c.accepted = append(c.accepted, at)
		}
	}
	if d.damaged || len(d.b) > 0 {
		return figures{}, errDamagedFigures
	}
	return f, nil
}

// An encoder writes numbers and texts.
type encoder struct{ b []byte }

func (e *encoder) number(list ...int64) {
	for _, n := range list {
		e.b = binary.AppendVarint(e.b, n)
	}
}

func (e *encoder) text(list ...string) {
	for _, s := range list {
		e.b = append(binary.AppendUvarint(e.b, uint64(len(s))), s...)
	}
}

func (e *encoder) key(k clientKey) { e.text(k.provider, k.environment, k.clientID) }

// A decoder reads what an encoder wrote. After the first damage everything it reads is empty.
type decoder struct {
	b       []byte
	damaged bool
}

func (d *decoder) number() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.b, d.damaged = nil, true
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) text() string {
	length, n := binary.Uvarint(d.b)
	if n <= 0 || length > uint64(len(d.b)-n) {
		d.b, d.damaged = nil, true
		return ""
	}
	s := string(d.b[n : n+int(length)])
	d.b = d.b[n+int(length):]
	return s
}

func (d *decoder) key() clientKey { return clientKey{d.text(), d.text(), d.text()} }
