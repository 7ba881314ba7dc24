package store

import (
	"context"
)

// Sums are what a write adds to rows that many writes add to. They are kept until the transaction is about to be
// committed, so that the writes of one commit change each row once.
type sums struct {
	facts map[factKey]fact
	feed  feedLog
	figures
	tookBacklog  bool // the backlog is written
	settleFacts  bool // the backlog of facts is to be written
	tookFacts    bool // it is
	factRow      bool // a row was added to it
	adoptedFacts bool // what an earlier process put off is among the facts
}

func newSums() *sums { return &sums{facts: map[factKey]fact{}, figures: newFigures()} }

// add takes over what another write added.
func (s *sums) add(other *sums) {
	mergeInto(s.facts, other.facts)
	s.settleFacts = s.settleFacts || other.settleFacts
	if s.feed == nil {
		s.feed = other.feed
	} else {
		s.feed = append(s.feed, other.feed...)
	}
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
	return t.keepFacts(ctx, s)
}
