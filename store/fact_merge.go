package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"
)

// Who looks for a fact looks into every run, and under load there is a new one each few seconds. So as many as are of one tier are
// merged into one of the next: however many facts there are, there are few runs. It is done beside the writer, a stretch
// of keys at a time. What a stretch moves is in one place before and after it, so a merge that ends early has only done less.

const (
	runTier    = 1 << 40 // numbers of a tier: runs that are written are of the first
	mergedRuns = 16      // that are merged into one
	mergedRows = 64      // of a run that are merged at a time
	mergeEvery = 5 * time.Second
)

// mergeRuns merges runs until there are few of each tier, and calls pause after each write with the time that it took.
func (s *Store) mergeRuns(ctx context.Context, pause func(ctx context.Context, worked time.Duration) error) error {
	for {
		runs, err := s.runs(ctx)
		if err != nil {
			return fmt.Errorf("find runs of facts: %w", err)
		}
		m := runMerge{store: s, runs: mergeable(runs)}
		if len(m.runs) == 0 {
			return nil
		}
		if err := m.run(ctx, pause); err != nil {
			return fmt.Errorf("merge runs of facts: %w", err)
		}
	}
}

// runs are the numbers of all runs, in order.
func (s *Store) runs(ctx context.Context) ([]int64, error) {
	rows, err := s.readers.QueryContext(ctx, runNumbers+` select run from part where run is not null`)
	if err != nil {
		return nil, err
	}
	list, err := collect(rows, func(scan func(...any) error) (run int64, err error) { return run, scan(&run) })
	slices.Sort(list)
	return list, err
}

// mergeable are the oldest runs of the first tier that has enough of them. They are given in order.
func mergeable(runs []int64) []int64 {
	first := 0
	for i, run := range runs {
		if run/runTier != runs[first]/runTier {
			first = i
		}
		if i+1-first == mergedRuns {
			return runs[first : i+1]
		}
	}
	return nil
}

// A runMerge moves the facts of some runs to one behind them. So a filter that is filled in the order of runs meets each.
type runMerge struct {
	store *Store
	runs  []int64       // of one tier
	into  int64         // 0 until something is moved
	moved []Observation // room for those of a stretch
}

func (m *runMerge) run(ctx context.Context, pause func(ctx context.Context, worked time.Duration) error) error {
	end := bytes.Repeat([]byte{0xff}, len(factKey{})+1) // behind all keys
	for from, to := []byte{}, []byte(nil); !bytes.Equal(from, end); from = to {
		var err error
		if to, err = m.stretch(ctx, from, end); err != nil {
			return err
		}
		var worked time.Duration // without the wait for the turn
		into := m.into
		err = m.store.writeAside(ctx, func(ctx context.Context, tx *Tx) (err error) {
			start := time.Now()
			into, err = m.move(ctx, tx, from, to)
			worked = time.Since(start)
			return err
		})
		if err != nil {
			return err
		}
		m.into = into
		if err := pause(ctx, worked); err != nil {
			return err
		}
	}
	return nil
}

// stretch is up to which key, from one on, no run has more rows than are merged at a time.
func (m *runMerge) stretch(ctx context.Context, from, end []byte) (to []byte, err error) {
	to = end
	for _, run := range m.runs {
		rows, err := m.store.readers.QueryContext(ctx, `select digest from fact_run where run = $1 and digest >= $2
			order by digest limit 1 offset $3`, run, from, int64(mergedRows))
		if err != nil {
			return nil, err
		}
		next, err := collect(rows, func(scan func(...any) error) (digest []byte, err error) { return digest, scan(&digest) })
		if err != nil {
			return nil, err
		}
		if len(next) > 0 && bytes.Compare(next[0], to) < 0 {
			to = next[0]
		}
	}
	return to, nil
}

// move moves the facts of a stretch. Rows begin in it, and of their facts those that are beyond it stay.
func (m *runMerge) move(ctx context.Context, t *Tx, from, to []byte) (into int64, err error) {
	moved := m.moved[:0]
	for _, run := range m.runs {
		rows, err := t.query(ctx, `delete from fact_run where run = $1 and digest >= $2 and digest < $3 returning facts`, run, from, to)
		if err != nil {
			return 0, err
		}
		lists, err := collect(rows, scanRun)
		if err != nil {
			return 0, err
		}
		var beyond []Observation
		for _, list := range lists {
			n := factList(list).from(to)
			moved, beyond = append(moved, list[:n]...), append(beyond, list[n:]...)
		}
		if err := t.writeRunRows(ctx, run, inOrder(beyond)); err != nil {
			return 0, err
		}
	}
	m.moved = moved
	if into = m.into; into == 0 && len(moved) > 0 {
		if into, err = t.newRun(ctx, m.runs[0]/runTier+1); err != nil {
			return 0, err
		}
	}
	return into, t.writeRunRows(ctx, into, inOrder(moved))
}
