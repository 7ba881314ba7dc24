package main

import (
	"crypto/sha256"
	"time"

	"authwatch/classify"
)

// A memory is the history of one run. It forgets facts that cannot matter any more, so that a long file does not fill the machine.
type memory struct {
	facts map[classify.Key]*classify.Fact
	least int // facts from which on a sweep is worth it
	sweep int // how many make the next one due
}

func newMemory() *memory {
	const least = 100_000
	return &memory{facts: map[classify.Key]*classify.Fact{}, least: least, sweep: least}
}

func (m *memory) lookup(keys []classify.Key) classify.History {
	found := make(classify.History, len(keys))
	for _, k := range keys {
		if f, ok := m.facts[k]; ok {
			found[k] = *f
		}
	}
	return found
}

func (m *memory) observe(at time.Time, facts []classify.Fact) {
	for n := range facts {
		m.note(m.facts[facts[n].Key], &facts[n])
	}
	m.forget(at)
}

// note merges a fact into what is known under its key, nil for nothing, and returns what is known then.
func (m *memory) note(known, f *classify.Fact) *classify.Fact {
	if known == nil {
		one := apart(*f)
		m.facts[one.Key] = &one
		return &one
	}
	exchange, print := known.FirstExchange, known.FirstTokenPrint
	known.Add(f)
	if known.FirstExchange != exchange || known.FirstTokenPrint != print {
		*known = apart(*known)
	}
	return known
}

// forget sweeps when there is so much that it is worth it, and says whether it did.
func (m *memory) forget(at time.Time) bool {
	if len(m.facts) < m.sweep {
		return false
	}
	const late = time.Hour // files merged from several hosts are not quite in order
	for k, f := range m.facts {
		if !f.Expires.IsZero() && f.Expires.Before(at.Add(-late)) {
			delete(m.facts, k)
		}
	}
	m.sweep = max(m.least, 2*len(m.facts))
	return true
}

// apart is the fact with texts of its own. Those that it came with are parts of the line that it was read from, which would stay in memory
// for a few words.
func apart(f classify.Fact) classify.Fact {
	all := f.Key.Provider + f.Key.Environment + f.Key.Name + f.FirstExchange + f.FirstTokenPrint
	for _, text := range []*string{&f.Key.Provider, &f.Key.Environment, &f.Key.Name, &f.FirstExchange, &f.FirstTokenPrint} {
		*text, all = all[:len(*text)], all[len(*text):]
	}
	return f
}

// A metSet recognises the ids of judged failures: a line delivered twice is one failure. It remembers the last million of them at least and
// two at most, so that it never grows beyond some 100 MB.
type metSet struct{ recent, before map[metID]struct{} }

// A metID is the digest of an id.
type metID [16]byte

func metIDOf(id string) metID {
	digest := sha256.Sum256([]byte(id))
	return metID(digest[:16])
}

// add reports whether the id is new.
func (s *metSet) add(key metID) bool {
	const most = 1_000_000
	if _, met := s.recent[key]; met {
		return false
	}
	if _, met := s.before[key]; met {
		return false
	}
	if len(s.recent) >= most {
		s.before, s.recent = s.recent, nil
	}
	if s.recent == nil {
		s.recent = map[metID]struct{}{}
	}
	s.recent[key] = struct{}{}
	return true
}
