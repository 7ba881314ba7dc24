package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"authwatch/classify"
)

// sightStep bounds the rows of one write, and so how long others wait for it.
const sightStep = 256

// writeSightings writes those of one client after the other, and takes from all what is written.
func (s *Store) writeSightings(ctx context.Context, all sightRows) error {
	room := int64(-1) // not counted: only what is new needs to know
	for step := range slices.Chunk(all.sorted(), sightStep) {
		var left int64
		err := s.writeAside(ctx, func(ctx context.Context, tx *Tx) error {
			left = room // here, because this may be tried again
			return tx.addSightings(ctx, step, &left)
		})
		if err != nil {
			return err
		}
		room = left
		for _, row := range step {
			delete(all, row.key)
		}
	}
	return nil
}

// addSightings adds rows in the order of the table to what is known.
func (t *Tx) addSightings(ctx context.Context, rows []*sightRow, room *int64) error {
	known, err := knownSightings(rows, func(query string, args ...any) (*sql.Rows, error) { return t.query(ctx, query, args...) })
	if err != nil {
		return err
	}
	kept, err := t.boundSightings(ctx, rows, known, room)
	if err != nil {
		return err
	}
	// What changes nothing of when a thing was first seen leaves alone the index by that time.
	begins := slices.ContainsFunc(kept, func(row *sightRow) bool {
		first, ok := known[row.key]
		return !ok || row.seen().first < first
	})
	return t.mergeSightings(ctx, kept, begins)
}

// knownSightings says which of the rows are in the table, and when they were first seen, in Unix milliseconds.
func knownSightings(rows []*sightRow, ask func(query string, args ...any) (*sql.Rows, error)) (map[sightKey]int64, error) {
	known := make(map[sightKey]int64, len(rows))
	query := `select digest, first_seen_at from sighting where digest in ` + valueRows(1, lookupSize)
	for chunk := range slices.Chunk(rows, lookupSize) {
		args := make([]any, lookupSize)
		for n := range args {
			args[n] = chunk[min(n, len(chunk)-1)].key[:]
		}
		found, err := ask(query, args...)
		if err != nil {
			return known, err
		}
		_, err = collect(found, func(scan func(...any) error) (key sightKey, err error) {
			var digest []byte
			var first int64
			err = scan(&digest, &first)
			copy(key[:], digest)
			known[key] = first
			return key, err
		})
		if err != nil {
			return known, err
		}
	}
	return known, nil
}

// A sightGroup is what the bound of values is about.
type sightGroup struct {
	client clientKey
	kind   classify.SightKind
}

// boundSightings counts new values beyond the bound under one name. The table has room for so many more rows.
func (t *Tx) boundSightings(ctx context.Context, rows []*sightRow, known map[sightKey]int64, room *int64) ([]*sightRow, error) {
	values := map[sightGroup]int64{}
	counted := map[clientKey]bool{}
	kept := make(sightRows, len(rows))
	for _, row := range rows {
		if _, ok := known[row.key]; ok {
			kept.add(row)
			continue
		}
		if err := t.countSightings(ctx, room); err != nil {
			return nil, err
		}
		if *room == 0 {
			continue
		}
		group := sightGroup{row.client(), row.Kind}
		if !counted[group.client] {
			counted[group.client] = true
			if err := t.countValues(ctx, group.client, values); err != nil {
				return nil, err
			}
		}
		if values[group] >= sightingValues {
			beyond := *row
			beyond.Owner, beyond.Host, beyond.Value = "", "", SightingsLeftOut
			beyond.key = beyond.SightingName.key()
			kept.add(&beyond)
			continue
		}
		values[group]++
		*room--
		kept.add(row)
	}
	return kept.sorted(), nil
}

// countSightings finds out how many more rows the table has room for, once: room below 0 is not known.
func (t *Tx) countSightings(ctx context.Context, room *int64) error {
	if *room >= 0 {
		return nil
	}
	var rows int64
	if err := t.queryRow(ctx, `select count(*) from sighting`).Scan(&rows); err != nil {
		return err
	}
	*room = max(sightingRows-rows, 0)
	return nil
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

// mergeSightings merges rows into the table. The merge is in the statement, so that replicas lose nothing. Unless one begins
// earlier than was known or is new, nothing is said of when they began.
func (t *Tx) mergeSightings(ctx context.Context, rows []*sightRow, begins bool) error {
	first := ``
	if begins {
		first = `first_seen_at = case when excluded.first_seen_at < sighting.first_seen_at then excluded.first_seen_at else sighting.first_seen_at end,`
	}
	merged := t.rowList(ctx, `insert into sighting (digest, `+sightingColumns+`) values `, 17, ` on conflict (digest) do update set `+first+`
			last_seen_at = case when excluded.last_seen_at > sighting.last_seen_at then excluded.last_seen_at else sighting.last_seen_at end,
			first_accepted_at = `+earlierOf("first_accepted_at")+`,
			last_accepted_at = case when excluded.last_accepted_at > sighting.last_accepted_at then excluded.last_accepted_at else sighting.last_accepted_at end,
			first_rejected_at = `+earlierOf("first_rejected_at")+`,
			last_rejected_at = case when excluded.last_rejected_at > sighting.last_rejected_at then excluded.last_rejected_at else sighting.last_rejected_at end,
			accepted = sighting.accepted + excluded.accepted,
			rejected = sighting.rejected + excluded.rejected,
			other = sighting.other + excluded.other`)
	for _, r := range rows {
		seen := r.seen()
		merged.add(r.key[:], r.Provider, r.Environment, r.ClientID, string(r.Kind), r.Owner, r.Host, r.Value,
			seen.first, seen.last, r.accepted.first, r.accepted.last, r.rejected.first, r.rejected.last, r.accepted.count, r.rejected.count, r.other.count)
	}
	err := merged.end()
	return err
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
