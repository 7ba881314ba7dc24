package store

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkExpire writes a batch of 1,000 records every 50 ms, first alone and then while old failures are removed beside
// it at Maintain's pace, and reports how long a write took.
//
//	go test ./store -run '^$' -bench Expire -benchtime 200x
func BenchmarkExpire(b *testing.B) {
	now := noon().Add(40 * 24 * time.Hour)
	s, err := Open(b.Context(), Options{DSN: filepath.Join(b.TempDir(), "bench.db"), Now: func() time.Time { return now }})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	old, fresh := newLoad(1), newLoad(2)
	fresh.at = now
	next := func(l *load, percent int) *loadBatch {
		one := l.batch(1000, percent)
		if err := s.Pack(one.failures); err != nil {
			b.Fatal(err)
		}
		return one
	}
	for range 60 {
		if err := s.Write(b.Context(), next(old, 100).save); err != nil {
			b.Fatal(err)
		}
	}
	err = s.Write(b.Context(), func(ctx context.Context, tx *Tx) error { // expiry goes by the newest delivery
		_, err := tx.Claim(ctx, now, []Delivery{{Source: "s", Key: "now", Time: now}})
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, part := range []string{"alone", "beside expiry"} {
		b.Run(part, func(b *testing.B) {
			ctx, stop := context.WithCancel(b.Context())
			done := make(chan error, 1)
			if part == "alone" {
				done <- context.Canceled
			} else {
				go func() { done <- s.Expire(ctx, Retention{Records: 30 * 24 * time.Hour}, leave(expireShare)) }()
			}
			times := make([]time.Duration, b.N)
			for i := range b.N {
				one := next(fresh, 10)
				time.Sleep(50 * time.Millisecond)
				start := time.Now()
				if err := s.Write(ctx, one.save); err != nil {
					b.Fatal(err)
				}
				times[i] = time.Since(start)
			}
			stop()
			if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
				b.Fatal(err)
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
			var left int
			if err := s.readers.QueryRow(`select count(*) from failure where id < $1`, int64(idAt(toMillis(noon().Add(20*24*time.Hour))))).Scan(&left); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(left), "old-left")
		})
	}
}
