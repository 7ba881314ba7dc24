package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"time"

	"authwatch/classify"
)

// A factKey stands for a classify.Key: a digest, of one size however long the names are.
type factKey [16]byte

func factKeyOf(k classify.Key) (digest factKey) {
	var room [256]byte
	b := room[:0]
	for _, s := range [...]string{string(k.Kind), k.Provider, k.Environment, k.Name} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	sum := sha256.Sum256(b)
	copy(digest[:], sum[:])
	return digest
}

const (
	factSlots     = 1 << 14 // of the times at which keys were last changed; several keys share one
	factsRemember = 20_000  // facts of each of two generations
)

// A factCache remembers what the database holds under some keys. It is exact where one writer writes all: every change
// goes through it. Elsewhere it is not used.
type factCache struct {
	mu         sync.RWMutex
	commits    uint64
	floor      uint64                    // of the last time that everything was forgotten
	changed    [factSlots]uint64         // by which commit a key of the slot was last changed, at the latest
	young, old map[factKey]classify.Fact // without Key; Count 0 and no time: known to be absent
}

func newFactCache() *factCache {
	return &factCache{young: map[factKey]classify.Fact{}, old: map[factKey]classify.Fact{}}
}

func (k factKey) slot() int { return int(binary.BigEndian.Uint16(k[:])) % factSlots }

// get returns what is remembered under the keys, which of them are not, and the commit after which that holds.
func (c *factCache) get(keys []factKey, found func(i int, f classify.Fact)) (missing []int, at uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i, k := range keys {
		f, ok := c.young[k]
		if !ok {
			f, ok = c.old[k]
		}
		if ok {
			found(i, f)
		} else {
			missing = append(missing, i)
		}
	}
	return missing, c.commits
}

// put remembers what a reader read that began after commit at, unless it was changed meanwhile.
func (c *factCache) put(k factKey, f classify.Fact, at uint64) {
	if c.changed[k.slot()] > at || c.floor > at {
		return
	}
	if len(c.young) >= factsRemember {
		c.young, c.old = map[factKey]classify.Fact{}, c.young
	}
	f.Key = classify.Key{}
	f.FirstExchange, f.FirstTokenPrint = strings.Clone(f.FirstExchange), strings.Clone(f.FirstTokenPrint) // not the request they came in
	c.young[k] = f
}

// announce is called before a commit that changes the keys: what is read from now on may be older or newer.
func (c *factCache) announce(changes map[factKey]classify.Fact) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range changes {
		c.changed[k.slot()] = c.commits + 1
	}
}

// committed is called after it.
func (c *factCache) committed(changes map[factKey]classify.Fact) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits++
	for k, f := range changes {
		for _, generation := range []map[factKey]classify.Fact{c.young, c.old} {
			if known, ok := generation[k]; ok {
				merged := known.Merge(f)
				merged.FirstExchange, merged.FirstTokenPrint = strings.Clone(merged.FirstExchange), strings.Clone(merged.FirstTokenPrint)
				generation[k] = merged
			}
		}
	}
}

// forget drops a key that is about to be removed.
func (c *factCache) forget(k factKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.young, k)
	delete(c.old, k)
	c.changed[k.slot()] = c.commits + 1
}

// forgetAll is for when somebody else has written.
func (c *factCache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.young)
	clear(c.old)
	c.commits++
	c.floor = c.commits
}

// touched reports whether a key may have been changed since a commit.
func (c *factCache) touched(k factKey, since uint64) bool {
	return c.floor > since || c.changed[k.slot()] > since
}

// lookupSize is how many keys one query asks for. Shorter lists are filled up, so that one prepared statement serves all.
const lookupSize = 32

func factLookup() string {
	marks := make([]string, lookupSize)
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	return `select digest, first_seen_at, last_seen_at, first_accepted_at, last_accepted_at,
			first_exchange, first_token_print, max_offset, count, expires_at
		from fact where digest in (` + strings.Join(marks, ", ") + `)`
}

// A rowsQuerier is what History reads through: the pool of readers, or the writer's connection.
type rowsQuerier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// readFacts reads facts from the database; those that are absent are not in the answer.
func readFacts(ctx context.Context, from rowsQuerier, keys []factKey) (map[factKey]classify.Fact, error) {
	found := make(map[factKey]classify.Fact, len(keys))
	query, args := factLookup(), make([]any, lookupSize)
	for first := 0; first < len(keys); first += lookupSize {
		for i := range args {
			k := keys[min(first+i, len(keys)-1)]
			args[i] = k[:]
		}
		rows, err := from.QueryContext(ctx, query, args...)
		if err != nil {
			return nil, err
		}
		_, err = collect(rows, func(scan func(...any) error) (struct{}, error) {
			k, f, err := scanFact(scan)
			found[k] = f
			return struct{}{}, err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func scanFact(scan func(...any) error) (k factKey, f classify.Fact, err error) {
	var digest []byte
	var firstSeen, lastSeen, firstAccepted, lastAccepted, offset, expires int64
	err = scan(&digest, &firstSeen, &lastSeen, &firstAccepted, &lastAccepted,
		&f.FirstExchange, &f.FirstTokenPrint, &offset, &f.Count, &expires)
	copy(k[:], digest)
	f.FirstSeen, f.LastSeen = fromMillis(firstSeen), fromMillis(lastSeen)
	f.FirstAccepted, f.LastAccepted = fromMillis(firstAccepted), fromMillis(lastAccepted)
	f.MaxOffset, f.Expires = time.Duration(offset), fromMillis(expires)
	return k, f, err
}

// isAbsent reports whether nothing is known.
func isAbsent(f classify.Fact) bool {
	return f.Count == 0 && f.FirstSeen.IsZero() && f.LastSeen.IsZero() && f.FirstAccepted.IsZero() && f.LastAccepted.IsZero() && f.Expires.IsZero() && f.MaxOffset == 0
}
