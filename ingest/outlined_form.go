package ingest

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"authwatch/classify"
)

// A failureForm is the line of a refused request as it comes again and again: a client that is refused tries once more, and differs in nothing but
// the time, ids, the numbers of its URL, the times of its token and what the fields of the answer say. What such a line comes to is what the
// first came to, with those values in their places.
type failureForm struct {
	line    string
	outline outline
	blanks  []blank    // in the order of the line
	room    recordRoom // what is made of the line; records share all of it that is the same
	stored  []byte     // as the line itself is; bodies are parts of it
	rest    int        // where what follows the time begins in it
	slots   []slot     // the id first
}

// A slot is a value in which lines of one form may differ, and where it goes.
type slot struct {
	from, to uint32 // in the line
	at       uint32 // in what is stored
	kind     slotKind
	member   uint8 // which of the header fields or claims it is
}

type slotKind uint8

const (
	slotID slotKind = iota
	slotRequestID
	slotTraceID
	slotURL
	slotField           // of the answer's header
	slotAssertionText   // a claim
	slotAssertionNumber // of digits, which no redaction changes
	slotAccessText
	slotAccessNumber
)

// maxSlots bounds the slots of a form: which of them differ is noted in a word, and each has a letter while its place is looked for.
const maxSlots = '[' - '#'

// read is decodeOutlined for a line of the form. ok is false for one whose values need a closer look.
func (f *failureForm) read(r *Redactor, line []byte) (d decoded, ok bool) {
	at, ok := utcTime(f.outline.time.inner(line))
	if !ok || r.shapes.mayMap(line) {
		return decoded{}, false
	}
	stored, rest, ok := f.stamped(line, at)
	if !ok {
		return decoded{}, false
	}
	room := f.room.shared()
	room.record.Time = at
	w := walk{Redactor: r}
	differ, texts := f.texts(line)
	d.key = texts[:len("id:")+f.slots[0].len()]
	texts = texts[len("id:"):]
	for n := range f.slots {
		if differ&(1<<n) == 0 {
			continue
		}
		s := &f.slots[n]
		text := texts[:s.len()]
		texts = texts[len(text):]
		if !s.passes(&w, text) {
			return decoded{}, false
		}
		f.own(room, s.kind)
		s.put(room, text)
		copy(stored[rest+int(s.at):], text)
	}
	d.at, d.record, d.stored = at, &room.record, stored
	return d, !w.failed && len(w.found) == 0
}

// stamped is what is stored of the form at the time of the line, and where what follows the time begins.
func (f *failureForm) stamped(line []byte, at time.Time) (stored []byte, rest int, ok bool) {
	const before = len(`{"time":"`)
	text := f.outline.time.inner(line)
	if last := text[len(text)-len("0Z")]; last != '0' && before+len(text)+1 == f.rest { // as it is written, which has no zeros at the end of a fraction
		stored = bytes.Clone(f.stored)
		copy(stored[before:], text)
		return stored, f.rest, true
	}
	e := encoder{b: make([]byte, 0, len(f.stored)+len(time.RFC3339Nano)), ok: true}
	e.begin(at)
	return append(e.b, f.stored[f.rest:]...), len(e.b), e.ok
}

// texts are the values of a line that are not those of the form, in one piece of memory, behind the prefix of a delivery key.
func (f *failureForm) texts(line []byte) (differ uint64, texts string) {
	var room [512]byte
	all := append(room[:0], "id:"...)
	for n := range f.slots {
		s := &f.slots[n]
		if text := line[s.from:s.to]; n == 0 || string(text) != f.line[s.from:s.to] {
			differ |= 1 << n
			all = append(all, text...)
		}
	}
	return differ, string(all)
}

func (s *slot) len() int { return int(s.to - s.from) }

// passes is true for a value that is stored as it came.
func (s *slot) passes(w *walk, text string) bool {
	switch s.kind {
	case slotID:
		return w.identity(text) == text
	case slotRequestID, slotTraceID:
		return joinIDOf(text) == text && w.identity(text) == text
	case slotURL:
		return w.isPlainURL(text) || cutText(w.url(text, 0), maxString) == text && !w.mayHoldShape(text)
	case slotField:
		return w.isPlainID(text) || isPlainDate(text) || len(text) <= maxString && w.isClean(text) && !w.mayHoldShape(text)
	case slotAssertionText, slotAccessText:
		return w.isClean(text)
	}
	return true
}

// put brings a value into a record.
func (s *slot) put(room *recordRoom, text string) {
	switch s.kind {
	case slotID:
		room.record.ID = text
	case slotRequestID:
		room.record.RequestID = text
	case slotTraceID:
		room.record.TraceID = text
	case slotURL:
		room.request.URL = text
	case slotField:
		room.response.Headers[s.member].Value = text
	case slotAssertionText:
		room.assertion.Claims[s.member].Value = text
	case slotAssertionNumber:
		room.assertion.Claims[s.member].Value = json.Number(text)
	case slotAccessText:
		room.access.Claims[s.member].Value = text
	case slotAccessNumber:
		room.access.Claims[s.member].Value = json.Number(text)
	}
}

// shared is a record with the same values, whose lists are not to be changed.
func (room *recordRoom) shared() *recordRoom {
	out := *room
	if out.record.Request != nil {
		out.record.Request = &out.request
	}
	if out.record.Response != nil {
		out.record.Response = &out.response
	}
	if out.record.ClientAssertion != nil {
		out.record.ClientAssertion = &out.assertion
	}
	if out.record.AccessToken != nil {
		out.record.AccessToken = &out.access
	}
	return &out
}

// own gives a record a list of its own for a value of that kind.
func (f *failureForm) own(room *recordRoom, kind slotKind) {
	switch kind {
	case slotField:
		room.response.Headers = ownList(room.response.Headers, f.room.response.Headers)
	case slotAssertionText, slotAssertionNumber:
		room.assertion.Claims = ownList(room.assertion.Claims, f.room.assertion.Claims)
	case slotAccessText, slotAccessNumber:
		room.access.Claims = ownList(room.access.Claims, f.room.access.Claims)
	}
}

func ownList[V any](list, shared []classify.Member[V]) []classify.Member[V] {
	if &list[0] == &shared[0] {
		return slices.Clone(shared)
	}
	return list
}
