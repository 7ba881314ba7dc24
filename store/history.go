package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
)

// FactResolution is how exactly history knows when something that is accepted was last seen: moving those times by less
// is not worth a write.
const FactResolution = 10 * time.Minute

// forgottenBy is the same for kinds of which the last time only says when they can be forgotten, a month or more later.
const forgottenBy = 6 * time.Hour

// A Snapshot is what history held under some keys at one moment, so that exchanges can be judged before the writer's turn.
type Snapshot struct {
	keys    []classify.Key
	digests []factKey
	was     []fact
	at      uint64 // the commit after which it was taken, where one writer writes all
}

// History looks facts up as they are committed now. See Tx.Changed for whether they still hold in the writer's turn.
func (s *Store) History(ctx context.Context, keys []classify.Key) (Snapshot, error) {
	var snap Snapshot
	if err := s.Look(ctx, keys, &snap); err != nil {
		return Snapshot{}, err
	}
	return snap, nil
}

// Look is History into a snapshot that is empty, or was made so.
func (s *Store) Look(ctx context.Context, keys []classify.Key, snap *Snapshot) (err error) {
	snap.ask(keys)
	s.facts.want()
	if snap.at, err = s.facts.read(ctx, s.readers, snap.digests, snap.was); err != nil {
		return fmt.Errorf("look up history: %w", err)
	}
	if err := s.facts.fillFilter(ctx, s.readers); err != nil {
		return fmt.Errorf("look up history: %w", err)
	}
	return nil
}

// ask makes room for what is known under the keys.
func (s *Snapshot) ask(keys []classify.Key) {
	s.keys, s.digests, s.was = keys, slices.Grow(s.digests, len(keys))[:len(keys)], slices.Grow(s.was, len(keys))[:len(keys)]
	for i := range keys {
		s.digests[i] = factKeyOf(keys[i])
	}
}

// History is what was known.
func (s *Snapshot) History() classify.History {
	h := classify.History{}
	for n := range s.was {
		if s.Holds(n) {
			h[s.keys[n]] = s.Fact(n)
		}
	}
	return h
}

// Holds reports whether anything was known under the key of that place.
func (s *Snapshot) Holds(n int) bool { return !s.was[n].isAbsent() }

// Fact is what was known under the key of that place.
func (s *Snapshot) Fact(n int) classify.Fact { return s.was[n].under(s.keys[n]) }

// Empty forgets what a snapshot holds and leaves its memory for another one.
func (s *Snapshot) Empty() {
	clear(s.was)
	*s = Snapshot{digests: s.digests[:0], was: s.was[:0]}
}

// read looks facts up in memory and then in the database, and remembers them. A nil cache remembers nothing.
func (c *factCache) read(ctx context.Context, from rowsQuerier, keys []factKey, into []fact) (at uint64, err error) {
	var missing []int
	if c != nil {
		missing, at = c.get(keys, into)
	} else {
		for i := range keys {
			missing = append(missing, i)
		}
	}
	if len(missing) == 0 {
		return at, nil
	}
	asked := make([]factKey, len(missing))
	for n, i := range missing {
		asked[n] = keys[i]
	}
	found, err := c.readAll(ctx, from, asked)
	if err != nil {
		return 0, err
	}
	for _, i := range missing {
		into[i] = found[keys[i]]
	}
	if c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, i := range missing {
			c.put(keys[i], into[i], at)
		}
	}
	return at, nil
}

// History looks facts up as they are in this transaction.
func (t *Tx) History(ctx context.Context, keys []classify.Key) (classify.History, error) {
	var snap Snapshot
	if err := t.Look(ctx, keys, &snap); err != nil {
		return nil, err
	}
	return snap.History(), nil
}

// Look is History into a snapshot that is empty, or was made so.
func (t *Tx) Look(ctx context.Context, keys []classify.Key, snap *Snapshot) error {
	snap.ask(keys)
	if err := t.factsNow(ctx, snap.digests, snap.was); err != nil {
		return fmt.Errorf("look up history: %w", err)
	}
	return nil
}

// factsNow reads facts as they are committed and adds what this transaction has observed.
func (t *Tx) factsNow(ctx context.Context, keys []factKey, into []fact) error {
	if _, err := t.facts.read(context.WithoutCancel(ctx), t.conn, keys, into); err != nil {
		return err
	}
	for i, k := range keys {
		into[i], _ = t.group.facts.mergedWith(k, into[i])
		into[i], _ = t.mine.facts.mergedWith(k, into[i])
	}
	return nil
}

// Changed returns the facts under the snapshot's keys that other writes have changed since it was taken, as they are in
// this transaction. When there are none, which is nearly always, what was judged by the snapshot stands. Changed means
// something was seen or accepted for the first time, or earlier than was known, or with a larger offset; that a thing
// was seen again is no change.
func (t *Tx) Changed(ctx context.Context, s Snapshot) (classify.History, error) {
	suspects := t.suspects.among(t.facts, s)
	if err := t.factsNow(ctx, suspects.digests, suspects.now); err != nil {
		return nil, fmt.Errorf("look up history again: %w", err)
	}
	changed := classify.History{}
	for i, place := range suspects.places {
		if f, k := &suspects.now[i], s.keys[place]; f.saysMore(&s.was[place]) {
			changed[k] = f.under(k)
		}
	}
	return changed, nil
}

// A suspicion is those facts of a snapshot that may have been changed.
type suspicion struct {
	places  []int
	digests []factKey
	now     []fact
}

// among makes the suspicion in the room of the one before.
func (x *suspicion) among(c *factCache, s Snapshot) *suspicion {
	if len(x.places) > 1<<14 { // more room than is worth keeping
		*x = suspicion{}
	}
	x.places, x.digests = x.places[:0], x.digests[:0]
	if c != nil {
		c.mu.RLock()
		defer c.mu.RUnlock()
	}
	for place, k := range s.digests {
		if c == nil || c.touched(k, s.at) {
			x.places, x.digests = append(x.places, place), append(x.digests, k)
		}
	}
	x.now = slices.Grow(x.now[:0], len(x.places))[:len(x.places)]
	return x
}

// News returns those of the facts that say something which is not known, and as what they are kept; the others need not be
// observed. It is meant for use before the writer's turn. The list itself is shortened, and room is used for what is kept.
func (s *Store) News(facts []classify.Fact, room []Observation) (news []classify.Fact, kept []Observation) {
	s.facts.want()
	return s.facts.news(facts, room)
}

func (c *factCache) news(facts []classify.Fact, room []Observation) (news []classify.Fact, kept []Observation) {
	news, kept = facts[:0], room[:0]
	for i := range facts {
		o := Observation{factKeyOf(facts[i].Key), factOf(&facts[i])}
		if c.knows(facts[i].Key.Kind, o.key, o.fact) {
			continue
		}
		news = append(news, facts[i])
		o.firstExchange, o.firstTokenPrint = ownText(o.firstExchange), ownText(o.firstTokenPrint)
		kept = append(kept, o)
	}
	clear(facts[len(news):])
	return news, inOrder(kept)
}

// knows reports whether a fact says nothing new. Only of what is accepted that can be said: of the rest it matters how often it was seen.
func (c *factCache) knows(kind classify.FactKind, k factKey, f fact) bool {
	if f.firstAccepted == 0 || f.maxOffset != 0 || c == nil {
		return false
	}
	known, exactly := c.extent(k), Resolution(kind).Milliseconds()
	return known.firstSeen != 0 && (known.firstSeen < f.firstSeen || known.firstSeen == f.firstSeen && f.firstExchange == "") &&
		known.firstAccepted != 0 && known.firstAccepted <= f.firstAccepted &&
		f.lastSeen-known.lastSeen < exactly && f.lastAccepted-known.lastAccepted < exactly
}

// extent is what is remembered of when a fact was seen and accepted; zero when nothing is.
func (c *factCache) extent(k factKey) extent {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, generation := range [...]map[factKey]fact{c.young, c.old} {
		if f, ok := generation[k]; ok {
			return f.extent
		}
	}
	for _, generation := range [...]map[factKey]extent{c.noted, c.notedBefore} {
		if s, ok := generation[k]; ok {
			return s
		}
	}
	return extent{}
}

// Resolution is how exactly it is known when something of a kind was last seen: what was accepted, and is seen again so much later at
// most, need not be observed.
func Resolution(kind classify.FactKind) time.Duration {
	switch kind {
	case classify.FactToken, classify.FactClient, classify.FactIssuer, classify.FactAudience, classify.FactShape:
		return forgottenBy
	}
	return FactResolution // of keys it matters which of two was used last
}

// Observe merges facts into history (classify.Fact.Merge). They are written when the transaction is about to be committed.
func (t *Tx) Observe(_ context.Context, facts []classify.Fact) error {
	_, kept := t.facts.news(slices.Clone(facts), nil)
	t.ObserveNews(kept)
	return nil
}

// ObserveNews is Observe for what News says is kept, which has to stay as it is until the write is over.
func (t *Tx) ObserveNews(kept []Observation) {
	if len(kept) > 0 {
		t.facts.announce(kept)
		t.mine.facts = append(t.mine.facts, kept)
	}
}

// ownText is a text as it is kept, which does not hold on to the request that it came in.
func ownText(s string) string { return strings.Clone(cleanText(s)) }

// forgetFact removes a fact unless it was seen again meanwhile.
func (t *Tx) forgetFact(ctx context.Context, f keptFact) error {
	if _, seen := t.group.facts.mergedWith(f.key, fact{}); seen {
		return nil
	}
	if t.facts != nil {
		if _, seen := t.facts.backlog.facts[f.key]; seen {
			return nil
		}
		t.facts.forget(f.key)
	}
	return t.exec(ctx, `delete from fact where digest = $1 and last_seen_at = $2 and expires_at = $3`, f.key[:], f.lastSeen, f.expires)
}

// writeFacts merges facts into the database, in one order for the locks of all replicas and for pages. The merge is in the statement,
// so that replicas lose nothing.
func (t *Tx) writeFacts(ctx context.Context, facts factList) error {
	rows := t.rowList(ctx, `insert into fact (digest, first_seen_at, last_seen_at, first_accepted_at, last_accepted_at,
		first_exchange, first_token_print, max_offset, count, expires_at) values `, 10, mergeFact)
	for i := range facts {
		f := &facts[i]
		rows.add(f.key[:], f.firstSeen, f.lastSeen, f.firstAccepted, f.lastAccepted,
			f.firstExchange, f.firstTokenPrint, f.maxOffset, f.count, f.expires)
	}
	if err := rows.end(); err != nil {
		return fmt.Errorf("write facts: %w", err)
	}
	return nil
}

const mergeFact = `
		on conflict (digest) do update set
			first_exchange = case when ` + earlierFact + ` then excluded.first_exchange else fact.first_exchange end,
			first_token_print = case when ` + earlierFact + ` then excluded.first_token_print else fact.first_token_print end,
			first_seen_at = case when ` + earlierFact + ` then excluded.first_seen_at else fact.first_seen_at end,
			last_seen_at = case when excluded.last_seen_at > fact.last_seen_at then excluded.last_seen_at else fact.last_seen_at end,
			first_accepted_at = case when excluded.first_accepted_at <> 0
					and (fact.first_accepted_at = 0 or excluded.first_accepted_at < fact.first_accepted_at)
				then excluded.first_accepted_at else fact.first_accepted_at end,
			last_accepted_at = case when excluded.last_accepted_at > fact.last_accepted_at
				then excluded.last_accepted_at else fact.last_accepted_at end,
			max_offset = case when fact.count = 0 or (excluded.count > 0 and excluded.max_offset > fact.max_offset)
				then excluded.max_offset else fact.max_offset end,
			count = fact.count + excluded.count,
			expires_at = case when excluded.expires_at > fact.expires_at then excluded.expires_at else fact.expires_at end`

// earlierFact is Merge's rule for what FirstSeen and the two columns that belong to it are taken from.
const earlierFact = `excluded.first_seen_at <> 0 and (fact.first_seen_at = 0 or excluded.first_seen_at < fact.first_seen_at
	or (excluded.first_seen_at = fact.first_seen_at and excluded.first_exchange < fact.first_exchange))`

// collect reads all rows and closes them; the scan that it hands to each call reads the current row.
func collect[T any](rows *sql.Rows, read func(scan func(...any) error) (T, error)) ([]T, error) {
	defer func() { _ = rows.Close() }() // Err tells what Close would
	var list []T
	for rows.Next() {
		v, err := read(rows.Scan)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
