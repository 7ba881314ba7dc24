package classify_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"authwatch/classify"
)

// judged is everything that the engine says of a corpus, one JSON text a line: the verdict on each failure, what it asked history for, and
// what each exchange adds to it.
func judged(t *testing.T, k *classify.Knowledge, path, see string, withProfile bool) []byte {
	t.Helper()
	var profiles classify.Profiles
	if withProfile {
		profiles = append(profiles, profileOf(t, path))
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	replay(t, classify.New(profiles, k), path, see, func(_ labelled, e classify.Exchange, known classify.History) {
		said := []any{e.Endpoint, e.Outcome, e.Keys(), e.Facts()}
		if v := verdictOn(e, known); v != nil {
			said = append(said, v)
		}
		if err := encoder.Encode(said); err != nil {
			t.Fatal(err)
		}
	})
	return out.Bytes()
}

// TestVerdicts_AreThoseOfTheLastLook holds all that the engine says of the corpora, word for word, to what somebody looked at last: work on
// its speed must change none of it. A change that is meant to writes the sums anew, with go test ./classify -run TestVerdicts -update.
func TestVerdicts_AreThoseOfTheLastLook(t *testing.T) {
	const kept = "testdata/verdicts.sum"
	k := classify.NewKnowledge(classify.DocumentedTexts())
	var sums strings.Builder
	for _, path := range corpora(t) {
		for _, see := range []string{"all", "response", "token"} {
			for _, withProfile := range []bool{true, false} {
				fmt.Fprintf(&sums, "%.8x %s %s profile=%v\n", sha256.Sum256(judged(t, k, path, see, withProfile)), filepath.ToSlash(path), see, withProfile)
			}
		}
	}
	if *update {
		if err := os.WriteFile(kept, []byte(sums.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Split(string(want), "\n")
	for i, line := range strings.Split(sums.String(), "\n") {
		if i >= len(known) || line != known[i] {
			t.Errorf("not as it was (-update when it is meant to be): %s", line)
		}
	}
}

var update = flag.Bool("update", false, "write testdata/verdicts.sum anew")
