package ingest

import (
	"slices"
	"strings"

	"authwatch/classify"
)

// An outlinedField is a field of a request or a response as it is stored.
type outlinedField struct{ name, value string }

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
		stored := string(o.e.b[from:])
		o.w.parts.keep(digest, &knownPart{kind: partHeaders, text: string(l.of(o.data)), stored: stored[strings.IndexByte(stored, '{'):], headers: cloneHeaders(out)})
	}
	return out
}

func cloneHeaders(headers classify.Headers) classify.Headers {
	out := make(classify.Headers, len(headers))
	for name, value := range headers {
		out[strings.Clone(name)] = strings.Clone(value)
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
	out = make(classify.Headers, len(list))
	if len(list) == 0 {
		return out, clean
	}
	slices.SortFunc(list, func(x, y outlinedField) int { return strings.Compare(x.name, y.name) })
	o.e.open(`"headers":`)
	for i, field := range list {
		if i > 0 && list[i-1].name == field.name {
			o.left = true
			return nil, false
		}
		out[field.name] = field.value
		o.e.comma()
		o.e.b = append(appendText(o.e.b, field.name), ':')
		o.e.b = appendText(o.e.b, field.value)
	}
	o.e.close()
	return out, clean
}

// field reads one header field. clean is as for headers.
func (o *outlinedRecord) field(m *memberReader) (field outlinedField, clean bool) {
	text := o.data[m.name.from:m.value.to]
	digest, known := o.w.parts.find(partField, text)
	if known != nil {
		return known.field, true
	}
	lower, raw := strings.ToLower(o.text(m.name)), ""
	field.name = o.w.text(lower)
	switch m.value.kind {
	case leafObject, leafArray:
		field.value = o.w.header(lower, o.value(m.value))
	case leafNull:
	default:
		raw = o.scalar(m.value)
		found := len(o.w.found)
		field.value = o.w.headerText(lower, raw)
		clean = field == outlinedField{lower, raw} && len(o.w.found) == found
	}
	if o.w.mayHoldShape(field.name) || o.w.mayHoldShape(field.value) {
		o.e.hold, clean = true, false
	}
	if clean && o.w.parts.again(digest) {
		o.w.parts.keep(digest, &knownPart{kind: partField, text: string(text), field: outlinedField{strings.Clone(lower), strings.Clone(raw)}})
	}
	return field, clean
}
