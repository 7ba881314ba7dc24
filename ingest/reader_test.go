package ingest

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"authwatch/classify"
)

// readerBodies are bodies of everything that is sent anywhere in the tests: successes, failures, other formats, words and what is hostile.
func readerBodies(t *testing.T) (bodies [][]byte) {
	bodies = slices.Concat(quickSeeds(t), bareChanges(t).all(), corpusAsSuccesses(t), foreignLines(t), corpusRecords(t))
	for _, f := range shapeFixtures(t) {
		bodies = append(bodies, []byte(f.log))
	}
	for _, f := range hostileFiles(t) {
		bodies = append(bodies, []byte(f.text))
	}
	for _, refused := range []string{apiCall(1, "f1", 401, "j", second(100)), tokenRequest(2, "f2", 401, `,"client_assertion":`+assertionAt(1, "j", tokenEndpoint))} {
		bodies = append(bodies, []byte(refused), []byte(bare(refused)))
	}
	bodies = append(bodies, []byte(`{"time":"2026-11-22T02:19:00Z","level":"error","message":"words"}`), []byte(`{"level":"error","message":"words"}`), []byte("\xef\xbb\xbf{} [1] x"))
	return append(bodies, bytes.Join(bodies, []byte("\n")), append(append([]byte("["), bytes.Join(quickSeeds(t), []byte(","))...), ']'))
}

// What the Reader says of a record is what it says when it is decoded, located and asked for its facts, whether or not records like it
// were read before.
func TestReader_SameAsDecode(t *testing.T) {
	i := quickIngester(t)
	r := &Reader{newReader(testProfile(), nil, i.redactor)}
	var got Readings
	quick := 0
	for _, body := range readerBodies(t) {
		for range 2 {
			got.Empty()
			r.Read(body, &got)
			quick += checkReadings(t, r, body, got.List)
		}
	}
	if quick < 1000 {
		t.Errorf("%d are read quickly", quick)
	}
}

func checkReadings(t *testing.T, r *Reader, body []byte, got []Reading) (quick int) {
	t.Helper()
	records, bad := Decode(body, r.redactor)
	if len(got) != len(records)+len(bad) {
		t.Fatalf("%.2000s: %d readings, want %d and %d bad", body, len(got), len(records), len(bad))
	}
	for n := range got {
		g := &got[n]
		if len(bad) > 0 && bad[0].Index == n {
			if g.Bad == nil || *g.Bad != bad[0] {
				t.Errorf("%.2000s: %+v, want %+v", body, g.Bad, bad[0])
			}
			bad = bad[1:]
			continue
		}
		record := &records[0].Record
		records = records[1:]
		e := r.classifier.Locate(record)
		if g.Bad != nil || g.Index != n || !g.Time.Equal(record.Time) || g.Outcome != e.Outcome {
			t.Errorf("%.2000s: %+v, want %s at %s", body, g, e.Outcome, record.Time)
			continue
		}
		if e.Outcome == classify.Failed {
			if a, b := encodeRecord(g.Exchange.Record), encodeRecord(record); !bytes.Equal(a, b) || !slices.Equal(g.Exchange.Keys(), e.Keys()) {
				t.Errorf("%.2000s:\n%s, want\n%s", body, a, b)
			}
			continue
		}
		facts := slices.Clone(g.Facts)
		for _, k := range g.Shared {
			facts = append(facts, k.At(g.Time))
		}
		if want := e.Facts(); len(facts)+len(want) > 0 && !reflect.DeepEqual(facts, want) {
			t.Errorf("%.2000s: facts\n%+v, want\n%+v", body, facts, want)
		}
		if len(g.Shared) > 0 {
			quick++
		}
	}
	return quick
}
