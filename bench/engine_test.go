package main

import (
	"bytes"
	"testing"

	"authwatch/classify"
	"authwatch/ingest"
)

// BenchmarkEngine is the engine alone on generated traffic, redacted and in memory: 5,000 failures, so that each is met with cold caches.
//
//	go test ./bench -run '^$' -bench Engine -benchmem -cpu 1
func BenchmarkEngine(b *testing.B) {
	paths, err := writeProfiles(b.TempDir())
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
	read := func(percent int) []ingest.Indexed {
		var text bytes.Buffer
		if err := sample(5000, percent).write(&text); err != nil {
			b.Fatal(err)
		}
		records, bad := ingest.Decode(text.Bytes(), redactor)
		if len(bad) > 0 {
			b.Fatal(len(bad))
		}
		return records
	}
	failures, successes := read(100), read(0)
	classifier, history := classify.New(profiles, classify.NewKnowledge(classify.DocumentedTexts())), classify.History{}
	for i := range successes {
		e := classifier.Locate(&successes[i].Record)
		history.Observe(e.Facts())
	}
	var keys []classify.Key
	for name, step := range map[string]func(n int){
		"Locate":   func(n int) { classifier.Locate(&failures[n].Record) },
		"Keys":     func(n int) { e := classifier.Locate(&failures[n].Record); keys = e.AppendKeys(keys[:0]) },
		"Classify": func(n int) { classify.Classify(classifier.Locate(&failures[n].Record), nil) },
		"Judge": func(n int) {
			e := classifier.Locate(&failures[n].Record)
			keys = e.AppendKeys(keys[:0])
			classify.Classify(e, history)
		},
		"Facts": func(n int) { e := classifier.Locate(&successes[n].Record); e.Facts() },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			begin, err := ownCPU()
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for b.Loop() {
				step(n)
				if n++; n == len(failures) {
					n = 0
				}
			}
			end, err := ownCPU()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64((end-begin).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}
