package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// checkOutlined holds the straight way to the one that all formats share: what it takes comes to the same record, the same
// bytes on disk, the same key and the same time, also when parts of the record came before and are remembered.
func checkOutlined(t *testing.T, red *Redactor, raw []byte) (taken bool) {
	t.Helper()
	for range 3 {
		taken = checkOutlinedOnce(t, red, raw)
	}
	return taken
}

func checkOutlinedOnce(t *testing.T, red *Redactor, raw []byte) (taken bool) {
	t.Helper()
	p, _ := newSplitter(raw).next()
	if p.outline == nil {
		return false
	}
	got, ok := red.decodeOutlined(p)
	if !ok {
		return false
	}
	want, f := red.decodePart(part{raw: p.raw}, red.decodeResponse)
	if f != nil {
		t.Errorf("%s: taken, and refused by the other way: %s at %s", raw, f.code, f.pointer)
		return true
	}
	if !bytes.Equal(got.stored, want.stored) {
		t.Errorf("%s: stored\n%s, want\n%s", raw, got.stored, want.stored)
	}
	if !reflect.DeepEqual(got.record, want.record) {
		t.Errorf("%s: record\n%+v, want\n%+v", raw, got.record, want.record)
	}
	if last := (&walk{Redactor: red}).shapes(string(got.stored)); last != string(got.stored) {
		t.Errorf("%s: the last net makes %s of %s", raw, last, got.stored)
	}
	if got.key != want.key || !got.at.Equal(want.at) {
		t.Errorf("%s: %s at %s, want %s at %s", raw, got.key, got.at, want.key, want.at)
	}
	return true
}

// outlinedSeeds are records of all kinds, and such that are not what they look like at first sight.
func outlinedSeeds(tb testing.TB) [][]byte {
	out := quickSeeds(tb)
	for _, v := range vectors(tb) {
		out = append(out, v.Record)
	}
	token := rv01(tb)
	const start = `{"time":"2026-11-22T02:19:00Z","id":"r",`
	for _, rest := range []string{
		`"request":{"headers":{"Accept":"a","accept":"b"}}}`, `"request":{"headers":{"a":["x",1,null,{"password":"hunter2"}],"b":null,"c":true,"d":1.50}}}`,
		`"request":{"url":"/x","uri":"/y"}}`, `"request":{"uri":"/y"}}`, `"request":null,"response":{"status":"401"}}`, `"response":{"status":"4x1"}}`,
		`"response":{"status":"-","body":" "}}`, `"response":{"status":401,"body":{"b":1,"a":{"d":[1,{"z":null,"y":"\u00e9\n"}],"c":"x"},"a":2}}}`,
		`"response":{"status":401,"body":{"kty":"oct","k":"c2VjcmV0"}}}`, `"response":{"status":401,"body":[{"password":12345678},"client_secret=hunter2hunter2"]}}`,
		`"request":{"body":{"grant_type":"x","code":"SplxlOBeZQQYbYS6WxSbIA","client_assertion":"[jwt]"}},"response":{"status":400}}`,
		`"request":{"headers":{"authorization":"Basic Y2xpZW50OnNlY3JldA=="},"body":"grant_type=client_credentials&client_secret=hunter2hunter2"}}`,
		`"request":{"headers":{"authorization":"Basic Y2xpZW50OnNlY3JldA=="},"body":{"grant_type":"a"}}}`,
		`"request":{"headers":{"authorization":"Bearer ` + token + `"}},"response":{"status":401}}`, `"error":"` + token + `","response":{"body":{"x":"` + token + `"}}}`,
		`"access_token":"` + token + `","response":{"status":401}}`, `"access_token":{"header":[],"claims":{"exp":1e400,"aud":[{}],"cnf":{"jkt":"x","y":1},"email":"a","x":[1],"y":{"z":1},"n":1,"b":true,"v":null}}}`,
		`"access_token":{"header":{"alg":"RS256","jwk":{"kty":"RSA","d":"x"},"epk":"x","cnf":1,"b64":false},"payload":{"sub":"a","sub":"b","email":"string(3)"},"malformed":"2 segments"}}`,
		`"access_token":{"header":null,"claims":null,"payload":{"sub":"a"},"x":1},"client_assertion":{"claims":7}}`, `"client_assertion":7}`, `"client_assertion":{"claims":{"` + token + `":1}}}`,
		`"trace_id":"0000","request_id":"None","response":{}}`, `"error":"x"}`, `"response":{"body":"{\"error\":\"invalid_client\",\"access_token\":\"` + token + `\"}"}}`,
	} {
		out = append(out, []byte(start+rest), []byte(start[:len(start)-len(`"id":"r",`)]+rest))
	}
	return out
}

// corpusRecords are the records of the corpora as they are; with the race detector one in oneIn of them.
func corpusRecords(tb testing.TB) (out [][]byte) {
	paths, err := filepath.Glob("../classify/testdata/*/*.ndjson")
	if err != nil || len(paths) < 10 {
		tb.Fatalf("%d corpora, %v", len(paths), err)
	}
	lines := 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			if lines++; lines%oneIn > 0 {
				continue
			}
			var c struct {
				Record json.RawMessage `json:"record"`
			}
			if err := json.Unmarshal(line, &c); err != nil {
				tb.Fatalf("%s: %v", path, err)
			}
			if c.Record == nil {
				c.Record = bytes.TrimSpace(line)
			}
			out = append(out, c.Record)
		}
	}
	return out
}

func TestDecodeOutlined_AgreesWithMaps(t *testing.T) {
	t.Parallel()
	red, taken := testRedactor(t), 0
	for _, raw := range slices.Concat(outlinedSeeds(t), corpusRecords(t), corpusAsSuccesses(t)) {
		if checkOutlined(t, red, raw) {
			taken++
		}
	}
	if taken < 1000/oneIn {
		t.Errorf("%d records were taken", taken)
	}
}

func FuzzDecodeOutlined(f *testing.F) {
	for _, raw := range outlinedSeeds(f) {
		f.Add(raw)
	}
	red := testRedactor(f)
	f.Fuzz(func(t *testing.T, raw []byte) { checkOutlined(t, red, raw) })
}

func TestCleanTexts_KeepsWhatComesAgain(t *testing.T) {
	c := newCleanTexts()
	for n, want := range []bool{false, false, true, true} {
		digest, known := c.find("harborline/2.1 (linux)")
		if (known != nil) != want {
			t.Errorf("time %d: known is %v", n, known)
		}
		c.note(digest, "harborline/2.1 (linux)")
	}
	if _, known := c.find("harborline/2.1 (darwin)"); known != nil {
		t.Error("another text is known")
	}
	long := strings.Repeat("word ", maxRemembered)
	for range 3 {
		digest, known := c.find(long)
		if known != nil {
			t.Error("a long text is kept")
		}
		c.note(digest, long)
	}
}

// Of the parts of a record only such are remembered in which there is nothing to redact.
func TestKnownParts_HoldNoSecret(t *testing.T) {
	t.Parallel()
	red := testRedactor(t)
	for _, raw := range slices.Concat(outlinedSeeds(t), corpusRecords(t)) {
		checkOutlined(t, red, raw)
	}
	kinds, planted := map[partKind]int{}, vectors(t)
	for n := range red.parts.kept {
		known := red.parts.kept[n].Load()
		if known == nil {
			continue
		}
		kinds[known.kind]++
		if last := (&walk{Redactor: red}).shapes(known.text); last != known.text {
			t.Errorf("%s is remembered, of which the last net makes %s", known.text, last)
		}
		for _, v := range planted {
			if found := leak([]byte(known.text), v.Forbid); found != "" {
				t.Errorf("%s: %s is remembered in %s", v.ID, found, known.text)
			}
		}
	}
	for _, kind := range []partKind{partField, partFieldName, partRequest, partHeaders, partToken, partParameters, partBody} {
		if kinds[kind] == 0 {
			t.Errorf("no part of kind %d is remembered", kind)
		}
	}
}

// What redaction leaves out, or never looks at, makes a part one that is not remembered.
func TestKnownParts_HoldNothingThatIsLeftOut(t *testing.T) {
	red := testRedactor(t)
	for range 3 {
		for _, rest := range []string{
			`"request":{"method":"GET","raw":"hunter2"}`, `"request":{"url":"/x","headers":{"a":"b"},"form":{"password":"hunter2"}}`,
			`"request":{"method":"GET","body":{"password":"hunter2"}}`, `"request":{"method":"GET","url":"/x?access_token=hunter2hunter2"}`,
			`"access_token":{"header":{"alg":"RS256"},"claims":{"sub":"a"},"raw":"hunter2"}`, `"access_token":{"header":{"alg":"RS256"},"claims":{"email":"hunter2"}}`,
			`"access_token":{"header":{"alg":"RS256","alg":"hunter2"},"claims":{"sub":"a"}}`, `"access_token":{"header":{"alg":"RS256","x":"hunter2"},"claims":{"sub":"a"}}`,
			`"access_token":{"claims":"hunter2"}`, `"access_token":{"header":{"alg":"RS256"},"claims":{"sub":"a"},"payload":{"sub":"hunter2"}}`,
			`"access_token":{"header":{"alg":"RS256"},"claims":{"cnf":{"jkt":"a","k":"hunter2"}}}`,
		} {
			checkOutlined(t, red, []byte(`{"time":"2026-11-22T02:19:00.120Z",`+rest+`,"response":{"status":401}}`))
		}
	}
	for n := range red.parts.kept {
		if known := red.parts.kept[n].Load(); known != nil && strings.Contains(known.text, "hunter2") {
			t.Errorf("%s is remembered", known.text)
		}
	}
}

// That a header field came with plain values before, or with none, says nothing of a value that is secret by the field's name.
func TestOutlined_FieldsWithPlainValues(t *testing.T) {
	red := testRedactor(t)
	names := slices.Concat(slices.Collect(maps.Keys(red.names)), strings.Fields("Date date x-request-id location referer www-authenticate x-API-key set-cookie"))
	for range 3 {
		for _, name := range names {
			for _, value := range []string{"", "Sun, 22 Nov 2026 02:19:00 GMT", "7d1c0b2a-3f4e-4a5b-8c6d-0123456789ab", "00112233445566778899aabbccddeeff"} {
				checkOutlined(t, red, fmt.Appendf(nil, `{"time":"2026-11-22T02:19:00.120Z","response":{"status":401,"headers":{%q:%q}}}`, name, value))
			}
		}
	}
}

// A text that redaction changes is never taken for one that it left alone, however often it comes.
func TestText_RemembersOnlyCleanTexts(t *testing.T) {
	red := testRedactor(t)
	secret, clean := "client_secret=hunter2hunter2", "client_secret is missing"
	for range 4 {
		w := &walk{Redactor: red}
		if got := w.text(secret); strings.Contains(got, "hunter2") {
			t.Errorf("got %q", got)
		}
		if got := w.text(clean); got != clean {
			t.Errorf("got %q", got)
		}
	}
	if _, known := red.clean.find(secret); known != nil {
		t.Error("the secret is remembered")
	}
	if _, known := red.clean.find(clean); known == nil {
		t.Error("the clean text is not remembered")
	}
}
