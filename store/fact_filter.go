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
	filterMost   = 1_500_000 // keys, up to which that leaves about one in a hundred of the absent ones to a look
	filterGrowth = 8         // times as much room that it takes at most
	filterStep   = 1024      // keys of the table that are read at a time while it is made,
	runStep      = 8 * 1024  // and rows of runs
)

// A factFilter is a Bloom filter of keys, each of which sets six bits of one block. Keys that are removed stay in it. It is
// guarded by its factCache.
type factFilter struct {
	blocks [][8]uint64
	keys   int // that it did not seem to have, when they were added
	most   int // that it has room for
	enough int // keys, from which it is better made again: many of those may have been removed

	last  factKey   // up to which the table is read,
	tail  runRowKey // and then the runs
	rows  bool      // the table is
	whole bool      // all is
}

func newFactFilter(growth int) *factFilter {
	return &factFilter{blocks: make([][8]uint64, growth*filterBlocks), most: growth * filterMost, tail: runRowKey{digest: []byte{}}}
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
	return &f.blocks[int(binary.BigEndian.Uint32(k[:]))*len(f.blocks)>>32], binary.BigEndian.Uint64(k[8:])
}

// inRun is what the filter knows a key by that is in a run: other bits of the same block.
func (k factKey) inRun() factKey {
	for i := 8; i < len(k); i++ {
		k[i] = ^k[i]
	}
	return k
}

// nowKept says that facts were written to the table, and as a run.
func (c *factCache) nowKept(facts, run factList) {
	if c.filter == nil {
		return
	}
	for i := range facts {
		c.filter.add(facts[i].key)
	}
	for i := range run {
		c.filter.add(run[i].key.inRun())
	}
	if c.filter.whole && c.filter.keys > c.filter.enough {
		c.filter = nil
	}
}

// mayBeKept returns those of the keys that are not certainly absent from the table. What another process has written since
// this one did may be missing, as it may in what is remembered.
func (c *factCache) mayBeKept(keys []factKey) []factKey {
	return c.mayHold(keys, func(k factKey) factKey { return k })
}

// mayBeInRun returns those that are not certainly absent from all runs.
func (c *factCache) mayBeInRun(keys []factKey) []factKey {
	return c.mayHold(keys, factKey.inRun)
}

func (c *factCache) mayHold(keys []factKey, as func(factKey) factKey) []factKey {
	c.mu.RLock()
	defer c.mu.RUnlock()
	filter := c.wholeFilter()
	if filter == nil {
		return keys
	}
	return slices.DeleteFunc(slices.Clone(keys), func(k factKey) bool { return !filter.mayHold(as(k)) })
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
		c.filter = newFactFilter(1)
	}
	f := c.filter
	c.mu.Unlock()
	if f.rows {
		return c.fillWithRuns(ctx, from, f)
	}
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
	f.rows = len(keys) < filterStep
	c.growFilter(f)
	return nil
}

// fillWithRuns reads many facts at a time: until all are read, each look for a fact is one into every run.
func (c *factCache) fillWithRuns(ctx context.Context, from rowsQuerier, f *factFilter) error {
	rows, err := runRowsAfter(ctx, from, f.tail)
	if err != nil {
		return fmt.Errorf("read keys of runs: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, row := range rows {
		for i := range row.facts {
			f.add(row.facts[i].key.inRun())
		}
		f.tail = row.runRowKey
	}
	if f.whole = len(rows) < runStep; f.whole {
		f.enough = max(f.most, 2*f.keys)
	}
	c.growFilter(f)
	return nil
}

// growFilter begins a filter anew that has too little room.
func (c *factCache) growFilter(f *factFilter) {
	if growth := 2 * len(f.blocks) / filterBlocks; f.keys > f.most && growth <= filterGrowth {
		c.filter = newFactFilter(growth)
	}
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
