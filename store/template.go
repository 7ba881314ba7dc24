package store

import (
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
	template  []byte
	words     []byte
	seen      []string // the words, to find one that comes again
	verdict   []byte   // room for one
}

func newCutter() *cutter {
	c := &cutter{}
	for _, b := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-" {
		c.wordBytes[b] = true
	}
	return c
}

func (c *cutter) reset(base time.Time) {
	c.base, c.template, c.words, c.seen = base, c.template[:0], c.words[:0], c.seen[:0]
}

// cut appends the template of text, and to words the words that it lacks. It reports false for a text that holds one of
// the two bytes with which templates are made.
func (c *cutter) cut(text string) bool {
	if strings.IndexByte(text, templateMark) >= 0 || strings.IndexByte(text, templateField) >= 0 {
		return false
	}
	rest := 0 // where the text begins that is not in the template yet
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
			c.word(text[start:end])
		}
		c.template = append(append(c.template, text[rest:start]...), templateMark)
		rest = end
	}
	c.template = append(c.template, text[rest:]...)
	return true
}

// nextDigit is the index of the first digit from i on, or the length of the text. It looks at eight bytes at a time.
func nextDigit(text string, i int) int {
	const ones = ^uint64(0) / 255
	for ; i+8 <= len(text); i += 8 {
		x := uint64(text[i]) | uint64(text[i+1])<<8 | uint64(text[i+2])<<16 | uint64(text[i+3])<<24 |
			uint64(text[i+4])<<32 | uint64(text[i+5])<<40 | uint64(text[i+6])<<48 | uint64(text[i+7])<<56
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
func (c *cutter) known(text string, rest, digit int) (start, end int) {
	if start, end = digit, digit+len(millisForm); len(text) >= end && text[start+4] == '-' && text[start+10] == 'T' && text[start+23] == 'Z' {
		word := text[start:end]
		if at, err := time.Parse(millisForm, word); err == nil && at.Format(millisForm) == word {
			c.number(wordMillis, at.UnixMilli()-c.base.UnixMilli())
			return start, end
		}
	}
	if start, end = digit-5, digit-5+len(dateForm); start >= rest && len(text) >= end && text[start+3] == ',' && text[start+26] == 'G' {
		word := text[start:end]
		if at, err := time.Parse(dateForm, word); err == nil && at.UTC().Format(dateForm) == word {
			c.number(wordDate, at.Unix()-c.base.Unix())
			return start, end
		}
	}
	return 0, 0
}

func (c *cutter) number(form byte, n int64) {
	c.seen = append(c.seen, "") // so that every word has a number, also those that are not looked for
	c.words = binary.AppendVarint(append(c.words, form), n)
}

// word writes a word in the shortest of its forms.
func (c *cutter) word(w string) {
	if n, ok := plainNumber(w); ok {
		c.plain(n)
		return
	}
	for i, earlier := range c.seen {
		if earlier == w {
			c.again(i)
			return
		}
	}
	c.seen = append(c.seen, w)
	if len(w) == 36 && w[8] == '-' {
		var b [16]byte
		if uuidBytes(&b, w) {
			c.words = append(append(c.words, wordUUID), b[:]...)
			return
		}
	}
	if len(w) >= 8 && len(w)%2 == 0 && lowerHex(w) {
		c.words = binary.AppendUvarint(append(c.words, wordHex), uint64(len(w)/2))
		c.words, _ = hex.AppendDecode(c.words, []byte(w)) // lowerHex has looked
		return
	}
	c.words = binary.AppendUvarint(append(c.words, wordText), uint64(len(w)))
	c.words = append(c.words, w...)
}

func (c *cutter) again(i int) {
	c.seen = append(c.seen, "")
	if i < 256-wordRecent {
		c.words = append(c.words, byte(wordRecent+i))
		return
	}
	c.words = binary.AppendUvarint(append(c.words, wordAgain), uint64(i))
}

func (c *cutter) plain(n uint64) {
	c.seen = append(c.seen, "")
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
func plainNumber(w string) (uint64, bool) {
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

func lowerHex(w string) bool {
	for i := range len(w) {
		if c := w[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func uuidBytes(b *[16]byte, w string) bool {
	if w[13] != '-' || w[18] != '-' || w[23] != '-' {
		return false
	}
	digits := w[:8] + w[9:13] + w[14:18] + w[19:23] + w[24:]
	if !lowerHex(digits) {
		return false
	}
	_, err := hex.Decode(b[:], []byte(digits))
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
	text := make([]byte, 0, len(template)*5/4)
	for i := range len(template) {
		if template[i] != templateMark {
			text = append(text, template[i])
			continue
		}
		w, err := j.word()
		if err != nil {
			return nil, err
		}
		j.seen = append(j.seen, w)
		text = append(text, w...)
	}
	return text, nil
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
