package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The feed is what was committed in the order in which it was, for those who follow it: ids of failures carry the time of
// their events, and records come late. A transaction that changes failures or incidents adds a row that lists their ids,
// five bytes each. The row comes last, and replicas of PostgreSQL take turns from it to the end of the commit: so no row
// becomes visible before one with a smaller number, and who has read up to a number has missed nothing.

// A FeedKind is what happened to a failure or an incident. Rows keep the number.
type FeedKind byte

// The kinds of events.
const (
	FeedFailure          FeedKind = iota
	FeedFailureRevised            // a token that came late changed its verdict
	FeedFailureWithdrawn          // a token that came late showed it to be none
	FeedIncidentOpened
	FeedIncidentChanged // its state, assignee or notes, or its client succeeds again
	FeedIncidentResolved
	FeedIncidentRemoved // it has no failures left
	feedKinds           // how many there are
)

// String is the kind's name.
func (k FeedKind) String() string {
	return [feedKinds]string{"failure", "failure_revised", "failure_withdrawn", "incident_opened", "incident_changed", "incident_resolved", "incident_removed"}[k]
}

// OfIncident is true of what happens to incidents, and false of what happens to failures.
func (k FeedKind) OfIncident() bool { return k >= FeedIncidentOpened }

// gone is true where there is nothing to be read of it any more.
func (k FeedKind) gone() bool { return k == FeedFailureWithdrawn || k == FeedIncidentRemoved }

// ErrFeedGone says that what follows a position is not kept any more, or was never there: read on from the end.
var ErrFeedGone = errors.New("the feed does not reach back to this position")

const (
	feedKept    = 24 * time.Hour
	feedRowSize = 1000 // events, so that a page reads few in vain
)

// A FeedPosition is a place between two events of the feed. The zero value is no place.
type FeedPosition struct {
	seq   int64 // of the row with the next event
	index int64 // of the next event in the row
}

// String writes the position: digits and a point.
func (p FeedPosition) String() string {
	return strconv.FormatInt(p.seq, 10) + "." + strconv.FormatInt(p.index, 10)
}

// Before reports whether p comes earlier in the feed than other.
func (p FeedPosition) Before(other FeedPosition) bool {
	return p.seq < other.seq || p.seq == other.seq && p.index < other.index
}

// ParseFeedPosition reads what String wrote. Errors: ErrInvalidCursor.
func ParseFeedPosition(text string) (FeedPosition, error) {
	row, place, _ := strings.Cut(text, ".")
	seq, err := strconv.ParseInt(row, 10, 64)
	index, err2 := strconv.ParseInt(place, 10, 64)
	p := FeedPosition{seq, index}
	if err != nil || err2 != nil || seq < 1 || index < 0 || index >= feedRowSize || p.String() != text {
		return FeedPosition{}, ErrInvalidCursor
	}
	return p, nil
}

// A feedEntry is one event as a row keeps it.
type feedEntry struct {
	kind FeedKind
	id   rowID
}

// A feedLog is what a write adds to the feed.
type feedLog []feedEntry

// tell adds an event to the feed.
func (t *Tx) tell(kind FeedKind, id rowID) { t.mine.feed = append(t.mine.feed, feedEntry{kind, id}) }

// writeFeed writes what the transaction tells. Nothing may come between this and the commit.
func (t *Tx) writeFeed(ctx context.Context, log feedLog) error {
	if len(log) > 0 && t.dialect.follow != "" {
		if err := t.exec(ctx, t.dialect.follow); err != nil {
			return fmt.Errorf("take turn in feed: %w", err)
		}
	}
	for len(log) > 0 {
		n := min(len(log), feedRowSize)
		err := t.exec(ctx, `insert into feed (seq, committed_at, body) values ((select coalesce(max(seq), 0) + 1 from feed), $1, $2)`,
			t.now(), log[:n].encode())
		if err != nil {
			return fmt.Errorf("add to feed: %w", err)
		}
		log = log[n:]
	}
	return nil
}

// encode writes runs of one kind: the kind, how many, and for each id how far it lies from the one before.
func (l feedLog) encode() []byte {
	b := make([]byte, 0, 8+6*len(l))
	last := rowID(0)
	for len(l) > 0 {
		n := 1
		for n < len(l) && l[n].kind == l[0].kind {
			n++
		}
		b = binary.AppendUvarint(append(b, byte(l[0].kind)), uint64(n))
		for _, e := range l[:n] {
			b = binary.AppendVarint(b, int64(e.id-last))
			last = e.id
		}
		l = l[n:]
	}
	return b
}

var errDamagedFeed = errors.New("the feed is damaged")

func decodeFeed(b []byte) (feedLog, error) {
	var log feedLog
	last := rowID(0)
	for len(b) > 0 {
		kind := FeedKind(b[0])
		count, size := binary.Uvarint(b[1:])
		if size <= 0 || count > feedRowSize || kind >= feedKinds {
			return nil, errDamagedFeed
		}
		b = b[1+size:]
		for range count {
			step, size := binary.Varint(b)
			if size <= 0 {
				return nil, errDamagedFeed
			}
			b, last = b[size:], last+rowID(step)
			log = append(log, feedEntry{kind, last})
		}
	}
	return log, nil
}

// forgetFeed removes what is older than feedKept, but for the newest row, so that no number is given twice.
func (s *Store) forgetFeed(ctx context.Context) error {
	for {
		var removed int64
		err := s.Write(ctx, func(ctx context.Context, tx *Tx) (err error) {
			removed, err = tx.execCount(ctx, `delete from feed where seq in (select seq from (select seq, committed_at from feed order by seq limit $1) oldest
				where committed_at < $2 and seq < (select max(seq) from feed))`, int64(expireSize), s.now().Add(-feedKept))
			return err
		})
		if err != nil {
			return fmt.Errorf("forget feed: %w", err)
		}
		if removed < expireSize {
			return nil
		}
	}
}
