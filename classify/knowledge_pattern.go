package classify

import (
	"slices"
	"strings"
)

// A pattern is the words of a text between its placeholders.
type pattern struct {
	parts      [][]uint64 // hashes of neighbouring words
	literal    int        // words in parts
	openStart  bool       // a placeholder comes first
	openEnd    bool
	whole      bool      // one or two words mean something only when nothing else is said
	numbered   bool      // it has a vendor's number, which no other text has by chance
	everyday   bool      // every server has these words, whatever it means by them
	enumerates bool      // it lists what may be wrong
	speakers   []speaker // the systems that are documented to have them
	readings   readings
	alone      [3]Code // what the lexicon makes of the words alone, by phase: a reading of more comes from what stands beside them
}

// A speaker is a system with what it means by a pattern.
type speaker struct {
	name     []uint64 // hashes of its words
	readings readings
}

// An anchor is where the pair of words that leads to a pattern stands in it.
type anchor struct{ pattern, part, offset int }

// An anchorage is where the anchors of a hash are.
type anchorage struct{ from, to int }

// formsOf are the patterns of a text: its words, and the number that it begins with if that alone tells it from other texts, since
// vendors reword numbered messages.
func (k *Knowledge) formsOf(t Text) []pattern {
	forms := []pattern{k.patternOf(t.Text)}
	if number := numbered(t.Text); number != "" && number != t.Text {
		if slices.IndexFunc(k.texts, func(other Text) bool { return other.Text == number }) < 0 {
			forms = append(forms, k.patternOf(number))
		}
	}
	return forms
}

// numbered is the vendor's number at the beginning of a message (IDX10223: …, AADSTS50027: …, KC-SERVICES0025: …), else "".
func numbered(text string) string {
	head, _, _ := strings.Cut(text, ":")
	if len(head) > 20 || strings.ContainsAny(head, " {") {
		return ""
	}
	digits := len(head) - len(strings.TrimRight(head, "0123456789"))
	if digits < 4 || digits == len(head) {
		return ""
	}
	return head
}

func (k *Knowledge) patternOf(text string) pattern {
	p := pattern{}
	codes := 0
	var plain strings.Builder
	rest := text
	for first := true; ; first = false {
		literal, after, found := cutPlaceholder(rest)
		if words := wordsOf(literal); len(words) > 0 {
			p.parts = append(p.parts, words)
			p.literal += len(words)
			p.openEnd = false
		}
		codes += codesIn(literal)
		plain.WriteString(literal)
		if !found {
			break
		}
		plain.WriteString(" x ")
		p.openStart = p.openStart || first && len(p.parts) == 0
		p.openEnd = true
		rest = after
	}
	p.whole = p.literal <= 2 && codes == 0
	p.numbered = numbered(text) != ""
	p.everyday = !slices.ContainsFunc(fieldsOf(plain.String()), func(word string) bool { return !everydayWord(strings.ToLower(word)) })
	for i, phase := range phases() {
		w := words{knowledge: k} // which knows no pattern yet
		w.listen(plain.String(), "", phase)
		p.enumerates = p.enumerates || w.enumerates
		if w.strength >= 2 {
			p.alone[i] = w.cause
		}
	}
	return p
}

// cutPlaceholder cuts at the next {name}; other braces are literal.
func cutPlaceholder(text string) (before, after string, found bool) {
	for i := 0; i < len(text); i++ {
		if text[i] != '{' {
			continue
		}
		end := strings.IndexByte(text[i:], '}')
		if end > 1 && strings.Trim(text[i+1:i+end], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == "" {
			return text[:i], text[i+end+1:], true
		}
	}
	return text, "", false
}

// codesIn counts the words that no sentence holds: with a digit, an underscore or capitals inside.
func codesIn(text string) int {
	n := 0
	for _, word := range fieldsOf(text) {
		inner := strings.TrimLeft(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
		if strings.ContainsAny(word, "_0123456789") || strings.ContainsAny(inner, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			n++
		}
	}
	return n
}

// key is the same for two texts that differ in nothing that matching looks at.
func (p *pattern) key() string {
	var b strings.Builder
	for _, part := range p.parts {
		for _, h := range part {
			for ; h > 0; h >>= 8 {
				b.WriteByte(byte(h))
			}
			b.WriteByte(' ')
		}
		b.WriteByte('*')
	}
	if p.literal > 0 && p.openStart {
		b.WriteByte('<')
	}
	return b.String()
}

// index chooses the anchors.
func (k *Knowledge) index() {
	frequency := map[uint64]int{}
	for i := range k.patterns {
		k.patterns[i].eachAnchor(func(h uint64, _ anchor) { frequency[h]++ })
	}
	lists := make(map[uint64][]anchor, len(k.patterns))
	for i := range k.patterns {
		var best uint64
		var at anchor
		k.patterns[i].eachAnchor(func(h uint64, a anchor) {
			if best == 0 || frequency[h] < frequency[best] {
				best, at = h, a
			}
		})
		at.pattern = i
		lists[best] = append(lists[best], at)
		k.sieve[best>>6&1023] |= 1 << (best & 63)
	}
	k.anchors, k.places = make([]anchor, 0, len(k.patterns)), make(map[uint64]anchorage, len(lists))
	for hash, list := range lists {
		from := len(k.anchors)
		k.anchors = append(k.anchors, list...)
		k.places[hash] = anchorage{from, len(k.anchors)}
	}
}

// gather lays the small lists of the patterns side by side, so that the garbage collector, which looks at all of them each time, meets a
// few large objects instead of thousands of small ones, most of them without a pointer.
func (k *Knowledge) gather() {
	var hashes shelf[uint64]
	var parts shelf[[]uint64]
	var speakers shelf[speaker]
	var codes shelf[Code]
	for round := range 2 { // to count, and to lay
		for i := range k.patterns {
			p := &k.patterns[i]
			for j := range p.parts {
				p.parts[j] = hashes.lay(p.parts[j], round)
			}
			p.parts = parts.lay(p.parts, round)
			p.readings.gather(&codes, round)
			for j := range p.speakers {
				p.speakers[j].name = hashes.lay(p.speakers[j].name, round)
				p.speakers[j].readings.gather(&codes, round)
			}
			p.speakers = speakers.lay(p.speakers, round)
		}
	}
}

func (r *readings) gather(codes *shelf[Code], round int) {
	for i := range r {
		r[i].also = codes.lay(r[i].also, round)
	}
}

// A shelf holds lists side by side. They are counted first, so that it is made once.
type shelf[T any] struct {
	size int
	room []T
}

func (s *shelf[T]) lay(list []T, round int) []T {
	if round == 0 || len(list) == 0 {
		s.size += len(list)
		return list
	}
	if s.room == nil {
		s.room = make([]T, 0, s.size)
	}
	from := len(s.room)
	s.room = append(s.room, list...)
	return s.room[from:len(s.room):len(s.room)]
}

// eachAnchor calls with every pair of neighbouring words, or with every word where there are no neighbours.
func (p *pattern) eachAnchor(each func(hash uint64, a anchor)) {
	pairs := slices.ContainsFunc(p.parts, func(part []uint64) bool { return len(part) > 1 })
	for i, part := range p.parts {
		for j := range part {
			switch {
			case !pairs:
				each(part[j], anchor{part: i, offset: j})
			case j > 0:
				each(pair(part[j-1], part[j]), anchor{part: i, offset: j - 1})
			}
		}
	}
}
