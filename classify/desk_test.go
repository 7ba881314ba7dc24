package classify

import (
	"sync"
	"testing"
)

// Goroutines that share a Classifier give the verdicts that one alone gives, and a verdict stays as it is while others are judged.
func TestClassify_ManyAtOnce(t *testing.T) {
	exchanges, histories := corpusExchanges(t)
	verdicts, want := make([]Verdict, len(exchanges)), make([]string, len(exchanges))
	for i, e := range exchanges {
		verdicts[i] = Classify(e, histories[i])
		want[i] = verdictJSON(t, verdicts[i])
	}
	var group sync.WaitGroup
	for g := range 3 {
		group.Go(func() {
			for i := g; i < len(exchanges); i += 2 {
				if got := verdictJSON(t, Classify(exchanges[i], histories[i])); got != want[i] {
					t.Errorf("%s: %s, want %s", exchanges[i].Record.ID, got, want[i])
				}
			}
		})
	}
	group.Wait()
	for i := range verdicts {
		if got := verdictJSON(t, verdicts[i]); got != want[i] {
			t.Fatalf("the verdict on %s changed to %s", exchanges[i].Record.ID, got)
		}
	}
}
