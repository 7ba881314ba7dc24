package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A fault is why a value was not taken: a code of the closed set in RecordError and a sentence. It never quotes the value.
type fault struct {
	pointer string
	code    string
	detail  string
}

// Error makes a fault an error, for what does not know yet whether it costs a record or the body.
func (f *fault) Error() string { return f.detail }

// parseValue turns the JSON value at the start of data into maps, slices, strings, json.Number, bool and nil. Member names
// are exact and of a name that occurs twice the first counts, because a later duplicate must not be able to override what
// a verifier read.
func parseValue(data []byte) (any, *fault) {
	p := parser{data: data, text: string(data)}
	return p.value(0)
}

// A parser reads one JSON value (RFC 8259). Reading by json.Decoder's tokens does the same and costs ten times as much,
// half of it in errors that it makes and swallows at every colon and comma.
type parser struct {
	data []byte
	text string // the same: what needs no decoding is a part of it
	pos  int
}

// next returns the next byte that is no white space, without consuming it; 0 at the end.
func (p *parser) next() byte {
	for ; p.pos < len(p.data); p.pos++ {
		switch c := p.data[p.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// take consumes the next byte if it is c.
func (p *parser) take(c byte) bool {
	if p.next() != c {
		return false
	}
	p.pos++
	return true
}

func (p *parser) value(depth int) (any, *fault) {
	switch c := p.next(); c {
	case '{', '[':
		if depth == maxDepth {
			return nil, &fault{code: "too_deep", detail: fmt.Sprintf("the record is nested more than %d levels deep", maxDepth)}
		}
		p.pos++
		if c == '{' {
			return p.object(depth + 1)
		}
		return p.array(depth + 1)
	case '"':
		return p.string()
	case 't':
		return true, p.literal("true")
	case 'f':
		return false, p.literal("false")
	case 'n':
		return nil, p.literal("null")
	}
	return p.number()
}

func (p *parser) object(depth int) (any, *fault) {
	out := map[string]any{}
	for members := 0; !p.take('}'); members++ {
		if members > 0 && !p.take(',') {
			return nil, notJSON()
		}
		if members == maxMembers {
			return nil, &fault{code: "too_many_members", detail: fmt.Sprintf("an object of the record has more than %d members", maxMembers)}
		}
		if p.next() != '"' {
			return nil, notJSON()
		}
		name, f := p.string()
		if f != nil {
			return nil, f
		}
		if !p.take(':') {
			return nil, notJSON()
		}
		value, f := p.value(depth)
		if f != nil {
			return nil, f
		}
		if _, twice := out[name]; !twice {
			out[name] = value
		}
	}
	return out, nil
}

func (p *parser) array(depth int) (any, *fault) {
	out := []any{}
	for !p.take(']') {
		if len(out) > 0 && !p.take(',') {
			return nil, notJSON()
		}
		value, f := p.value(depth)
		if f != nil {
			return nil, f
		}
		out = append(out, value)
	}
	return out, nil
}

// string reads a string by the scanner's rules.
func (p *parser) string() (string, *fault) {
	s := scanner{data: p.data, pos: p.pos}
	plain, ok := s.string()
	if !ok {
		return "", notJSON()
	}
	text := p.text[p.pos+1 : s.pos-1]
	p.pos = s.pos
	if !plain {
		text = decodeText(text)
	}
	return text, nil
}

// decodeText is what a string holds whose grammar has been checked.
func decodeText(s string) string {
	if strings.IndexByte(s, '\\') < 0 && utf8.ValidString(s) {
		return s
	}
	return cleanText(unescape(s))
}

func (p *parser) literal(word string) *fault {
	if !bytes.HasPrefix(p.data[p.pos:], []byte(word)) {
		return notJSON()
	}
	p.pos += len(word)
	return nil
}

func (p *parser) number() (any, *fault) {
	s := scanner{data: p.data, pos: p.pos}
	if !s.number() {
		return nil, notJSON()
	}
	text := p.text[p.pos:s.pos]
	p.pos = s.pos
	return json.Number(text), nil
}

// unescape undoes the escapes of a string whose grammar has been checked. Half of a surrogate pair is no character, nor is
// a byte that is no UTF-8.
func unescape(s string) string {
	return string(appendUnescaped(make([]byte, 0, len(s)), s))
}

func appendUnescaped[T string | []byte](out []byte, s T) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '\\' {
			if c < utf8.RuneSelf {
				out = append(out, c)
				continue
			}
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			out = utf8.AppendRune(out, r)
			i += size - 1
			continue
		}
		i++
		switch c := s[i]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r := hexRune(s[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if len(s) > i+2 && s[i+1] == '\\' && s[i+2] == 'u' {
					low = hexRune(s[i+3:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
		}
	}
	return out
}

// hexRune reads four hexadecimal digits.
func hexRune[T string | []byte](s T) (r rune) {
	for n := range 4 {
		c := s[n]
		digit := c - '0'
		if digit > 9 {
			digit = c | 0x20 - 'a' + 10
		}
		r = r<<4 | rune(digit)
	}
	return r
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

// appendCanonical appends v with sorted member names and every digit of its numbers, so that one record has one
// fingerprint in whatever layout it is delivered.
func appendCanonical(b []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		var room [32]string
		names := room[:0]
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		b = append(b, '{')
		for i, name := range names {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, name), ':')
			b = appendCanonical(b, v[name])
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendCanonical(b, e)
		}
		return append(b, ']')
	case string:
		return appendText(b, v)
	case json.Number:
		return append(b, v...)
	}
	text, _ := json.Marshal(v) // a boolean or null, which always marshals
	return append(b, text...)
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
