package classify_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"authwatch/classify"
	"authwatch/classify/profile"
)

// A fix is verified by running those checks again that its edits can touch. On every failure of every corpus, with and without its
// profile, and for every edit and pair of edits that any finding brings, they leave the same faults as running all checks does.
func TestFix_SomeChecksLeaveWhatAllLeave(t *testing.T) {
	paths, err := filepath.Glob("testdata/*/*.ndjson")
	if err != nil || len(paths) < 22 {
		t.Fatalf("corpora: %v %v", paths, err)
	}
	for _, path := range paths {
		p, err := profile.Load(strings.TrimSuffix(path, ".ndjson") + ".profile.yaml")
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, profiles := range []classify.Profiles{{p}, nil} {
			classifier, history := classify.New(profiles, nil), classify.History{}
			for line := range bytes.Lines(data) {
				var c struct{ Record *classify.Record }
				if err := json.Unmarshal(line, &c); err != nil {
					t.Fatal(err)
				}
				e := classifier.Locate(c.Record)
				if e.Outcome == classify.Failed {
					if problem := classify.FixDisagreement(e, lookup(history, e.Keys())); problem != "" {
						t.Errorf("%s %s: %s", path, c.Record.ID, problem)
					}
				}
				history.Observe(e.Facts())
			}
		}
	}
}
