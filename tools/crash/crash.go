package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// A result is what a run found when nothing was wrong.
type result struct {
	kills, batches, records int
	recovered               int // batches that were committed when a kill cut off their acknowledgement
	starts                  []time.Duration
}

// String is the result in one line.
func (r result) String() string {
	return fmt.Sprintf("%d kills under load from %d shippers: %d records in %d batches, all there exactly once, nothing else; %d batches had lost their acknowledgement and were there; database sound; ready again in %v, at most %v",
		r.kills, len(wires()), r.records, r.batches, r.recovered, r.start(len(r.starts)/2), r.start(len(r.starts)-1))
}

// start is the n-th of the times from start to ready, the shortest first.
func (r result) start(n int) time.Duration {
	if len(r.starts) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(r.starts))[n].Round(time.Millisecond)
}

// A fleet is the shippers of a run. Each holds on to its batch until that is acknowledged, through kills and restarts.
type fleet struct {
	ledger *ledger
	url    string
	keys   []string
	held   []*batch
}

// sail lets all shippers send until ctx ends, and returns when none is sending any more.
func (f *fleet) sail(ctx context.Context, round int) {
	var group sync.WaitGroup
	for n, w := range wires() {
		group.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				if f.held[n] == nil {
					f.held[n] = f.ledger.next(round, w)
				}
				if w.post(client, f.url, f.keys[n], f.held[n]) {
					f.ledger.acknowledge(f.held[n])
					f.held[n] = nil
				}
			}
		})
	}
	group.Wait()
}

// settle sends what is in hand until it is acknowledged.
func (f *fleet) settle(ctx context.Context) error {
	for n, w := range wires() {
		for f.held[n] != nil {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("%s is not acknowledged: %w", w.name, err)
			}
			if w.post(http.DefaultClient, f.url, f.keys[n], f.held[n]) {
				f.ledger.acknowledge(f.held[n])
				f.held[n] = nil
			}
		}
	}
	return nil
}

// crash runs all rounds. The error says what was lost, doubled, never sent or unsound.
func (o options) crash(ctx context.Context, dir string, log func(format string, args ...any)) (result, error) {
	r := result{kills: o.kills}
	binary, err := o.build(ctx, dir)
	if err != nil {
		return r, err
	}
	s, err := newServer(binary, dir)
	if err != nil {
		return r, err
	}
	if _, err := s.start(ctx); err != nil {
		return r, err
	}
	defer s.kill()
	read, err := s.key(ctx, "read", "checker")
	if err != nil {
		return r, err
	}
	f := &fleet{ledger: &ledger{rounds: map[int][]*batch{}}, url: s.url(), held: make([]*batch, len(wires()))}
	for _, w := range wires() {
		key, err := s.key(ctx, "ingest", w.name)
		if err != nil {
			return r, err
		}
		f.keys = append(f.keys, key)
	}
	from := reader{url: s.url(), key: read}
	moments := rand.New(rand.NewPCG(o.seed, 0))
	for round := 1; round <= o.kills; round++ {
		if err := o.round(ctx, round, s, f, from, moments, &r); err != nil {
			return r, err
		}
		if round%20 == 0 {
			log("%d kills, %d batches acknowledged", round, f.ledger.acknowledged())
		}
	}
	return r, f.account(ctx, o.kills, from, &r)
}

// round lets the shippers send, kills the server at a random moment, starts it again and looks at what is there.
func (o options) round(ctx context.Context, round int, s *server, f *fleet, from reader, moments *rand.Rand, r *result) error {
	sending, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	before := f.ledger.acknowledged()
	go func() {
		defer close(done)
		f.sail(sending, round)
	}()
	for f.ledger.acknowledged() < before+len(wires()) && ctx.Err() == nil { // the moment is one of work, not of waking up
		time.Sleep(time.Millisecond)
	}
	time.Sleep(time.Duration(moments.Int64N(int64(o.within))))
	s.kill()
	stop()
	<-done
	took, err := s.start(ctx)
	if err != nil {
		return fmt.Errorf("round %d: %w", round, err)
	}
	r.starts = append(r.starts, took)
	if o.ready > 0 && took > o.ready {
		return fmt.Errorf("round %d: ready after %v", round, took)
	}
	if err := sound(ctx, s.database()); err != nil {
		return fmt.Errorf("round %d: %w", round, err)
	}
	found, err := from.read(ctx, clientOf(round))
	if err != nil {
		return fmt.Errorf("round %d: %w", round, err)
	}
	if err := f.ledger.check(round, found); err != nil {
		return err
	}
	r.recovered += f.ledger.recovered(round, found)
	return nil
}

// account looks at all rounds again, once everything is acknowledged.
func (f *fleet) account(ctx context.Context, rounds int, from reader, r *result) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if err := f.settle(ctx); err != nil {
		return err
	}
	for round := 1; round <= rounds; round++ {
		found, err := from.read(ctx, clientOf(round))
		if err != nil {
			return err
		}
		if err := f.ledger.check(round, found); err != nil {
			return fmt.Errorf("at the end: %w", err)
		}
		r.batches += len(f.ledger.rounds[round])
		r.records += len(f.ledger.rounds[round]) * recordsInBatch
	}
	return nil
}
