package ingest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"authwatch/store"
)

const (
	// tokensComeFor is how long after a token that came apart others are waited for.
	tokensComeFor = 24 * time.Hour
	// askForTokens is how often the store is asked whether another process has taken one.
	askForTokens = 30 * time.Second
	// waitAnyway is how many successes of a minute wait where no tokens come apart: enough for either half of a join to come
	// first while a feed of tokens begins, and for a small installation at any time.
	waitAnyway = 1000
)

// lateTokens knows whether tokens come apart from their responses at all: only then is a success without one worth keeping until its token comes.
type lateTokens struct {
	store *store.Store

	mu     sync.Mutex
	last   time.Time // when one came, by receipt, as far as is known
	asked  time.Time // when the store was asked
	minute time.Time // by receipt
	waits  int       // successes of that minute that wait
}

// come notes that a token came apart.
func (l *lateTokens) come(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at.After(l.last) {
		l.last = at
	}
}

// ask looks now and then for tokens that came to other processes, or to an earlier one.
func (l *lateTokens) ask(ctx context.Context, now time.Time) error {
	l.mu.Lock()
	due := now.Sub(l.asked).Abs() >= askForTokens
	l.mu.Unlock()
	if !due {
		return nil
	}
	last, err := l.store.LastTokenApart(ctx)
	if err != nil {
		return fmt.Errorf("look for tokens that came apart: %w", err)
	}
	l.come(last)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = now
	return nil
}

// wait says whether a success that is received now may wait for its token. With nil none does.
func (l *lateTokens) wait(at time.Time) bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if at.Sub(l.last) < tokensComeFor {
		return true
	}
	if minute := at.Truncate(time.Minute); minute.After(l.minute) {
		l.minute, l.waits = minute, 0
	}
	if l.waits == waitAnyway {
		return false
	}
	l.waits++
	return true
}

// mayWait says whether wait may be true for a success that is received now.
func (l *lateTokens) mayWait(at time.Time) bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waits < waitAnyway || at.Sub(l.last) < tokensComeFor || at.Truncate(time.Minute).After(l.minute)
}

// A waiting says whether a record that is no failure may wait for its token: asked once, so that it stays as it was said.
type waiting uint8

const (
	waitingUnasked waiting = iota
	waitingYes
	waitingNo
)

// waits says whether a record of the batch may wait for its token.
func (i *reader) waits(b *batch, said *waiting) bool {
	if *said == waitingUnasked {
		if *said = waitingNo; i.late.wait(b.at) {
			*said = waitingYes
		}
	}
	return *said == waitingYes
}
