package ingest

import (
	"iter"
	"time"
)

// A generation holds dependents by the hashes of what they are about. It has no pointers inside, so that the collector of
// garbage does not look at tens of thousands of lists and names in each of its cycles.
type generation struct {
	chains []chain // by hash: a power of two, of which at most half are taken
	taken  int
	links  []link
	names  []byte // of failures, one after the other
}

// A chain is those of one hash in the order in which they came: places in links. One of no length is free.
type chain struct {
	hash                uint64
	first, last, length int32
}

// A link is a dependent.
type link struct {
	seconds  int64 // of the time of its event, and
	nanos    int32
	next     int32 // place of the next one in its chain; nothing of the last one
	from, to int32 // of its name
}

// emptied is one in the memory of g, which holds nothing any more.
func (g generation) emptied() generation {
	if len(g.chains) == 0 {
		return generation{chains: make([]chain, 64)}
	}
	clear(g.chains)
	return generation{chains: g.chains, links: g.links[:0], names: g.names[:0]}
}

// chain is that of a hash, or the free place for it.
func (g *generation) chain(hash uint64) *chain {
	mask := uint64(len(g.chains) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		if c := &g.chains[at]; c.length == 0 || c.hash == hash {
			return c
		}
	}
}

// grow makes room for twice as many hashes.
func (g *generation) grow() {
	old := g.chains
	g.chains = make([]chain, 2*len(old))
	for _, c := range old {
		if c.length > 0 {
			*g.chain(c.hash) = c
		}
	}
}

// add takes note of one unless there are enough under the hash.
func (g *generation) add(hash uint64, one dependent) {
	c := g.chain(hash)
	if c.length >= maxOfOneToken {
		return
	}
	if c.length == 0 && 2*g.taken >= len(g.chains) {
		g.grow()
		c = g.chain(hash)
	}
	place := int32(len(g.links))
	if c.length == 0 {
		c.hash, c.first = hash, place
		g.taken++
	} else {
		g.links[c.last].next = place
	}
	c.last, c.length = place, c.length+1
	from := len(g.names)
	g.names = append(g.names, one.failure...)
	g.links = append(g.links, link{seconds: one.at.Unix(), nanos: int32(one.at.Nanosecond()), from: int32(from), to: int32(len(g.names))})
}

// all yields those under the hash, the first one first.
func (g *generation) all(hash uint64) iter.Seq[dependent] {
	return func(yield func(dependent) bool) {
		if g.taken == 0 {
			return
		}
		c := *g.chain(hash)
		for place := c.first; c.length > 0; c.length-- {
			l := &g.links[place]
			if !yield(dependent{string(g.names[l.from:l.to]), time.Unix(l.seconds, int64(l.nanos))}) {
				return
			}
			place = l.next
		}
	}
}
