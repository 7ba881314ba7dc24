package ingest

import (
	"bytes"
	"hash/maphash"
	"slices"
	"sync/atomic"

	"authwatch/classify"
)

// A callForm is the line of an accepted call as a client sends it again and again. Another line with the same bytes everywhere but in the
// blanks is valid JSON with the same outline, and a call that is placed alike: neither is worked out again.
type callForm struct {
	line    string
	blanks  []blank // in the order of the line
	outline outline
	url     string // of the line
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
	// formWays is how many of them may share the end of their lines, which is the token that routes are called with.
	formWays = 4
	// formTail is as much of the end of a line as they are looked up by.
	formTail = 64
	// formsOfCall bounds those of one call: of more it has none to which its lines keep.
	formsOfCall = 8
)

// forms are the forms that lines had lately; a newer one takes the place of an older.
type forms struct {
	seed  maphash.Seed
	slots [formSlots]atomic.Pointer[callForm]
}

func newForms() *forms { return &forms{seed: maphash.MakeSeed()} }

// slot is the one of a line's ways.
func (c *forms) slot(tail uint64, way uint64) *atomic.Pointer[callForm] {
	return &c.slots[(tail+way%formWays)%formSlots]
}

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
	tail := c.tail(line)
	for way := range uint64(formWays) {
		if f = c.slot(tail, way).Load(); f != nil && f.fits(line) {
			return f, len(line)
		}
	}
	return nil, 0
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
	url := o.url.inner(p.raw)
	f := &callForm{line: string(p.raw), blanks: blanksOf(o, p.raw), outline: *o, url: string(url), alike: string(alike.AppendURL(nil, url)), call: known}
	tail := c.tail(p.raw)
	for way := range uint64(formWays) {
		if c.slot(tail, way).CompareAndSwap(nil, f) {
			return
		}
	}
	c.slot(tail, maphash.Bytes(c.seed, p.raw)).Store(f)
}

// blanksOf are the values by which no call is placed: what is of one exchange only, and what the answer's headers say.
func blanksOf(o *outline, data []byte) (list []blank) {
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
	list = append(list, numbersOf(o.url, data)...)
	slices.SortFunc(list, func(a, b blank) int { return int(a.from) - int(b.from) })
	return list
}

// numbersOf are the segments of a URL that are numbers.
func numbersOf(url leaf, data []byte) (list []blank) {
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
