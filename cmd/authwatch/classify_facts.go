package main

import (
	"time"

	"authwatch/classify"
	"authwatch/ingest"
)

// groupFacts are the facts that the records of a group ask for and say, each by a number, with what is remembered of them: the same few again and
// again, which are looked up once.
type groupFacts struct {
	index   classify.FactIndex
	numbers map[*ingest.KnownFact]int32
	memory  *memory
	known   []*classify.Fact // by number; nil for what is not remembered
	isKnown []bool
}

// shared is the number of a fact that several records say.
func (g *groupFacts) shared(k *ingest.KnownFact, at time.Time) int32 {
	number, met := g.numbers[k]
	if !met {
		f := k.At(at)
		number = g.index.Number(&f.Key)
		if g.numbers == nil {
			g.numbers = map[*ingest.KnownFact]int32{}
		}
		g.numbers[k] = number
	}
	return number
}

// recall looks all of them up.
func (g *groupFacts) recall(m *memory) {
	g.memory, g.known, g.isKnown = m, g.known[:0], g.isKnown[:0]
	for _, k := range g.index.Keys() {
		f := m.facts[k]
		g.known, g.isKnown = append(g.known, f), append(g.isKnown, f != nil)
	}
}

// held is what is remembered of those that a judgement may ask for.
func (g *groupFacts) held(asked []int32) classify.Held { return g.index.Held(asked, g.isKnown, g) }

// Fact is what is remembered under a number.
func (g *groupFacts) Fact(number int32) classify.Fact { return *g.known[number] }

// observe remembers what a record says.
func (g *groupFacts) observe(r *ingest.Reading, s *saying) {
	for n := range s.facts {
		g.note(s.numbers[n], &s.facts[n])
	}
	for n, k := range r.Shared {
		f := k.At(r.Time)
		g.note(s.numbers[len(s.facts)+n], &f)
	}
	if g.memory.forget(r.Time) {
		g.recall(g.memory)
	}
}

func (g *groupFacts) note(number int32, f *classify.Fact) {
	g.known[number], g.isKnown[number] = g.memory.note(g.known[number], f), true
}

// empty leaves the memory.
func (g *groupFacts) empty() {
	g.index.Reset()
	clear(g.numbers)
	clear(g.known)
	g.memory = nil
}
