package bundle

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/classify/profile"
)

// A judged case is a failure of a corpus with what was known before it.
type judgedCase struct {
	record  classify.Record
	verdict classify.Verdict
	history classify.History
	profile *classify.Profile
}

// corpusCases judges the recorded failures of real verifiers in their order.
func corpusCases(t *testing.T, k *classify.Knowledge) []judgedCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "classify", "testdata", "corpus", "*.ndjson"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpora: %v", err)
	}
	var all []judgedCase
	for _, file := range files {
		p, err := profile.Load(strings.TrimSuffix(file, ".ndjson") + ".profile.yaml")
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		classifier, known := classify.New(classify.Profiles{p}, k), classify.History{}
		for line := range bytes.Lines(text) {
			var labelled struct{ Record classify.Record }
			if err := json.Unmarshal(line, &labelled); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			e := classifier.Locate(&labelled.Record)
			if e.Outcome == classify.Failed {
				found := classify.History{}
				for _, key := range e.Keys() {
					if f, ok := known[key]; ok {
						found[key] = f
					}
				}
				all = append(all, judgedCase{labelled.Record, classify.Classify(e, found), found, p})
			}
			known.Observe(e.Facts())
		}
	}
	return all
}

func (c judgedCase) bundle(k *classify.Knowledge) Bundle {
	return New(Input{
		Incident: Incident{ID: "inc_1", Provider: c.verdict.Provider, Environment: c.verdict.Environment, ClientID: c.verdict.ClientID, Cause: c.verdict.Cause,
			Confidence: c.verdict.Confidence, Count: 1, FirstSeen: c.verdict.Time, LastSeen: c.verdict.Time},
		Records: []classify.Record{c.record}, History: c.history, Profile: c.profile, MadeAt: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), MadeBy: "test",
	}, k)
}

// A bundle that was written, read and judged elsewhere gives the verdict that it was made for, byte for byte.
func TestBundle_GivesTheSameVerdict(t *testing.T) {
	k := classify.NewKnowledge(classify.DocumentedTexts())
	for _, c := range corpusCases(t, k) {
		text, err := json.Marshal(c.bundle(k))
		if err != nil {
			t.Fatal(err)
		}
		read, err := Read(text, plainRecord)
		if err != nil {
			t.Fatal(err)
		}
		got := read.Verdicts(k)
		if want, is := asJSON(t, []classify.Verdict{c.verdict}), asJSON(t, got); want != is {
			t.Fatalf("%s:\n%s\nwant\n%s", c.record.ID, is, want)
		}
	}
}

// With pseudonyms the cause and its confidence stay; of who and where nothing is left.
func TestBundle_Pseudonyms(t *testing.T) {
	k := classify.NewKnowledge(classify.DocumentedTexts())
	for _, c := range corpusCases(t, k) {
		b, err := c.bundle(k).Pseudonymise(k)
		if err != nil {
			t.Fatalf("%s: %v", c.record.ID, err)
		}
		got := b.Verdicts(k)
		if len(got) != 1 || got[0].Cause != c.verdict.Cause || got[0].Confidence != c.verdict.Confidence {
			t.Errorf("%s: %v, want %s", c.record.ID, got, c.verdict.Cause)
		}
		text := asJSON(t, b)
		for _, name := range []string{c.record.ClientID, c.record.RequestID, c.record.ClientIP} {
			if len(name) >= 3 && regexp.MustCompile(`(^|[^\w-])`+regexp.QuoteMeta(name)+`($|[^\w-])`).MatchString(text) {
				t.Errorf("%s: %q is still there", c.record.ID, name)
			}
		}
	}
}

func TestRead_Refuses(t *testing.T) {
	for _, text := range []string{``, `{`, `[]`, `{"format":"authwatch-bundle/9"}`, `{"cases":[]}`, `{"format":"authwatch-bundle/1","cases":7}`} {
		if _, err := Read([]byte(text), plainRecord); err == nil {
			t.Errorf("%s is read", text)
		}
	}
	if !IsBundle([]byte(`{"format":"authwatch-bundle/2"}`)) || IsBundle([]byte(`{"time":"2026-11-22T12:00:00Z"}`)) || IsBundle([]byte(`[]`)) {
		t.Error("a bundle is not told from a record")
	}
}

func TestMarkdown(t *testing.T) {
	k := classify.NewKnowledge(classify.DocumentedTexts())
	at := time.Date(2026, 11, 22, 2, 58, 40, 0, time.UTC)
	r := classify.Record{
		Time: at, ID: "gw-1", RequestID: "req-1", ClientID: "client-b",
		Request:         &classify.Request{Method: "POST", URL: "https://auth.example/oauth/token", Headers: classify.HeadersOf(map[string]string{"authorization": "Bearer [jwt fp1:abcdefghijklmnopqrst]"})},
		Response:        &classify.Response{Status: 401, Body: classify.Body(`{"error":"invalid_client","error_description":"` + "````" + ` <b>| [x](http://evil.example)"}`)},
		ClientAssertion: &classify.JWT{Header: classify.ObjectOf(map[string]any{"alg": "RS256", "kid": "k-1"}), Claims: classify.ObjectOf(map[string]any{"iss": "client-b", "sub": "client-b", "aud": "https://api.example"})},
	}
	b := New(Input{Incident: Incident{Cause: classify.KeyMismatch, Confidence: classify.Inferred, ClientID: "client|b", Count: 3, FirstSeen: at, LastSeen: at.Add(time.Minute)},
		Records: []classify.Record{r}, Changes: []Change{{Time: at.Add(-time.Minute), Kind: "deploy", Title: "orders <script>"}},
		Different: []string{"All 3 failures had kid <b>k-1</b> in the assertion; of 20 accepted requests none did."}, MadeAt: at, MadeBy: "test"}, k)
	text := b.Markdown()
	for _, want := range []string{
		"which public keys, by kid", `client\|b`, "`POST https://auth.example/oauth/token`", "`req-1`", "`````\n401\n", `"kid": "k-1"`, "2026-11-22T02:57:40.000Z deploy: orders \\<script\\>",
		"- jwt at `request.headers.authorization` in 1 of 1 records", "## What is different\n\n- All 3 failures had kid \\<b\\>k-1\\</b\\> in the assertion",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the document lacks %q:\n%s", want, text)
		}
	}
	if want := []Removal{{Path: "request.headers.authorization", What: "jwt", Places: 1}}; !reflect.DeepEqual(b.Removed, want) {
		t.Errorf("removed %v", b.Removed)
	}
}

func plainRecord(text []byte) (r classify.Record, err error) { return r, json.Unmarshal(text, &r) }

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
