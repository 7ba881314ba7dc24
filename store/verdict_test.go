package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

// anyVerdict fills every field of every kind by reflection, so that one that is added to classify is not forgotten here.
func anyVerdict(random *rand.Rand) classify.Verdict {
	var v classify.Verdict
	fillAny(random, reflect.ValueOf(&v).Elem())
	return v
}

func fillAny(random *rand.Rand, v reflect.Value) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(noon().Add(time.Duration(random.Int64N(1e18)))))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillAny(random, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fillAny(random, v.Field(i))
		}
	case reflect.Slice:
		v.SetZero()
		if n := random.IntN(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
		}
		for i := range v.Len() {
			fillAny(random, v.Index(i))
		}
	case reflect.String:
		v.SetString(hostileText(random))
	case reflect.Bool:
		v.SetBool(random.IntN(2) == 0)
	case reflect.Interface:
		values := []any{nil, "", hostileText(random), json.Number("12345678901234567890"), json.Number("1e400"), true, 1.5, []any{"a", nil}, map[string]any{"<b>": json.Number("0.10")}}
		if one := values[random.IntN(len(values))]; one != nil {
			v.Set(reflect.ValueOf(one))
		}
	default:
		panic(fmt.Sprintf("a verdict has a field of kind %s, which this test cannot fill", v.Kind()))
	}
}

func hostileText(random *rand.Rand) string {
	parts := []string{"", "aud", "<b>&\u2028", "\"\\", "\x00\x1f\x7f", "\xff\xc3", "é\U0001f600", "2026-03-14T12:00:01.500Z", "8fbfae43-d1ed-43ff-a1de-9916c3ced21f", " 0017 18 ", "deadbeef00", "\n"}
	text := ""
	for range random.IntN(4) {
		text += parts[random.IntN(len(parts))]
	}
	return text
}

func readVerdict(t *testing.T, text []byte) (v classify.Verdict) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return v
}

// TestVerdict_Written: what is read back is what encoding/json would have kept.
func TestVerdict_Written(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var w verdictWriter
	for range 2000 {
		v := anyVerdict(random)
		ours, err := w.write([]byte("before"), &v, nil)
		if err != nil {
			t.Fatal(err)
		}
		v.ID, v.Time = "", time.Time{}
		theirs, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := readVerdict(t, ours[len("before"):]), readVerdict(t, theirs); !reflect.DeepEqual(got, want) {
			t.Fatalf("\n got %+v\nwant %+v", got, want)
		}
	}
	if _, err := w.write(nil, &classify.Verdict{Evidence: []classify.Evidence{{Observed: func() {}}}}, nil); err == nil {
		t.Error("what cannot be written was")
	}
}

// changeOne fills one of the values in v again, which is chosen at random. A check that it changes is another one then.
func changeOne(random *rand.Rand, v reflect.Value) {
	for {
		switch {
		case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
			v = v.Field(random.IntN(v.NumField()))
			continue
		case v.Kind() == reflect.Slice && v.Len() > 0 && random.IntN(4) > 0:
			v = v.Index(random.IntN(v.Len()))
			continue
		case v.Kind() == reflect.Pointer && random.IntN(2) > 0:
			changed := reflect.New(v.Type().Elem())
			changed.Elem().Set(v.Elem())
			v.Set(changed)
			v = changed.Elem()
			continue
		}
		fillAny(random, v)
		return
	}
}

// TestVerdict_Brief: a verdict in brief is cut into the words of the whole one, and verdicts with one template in brief have one as a whole, also
// those that differ in one value only, share checks and lists, or whose lists were changed in their place.
func TestVerdict_Brief(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	var w verdictWriter
	c, parts := newCutter(), newVerdictParts()
	templates, again, forgotten := map[string]string{}, 0, 0
	cut := func(v *classify.Verdict, parts *verdictParts) (template, words string) {
		text, err := w.write(nil, v, parts)
		if err != nil {
			t.Fatal(err)
		}
		c.reset(noon())
		c.text = append(c.text, text...)
		c.takeApart(0)
		return string(c.template), string(c.words)
	}
	for range 3000 {
		v := anyVerdict(random)
		for range 8 {
			numbers := len(parts.numbers)
			if parts.makeRoom(); len(parts.numbers) < numbers {
				clear(templates)
				forgotten++
			}
			shape, brief := cut(&v, parts)
			whole, words := cut(&v, nil)
			if brief != words {
				t.Fatalf("cut in another way: %q, want %q", brief, words)
			}
			if known := templates[shape]; known == whole {
				again++
			} else if known != "" {
				t.Fatalf("%q is\n%q and\n%q", shape, known, whole)
			}
			templates[shape] = whole
			parts.keepForm([]byte(shape), &template{})
			changeOne(random, reflect.ValueOf(&v).Elem())
		}
	}
	if again < 1000 || forgotten == 0 || len(parts.checks) > mostChecks+10 || len(parts.lists) > mostLists+10 {
		t.Errorf("%d verdicts in a form that came before, forgotten %d times, %d checks, %d lists", again, forgotten, len(parts.checks), len(parts.lists))
	}
}

// TestVerdict_BriefParts: what was cut before is written in few bytes, and what is too long in its own words.
func TestVerdict_BriefParts(t *testing.T) {
	var w verdictWriter
	parts := newVerdictParts()
	steps := []string{"Run date -u.", "Wait 5 s."}
	for i, tt := range []struct {
		detail string
		want   string
	}{
		{"exp was 35 min ahead", "\x01\x80\x80\x8035],"}, {"exp was 36 min ahead", "\x01\x80\x80\x8036],"}, {"exp was RS256 min ahead", "\x01\x80\x80\x80RS256],"},
		{"no digit", "\x01\x82\x80\x80],"}, {"exp was 2026-03-14T12:00:01.500Zx 7", "\x01\x83\x80\x802026-03-14T12:00:01.500Z,7],"},
		{strings.Repeat("long", 2000), `{"check":"expiry","result":"","detail":"` + strings.Repeat("long", 2000) + `"}],`},
	} {
		c := &classify.Check{Check: "expiry", Detail: tt.detail}
		for range 2 {
			text, err := w.write(nil, &classify.Verdict{Checks: []*classify.Check{c}, Fix: classify.Fix{Steps: steps}}, parts)
			if err != nil {
				t.Fatal(err)
			}
			begin, want := `{"phase":"","cause":"","confidence":"","fault":"","summary":"","evidence":null,"checks":[`, tt.want+`"alternatives":null,"fix":{"verified":false,"steps":`
			if got := string(text); !strings.HasPrefix(got, begin+want) || !strings.HasSuffix(got, "\x01\x81\x80\x805}}") {
				t.Errorf("%d: %q, want %q", i, got, begin+want)
			}
		}
	}
}

// TestPack: whatever a failure holds, what is unpacked is what was packed, by templates and whole.
func TestPack(t *testing.T) {
	w := openWorld(t, engines(t)[0])
	random := rand.New(rand.NewPCG(5, 6))
	forms := map[byte]int{}
	for range 400 {
		f := fail(random.IntN(1e6))
		at := f.Verdict.Time
		if random.IntN(2) == 0 {
			f.Verdict = anyVerdict(random)
			f.Verdict.Time = at.Add(time.Duration(random.IntN(1000)) * time.Millisecond)
		}
		for _, text := range f.head() {
			if random.IntN(3) == 0 {
				*text = hostileText(random)
			}
		}
		f.ReceivedAt = at.Add(time.Duration(random.IntN(7)-2) * 20 * time.Hour)
		if random.IntN(3) > 0 {
			f.Record, _ = json.Marshal(map[string]any{"a": hostileText(random), "b": random.IntN(1e9)})
		}
		for range 3 { // the second time a template may have been written, the third it must have been
			list := []Failure{f}
			if err := w.Pack(list); err != nil {
				t.Fatal(err)
			}
			packed := list[0]
			packed.setID(idAt(toMillis(packed.Verdict.Time)) + 5)
			forms[packed.body[0]]++
			row := Failure{id: packed.id, Status: packed.Status, body: packed.body}
			if err := w.templates.unpack(t.Context(), w.readers, &row, newVerdictReader()); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(packed.Verdict)
			if err != nil {
				t.Fatal(err)
			}
			packed.Verdict, packed.body = readVerdict(t, text), nil
			if !reflect.DeepEqual(row, packed) {
				t.Fatalf("\n got %+v\nwant %+v", row, packed)
			}
			w.writeWanted(t)
		}
	}
	if forms[packedWhole] == 0 || forms[packedWords] < 100 {
		t.Errorf("forms: %v", forms)
	}
}

// TestPack_Plain: a byte that is to be cleaned is found wherever it is.
func TestPack_Plain(t *testing.T) {
	for length := range 80 {
		text := bytes.Repeat([]byte("a"), length)
		if !isPlainText(text) {
			t.Errorf("%q is not plain", text)
		}
		for i := range text {
			for _, b := range []byte{0, 0x80, 0xff} {
				if text[i] = b; isPlainText(text) {
					t.Errorf("%q is plain", text)
				}
			}
			text[i] = 'a'
		}
	}
}

// TestPack_Together: what is packed at once is kept apart, and cleaned.
func TestPack_Together(t *testing.T) {
	w := openWorld(t, engines(t)[0])
	for range 2 { // the second time by templates
		list := make([]Failure, 500)
		for i := range list {
			list[i] = fail(i)
			list[i].Record, list[i].Service = fmt.Appendf(nil, "[%d,\"\xff%s\"]", i, strings.Repeat("x", i)), "a\x00b"
		}
		if err := w.Pack(list); err != nil {
			t.Fatal(err)
		}
		for i := range list {
			row := Failure{id: idAt(toMillis(list[i].Verdict.Time)), body: list[i].body}
			if err := w.templates.unpack(t.Context(), w.readers, &row, newVerdictReader()); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("[%d,\"\uFFFD%s\"]", i, strings.Repeat("x", i))
			if string(row.Record) != want || row.Service != "a\uFFFDb" || row.Service != list[i].Service || string(list[i].Record) != want {
				t.Fatalf("%d: %s of %q, want %s", i, row.Record, row.Service, want)
			}
		}
		w.writeWanted(t)
	}
}

// TestPack_Days: a verdict that came before names its template only as long as retention leaves it alone.
func TestPack_Days(t *testing.T) {
	all, now := newTemplates(), noon()
	pack := func(days int, want byte) {
		t.Helper()
		f := fail(0)
		if err := all.pack(&f, now.AddDate(0, 0, days)); err != nil {
			t.Fatal(err)
		}
		if got := f.body[0]; got != want {
			t.Errorf("packed in form %d after %d days, want %d", got, days, want)
		}
	}
	pack(0, packedWhole)
	for text, day := range all.take() {
		all.remember(text, &template{id: int64(len(all.known) + 1), day: day})
	}
	pack(0, packedWords)
	pack(0, packedWords)
	pack(1, packedWords)
	pack(2, packedWhole)
	if len(all.take()) != 2 {
		t.Error("the templates are not asked for again")
	}
}

// writeWanted has the templates written that were asked for, and remembered.
func (w *world) writeWanted(t *testing.T) {
	t.Helper()
	for range 2 {
		w.write(t, func(context.Context, *Tx) error { return nil })
	}
}
