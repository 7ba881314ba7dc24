package store

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Texts of one kind differ in few words: ids, numbers, times. A template is such a text with a mark in the place of each
// word that holds a digit; the words are kept apart, in as few bytes as their forms allow. Taking a text apart
// costs one pass over it, and a failure so kept is a tenth of its text.

const (
	templateMark  = 0x00
	templateField = 0x1f // ends one of several texts that are taken apart together
)

// The forms of a word. Above them a byte is a small number or refers to an earlier word.
const (
	wordText    = iota // length, bytes
	wordNumber         // uvarint
	wordUUID           // 16 bytes
	wordHex            // length, bytes
	wordMillis         // "2006-01-02T15:04:05.000Z", from the base time
	wordSeconds        // a number of Unix seconds, from the base time
	wordDate           // of HTTP, in seconds from the base time
	wordAgain          // uvarint number of an earlier word
	wordSmall          // 0 …
	smallWords  = 96
	wordRecent  = wordSmall + smallWords // again: the words 0 … by one byte
)

const (
	millisForm = "2006-01-02T15:04:05.000Z"
	dateForm   = "Mon, 02 Jan 2006 15:04:05 GMT"
)

// A cutter takes texts apart. What it made is good until its next reset.
type cutter struct {
	wordBytes [256]bool
	base      time.Time // near which the times in the texts are
	text      []byte    // those that were taken apart since the reset
	template  []byte
	words     []byte
	seen      []stretch // the words in text, to find one that comes again
	millis    dayForm
	date      dayForm
	body      []byte // room for one
	verdicts  *verdictWriter
}

// A stretch is a part of a text.
type stretch struct{ from, to int }

func newCutter() *cutter {
	c := &cutter{millis: dayForm{layout: millisForm, day: len("2006-01-02T")}, date: dayForm{layout: dateForm, day: len("Mon, 02 Jan 2006 ")},
		verdicts: newVerdictWriter()}
	for _, b := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-" {
		c.wordBytes[b] = true
	}
	return c
}

func (c *cutter) reset(base time.Time) {
	c.base, c.text, c.template, c.words, c.seen = base, c.text[:0], c.template[:0], c.words[:0], c.seen[:0]
}

// takeApart appends the template of one, and to words the words that it lacks. It reports false for a text that holds one of
// the two bytes with which templates are made.
func takeApart[T string | []byte](c *cutter, one T) bool {
	rest := len(c.text) // where the text begins that is not in the template yet
	c.text = append(c.text, one...)
	text := c.text
	if bytes.IndexByte(text[rest:], templateMark) >= 0 || bytes.IndexByte(text[rest:], templateField) >= 0 {
		return false
	}
	for {
		digit := nextDigit(text, rest)
		if digit == len(text) {
			break
		}
		start, end := c.known(text, rest, digit)
		if end == 0 {
			start, end = digit, digit+1
			for start > rest && c.wordBytes[text[start-1]] {
				start--
			}
			for end < len(text) && c.wordBytes[text[end]] {
				end++
			}
			c.word(start, end)
		}
		c.template = append(append(c.template, text[rest:start]...), templateMark)
		rest = end
	}
	c.template = append(c.template, text[rest:]...)
	return true
}

// takeApartBut is takeApart for a text of which it is known that some stretches hold no digit, and that no word goes over their ends.
func takeApartBut(c *cutter, one []byte, plain []stretch) bool {
	rest := 0
	for _, s := range plain {
		if !takeApart(c, one[rest:s.from]) {
			return false
		}
		c.template = append(c.template, one[s.from:s.to]...)
		rest = s.to
	}
	return takeApart(c, one[rest:])
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

// known writes a form that is longer than one word, if the digit is the first in one that begins at rest or later. end is 0 if not.
func (c *cutter) known(text []byte, rest, digit int) (start, end int) {
	if start, end = digit, digit+len(millisForm); len(text) >= end && text[start+4] == '-' && text[start+10] == 'T' && text[start+23] == 'Z' {
		if at, ok := c.millis.read(text[start:end]); ok {
			c.number(wordMillis, at-c.base.UnixMilli())
			return start, end
		}
	}
	if start, end = digit-5, digit-5+len(dateForm); start >= rest && len(text) >= end && text[start+3] == ',' && text[start+26] == 'G' {
		if at, ok := c.date.read(text[start:end]); ok {
			c.number(wordDate, at/1000-c.base.Unix())
			return start, end
		}
	}
	return 0, 0
}

// A dayForm reads times that are written in one layout: a day, the time of day, and the zone. Nearly all are of the day of
// the one before.
type dayForm struct {
	layout string
	day    int    // length of the day in the layout
	last   string // the day that was read last
	begins int64  // when it begins, in Unix milliseconds
}

// read returns the Unix milliseconds of a time that is written exactly as the layout writes it.
func (f *dayForm) read(text []byte) (millis int64, ok bool) {
	if f.last != "" && string(text[:f.day]) == f.last {
		if at, ok := clockMillis(text[f.day:]); ok {
			return f.begins + at, true
		}
	}
	word := string(text)
	at, err := time.Parse(f.layout, word)
	if err != nil || at.UTC().Format(f.layout) != word {
		return 0, false
	}
	if millis = at.UnixMilli(); millis > 0 {
		f.last, f.begins = word[:f.day], millis-millis%(24*60*60*1000)
	}
	return millis, true
}

// clockMillis reads 15:04:05.000Z and 15:04:05 GMT.
func clockMillis(text []byte) (millis int64, ok bool) {
	ok = text[2] == ':' && text[5] == ':'
	number := func(from, to int) (n int64) {
		for _, c := range text[from:to] {
			ok = ok && c-'0' <= 9
			n = n*10 + int64(c-'0')
		}
		return n
	}
	h, m, s := number(0, 2), number(3, 5), number(6, 8)
	millis = (h*3600 + m*60 + s) * 1000
	if string(text[8:]) != " GMT" {
		ok = ok && len(text) == 13 && text[8] == '.' && text[12] == 'Z'
		millis += number(9, len(text)-1)
	}
	return millis, ok && h < 24 && m < 60 && s < 60
}

func (c *cutter) number(form byte, n int64) {
	c.seen = append(c.seen, stretch{}) // so that every word has a number, also those that are not looked for
	c.words = binary.AppendVarint(append(c.words, form), n)
}

// word writes the word at that place of the text in the shortest of its forms.
func (c *cutter) word(from, to int) {
	w := c.text[from:to]
	if n, ok := plainNumber(w); ok {
		c.plain(n)
		return
	}
	for i, e := range c.seen {
		if e.to-e.from == len(w) && bytes.Equal(c.text[e.from:e.to], w) {
			c.again(i)
			return
		}
	}
	c.seen = append(c.seen, stretch{from, to})
	if len(w) == 36 && w[8] == '-' {
		var b [16]byte
		if uuidBytes(&b, w) {
			c.words = append(append(c.words, wordUUID), b[:]...)
			return
		}
	}
	if len(w) >= 8 && len(w)%2 == 0 && lowerHex(w) {
		c.words = binary.AppendUvarint(append(c.words, wordHex), uint64(len(w)/2))
		c.words, _ = hex.AppendDecode(c.words, w) // lowerHex has looked
		return
	}
	c.words = binary.AppendUvarint(append(c.words, wordText), uint64(len(w)))
	c.words = append(c.words, w...)
}

func (c *cutter) again(i int) {
	c.seen = append(c.seen, stretch{})
	if i < 256-wordRecent {
		c.words = append(c.words, byte(wordRecent+i))
		return
	}
	c.words = binary.AppendUvarint(append(c.words, wordAgain), uint64(i))
}

func (c *cutter) plain(n uint64) {
	c.seen = append(c.seen, stretch{})
	const day = 86400
	switch from := int64(n) - c.base.Unix(); {
	case n < smallWords:
		c.words = append(c.words, byte(wordSmall+n))
	case n < 1<<40 && from > -day && from < day:
		c.words = binary.AppendVarint(append(c.words, wordSeconds), from)
	default:
		c.words = binary.AppendUvarint(append(c.words, wordNumber), n)
	}
}

// plainNumber reads a number that is written as strconv would.
func plainNumber(w []byte) (uint64, bool) {
	if len(w) > 18 || (w[0] == '0' && len(w) > 1) {
		return 0, false
	}
	var n uint64
	for i := range len(w) {
		if w[i] < '0' || w[i] > '9' {
			return 0, false
		}
		n = n*10 + uint64(w[i]-'0')
	}
	return n, true
}

func lowerHex(w []byte) bool {
	for i := range len(w) {
		if c := w[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func uuidBytes(b *[16]byte, w []byte) bool {
	if w[13] != '-' || w[18] != '-' || w[23] != '-' {
		return false
	}
	var digits [32]byte
	n := 0
	for _, part := range [...][]byte{w[:8], w[9:13], w[14:18], w[19:23], w[24:]} {
		n += copy(digits[n:], part)
	}
	if !lowerHex(digits[:]) {
		return false
	}
	_, err := hex.Decode(b[:], digits[:])
	return err == nil
}

var errDamagedWords = errors.New("the words of a stored text are damaged")

// A joiner puts texts together again.
type joiner struct {
	base  time.Time
	words []byte
	seen  []string
}

// join returns the text of a template.
func (j *joiner) join(template string) ([]byte, error) {
	text := make([]byte, 0, len(template)+len(j.words)+len(j.words)/2) // most words are longer than what stands for them
	for {
		mark := strings.IndexByte(template, templateMark)
		if mark < 0 {
			return append(text, template...), nil
		}
		text, template = append(text, template[:mark]...), template[mark+1:]
		w, err := j.word()
		if err != nil {
			return nil, err
		}
		j.seen = append(j.seen, w)
		text = append(text, w...)
	}
}

func (j *joiner) word() (string, error) {
	if len(j.words) == 0 {
		return "", errDamagedWords
	}
	form := j.words[0]
	j.words = j.words[1:]
	switch {
	case form >= wordRecent:
		return j.earlier(uint64(form - wordRecent))
	case form >= wordSmall:
		return strconv.Itoa(int(form - wordSmall)), nil
	}
	switch form {
	case wordMillis, wordSeconds, wordDate:
		return j.time(form)
	case wordUUID:
		b, err := j.take(16)
		if err != nil {
			return "", err
		}
		h := hex.EncodeToString(b)
		return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
	}
	n, size := binary.Uvarint(j.words)
	if size <= 0 {
		return "", errDamagedWords
	}
	j.words = j.words[size:]
	switch form {
	case wordNumber:
		return strconv.FormatUint(n, 10), nil
	case wordAgain:
		return j.earlier(n)
	}
	b, err := j.take(n)
	if form == wordHex {
		return hex.EncodeToString(b), err
	}
	return string(b), err
}

func (j *joiner) time(form byte) (string, error) {
	n, size := binary.Varint(j.words)
	if size <= 0 {
		return "", errDamagedWords
	}
	j.words = j.words[size:]
	switch form {
	case wordMillis:
		return time.UnixMilli(j.base.UnixMilli() + n).UTC().Format(millisForm), nil
	case wordDate:
		return time.Unix(j.base.Unix()+n, 0).UTC().Format(dateForm), nil
	}
	return strconv.FormatInt(j.base.Unix()+n, 10), nil
}

func (j *joiner) take(n uint64) ([]byte, error) {
	if n > uint64(len(j.words)) {
		return nil, errDamagedWords
	}
	b := j.words[:n]
	j.words = j.words[n:]
	return b, nil
}

func (j *joiner) earlier(n uint64) (string, error) {
	if n >= uint64(len(j.seen)) {
		return "", errDamagedWords
	}
	return j.seen[n], nil
}
