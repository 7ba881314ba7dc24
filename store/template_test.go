package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// joinAgain cuts texts and joins them.
func joinAgain(t testing.TB, base time.Time, list ...string) (words int) {
	t.Helper()
	c := newCutter()
	c.reset(base)
	var templates []string
	for _, text := range list {
		if strings.Contains(text, "\x00") {
			return 0
		}
		begin, from := len(c.template), len(c.text)
		c.text = append(c.text, text...)
		c.takeApart(from)
		templates = append(templates, string(c.template[begin:]))
	}
	j := joiner{base: base, words: c.words}
	for i, template := range templates {
		got, err := j.join(template)
		if err != nil || string(got) != list[i] {
			t.Fatalf("got %q, %v; want %q (template %q)", got, err, list[i], template)
		}
	}
	if len(j.words) > 0 {
		t.Fatalf("%d bytes of words are left of %q", len(j.words), list)
	}
	return len(c.words)
}

func TestTemplate(t *testing.T) {
	base := noon()
	for _, tt := range []struct {
		text  string
		words int
	}{
		{"", 0},
		{"no word with a digit", 0},
		{`"exp":1773490000,"n":7,"m":95,"z":96`, 3 + 1 + 1 + 2},
		{"00 007 0 -1 1e9 18446744073709551615 999999999999999999", 0},
		{"8fbfae43-d1ed-43ff-a1de-9916c3ced21f", 17},
		{"8FBFAE43-D1ED-43FF-A1DE-9916C3CED21F 8fbfae43-d1ed-43ff-a1de-9916c3ced21g 8fbfae43-d1ed043ff-a1de-9916c3ced21f", 3 * 38},
		{"b1c6df6b32f3cd72d4acce651eb1b2d1 b1c6df6b32f3cd72d4acce651eb1b2d1", 18 + 1},
		{"deadbeef dead0beef", 11},
		{`"2026-03-14T12:00:01.500Z"`, 3},
		{"2026-03-14T12:00:01Z 2026-02-30T12:00:01.500Z", 0},
		{"Sat, 14 Mar 2026 12:00:05 GMT", 2},
		{"Sun, 14 Mar 2026 12:00:05 GMT", 0},
		{"Sat, 14 Mar 2026 12:00:05 GMT Sat, 14 Mar 2026 12:00:06 GMT", 2 + 2},
		{"2026-03-14T12:00:01.500Z 2026-03-14T12:00:02.000Z 2026-03-14T12:00:01.500Z", 3 + 3 + 3},
		{"2026-03-14T12:00:01.500Z 2026-03-14T24:00:00.000Z 2026-03-14T12:60:00.000Z 2026-03-14T12-00:00.000Z 2026-03-14T12:00:00,000Z 2026-03-14T12:0a:00.000Z 2026-03-14T12:00:00.0:0Z", 0},
		{"Sat, 14 Mar 2026 12:00:05 GMT Sat, 14 Mar 2026 25:00:05 GMT Sat, 14 Mar 2026 12:00:05 CET Sat, 14 Mar 2026 12:00:60 GMT", 0},
		{"client-a-2196 é8 client-a-2196", 15 + 1 + 1},
		{"\xff1\xfe", 1},
	} {
		if words := joinAgain(t, base, tt.text); tt.words > 0 && words != tt.words {
			t.Errorf("%q: %d bytes of words, want %d", tt.text, words, tt.words)
		}
	}
	var many strings.Builder
	for range 2 {
		for i := range 300 {
			fmt.Fprintf(&many, "word-%d ", i)
		}
	}
	joinAgain(t, base, many.String(), many.String())
	joinAgain(t, time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC), "2026-03-14T12:00:01.500Z 1773490000 Sat, 14 Mar 2026 12:00:05 GMT")
}

// TestTemplates_Wanted: while there are few templates each text gets one at once, later only what came before; and one that was
// not used for a day is marked again before a failure names it.
func TestTemplates_Wanted(t *testing.T) {
	all := newTemplates()
	wants := func(text string, today int64, found, wanted bool) {
		t.Helper()
		if got := all.find([]byte(text), today) != nil; got != found {
			t.Errorf("%s found: %v", text, got)
		}
		if _, got := all.take()[text]; got != wanted {
			t.Errorf("%s wanted: %v", text, got)
		}
	}
	wants("first", 100, false, true)
	all.remember("first", &template{id: 1, day: 100})
	wants("first", 100, true, false)
	wants("first", 101, true, true)
	wants("first", 102, false, true)
	all.remember("first", &template{id: 1, day: 102})
	wants("first", 102, true, false)
	for i := range templatesAtOnce {
		all.remember(fmt.Sprint("text ", i), &template{id: int64(i + 2), day: 100})
	}
	wants("rare", 100, false, false)
	wants("rare", 100, false, true)
	wants(strings.Repeat("long", templateText), 100, false, false)
	for i := range 2 * maxTemplates {
		all.remember(fmt.Sprint("another text ", i), &template{id: int64(1e6 + i), day: 100})
	}
	if len(all.known) > 2*maxTemplates {
		t.Errorf("%d templates are known", len(all.known))
	}
	for i := range int64(templateMemory / templateText) {
		all.keepText(i, strings.Repeat("x", templateText))
	}
	if all.bytes > templateMemory || all.text(1) != "" {
		t.Errorf("%d bytes are remembered", all.bytes)
	}
}

// TestTemplates_Found: a text that is known is found by no memory of its own, and stays as it is.
func TestTemplates_Found(t *testing.T) {
	all := newTemplates()
	all.remember("known", &template{id: 1, day: 100})
	text := append(make([]byte, 0, 64), "known"...)
	if n := testing.AllocsPerRun(100, func() {
		if one := all.find(text, 100); one == nil || string(text) != "known" {
			t.Fatalf("%q: %v", text, one)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestTemplates_FIPS140: where Go allows nothing else, templates are found all the same. It is so from the start of a process or not at all.
func TestTemplates_FIPS140(t *testing.T) {
	test := exec.Command(os.Args[0], "-test.run", "^TestTemplates_(Found|Wanted)$", "-test.v")
	test.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := test.CombinedOutput()
	if err != nil || strings.Count(string(out), "--- PASS") != 2 {
		t.Errorf("%v: %s", err, out)
	}
}

// FuzzTemplate: whatever the text, what is joined is what was cut; and damaged words are an error, never a panic.
func FuzzTemplate(f *testing.F) {
	f.Add("Sat, 14 Mar 2026 12:00:05 GMT", "b1c6df6b32f3cd72 2026-03-14T12:00:01.500Z", []byte{wordHex, 200})
	f.Fuzz(func(t *testing.T, a, b string, words []byte) {
		joinAgain(t, noon(), a, b, a)
		j := joiner{base: noon(), words: words}
		_, _ = j.join("\x00 \x00 \x00")
	})
}

func BenchmarkCut(b *testing.B) {
	text := strings.Repeat(`{"check":"issuer","result":"pass","path":"access_token.claims.iss","detail":"iss is https://id.staging.harborline.test/"},"exp":1795136428,`, 30)
	c := newCutter()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		c.reset(noon())
		c.text = append(c.text, text...)
		c.takeApart(0)
	}
}

// TestTemplates_RolledBack: templates that were never committed leave their room to others, of which a full disk would else take all for a day.
func TestTemplates_RolledBack(t *testing.T) {
	w := openWorld(t, engines(t)[0])
	put := func(text string, end error) {
		t.Helper()
		err := w.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
			_, err := tx.putTemplate(ctx, text, 1)
			return errors.Join(err, end)
		})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
	}
	put("a", nil)
	put("b", ErrInvalid)
	put("c", nil)
	w.write(t, func(_ context.Context, tx *Tx) error {
		equal(t, "room", tx.room, maxTemplates-2)
		return nil
	})
}
