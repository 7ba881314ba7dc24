package store

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	foldEvery    = time.Second
	expireEvery  = time.Minute
	recoverEvery = 30 * time.Second
	// thoroughEvery is how many times only what grows with every record is looked through before all is.
	thoroughEvery = 60
	// expireShare is the part of the writer's time that expiry takes: one in so many.
	expireShare = 5
	// mergeShare is the same for merges, which go on as long as there is load.
	mergeShare = 10
)

// Maintain folds what is counted, removes what is old and resolves what has recovered, until ctx ends. A server runs it
// beside its requests. Errors go to report; what failed is tried again later.
func (s *Store) Maintain(ctx context.Context, r Retention, report func(error)) {
	if err := s.Settle(ctx); err != nil { // what a process left that was killed
		report(err)
	}
	var tasks sync.WaitGroup
	tasks.Go(func() {
		times := 0
		every(ctx, expireEvery, func() error {
			e, err := s.expiry(ctx, r, leave(expireShare))
			if err != nil {
				return err
			}
			if times++; times%thoroughEvery == 1 {
				return e.run(ctx, e.bulk(), e.rest())
			}
			return e.run(ctx, e.bulk())
		}, report)
	})
	tasks.Go(func() {
		every(ctx, recoverEvery, func() error {
			_, err := s.ResolveRecovered(ctx)
			return err
		}, report)
	})
	tasks.Go(func() {
		every(ctx, sightEvery, func() error { return s.WriteSightings(ctx, false) }, report)
	})
	if s.facts != nil {
		tasks.Go(func() { every(ctx, mergeEvery, func() error { return s.mergeAll(ctx, leave(mergeShare)) }, report) })
	}
	every(ctx, foldEvery, func() error { return s.foldAll(ctx) }, report)
	tasks.Wait()
}

// foldAll folds until nothing waits. It does not give way to a full queue for long: the longer it waits the more every reader
// has to add up.
func (s *Store) foldAll(ctx context.Context) error {
	for {
		more, err := s.Fold(ctx)
		if errors.Is(err, ErrBusy) {
			more, err = true, wait(ctx, foldEvery/10)
		}
		if err != nil || !more {
			return err
		}
	}
}

// leave pauses so that others have all of the time but one part in so many.
func leave(share time.Duration) func(ctx context.Context, worked time.Duration) error {
	return func(ctx context.Context, worked time.Duration) error {
		return wait(ctx, max(worked*(share-1), time.Millisecond))
	}
}

func every(ctx context.Context, period time.Duration, do func() error, report func(error)) {
	for wait(ctx, period) == nil {
		// A full queue is no fault: the work is not lost and not urgent.
		if err := do(); err != nil && ctx.Err() == nil && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrClosed) {
			report(err)
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() // both may have come
	case <-ctx.Done():
		return ctx.Err()
	}
}
