package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"authwatch/classify"
)

const (
	// sightEvery is how soon a thing that was never seen is written. A process that is killed forgets as much.
	sightEvery = time.Second
	// sightAgainEvery is how soon it is written that known things were seen again; sooner after a start, when most of what
	// is seen is seen again for the first time.
	sightAgainEvery = time.Minute
	sightAgainFirst = 2 * time.Second
	// sightStep bounds the rows of one write, and so how long others wait for it.
	sightStep = 256
)

// A lookLog keeps what was seen until it is written. It costs a batch a moment under its lock, and the writer nothing but a
// turn of its own now and then: no figure here decides a verdict, so it may be a second late.
type lookLog struct {
	mu    sync.Mutex
	fresh []*Look // that were never written
	again []*Look // that were, and came again
	lost  int64   // exchanges whose looks found no room

	writing sync.Mutex
	left    map[SightingName]Sighting // what could not be written; of who holds writing, like the next
	againAt time.Time
	every   time.Duration // until the next time
}

func newLookLog() *lookLog { return &lookLog{} }

// Sight notes what committed exchanges have shown. It is written soon: Maintain does, and Close.
func (s *Store) Sight(seen []Seen) {
	l := s.looks
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := range seen {
		look := seen[n].Look
		if look.tally.count == 0 && !l.wait(look) {
			l.lost++
			continue
		}
		look.tally.add(&seen[n])
	}
}

// wait puts a look among those that are to be written, if there is room.
func (l *lookLog) wait(look *Look) bool {
	if len(l.fresh)+len(l.again) >= looksWaiting {
		return false
	}
	if look.written {
		l.again = append(l.again, look)
	} else {
		l.fresh = append(l.fresh, look)
	}
	return true
}

// take hands over what is due; all of it or only what is new.
func (l *lookLog) take(all bool) (due []dueLook, lost int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	looks := l.fresh
	l.fresh = nil
	if all {
		looks = append(looks, l.again...)
		l.again = nil
	}
	for _, look := range looks {
		due = append(due, dueLook{look, look.tally})
		look.tally, look.written = lookTally{}, true
	}
	lost, l.lost = l.lost, 0
	return due, lost
}

// WriteSightings writes what was seen for the first time, and all when all is true or a minute has passed. What cannot be
// written now waits.
func (s *Store) WriteSightings(ctx context.Context, all bool) error {
	s.looks.writing.Lock()
	defer s.looks.writing.Unlock()
	if now := time.Now(); all || now.Sub(s.looks.againAt) >= s.looks.every {
		all, s.looks.againAt = true, now
		s.looks.every = min(max(2*s.looks.every, sightAgainFirst), sightAgainEvery)
	}
	due, lost := s.looks.take(all)
	waiting := sightingsOf(due)
	for name, one := range s.looks.left {
		waiting[name] = waiting[name].merge(one)
	}
	s.looks.left = nil
	if err := s.writeSightings(ctx, waiting); err != nil {
		s.looks.left = waiting // without what was written
		return fmt.Errorf("write sightings: %w", err)
	}
	if lost > 0 {
		return fmt.Errorf("write sightings: what %d exchanges have shown found no room", lost)
	}
	return nil
}

// A sightKey stands for a SightingName in the database.
type sightKey [16]byte

func (n SightingName) key() (key sightKey) {
	var room [512]byte
	b := room[:0]
	for _, text := range [...]string{string(n.Kind), n.Provider, n.Environment, n.ClientID, n.Owner, n.Host, n.Value} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	sum := sha256.Sum256(b)
	copy(key[:], sum[:])
	return key
}

func (n SightingName) compare(other SightingName) int {
	return cmp.Or(cmp.Compare(n.Provider, other.Provider), cmp.Compare(n.Environment, other.Environment), cmp.Compare(n.ClientID, other.ClientID),
		cmp.Compare(n.Kind, other.Kind), cmp.Compare(n.Owner, other.Owner), cmp.Compare(n.Host, other.Host), cmp.Compare(n.Value, other.Value))
}

// writeSightings writes those of one client after the other, and takes from all what is written.
func (s *Store) writeSightings(ctx context.Context, all map[SightingName]Sighting) error {
	names := slices.SortedFunc(maps.Keys(all), SightingName.compare)
	for len(names) > 0 {
		n := min(len(names), sightStep)
		for n < len(names) && names[n].client() == names[n-1].client() && n < 2*sightStep {
			n++
		}
		step := names[:n]
		err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
			kept, err := tx.boundSightings(ctx, step, all)
			if err != nil {
				return err
			}
			return tx.mergeSightings(ctx, kept)
		})
		if err != nil {
			return err
		}
		for _, name := range step {
			delete(all, name)
		}
		names = names[n:]
	}
	return nil
}

func (n SightingName) client() clientKey { return clientKey{n.Provider, n.Environment, n.ClientID} }

// A sightGroup is what the bound of values is about.
type sightGroup struct {
	client clientKey
	kind   classify.SightKind
}

// boundSightings counts new values beyond the bound under one name.
func (t *Tx) boundSightings(ctx context.Context, names []SightingName, all map[SightingName]Sighting) (map[SightingName]Sighting, error) {
	known, err := t.knownSightings(ctx, names)
	if err != nil {
		return nil, err
	}
	rows := int64(-1) // not counted: only what is new needs to know
	values := map[sightGroup]int64{}
	counted := map[clientKey]bool{}
	kept := make(map[SightingName]Sighting, len(names))
	for _, name := range names {
		one := all[name]
		if !known[name.key()] {
			if rows < 0 {
				if err := t.queryRow(ctx, `select count(*) from sighting`).Scan(&rows); err != nil {
					return nil, err
				}
			}
			if rows >= sightingRows {
				continue
			}
			if c := name.client(); !counted[c] {
				counted[c] = true
				if err := t.countValues(ctx, c, values); err != nil {
					return nil, err
				}
			}
			group := sightGroup{name.client(), name.Kind}
			if values[group] >= sightingValues {
				name.Owner, name.Host, name.Value = "", "", SightingsLeftOut
				one.SightingName = name
			} else {
				values[group]++
				rows++
			}
		}
		kept[name] = kept[name].merge(one)
	}
	return kept, nil
}

// knownSightings says which of the names have a row.
func (t *Tx) knownSightings(ctx context.Context, names []SightingName) (map[sightKey]bool, error) {
	known := make(map[sightKey]bool, len(names))
	query := `select digest from sighting where digest in ` + valueRows(1, lookupSize)
	for chunk := range slices.Chunk(names, lookupSize) {
		args := make([]any, lookupSize)
		for n := range args {
			key := chunk[min(n, len(chunk)-1)].key()
			args[n] = key[:]
		}
		rows, err := t.query(ctx, query, args...)
		if err != nil {
			return nil, err
		}
		_, err = collect(rows, func(scan func(...any) error) (key sightKey, err error) {
			var digest []byte
			err = scan(&digest)
			copy(key[:], digest)
			known[key] = true
			return key, err
		})
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

func (t *Tx) countValues(ctx context.Context, c clientKey, values map[sightGroup]int64) error {
	rows, err := t.query(ctx, `select kind, count(*) from sighting where client_id = $1 and provider = $2 and environment = $3 group by kind`,
		c.clientID, c.provider, c.environment)
	if err != nil {
		return err
	}
	_, err = collect(rows, func(scan func(...any) error) (n int64, err error) {
		group := sightGroup{client: c}
		err = scan(&group.kind, &n)
		values[group] = n
		return n, err
	})
	return err
}

const sightingColumns = `provider, environment, client_id, kind, owner, host, value,
	first_seen_at, last_seen_at, first_accepted_at, last_accepted_at, first_rejected_at, last_rejected_at, accepted, rejected, other`

// mergeSightings merges sightings into their rows. The merge is in the statement, so that replicas lose nothing.
func (t *Tx) mergeSightings(ctx context.Context, all map[SightingName]Sighting) error {
	type row struct {
		key sightKey
		Sighting
	}
	rows := make([]row, 0, len(all))
	for name, s := range all {
		rows = append(rows, row{name.key(), s})
	}
	slices.SortFunc(rows, func(a, b row) int { return bytes.Compare(a.key[:], b.key[:]) })
	args := make([]any, 0, 17*len(rows))
	for i := range rows {
		r := &rows[i]
		args = append(args, r.key[:], r.Provider, r.Environment, r.ClientID, string(r.Kind), r.Owner, r.Host, r.Value,
			r.FirstSeen, r.LastSeen, r.FirstAccepted, r.LastAccepted, r.FirstRejected, r.LastRejected, r.Accepted, r.Rejected, r.Other)
	}
	return t.execRows(ctx, `insert into sighting (digest, `+sightingColumns+`) values `, 17, ` on conflict (digest) do update set
			first_seen_at = case when excluded.first_seen_at < sighting.first_seen_at then excluded.first_seen_at else sighting.first_seen_at end,
			last_seen_at = case when excluded.last_seen_at > sighting.last_seen_at then excluded.last_seen_at else sighting.last_seen_at end,
			first_accepted_at = `+earlierOf("first_accepted_at")+`,
			last_accepted_at = case when excluded.last_accepted_at > sighting.last_accepted_at then excluded.last_accepted_at else sighting.last_accepted_at end,
			first_rejected_at = `+earlierOf("first_rejected_at")+`,
			last_rejected_at = case when excluded.last_rejected_at > sighting.last_rejected_at then excluded.last_rejected_at else sighting.last_rejected_at end,
			accepted = sighting.accepted + excluded.accepted,
			rejected = sighting.rejected + excluded.rejected,
			other = sighting.other + excluded.other`, args)
}

// earlierOf is the earlier of two times of which 0 is none.
func earlierOf(column string) string {
	return `case when excluded.` + column + ` <> 0 and (sighting.` + column + ` = 0 or excluded.` + column + ` < sighting.` + column + `)
		then excluded.` + column + ` else sighting.` + column + ` end`
}

// sightings removes those that were last seen long ago, with the summaries. They have no index by that time, which would
// cost each write: a reader looks through them.
func (e *expiry) sightings(ctx context.Context) error {
	if e.summary == 0 {
		return nil
	}
	for {
		rows, err := e.store.readers.QueryContext(ctx, `select digest from sighting where last_seen_at < $1 limit $2`, e.summary, int64(expireSize))
		if err != nil {
			return fmt.Errorf("expire sightings: %w", err)
		}
		old, err := collect(rows, func(scan func(...any) error) (digest []byte, err error) { return digest, scan(&digest) })
		if err != nil {
			return fmt.Errorf("expire sightings: %w", err)
		}
		if len(old) == 0 {
			return nil
		}
		err = e.repeat(ctx, "sightings", func(ctx context.Context, tx *Tx) (int64, error) {
			for _, digest := range old {
				if err := tx.exec(ctx, `delete from sighting where digest = $1 and last_seen_at < $2`, digest, e.summary); err != nil {
					return 0, err
				}
			}
			return 0, nil
		})
		if err != nil {
			return err
		}
	}
}
