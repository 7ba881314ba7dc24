package ingest

import (
	"bytes"
	"strings"

	"authwatch/classify"
)

// sentHeaders reads the header fields of a request. Most clients send all of them again with each.
func (o *outlinedRecord) sentHeaders(l leaf) classify.Headers {
	if !l.given() {
		return nil
	}
	digest, known := o.w.parts.find(partHeaders, l.of(o.data))
	if known != nil {
		o.e.name(`"headers":`)
		o.e.b = append(o.e.b, known.stored...)
		return known.headers
	}
	from := len(o.e.b)
	out, clean := o.headers(l)
	if clean && len(out) > 0 && o.w.parts.again(digest) {
		o.remember(digest, &knownPart{kind: partHeaders, headers: cloneHeaders(out)}, l, from+bytes.IndexByte(o.e.b[from:], '{'))
	}
	return out
}

func cloneHeaders(headers classify.Headers) classify.Headers {
	if headers == nil {
		return nil
	}
	out := make(classify.Headers, len(headers))
	for i, field := range headers {
		out[i] = classify.Member[string]{Name: strings.Clone(field.Name), Value: strings.Clone(field.Value)}
	}
	return out
}

// headers reads header fields and writes them in the order of their names. clean is true when all are as they came and the last net
// would catch nothing in them.
func (o *outlinedRecord) headers(l leaf) (out classify.Headers, clean bool) {
	if !l.given() {
		return nil, false
	}
	var room [16]outlinedField
	list, clean := room[:0], true
	for m := o.inside(l); m.next(); {
		field, same := o.field(&m)
		list, clean = append(list, field), clean && same
	}
	o.altered = o.altered || !clean
	out = o.room.fields.take(len(list))
	if len(list) == 0 {
		return out, clean
	}
	classify.SortMembers(list)
	o.e.open(`"headers":`)
	for i, field := range list {
		if i > 0 && list[i-1].Name == field.Name {
			o.left = true
			return nil, false
		}
		o.e.comma()
		o.e.b = append(o.e.b, field.Value.stored...)
		if field.Value.stored == "" {
			o.e.b = appendText(append(appendText(o.e.b, field.Name), ':'), field.Value.text)
		}
		out = append(out, classify.Member[string]{Name: field.Name, Value: field.Value.text})
	}
	o.e.close()
	return out, clean
}

// An outlinedField is a header field.
type outlinedField = classify.Member[fieldText]

// A fieldText is the value of a header field, and if it is known, both as they are written.
type fieldText struct{ text, stored string }

// field reads one header field. clean is as for headers. Of one that comes with another date or id each time, only the name is known.
func (o *outlinedRecord) field(m *memberReader) (field outlinedField, clean bool) {
	kind, text := partField, o.data[m.name.from:m.value.to]
	if m.value.kind == leafString && isPlainValue(o.w.classes, m.value.inner(o.data)) {
		kind, text = partFieldName, m.name.of(o.data)
	}
	digest, known := o.w.parts.find(kind, text)
	switch {
	case known != nil && kind == partFieldName:
		return outlinedField{Name: known.field.Name, Value: fieldText{text: o.text(m.value)}}, true
	case known != nil:
		return outlinedField{Name: known.field.Name, Value: fieldText{known.field.Value, known.stored}}, true
	}
	lower, raw := strings.ToLower(o.text(m.name)), ""
	field.Name = o.w.text(lower)
	switch m.value.kind {
	case leafObject, leafArray:
		field.Value.text = o.w.header(lower, o.value(m.value))
	case leafNull:
	default:
		raw = o.scalar(m.value)
		found := len(o.w.found)
		field.Value.text = o.w.headerText(lower, raw)
		clean = field.Name == lower && field.Value.text == raw && len(o.w.found) == found
	}
	if o.w.mayHoldShape(field.Name) || o.w.mayHoldShape(field.Value.text) {
		o.e.hold, clean = true, false
	}
	if clean && (kind == partField || o.w.class(lower) == notSecret) && o.w.parts.again(digest) {
		stored := string(appendText(append(appendText(nil, lower), ':'), raw))
		o.w.parts.keep(digest, &knownPart{kind: kind, text: string(text), stored: stored, field: classify.Member[string]{Name: strings.Clone(lower), Value: strings.Clone(raw)}})
	}
	return field, clean
}
