package store

import (
	"context"
)

// Sums are what a write adds to rows that many writes add to. They are kept until the transaction is about to be
// committed, so that the writes of one commit change each row once.
type sums struct {
	facts factLists
	feed  feedLog
	figures
	tookBacklog  bool      // the backlog is written
	settleFacts  bool      // the backlog of facts is to be written
	moved        factsMove // what becomes of the facts
	adoptedFacts bool      // what an earlier process put off is among the facts
}

func newSums() *sums { return &sums{figures: newFigures()} }

// add adds what another write added, which stays as it is.
func (s *sums) add(other *sums) {
	s.facts = append(s.facts, other.facts...)
	s.settleFacts = s.settleFacts || other.settleFacts
	s.feed = append(s.feed, other.feed...)
	s.figures.add(other.figures)
}

// take is add for what is of no use to anybody else afterwards. Nearly always it is the first, and there is nothing to add to.
func (s *sums) take(other *sums) {
	if s.feed == nil {
		s.feed, other.feed = other.feed, nil
	}
	s.figures.take(other.figures)
	other.figures = figures{}
	s.add(other)
}

// write adds everything to the rows, or puts it off.
func (s *sums) write(ctx context.Context, t *Tx, now bool) error {
	if now || s.tookBacklog {
		err := t.writeAll(ctx, s.figures, !s.tookBacklog)
		if err != nil {
			return err
		}
		s.tookBacklog = true
	} else if err := t.keepFigures(ctx, &s.figures); err != nil {
		return err
	}
	return t.keepFacts(ctx, s)
}
