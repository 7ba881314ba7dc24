package ingest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"authwatch/classify"
)

// checkEncoded holds appendRecord to encoding/json: the same record for whoever reads it.
func checkEncoded(t *testing.T, r *classify.Record) {
	t.Helper()
	got, ok := appendRecord(nil, r)
	want, err := json.Marshal(r)
	if err != nil || !ok {
		t.Fatalf("%+v: %v, %v", r, ok, err)
	}
	if !reflect.DeepEqual(readExact(t, got), readExact(t, want)) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func readExact(t *testing.T, data []byte) (v any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return v
}

func TestAppendRecord_AgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	red := testRedactor(t)
	texts := append(quickSeeds(t), corpusAsSuccesses(t)...)
	for _, v := range vectors(t) {
		texts = append(texts, v.Record)
	}
	records := 0
	for _, text := range texts {
		list, _ := Decode(text, red)
		for n := range list {
			checkEncoded(t, &list[n].Record)
			records++
		}
	}
	if records < 1000/oneIn {
		t.Errorf("%d records", records)
	}
	checkEncoded(t, &classify.Record{Request: &classify.Request{}, Response: &classify.Response{Headers: classify.Headers{}}, AccessToken: &classify.JWT{}})
}

func FuzzAppendText(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\b\f\n\r\t\x00\x1f\x7f", "é\u2028😀", "\xff\xc3", "<&>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = cleanText(s) // as all texts of a record are
		var got string
		if text := appendText(nil, s); json.Unmarshal(text, &got) != nil || got != s {
			t.Errorf("%q is written as %s", s, text)
		}
	})
}
