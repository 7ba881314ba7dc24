package example

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"authwatch/classify"
)

// Every example must be judged as the cause that it is shown for, and must be a recorded answer to that very fault.
func TestAll(t *testing.T) {
	examples, err := All(classify.NewKnowledge(classify.DocumentedTexts()))
	if err != nil {
		t.Fatal(err)
	}
	recorded := recordings(t)
	for cause, e := range examples {
		if e.Verdict.Cause != cause {
			t.Errorf("the example of %s is judged as %s: %s", cause, e.Verdict.Cause, e.Verdict.Summary)
		}
		known, ok := recorded[e.Verifier+" "+e.Record.ID]
		if !ok || known.Truth.Cause != cause || compact(t, known.Record) != compact(t, e.Record) {
			t.Errorf("the example of %s is no recorded answer of %s to it", cause, e.Verifier)
		}
	}
	for _, row := range classify.Catalogue() {
		if _, ok := examples[row.Code]; !ok && row.Code != classify.Unclassified {
			t.Errorf("%s has no example", row.Code)
		}
	}
}

type recording struct {
	Record *classify.Record
	Truth  *struct {
		Cause    classify.Code
		Verifier string
	}
}

func compact(t *testing.T, r *classify.Record) string {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func recordings(t *testing.T) map[string]recording {
	t.Helper()
	var paths []string
	for _, folder := range []string{"corpus", "rare"} {
		found, err := filepath.Glob("../testdata/" + folder + "/*.ndjson")
		if err != nil || len(found) == 0 {
			t.Fatalf("corpora: %v %v", found, err)
		}
		paths = append(paths, found...)
	}
	out := map[string]recording{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			var r recording
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatal(err)
			}
			if r.Truth != nil {
				out[r.Truth.Verifier+" "+r.Record.ID] = r // verifiers were asked the same, under the same ids
			}
		}
	}
	return out
}
