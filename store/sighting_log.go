package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"
)

const (
	// sightEvery is how soon a thing that was never seen is written. A process that is killed forgets as much.
	sightEvery = time.Second
	// sightAgainEvery is how soon it is written that known things were seen again, also after a start: once for all the times
	// that each was seen, so the longer this is the less it costs. A process that is killed forgets as much of counts and last times.
	sightAgainEvery = time.Minute
	// sightAgainSoon is how soon that is while at most sightFew of them wait: whoever has just sent a few records finds them
	// counted, and a server that has little to do loses nothing by it.
	sightAgainSoon = 2 * time.Second
	sightFew       = 64
)

// A lookLog keeps what was seen until it is written. It costs a batch a moment under its lock, and the writer nothing but a
// turn of its own now and then: no figure here decides a verdict, so it may be a second late.
type lookLog struct {
	mu    sync.Mutex
	fresh []*Look // that were never written
	again []*Look // that were, and came again
	lost  int64   // exchanges whose looks found no room

	// Of who holds writing:
	writing sync.Mutex
	left    sightRows // what could not be written
	held    sightRows // known things that fresh looks have shown again
	againAt time.Time // when known things were written
}

func newLookLog() *lookLog { return &lookLog{left: sightRows{}, held: sightRows{}} }

// Sight notes what committed exchanges have shown. It is written soon: Maintain does, and Close.
func (s *Store) Sight(seen []Seen) {
	l := s.looks
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := range seen {
		look := seen[n].Look
		if look.tally.count == 0 && !l.wait(look) {
			l.lost++
			continue
		}
		look.tally.add(&seen[n])
	}
}

// wait puts a look among those that are to be written, if there is room.
func (l *lookLog) wait(look *Look) bool {
	if len(l.fresh)+len(l.again) >= looksWaiting {
		return false
	}
	if look.written {
		l.again = append(l.again, look)
	} else {
		l.fresh = append(l.fresh, look)
	}
	return true
}

// take hands over what is due: all of it, or only what may be new.
func (l *lookLog) take(all bool) (due []dueLook, lost int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	looks := l.fresh
	l.fresh = nil
	if all {
		looks = append(looks, l.again...)
		l.again = nil
	}
	for _, look := range looks {
		due = append(due, dueLook{look, look.tally})
		look.tally, look.written = lookTally{}, true
	}
	lost, l.lost = l.lost, 0
	return due, lost
}

// isDue says whether known things are to be written too.
func (l *lookLog) isDue(now time.Time) bool {
	if l.againAt.IsZero() {
		l.againAt = now // the first minute begins
	}
	l.mu.Lock()
	again := len(l.again)
	l.mu.Unlock()
	passed := now.Sub(l.againAt)
	return passed >= sightAgainEvery || passed >= sightAgainSoon && again+len(l.held) <= sightFew || len(l.held) > looksWaiting
}

// WriteSightings writes what was seen for the first time, and what is known when all is true or it is time. What cannot be
// written now waits.
func (s *Store) WriteSightings(ctx context.Context, all bool) error {
	l := s.looks
	l.writing.Lock()
	defer l.writing.Unlock()
	now := time.Now()
	all = all || l.isDue(now)
	looks, lost := l.take(all)
	rows := sightingsOf(looks)
	for _, row := range l.left {
		rows.add(row)
	}
	if all {
		for _, row := range l.held {
			rows.add(row)
		}
		l.held = sightRows{}
	}
	l.left = rows // without what is written or held
	if !all {
		if err := s.holdKnown(ctx, rows); err != nil {
			return fmt.Errorf("find known sightings: %w", err)
		}
	}
	if err := s.writeSightings(ctx, rows); err != nil {
		return fmt.Errorf("write sightings: %w", err)
	}
	if all {
		l.againAt = now
	}
	if lost > 0 {
		return fmt.Errorf("write sightings: what %d exchanges have shown found no room", lost)
	}
	return nil
}

// holdKnown holds back those that have a row already: a look can be fresh although all that it shows is known, after a start
// or when who made it had to forget it.
func (s *Store) holdKnown(ctx context.Context, rows sightRows) error {
	held := s.looks.held
	var asked []*sightRow
	for _, row := range rows.sorted() {
		if held[row.key] == nil {
			asked = append(asked, row)
			continue
		}
		held.add(row)
		delete(rows, row.key)
	}
	known, err := knownSightings(asked, func(query string, args ...any) (*sql.Rows, error) {
		return s.readers.QueryContext(ctx, query, bind(args)...)
	})
	for key := range known {
		held[key] = rows[key]
		delete(rows, key)
	}
	return err
}
