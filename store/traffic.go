package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// Traffic is a number of exchanges that the server accepted, all within one minute: the denominator of every share, and
// "last success before".
type Traffic struct {
	Provider    string
	Environment string
	ClientID    string
	Endpoint    string
	Count       int64
	First, Last time.Time // of the events; equal when Count is 1
}

// A clientKey names a client of one provider and environment.
type clientKey struct{ provider, environment, clientID string }

func (k clientKey) compare(other clientKey) int {
	return cmp.Or(cmp.Compare(k.provider, other.provider), cmp.Compare(k.environment, other.environment),
		cmp.Compare(k.clientID, other.clientID))
}

// AddTraffic counts accepted exchanges and moves LastSuccess and FirstSuccess of incidents and clients.
func (t *Tx) AddTraffic(ctx context.Context, list []Traffic) error {
	counts := rollupCounts{}
	accepted := map[clientKey]*successes{}
	for _, e := range list {
		k := clientKey{keyText(e.Provider), keyText(e.Environment), keyText(e.ClientID)}
		s := accepted[k]
		if s == nil {
			s = &successes{}
			accepted[k] = s
		}
		s.count += e.Count
		s.times = append(s.times, toMillis(e.First), toMillis(e.Last))
		counts.add(series{k.provider, k.environment, k.clientID, "", keyText(e.Endpoint)}, e.First, e.Count)
	}
	keys := make([]clientKey, 0, len(accepted))
	for k := range accepted {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, clientKey.compare)
	for _, k := range keys {
		if err := t.addSuccesses(ctx, k, *accepted[k]); err != nil {
			return fmt.Errorf("add traffic of client %s: %w", k.clientID, err)
		}
	}
	if err := t.addCounts(ctx, counts); err != nil {
		return fmt.Errorf("add traffic: %w", err)
	}
	return nil
}

// successes are accepted exchanges of one client. Of those of one minute and endpoint only the first and the last time are there.
type successes struct {
	count int64
	times []int64
}

func (t *Tx) addSuccesses(ctx context.Context, k clientKey, s successes) error {
	slices.Sort(s.times)
	times := slices.Compact(s.times)
	first, last := times[0], times[len(times)-1]
	ref, err := t.countClient(ctx, k, clientFigures{successes: s.count, firstSuccess: first, lastSuccess: last})
	if err != nil || k.clientID == "" {
		return err // exchanges without a client id are of many clients: they tell nothing about each other
	}
	for rest := times; len(rest) > 0; {
		minute := floorTo(rest[0], minuteStep)
		n := 1
		for n < len(rest) && rest[n] < minute+minuteStep {
			n++
		}
		err := t.exec(ctx, `insert into success (client_ref, minute, first_at, last_at) values ($1, $2, $3, $4)
			on conflict (client_ref, minute) do update set
				first_at = case when excluded.first_at < success.first_at then excluded.first_at else success.first_at end,
				last_at = case when excluded.last_at > success.last_at then excluded.last_at else success.last_at end`,
			ref, minute, rest[0], rest[n-1])
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	return t.moveBrackets(ctx, k, times)
}

// moveBrackets brings the successes around the client's incidents nearer where one of the sorted times is.
func (t *Tx) moveBrackets(ctx context.Context, k clientKey, times []int64) error {
	type bracket struct {
		id                         int64
		first, last, before, after int64
	}
	// Only incidents that a time within the list's bounds can concern.
	rows, err := t.query(ctx, `select id, first_seen_at, last_seen_at, last_success_at, first_success_at from incident
		where provider = $1 and environment = $2 and client_id = $3
		and ((first_seen_at > $4 and last_success_at < $5)
			or (last_seen_at < $5 and (first_success_at = 0 or first_success_at > $4)))`,
		k.provider, k.environment, k.clientID, times[0], times[len(times)-1]+1)
	if err != nil {
		return err
	}
	incidents, err := collect(rows, func(scan func(...any) error) (b bracket, err error) {
		return b, scan(&b.id, &b.first, &b.last, &b.before, &b.after)
	})
	if err != nil {
		return err
	}
	for _, b := range incidents {
		before, after := b.before, b.after
		if i, _ := slices.BinarySearch(times, b.first); i > 0 {
			before = latest(before, times[i-1])
		}
		if i, _ := slices.BinarySearch(times, b.last+1); i < len(times) {
			after = earliest(after, times[i])
		}
		if before == b.before && after == b.after {
			continue
		}
		err := t.exec(ctx, `update incident set last_success_at = $1, first_success_at = $2, updated_at = $3, version = version + 1
			where id = $4`, before, after, t.now(), b.id)
		if err != nil {
			return err
		}
	}
	return nil
}
