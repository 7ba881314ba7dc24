package classify_test

import (
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"authwatch/classify"
	"authwatch/classify/profile"
)

// TestCauses judges the last record of each fixture in testdata/causes/CAUSE: positives, and near_ cases that look like CAUSE and
// are something else. The answers are those of the corpora; the first line says why the case exists.
func TestCauses(t *testing.T) {
	paths, err := filepath.Glob("testdata/causes/*/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("fixtures: %v %v", paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimPrefix(strings.TrimSuffix(path, ".txtar"), "testdata/causes/"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(archive.Files) != 3 || !strings.HasPrefix(string(archive.Comment), "# ") {
				t.Fatalf("want a comment, profile, records.ndjson and want in %s", path)
			}
			p, err := profile.Load("testdata/corpus/" + strings.TrimSpace(string(archive.Files[0].Data)) + ".profile.yaml")
			if err != nil {
				t.Fatal(err)
			}
			want := classify.Code(strings.TrimSpace(strings.TrimPrefix(string(archive.Files[2].Data), "cause:")))
			v := judgeStream(t, classify.Profiles{p}, string(archive.Files[1].Data))
			if v.Cause != want {
				t.Errorf("cause %s (%s), want %s: %s", v.Cause, v.Confidence, want, v.Summary)
			}
		})
	}
}

// judgeStream feeds records in order and returns the verdict on the last.
func judgeStream(t *testing.T, profiles classify.Profiles, records string) classify.Verdict {
	t.Helper()
	history := classify.History{}
	dec := json.NewDecoder(strings.NewReader(records))
	var last classify.Verdict
	for {
		var r classify.Record
		if err := dec.Decode(&r); err == io.EOF {
			return last
		} else if err != nil {
			t.Fatal(err)
		}
		e := profiles.Locate(&r)
		last = classify.Verdict{}
		if e.Outcome == classify.Failed {
			last = classify.Classify(e, lookup(history, e.Keys()))
		}
		history.Observe(e.Facts())
	}
}
