package ingest

import "sync/atomic"

// ways is how many entries of a table may have hashes that meet. With one, two that come again and again would push each other out each time.
const ways = 4

// idleFor is how many entries a table takes while it keeps one that nobody asks for, and at most twice as many. A token is renewed every
// hour: what was known of the last one would lie there until its slot is needed, for the collector of garbage to look at each time.
const idleFor = 1 << 10

// A table has a bounded number of slots for immutable entries. It never blocks, and forgetting costs only time.
type table[T any] struct {
	slots []atomic.Pointer[T]
	asked []atomic.Bool // since the hand came by
	hand  atomic.Uint64
}

// newTable makes a table of that many slots, a multiple of idleFor.
func newTable[T any](slots int) table[T] {
	return table[T]{slots: make([]atomic.Pointer[T], slots), asked: make([]atomic.Bool, slots)}
}

// first is the first of the slots for a hash.
func (t *table[T]) first(hash uint64) int { return int(hash%uint64(len(t.slots)/ways)) * ways }

// find returns the entry of that hash which is the one that is looked for, nil for none.
func (t *table[T]) find(hash uint64, is func(*T) bool) *T {
	first := t.first(hash)
	for n := first; n < first+ways; n++ {
		if v := t.slots[n].Load(); v != nil && is(v) {
			t.ask(n)
			return v
		}
	}
	return nil
}

func (t *table[T]) ask(slot int) {
	if asked := &t.asked[slot]; !asked.Load() {
		asked.Store(true)
	}
}

// keep puts in an entry, in the place of an older one where there is no room, and sweeps.
func (t *table[T]) keep(hash uint64, v *T) {
	first := t.first(hash)
	slot := first + int(hash>>32%ways)
	for n := first; n < first+ways; n++ {
		if t.slots[n].Load() == nil {
			slot = n
			break
		}
	}
	t.ask(slot)
	t.slots[slot].Store(v)
	t.sweep()
}

// sweep moves the hand by a few slots, and empties those that nobody asked for since it was there last.
func (t *table[T]) sweep() {
	for range len(t.slots) / idleFor {
		n := t.hand.Add(1) % uint64(len(t.slots))
		if !t.asked[n].Swap(false) {
			t.slots[n].Store(nil)
		}
	}
}
