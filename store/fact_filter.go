package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
)

// Most facts that a failure asks for were never there: those of a token that nobody has seen before. A filter in memory
// knows the keys that are certainly not in the table, so that nobody has to look; of the others it knows nothing.

const (
	filterBlocks = 1 << 15   // of 64 bytes: 2 MiB
	filterMost   = 1_500_000 // keys, up to which it leaves about one in a hundred of the absent ones to a look
	filterStep   = 1024      // keys that are read at a time while it is made
)

// A factFilter is a Bloom filter of keys, each of which sets six bits of one block. Keys that are removed stay in it. It is
// guarded by its factCache.
type factFilter struct {
	blocks [][8]uint64
	keys   int // that it did not seem to have, when they were added
	enough int // keys, from which it is better made again: many of those may have been removed

	last  factKey // up to which the table is read
	whole bool    // all is
}

func newFactFilter() *factFilter {
	return &factFilter{blocks: make([][8]uint64, filterBlocks)}
}

// add adds a key.
func (f *factFilter) add(k factKey) {
	block, places := f.bits(k)
	fresh := false
	for range 6 {
		word, bit := &block[places>>6&7], uint64(1)<<(places&63)
		fresh = fresh || *word&bit == 0
		*word |= bit
		places >>= 9
	}
	if fresh {
		f.keys++
	}
}

// mayHold is false for a key that was never added.
func (f *factFilter) mayHold(k factKey) bool {
	block, places := f.bits(k)
	for range 6 {
		if block[places>>6&7]>>(places&63)&1 == 0 {
			return false
		}
		places >>= 9
	}
	return true
}

// bits is the block of a key, and a number of which six times nine bits say which bits of the block are the key's. A table that is
// read in its order meets one block after the other.
func (f *factFilter) bits(k factKey) (*[8]uint64, uint64) {
	return &f.blocks[int(binary.BigEndian.Uint16(k[:]))*filterBlocks>>16], binary.BigEndian.Uint64(k[8:])
}

// nowKept says that facts were written to the table.
func (c *factCache) nowKept(facts factList) {
	if c.filter == nil {
		return
	}
	for i := range facts {
		c.filter.add(facts[i].key)
	}
	if c.filter.whole && c.filter.keys > c.filter.enough {
		c.filter = nil
	}
}

// mayBeKept returns those of the keys that are not certainly absent from the table. What another process has written since
// this one did may be missing, as it may in what is remembered.
func (c *factCache) mayBeKept(keys []factKey) []factKey {
	c.mu.RLock()
	defer c.mu.RUnlock()
	filter := c.wholeFilter()
	if filter == nil {
		return keys
	}
	return slices.DeleteFunc(slices.Clone(keys), func(k factKey) bool { return !filter.mayHold(k) })
}

// wholeFilter is the filter if it knows all keys of the table, else nil. The facts of the keys that it does not hold are those of the backlog.
func (c *factCache) wholeFilter() *factFilter {
	if c.filter == nil || !c.filter.whole {
		return nil
	}
	return c.filter
}

// fillFilter reads some more of the table into the filter until it is whole. What is written meanwhile is added when it is.
func (c *factCache) fillFilter(ctx context.Context, from rowsQuerier) error {
	if c == nil || c.filterIsWhole() || !c.filling.TryLock() {
		return nil
	}
	defer c.filling.Unlock()
	c.mu.Lock()
	if c.filter == nil {
		c.filter = newFactFilter()
	}
	f := c.filter
	c.mu.Unlock()
	keys, err := factKeysAfter(ctx, from, f.last)
	if err != nil {
		return fmt.Errorf("read keys of facts: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range keys {
		f.add(k)
		f.last = k
	}
	if f.whole = len(keys) < filterStep; f.whole {
		f.enough = max(filterMost, 2*f.keys)
	}
	return nil
}

func (c *factCache) filterIsWhole() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.wholeFilter() != nil
}

// factKeysAfter reads the keys of the table that follow one, in their order. No digest is all zeros.
func factKeysAfter(ctx context.Context, from rowsQuerier, last factKey) ([]factKey, error) {
	rows, err := from.QueryContext(ctx, `select digest from fact where digest > $1 order by digest limit $2`, last[:], int64(filterStep))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (k factKey, err error) {
		var digest sql.RawBytes
		err = scan(&digest)
		copy(k[:], digest)
		return k, err
	})
}
