package ingest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"authwatch/classify"
)

// newFailureForm makes the form of the line that an outlined record was read from; nil for one of which none can be made. A line in which
// there is a secret is not kept.
func (r *Redactor) newFailureForm(raw []byte, o *outline) *failureForm {
	f := &failureForm{line: string(raw), outline: *o}
	at, ok := utcTime(o.time.inner(raw))
	if !ok || o.id.kind != leafString || len(o.id.inner(raw)) == 0 {
		return nil
	}
	if last := (&walk{Redactor: r}).shapes(f.line); last != f.line { // in what no record keeps, such as claims that are not allowed
		return nil
	}
	read := outlinedRecord{w: walk{Redactor: r}, outline: &f.outline, data: raw, all: f.line}
	read.e = encoder{b: make([]byte, 0, len(raw)+storedRoom), ok: true, last: r}
	f.room.record.Time = at
	read.read(&f.room)
	if read.left || read.altered || read.e.hold || !read.e.ok || read.w.failed || len(read.w.found) > 0 || read.w.user != "" {
		return nil
	}
	begun := encoder{ok: true}
	begun.begin(at)
	f.stored, f.rest = slices.Clip(read.e.b), len(begun.b)
	maker := formMaker{failureForm: f, w: &read.w, data: raw}
	if !maker.findSlots() {
		return nil
	}
	if !maker.findPlaces() {
		return nil
	}
	f.blanks = maker.findBlanks()
	return f
}

// A formMaker finds out where the values of a line come to stand.
type formMaker struct {
	*failureForm
	w    *walk
	data []byte
	odd  bool // a value that may differ cannot be put into its place
}

// findSlots finds the values that may differ.
func (m *formMaker) findSlots() (ok bool) {
	o, rec := &m.outline, &m.room.record
	m.text(o.id, slotID, 0, rec.ID)
	m.text(o.requestID, slotRequestID, 0, rec.RequestID)
	m.text(o.traceID, slotTraceID, 0, rec.TraceID)
	if rec.Request != nil && len(numbersOf(nil, o.url, m.data)) > 0 {
		m.text(o.url, slotURL, 0, rec.Request.URL)
	}
	if rec.Response != nil {
		m.findFields(o.responseHeaders, rec.Response.Headers)
	}
	m.findClaims(o.clientAssertion, m.room.assertion.Claims, slotAssertionText, slotAssertionNumber)
	m.findClaims(o.accessToken, m.room.access.Claims, slotAccessText, slotAccessNumber)
	return !m.odd && len(m.slots) > 0 && m.slots[0].kind == slotID && len(m.slots) <= maxSlots
}

// text notes a slot for a plain text.
func (m *formMaker) text(l leaf, kind slotKind, member int, value string) {
	if l.kind == leafString && value != "" {
		m.add(slot{from: l.from + 1, to: l.to - 1, kind: kind}, member, value)
	}
}

func (m *formMaker) add(s slot, member int, value string) {
	s.member = uint8(member)
	if !s.passes(m.w, value) {
		return
	}
	isThere := slices.ContainsFunc(m.slots, func(t slot) bool { return t.kind == s.kind && t.member == s.member })
	m.odd = m.odd || isThere || member > 0xff || m.line[s.from:s.to] != value
	m.slots = append(m.slots, s)
}

func (m *formMaker) findFields(l leaf, fields classify.Headers) {
	if l.kind != leafObject {
		return
	}
	for field := membersOf(m.data, l); field.next(); {
		name := strings.ToLower(string(field.name.inner(m.data)))
		n := slices.IndexFunc(fields, func(f classify.Member[string]) bool { return f.Name == name })
		if n >= 0 && field.name.kind == leafString && !isAddressField(name) && m.w.class(name) == notSecret {
			m.text(field.value, slotField, n, fields[n].Value)
		}
	}
}

// findClaims finds the claims that are of one token only.
func (m *formMaker) findClaims(token leaf, claims classify.Object, texts, numbers slotKind) {
	if token.kind != leafObject {
		return
	}
	for member := membersOf(m.data, token); member.next(); {
		if string(member.name.inner(m.data)) != "claims" || member.value.kind != leafObject {
			continue
		}
		for claim := membersOf(m.data, member.value); claim.next(); {
			m.claim(claim, claims, texts, numbers)
		}
		return
	}
}

func (m *formMaker) claim(claim memberReader, claims classify.Object, texts, numbers slotKind) {
	name := string(claim.name.inner(m.data))
	n := slices.IndexFunc(claims, func(c classify.Member[any]) bool { return c.Name == name })
	if n < 0 || claim.name.kind != leafString {
		return
	}
	switch value := claims[n].Value.(type) {
	case string:
		if name == "jti" {
			m.text(claim.value, texts, n, value)
		}
	case json.Number:
		if isTime := name == "iat" || name == "exp" || name == "nbf"; isTime && len(value) > 1 && strings.Trim(string(value), "0123456789") == "" {
			m.add(slot{from: claim.value.from, to: claim.value.to, kind: numbers}, n, string(value))
		}
	}
}

// findPlaces finds where the values are stored, by storing others in their places, each of a letter of its own.
func (m *formMaker) findPlaces() bool {
	letter := func(slot int) string { return string(rune('#' + slot)) }
	room, before := m.room.shared(), m.rest
	for n := range m.slots {
		s := &m.slots[n]
		if strings.Trim(m.line[s.from:s.to], letter(n)) == "" {
			return false
		}
		m.own(room, s.kind)
		s.put(room, strings.Repeat(letter(n), s.len()))
	}
	marked, ok := appendRecord(make([]byte, 0, len(m.stored)), &room.record)
	for n := range m.slots {
		s := &m.slots[n]
		at := bytes.Index(marked, []byte(strings.Repeat(letter(n), s.len()))) - before
		ok = ok && at >= 0
		s.at = uint32(at)
	}
	for n := range m.slots {
		if s := &m.slots[n]; ok {
			copy(marked[before+int(s.at):], m.line[s.from:s.to])
		}
	}
	return ok && bytes.Equal(marked, m.stored) // so that each stands where it should, and nothing else is changed by it
}

// findBlanks finds what lines of the form may have anything plain in.
func (m *formMaker) findBlanks() []blank {
	list := []blank{{from: m.outline.time.from + 1, to: m.outline.time.to - 1}}
	for _, s := range m.slots {
		switch s.kind {
		case slotURL:
			list = numbersOf(list, m.outline.url, m.data)
		case slotAssertionNumber, slotAccessNumber: // of which the first digit stays: JSON has no leading zeros
			list = append(list, blank{from: s.from + 1, to: s.to, digits: true})
		default:
			list = append(list, blank{from: s.from, to: s.to})
		}
	}
	slices.SortFunc(list, func(a, b blank) int { return int(a.from) - int(b.from) })
	return slices.Clip(list)
}
