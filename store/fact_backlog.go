package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// The digests of facts lie anywhere in their table, so each fact that a commit writes is a page of the database. Under
// load a commit therefore keeps its facts in one row of backlog instead, where they are as durable, and once in a while
// those of a part of the table are written in its order. Whoever looks a fact up adds what is put off, so that nobody sees a difference.

const (
	factsSmall = 128              // that are written at once
	factsLarge = 12_000           // that are put off at most
	factsTime  = 10 * time.Second // for which they are put off under load
	factsIdle  = time.Second      // and without
	// factParts is in how many parts of the table they are written, one after the other. Of twice the facts that wait on average
	// more fall on a page when it is its turn, and others wait less for the write.
	factParts = 4
)

// A factBacklog is the facts that are committed but not in their table. The writer's goroutine alone changes it.
type factBacklog struct {
	parts   [factParts]factPart
	owner   int64         // of the rows that hold them
	next    int           // the part that is written next
	written time.Time     // when one last was
	adopted bool          // what an earlier process left is taken over
	idle    time.Duration // without a write, after which they are written
	taken   []Observation // room for those that are written
}

// A factPart is those of one part of the table.
type factPart struct {
	facts map[factKey]fact
	rows  []int64 // ids of the rows that hold them
}

func newFactBacklog() factBacklog {
	b := factBacklog{owner: newRef(), idle: factsIdle}
	for part := range b.parts {
		b.parts[part].facts = map[factKey]fact{}
	}
	return b
}

func partOf(k factKey) int { return int(k[0]) / (256 / factParts) }

// part is the facts of a list that are in one part of the table.
func (l factList) part(part int) factList {
	l = l[l.from(factKey{byte(part * (256 / factParts))}):]
	if part == factParts-1 {
		return l
	}
	return l[:l.from(factKey{byte((part + 1) * (256 / factParts))})]
}

func (b *factBacklog) find(k factKey) (fact, bool) {
	f, ok := b.parts[partOf(k)].facts[k]
	return f, ok
}

func (b *factBacklog) size() (facts int) {
	for part := range b.parts {
		facts += len(b.parts[part].facts)
	}
	return facts
}

func (b *factBacklog) rows() (n int) {
	for part := range b.parts {
		n += len(b.parts[part].rows)
	}
	return n
}

// wrote is called when a part was written, or somebody else has taken it.
func (b *factBacklog) wrote(part int) {
	p := &b.parts[part]
	if len(p.facts) > factsLarge { // more room than is worth keeping
		p.facts = map[factKey]fact{}
	}
	clear(p.facts)
	p.rows = p.rows[:0]
	b.next, b.written = (part+1)%factParts, time.Now()
}

// keep adds what was put off in a row.
func (b *factBacklog) keep(part int, row int64, lists factLists) {
	p := &b.parts[part]
	p.rows = append(p.rows, row)
	for _, list := range lists {
		for _, o := range list.part(part) {
			if known, ok := p.facts[o.key]; ok {
				o.fact = known.merge(o.fact)
			}
			p.facts[o.key] = o.fact
		}
	}
}

// due is the parts that are to be written, with so many facts more.
func (b *factBacklog) due(added int) (from, to int) {
	switch size := b.size() + added; {
	case size <= factsSmall:
		return 0, factParts
	case size >= factsLarge || time.Since(b.written) >= factsTime/factParts:
		return b.next, b.next + 1
	}
	return 0, 0
}

// A factsMove is what a transaction does with its facts and those of the backlog.
type factsMove struct {
	from, to int              // the parts that it writes
	written  factList         // the facts of these
	rows     [factParts]int64 // the rows in which it puts others off, 0 where there are none
}

func (m *factsMove) writes(part int) bool { return m.from <= part && part < m.to }

// keepFacts writes facts of a transaction and of the backlog, or puts them off.
func (t *Tx) keepFacts(ctx context.Context, s *sums) error {
	if t.facts == nil {
		return t.writeFacts(ctx, inOrder(slices.Concat(s.facts...)))
	}
	b, m := &t.facts.backlog, &s.moved
	if len(s.facts)+b.rows() == 0 {
		return nil
	}
	if m.from, m.to = b.due(s.facts.size()); s.settleFacts {
		m.from, m.to = 0, factParts
	}
	if b.taken = b.taken[:0]; cap(b.taken) > 2*factsLarge { // more than is worth keeping
		b.taken = nil
	}
	for part := range b.parts {
		if err := t.keepPart(ctx, s, part); err != nil {
			return err
		}
	}
	m.written = inOrder(b.taken)
	return t.writeFacts(ctx, m.written)
}

// keepPart puts the facts of one part off, or takes them and those of the backlog to be written.
func (t *Tx) keepPart(ctx context.Context, s *sums, part int) (err error) {
	b := &t.facts.backlog
	if !s.moved.writes(part) {
		s.moved.rows[part], err = t.putOffFacts(ctx, s.facts, part)
		return err
	}
	for k, f := range b.parts[part].facts {
		b.taken = append(b.taken, Observation{k, f})
	}
	for _, list := range s.facts {
		b.taken = append(b.taken, list.part(part)...)
	}
	for _, row := range b.parts[part].rows {
		if err := t.exec(ctx, `delete from backlog where id = $1`, row); err != nil {
			return fmt.Errorf("empty backlog of facts: %w", err)
		}
	}
	return nil
}

// putOffFacts keeps the facts of one part in a row of the backlog. It is 0 if there are none.
func (t *Tx) putOffFacts(ctx context.Context, lists factLists, part int) (row int64, err error) {
	parts, n := make(factLists, len(lists)), 0
	for i, list := range lists {
		parts[i] = list.part(part)
		n += len(parts[i])
	}
	if n == 0 {
		return 0, nil
	}
	row, err = t.putOff(ctx, t.facts.backlog.owner, parts.encode)
	if err != nil {
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
