package classify

import (
	"slices"
	"strings"
)

// Matching is by words: case, punctuation, quotes and their escapes differ between a header, JSON and a page, the words do not.
// Every pattern is found by its rarest pair of neighbouring words (or its rarest word), so that one pass over a text with two
// look-ups a word finds the candidates, however many patterns there are.

const (
	maxWords   = 320 // of one text; maxText has hardly more
	maxGap     = 48  // words that a placeholder may stand for
	maxMatches = 16  // of one text
)

// A match is a pattern found in a text, as a range of its words.
type match struct {
	pattern  *pattern
	from, to int
}

func pair(a, b uint64) uint64 { return (a<<17 | a>>47) ^ b*0x9e3779b97f4a7c15 }

// find returns the telling match of a text: the longest wins over its parts, and of several the last one that names a cause, since
// libraries wrap the reason in what it led to. total is the number of words of the text.
func (k *Knowledge) find(text string, phase Phase) (best match, total int) {
	if k == nil || text == "" {
		return match{}, 0
	}
	var buffer [maxWords]uint64
	var found [maxMatches]match
	words := appendWords(buffer[:0], text)
	n := 0
	for i := range words {
		n = k.matchesAt(words, i, words[i], found[:], n)
		if i > 0 {
			n = k.matchesAt(words, i-1, pair(words[i-1], words[i]), found[:], n)
		}
	}
	for i := range found[:n] {
		if m := found[i]; m.beats(best, phase) {
			best = m
		}
	}
	return best, len(words)
}

// certain reports whether a text is a documented one beyond doubt, whatever stands around it: it has a vendor's number, or it is a whole
// sentence of that kind and nothing else.
func (k *Knowledge) certain(text string, phase Phase) bool {
	m, total := k.find(text, phase)
	return m.pattern != nil && (m.pattern.numbered || m.pattern.literal >= 4 && !m.pattern.everyday && m.to-m.from == total)
}

// matchesAt adds the patterns that the hash at i leads to.
func (k *Knowledge) matchesAt(words []uint64, i int, hash uint64, found []match, n int) int {
	if k.sieve[hash>>6&1023]&(1<<(hash&63)) == 0 {
		return n
	}
	at := k.places[hash]
	for _, a := range k.anchors[at.from:at.to] {
		if n == len(found) {
			return n
		}
		p := &k.patterns[a.pattern]
		if from, to, ok := p.span(words, i, a); ok {
			found[n] = match{p, from, to}
			n++
		}
	}
	return n
}

func (m match) beats(best match, phase Phase) bool {
	switch {
	case best.pattern == nil:
		return true
	case m.from < best.to && best.from < m.to: // one is a part of the other
		return m.pattern.literal > best.pattern.literal
	case m.pattern.readings.at(phase).cause == Unclassified:
		return false
	case best.pattern.readings.at(phase).cause == Unclassified:
		return true
	}
	return m.from > best.from
}

// span matches the parts around the anchor, nearest first, and returns the range of words.
func (p *pattern) span(words []uint64, i int, a anchor) (from, to int, ok bool) {
	from = i - a.offset
	if !partAt(words, from, p.parts[a.part]) {
		return 0, 0, false
	}
	to = from + len(p.parts[a.part])
	for _, part := range p.parts[a.part+1:] {
		end := to
		for gap := 0; ; gap++ {
			if gap > maxGap || end+gap >= len(words) {
				return 0, 0, false
			}
			if partAt(words, end+gap, part) {
				to = end + gap + len(part)
				break
			}
		}
	}
	for j := a.part - 1; j >= 0; j-- {
		start := from - len(p.parts[j])
		for gap := 0; ; gap++ {
			if gap > maxGap || start-gap < 0 {
				return 0, 0, false
			}
			if partAt(words, start-gap, p.parts[j]) {
				from = start - gap
				break
			}
		}
	}
	if p.whole && (from > 0 && !p.openStart || to < len(words) && !p.openEnd) {
		return 0, 0, false
	}
	return from, to, true
}

func partAt(words []uint64, at int, part []uint64) bool {
	return at >= 0 && at+len(part) <= len(words) && slices.Equal(words[at:at+len(part)], part)
}

func wordsOf(text string) []uint64 {
	var buffer [maxWords]uint64
	return slices.Clone(appendWords(buffer[:0], text))
}

// fieldsOf are the words of a text as they stand there.
func fieldsOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r > 0x7f || !wordByte(byte(r)) })
}

// appendWords hashes the words of a text, as far as there is room. Everything but ASCII letters, digits and underscores separates
// them; so do the escapes \", \n, \u0027 and &quot;.
func appendWords(words []uint64, text string) []uint64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	hash := uint64(offset)
	for i := 0; i <= len(text); i++ {
		if i < len(text) && wordByte(text[i]) {
			c := text[i]
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			hash = (hash ^ uint64(c)) * prime
			continue
		}
		if hash != offset {
			if len(words) == cap(words) {
				return words
			}
			words, hash = append(words, hash), offset
		}
		if i < len(text) {
			i += escapeAt(text[i:])
		}
	}
	return words
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// escapeAt is how many bytes after the first one belong to the escape at the beginning of text.
func escapeAt(text string) int {
	switch {
	case text[0] == '\\' && len(text) > 5 && text[1] == 'u':
		return 5
	case text[0] == '\\' && len(text) > 1 && strings.IndexByte("nrt", text[1]) >= 0:
		return 1
	case text[0] == '&':
		if end := strings.IndexByte(text[:min(len(text), 8)], ';'); end > 1 && strings.IndexByte(text[:end], ' ') < 0 {
			return end
		}
	}
	return 0
}
