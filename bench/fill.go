package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"authwatch/store"
)

// A filler makes a large database in the time that storing takes. The failures of a small sample go through the whole
// product; each is then stored again and again as an event of its own, with another time and other ids.
type filler struct {
	rng     *rand.Rand
	samples []store.Failure
	db      *store.Store
	step    time.Duration // from one failure to the next, on average
	at      time.Time
}

const (
	// sampleSize is how many different failures there are: many more than the clients, causes and routes together.
	sampleSize = 20_000
	// fillBatch is how many failures one transaction stores.
	fillBatch = 2000
)

// fillDatabase stores t's failures in a new database at path and calls stored before the first batch and after each.
func (r *runner) fillDatabase(ctx context.Context, path string, t traffic, stored func(n int)) (err error) {
	samples, err := r.sampleFailures(ctx, t)
	if err != nil {
		return fmt.Errorf("make sample: %w", err)
	}
	db, err := store.Open(ctx, store.Options{DSN: path})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	f := &filler{rng: rand.New(rand.NewPCG(t.seed, 2)), samples: samples, db: db, at: t.from, step: t.step}
	stored(0)
	return f.fill(ctx, t.failures(), stored)
}

// fillFolder makes a database to look at, authwatch.db, and in a folder beside it the profiles that its failures were judged by.
func (r *runner) fillFolder(ctx context.Context) error {
	profiles := filepath.Join(r.options.fill, "profiles")
	if err := os.MkdirAll(profiles, 0o700); err != nil {
		return err
	}
	if _, err := writeProfiles(profiles); err != nil {
		return fmt.Errorf("write profiles: %w", err)
	}
	_, err := r.fill(ctx, filepath.Join(r.options.fill, "authwatch.db"), r.month(time.Now()))
	return err
}

// sampleFailures has the product judge failures of the same clients.
func (r *runner) sampleFailures(ctx context.Context, t traffic) (samples []store.Failure, err error) {
	dir, remove, err := r.folder()
	if err != nil {
		return nil, err
	}
	defer remove()
	profiles, err := loadProfiles(r.profiles)
	if err != nil {
		return nil, err
	}
	p, err := openPipeline(ctx, dir, profiles)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close(), os.Remove(filepath.Join(dir, "pipeline.db"))) }()
	t.records, t.percent = min(t.records, sampleSize), 100
	batches, err := bodies(t, r.batch)
	if err != nil {
		return nil, err
	}
	for _, body := range batches {
		if err := p.post(body); err != nil {
			return nil, err
		}
	}
	for page := (store.Page{Limit: 200}); ; {
		list, next, err := p.store.ListFailures(ctx, store.FailureFilter{Page: page})
		if err != nil {
			return nil, err
		}
		samples = append(samples, list...)
		if page.Cursor = next; next == "" {
			return samples, nil
		}
	}
}

// fill makes the next batch while one is stored.
func (f *filler) fill(ctx context.Context, n int, stored func(n int)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches, failed := make(chan batchOfFailures), make(chan error, 1)
	go func() {
		defer close(batches)
		for left := n; left > 0; left -= fillBatch {
			b := f.batch(min(left, fillBatch))
			if err := f.db.Pack(b.failures); err != nil {
				failed <- err
				return
			}
			select {
			case batches <- b:
			case <-ctx.Done():
				return
			}
		}
	}()
	total := 0
	for b := range batches {
		if err := f.db.Write(ctx, b.save); err != nil {
			return err
		}
		if total += len(b.failures); total%(10*fillBatch) == 0 || total == n {
			if _, err := f.db.Fold(ctx); err != nil {
				return err
			}
		}
		stored(total)
	}
	select {
	case err := <-failed:
		return err
	default:
		return ctx.Err()
	}
}

// A batchOfFailures is one transaction, with a success for each failure.
type batchOfFailures struct {
	failures   []store.Failure
	traffic    []store.Traffic
	deliveries []store.Delivery
}

func (b batchOfFailures) save(ctx context.Context, tx *store.Tx) error {
	last := b.failures[len(b.failures)-1].ReceivedAt
	if _, err := tx.Claim(ctx, last, b.deliveries); err != nil {
		return err
	}
	if err := tx.AddFailures(ctx, b.failures); err != nil {
		return err
	}
	return tx.AddTraffic(ctx, b.traffic)
}

func (f *filler) batch(n int) batchOfFailures {
	b := batchOfFailures{failures: make([]store.Failure, n), traffic: make([]store.Traffic, n), deliveries: make([]store.Delivery, n)}
	for i := range n {
		f.at = f.at.Add(f.step/2 + time.Duration(f.rng.Int64N(int64(f.step)+1)))
		one := f.again(f.samples[f.rng.IntN(len(f.samples))])
		b.failures[i] = one
		v := one.Verdict
		b.deliveries[i] = store.Delivery{Source: one.Source, Key: one.RecordID, Time: f.at}
		b.deliveries[i].Prepare()
		b.traffic[i] = store.Traffic{First: f.at, Last: f.at, Count: 1, Provider: v.Provider, Environment: v.Environment, ClientID: v.ClientID}
	}
	return b
}

// again makes an event of its own of a sample.
func (f *filler) again(one store.Failure) store.Failure {
	record := bytes.Clone(one.Record)
	replace := func(old string) string {
		fresh := string(appendHex(nil, f.rng, len(old)))
		if old != "" {
			record = bytes.Replace(record, []byte(old), []byte(fresh), 1)
		}
		return fresh
	}
	one.RecordID, one.RequestID, one.TraceID = replace(one.RecordID), replace(one.RequestID), replace(one.TraceID)
	one.Record, one.Verdict.Time, one.ReceivedAt = record, f.at, f.at
	return one
}
