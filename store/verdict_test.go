package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
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

// TestVerdict_Written: what is read back is what encoding/json would have kept, also of checks that were written before; and what is
// known to hold no digit makes no difference where a text is cut.
func TestVerdict_Written(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	w, whole, parts := newVerdictWriter(), newCutter(), newCutter()
	var before []*classify.Check
	plain := 0
	for range 2000 {
		v := anyVerdict(random)
		if len(before) > 0 {
			v.Checks = slices.Insert(v.Checks, random.IntN(len(v.Checks)+1), before...)
		}
		before = v.Checks[:min(len(v.Checks), 3)]
		ours, err := w.write(&v)
		if err != nil {
			t.Fatal(err)
		}
		plain += len(w.plain)
		whole.reset(v.Time)
		parts.reset(v.Time)
		whole.text, parts.text = append(whole.text, ours...), append(parts.text, ours...)
		whole.takeApart(0, len(ours))
		parts.takeApartBut(0, w.plain)
		if !bytes.Equal(whole.template, parts.template) || !bytes.Equal(whole.words, parts.words) {
			t.Fatalf("cut in another way: %s", ours)
		}
		v.ID, v.Time = "", time.Time{}
		theirs, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := readVerdict(t, ours), readVerdict(t, theirs); !reflect.DeepEqual(got, want) {
			t.Fatalf("\n got %+v\nwant %+v", got, want)
		}
	}
	if plain < 100 || len(w.checks) > mostChecks {
		t.Errorf("%d stretches without a digit, %d checks are remembered", plain, len(w.checks))
	}
	if _, err := w.write(&classify.Verdict{Evidence: []classify.Evidence{{Observed: func() {}}}}); err == nil {
		t.Error("what cannot be written was")
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

// writeWanted waits until the templates that were asked for are written.
func (w *world) writeWanted(t *testing.T) {
	t.Helper()
	if err := w.learnTemplates(t.Context()); err != nil {
		t.Fatal(err)
	}
}
