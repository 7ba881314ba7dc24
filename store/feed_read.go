package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A FeedEvent is one event of the feed, with what it is about as that is now.
type FeedEvent struct {
	Kind     FeedKind
	At       time.Time    // of the commit
	After    FeedPosition // from where to read on
	ID       string       // of the failure or incident
	Failure  *Failure     // of events of failures; nil when it was withdrawn
	Incident *Incident    // of events of incidents, and that of the failure; nil when it was removed
	id       rowID
}

// FeedEnd is the position after the last event.
func (s *Store) FeedEnd(ctx context.Context) (FeedPosition, error) {
	var last int64
	if err := s.readers.QueryRowContext(ctx, `select coalesce(max(seq), 0) from feed`).Scan(&last); err != nil {
		return FeedPosition{}, fmt.Errorf("find end of feed: %w", err)
	}
	return FeedPosition{seq: last + 1}, nil
}

// FeedStart is the position of the first event that is kept.
func (s *Store) FeedStart(ctx context.Context) (FeedPosition, error) {
	var first int64
	if err := s.readers.QueryRowContext(ctx, `select coalesce(min(seq), 1) from feed`).Scan(&first); err != nil {
		return FeedPosition{}, fmt.Errorf("find start of feed: %w", err)
	}
	return FeedPosition{seq: first}, nil
}

const (
	feedLook = 2000 // events that one call looks at
	feedRead = 500  // that are read at once where it is not known which match
)

// ListFeed returns at most limit events that the filter selects, in the order of their commits, from a position on, and
// the position to go on from. It looks at so many events and no more: there may be none and yet others after next.
// Errors: ErrFeedGone.
func (s *Store) ListFeed(ctx context.Context, from FeedPosition, f FeedFilter, limit int) (list []FeedEvent, next FeedPosition, err error) {
	for looked := 0; looked < feedLook; {
		most := feedRead
		if !f.selects() {
			most = limit - len(list)
		}
		some, after, err := s.ReadFeed(ctx, from, most)
		if err != nil {
			return nil, from, err
		}
		if after == from {
			break
		}
		looked, from = looked+most, after
		for _, e := range some {
			if !f.Matches(e) {
				continue
			}
			if list = append(list, e); len(list) == limit {
				return list, e.After, nil
			}
		}
	}
	return list, from, nil
}

// ReadFeed returns the next events, whatever they are about, of at most so many that are looked at, and the position
// after them. Errors: ErrFeedGone.
func (s *Store) ReadFeed(ctx context.Context, from FeedPosition, most int) ([]FeedEvent, FeedPosition, error) {
	rows, err := s.feedRows(ctx, `select seq, committed_at, body from feed where seq >= $1 order by seq limit $2`, from.seq, int(from.index)+most)
	if err != nil {
		return nil, from, err
	}
	var list []FeedEvent
	at := from
	for _, row := range rows {
		if row.seq != at.seq || int(at.index) >= len(row.list) {
			return nil, from, ErrFeedGone
		}
		list = append(list, row.list[at.index:]...)
		at = FeedPosition{seq: row.seq + 1}
	}
	if len(list) > most {
		list = list[:most]
		at = list[most-1].After
	}
	if at == from {
		end, err := s.FeedEnd(ctx)
		if err == nil && end.Before(from) {
			err = ErrFeedGone
		}
		return nil, from, err
	}
	list, err = s.fillFeed(ctx, list)
	return list, at, err
}

// A feedRow is one row, decoded.
type feedRow struct {
	seq  int64
	list []FeedEvent
}

// feedRows reads rows until they hold so many events.
func (s *Store) feedRows(ctx context.Context, query string, seq int64, events int) (list []feedRow, err error) {
	rows, err := s.readers.QueryContext(ctx, query, seq, int64(events))
	if err != nil {
		return nil, fmt.Errorf("read feed: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what Close would
	for events > 0 && rows.Next() {
		row, err := scanFeedRow(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("read feed: %w", err)
		}
		list = append(list, row)
		events -= len(row.list)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read feed: %w", err)
	}
	return list, nil
}

func scanFeedRow(scan func(...any) error) (feedRow, error) {
	var row feedRow
	var at int64
	var body []byte
	if err := scan(&row.seq, &at, &body); err != nil {
		return row, err
	}
	log, err := decodeFeed(body)
	if err != nil {
		return row, err
	}
	row.list = make([]FeedEvent, len(log))
	for n, e := range log {
		after := FeedPosition{row.seq, int64(n + 1)}
		if n+1 == len(log) {
			after = FeedPosition{seq: row.seq + 1}
		}
		row.list[n] = FeedEvent{Kind: e.kind, At: fromMillis(at), After: after, id: e.id, ID: e.id.text("rec_")}
		if e.kind.OfIncident() {
			row.list[n].ID = e.id.text("inc_")
		}
	}
	return row, nil
}

// fillFeed reads what events are about, and leaves out those of which nothing is there any more.
func (s *Store) fillFeed(ctx context.Context, list []FeedEvent) ([]FeedEvent, error) {
	var ids []rowID
	for _, e := range list {
		if !e.Kind.OfIncident() && !e.Kind.gone() {
			ids = append(ids, e.id)
		}
	}
	failures, err := s.failuresByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read failures of feed: %w", err)
	}
	failure := map[rowID]*Failure{}
	incident := map[rowID]*Incident{}
	for n := range failures {
		failure[failures[n].id], incident[failures[n].incident] = &failures[n], nil
	}
	for _, e := range list {
		if e.Kind.OfIncident() && !e.Kind.gone() {
			incident[e.id] = nil
		}
	}
	if err := s.fillIncidents(ctx, incident); err != nil {
		return nil, fmt.Errorf("read incidents of feed: %w", err)
	}
	kept := list[:0]
	for _, e := range list {
		if e.Kind.OfIncident() {
			e.Incident = incident[e.id]
		} else if e.Failure = failure[e.id]; e.Failure != nil {
			e.Incident = incident[e.Failure.incident]
		}
		if e.Failure != nil || e.Incident != nil || e.Kind.gone() {
			kept = append(kept, e)
		}
	}
	return kept, nil
}

func (s *Store) fillIncidents(ctx context.Context, into map[rowID]*Incident) error {
	if len(into) == 0 {
		return nil
	}
	ids := make([]int64, 0, len(into))
	for id := range into {
		ids = append(ids, int64(id))
	}
	var w where
	in(&w, `id`, ids)
	rows, err := s.readers.QueryContext(ctx, `select `+incidentColumns+` from incident where `+w.sql(), w.args...)
	if err != nil {
		return err
	}
	list, err := collect(rows, func(scan func(...any) error) (Incident, error) { return scanIncident(scan, s.now()) })
	for n := range list {
		into[parseID("inc_", list[n].ID)] = &list[n]
	}
	return err
}

// FeedNews is the newest part of the feed.
type FeedNews struct {
	Events []FeedEvent  // newest first
	End    FeedPosition // of the feed
	More   int          // events since that are selected too and came before these
	Whole  bool         // everything since was looked at
}

// NewestFeed returns the newest events that the filter selects, and counts how many more of them came since a position;
// the zero position asks for none. It looks at so many events and no more.
func (s *Store) NewestFeed(ctx context.Context, since FeedPosition, f FeedFilter, limit int) (n FeedNews, err error) {
	if n.End, err = s.FeedEnd(ctx); err != nil {
		return n, err
	}
	if since == (FeedPosition{}) {
		since = n.End
	}
	before := n.End.seq
	for looked := 0; looked < feedLook; {
		list, first, err := s.readFeedBack(ctx, before, feedRead)
		if err != nil {
			return n, err
		}
		if n.Whole = first == before; n.Whole {
			return n, nil
		}
		looked, before = looked+len(list), first
		for len(list) > 0 && !n.Whole {
			cut := max(0, len(list)-2*limit)
			if err := s.addNews(ctx, &n, list[cut:], since, f, limit); err != nil {
				return n, err
			}
			list = list[:cut]
		}
		if n.Whole {
			return n, nil
		}
	}
	return n, nil
}

// addNews goes through events from the last to the first. It is whole when there is nothing more to show and to count.
func (s *Store) addNews(ctx context.Context, n *FeedNews, list []FeedEvent, since FeedPosition, f FeedFilter, limit int) (err error) {
	if f.selects() || len(n.Events) < limit { // otherwise they are only counted
		if list, err = s.fillFeed(ctx, list); err != nil {
			return err
		}
	}
	for _, e := range slices.Backward(list) {
		isNew := since.Before(e.After)
		switch {
		case !f.Matches(e):
		case len(n.Events) < limit:
			n.Events = append(n.Events, e)
		case isNew:
			n.More++
		}
		if n.Whole = len(n.Events) == limit && !isNew; n.Whole {
			return nil
		}
	}
	return nil
}

// readFeedBack returns the events of rows before a row, in the order of the feed, and the number of the first of them.
func (s *Store) readFeedBack(ctx context.Context, before int64, most int) (list []FeedEvent, first int64, err error) {
	rows, err := s.feedRows(ctx, `select seq, committed_at, body from feed where seq < $1 order by seq desc limit $2`, before, most)
	first = before
	for _, row := range slices.Backward(rows) {
		list = append(list, row.list...)
		first = min(first, row.seq)
	}
	return list, first, err
}

// SkipFeed counts the events from a position to the end without looking at them.
func (s *Store) SkipFeed(ctx context.Context, from FeedPosition) (events int, end FeedPosition, err error) {
	for {
		rows, err := s.feedRows(ctx, `select seq, committed_at, body from feed where seq >= $1 order by seq limit $2`, from.seq, 100*feedRowSize)
		if err != nil || len(rows) == 0 {
			return events, from, err
		}
		for _, row := range rows {
			events += len(row.list) - int(from.index)
			from = FeedPosition{seq: row.seq + 1}
		}
	}
}
