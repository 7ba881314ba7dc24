package ingest

import (
	"bytes"
	"hash/maphash"
	"slices"

	"authwatch/classify"
)

// A callForm is the line of an accepted call as a client sends it again and again. Another line with the same bytes everywhere but in the
// blanks is valid JSON with the same outline, and a call that is placed alike: neither is worked out again.
type callForm struct {
	line    string
	blanks  []blank // in the order of the line
	outline outline
	url     string // a part of the line
	alike   string // the same as classify.Alike has it
	call    *knownCall
}

// A blank is a stretch of a line in which calls of one form may differ: plain text in a string, or digits in a URL.
type blank struct {
	from, to uint32
	digits   bool
}

const (
	// formSlots bounds the forms that are kept, each as long as its line.
	formSlots = 1 << 12
	// formTail is as much of the end of a line as they are looked up by.
	formTail = 64
	// formsOfCall bounds those of one call: of more it has none to which its lines keep.
	formsOfCall = 8
)

// forms are the forms that lines had lately; a newer one takes the place of an older.
type forms struct {
	table[callForm]
	seed maphash.Seed
}

func newForms() *forms { return &forms{table: newTable[callForm](formSlots), seed: maphash.MakeSeed()} }

func (c *forms) tail(line []byte) uint64 {
	return maphash.Bytes(c.seed, line[len(line)-formTail:]) + uint64(len(line))
}

// find returns the form of the line at the start of text, and its length. Nil forms know none.
func (c *forms) find(text []byte) (f *callForm, length int) {
	if c == nil {
		return nil, 0
	}
	line := text
	if end := bytes.IndexByte(text[:min(len(text), maxQuick)], '\n'); end >= 0 {
		line = text[:end]
	}
	if len(line) < formTail || len(line) > maxQuick {
		return nil, 0
	}
	if f = c.table.find(c.tail(line), func(f *callForm) bool { return f.fits(line) }); f == nil {
		return nil, 0
	}
	return f, len(line)
}

// fits is true for a line that differs in nothing but what the blanks may hold.
func (f *callForm) fits(line []byte) bool {
	if len(line) != len(f.line) {
		return false
	}
	from := uint32(0)
	for _, b := range f.blanks {
		if string(line[from:b.from]) != f.line[from:b.from] || !b.takes(line) {
			return false
		}
		from = b.to
	}
	return string(line[from:]) == f.line[from:]
}

func (b blank) takes(line []byte) bool {
	if b.digits {
		return !slices.ContainsFunc(line[b.from:b.to], func(c byte) bool { return c-'0' > 9 })
	}
	end, seen, _ := plainRun(line[:b.to], int(b.from), 0)
	return end == int(b.to) && seen&topBits == 0
}

// note keeps the form of a call's line. The line of a call that comes once, or never with the same bytes, is not worth it.
func (c *forms) note(p part, known *knownCall, alike *classify.Alike) {
	o := p.outline
	if c == nil || p.form != nil || !p.isLine || len(p.raw) < formTail || o.id.kind != leafString || o.url.kind != leafString || known.forms.Add(1) > formsOfCall {
		return
	}
	line := string(p.raw)
	url := line[o.url.from+1 : o.url.to-1]
	f := &callForm{line: line, blanks: blanksOf(o, p.raw), outline: *o, url: url, alike: url, call: known}
	var room [256]byte
	if same := alike.AppendURL(room[:0], o.url.inner(p.raw)); string(same) != url {
		f.alike = string(same)
	}
	c.keep(c.tail(p.raw), f)
}

// blanksOf are the values by which no call is placed: what is of one exchange only, and what the answer's headers say.
func blanksOf(o *outline, data []byte) []blank {
	var room [24]blank
	list := room[:0]
	text := func(l leaf) {
		if l.kind == leafString {
			list = append(list, blank{from: l.from + 1, to: l.to - 1})
		}
	}
	for _, l := range [...]leaf{o.time, o.id, o.requestID, o.traceID} {
		text(l)
	}
	if o.responseHeaders.kind == leafObject {
		for m := membersOf(data, o.responseHeaders); m.next(); {
			text(m.value)
		}
	}
	list = appendNumbers(list, o.url, data)
	slices.SortFunc(list, func(a, b blank) int { return int(a.from) - int(b.from) })
	return append(make([]blank, 0, len(list)), list...)
}

// appendNumbers appends the segments of a URL that are numbers.
func appendNumbers(list []blank, url leaf, data []byte) []blank {
	from := url.from + 1
	for segment := range bytes.SplitSeq(url.inner(data), []byte("/")) {
		to := from + uint32(len(segment))
		if b := (blank{from, to, true}); len(segment) > 0 && b.takes(data) {
			list = append(list, b)
		}
		from = to + 1
	}
	return list
}

// callTo is what is known of the calls of this form when one goes to that URL; nil where its numbers make a difference.
func (f *callForm) callTo(url []byte, alike *classify.Alike) *knownCall {
	if f == nil {
		return nil
	}
	var room [256]byte
	if string(url) != f.url && string(alike.AppendURL(room[:0], url)) != f.alike {
		return nil
	}
	return f.call
}
