package ingest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// byTokens is what parseValue has to agree with: the same value read by encoding/json's tokens.
func byTokens(data []byte) (any, bool) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return tokenValue(dec)
}

func tokenValue(dec *json.Decoder) (any, bool) {
	token, err := dec.Token()
	if err != nil {
		return nil, false
	}
	switch t := token.(type) {
	case json.Delim:
		var value any
		var ok bool
		switch t {
		case '{':
			value, ok = tokenObject(dec)
		case '[':
			value, ok = tokenArray(dec)
		}
		if !ok {
			return nil, false
		}
		_, err := dec.Token()
		return value, err == nil
	case string:
		return cleanText(t), true
	}
	return token, true
}

func tokenObject(dec *json.Decoder) (any, bool) {
	out := map[string]any{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, false
		}
		value, ok := tokenValue(dec)
		if !ok {
			return nil, false
		}
		key := cleanText(name.(string))
		if _, twice := out[key]; !twice {
			out[key] = value
		}
	}
	return out, true
}

func tokenArray(dec *json.Decoder) (any, bool) {
	out := []any{}
	for dec.More() {
		value, ok := tokenValue(dec)
		if !ok {
			return nil, false
		}
		out = append(out, value)
	}
	return out, true
}

func valueSeeds() []string {
	return []string{
		`{"a":1,"a":2,"A":3}`, ` { "x" : [ true , false , null , -0.5e+10, 12345678901234567890 ] } `, `"é\u00e9\ud83d\ude00\ud800 \n\/\""`,
		"\"\xff\xfe ok \xc3\"", `"\u0000"`, `[]`, `{}`, `[[],{}]`, `""`, `{"":""}`, `1`, `-1`, `null`,
		`{"a":1,}`, `[1,]`, `[,1]`, `{,}`, `{"a" 1}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`, `[1 2]`, `01`, `1.`, `.5`, `-`, `+1`, `1e`, `tru`, `nulll`,
		`"\x"`, `"\u12"`, "\"\n\"", "\"\x00\"", `"open`, `"open\`, `{`, `[`, `{"a"`, `{"a":`, `[1`, `}`, `]`, ``, ` `, `truefalse`, `"a""b"`, `1 2`, `{"a":1}}`,
		`{"a":{"b":[{"c":"d"}]}}`, "\ufeff{}", `[1]x`, `'a'`, `NaN`, `{"a":1}{"b":2}`,
	}
}

// One decoder must not take what the other refuses: a record that the standard library cannot read is no record.
func TestParseValue_AgreesWithEncodingJSON(t *testing.T) {
	for _, text := range valueSeeds() {
		checkParse(t, []byte(text))
	}
}

func checkParse(t *testing.T, data []byte) {
	t.Helper()
	data = append(append([]byte{'['}, data...), ']') // so that a number has an end: 01 alone is 0 with something behind it
	want, valid := byTokens(data)
	got, f := parseValue(data)
	if f != nil && f.code != "not_json" {
		return // a limit, which byTokens does not have
	}
	if valid != (f == nil) {
		t.Errorf("%q: taken %v, encoding/json takes it: %v", data, f == nil, valid)
		return
	}
	if valid && !reflect.DeepEqual(got, want) {
		t.Errorf("%q: %#v, want %#v", data, got, want)
	}
}

func TestParseValue_Limits(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	wide := func(n int) string { return "{" + strings.TrimSuffix(strings.Repeat(`"a":1,`, n), ",") + "}" }
	for _, tt := range []struct{ text, code string }{
		{deep(maxDepth), ""}, {deep(maxDepth + 1), "too_deep"}, {wide(maxMembers), ""}, {wide(maxMembers + 1), "too_many_members"},
	} {
		_, f := parseValue([]byte(tt.text))
		if (f == nil) != (tt.code == "") || f != nil && f.code != tt.code {
			t.Errorf("%.20s…: %+v, want %q", tt.text, f, tt.code)
		}
	}
}

func FuzzParseValue(f *testing.F) {
	for _, text := range valueSeeds() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkParse(t, data) })
}

// checkTime holds what is read by hand to time.Parse.
func checkTime(t *testing.T, text string) {
	t.Helper()
	at, ok := utcTime(text)
	want, err := time.Parse(time.RFC3339Nano, text)
	if ok && (err != nil || !at.Equal(want) || at.Location() != time.UTC) {
		t.Errorf("%q: %s, want %s (%v)", text, at, want, err)
	}
}

func TestUTCTime_AgreesWithParsing(t *testing.T) {
	for _, text := range []string{
		"2026-11-22T02:19:00Z", "2026-11-22T02:19:00.1Z", "2026-11-22T02:19:00.123456789Z", "2024-02-29T23:59:59.000Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
	} {
		if _, ok := utcTime(text); !ok {
			t.Errorf("%q is not read by hand", text)
		}
		for i := range text {
			for _, c := range "0159:.-TtZz+ " {
				checkTime(t, text[:i]+string(c)+text[i+1:])
				checkTime(t, text[:i]+string(c)+text[i:])
			}
			checkTime(t, text[:i]+text[i+1:])
		}
	}
	for _, text := range []string{"2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T23:59:60Z", "2026-11-22T02:19:00.Z", "0000-01-01T00:00:00Z", "2026-11-22T02:19:00.1234567890Z"} {
		if at, ok := utcTime(text); ok {
			t.Errorf("%q is taken for %s", text, at)
		}
	}
}

func FuzzUTCTime(f *testing.F) {
	f.Add("2026-11-22T02:19:00.123Z")
	f.Fuzz(checkTime)
}
