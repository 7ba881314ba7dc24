package store

import (
	"context"
	"fmt"
	"time"

	"authwatch/classify"
)

// FactResolution is how exactly history knows when something was last seen and last accepted: moving those times by less
// is not worth a write.
const FactResolution = 10 * time.Minute

// A Snapshot is what history held under some keys at one moment, so that exchanges can be judged before the writer's turn.
type Snapshot struct {
	History classify.History // the caller's own, to observe its exchanges in

	keys []classify.Key
	was  classify.History
}

// History looks facts up as they are committed now. See Tx.Changed for whether they still hold in the writer's turn.
func (s *Store) History(ctx context.Context, keys []classify.Key) (Snapshot, error) {
	snap := Snapshot{History: classify.History{}, keys: keys, was: classify.History{}}
	err := lookUp(keys, func(kind classify.FactKind, provider, environment string, names []string) ([]classify.Fact, error) {
		rows, err := s.readers.QueryContext(ctx, factLookup(), factArgs(kind, provider, environment, names)...)
		if err != nil {
			return nil, err
		}
		return collect(rows, scanFact(kind, provider, environment))
	}, func(f classify.Fact) { snap.History[f.Key], snap.was[f.Key] = f, f })
	if err != nil {
		return Snapshot{}, fmt.Errorf("look up history: %w", err)
	}
	return snap, nil
}

// Changed returns the facts under the snapshot's keys that other writes have changed since it was taken, as they are in
// this transaction. When there are none, which is nearly always, what was judged by the snapshot stands. Changed means
// something was seen or accepted for the first time, or earlier than was known, or with a larger offset; that a thing
// was seen again is no change.
func (t *Tx) Changed(ctx context.Context, s Snapshot) (classify.History, error) {
	now, err := t.History(ctx, s.keys)
	if err != nil {
		return nil, err
	}
	changed := classify.History{}
	for k, f := range now {
		if was, known := s.was[k]; !known || saysMore(f, was) {
			changed[k] = f
		}
	}
	return changed, nil
}

// saysMore reports whether a and b, of one key, differ in more than how often and how lately it was seen.
func saysMore(a, b classify.Fact) bool {
	return !a.FirstSeen.Equal(b.FirstSeen) || !a.FirstAccepted.Equal(b.FirstAccepted) || a.MaxOffset != b.MaxOffset ||
		a.FirstExchange != b.FirstExchange || a.FirstTokenPrint != b.FirstTokenPrint || (a.Count == 0) != (b.Count == 0)
}

// News returns those of the facts that say something which is not known; the others need not be observed. It is meant
// for use before the writer's turn, with facts that were merged by key.
func (s *Store) News(facts []classify.Fact) []classify.Fact {
	return facts
}
