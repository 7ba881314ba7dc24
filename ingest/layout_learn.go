package ingest

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"authwatch/classify"
)

// learn remembers a line that went the whole way, for those like it. The layout is what is known of such lines already, if anything.
func (i *reader) learn(r *Redactor, c *cutLine, l *layout, p part, d *decoded) {
	record := d.record
	if record == nil || record.Response == nil || record.AccessToken != nil || record.ClientAssertion != nil || l != nil && !l.isPlain(c) {
		return
	}
	if e, ok := i.locate(record); !ok || e.Outcome == classify.Failed || !i.layouts.mayLearn() {
		return
	}
	last := encoder{ok: true, last: r}
	if last.record(record); !last.ok || last.hold { // the last net may look at more than one text at a time
		return
	}
	own, url := r.shapes.layoutOf(c)
	switch {
	case own == nil:
		return
	case l == nil || own.open() > l.open(): // the first line may have been an odd one
		l = own
		i.layouts.slot(c).Store(l)
	case !slices.Equal(own.values, l.values) || own.when != l.when || own.status != l.status:
		return
	}
	if !l.isPlain(c) || !l.writeKey(c) || l.partly && record.Request != nil && record.Request.Body != nil {
		return
	}
	known := &likeLine{layout: l, key: string(c.key), record: record, url: url}
	var again decoded
	if known.read(r, c, &again) && again.key == d.key && again.at.Equal(d.at) && bytes.Equal(encodeRecord(&c.record), encodeRecord(record)) {
		i.layouts.line(c).Store(known)
	}
}

// open is how many values lines may differ in.
func (l *layout) open() (n int) {
	for _, v := range l.values {
		if v.uses != 0 {
			n++
		}
	}
	return n
}

// layoutOf finds out what each value of a line is used for, and what it went to; nil where that cannot be told of a value by itself.
func (s *shapes) layoutOf(c *cutLine) (*layout, addressParts) {
	data := []byte(c.text)
	m := layoutReader{scanner: scanner{data: data}, cut: c, ok: true}
	m.append(m.value(valuePlace{}))
	value, f := parseValue(data)
	members, isObject := value.(map[string]any)
	if f != nil || !isObject || !m.ok || m.repeats() {
		return nil, addressParts{}
	}
	log := s.native(members)
	if log.logLine || !m.knowsLevels(log.levels) {
		return nil, addressParts{}
	}
	l := &layout{form: string(c.form), pieces: m.pieces, status: -1}
	u := lineReadings{log: log}
	for _, in := range slices.Backward(log.levels) { // what is inside is read first
		u.readings = append(u.readings, s.readingsOf(in)...)
	}
	for n, at := range m.places {
		v := u.of(at, c, n)
		if v.uses&useTime != 0 {
			l.when = timeFormOf(c.inner(n), c.values[n].kind)
		}
		if !at.listed && u.feeds(at.path, "response.status") {
			l.status = n
		}
		l.values = append(l.values, v)
		l.uses |= v.uses
	}
	l.partly = l.uses&(useAnswer|useHeader) != 0
	if l.status < 0 || l.values[l.status].uses != 0 || l.uses&useTime == 0 || l.when.kind == timeOther {
		return nil, addressParts{}
	}
	return l, log.url
}

// knowsLevels is true for a record of another format, and for one with such a record in a string that was opened, or in an object.
func (m *layoutReader) knowsLevels(levels []level) bool {
	if len(levels) == 0 { // native
		return false
	}
	inside := objectsIn(levels[0].members)
	if m.cut.opened >= 0 {
		inside = append(inside, m.places[m.cut.opened].path)
	}
	switch {
	case len(levels) != 1+len(inside):
		return false
	case len(inside) == 0:
		return true
	}
	inner := levels[1]
	return len(inside) == 1 && inner.path == inside[0]+"." && !isNative(inner.members) && len(objectsIn(inner.members)) == 0
}

// objectsIn names the members that are looked into as if they were the record.
func objectsIn(members map[string]any) (names []string) {
	for _, name := range []string{"body", "message"} {
		if _, ok := members[name].(map[string]any); ok {
			names = append(names, name)
		}
	}
	return names
}

// A layoutReader notes where in a record the values of its text are.
type layoutReader struct {
	scanner
	cut    *cutLine
	places []valuePlace // of the values, in their order
	pieces []piece
	ok     bool
}

// A valuePlace is the dotted path of a value; that of the list for what is listed.
type valuePlace struct {
	path   string
	listed bool
	deep   bool // in an object in a list
}

// value reads a value, and returns how it is written canonically.
func (m *layoutReader) value(at valuePlace) []piece {
	switch m.peek() {
	case '{':
		return m.members(at)
	case '[':
		at.listed = true
		return m.elements(at)
	}
	n := len(m.places)
	m.places = append(m.places, at)
	if n == m.cut.opened {
		m.pos = m.cut.outer
		m.members(at)
	}
	m.pos = int(m.cut.values[n].to)
	return []piece{{value: n}}
}

func (m *layoutReader) members(at valuePlace) []piece {
	object := map[string][]piece{}
	for m.pos++; m.peek() != '}' && m.ok; {
		if m.peek() == ',' {
			m.pos++
			m.peek()
		}
		from := m.pos + 1
		plain, _ := m.string()
		name := string(m.data[from : m.pos-1])
		if _, twice := object[name]; twice || !plain || name == "" {
			m.ok = false
			return nil
		}
		m.peek()
		m.pos++ // the colon
		inner := at
		if inner.deep = at.listed; !at.listed {
			inner.path = strings.TrimPrefix(at.path+"."+name, ".")
		}
		object[name] = m.value(inner)
	}
	m.pos++
	out := []piece{{"{", -1}}
	for n, name := range slices.Sorted(maps.Keys(object)) {
		if n > 0 {
			out = append(out, piece{",", -1})
		}
		out = append(append(out, piece{string(appendCanonical(nil, name)) + ":", -1}), object[name]...)
	}
	return append(out, piece{"}", -1})
}

func (m *layoutReader) elements(at valuePlace) []piece {
	out := []piece{{"[", -1}}
	for m.pos++; m.peek() != ']' && m.ok; {
		if m.peek() == ',' {
			m.pos++
			out = append(out, piece{",", -1})
		}
		out = append(out, m.value(at)...)
	}
	m.pos++
	return append(out, piece{"]", -1})
}

// append adds pieces, with texts beside each other in one.
func (m *layoutReader) append(pieces []piece) {
	for _, p := range pieces {
		if last := len(m.pieces) - 1; p.value < 0 && last >= 0 && m.pieces[last].value < 0 {
			m.pieces[last].text += p.text
			continue
		}
		m.pieces = append(m.pieces, p)
	}
}

// repeats is true where one dotted path leads to several values, so that it takes the record itself to say which is read.
func (m *layoutReader) repeats() bool {
	seen := map[string]bool{}
	for _, at := range m.places {
		if listed, twice := seen[at.path]; twice && !(listed && at.listed) {
			return true
		}
		seen[at.path] = at.listed
	}
	return false
}
