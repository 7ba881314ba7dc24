package ingest

import (
	"authwatch/classify"
)

// A memberReader steps through the members of an object that was scanned before.
type memberReader struct {
	scanner
	name, value leaf
}

func (o *outlinedRecord) inside(l leaf) memberReader { return membersOf(o.data, l) }

// membersOf reads the members of an object in a text that was scanned.
func membersOf(data []byte, l leaf) memberReader {
	return memberReader{scanner: scanner{data: data[:l.to], pos: int(l.from) + 1}}
}

func (m *memberReader) next() bool {
	c := m.peek()
	if c == ',' {
		m.pos++
		c = m.peek()
	}
	if c != '"' {
		return false // the closing bracket
	}
	m.name = m.leaf(c)
	m.peek()
	m.pos++ // the colon
	m.value = m.leaf(m.peek())
	return true
}

// leaf reads the value that begins with c.
func (s *scanner) leaf(c byte) leaf {
	from := s.pos
	kind, _ := s.value(c, 0, levelOther)
	return leaf{from: uint32(from), to: uint32(s.pos), kind: kind}
}

// body redacts a body and writes it. Nearly all bodies need no redaction: those are written as they are, in the order of their names.
func (o *outlinedRecord) body(l leaf) classify.Body {
	if !l.given() {
		return nil
	}
	o.e.name(`"body":`)
	from := len(o.e.b)
	digest, known := o.w.parts.find(partBody, l.of(o.data))
	if known != nil {
		o.e.b = append(o.e.b, known.stored...)
	} else if clean := o.writeBody(l); clean && o.w.parts.again(digest) {
		o.remember(digest, &knownPart{kind: partBody}, l, from)
	}
	return classify.Body(o.e.b[from:len(o.e.b):len(o.e.b)])
}

// writeBody says whether redaction left the body as it was and the last net would catch nothing in it.
func (o *outlinedRecord) writeBody(l leaf) (clean bool) {
	o.whole(l)
	from, before := len(o.e.b), o.w
	if l.kind == leafString || l.kind == leafText {
		raw := o.text(l)
		text, _ := cutStrings(o.w.body(raw)).(string)
		o.e.b = appendText(o.e.b, text)
		clean = text == raw && len(o.w.found) == len(before.found)
	} else if o.e.b, clean = o.appendClean(o.e.b, l); !clean {
		o.e.b, o.w = o.e.b[:from], before
		o.e.b = append(o.e.b, compactJSON(cutStrings(o.w.body(o.value(l))))...)
	}
	if o.w.mayHoldShape(string(o.e.b[from:])) {
		o.e.hold, clean = true, false
	}
	o.altered = o.altered || !clean
	return clean
}

// appendClean writes a value of a body as compactJSON does. ok is false when redaction could change anything in it.
func (o *outlinedRecord) appendClean(b []byte, l leaf) (out []byte, ok bool) {
	switch l.kind {
	case leafString:
		return append(b, o.data[l.from:l.to]...), o.isClean(o.text(l))
	case leafText:
		text := o.text(l)
		return appendText(b, text), o.isClean(text)
	case leafObject:
		return o.appendCleanObject(b, l)
	case leafArray:
		return o.appendCleanArray(b, l)
	}
	return append(b, o.data[l.from:l.to]...), true
}

// isClean is true for a text that redaction leaves as it is, without having found anything in it.
func (o *outlinedRecord) isClean(s string) bool {
	found := len(o.w.found)
	return o.w.text(s) == s && len(o.w.found) == found
}

func (o *outlinedRecord) appendCleanArray(b []byte, l leaf) (out []byte, ok bool) {
	s := scanner{data: o.data[:l.to], pos: int(l.from) + 1}
	b = append(b, '[')
	for c := s.peek(); c != ']'; c = s.peek() {
		if c == ',' {
			s.pos++
			c = s.peek()
			b = append(b, ',')
		}
		if b, ok = o.appendClean(b, s.leaf(c)); !ok {
			return b, false
		}
	}
	return append(b, ']'), true
}

// An outlinedMember is a member of an object.
type outlinedMember = classify.Member[leaf]

func (o *outlinedRecord) appendCleanObject(b []byte, l leaf) (out []byte, ok bool) {
	var room [16]outlinedMember
	list := room[:0]
	params, name := o.w.params, o.w.name
	defer func() { o.w.params, o.w.name = params, name }()
	o.w.params = false
	for m := o.inside(l); m.next(); {
		if m.name.kind != leafString {
			return b, false
		}
		member := outlinedMember{Name: o.text(m.name), Value: m.value}
		switch member.Name {
		case "grant_type": // a token request
			o.w.params = true
		case "kty", "protected", "signatures": // a key, or a token in JSON serialization
			return b, false
		}
		list = append(list, member)
	}
	classify.SortMembers(list)
	b = append(b, '{')
	for i, m := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if i > 0 && list[i-1].Name == m.Name || !o.isClean(m.Name) {
			return b, false
		}
		b = append(append(append(b, '"'), m.Name...), '"', ':')
		o.w.name = m.Name
		if b, ok = o.appendCleanMember(b, m); !ok {
			return b, false
		}
	}
	return append(b, '}'), true
}

func (o *outlinedRecord) appendCleanMember(b []byte, m outlinedMember) (out []byte, ok bool) {
	class := o.w.class(m.Name)
	if class == notSecret || m.Value.kind == leafNull {
		return o.appendClean(b, m.Value)
	}
	if m.Value.kind != leafString {
		return b, false
	}
	text, found := o.text(m.Value), len(o.w.found)
	return append(b, o.data[m.Value.from:m.Value.to]...), o.w.secret(class, text, 0) == text && len(o.w.found) == found
}
