package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

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
	floor      uint64            // of the last time that everything was forgotten
	changed    [factSlots]uint64 // by which commit a key of the slot was last changed, at the latest
	young, old map[factKey]fact

	backlog factBacklog  // is added to what the table holds
	moves   uint64       // how often it was emptied
	moving  sync.RWMutex // held while it may be in both or in neither
	wanted  atomic.Bool  // somebody has asked: this process judges

	noted, notedBefore map[factKey]extent // see note

	filter  *factFilter // nil until somebody asks
	filling sync.Mutex  // held by one that reads the table for it
}

func newFactCache() *factCache {
	return &factCache{young: map[factKey]fact{}, old: map[factKey]fact{}, backlog: newFactBacklog(), noted: map[factKey]extent{}}
}

func (k factKey) slot() int { return int(binary.BigEndian.Uint16(k[:])) % factSlots }

// get fills in what is known under the keys, which of most is that they were never there, and returns of which it is not, and the commit
// after which that holds.
func (c *factCache) get(keys []factKey, into []fact) (missing []int, at uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	filter := c.wholeFilter()
	for i, k := range keys {
		if filter != nil && !filter.mayHold(k) && !filter.mayHold(k.inRun()) {
			into[i] = c.backlog.facts[k]
			continue
		}
		f, ok := c.young[k]
		if !ok {
			f, ok = c.old[k]
		}
		if ok {
			into[i] = f
		} else {
			missing = append(missing, i)
		}
	}
	return missing, c.commits
}

// put remembers what a reader read that began after commit at, unless it was changed meanwhile.
func (c *factCache) put(k factKey, f fact, at uint64) {
	if c.changed[k.slot()] > at || c.floor > at {
		return
	}
	if len(c.young) >= factsRemember {
		c.young, c.old = c.old, c.young
		clear(c.young)
	}
	c.young[k] = f
}

// commit runs the commit of a transaction and takes over what it has changed. What is read meanwhile may be older or newer.
func (c *factCache) commit(s *sums, do func() error) error {
	if c == nil {
		return do()
	}
	if s.moved.all {
		c.moving.Lock()
		defer c.moving.Unlock()
		c.moves++
	}
	err := do()
	if err == nil {
		c.committed(s)
	}
	return err
}

// announce says that a write of the next commit changes facts. It does no harm if that is undone.
func (c *factCache) announce(list factList) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range list {
		c.changed[list[i].key.slot()] = c.commits + 1
	}
}

func (c *factCache) committed(s *sums) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits++
	for _, list := range s.facts {
		for i := range list {
			c.learn(&list[i])
		}
	}
	b := &c.backlog
	b.adopted = b.adopted || s.adoptedFacts
	c.nowKept(s.moved.written, s.moved.run)
	if s.moved.all {
		b.wrote()
	} else if s.moved.row != 0 {
		b.keep(s.moved.row, s.facts)
	}
}

// learn adds to what is remembered of a fact.
func (c *factCache) learn(o *Observation) {
	for _, generation := range [...]map[factKey]fact{c.young, c.old} {
		if known, ok := generation[o.key]; ok {
			generation[o.key] = known.merge(o.fact)
		}
	}
	c.note(o.key, o.fact)
}

// forget drops a key that is about to be removed.
func (c *factCache) forget(k factKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.young, k)
	delete(c.old, k)
	delete(c.noted, k)
	delete(c.notedBefore, k)
	c.changed[k.slot()] = c.commits + 1
}

// forgetAll is for when somebody else has written.
func (c *factCache) forgetAll() {
	c.forgetRemembered()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.filter = nil
	c.commits++
}

// forgetRemembered is for when facts are about to be removed.
func (c *factCache) forgetRemembered() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.young)
	clear(c.old)
	clear(c.noted)
	clear(c.notedBefore)
	c.floor = c.commits + 1
}

// want says that this process judges by history.
func (c *factCache) want() {
	if c != nil {
		c.wanted.Store(true)
	}
}

// putOff is how many rows the backlog has.
func (c *factCache) putOff() int {
	if c == nil {
		return 0
	}
	return len(c.backlog.rows)
}

// othersWroteBacklog is for when another process has taken the backlog over.
func (c *factCache) othersWroteBacklog() {
	c.moving.Lock()
	defer c.moving.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moves++
	c.backlog.wrote()
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
func readFacts(ctx context.Context, from rowsQuerier, keys []factKey) (map[factKey]fact, error) {
	found := map[factKey]fact{} // few: what is asked for here is mostly new
	query, args := factLookup(), make([]any, lookupSize)
	for first := 0; first < len(keys); first += lookupSize {
		for i := range args {
			args[i] = keys[min(first+i, len(keys)-1)][:]
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

func scanFact(scan func(...any) error) (k factKey, f fact, err error) {
	var digest []byte
	err = scan(&digest, &f.firstSeen, &f.lastSeen, &f.firstAccepted, &f.lastAccepted,
		&f.firstExchange, &f.firstTokenPrint, &f.maxOffset, &f.count, &f.expires)
	copy(k[:], digest)
	return k, f, err
}

// readAll reads facts from the database and adds what is put off.
func (c *factCache) readAll(ctx context.Context, from rowsQuerier, keys []factKey) (map[factKey]fact, error) {
	if c == nil {
		return readFacts(ctx, from, keys)
	}
	for {
		c.moving.RLock()
		moves := c.moves
		c.moving.RUnlock()
		found, err := readFacts(ctx, from, c.mayBeKept(keys))
		if err == nil {
			err = c.addRuns(ctx, from, keys, found)
		}
		if err != nil {
			return nil, err
		}
		if c.addBacklog(found, keys, moves) {
			return found, nil
		}
	}
}

// addBacklog is false when facts were moved meanwhile, so that some may count twice or not at all.
func (c *factCache) addBacklog(found map[factKey]fact, keys []factKey, moves uint64) bool {
	c.moving.RLock()
	defer c.moving.RUnlock()
	if c.moves != moves {
		return false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	more := map[factKey]fact{} // a key may be asked for twice
	for _, k := range keys {
		if f, ok := c.backlog.facts[k]; ok {
			more[k] = f
		}
	}
	for k, f := range more {
		if kept, ok := found[k]; ok {
			f = kept.merge(f)
		}
		found[k] = f
	}
	return true
}
