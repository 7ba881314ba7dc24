package ingest

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"authwatch/store"
)

// account adds a batch to the figures of its source, in the transaction that stores it, so that replicas and restarts agree.
func (w *work) account(ctx context.Context) error {
	b := w.batch
	if !b.replay {
		counts := store.SourceCounts{
			Source: b.source, At: b.at, Accepted: int64(w.accepted), Duplicates: int64(w.duplicates), Other: int64(b.other),
			Rejected: int64(len(b.bad) + len(w.bad)), Codes: map[string]int64{},
		}
		for _, list := range [][]RecordError{b.bad, w.bad} {
			for _, e := range list {
				counts.Codes[e.Code]++
			}
		}
		for n := range w.failures {
			if w.failures[n].Gathered {
				counts.Gathered++
			}
		}
		counts.Altered = int64(w.altered())
		if w.accepted >= w.duplicates { // a redelivery says nothing about how late the records were when they first came
			counts.Lags = b.lags
		}
		if err := w.tx.CountSource(ctx, counts); err != nil {
			return err
		}
	}
	rejects := append(b.rejects[:len(b.rejects):len(b.rejects)], w.unclassified()...)
	if len(rejects) == 0 {
		return nil
	}
	if err := w.tx.KeepRejects(ctx, rejects); err != nil {
		return fmt.Errorf("keep rejected records: %w", err)
	}
	return nil
}

// notes are figures of sources that no transaction carries: of requests that were refused, and of records that leave
// nothing behind. They are added up in memory and written at most once a second, so that a flood of refused requests
// costs no more than one; those of the last second are lost in a crash.
type notes struct {
	store  *store.Store
	mu     sync.Mutex
	counts map[noteKey]store.SourceCounts
	due    bool // a write is on its way
	last   time.Time
}

type noteKey struct {
	source string
	minute time.Time
}

const noteEvery = time.Second

func newNotes(s *store.Store) *notes {
	return &notes{store: s, counts: map[noteKey]store.SourceCounts{}}
}

// refused notes a request that was not taken. Of nobody known, only those with a missing or wrong key are of interest.
func (n *notes) refused(source string, at time.Time, p *problem) {
	if p.Status == http.StatusServiceUnavailable && p.reason == "overloaded" {
		return // sent again by whoever has it: nothing is lost, and a write more would not help
	}
	switch p.reason {
	case "no_key", "invalid_key", "wrong_scope", "too_many_wrong_keys":
	default:
		if source == "" {
			return
		}
	}
	n.add(store.SourceCounts{Source: source, At: at, Refused: 1, Codes: map[string]int64{p.reason: 1}})
}

// add notes figures and sees to it that they are written.
func (n *notes) add(c store.SourceCounts) {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := noteKey{c.Source, c.At.Truncate(time.Minute)}
	sum, known := n.counts[k]
	if !known {
		sum = store.SourceCounts{Source: c.Source, Codes: map[string]int64{}}
	}
	sum.At = c.At
	sum.Other += c.Other
	sum.Refused += c.Refused
	for code, count := range c.Codes {
		sum.Codes[code] += count
	}
	n.counts[k] = sum
	if !n.due {
		n.due = true
		time.AfterFunc(max(0, noteEvery-time.Since(n.last)), n.write)
	}
}

// write writes what was noted; what cannot be written is noted again, unless the store has closed.
func (n *notes) write() {
	n.mu.Lock()
	counts := n.counts
	n.counts, n.due, n.last = map[noteKey]store.SourceCounts{}, false, time.Now()
	n.mu.Unlock()
	err := n.store.Write(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		for _, c := range counts {
			if err := tx.CountSource(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !isClosed(err) {
		for _, c := range counts {
			n.add(c)
		}
	}
}

// equals numbers the equal records without an id in one body. Loggers that tell time by the second write two equal lines
// for two events, and both count: the second gets a delivery key of its own. But a body can also hold a record twice
// because a shipper sent it before and merged what it sends again; so a copy counts only where the first of its kind is
// new in the same body. Thus a body that is sent again, whole, split or merged with others, changes nothing, and what
// can be lost is the second of two equal events whose first came in an earlier body, which nobody can tell from a repetition.
type equals struct {
	first map[string]*equal
}

// An equal is the first record of its kind in a body.
type equal struct {
	copies int
	fresh  bool // as the last transaction had it
}

func newEquals() *equals { return &equals{first: map[string]*equal{}} }

// number gives a copy its key. Records with an id are what their id says, and tokens that come apart are no events.
func (e *equals) number(d *decoded) {
	if !isContentKey(d.key) || d.late != nil {
		return
	}
	first, copied := e.first[d.key]
	if !copied {
		first = &equal{}
		e.first[d.key] = first
		d.equal = first
		return
	}
	first.copies++
	d.key += fmt.Sprintf("#%d", first.copies)
	d.equal, d.copied = first, true
}

// settle takes copies of records that are not new off the new ones.
func (d *decoded) settle(fresh bool) bool {
	switch {
	case d.equal == nil:
	case d.copied:
		return fresh && d.equal.fresh
	default:
		d.equal.fresh = fresh
	}
	return fresh
}
