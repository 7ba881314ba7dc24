package store

import (
	"context"
	"fmt"
	"maps"
	"time"
)

// The digests of facts lie anywhere in their table, so each fact that a commit writes is a page of the database. Under
// load a commit therefore keeps its facts in one row of backlog instead, where they are as durable, and once in a while
// all are written in the order of the table. Whoever looks a fact up adds what is put off, so that nobody sees a difference.

const (
	factsSmall = 128              // that are written at once
	factsLarge = 10_000           // that are put off at most
	factsTime  = 10 * time.Second // for which they are put off under load
	factsIdle  = time.Second      // and without
)

// A factBacklog is the facts that are committed but not in their table. The writer's goroutine alone changes it.
type factBacklog struct {
	facts   map[factKey]fact
	owner   int64         // of the rows that hold them
	rows    int           // how many there are
	written time.Time     // when it was last emptied
	adopted bool          // what an earlier process left is taken over
	idle    time.Duration // without a write, after which they are written
}

func newFactBacklog() factBacklog {
	return factBacklog{facts: map[factKey]fact{}, owner: newRef(), idle: factsIdle}
}

func (b *factBacklog) emptied() {
	b.facts, b.rows, b.written = map[factKey]fact{}, 0, time.Now()
}

// isDue reports whether the facts of a transaction are to be written, and the backlog with them.
func (b *factBacklog) isDue(added int) bool {
	size := len(b.facts) + added
	return size <= factsSmall || size >= factsLarge || time.Since(b.written) >= factsTime
}

// keepFacts writes the facts of a transaction and the backlog, or puts them off.
func (t *Tx) keepFacts(ctx context.Context, s *sums) error {
	if t.facts == nil {
		return t.writeFacts(ctx, s.facts)
	}
	b := &t.facts.backlog
	if len(s.facts)+b.rows == 0 {
		return nil
	}
	if !s.settleFacts && !b.isDue(len(s.facts)) {
		if len(s.facts) == 0 {
			return nil
		}
		s.factRow = true
		if err := t.exec(ctx, `insert into backlog (id, owner, body) values ($1, $2, $3)`, newRef(), b.owner, encodeFacts(s.facts)); err != nil {
			return fmt.Errorf("put facts off: %w", err)
		}
		return nil
	}
	s.tookFacts = true
	if b.rows > 0 {
		if err := t.exec(ctx, `delete from backlog where owner = $1`, b.owner); err != nil {
			return fmt.Errorf("empty backlog of facts: %w", err)
		}
	}
	all := maps.Clone(b.facts)
	mergeInto(all, s.facts)
	return t.writeFacts(ctx, all)
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

func encodeFacts(facts map[factKey]fact) []byte {
	e := &encoder{b: make([]byte, 0, 128*len(facts)+16)}
	e.number(factsMark, int64(len(facts)))
	for k, f := range facts {
		e.b = append(e.b, k[:]...)
		e.number(f.firstSeen)
		for _, at := range [...]int64{f.lastSeen, f.firstAccepted, f.lastAccepted, f.expires} {
			e.number(at - f.firstSeen) // of which nearly all are near
		}
		e.number(f.maxOffset, f.count)
		e.text(f.firstExchange, f.firstTokenPrint)
	}
	return e.b
}

func decodeFacts(b []byte) (map[factKey]fact, error) {
	d := &decoder{b: b}
	d.damaged = d.number() != factsMark || d.damaged
	facts := map[factKey]fact{}
	for left := d.number(); left > 0 && !d.damaged; left-- {
		var k factKey
		if d.damaged = len(d.b) < len(k); d.damaged {
			break
		}
		copy(k[:], d.b)
		d.b = d.b[len(k):]
		var f fact
		f.firstSeen = d.number()
		for _, at := range [...]*int64{&f.lastSeen, &f.firstAccepted, &f.lastAccepted, &f.expires} {
			*at = d.number() + f.firstSeen
		}
		f.maxOffset, f.count = d.number(), d.number()
		f.firstExchange, f.firstTokenPrint = d.text(), d.text()
		facts[k] = f
	}
	if d.damaged || len(d.b) > 0 {
		return nil, errDamagedFigures
	}
	return facts, nil
}
