package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"authwatch/classify"
)

// A SightingFilter selects sightings, those seen last first. Empty fields select all.
type SightingFilter struct {
	Kinds        []classify.SightKind
	Providers    []string
	Environments []string
	Clients      []string
	Owners       []string
	From         time.Time // seen at or after it
	Limit        int       // at most 5,000; 0 is that
}

const sightingsRead = 5000

// ListSightings returns what was seen, and whether there is more than the limit.
func (s *Store) ListSightings(ctx context.Context, f SightingFilter) (list []Sighting, more bool, err error) {
	var w where
	in(&w, `kind`, texts(f.Kinds))
	in(&w, `provider`, keyTexts(f.Providers))
	in(&w, `environment`, keyTexts(f.Environments))
	in(&w, `client_id`, keyTexts(f.Clients))
	in(&w, `owner`, keyTexts(f.Owners))
	w.between(`last_seen_at`, f.From, time.Time{})
	limit := sightingsRead
	if f.Limit > 0 {
		limit = min(limit, f.Limit)
	}
	rows, err := s.readers.QueryContext(ctx, `select `+sightingColumns+` from sighting where `+w.sql()+`
		order by last_seen_at desc, digest limit `+w.arg(int64(limit+1)), bind(w.args)...)
	if err != nil {
		return nil, false, fmt.Errorf("list sightings: %w", err)
	}
	if list, err = collect(rows, scanSighting); err != nil {
		return nil, false, fmt.Errorf("list sightings: %w", err)
	}
	list, more = cut(list, limit)
	return list, more, nil
}

func scanSighting(scan func(...any) error) (s Sighting, err error) {
	return s, scanSightingAnd(scan, &s)
}

func scanSightingAnd(scan func(...any) error, s *Sighting, more ...any) error {
	var at [6]int64
	into := append([]any{&s.Provider, &s.Environment, &s.ClientID, &s.Kind, &s.Owner, &s.Host, &s.Value,
		&at[0], &at[1], &at[2], &at[3], &at[4], &at[5], &s.Accepted, &s.Rejected, &s.Other}, more...)
	if err := scan(into...); err != nil {
		return err
	}
	for n, field := range []*time.Time{&s.FirstSeen, &s.LastSeen, &s.FirstAccepted, &s.LastAccepted, &s.FirstRejected, &s.LastRejected} {
		*field = fromMillis(at[n])
	}
	return nil
}

// A SeenChange is a value that turned up in the traffic where another one had been for a while.
type SeenChange struct {
	ID string // "seen_" and a digest of the name
	Sighting
	Was       string    // the other one that was seen last before
	WasSeenAt time.Time // lately: at or after FirstSeen when both are in use
}

// SeenChangeFilter selects changes that the traffic showed, latest first.
type SeenChangeFilter struct {
	From, To     time.Time // half-open
	Kinds        []classify.SightKind
	Providers    []string
	Environments []string
	Clients      []string // "" selects those of no client: a server's words
	Page
}

// changeKinds are the kinds of which a new value is a change. How long before its expiry a token is used, and which scopes a
// route asked for, varies by itself.
func changeKinds() []classify.SightKind {
	var kinds []classify.SightKind
	for _, k := range classify.SightKinds() {
		switch k {
		case classify.SightExpiryMargin, classify.SightScopeUsed, classify.SightScopeRefused:
		default:
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// settled is how long another value must have been known before a new one is a change: a client that begins shows all that
// it has within its first minutes.
const settled = 5 * time.Minute

// isChange is true of a sighting s whose value is new where another one was before. Of one kid the first server counts, of
// words those that were said of the same cause, where one is known. A client of which too many values were seen has no habit to change.
const isChange = `
	(s.kind <> 'wording' or s.owner <> 'unclassified') and exists (select 1 from sighting o where o.client_id = s.client_id and o.kind = s.kind and o.provider = s.provider and o.environment = s.environment
		and o.owner = s.owner and (o.host = s.host or s.client_id <> '') and o.value <> s.value and o.first_seen_at < s.first_seen_at - ?)
	and not exists (select 1 from sighting o where o.client_id = s.client_id and o.kind = s.kind and o.provider = s.provider and o.environment = s.environment
		and (o.value = '` + SightingsLeftOut + `' or o.owner = s.owner and o.value = s.value and (o.host <> s.host and s.client_id <> '') and o.first_seen_at < s.first_seen_at))`

// ListSeenChanges returns a page and the cursor of the next.
func (s *Store) ListSeenChanges(ctx context.Context, f SeenChangeFilter) (list []SeenChange, next string, err error) {
	var w where
	w.between(`first_seen_at`, f.From, f.To)
	kinds := f.Kinds
	if len(kinds) == 0 {
		kinds = changeKinds()
	}
	in(&w, `kind`, texts(kinds))
	in(&w, `provider`, keyTexts(f.Providers))
	in(&w, `environment`, keyTexts(f.Environments))
	in(&w, `client_id`, keyTexts(f.Clients))
	c, ok, err := readCursor(f.Cursor, "seen", 1)
	if err != nil {
		return nil, "", err
	}
	if ok {
		digest, err := hex.DecodeString(c.Tie[0])
		if err != nil {
			return nil, "", ErrInvalidCursor
		}
		w.and(`(first_seen_at, digest) < (?, ?)`, c.Key, digest)
	}
	w.and(isChange, settled.Milliseconds())
	rows, err := s.readers.QueryContext(ctx, `select `+sightingColumns+`, digest from sighting s where `+w.sql()+`
		order by first_seen_at desc, digest desc limit `+w.arg(int64(f.rows()+1)), bind(w.args)...)
	if err != nil {
		return nil, "", fmt.Errorf("list changes in the traffic: %w", err)
	}
	list, err = collect(rows, func(scan func(...any) error) (change SeenChange, err error) {
		var digest []byte
		err = scanSightingAnd(scan, &change.Sighting, &digest)
		change.ID = "seen_" + hex.EncodeToString(digest)
		return change, err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list changes in the traffic: %w", err)
	}
	list, more := cut(list, f.rows())
	for n := range list {
		if err := s.addWas(ctx, &list[n]); err != nil {
			return nil, "", fmt.Errorf("find what was before a change: %w", err)
		}
	}
	if more {
		next = list[len(list)-1].cursor().String()
	}
	return list, next, nil
}

func (c SeenChange) cursor() cursor {
	return cursor{List: "seen", Key: toMillis(c.FirstSeen), Tie: []string{strings.TrimPrefix(c.ID, "seen_")}}
}

// addWas finds the value that was there before.
func (s *Store) addWas(ctx context.Context, c *SeenChange) error {
	var seen int64
	host := c.Host
	if c.ClientID != "" {
		host = ""
	}
	err := s.readers.QueryRowContext(ctx, `select value, last_seen_at from sighting
		where client_id = $1 and kind = $2 and provider = $3 and environment = $4 and owner = $5 and (host = $6 or $6 = '') and value <> $7 and first_seen_at < $8
		order by last_seen_at desc, digest limit 1`,
		c.ClientID, string(c.Kind), c.Provider, c.Environment, c.Owner, host, c.Value, toMillis(c.FirstSeen.Add(-settled))).Scan(&c.Was, &seen)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // retention took it meanwhile
	}
	c.WasSeenAt = fromMillis(seen)
	return err
}
