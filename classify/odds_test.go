package classify_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"authwatch/classify"
)

// A trial is a failure of a corpus, ready to be judged again with other odds or other words.
type trial struct {
	exchange classify.Exchange
	record   *classify.Record
	history  classify.History
	truth    *classify.Truth
}

// trialsOf places the records of a corpus, each failure with the history that it had.
func trialsOf(t *testing.T, path string, k *classify.Knowledge) (*classify.Classifier, []trial) {
	t.Helper()
	c := classify.New(classify.Profiles{profileOf(t, path)}, k)
	var out []trial
	replay(t, c, path, "all", func(l labelled, e classify.Exchange, known classify.History) {
		if l.Truth != nil {
			out = append(out, trial{exchange: e, record: l.Record, history: known, truth: l.Truth})
		}
	})
	return c, out
}

func corpora(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*/*.ndjson")
	if err != nil || len(paths) < 31 {
		t.Fatalf("corpora: %v %v", paths, err)
	}
	return paths
}

// TestOdds varies each of the odds by which words are believed by one bit and by two: how much hangs on their exact values. Then it fits them
// for each system on all the others, as if that one had never been seen, and judges it with what was fitted. Nothing may turn on them.
func TestOdds(t *testing.T) {
	names, judges := classify.OddsVaried()
	paths := corpora(t)
	k := classify.NewKnowledge(classify.DocumentedTexts())
	tallies := make([][]classify.Tally, len(judges)) // by odds and corpus
	for _, path := range paths {
		_, trials := trialsOf(t, path, k)
		for i, judge := range judges {
			var s classify.Score
			for _, x := range trials {
				var v *classify.Verdict
				if x.exchange.Outcome == classify.Failed {
					verdict := judge(x.exchange, x.history)
					v = &verdict
				}
				s.Count(x.truth, v)
			}
			tallies[i] = append(tallies[i], s.Tally)
		}
	}
	for i, name := range names {
		if all := sumOf(tallies[i], -1); all.ProvenWrong > 0 || all.Share(all.Accepted) < 0.985 {
			t.Errorf("%s: accepted %.4f, %d proven and wrong", name, all.Share(all.Accepted), all.ProvenWrong)
		}
	}
	usual := sumOf(tallies[0], -1)
	var table strings.Builder
	for i, name := range names {
		all := sumOf(tallies[i], -1)
		fmt.Fprintf(&table, "| %s | %.4f | %d |\n", name, all.Share(all.Accepted), all.Wrong)
	}
	var left classify.Tally
	for j, path := range paths {
		best := 0
		for i := range tallies {
			if sumOf(tallies[i], j).Accepted > sumOf(tallies[best], j).Accepted {
				best = i
			}
		}
		left = left.Plus(tallies[best][j])
		if tallies[best][j] != tallies[0][j] {
			fmt.Fprintf(&table, "fitted without %s: %s, %d wrong, else %d\n", filepath.Base(path), names[best], tallies[best][j].Wrong, tallies[0][j].Wrong)
		}
	}
	t.Logf("\n| odds | accepted | wrong |\n|---|---|---|\n%sfitted without the system itself: accepted %.4f, %d wrong; with the usual odds %.4f, %d", table.String(), left.Share(left.Accepted), left.Wrong, usual.Share(usual.Accepted), usual.Wrong)
	if left.Share(left.Accepted) < usual.Share(usual.Accepted)-0.002 {
		t.Errorf("accepted %.4f with odds that were fitted on the other systems, %.4f with the usual ones", left.Share(left.Accepted), usual.Share(usual.Accepted))
	}
}

func verdictOn(e classify.Exchange, h classify.History) *classify.Verdict {
	if e.Outcome != classify.Failed {
		return nil
	}
	v := classify.Classify(e, h)
	return &v
}

// sumOf adds the tallies, but for one.
func sumOf(tallies []classify.Tally, without int) (sum classify.Tally) {
	for j, tally := range tallies {
		if j != without {
			sum = sum.Plus(tally)
		}
	}
	return sum
}

// TestMisleadingWords gives every failure the words of another one, whatever that was about: the worst that misreading and misleading
// servers can do. A fault that a check shows must survive it. The few that are proven and wrong then are of a challenge that asks for a
// scope which the token has not: there words and check agree on what did not happen.
func TestMisleadingWords(t *testing.T) {
	k := classify.NewKnowledge(classify.DocumentedTexts())
	type said struct {
		body      classify.Body
		challenge string
	}
	words := map[classify.Phase][]said{}
	var all []trial
	var homes []*classify.Classifier
	for _, path := range corpora(t) {
		c, trials := trialsOf(t, path, k)
		for _, x := range trials {
			if x.record.Response == nil {
				continue
			}
			all, homes = append(all, x), append(homes, c)
			words[x.exchange.Phase] = append(words[x.exchange.Phase], said{x.record.Response.Body, x.record.Response.Headers.Get("www-authenticate")})
		}
	}
	var honest, misled classify.Score
	shown, lost := 0, 0
	for i, x := range all {
		before := verdictOn(x.exchange, x.history)
		honest.Count(x.truth, before)
		pool := words[x.exchange.Phase]
		other := pool[(i*7919+4001)%len(pool)]
		x.record.Response.Body = other.body
		x.record.Response.Headers = x.record.Response.Headers.With("www-authenticate", other.challenge)
		after := verdictOn(homes[i].Locate(x.record), x.history)
		match := misled.Count(x.truth, after)
		if before != nil && before.Confidence == classify.Proven {
			shown++
			if match != classify.MatchStrict && match != classify.MatchAlso {
				lost++
			}
		}
	}
	t.Logf("accepted %.4f with their own words, %.4f with those of others; of %d that a check proves %d are lost (%.4f); proven and wrong %d",
		honest.Share(honest.Accepted), misled.Share(misled.Accepted), shown, lost, float64(lost)/float64(shown), misled.ProvenWrong)
	if misled.Share(misled.Accepted) < 0.84 || float64(lost) > 0.055*float64(shown) {
		t.Errorf("accepted %.4f, %d of %d lost", misled.Share(misled.Accepted), lost, shown)
	}
}
