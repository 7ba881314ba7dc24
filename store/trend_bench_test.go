package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkTrend reads what pages ask of the rollups of 30 days: 200,000 failures of 400 clients at 22 places.
//
//	go test ./store -run '^$' -bench Trend -benchtime 200x
func BenchmarkTrend(b *testing.B) {
	s, err := Open(b.Context(), Options{DSN: filepath.Join(b.TempDir(), "trend.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	start := time.Now()
	fillRollups(b, s, 200_000)
	b.Logf("filled in %s", time.Since(start))
	from, to := noon(), noon().Add(30*24*time.Hour)
	busiest := "client-0"
	for _, q := range []struct {
		name string
		ask  TrendQuery
	}{
		{"24h by 5m, cause", TrendQuery{From: to.Add(-24 * time.Hour), To: to, Step: 5 * time.Minute, GroupBy: ByCause}},
		{"30d by 1h, cause", TrendQuery{From: from, To: to, Step: time.Hour, GroupBy: ByCause}},
		{"30d by 1h, cause of an environment", TrendQuery{From: from, To: to, Step: time.Hour, GroupBy: ByCause, Environments: []string{"production"}}},
		{"30d by 1h, cause of a client", TrendQuery{From: from, To: to, Step: time.Hour, GroupBy: ByCause, Clients: []string{busiest}}},
		{"30d by 1h, client", TrendQuery{From: from, To: to, Step: time.Hour, GroupBy: ByClient}},
		{"30d by 1h, endpoint", TrendQuery{From: from, To: to, Step: time.Hour, GroupBy: ByEndpoint}},
		{"1h by 1m, cause", TrendQuery{From: to.Add(-time.Hour), To: to, Step: time.Minute, GroupBy: ByCause}},
	} {
		b.Run(q.name, func(b *testing.B) {
			times := make([]time.Duration, b.N)
			for i := range b.N {
				start := time.Now()
				if _, err := s.Trend(b.Context(), q.ask); err != nil {
					b.Fatal(err)
				}
				times[i] = time.Since(start)
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(times[len(times)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
	b.Run("totals of 24h", func(b *testing.B) {
		for range b.N {
			if _, err := s.Totals(b.Context(), to.Add(-24*time.Hour-7*time.Minute), to, nil, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// fillRollups counts failures as transactions would, a thousand at a time.
func fillRollups(b *testing.B, s *Store, n int) {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, 1))
	pick := rand.NewZipf(rng, 1.1, 8, 399)
	step := 30 * 24 * time.Hour / time.Duration(n)
	for done := 0; done < n; {
		counts := rollupCounts{}
		for range 1000 {
			client := int(pick.Uint64())
			one := series{fmt.Sprint("provider-", client%11), []string{"production", "staging"}[client%5/4], fmt.Sprint("client-", client),
				fmt.Sprint("cause-", (client*7+rng.IntN(3))%25), fmt.Sprint("GET /", client%11, "/", rng.IntN(6))}
			at := noon().Add(time.Duration(done) * step)
			counts.add(one, at, 1)
			one.cause = ""
			counts.add(one, at, 9)
			done++
		}
		if err := s.Write(b.Context(), func(ctx context.Context, tx *Tx) error { return tx.addCounts(ctx, counts) }); err != nil {
			b.Fatal(err)
		}
		for more := done%50_000 == 0 || done == n; more; {
			var err error
			if more, err = s.Fold(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
}
