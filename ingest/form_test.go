package ingest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"authwatch/classify"
)

// formed is an ingester that knows the form of a record's line.
func formed(t *testing.T, i *Ingester, raw []byte) *batch {
	t.Helper()
	b := learnt(i, raw)
	if f, length := i.forms.find(raw); f == nil || length != len(raw) {
		t.Fatalf("%s: has no form", raw)
	}
	return b
}

// learnt has read a record twice.
func learnt(i *Ingester, raw []byte) *batch {
	i.forgetSuccesses()
	i.facts = fewSlots[KnownFact]()
	b := &batch{source: "s", redactor: i.redactor, at: testNow(), equals: newEquals()}
	for range 2 {
		quickly(i, b, raw)
	}
	return b
}

// checkForm holds a line that is taken for one of a known form to what the whole way makes of it.
func checkForm(t *testing.T, i *Ingester, b *batch, line []byte) (taken bool) {
	t.Helper()
	if f, _ := i.forms.find(line); f == nil {
		return false
	}
	var o outline
	if length, ok := scanObject(line, &o); !ok || length != len(bytes.TrimRight(line, "\n")) && line[length] != '\n' || !o.isPlainSuccess(line[:length]) {
		t.Errorf("%q is taken for a line like one that is known", line)
		return true
	}
	b.noted = nil
	i.facts = fewSlots[KnownFact]()
	for n := range i.forms.slots { // as though history knew nothing yet
		if f := i.forms.slots[n].Load(); f != nil {
			for k, known := range f.call.facts {
				said := known.At(testNow())
				f.call.facts[k] = i.knownFact(&said)
			}
		}
	}
	return checkQuickIn(t, i, b, line)
}

// formSeeds are calls on a line, as they have forms.
func formSeeds() [][]byte {
	return [][]byte{[]byte(benchRecord), []byte(strings.ReplaceAll(apiCall(1, "7f3c1e", 200, "j", second(100)), "\n", " "))}
}

// A line with any one byte changed is either none of the form or means what the whole way reads in it.
func TestCallForm_AnyByte(t *testing.T) {
	i := quickIngester(t)
	for _, raw := range formSeeds() {
		b := formed(t, i, raw)
		taken := 0
		for at := range raw {
			for _, c := range []byte{'"', '\\', '\n', 0x01, 0x7f, 0x80, 'x', 'e', '7', '0', '/', '.', ' ', '%'} {
				line := bytes.Clone(raw)
				line[at] = c
				if checkForm(t, i, b, line) {
					taken++
				}
			}
		}
		if taken < 100 {
			t.Errorf("%s: only %d others have its form", raw, taken)
		}
	}
}

// What differs from one call to the next is no matter; a number that a profile names is, and so is a token in a URL.
func TestCallForm_Blanks(t *testing.T) {
	i := quickIngester(t)
	i.alike = classify.NewAlike(classify.Profiles{{Scopes: []classify.ScopeRule{{Method: "GET", Path: "/api/shipments/10001"}}}})
	raw := []byte(benchRecord)
	b := formed(t, i, raw)
	for old, tt := range map[string]struct {
		now   string
		taken bool
	}{
		"/55812":  {"/99999", true},
		`/55812"`: {`/10001"`, false},
		"55812":   {"5581x", false},
		`"GET"`:   {`"PUT"`, false},
		".074Z":   {".999Z", true},
	} {
		line := bytes.Replace(raw, []byte(old), []byte(tt.now), 1)
		if bytes.Equal(line, raw) {
			t.Fatalf("%s is not in %s", old, raw)
		}
		f, _ := i.forms.find(line)
		taken := f != nil && f.callTo(f.outline.url.inner(line), i.alike) != nil
		if _, ok := quickly(i, b, line); taken != tt.taken || taken && !ok {
			t.Errorf("%s for %s: taken %v, want %v", tt.now, old, taken, tt.taken)
		}
	}
}

// Lines of a call that never have the same bytes do not fill the memory of forms.
func TestCallForm_NeverTheSame(t *testing.T) {
	i := quickIngester(t)
	b := batch{source: "s", redactor: i.redactor, at: testNow(), equals: newEquals()}
	for n := range 100 {
		line := strings.Replace(benchRecord, `"time":`, fmt.Sprintf(`"n":%d,"time":`, n), 1)
		if _, ok := quickly(i, &b, []byte(line)); !ok {
			t.Fatal("not read quickly")
		}
	}
	forms := 0
	for n := range i.forms.slots {
		if i.forms.slots[n].Load() != nil {
			forms++
		}
	}
	if forms == 0 || forms > formsOfCall {
		t.Errorf("%d forms", forms)
	}
}

// Only a whole line has a form: neither the element of an array nor one of several objects in a line.
func TestCallForm_WholeLines(t *testing.T) {
	for body, want := range map[string]int{
		"%s\n%s\n%s\n%s": 2, "%s\n\n%s\n %s\n%s\n": 2, "[%s,%s,%s,%s]": 0, "[\n%s\n,%s\n,%s\n,%s\n]": 0, "%s %s %s %s": 0, "%s\r\n%s\r\n%s\r\n%s\r\n": 0,
	} {
		i := quickIngester(t)
		b := batch{source: "s", redactor: i.redactor, at: testNow(), equals: newEquals()}
		s := newSplitter([]byte(strings.ReplaceAll(body, "%s", benchRecord)))
		s.forms = i.forms
		got, records := 0, 0
		for p, more := s.next(); more; p, more = s.next() {
			records++
			if string(p.raw) != benchRecord {
				t.Errorf("%q: %q", body, p.raw)
			}
			if p.form != nil {
				got++
				continue
			}
			i.quickSuccess(&b, p)
		}
		if got != want || records != 4 {
			t.Errorf("%q: %d of %d have a form, want %d", body, got, records, want)
		}
	}
}

func FuzzCallForm(f *testing.F) {
	for _, raw := range formSeeds() {
		f.Add(raw, raw)
		f.Add(raw, bytes.Replace(raw, []byte("7f3c1e"), []byte("0d4d8b"), 1))
	}
	i := quickIngester(f)
	f.Fuzz(func(t *testing.T, raw, other []byte) {
		checkForm(t, i, learnt(i, raw), other)
	})
}
