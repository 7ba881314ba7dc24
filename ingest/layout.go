package ingest

import (
	"bytes"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"authwatch/classify"
)

// The quick way of a record in a format that is not native. Lines of one log are alike: they have the same text around their values, and nearly
// all of the values say nothing, or only whose the exchange was and when. What is known of a line that went the whole way is taken over for one
// that differs in nothing else. A test holds the two ways to the same result, and every doubt is left to the whole one.

// A layout is what lines of one log have in common.
type layout struct {
	form   string // see cutLine
	values []laidValue
	pieces []piece // what the lines say in the one spelling by which a delivery is known
	status int     // the value that is the status of the answer
	when   timeForm
	partly bool // some of the values are header fields, which no record that is made of a known line has
	uses   uses // of all values
}

// A laidValue is what a value of a line is used for. One without any use known here is read in a way of its own: it belongs to what lines are known by.
type laidValue struct {
	uses   uses
	as     reading
	header string // the name of a header field of the request
}

// A piece is text, or a value of the line.
type piece struct {
	text  string
	value int // -1 for text
}

// uses are native fields that a value is read for.
type uses uint32

const (
	useNothing uses = 1 << iota // it is not read
	useAnswer                   // a header field of the answer by which no success is told
	useHeader                   // one of the request
	useWords                    // words of a log line beside an exchange
	useTime
	useID
	useRequestID
	useTraceID
	useClientIP
	useUserAgent
	useClientID
	useService
	useURL
	useScheme
	useHost
	usePort
	usePath
	useQuery
	useRequestLine // of which the target is the URL
)

// A likeLine is a line that went the whole way, as lines like it are read.
type likeLine struct {
	layout *layout
	key    string // the values that lines like it have in common
	record *classify.Record
	url    addressParts
}

// Bounds on what is remembered. A line is at most maxKnownToken long.
const (
	layoutSlots = 1 << 8
	likeSlots   = 1 << 11
	maxValues   = 200
)

// layouts are what is known of the lines that came lately; what is newer takes the place of what is older.
type layouts struct {
	seed  maphash.Seed
	slots [layoutSlots]atomic.Pointer[layout]
	lines [likeSlots]atomic.Pointer[likeLine]
	cuts  sync.Pool // of cutLine

	found, missed, learnt atomic.Int64
}

func newLayouts() *layouts {
	return &layouts{seed: maphash.MakeSeed(), cuts: sync.Pool{New: func() any { return &cutLine{} }}}
}

// slot is where the layout of a line is kept.
func (k *layouts) slot(c *cutLine) *atomic.Pointer[layout] {
	return &k.slots[maphash.Bytes(k.seed, c.form)%layoutSlots]
}

// find returns the layout of a line; nil if it is not known.
func (k *layouts) find(c *cutLine) *layout {
	if l := k.slot(c).Load(); l != nil && l.form == string(c.form) {
		return l
	}
	return nil
}

// line is where a line is kept by its key.
func (k *layouts) line(c *cutLine) *atomic.Pointer[likeLine] {
	return &k.lines[maphash.Bytes(k.seed, c.key)%likeSlots]
}

// mayLearn says whether a line that was not known is worth learning from, which costs as much as reading it: lines that are never like another are not.
func (k *layouts) mayLearn() bool {
	const free, perFound, perMissed = 256, 16, 64
	missed := k.missed.Add(1)
	if k.learnt.Load() >= free+k.found.Load()/perFound+missed/perMissed {
		return false
	}
	k.learnt.Add(1)
	return true
}

// A cutLine is the text of a record, cut into its values and what stands around them.
type cutLine struct {
	text   string // and behind it that of a record in a string of it
	form   []byte // with a mark in the place of each value
	values []leaf
	key    []byte // what it is known by
	opened int    // the value that is a string with a record, whose values come next; -1 for none
	outer  int    // where the text of the record in it begins

	// Room for what is made of it.
	room     []byte
	outline  outline
	canon    []byte
	record   classify.Record
	request  classify.Request
	response classify.Response
	facts    []classify.Fact
}

// markOfNone is the mark of what loggers write where there is nothing to write. The others are made of the value's kind. None is a byte
// that JSON has outside of strings.
const markOfNone = 1

func markOf(kind leafKind) byte { return byte(kind) + 1 }

// markOfRecord is followed by the form of a record in a string.
const markOfRecord = byte(leafObject) + 1

// cut takes apart a text that the scanner has taken for a record.
func (c *cutLine) cut(data []byte) bool {
	c.form, c.values, c.opened = c.form[:0], c.values[:0], -1
	c.room, c.outer = append(c.room[:0], data...), len(data)
	if !c.cutObject(data, 0) {
		return false
	}
	c.text = string(c.room)
	return true
}

// cutObject takes apart an object that stands there in the text.
func (c *cutLine) cutObject(data []byte, at int) bool {
	s := scanner{data: data}
	around := 0 // begins what is not in the form yet
	depth, name := 0, []byte(nil)
	for s.pos < len(data) {
		from := s.pos
		switch data[from] {
		case '{', '[':
			depth++
			fallthrough
		case ',', ':', ' ', '\t', '\r', '\n':
			s.pos++
			continue
		case '}', ']':
			depth--
			s.pos++
			continue
		}
		kind, ok := s.value(data[from], depth, levelOther)
		to := s.pos
		if ok && data[from] == '"' {
			if s.peek() == ':' {
				name = data[from+1 : to-1]
				continue
			}
			s.pos = to
		}
		if !ok || len(c.values) == maxValues {
			return false
		}
		mark := markOf(kind)
		switch {
		case kind == leafString && isNoValue(data[from+1:to-1]):
			mark = markOfNone
		case kind == leafText && at == 0 && depth == 1 && isWrapper(name) && c.open(data[from+1:to-1]):
			mark = markOfRecord
		}
		c.form = append(append(c.form, data[around:from]...), mark)
		c.values = append(c.values, leaf{from: uint32(at + from), to: uint32(at + to), kind: kind})
		around = to
		if mark == markOfRecord && !c.cutObject(bytes.TrimSpace(c.room[c.outer:]), c.outer) {
			return false
		}
	}
	c.form = append(c.form, data[around:]...)
	return true
}

func isWrapper(name []byte) bool {
	return slices.ContainsFunc(wrappers(), func(w string) bool { return w == string(name) })
}

// open puts the record in a string behind the text of the line. One string is opened; another one, and what is native, is left to the whole way.
func (c *cutLine) open(text []byte) bool {
	if c.opened >= 0 || text[0] != '{' {
		return false
	}
	c.room = appendUnescaped(c.room[:c.outer], text)
	inner := bytes.TrimSpace(c.room[c.outer:])
	length, ok := scanObject(inner, &c.outline)
	if !ok || length != len(inner) || c.outline.isNative() || bytes.IndexByte(inner, 0) >= 0 {
		c.room = c.room[:c.outer]
		return false
	}
	c.opened = len(c.values)
	return true
}

func isNoValue(text []byte) bool { return len(text) == 0 || len(text) == 1 && text[0] == '-' }

// of is the value as it stands in the line, inner what it holds.
func (c *cutLine) of(n int) string { return c.text[c.values[n].from:c.values[n].to] }

func (c *cutLine) inner(n int) string {
	text := c.of(n)
	switch c.values[n].kind {
	case leafString:
		return text[1 : len(text)-1]
	case leafText:
		return decodeText(text[1 : len(text)-1])
	}
	return text
}

// isPlain is true for a line with the status of an answer that is nearly always no refusal.
func (l *layout) isPlain(c *cutLine) bool {
	status := c.inner(l.status)
	switch {
	case len(status) != 3:
		return false
	case l.partly:
		return status[0] == '2' // another answer may say more in its headers
	}
	return status != "401" && status != "403" && status != "407" && status != "429"
}

// writeKey writes down the values that are not left open. ok is false for a line that is not read as its layout says.
func (l *layout) writeKey(c *cutLine) (ok bool) {
	c.key = append(c.key[:0], c.form...)
	for n := range l.values {
		v := &l.values[n]
		switch {
		case v.uses == 0:
			c.key = append(append(c.key, 0), c.of(n)...)
		case v.uses&useWords != 0:
			if !isWords(c.inner(n)) {
				return false
			}
		case v.uses&useRequestLine != 0:
			method, target, ok := requestLine(c.inner(n))
			if !ok || method == "-" || target == "-" {
				return false
			}
			c.key = append(append(c.key, 0), method...)
		}
	}
	return true
}

// isWords is true for a text in a log record that is neither a record nor a line of an access log.
func isWords(text string) bool {
	return (strings.IndexByte(text, '[') < 0 || strings.IndexByte(text, '"') < 0) && !strings.HasPrefix(strings.TrimSpace(text), "{")
}

// canonical is what appendCanonical makes of the line.
func (l *layout) canonical(c *cutLine) []byte {
	c.canon = c.canon[:0]
	for _, p := range l.pieces {
		if p.value < 0 {
			c.canon = append(c.canon, p.text...)
			continue
		}
		switch text := c.of(p.value); {
		case p.value == c.opened:
			c.canon = appendText(c.canon, c.text[c.outer:])
		case c.values[p.value].kind == leafText:
			c.canon = appendText(c.canon, decodeText(text[1:len(text)-1]))
		default:
			c.canon = append(c.canon, text...)
		}
	}
	return c.canon
}
