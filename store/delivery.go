package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// A Delivery identifies one record of one source, so that a repeated delivery changes nothing.
type Delivery struct {
	Source string
	Key    string    // the record's id, else its fingerprint
	Time   time.Time // of the event: as much a part of the identity as the key
	// Content is a sum of what the record says, by which Claim sees whether a repeated one says the same.
	Content uint16
	// Altered is set by Claim for one that came before with other content, which stays the one that counts.
	Altered bool

	digest digest // zero until it is needed
}

// A digest is the event's time in milliseconds, so that the digests of one time lie together in the database, and 80
// bits of SHA-256 over source and key: of a fixed size whatever the key, and not to be forged for another source.
type digest [16]byte

// Prepare does ahead of Claim what can be done outside of the writer's turn.
func (d *Delivery) Prepare() {
	b := make([]byte, 0, 128)
	b = strconv.AppendInt(b, int64(len(d.Source)), 10)
	b = append(append(append(b, ':'), d.Source...), d.Key...)
	sum := sha256.Sum256(b)
	ms := min(max(toMillis(d.Time), 0), 1<<48-1)
	binary.BigEndian.PutUint64(d.digest[:8], uint64(ms)<<16)
	copy(d.digest[6:], sum[:])
}

// claimSize is how many deliveries one statement takes: as many as there are rows in number.
const claimSize = 4096

// Claim notes deliveries and says which of them are new; of equal ones in the list the first is.
func (t *Tx) Claim(ctx context.Context, at time.Time, list []Delivery) (fresh []bool, err error) {
	fresh = make([]bool, len(list))
	order := make([]int, len(list))
	for i := range list {
		if list[i].digest == (digest{}) {
			list[i].Prepare()
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return bytes.Compare(list[a].digest[:], list[b].digest[:]) })
	order = firstOfEach(list, order)
	for chunk := range slices.Chunk(order, claimSize) {
		if err := t.claim(ctx, list, chunk, fresh); err != nil {
			return nil, fmt.Errorf("claim records: %w", err)
		}
	}
	if err := t.countRecords(ctx, at, list, fresh); err != nil {
		return nil, err
	}
	return fresh, nil
}

// firstOfEach drops from an order by digest what comes again in the list.
func firstOfEach(list []Delivery, order []int) []int {
	kept := order[:0]
	for _, i := range order {
		list[i].Altered = false
		if n := len(kept); n > 0 && list[kept[n-1]].digest == list[i].digest {
			list[i].Altered = list[kept[n-1]].Content != list[i].Content
			continue
		}
		kept = append(kept, i)
	}
	return kept
}

// claim notes the deliveries of the list that order names, which differ and are sorted. Nearly always all are new; only
// where one is not, the insert is taken back and done again after a look at which are there.
func (t *Tx) claim(ctx context.Context, list []Delivery, order []int, fresh []bool) error {
	digest := `substr(cast($1 as ` + t.dialect.bytes + `), i * 18 + 1, 16)`
	content := `substr(cast($1 as ` + t.dialect.bytes + `), i * 18 + 17, 2)`
	insert := `insert into delivery (digest, content) select ` + digest + `, ` + content + ` from number where i < $2 on conflict do nothing`
	packed := make([]byte, 0, 18*len(order))
	for _, i := range order {
		packed = binary.BigEndian.AppendUint16(append(packed, list[i].digest[:]...), list[i].Content)
		fresh[i] = true
	}
	if err := t.exec(ctx, `savepoint claim`); err != nil {
		return err
	}
	n, err := t.execCount(ctx, insert, packed, int64(len(order)))
	if err != nil {
		return err
	}
	if n == int64(len(order)) {
		return t.exec(ctx, `release savepoint claim`)
	}
	if err := t.exec(ctx, `rollback to savepoint claim`); err != nil {
		return err
	}
	// The cross join keeps SQLite to its order; PostgreSQL sees no difference.
	rows, err := t.query(ctx, `select i, content <> `+content+` from number cross join delivery where digest = `+digest+` and i < $2`, packed, int64(len(order)))
	if err != nil {
		return err
	}
	type repeated struct {
		place   int
		altered bool
	}
	known, err := collect(rows, func(scan func(...any) error) (r repeated, err error) { return r, scan(&r.place, &r.altered) })
	if err != nil {
		return err
	}
	for _, r := range known {
		fresh[order[r.place]], list[order[r.place]].Altered = false, r.altered
	}
	if n, err = t.execCount(ctx, insert, packed, int64(len(order))); err != nil {
		return err
	}
	if n != int64(len(order)-len(known)) { // another replica committed between the two
		return errRaced
	}
	return t.exec(ctx, `release savepoint claim`)
}

// countRecords adds up what each source delivered.
func (t *Tx) countRecords(ctx context.Context, at time.Time, list []Delivery, fresh []bool) error {
	type count struct{ records, duplicates int64 }
	counts := map[string]count{}
	for i := range list {
		c := counts[list[i].Source]
		if fresh[i] {
			c.records++
		} else {
			c.duplicates++
		}
		counts[list[i].Source] = c
	}
	for _, source := range sortedKeys(counts) {
		err := t.exec(ctx, `insert into source (id, records, duplicates, last_received_at) values ($1, $2, $3, $4)
			on conflict (id) do update set
				records          = source.records + excluded.records,
				duplicates       = source.duplicates + excluded.duplicates,
				last_received_at = case when excluded.last_received_at > source.last_received_at
					then excluded.last_received_at else source.last_received_at end`,
			keyText(source), counts[source].records, counts[source].duplicates, at)
		if err != nil {
			return fmt.Errorf("count records of source %s: %w", source, err)
		}
	}
	return nil
}

// LastReceived is when the last record was committed, and how many were ever; the zero time when none.
// Repeated deliveries count for the time but not for the number.
func (s *Store) LastReceived(ctx context.Context) (at time.Time, records int64, err error) {
	var ms int64
	err = s.readers.QueryRowContext(ctx, `select coalesce(max(last_received_at), 0), cast(coalesce(sum(records), 0) as bigint)
		from source`).Scan(&ms, &records)
	if err != nil {
		return time.Time{}, 0, fmt.Errorf("read sources: %w", err)
	}
	return fromMillis(ms), records, nil
}

// NoteTokenApart notes that a source has delivered a decoded token apart from its response, after Claim in the same transaction.
func (t *Tx) NoteTokenApart(ctx context.Context, source string, at time.Time) error {
	err := t.exec(ctx, `update source set token_apart_at = $1 where token_apart_at < $1 and id = $2`, at, keyText(source))
	if err != nil {
		return fmt.Errorf("note tokens of source %s: %w", source, err)
	}
	return nil
}

// LastTokenApart is when the last decoded token was committed that came apart from its response, by receipt; the zero time when none was.
func (s *Store) LastTokenApart(ctx context.Context) (at time.Time, err error) {
	var ms int64
	err = s.readers.QueryRowContext(ctx, `select coalesce(max(token_apart_at), 0) from source`).Scan(&ms)
	if err != nil {
		return time.Time{}, fmt.Errorf("read sources: %w", err)
	}
	return fromMillis(ms), nil
}

// sortedKeys gives replicas one order in which they lock rows.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
