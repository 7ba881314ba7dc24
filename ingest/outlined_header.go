package ingest

import (
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
		stored := string(o.e.b[from:])
		o.w.parts.keep(digest, &knownPart{kind: partHeaders, text: string(l.of(o.data)), stored: stored[strings.IndexByte(stored, '{'):], headers: cloneHeaders(out)})
	}
	return out
}

func cloneHeaders(headers classify.Headers) classify.Headers {
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
	var room [16]classify.Member[string]
	list, clean := room[:0], true
	for m := o.inside(l); m.next(); {
		field, same := o.field(&m)
		list, clean = append(list, field), clean && same
	}
	out = append(classify.Headers(o.room.fields.take(len(list))), list...)
	if len(out) == 0 {
		return out, clean
	}
	classify.SortMembers(out)
	o.e.open(`"headers":`)
	for i := range out {
		if i > 0 && out[i-1].Name == out[i].Name {
			o.left = true
			return nil, false
		}
		o.e.comma()
		o.e.b = append(appendText(o.e.b, out[i].Name), ':')
		o.e.b = appendText(o.e.b, out[i].Value)
	}
	o.e.close()
	return out, clean
}

// field reads one header field. clean is as for headers.
func (o *outlinedRecord) field(m *memberReader) (field classify.Member[string], clean bool) {
	text := o.data[m.name.from:m.value.to]
	digest, known := o.w.parts.find(partField, text)
	if known != nil {
		return known.field, true
	}
	lower, raw := strings.ToLower(o.text(m.name)), ""
	field.Name = o.w.text(lower)
	switch m.value.kind {
	case leafObject, leafArray:
		field.Value = o.w.header(lower, o.value(m.value))
	case leafNull:
	default:
		raw = o.scalar(m.value)
		found := len(o.w.found)
		field.Value = o.w.headerText(lower, raw)
		clean = field.Name == lower && field.Value == raw && len(o.w.found) == found
	}
	if o.w.mayHoldShape(field.Name) || o.w.mayHoldShape(field.Value) {
		o.e.hold, clean = true, false
	}
	if clean && o.w.parts.again(digest) {
		o.w.parts.keep(digest, &knownPart{kind: partField, text: string(text), field: classify.Member[string]{Name: strings.Clone(lower), Value: strings.Clone(raw)}})
	}
	return field, clean
}
