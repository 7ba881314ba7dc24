package ingest

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"slices"
	"sync/atomic"
)

// failureForms are the forms that lines of failures had lately. A line is found in two steps: where its quotes stand and the numbers in its URL
// say which parts of it may differ from one time to the next, and the rest of it which form it has.
type failureForms struct {
	shapes table[lineShape]
	forms  table[failureForm]
	came   cameOnce
	some   atomic.Bool // there is a shape
	seed   maphash.Seed
}

// A lineShape is what lines have in common whose quotes stand in the same places, and the numbers in their URLs.
type lineShape struct {
	quotes  uint64
	length  int
	url     leaf
	numbers []blank
	blanks  []blank
}

// suits is true for a line of the shape, of those whose quotes have that digest.
func (s *lineShape) suits(quotes uint64, line []byte) bool {
	var room [8]blank
	return s.quotes == quotes && s.length == len(line) && slices.Equal(numbersOf(room[:0], s.url, line), s.numbers)
}

// numbersOf appends where the numbers of a URL stand, if there is one.
func numbersOf(list []blank, url leaf, line []byte) []blank {
	if url.kind != leafString {
		return list
	}
	return appendNumbers(list, url, line)
}

// failureSlots bounds the forms that are kept, each some three times as long as its line: those of some hundred clients that are refused in a few ways each.
const failureSlots = 1 << 13

// failureIdle is how many other forms come before one that nobody asks for goes: few forms are new while traffic is as it was, and none is outdated by a new token.
const failureIdle = 1 << 12

func newFailureForms() *failureForms {
	return &failureForms{shapes: newPatientTable[lineShape](failureSlots, failureIdle), forms: newPatientTable[failureForm](failureSlots, failureIdle), seed: maphash.MakeSeed()}
}

// A seenLine is what a line was looked up by, so that its form can be kept.
type seenLine struct {
	in     *failureForms // nil for none
	quotes uint64
	shape  *lineShape
	digest uint64
}

// find returns the form of a line, if it is known; seen is for note.
func (c *failureForms) find(line []byte) (f *failureForm, seen seenLine) {
	seen.in = c
	if len(line) < quoteBlock || len(line) > maxQuick || !c.some.Load() {
		return nil, seen
	}
	seen.quotes = quotesOf(line)
	if seen.shape = c.shapes.find(seen.quotes, func(s *lineShape) bool { return s.suits(seen.quotes, line) }); seen.shape == nil {
		return nil, seen
	}
	seen.digest = c.digest(line, seen.shape.blanks)
	return c.forms.find(seen.digest, func(f *failureForm) bool { return fitsForm(line, f.line, f.blanks) }), seen
}

// digest is that of all but the blanks of a line.
func (c *failureForms) digest(line []byte, blanks []blank) uint64 {
	digest, from := uint64(len(line)), uint32(0)
	for _, b := range blanks {
		digest = digest*0x9e3779b97f4a7c15 ^ maphash.Bytes(c.seed, line[from:b.from])
		from = b.to
	}
	return digest*0x9e3779b97f4a7c15 ^ maphash.Bytes(c.seed, line[from:])
}

// quoteBlock is how many bytes of a line quotesOf looks at in one step.
const quoteBlock = 64

// quotesOf is a digest of where the quotes in a line of at least quoteBlock bytes stand: of how long its values are, and not of what they are.
func quotesOf(line []byte) uint64 {
	digest := uint64(len(line))
	mix := func(block []byte) {
		var marks uint64
		for n := 0; n < quoteBlock; n += 8 {
			x := binary.LittleEndian.Uint64(block[n:]) ^ '"'*everyByte
			marks = marks>>1 | (x-everyByte)&^x&topBits
		}
		high, low := bits.Mul64(digest^marks, 0x9e3779b97f4a7c15)
		digest = high ^ low
	}
	for n := quoteBlock; n <= len(line); n += quoteBlock {
		mix(line[n-quoteBlock : n])
	}
	mix(line[len(line)-quoteBlock:])
	return digest
}

// note keeps the form of a line that came before, as far as its blanks let it be known again.
func (s *seenLine) note(r *Redactor, p part) {
	c := s.in
	if c == nil || !p.isLine || len(p.raw) < quoteBlock {
		return
	}
	if s.quotes == 0 {
		s.quotes = quotesOf(p.raw)
	}
	if again := s.shape == nil && c.came.again(s.quotes) || s.shape != nil && c.came.again(s.digest); !again {
		return
	}
	f := r.newFailureForm(p.raw, p.outline)
	if f == nil {
		return
	}
	if s.shape == nil {
		s.shape = &lineShape{quotes: s.quotes, length: len(p.raw), url: f.outline.url, numbers: numbersOf(nil, f.outline.url, p.raw), blanks: f.blanks}
		s.digest = c.digest(p.raw, f.blanks)
		c.shapes.keep(s.quotes, s.shape)
		c.some.Store(true)
	}
	if slices.Equal(f.blanks, s.shape.blanks) {
		f.blanks = s.shape.blanks // which are at hand when the form is looked for
		c.forms.keep(s.digest, f)
	}
}
