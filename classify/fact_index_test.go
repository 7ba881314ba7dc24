package classify_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

// An index names the keys that each exchange names, whatever was numbered before, and gives equal keys one number.
func TestFactIndex(t *testing.T) {
	k := classify.NewKnowledge(classify.DocumentedTexts())
	var index classify.FactIndex
	for _, path := range corpora(t) {
		numbers := map[classify.Key]int32{}
		c := classify.New(classify.Profiles{profileOf(t, path)}, k)
		hostile := classify.Record{Time: time.Unix(1e9, 0), Provider: "a\x00b", ClientID: strings.Repeat("\xff", 200), Response: &classify.Response{Status: 401}, AccessToken: &classify.JWT{
			Header: classify.ObjectOf(map[string]any{"kid": "\xfe"}), Claims: classify.ObjectOf(map[string]any{"iss": strings.Repeat("long ", 50), "aud": []any{"a", "a", "a b"}})}}
		records := []*classify.Record{&hostile}
		for _, l := range readCorpus(t, path) {
			records = append(records, l.Record)
		}
		for _, r := range records {
			e := c.Locate(r)
			own, named := index.AppendKeys(nil, &e), []classify.Key(nil)
			for _, n := range own {
				key := index.Keys()[n]
				named = append(named, key)
				if known, ok := numbers[key]; ok && known != n {
					t.Fatalf("%s: %+v is %d and %d", path, key, known, n)
				}
				numbers[key] = n
			}
			if !slices.Equal(named, e.Keys()) {
				t.Fatalf("%s: named\n%q\nof\n%q", path, named, e.Keys())
			}
			facts := e.Facts()
			if own := index.AppendFacts(nil, &e, own); e.Outcome == classify.Failed && !slices.Equal(own, facts) {
				t.Fatalf("%s: says\n%+v\nand not\n%+v", path, own, facts)
			}
			for _, f := range facts {
				if n := index.NumberAmong(own, &f.Key); index.Keys()[n] != f.Key || n != index.Number(&f.Key) {
					t.Fatalf("%s: %+v is numbered as %+v", path, f.Key, index.Keys()[n])
				}
			}
		}
		if index.Reset(); len(index.Keys()) > 0 {
			t.Fatal("keys are left")
		}
	}
}

// Where one part of a key ends and the next one begins is part of the key.
func TestFactIndex_Apart(t *testing.T) {
	var index classify.FactIndex
	for want, k := range []classify.Key{{Kind: "k", Provider: "ab"}, {Kind: "k", Provider: "a", Environment: "b"}, {Kind: "k", Environment: "ab"}, {Kind: "k", Name: "ab"}, {Kind: "k", Environment: "a", Name: "b"}, {Kind: "ka", Name: "b"}} {
		for range 2 {
			if got := index.Number(&k); int(got) != want {
				t.Errorf("%+v is %d, want %d", k, got, want)
			}
		}
	}
}
