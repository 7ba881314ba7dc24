package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"
)

// Runs of facts and slices of requests are lists in the order of their keys, written when there is something to write. Who looks for a
// key looks into each list, so they are merged, sixteen into one at most, as they become many. It is done beside the
// writer, a stretch of keys at a time. What a stretch moves is in one place before and after it, so a merge that ends early has only done less.

const (
	mergedLists = 16
	mergedRows  = 32 // of a list that are moved at a time
	mergeEvery  = 5 * time.Second
)

// A merger knows lists of one kind by their numbers. It is for SQLite: replicas would each move what the other does.
type merger struct {
	what    string
	numbers string // a query for all
	rows    string // a query for the key of a row: in the list $1, so many ($3) after the first that is not before the key $2
	// choose returns some of the lists, whose numbers are in order, to be merged; none when they are few.
	choose func(lists []int64) []int64
	// move moves what some lists hold from a key up to another to one that is none of them. Rows begin there, and what of
	// them is beyond the second key stays. into is 0 at first.
	move func(ctx context.Context, t *Tx, lists []int64, into *int64, from, to []byte) error
}

func mergers() []merger { return []merger{runMerger(), sliceMerger()} }

// mergeAll merges until there are few lists of each kind.
func (s *Store) mergeAll(ctx context.Context, pause func(ctx context.Context, worked time.Duration) error) error {
	for _, m := range mergers() {
		if err := s.merge(ctx, m, pause); err != nil {
			return fmt.Errorf("merge %s: %w", m.what, err)
		}
	}
	return nil
}

// merge merges lists until there are few, and calls pause after each write with the time that it took.
func (s *Store) merge(ctx context.Context, m merger, pause func(ctx context.Context, worked time.Duration) error) error {
	for {
		lists, err := s.lists(ctx, m)
		if err != nil {
			return err
		}
		lists = m.choose(lists)
		if len(lists) == 0 {
			return nil
		}
		if err := s.mergeLists(ctx, m, lists, pause); err != nil {
			return err
		}
	}
}

// lists are the numbers of all lists, in order.
func (s *Store) lists(ctx context.Context, m merger) ([]int64, error) {
	rows, err := s.readers.QueryContext(ctx, m.numbers)
	if err != nil {
		return nil, err
	}
	list, err := collect(rows, func(scan func(...any) error) (number int64, err error) { return number, scan(&number) })
	slices.Sort(list)
	return list, err
}

func (s *Store) mergeLists(ctx context.Context, m merger, lists []int64, pause func(ctx context.Context, worked time.Duration) error) error {
	end := bytes.Repeat([]byte{0xff}, len(factKey{})+1) // behind all keys
	into := int64(0)
	for from, to := []byte{}, []byte(nil); !bytes.Equal(from, end); from = to {
		var err error
		if to, err = s.stretch(ctx, m, lists, from, end); err != nil {
			return err
		}
		var worked time.Duration // without the wait for the turn
		after := into
		err = s.writeAside(ctx, func(ctx context.Context, tx *Tx) error {
			start := time.Now()
			after = into // a number that was rolled back may be another's by now
			err := m.move(ctx, tx, lists, &after, from, to)
			worked = time.Since(start)
			return err
		})
		if err != nil {
			return err
		}
		into = after
		if err := pause(ctx, worked); err != nil {
			return err
		}
	}
	return nil
}

// stretch is up to which key, from one on, no list has more rows than are moved at a time.
func (s *Store) stretch(ctx context.Context, m merger, lists []int64, from, end []byte) (to []byte, err error) {
	to = end
	for _, number := range lists {
		rows, err := s.readers.QueryContext(ctx, m.rows, number, from, int64(mergedRows))
		if err != nil {
			return nil, err
		}
		next, err := collect(rows, func(scan func(...any) error) (key []byte, err error) { return key, scan(&key) })
		if err != nil {
			return nil, err
		}
		if len(next) > 0 && bytes.Compare(next[0], to) < 0 {
			to = next[0]
		}
	}
	return to, nil
}
