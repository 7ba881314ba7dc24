package classify

import (
	"hash/maphash"
	"unicode/utf8"
)

// A FactIndex numbers keys of facts, each once, in the order in which they come. The exchanges of a batch name the same few facts again
// and again: one that was named before costs a look-up and no memory. The zero value is empty and ready for use.
type FactIndex struct {
	seed   maphash.Seed
	keys   []Key
	places numbering // of the keys
	names  texts
	name   []byte // that is looked up
	alike  alikeFacts
}

// Keys lists the keys by their numbers. The list is the index's own and good until Reset.
func (x *FactIndex) Keys() []Key { return x.keys }

// Number is that of a key, which gets the next one if it has none.
func (x *FactIndex) Number(k *Key) int32 {
	x.begin()
	x.name = append(x.name[:0], k.Name...)
	return x.number(x.site(k.Provider, k.Environment), k.Kind, k.Provider, k.Environment, x.name)
}

func (x *FactIndex) begin() {
	if x.seed == (maphash.Seed{}) {
		x.seed = maphash.MakeSeed()
	}
}

// AppendKeys appends the numbers of e.Keys, in their order.
func (x *FactIndex) AppendKeys(numbers []int32, e *Exchange) []int32 {
	x.begin()
	a := &x.alike
	var own ownFact
	var ok bool
	if a.text, own, ok = e.appendAlike(a.text[:0]); !ok {
		return x.appendEach(numbers, e)
	}
	from, hash := len(numbers), uint32(maphash.Bytes(x.seed, a.text))
	known := a.find(hash)
	if known == nil {
		numbers = x.appendEach(numbers, e)
		a.keep(hash, numbers[from:], x.ownPlace(numbers[from:]))
		return numbers
	}
	numbers = append(numbers, a.numbers[known.from:known.to]...)
	if known.own >= 0 {
		x.name = own.appendName(x.name[:0])
		numbers[from+known.own] = x.number(x.site(e.Provider, e.Environment), own.kind, e.Provider, e.Environment, x.name)
	}
	return numbers
}

// AppendFacts appends the facts of a failure that asks for the keys of these numbers: it asks for all that it says.
func (x *FactIndex) AppendFacts(facts []Fact, e *Exchange, numbers []int32) []Fact {
	t := e.Record.ClientAssertion
	if e.Phase != TokenRequest || t == nil || t.Claims == nil {
		return facts
	}
	if k := x.among(numbers, FactJTI); k != nil && e.spends(textOf(t.Claims.Get("jti"))) {
		facts = append(facts, e.jtiFact(*k))
	}
	if k := x.among(numbers, FactClock); k != nil {
		if offset, ok := e.iatOffset(); ok {
			facts = append(facts, e.clockFact(*k, offset))
		}
	}
	return facts
}

// among is the first key of a kind among those of the numbers, nil for none.
func (x *FactIndex) among(numbers []int32, kind FactKind) *Key {
	for _, n := range numbers {
		if k := &x.keys[n]; k.Kind == kind {
			return k
		}
	}
	return nil
}

// NumberAmong is Number of a key that is probably one of those numbers.
func (x *FactIndex) NumberAmong(numbers []int32, k *Key) int32 {
	for _, n := range numbers {
		if x.keys[n] == *k {
			return n
		}
	}
	return x.Number(k)
}

// ownPlace is where in the numbers of one exchange that of its own fact is, -1 for nowhere.
func (x *FactIndex) ownPlace(numbers []int32) int {
	for place, n := range numbers {
		if kind := x.keys[n].Kind; kind == FactToken || kind == FactJTI {
			return place
		}
	}
	return -1
}

// appendEach is AppendKeys by each of the facts.
func (x *FactIndex) appendEach(numbers []int32, e *Exchange) []int32 {
	var room mentionRoom
	l := e.askedMentions(room.empty())
	if len(l.list) == 0 {
		return numbers
	}
	valid := utf8.Valid(l.text)
	here, anywhere := x.site(e.Provider, e.Environment), x.site(e.Provider, anyName)
	for i := range l.list {
		m := &l.list[i]
		switch {
		case m.to == 0:
			x.name = append(x.name[:0], m.name...)
		case valid && m.to-m.from <= maxName:
			x.name = append(x.name[:0], l.text[m.from:m.to]...)
		default:
			x.name = append(x.name[:0], boundedName(string(l.text[m.from:m.to]))...)
		}
		if m.anywhere {
			numbers = append(numbers, x.number(anywhere, m.kind, e.Provider, anyName, x.name))
		} else {
			numbers = append(numbers, x.number(here, m.kind, e.Provider, e.Environment, x.name))
		}
	}
	return numbers
}

// site is the part of hashes that the keys of one environment share.
func (x *FactIndex) site(provider, environment string) uint64 {
	return maphash.String(x.seed, provider)*3 + maphash.String(x.seed, environment)
}

// number looks a key up.
func (x *FactIndex) number(site uint64, kind FactKind, provider, environment string, name []byte) int32 {
	hash := uint32((site + maphash.Bytes(x.seed, name)*5 + uint64(setOf(kind))*0x9e3779b97f4a7c15) >> 16)
	for n, at := x.places.first(hash); n >= 0; n, at = x.places.next(hash, at) {
		if k := &x.keys[n]; k.Name == string(name) && k.Kind == kind && k.Environment == environment && k.Provider == provider {
			return n
		}
	}
	n := int32(len(x.keys))
	x.keys = append(x.keys, Key{Kind: kind, Provider: provider, Environment: environment, Name: x.names.keep(name)})
	x.places.add(hash, n)
	return n
}

// Held is what is held for an exchange that asks for the keys of these numbers, by whether each number's fact is.
func (x *FactIndex) Held(numbers []int32, isHeld []bool, facts NumberedFacts) Held {
	h := Held{index: x, numbers: numbers, isHeld: isHeld, facts: facts}
	for _, n := range numbers {
		if !isHeld[n] {
			continue
		}
		if k := &x.keys[n]; k.Environment == anyName {
			h.anywhere |= setOf(k.Kind)
		} else {
			h.here |= setOf(k.Kind)
		}
	}
	return h
}

// Reset forgets all keys and keeps the memory for others.
func (x *FactIndex) Reset() {
	clear(x.keys)
	x.keys = x.keys[:0]
	x.places.reset()
	x.alike.reset()
}

// A numbering finds numbers by the hashes of what they stand for. Whether it is the very same is for who looks to compare.
type numbering struct {
	slots []slot // a power of two, of which at most half are taken
	taken int
}

// A slot is a hash with its number and one more; 0 is none.
type slot struct {
	hash uint32
	one  int32
}

// first is the first number that a hash may have, -1 for none, and where it is.
func (t *numbering) first(hash uint32) (number int32, at uint32) {
	if len(t.slots) == 0 {
		return -1, 0
	}
	return t.next(hash, hash-1)
}

// next is the number behind that place.
func (t *numbering) next(hash, at uint32) (number int32, next uint32) {
	mask := uint32(len(t.slots) - 1)
	for {
		at = (at + 1) & mask
		if s := t.slots[at]; s.one == 0 || s.hash == hash {
			return s.one - 1, at
		}
	}
}

func (t *numbering) add(hash uint32, number int32) {
	if 2*t.taken >= len(t.slots) {
		old := t.slots
		t.slots, t.taken = make([]slot, max(2*len(old), 64)), 0
		for _, s := range old {
			if s.one != 0 {
				t.add(s.hash, s.one-1)
			}
		}
	}
	mask := uint32(len(t.slots) - 1)
	at := hash & mask
	for t.slots[at].one != 0 {
		at = (at + 1) & mask
	}
	t.slots[at] = slot{hash, number + 1}
	t.taken++
}

func (t *numbering) reset() {
	clear(t.slots)
	t.taken = 0
}
