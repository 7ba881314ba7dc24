package store

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
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
