package main

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/ingest"
)

// BenchmarkIngest is the ingest path without the network, one batch of 1,000 records at a time into one database:
//
//	go test ./bench -run '^$' -bench Ingest -benchtime 20x -cpuprofile cpu.out
func BenchmarkIngest(b *testing.B) {
	const batch = 1000
	dir := b.TempDir()
	paths, err := writeProfiles(dir)
	if err != nil {
		b.Fatal(err)
	}
	profiles, err := loadProfiles(paths)
	if err != nil {
		b.Fatal(err)
	}
	for _, percent := range []int{2, 10, 30, 100} {
		b.Run(fmt.Sprintf("%d%%", percent), func(b *testing.B) {
			p, err := openPipeline(b.Context(), b.TempDir(), profiles)
			if err != nil {
				b.Fatal(err)
			}
			t := sample(batch*(b.N+1), percent)
			batches, err := bodies(t, batch)
			if err != nil {
				b.Fatal(err)
			}
			if err := p.post(batches[b.N]); err != nil { // the first write makes statements and caches
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if err := p.post(batches[i]); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "records/s")
			if err := p.close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkIngestTogether is the same with eight senders at once, whose batches meet in the writer's turn. Without tokens, what was
// accepted could wait for a token of its own; where one has come apart before, all of it does.
func BenchmarkIngestTogether(b *testing.B) {
	const batch = 1000
	dir := b.TempDir()
	paths, err := writeProfiles(dir)
	if err != nil {
		b.Fatal(err)
	}
	profiles, err := loadProfiles(paths)
	if err != nil {
		b.Fatal(err)
	}
	for _, share := range []struct {
		percent int
		format  format
		apart   bool
	}{
		{percent: 2, format: native}, {percent: 10, format: native}, {percent: 30, format: native}, {percent: 100, format: native},
		{percent: 2, format: bare}, {percent: 2, format: bare, apart: true}, {percent: 2, format: ecs}, {percent: 2, format: nginx}, {percent: 2, format: filebeat}, {percent: 2, format: combined},
	} {
		name := fmt.Sprintf("%d%%", share.percent)
		if share.format != native {
			name += " " + string(share.format)
		}
		if share.apart {
			name += " waits"
		}
		b.Run(name, func(b *testing.B) {
			p, err := openPipeline(b.Context(), b.TempDir(), profiles)
			if err != nil {
				b.Fatal(err)
			}
			t := sample(batch*b.N, share.percent)
			t.format = share.format
			batches, err := bodies(t, batch)
			if err != nil {
				b.Fatal(err)
			}
			if share.apart {
				token := `{"time":"` + t.from.Format(time.RFC3339) + `","kind":"access_token","request_id":"of none","header":{"alg":"RS256"},"claims":{"iss":"x"}}`
				if err := p.send("/ingest/v1/tokens", []byte(token)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			var next atomic.Int64
			var senders sync.WaitGroup
			for range 8 {
				senders.Go(func() {
					for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
						if err := p.post(batches[i]); err != nil {
							b.Error(err)
						}
					}
				})
			}
			senders.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "records/s")
			if err := p.close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkDecode reads batches of 1,000 failures: scan, redact, encode, last net.
func BenchmarkDecode(b *testing.B) {
	const batch, batches = 1000, 20
	list, err := bodies(sample(batch*batches, 100), batch)
	if err != nil {
		b.Fatal(err)
	}
	red, err := ingest.NewRedactor(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if records, bad := ingest.Decode(list[i%batches], red); len(records) != batch || len(bad) > 0 {
			b.Fatalf("%d records, %v", len(records), bad)
		}
	}
}

// BenchmarkReader reads lines as authwatch classify does, for what they say of authentication.
func BenchmarkReader(b *testing.B) {
	const batch, batches = 1000, 20
	dir := b.TempDir()
	paths, err := writeProfiles(dir)
	if err != nil {
		b.Fatal(err)
	}
	profiles, err := loadProfiles(paths)
	if err != nil {
		b.Fatal(err)
	}
	redactor, err := ingest.NewRedactor(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	for _, percent := range []int{2, 10, 100} {
		b.Run(fmt.Sprintf("%d%%", percent), func(b *testing.B) {
			list, err := bodies(sample(batch*batches, percent), batch)
			if err != nil {
				b.Fatal(err)
			}
			reader := ingest.NewReader(profiles, classify.NewKnowledge(classify.DocumentedTexts()), redactor)
			var readings ingest.Readings
			b.ReportAllocs()
			for i := range b.N {
				for line := range bytes.Lines(list[i%batches]) {
					reader.Read(line, &readings)
				}
				if len(readings.List) != batch {
					b.Fatalf("%d readings", len(readings.List))
				}
				readings.Empty()
			}
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
