package ingest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
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
