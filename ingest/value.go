package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode/utf8"
)

// A fault is why a value was not taken: a code of the closed set in RecordError and a sentence. It never quotes the value.
type fault struct {
	pointer string
	code    string
	detail  string
}

// parseValue turns JSON into maps, slices, strings, json.Number, bool and nil. Member names are exact and of a name
// that occurs twice the first counts, because a later duplicate must not be able to override what a verifier read.
// data must be one valid JSON value.
func parseValue(data []byte) (any, *fault) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return parseNext(dec, 0)
}

func parseNext(dec *json.Decoder, depth int) (any, *fault) {
	token, err := dec.Token()
	if err != nil {
		return nil, notJSON()
	}
	switch t := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return nil, &fault{code: "too_deep", detail: fmt.Sprintf("the record is nested more than %d levels deep", maxDepth)}
		}
		if t == '{' {
			return parseObject(dec, depth+1)
		}
		return parseArray(dec, depth+1)
	case string:
		return cleanText(t), nil
	default:
		return t, nil
	}
}

func parseObject(dec *json.Decoder, depth int) (any, *fault) {
	out := map[string]any{}
	for members := 0; dec.More(); members++ {
		if members == maxMembers {
			return nil, &fault{code: "too_many_members", detail: fmt.Sprintf("an object of the record has more than %d members", maxMembers)}
		}
		name, err := dec.Token()
		if err != nil {
			return nil, notJSON()
		}
		value, f := parseNext(dec, depth)
		if f != nil {
			return nil, f
		}
		key := cleanText(name.(string))
		if _, twice := out[key]; !twice {
			out[key] = value
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, notJSON()
	}
	return out, nil
}

func parseArray(dec *json.Decoder, depth int) (any, *fault) {
	out := []any{}
	for dec.More() {
		value, f := parseNext(dec, depth)
		if f != nil {
			return nil, f
		}
		out = append(out, value)
	}
	if _, err := dec.Token(); err != nil {
		return nil, notJSON()
	}
	return out, nil
}

func notJSON() *fault {
	return &fault{code: "not_json", detail: "the record is not valid JSON; one JSON object is expected"}
}

// cleanText replaces what not every database and terminal can hold: invalid UTF-8 and NUL, which PostgreSQL refuses in text.
func cleanText(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return s
}

// writeCanonical writes v with sorted member names and every digit of its numbers, so that one record has one
// fingerprint in whatever layout it is delivered.
func writeCanonical(w io.Writer, v any) {
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		sort.Strings(names)
		io.WriteString(w, "{")
		for i, name := range names {
			if i > 0 {
				io.WriteString(w, ",")
			}
			writeCanonical(w, name)
			io.WriteString(w, ":")
			writeCanonical(w, v[name])
		}
		io.WriteString(w, "}")
	case []any:
		io.WriteString(w, "[")
		for i, e := range v {
			if i > 0 {
				io.WriteString(w, ",")
			}
			writeCanonical(w, e)
		}
		io.WriteString(w, "]")
	case json.Number:
		io.WriteString(w, v.String())
	default:
		// Strings, booleans and null always marshal.
		text, _ := json.Marshal(v)
		w.Write(text)
	}
}

func jsonType(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
