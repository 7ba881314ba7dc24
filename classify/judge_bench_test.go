package classify_test

import (
	"testing"

	"authwatch/classify"
)

// A traffic is the records of every corpus with what a service would have: all profiles, all documented texts, and the history of what
// the records show to have been accepted.
type traffic struct {
	classifier        *classify.Classifier
	failed, succeeded []classify.Exchange
	history           classify.History
}

func corpusTraffic(b *testing.B) *traffic {
	b.Helper()
	var profiles classify.Profiles
	var records []*classify.Record
	for _, path := range corpora(b) {
		profiles = append(profiles, profileOf(b, path))
		for _, l := range readCorpus(b, path) {
			records = append(records, l.Record)
		}
	}
	t := &traffic{classifier: classify.New(profiles, classify.NewKnowledge(classify.DocumentedTexts())), history: classify.History{}}
	for _, r := range records {
		switch e := t.classifier.Locate(r); e.Outcome {
		case classify.Failed:
			t.failed = append(t.failed, e)
		case classify.Accepted:
			t.succeeded = append(t.succeeded, e)
			t.history.Observe(e.Facts())
		}
	}
	return t
}

// each runs a step for one exchange after the other.
func each(b *testing.B, exchanges []classify.Exchange, step func(*classify.Exchange)) {
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		step(&exchanges[n%len(exchanges)])
		n++
	}
}

// BenchmarkJudge is all that judging a failure takes once its history is there: Locate, Keys and Classify of each failure of each corpus in
// turn. Where answers are new, nothing is remembered of what a server said before.
func BenchmarkJudge(b *testing.B) {
	for _, name := range []string{"answers repeat", "answers are new"} {
		b.Run(name, func(b *testing.B) {
			t := corpusTraffic(b)
			if name == "answers are new" {
				t.classifier.Forget()
			}
			var keys []classify.Key
			each(b, t.failed, func(e *classify.Exchange) {
				located := t.classifier.Locate(e.Record)
				keys = located.AppendKeys(keys[:0])
				if v := classify.Classify(located, t.history); v.Cause == "" {
					b.Fatal("no verdict")
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "failures/s")
		})
	}
}

// BenchmarkPlace is what the ingest path asks of every record, whatever it means.
func BenchmarkPlace(b *testing.B) {
	t := corpusTraffic(b)
	for name, exchanges := range map[string][]classify.Exchange{"failure": t.failed, "success": t.succeeded} {
		b.Run("Locate/"+name, func(b *testing.B) {
			each(b, exchanges, func(e *classify.Exchange) { t.classifier.Locate(e.Record) })
		})
		b.Run("Keys/"+name, func(b *testing.B) {
			each(b, exchanges, func(e *classify.Exchange) { e.Keys() })
		})
		b.Run("Facts/"+name, func(b *testing.B) {
			each(b, exchanges, func(e *classify.Exchange) { e.Facts() })
		})
	}
}
