package store

import (
	"context"
	"fmt"
	"slices"

	"authwatch/classify"
)

// An episode is as much of an incident as decides which failures are its own, and which successes are around it.
type episode struct {
	id            rowID
	cause         classify.Code
	resolvedAt    int64 // 0 while it is active
	first, last   int64 // of its failures
	before, after int64 // the successes nearest to them; 0 if none is known
}

// Episodes are those of one client. They are remembered until somebody else may have changed them.
type episodes struct{ list []episode } // of one cause by resolution, the active one last

func (e *episodes) find(id rowID) *episode {
	i := slices.IndexFunc(e.list, func(one episode) bool { return one.id == id })
	if i < 0 {
		return nil
	}
	return &e.list[i]
}

// episodesRemembered bounds the clients whose episodes are remembered.
const episodesRemembered = 20_000

func (t *Tx) episodesOf(ctx context.Context, k clientKey) (*episodes, error) {
	if known := t.episodes[k]; known != nil {
		return known, nil
	}
	rows, err := t.query(ctx, `select id, cause, resolved_at, first_seen_at, last_seen_at, last_success_at, first_success_at from incident
		where provider = $1 and environment = $2 and client_id = $3 and state = 'resolved'
		union all select id, cause, 0, first_seen_at, last_seen_at, last_success_at, first_success_at from incident
		where provider = $1 and environment = $2 and client_id = $3 and state <> 'resolved'`, k.provider, k.environment, k.clientID)
	if err != nil {
		return nil, fmt.Errorf("load episodes: %w", err)
	}
	list, err := collect(rows, func(scan func(...any) error) (e episode, err error) {
		return e, scan((*int64)(&e.id), &e.cause, &e.resolvedAt, &e.first, &e.last, &e.before, &e.after)
	})
	if err != nil {
		return nil, fmt.Errorf("load episodes: %w", err)
	}
	if len(t.episodes) >= episodesRemembered {
		clear(t.episodes)
	}
	known := &episodes{list: list}
	t.episodes[k] = known
	return known, nil
}

// joined finds the episode of a failure by its time: the first of its cause that was resolved at or after it, else the one
// that is not resolved. So the order of arrival does not matter. Without either it returns nil and the last episode there was.
func (e *episodes) joined(cause classify.Code, at int64) (found *episode, last rowID) {
	var lastResolved int64
	for i := range e.list {
		one := &e.list[i]
		if one.cause != cause {
			continue
		}
		if one.resolvedAt == 0 {
			if found == nil {
				found = one
			}
			continue
		}
		if at <= one.resolvedAt && (found == nil || found.resolvedAt == 0 || one.resolvedAt < found.resolvedAt || one.resolvedAt == found.resolvedAt && one.id < found.id) {
			found = one
		}
		if last == 0 || one.resolvedAt > lastResolved || one.resolvedAt == lastResolved && one.id > last {
			last, lastResolved = one.id, one.resolvedAt
		}
	}
	return found, last
}

// moveBrackets brings the successes around a client's incidents nearer where one of those that were added is, and finds
// them anew for incidents whose failures reach further than before.
func (t *Tx) moveBrackets(ctx context.Context, k clientKey, f figures, c clientRow) error {
	known, err := t.episodesOf(ctx, k)
	if err != nil {
		return err
	}
	times := f.clients[k].accepted
	if k.clientID == "" {
		times = nil // exchanges without a client id are of many clients: they tell nothing about each other
	}
	for i := range known.list {
		e := &known.list[i]
		g := f.grown[e.id]
		before, after := e.before, e.after
		if g != nil {
			if before, after, err = t.bracketGrown(ctx, k, *e, g, c); err != nil {
				return err
			}
		}
		if n, _ := slices.BinarySearch(times, e.first); n > 0 {
			before = latest(before, times[n-1])
		}
		if n, _ := slices.BinarySearch(times, e.last+1); n < len(times) {
			after = earliest(after, times[n])
		}
		if before == e.before && after == e.after {
			continue
		}
		if g == nil && e.after == 0 && after != 0 {
			t.tell(FeedIncidentChanged, e.id) // it may be over
		}
		e.before, e.after = before, after
		if g != nil {
			err = t.exec(ctx, `update incident set last_success_at = $1, first_success_at = $2 where id = $3`, before, after, int64(e.id))
		} else {
			err = t.exec(ctx, `update incident set last_success_at = $1, first_success_at = $2, updated_at = $3, version = version + 1
				where id = $4`, before, after, t.now(), int64(e.id))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bracketGrown finds the successes around an incident that has grown, as far as the client had any there.
func (t *Tx) bracketGrown(ctx context.Context, k clientKey, e episode, g *growth, c clientRow) (before, after int64, err error) {
	before, after = e.before, e.after
	if e.first == g.first { // it begins with what was added now
		if before >= e.first {
			before = 0
		}
		if c.firstSuccess != 0 && c.firstSuccess < e.first {
			known, err := t.successBefore(ctx, k, e.first)
			if err != nil {
				return 0, 0, err
			}
			before = latest(before, known)
		}
	}
	if e.last == g.last {
		if after <= e.last {
			after = 0
		}
		if c.lastSuccess > e.last {
			known, err := t.successAfter(ctx, k, e.last)
			if err != nil {
				return 0, 0, err
			}
			after = earliest(after, known)
		}
	}
	return before, after, nil
}

// bracket sets the successes around an incident anew: the last before its first failure and the first after its last.
// What the incident holds may be more exact than the minutes of the success table, so the nearer of both counts.
func (t *Tx) bracket(ctx context.Context, id rowID) error {
	var k clientKey
	var first, last, before, after int64
	err := t.queryRow(ctx, `select provider, environment, client_id, first_seen_at, last_seen_at, last_success_at, first_success_at
		from incident where id = $1`, int64(id)).Scan(&k.provider, &k.environment, &k.clientID, &first, &last, &before, &after)
	if err != nil {
		return fmt.Errorf("load incident %s: %w", id.text("inc_"), err)
	}
	knownBefore, err := t.successBefore(ctx, k, first)
	if err != nil {
		return err
	}
	knownAfter, err := t.successAfter(ctx, k, last)
	if err != nil {
		return err
	}
	if before >= first {
		before = 0
	}
	if after <= last {
		after = 0
	}
	return t.exec(ctx, `update incident set last_success_at = $1, first_success_at = $2 where id = $3
		and (last_success_at <> $1 or first_success_at <> $2)`, latest(before, knownBefore), earliest(after, knownAfter), int64(id))
}

// earliest and latest of two times, of which 0 is none.
func earliest(a, b int64) int64 {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

func latest(a, b int64) int64 {
	if a == 0 || (b != 0 && b > a) {
		return b
	}
	return a
}
