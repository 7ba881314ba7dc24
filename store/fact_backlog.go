package store

import (
	"context"
	"fmt"
	"maps"
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
	facts   map[factKey]fact
	owner   int64         // of the rows that hold them
	rows    int           // how many there are
	part    byte          // of the table, which is written next
	written time.Time     // when one last was
	adopted bool          // what an earlier process left is taken over
	idle    time.Duration // without a write, after which they are written
}

func newFactBacklog() factBacklog {
	return factBacklog{facts: map[factKey]fact{}, owner: newRef(), idle: factsIdle}
}

// wrote is called when all facts but some were written, or somebody else has taken them.
func (b *factBacklog) wrote(left map[factKey]fact) {
	b.facts, b.rows, b.part, b.written = left, 0, (b.part+1)%factParts, time.Now()
}

// isDue reports whether facts are to be written, of a transaction and of the backlog.
func (b *factBacklog) isDue(added int) bool {
	size := len(b.facts) + added
	return size <= factsSmall || size >= factsLarge || time.Since(b.written) >= factsTime/factParts
}

// take removes the facts of the part that is written next.
func (b *factBacklog) take(facts map[factKey]fact) (taken map[factKey]fact) {
	taken = make(map[factKey]fact, len(facts)/2)
	for k, f := range facts {
		if k[0]/(256/factParts) == b.part {
			taken[k] = f
			delete(facts, k)
		}
	}
	return taken
}

// keepFacts writes facts of a transaction and of the backlog, or puts them off.
func (t *Tx) keepFacts(ctx context.Context, s *sums) error {
	if t.facts == nil {
		return t.writeFacts(ctx, s.facts)
	}
	b := &t.facts.backlog
	if len(s.facts)+b.rows == 0 {
		return nil
	}
	if !s.settleFacts && !b.isDue(len(s.facts)) {
		return t.putOffFacts(ctx, s, s.facts)
	}
	if b.rows > 0 {
		if err := t.exec(ctx, `delete from backlog where owner = $1`, b.owner); err != nil {
			return fmt.Errorf("empty backlog of facts: %w", err)
		}
	}
	all := maps.Clone(b.facts)
	mergeInto(all, s.facts)
	if s.settleFacts || len(all) <= factsSmall {
		s.tookFacts, s.leftFacts = all, map[factKey]fact{}
	} else {
		s.tookFacts, s.leftFacts = b.take(all), all
	}
	if err := t.putOffFacts(ctx, s, s.leftFacts); err != nil {
		return err
	}
	return t.writeFacts(ctx, s.tookFacts)
}

// putOffFacts keeps facts in a row of the backlog.
func (t *Tx) putOffFacts(ctx context.Context, s *sums, facts map[factKey]fact) error {
	if len(facts) == 0 {
		return nil
	}
	s.factRow = true
	if err := t.exec(ctx, `insert into backlog (id, owner, body) values ($1, $2, $3)`, newRef(), t.facts.backlog.owner, encodeFacts(facts)); err != nil {
		return fmt.Errorf("put facts off: %w", err)
	}
	return nil
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
