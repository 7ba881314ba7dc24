package main

import (
	"crypto/sha256"
	"time"

	"authwatch/classify"
)

// A memory is the history of one run. It forgets facts that cannot matter any more, so that a long file does not fill the machine.
type memory struct {
	facts classify.History
	sweep int // size at which the next sweep is due
}

func newMemory() *memory { return &memory{facts: classify.History{}, sweep: 100_000} }

func (m *memory) lookup(keys []classify.Key) classify.History {
	found := make(classify.History, len(keys))
	for _, k := range keys {
		if f, ok := m.facts[k]; ok {
			found[k] = f
		}
	}
	return found
}

func (m *memory) observe(at time.Time, facts []classify.Fact) {
	for _, f := range facts {
		known, ok := m.facts[f.Key]
		if ok {
			f = known.Merge(f)
		}
		if !ok || f.FirstExchange != known.FirstExchange || f.FirstTokenPrint != known.FirstTokenPrint {
			f = apart(f)
		}
		m.facts[f.Key] = f
	}
	if len(m.facts) < m.sweep {
		return
	}
	const late = time.Hour // files merged from several hosts are not quite in order
	for k, f := range m.facts {
		if !f.Expires.IsZero() && f.Expires.Before(at.Add(-late)) {
			delete(m.facts, k)
		}
	}
	m.sweep = max(100_000, 2*len(m.facts))
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
type metSet struct{ recent, before map[[16]byte]struct{} }

// add reports whether the id is new.
func (s *metSet) add(id string) bool {
	const most = 1_000_000
	digest := sha256.Sum256([]byte(id))
	key := [16]byte(digest[:16])
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
		s.recent = map[[16]byte]struct{}{}
	}
	s.recent[key] = struct{}{}
	return true
}
