package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"time"
)

// A Delivery identifies one record of one source, so that a repeated delivery changes nothing.
type Delivery struct {
	Source string
	Key    string // the record's id, else its fingerprint
}

// digest is 128 bits of SHA-256: of a fixed size whatever the key, and not to be forged for another source.
func (d Delivery) digest() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s%s", len(d.Source), d.Source, d.Key) // hash.Hash never returns an error
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

// Claim notes deliveries and says which of them are new; of equal ones in the list the first is.
func (t *Tx) Claim(ctx context.Context, at time.Time, list []Delivery) (fresh []bool, err error) {
	type count struct{ records, duplicates int64 }
	counts := map[string]count{}
	fresh = make([]bool, len(list))
	for i, d := range list {
		fresh[i], err = t.changed(ctx, `insert into delivery (digest, received_at) values ($1, $2)
			on conflict (digest) do nothing`, d.digest(), at)
		if err != nil {
			return nil, fmt.Errorf("claim record %d: %w", i, err)
		}
		c := counts[keyText(d.Source)]
		if fresh[i] {
			c.records++
		} else {
			c.duplicates++
		}
		counts[keyText(d.Source)] = c
	}
	for _, source := range sortedKeys(counts) {
		err := t.exec(ctx, `insert into source (id, records, duplicates, last_received_at) values ($1, $2, $3, $4)
			on conflict (id) do update set
				records          = source.records + excluded.records,
				duplicates       = source.duplicates + excluded.duplicates,
				last_received_at = case when excluded.last_received_at > source.last_received_at
					then excluded.last_received_at else source.last_received_at end`,
			source, counts[source].records, counts[source].duplicates, at)
		if err != nil {
			return nil, fmt.Errorf("count records of source %s: %w", source, err)
		}
	}
	return fresh, nil
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

// sortedKeys gives replicas one order in which they lock rows.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
