package store

import (
	"context"

	"authwatch/classify"
)

// Sums are what a write adds to rows that many writes add to. They are kept until the transaction is about to be
// committed, so that the writes of one commit change each row once.
type sums struct {
	facts map[factKey]classify.Fact
	feed  feedLog
	figures
	tookBacklog bool // the backlog is written
}

func newSums() *sums { return &sums{facts: map[factKey]classify.Fact{}, figures: newFigures()} }

// add takes over what another write added.
func (s *sums) add(other *sums) {
	for k, f := range other.facts {
		if earlier, ok := s.facts[k]; ok {
			f = earlier.Merge(f)
		}
		s.facts[k] = f
	}
	s.feed = append(s.feed, other.feed...)
	s.figures.add(other.figures)
}

// write adds everything to the rows, or puts it off.
func (s *sums) write(ctx context.Context, t *Tx, now bool) error {
	if now || s.tookBacklog {
		err := t.writeAll(ctx, s.figures, !s.tookBacklog)
		if err != nil {
			return err
		}
		s.tookBacklog = true
	} else if err := t.keepFigures(ctx, s.figures); err != nil {
		return err
	}
	return t.writeFacts(ctx, s.facts)
}
