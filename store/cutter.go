package store

import (
	"encoding/binary"
	"math/bits"
	"time"
)

// A cutter takes texts apart. What it made is good until its next reset.
type cutter struct {
	classes  [256]byteClass
	base     time.Time // near which the times in the texts are
	text     []byte    // those that were taken apart since the reset, or will be
	template []byte
	words    []byte
	count    int       // of all words
	seen     []oneWord // those that are looked for, to find one that comes again
	latest   [64]int32 // of the words in seen with such a hash, the last: its place and 1
	millis   dayForm
	date     dayForm
}

// A byteClass has a bit for each kind of word that may hold the byte. A byte without any ends a word.
type byteClass uint8

const (
	inWord byteClass = 1 << iota
	inNumber
	inHex
	inUUID
)

// oneWord is a word in a text.
type oneWord struct {
	from, to int32
	number   int32 // among all words
	before   int32 // the word before it in seen that has such a hash: its place and 1
}

func newCutter() *cutter {
	c := &cutter{millis: dayForm{layout: millisForm, day: len("2006-01-02T")}, date: dayForm{layout: dateForm, day: len("Mon, 02 Jan 2006 ")}}
	for class, bytes := range map[byteClass]string{
		inWord:   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-",
		inNumber: "0123456789", inHex: "0123456789abcdef", inUUID: "0123456789abcdef-",
	} {
		for _, b := range []byte(bytes) {
			c.classes[b] |= class
		}
	}
	return c
}

func (c *cutter) reset(base time.Time) {
	c.base, c.text, c.template, c.words = base, c.text[:0], c.template[:0], c.words[:0]
	c.count, c.seen, c.latest = 0, c.seen[:0], [64]int32{}
}

// takeApart appends the template of the text from rest on, and to words the words that it lacks. The text must hold neither of the two
// bytes with which templates are made, but for the ends of fields.
func (c *cutter) takeApart(rest int) {
	text := c.text
	for digit := nextDigit(text, rest); digit < len(text); digit = nextDigit(text, rest) {
		var start, end int
		var form byte
		var at int64
		if mayBeKnown(text, digit) {
			start, end, form, at = c.known(text, rest, digit)
		}
		switch form {
		case wordMillis:
			c.number(form, at-c.base.UnixMilli())
		case wordDate:
			c.number(form, at/1000-c.base.Unix())
		default:
			var class byteClass
			start, end, class = c.around(text, rest, digit)
			c.word(start, end, class)
		}
		c.count++
		c.template = append(append(c.template, text[rest:start]...), templateMark)
		rest = end
	}
	c.template = append(c.template, text[rest:]...)
}

// outline appends to template that of a text, and to words the words themselves, a comma after each. Taken apart, those are cut as they were
// in the text: only a form that is longer than one word holds a comma or a colon.
func (c *cutter) outline(text, template, words []byte) (_, _ []byte) {
	rest := 0
	for digit := nextDigit(text, rest); digit < len(text); digit = nextDigit(text, rest) {
		start, end, form, _ := c.known(text, rest, digit)
		if form == 0 {
			start, end, _ = c.around(text, rest, digit)
		}
		template = append(append(template, text[rest:start]...), templateMark)
		words = append(append(words, text[start:end]...), ',')
		rest = end
	}
	return append(template, text[rest:]...), words
}

// around is the word that holds a digit, as far as it lies behind rest, and what kinds of word it may be.
func (c *cutter) around(text []byte, rest, digit int) (start, end int, class byteClass) {
	start, end, class = digit, digit+1, c.classes[text[digit]]
	for start > rest {
		one := c.classes[text[start-1]]
		if one == 0 {
			break
		}
		class &= one
		start--
	}
	for end < len(text) {
		one := c.classes[text[end]]
		if one == 0 {
			break
		}
		class &= one
		end++
	}
	return start, end, class
}

// nextDigit is the index of the first digit from i on, or the length of the text. It looks at eight bytes at a time.
func nextDigit(text []byte, i int) int {
	const ones = ^uint64(0) / 255
	for ; i+8 <= len(text); i += 8 {
		x := binary.LittleEndian.Uint64(text[i:])
		low := x & (ones * 127) // a byte of low and its top bit in x say whether it is between '0'-1 and '9'+1
		if found := (ones*(127+'9'+1) - low) & ^x & (low + ones*(127-('0'-1))) & (ones * 128); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(text) && (text[i] < '0' || text[i] > '9'); i++ {
	}
	return i
}

// mayBeKnown reports whether the digit may be the first in a form that is longer than one word.
func mayBeKnown(text []byte, digit int) bool {
	return digit+4 < len(text) && text[digit+4] == '-' || digit >= 2 && text[digit-2] == ','
}

// known finds a form that is longer than one word, and the Unix milliseconds that it says, if the digit is the first in one that begins at
// rest or later. The form is 0 if not.
func (c *cutter) known(text []byte, rest, digit int) (start, end int, form byte, at int64) {
	if start, end = digit, digit+len(millisForm); len(text) >= end && text[start+4] == '-' && text[start+10] == 'T' && text[start+23] == 'Z' {
		if at, ok := c.millis.read(text[start:end]); ok {
			return start, end, wordMillis, at
		}
	}
	if start, end = digit-5, digit-5+len(dateForm); start >= rest && len(text) >= end && text[start+3] == ',' && text[start+26] == 'G' {
		if at, ok := c.date.read(text[start:end]); ok {
			return start, end, wordDate, at
		}
	}
	return 0, 0, 0, 0
}
