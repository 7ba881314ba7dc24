package classify

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// corpusExchanges are the failures of every corpus with the history that they meet, without profiles: enough variety to compare runs.
func corpusExchanges(tb testing.TB) (exchanges []Exchange, histories []History) {
	tb.Helper()
	classifier := New(nil, NewKnowledge(DocumentedTexts()))
	paths, err := filepath.Glob("testdata/corpus/*.ndjson")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("corpora: %v %v", paths, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		known := History{}
		for line := range bytes.Lines(data) {
			var c struct{ Record *Record }
			if err := json.Unmarshal(line, &c); err != nil {
				tb.Fatal(err)
			}
			e := classifier.Locate(c.Record)
			if e.Outcome == Failed {
				met := History{}
				for _, k := range e.Keys() {
					if f, ok := known[k]; ok {
						met[k] = f
					}
				}
				exchanges, histories = append(exchanges, e), append(histories, met)
			}
			known.Observe(e.Facts())
		}
	}
	return exchanges, histories
}

func verdictJSON(tb testing.TB, v Verdict) string {
	tb.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		tb.Fatalf("the verdict on %s is not JSON: %v", v.ID, err)
	}
	return string(data)
}

func TestClassify_OrderOfChecksDoesNotMatter(t *testing.T) {
	exchanges, histories := corpusExchanges(t)
	rules := allRules()
	reversed := slices.Clone(rules[:])
	slices.Reverse(reversed)
	rotated := slices.Concat(rules[11:], rules[:11])
	for i, e := range exchanges {
		want := verdictJSON(t, Classify(e, histories[i]))
		for name, checks := range map[string][]rule{"reversed": reversed, "rotated": rotated} {
			var v Verdict
			classifyWith(&e, histories[i].Held(), checks, &v)
			if got := verdictJSON(t, v); got != want {
				t.Fatalf("%s checks change the verdict on %s\n got %s\nwant %s", name, e.Record.ID, got, want)
			}
		}
	}
}

func TestClassify_SameInputSameBytes(t *testing.T) {
	exchanges, histories := corpusExchanges(t)
	for i, e := range exchanges {
		before, err := json.Marshal(e.Record)
		if err != nil {
			t.Fatal(err)
		}
		first := verdictJSON(t, Classify(e, histories[i]))
		if again := verdictJSON(t, Classify(e, histories[i])); again != first {
			t.Fatalf("two verdicts on %s\n%s\n%s", e.Record.ID, first, again)
		}
		if after, _ := json.Marshal(e.Record); !bytes.Equal(before, after) {
			t.Fatalf("classifying %s changed the record", e.Record.ID)
		}
	}
}

// Facts of a kind that a judgement did not ask for do not change it, whatever they say.
func TestJudge_KindsItAskedFor(t *testing.T) {
	exchanges, histories := corpusExchanges(t)
	spared := map[FactKind]int{}
	for i := range exchanges {
		e := &exchanges[i]
		var v, other Verdict
		kinds := Judge(e, histories[i].Held(), &v)
		want := verdictJSON(t, v)
		for _, first := range []time.Time{{}, e.Record.Time.Add(-time.Minute)} {
			for _, k := range e.Keys() {
				if kinds.Has(k.Kind) {
					continue
				}
				spared[k.Kind]++
				h := maps.Clone(histories[i])
				h[k] = Fact{Key: k, FirstSeen: first, FirstAccepted: first, LastAccepted: first, Count: 9, MaxOffset: -9 * time.Minute, FirstTokenPrint: e.credential().fingerprint()}
				Judge(e, h.Held(), &other)
				if got := verdictJSON(t, other); got != want {
					t.Fatalf("%+v changes the verdict on %s\n got %s\nwant %s", k, e.Record.ID, got, want)
				}
			}
		}
	}
	for _, kind := range []FactKind{FactClock, FactToken, FactShape} {
		if spared[kind] == 0 {
			t.Errorf("every judgement asks for facts of the kind %s", kind)
		}
	}
}

// What is known to be held spares looks at history and changes no verdict.
func TestJudge_Held(t *testing.T) {
	exchanges, histories := corpusExchanges(t)
	for i := range exchanges {
		e, h := &exchanges[i], histories[i]
		for range 2 { // then with facts under all of its keys
			var index FactIndex
			numbers := index.AppendKeys(nil, e)
			isHeld := make([]bool, len(index.Keys()))
			for n, k := range index.Keys() {
				_, isHeld[n] = h[k]
			}
			var v, other Verdict
			kinds := Judge(e, h.Held(), &v)
			if got := Judge(e, index.Held(numbers, isHeld, numberedHistory{&index, h}), &other); got != kinds {
				t.Errorf("%s asks for %b instead of %b", e.Record.ID, got, kinds)
			}
			if got, want := verdictJSON(t, other), verdictJSON(t, v); got != want {
				t.Fatalf("the verdict on %s is\n%s instead of\n%s", e.Record.ID, got, want)
			}
			at := e.Record.Time.Add(-time.Minute)
			h = maps.Clone(h)
			for _, k := range e.Keys() {
				h[k] = Fact{Key: k, FirstSeen: at, FirstAccepted: at, LastAccepted: at, Count: 9, FirstTokenPrint: e.credential().fingerprint()}
			}
		}
	}
}

type numberedHistory struct {
	index   *FactIndex
	history History
}

func (h numberedHistory) Fact(number int32) Fact { return h.history[h.index.Keys()[number]] }

func TestVerdict_ListsAreNeverNull(t *testing.T) {
	e := Profiles{}.Locate(&Record{Time: time.Unix(1795183400, 0).UTC(), Response: &Response{Status: 401}})
	v := Classify(e, nil)
	if v.Evidence == nil || v.Checks == nil || v.Alternatives == nil || v.Fix.Steps == nil {
		t.Errorf("a list is nil: %s", verdictJSON(t, v))
	}
	if v.Cause != Unclassified {
		t.Errorf("cause %s for a bare 401, want %s", v.Cause, Unclassified)
	}
}

func TestFingerprint_IgnoresMemberOrder(t *testing.T) {
	var a, b, c JWT
	for text, into := range map[string]*JWT{
		`{"header":{"alg":"RS256","kid":"k"},"claims":{"iss":"a","exp":1795183400,"cnf":{"jkt":"x","y":1}}}`: &a,
		`{"claims":{"cnf":{"y":1,"jkt":"x"},"exp":1795183400,"iss":"a"},"header":{"kid":"k","alg":"RS256"}}`: &b,
		`{"claims":{"cnf":{"y":1,"jkt":"x"},"exp":1795183401,"iss":"a"},"header":{"kid":"k","alg":"RS256"}}`: &c,
	} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	if a.fingerprint() != b.fingerprint() {
		t.Error("the order of members changes the fingerprint")
	}
	if a.fingerprint() == c.fingerprint() {
		t.Error("another exp has the same fingerprint")
	}
}

// FuzzClassify: no record makes the engine panic or write a verdict that is not JSON.
func FuzzClassify(f *testing.F) {
	for _, path := range []string{"jose", "fosite", "oidc-provider", "express-oauth2-jwt-bearer"} {
		data, err := os.ReadFile("testdata/corpus/" + path + ".ndjson")
		if err != nil {
			f.Fatal(err)
		}
		n := 0
		for line := range bytes.Lines(data) {
			var c struct{ Record json.RawMessage }
			if err := json.Unmarshal(line, &c); err != nil {
				f.Fatal(err)
			}
			if n++; n%9 == 0 {
				f.Add([]byte(c.Record))
			}
		}
	}
	for _, record := range hostileRecords() {
		f.Add([]byte(record))
	}
	profiles := Profiles{strictProfile()}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r Record
		if json.Unmarshal(data, &r) != nil {
			return
		}
		for _, ps := range []Profiles{nil, profiles} {
			e := ps.Locate(&r)
			h := History{}
			h.Observe(e.Facts())
			verdictJSON(t, Classify(e, h))
			if len(e.Keys()) > 64 || len(e.Facts()) > 64 {
				t.Fatalf("%d keys, %d facts", len(e.Keys()), len(e.Facts()))
			}
		}
	})
}
