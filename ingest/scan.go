package ingest

import (
	"encoding/binary"
	"math/bits"
)

// A scanner reads one JSON object as parser does and keeps only where things stand. It refuses whatever parser refuses, by
// the same grammar and limits; parser remains the judge of what is wrong with a record that was refused here.
type scanner struct {
	data []byte
	pos  int
	out  *outline
}

// scanObject reads the JSON object at the start of data and returns its length; ok is false when there is none that is
// valid and within the limits of a record.
func scanObject(data []byte, out *outline) (length int, ok bool) {
	if len(data) == 0 || data[0] != '{' {
		return 0, false
	}
	*out = outline{}
	s := scanner{data: data[:min(len(data), maxRecord)], out: out}
	ok = s.object(1, levelRecord)
	return s.pos, ok
}

// A scanLevel says what the names of an object mean.
type scanLevel uint8

const (
	levelOther scanLevel = iota // nothing to note
	levelRecord
	levelRequest
	levelResponse
	levelRequestHeaders
	levelResponseHeaders
	levelAssertion
	levelAccess
)

// peek steps over white space and returns the byte there; 0 at the end. It is small enough to be inlined, as most records have none.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) && s.data[s.pos] > ' ' {
		return s.data[s.pos]
	}
	return s.afterSpace()
}

func (s *scanner) afterSpace() byte {
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) object(depth int, in scanLevel) bool {
	s.pos++
	c := s.peek()
	if c == '}' {
		s.pos++
		return true
	}
	for members := 0; members < maxMembers; members++ {
		if c != '"' {
			return false
		}
		from := s.pos
		plain, ok := s.string()
		if !ok {
			return false
		}
		inner, at := levelOther, (*leaf)(nil)
		if in != levelOther {
			inner, at = s.name(in, s.data[from+1:s.pos-1], plain)
		}
		if s.peek() != ':' {
			return false
		}
		s.pos++
		if !s.member(depth, inner, at) {
			return false
		}
		switch s.peek() {
		case '}':
			s.pos++
			return true
		case ',':
			s.pos++
			c = s.peek()
		default:
			return false
		}
	}
	return false
}

// member reads the value of a member and notes it at the leaf, if there is one.
func (s *scanner) member(depth int, in scanLevel, at *leaf) bool {
	c := s.peek()
	from := s.pos
	kind, ok := s.value(c, depth, in)
	if !ok {
		return false
	}
	if at == nil {
		return true
	}
	if at.kind != leafAbsent {
		s.out.odd = true
		return true
	}
	*at = leaf{from: uint32(from), to: uint32(s.pos), kind: kind}
	return true
}

// value reads the value that begins with c.
func (s *scanner) value(c byte, depth int, in scanLevel) (leafKind, bool) {
	switch c {
	case '"':
		plain, ok := s.string()
		if plain {
			return leafString, ok
		}
		return leafText, ok
	case '{':
		if depth == maxDepth {
			return 0, false
		}
		return leafObject, s.object(depth+1, in)
	case '[':
		if depth == maxDepth {
			return 0, false
		}
		return leafArray, s.array(depth + 1)
	case 't':
		return leafBool, s.literal("true")
	case 'f':
		return leafBool, s.literal("false")
	case 'n':
		return leafNull, s.literal("null")
	}
	return leafNumber, s.number()
}

func (s *scanner) array(depth int) bool {
	s.pos++
	if s.peek() == ']' {
		s.pos++
		return true
	}
	for {
		if _, ok := s.value(s.peek(), depth, levelOther); !ok {
			return false
		}
		switch s.peek() {
		case ']':
			s.pos++
			return true
		case ',':
			s.pos++
		default:
			return false
		}
	}
}

func (s *scanner) literal(word string) bool {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return false
	}
	s.pos += len(word)
	return true
}

// number reads -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (s *scanner) number() bool {
	if s.at('-') {
		s.pos++
	}
	if s.at('0') {
		s.pos++
	} else if !s.digits() {
		return false
	}
	if s.at('.') {
		s.pos++
		if !s.digits() {
			return false
		}
	}
	if s.at('e') || s.at('E') {
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) at(c byte) bool { return s.pos < len(s.data) && s.data[s.pos] == c }

// digits reads at least one digit.
func (s *scanner) digits() bool {
	from := s.pos
	for s.pos < len(s.data) && s.data[s.pos]-'0' <= 9 {
		s.pos++
	}
	return s.pos > from
}

const (
	everyByte = 0x0101010101010101
	topBits   = 0x8080808080808080
)

// string reads a string, eight bytes at a time up to the one that ends it or needs a look. plain is true for ASCII without escapes.
func (s *scanner) string() (plain, ok bool) {
	data, i := s.data, s.pos+1
	var seen uint64
	for {
		var end bool
		if i, seen, end = plainRun(data, i, seen); end {
			s.pos = i
			return false, false
		}
		switch data[i] {
		case '"':
			s.pos = i + 1
			return seen&topBits == 0, true
		case '\\':
			seen = topBits
			if i = escapeEnd(data, i); i > 0 {
				continue
			}
		}
		return false, false
	}
}

// plainRun returns the place of the next quote, backslash or control character, and seen with the bits of what it passed.
func plainRun(data []byte, i int, seen uint64) (at int, bits8 uint64, end bool) {
	for ; i+8 <= len(data); i += 8 {
		x := binary.LittleEndian.Uint64(data[i:])
		quote, escape := x^('"'*everyByte), x^('\\'*everyByte)
		// The lowest bit that is set is right; above it a borrow can set others.
		if stop := ((quote-everyByte)&^quote | (escape-everyByte)&^escape | (x-' '*everyByte)&^x) & topBits; stop != 0 {
			n := bits.TrailingZeros64(stop)
			return i + n/8, seen | x&(1<<n-1), false
		}
		seen |= x
	}
	for ; i < len(data); i++ {
		if c := data[i]; c < ' ' || c == '"' || c == '\\' {
			return i, seen, false
		}
		seen |= uint64(data[i])
	}
	return i, seen, true
}

// escapeEnd returns the place after the escape at i, or -1.
func escapeEnd(data []byte, i int) int {
	if i+1 >= len(data) {
		return -1
	}
	switch data[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if i+6 > len(data) {
			return -1
		}
		for _, c := range data[i+2 : i+6] {
			if !(c-'0' <= 9 || c|0x20-'a' <= 5) {
				return -1
			}
		}
		return i + 6
	}
	return -1
}
