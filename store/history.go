package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
)

// lookupSize is how many names one query of History asks for. Shorter lists are filled up, so that one prepared statement serves all.
const lookupSize = 32

// History looks facts up.
func (t *Tx) History(ctx context.Context, keys []classify.Key) (classify.History, error) {
	found := classify.History{}
	err := lookUp(keys, func(kind classify.FactKind, provider, environment string, names []string) ([]classify.Fact, error) {
		rows, err := t.query(ctx, factLookup(), factArgs(kind, provider, environment, names)...)
		if err != nil {
			return nil, err
		}
		return collect(rows, scanFact(kind, provider, environment))
	}, func(f classify.Fact) { found[f.Key] = f })
	if err != nil {
		return nil, fmt.Errorf("look up history: %w", err)
	}
	return found, nil
}

// lookUp asks for the facts under the keys, kind by kind, and hands each to found under the key that was asked for.
func lookUp(keys []classify.Key, ask func(kind classify.FactKind, provider, environment string, names []string) ([]classify.Fact, error), found func(classify.Fact)) error {
	type group struct {
		kind                  classify.FactKind
		provider, environment string
	}
	// Names may be kept shortened: asked has, under the name as kept, the keys as asked for.
	asked := map[group]map[string][]classify.Key{}
	for _, k := range keys {
		g := group{k.Kind, keyText(k.Provider), keyText(k.Environment)}
		if asked[g] == nil {
			asked[g] = map[string][]classify.Key{}
		}
		name := keyText(k.Name)
		if !slices.Contains(asked[g][name], k) {
			asked[g][name] = append(asked[g][name], k)
		}
	}
	for g, names := range asked {
		for chunk := range slices.Chunk(sortedKeys(names), lookupSize) {
			facts, err := ask(g.kind, g.provider, g.environment, chunk)
			if err != nil {
				return fmt.Errorf("facts of kind %s: %w", g.kind, err)
			}
			for _, f := range facts {
				for _, k := range names[f.Key.Name] {
					f.Key = k
					found(f)
				}
			}
		}
	}
	return nil
}

func factArgs(kind classify.FactKind, provider, environment string, names []string) []any {
	args := []any{string(kind), provider, environment}
	for i := range lookupSize {
		args = append(args, names[min(i, len(names)-1)])
	}
	return args
}

func scanFact(kind classify.FactKind, provider, environment string) func(scan func(...any) error) (classify.Fact, error) {
	return func(scan func(...any) error) (classify.Fact, error) {
		f := classify.Fact{Key: classify.Key{Kind: kind, Provider: provider, Environment: environment}}
		var firstSeen, lastSeen, firstAccepted, lastAccepted, offset, expires int64
		err := scan(&f.Key.Name, &firstSeen, &lastSeen, &firstAccepted, &lastAccepted,
			&f.FirstExchange, &f.FirstTokenPrint, &offset, &f.Count, &expires)
		f.FirstSeen, f.LastSeen = fromMillis(firstSeen), fromMillis(lastSeen)
		f.FirstAccepted, f.LastAccepted = fromMillis(firstAccepted), fromMillis(lastAccepted)
		f.MaxOffset, f.Expires = time.Duration(offset), fromMillis(expires)
		return f, err
	}
}

func factLookup() string {
	marks := make([]string, lookupSize)
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+4)
	}
	return `select name, first_seen_at, last_seen_at, first_accepted_at, last_accepted_at,
			first_exchange, first_token_print, max_offset, count, expires_at
		from fact where kind = $1 and provider = $2 and environment = $3 and name in (` + strings.Join(marks, ", ") + `)`
}

// Observe merges facts into history (classify.Fact.Merge). The merge is in the statement, so that replicas lose nothing.
func (t *Tx) Observe(ctx context.Context, facts []classify.Fact) error {
	merged := classify.History{}
	for _, f := range facts {
		f = toTheMillisecond(f)
		f.Key.Provider, f.Key.Environment, f.Key.Name = keyText(f.Key.Provider), keyText(f.Key.Environment), keyText(f.Key.Name)
		merged.Observe([]classify.Fact{f})
	}
	keys := make([]classify.Key, 0, len(merged))
	for k := range merged {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b classify.Key) int { // one order of locks for all replicas
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Provider, b.Provider),
			cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Name, b.Name))
	})
	for _, k := range keys {
		if err := t.mergeFact(ctx, merged[k]); err != nil {
			return fmt.Errorf("observe %s: %w", k.Kind, err)
		}
	}
	return nil
}

// toTheMillisecond makes facts merge here by the same times as in the database.
func toTheMillisecond(f classify.Fact) classify.Fact {
	for _, at := range []*time.Time{&f.FirstSeen, &f.LastSeen, &f.FirstAccepted, &f.LastAccepted, &f.Expires} {
		*at = fromMillis(toMillis(*at))
	}
	return f
}

func (t *Tx) mergeFact(ctx context.Context, f classify.Fact) error {
	return t.exec(ctx, `
		insert into fact (kind, provider, environment, name, first_seen_at, last_seen_at, first_accepted_at, last_accepted_at,
			first_exchange, first_token_print, max_offset, count, expires_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		on conflict (kind, provider, environment, name) do update set
			first_exchange = case when `+earlierFact+` then excluded.first_exchange else fact.first_exchange end,
			first_token_print = case when `+earlierFact+` then excluded.first_token_print else fact.first_token_print end,
			first_seen_at = case when `+earlierFact+` then excluded.first_seen_at else fact.first_seen_at end,
			last_seen_at = case when excluded.last_seen_at > fact.last_seen_at then excluded.last_seen_at else fact.last_seen_at end,
			first_accepted_at = case when excluded.first_accepted_at <> 0
					and (fact.first_accepted_at = 0 or excluded.first_accepted_at < fact.first_accepted_at)
				then excluded.first_accepted_at else fact.first_accepted_at end,
			last_accepted_at = case when excluded.last_accepted_at > fact.last_accepted_at
				then excluded.last_accepted_at else fact.last_accepted_at end,
			max_offset = case when fact.count = 0 or (excluded.count > 0 and excluded.max_offset > fact.max_offset)
				then excluded.max_offset else fact.max_offset end,
			count = fact.count + excluded.count,
			expires_at = case when excluded.expires_at > fact.expires_at then excluded.expires_at else fact.expires_at end`,
		string(f.Key.Kind), f.Key.Provider, f.Key.Environment, f.Key.Name,
		f.FirstSeen, f.LastSeen, f.FirstAccepted, f.LastAccepted,
		f.FirstExchange, f.FirstTokenPrint, int64(f.MaxOffset), f.Count, f.Expires)
}

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
