package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// The digests of facts lie anywhere in their table, so each fact that a commit writes is a page of the database. Under
// load a commit therefore keeps its facts in one row of backlog instead, where they are as durable, and once in a while
// all are written: most as a run (fact_run.go), the others in the order of the table. Whoever looks a fact up adds what is
// put off, so that nobody sees a difference.

const (
	factsSmall = 128              // that are written at once
	factsLarge = 12_000           // that are put off at most
	factsTime  = 10 * time.Second // for which they are put off under load
	factsIdle  = time.Second      // and without
)

// A factBacklog is the facts that are committed but not written to where they stay. The writer's goroutine alone changes it.
type factBacklog struct {
	facts   map[factKey]fact
	rows    []int64       // ids of the rows that hold them
	owner   int64         // of these rows
	written time.Time     // when they last were
	adopted bool          // what an earlier process left is taken over
	idle    time.Duration // without a write, after which they are written
	taken   []Observation // room for those that are written
}

func newFactBacklog() factBacklog {
	return factBacklog{facts: map[factKey]fact{}, owner: newRef(), idle: factsIdle}
}

// wrote is called when all were written, or somebody else has taken them.
func (b *factBacklog) wrote() {
	if len(b.facts) > 2*factsLarge { // more room than is worth keeping
		b.facts = map[factKey]fact{}
	}
	clear(b.facts)
	b.rows, b.written = b.rows[:0], time.Now()
}

// keep adds what was put off in a row.
func (b *factBacklog) keep(row int64, lists factLists) {
	b.rows = append(b.rows, row)
	for _, list := range lists {
		for i := range list {
			f := list[i].fact
			if known, ok := b.facts[list[i].key]; ok {
				f = known.merge(f)
			}
			b.facts[list[i].key] = f
		}
	}
}

// isSmall reports whether the facts of a transaction, and those that wait, are too few to be put off.
func (b *factBacklog) isSmall(added int) bool { return len(b.facts)+added <= factsSmall }

func (b *factBacklog) isOverdue() bool {
	return len(b.rows) > 0 && (len(b.facts) >= factsLarge || time.Since(b.written) >= factsTime)
}

// A factsMove is what a transaction does with its facts and those of the backlog.
type factsMove struct {
	all     bool     // that wait are written
	written factList // to the table
	run     factList // as a run
	row     int64    // in which they are put off, 0 where there are none
}

// keepFacts writes facts of a transaction and of the backlog, or puts them off.
func (t *Tx) keepFacts(ctx context.Context, s *sums) (err error) {
	if t.facts == nil {
		return t.writeFacts(ctx, inOrder(slices.Concat(s.facts...)))
	}
	b, m := &t.facts.backlog, &s.moved
	if len(s.facts)+len(b.rows) == 0 {
		return nil
	}
	if m.all = s.settleFacts || b.isSmall(s.facts.size()); !m.all {
		m.row, err = t.putOffFacts(ctx, s.facts)
		return err
	}
	if err := t.takeFacts(ctx, s.facts); err != nil {
		return err
	}
	m.run, m.written = inOrder(b.taken).apart()
	if err := t.writeRun(ctx, m.run); err != nil {
		return err
	}
	return t.writeFacts(ctx, m.written)
}

// takeFacts takes facts and those of the backlog to be written.
func (t *Tx) takeFacts(ctx context.Context, lists factLists) error {
	b := &t.facts.backlog
	if b.taken = b.taken[:0]; cap(b.taken) > 2*factsLarge { // more than is worth keeping
		b.taken = nil
	}
	for k, f := range b.facts {
		b.taken = append(b.taken, Observation{k, f})
	}
	for _, list := range lists {
		b.taken = append(b.taken, list...)
	}
	for _, row := range b.rows {
		if err := t.exec(ctx, `delete from backlog where id = $1`, row); err != nil {
			return fmt.Errorf("empty backlog of facts: %w", err)
		}
	}
	return nil
}

// putOffFacts keeps facts in a row of the backlog. It is 0 if there are none.
func (t *Tx) putOffFacts(ctx context.Context, lists factLists) (row int64, err error) {
	if lists.size() == 0 {
		return 0, nil
	}
	if row, err = t.putOff(ctx, t.facts.backlog.owner, lists.encode); err != nil {
		return 0, fmt.Errorf("put facts off: %w", err)
	}
	return row, nil
}

// adoptFacts takes over, once, what a process that was killed had put off. It is done before facts are asked for in a
// transaction, so that nothing is judged without them.
func (w *writer) adoptFacts(ctx context.Context, added *sums) error {
	if c := w.memory.facts; c == nil || !c.wanted.Load() || c.backlog.adopted {
		return nil
	}
	added.adoptedFacts = true
	_, err := w.tx(added, newSums()).takeOver(ctx, holdsFacts)
	return err
}

// note remembers that an accepted fact was written, though not all that is known under its key: what that would tell
// nothing new tells the whole nothing new.
func (c *factCache) note(k factKey, f fact) {
	if f.firstAccepted == 0 || f.maxOffset != 0 || f.firstExchange != "" {
		return
	}
	s := f.extent
	if earlier, ok := c.noted[k]; ok {
		s = s.merge(earlier)
	} else if len(c.noted) >= factsRemember {
		c.noted, c.notedBefore = map[factKey]extent{}, c.noted
	}
	c.noted[k] = s
}

// factsMark begins a row of facts. Rows of figures begin with a number that is not negative.
const factsMark = -1

func holdsFacts(body []byte) bool {
	d := decoder{b: body}
	return d.number() == factsMark
}

func (l factLists) encode(e *encoder) {
	e.number(factsMark, int64(l.size()))
	for _, list := range l {
		for i := range list {
			list[i].encode(e)
		}
	}
}

func (o *Observation) encode(e *encoder) {
	e.b = append(e.b, o.key[:]...)
	e.number(o.firstSeen)
	for _, at := range [...]int64{o.lastSeen, o.firstAccepted, o.lastAccepted, o.expires} {
		e.number(at - o.firstSeen) // of which nearly all are near
	}
	e.number(o.maxOffset, o.count)
	e.text(o.firstExchange, o.firstTokenPrint)
}

func decodeFacts(b []byte) (factList, error) {
	d := &decoder{b: b}
	d.damaged = d.number() != factsMark || d.damaged
	var list []Observation
	for left := d.number(); left > 0 && !d.damaged; left-- {
		var o Observation
		if d.damaged = len(d.b) < len(o.key); d.damaged {
			break
		}
		copy(o.key[:], d.b)
		d.b = d.b[len(o.key):]
		o.firstSeen = d.number()
		for _, at := range [...]*int64{&o.lastSeen, &o.firstAccepted, &o.lastAccepted, &o.expires} {
			*at = d.number() + o.firstSeen
		}
		o.maxOffset, o.count = d.number(), d.number()
		o.firstExchange, o.firstTokenPrint = d.text(), d.text()
		list = append(list, o)
	}
	if d.damaged || len(d.b) > 0 {
		return nil, errDamagedFigures
	}
	return inOrder(list), nil
}
