package classify

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
)

// An answer is all that words are heard from.
type answer struct {
	phase     Phase
	provider  string // whose words they are, as far as is known
	title     string // of the provider
	challenge string
	body      Body
	note      string
}

func answerOf(e *Exchange) answer {
	a := answer{phase: e.Phase, provider: e.Provider, title: e.Profile.title(), note: e.Record.Error}
	if r := e.Record.Response; r != nil && a.phase != ClientSide {
		a.challenge, a.body = r.Headers.Get("www-authenticate"), r.Body
	} else if a.phase != ClientSide {
		a.note = ""
	}
	return a
}

func (a *answer) same(b *answer) bool {
	return a.phase == b.phase && string(a.body) == string(b.body) && a.challenge == b.challenge && a.provider == b.provider && a.title == b.title && a.note == b.note
}

// clone is a copy that keeps no record in memory.
func (a *answer) clone() answer {
	return answer{phase: a.phase, provider: strings.Clone(a.provider), title: strings.Clone(a.title), challenge: strings.Clone(a.challenge), body: slices.Clone(a.body), note: strings.Clone(a.note)}
}

// size in bytes, as far as senders decide it.
func (a *answer) size() int {
	return len(a.provider) + len(a.challenge) + len(a.body) + len(a.note)
}

// Bounds of what is remembered: together some four MB at worst.
const (
	maxHearings = 2048 // answers
	maxHearing  = 1 << 10
)

// Hearings remembers what answers say, since servers repeat themselves: a refusal that is worded like an earlier one is not read again. It
// changes nothing but the time that hearing takes. An answer is remembered when it comes a second time, so that those which are never the
// same twice cost no memory. Any number of goroutines may share it; a nil one remembers nothing.
type hearings struct {
	seed maphash.Seed
	met  [maxHearings]atomic.Uint64 // hashes of answers that came once
	kept [maxHearings]atomic.Pointer[hearing]
}

type hearing struct {
	answer
	said words
}

func newHearings() *hearings { return &hearings{seed: maphash.MakeSeed()} }

// hear is what an answer says by documented texts, which are the same in all calls; nil when it is not remembered, and left in w.
func (h *hearings) hear(a *answer, k *Knowledge, w *words) *words {
	if h == nil || a.size() > maxHearing || a.size() == len(a.provider) {
		*w = a.read(k)
		return nil
	}
	hash := h.hash(a)
	first := int(hash % maxHearings)
	second := first ^ 1
	for _, place := range [...]int{first, second} {
		if known := h.kept[place].Load(); known != nil && known.same(a) {
			return &known.said
		}
	}
	if h.met[first].Swap(hash) != hash {
		*w = a.read(k)
		return nil
	}
	place := first
	if h.kept[first].Load() != nil && (h.kept[second].Load() == nil || hash>>32&1 == 0) {
		place = second
	}
	kept := &hearing{answer: a.clone()}
	kept.said = kept.answer.words(k)
	kept.said.wording = kept.said.compared()
	kept.said.also, kept.said.mayBe = slices.Clip(kept.said.also), slices.Clip(kept.said.mayBe) // who adds to them adds to a copy
	kept.said.quoted = kept.said.quote(a.phase)
	h.kept[place].Store(kept)
	return &kept.said
}

// read is words for an answer that stays on the caller's stack.
func (a *answer) read(k *Knowledge) words {
	copied := *a
	return copied.words(k)
}

func (h *hearings) hash(a *answer) uint64 {
	hash := maphash.Bytes(h.seed, a.body)
	for _, text := range [...]string{a.challenge, a.note, a.provider} {
		if hash = hash*0x9e3779b97f4a7c15 + uint64(len(text)); text != "" {
			hash ^= maphash.String(h.seed, text)
		}
	}
	return hash + uint64(len(a.phase))
}
