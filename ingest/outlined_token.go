package ingest

import (
	"encoding/json"
	"strings"

	"authwatch/classify"
)

// token reads a decoded token into room and writes it, or a raw one, which is found there and placed like any other.
func (o *outlinedRecord) token(name string, l leaf, room *classify.JWT) *classify.JWT {
	switch l.kind {
	case leafAbsent, leafNull:
	case leafString, leafText:
		o.w.name = name
		o.w.secret(secretToken, o.text(l), 0)
		o.w.name = ""
	case leafObject:
		o.e.comma()
		o.e.b = append(appendText(o.e.b, name), ':', '{')
		o.decodedToken(l, room)
		o.e.close()
		return room
	default:
		o.left = true
	}
	return nil
}

// decodedToken reads {"header","claims"} as walk.decodedToken does.
func (o *outlinedRecord) decodedToken(l leaf, t *classify.JWT) {
	var header, claims, payload, malformed leaf
	for m := o.inside(l); m.next(); {
		var at *leaf
		switch o.text(m.name) {
		case "header":
			at = &header
		case "claims":
			at = &claims
		case "payload":
			at = &payload
		case "malformed":
			at = &malformed
		default:
			continue
		}
		if at.kind == leafAbsent { // of a name that occurs twice the first counts
			*at = m.value
		}
	}
	if claims.kind == leafAbsent {
		claims = payload
	}
	said := ""
	if malformed.kind == leafString || malformed.kind == leafText {
		said = o.text(malformed)
	}
	object := func(l leaf) bool { return !l.given() || l.kind == leafObject }
	said = malformedToken(said, object(header), object(claims))
	o.e.name(`"header":`)
	t.Header = o.parameters(header)
	o.e.name(`"claims":`)
	t.Claims, _ = o.claimSet(claims, o.w.claims)
	t.Malformed = o.put(`"malformed":`, leaf{}, said, o.w.text(said))
}

// parameters reads the header of a token, which is the same for all tokens of one key.
func (o *outlinedRecord) parameters(l leaf) classify.Object {
	digest, known := o.w.parts.find(partParameters, l.of(o.data))
	if known != nil {
		o.e.b = append(o.e.b, known.stored...)
		return known.object
	}
	from := len(o.e.b)
	out, clean := o.claimSet(l, o.w.Redactor.headers)
	if clean && o.w.parts.again(digest) {
		o.w.parts.keep(digest, &knownPart{kind: partParameters, text: string(l.of(o.data)), stored: string(o.e.b[from:]), object: cloneTexts(out)})
	}
	return out
}

// cloneTexts copies an object whose values are texts.
func cloneTexts(object classify.Object) classify.Object {
	out := make(classify.Object, len(object))
	for i, m := range object {
		text, _ := m.Value.(string)
		out[i] = classify.Member[any]{Name: strings.Clone(m.Name), Value: strings.Clone(text)}
	}
	return out
}

// claimSet applies the allow-list to the members of an object and writes them in the order of their names; nil for what is none.
// clean is true when all are texts and as they came.
func (o *outlinedRecord) claimSet(l leaf, allowed map[string]bool) (out classify.Object, clean bool) {
	if l.kind != leafObject {
		o.e.b = append(o.e.b, "null"...)
		return nil, false
	}
	var room [16]outlinedMember
	list := room[:0]
	for m := o.inside(l); m.next(); {
		list = append(list, outlinedMember{Name: o.text(m.name), Value: m.value})
	}
	classify.SortMembers(list)
	out, clean = classify.Object(o.room.claims.take(len(list))), true
	o.e.b = append(o.e.b, '{')
	for i, m := range list {
		if i > 0 && list[i-1].Name == m.Name { // the first counts
			continue
		}
		isAllowed := allowed[m.Name]
		if !isAllowed && o.w.text(m.Name) != m.Name {
			o.left = true
			return nil, false
		}
		o.e.comma()
		o.e.b = append(appendText(o.e.b, m.Name), ':')
		if isAllowed && (m.Value.kind == leafString || m.Value.kind == leafText) && !isConfirmation(m.Name) {
			value, same := o.claimText(m.Value)
			out, clean = append(out, classify.Member[any]{Name: m.Name, Value: value}), clean && same
			continue
		}
		out, clean = append(out, classify.Member[any]{Name: m.Name, Value: o.claim(m.Name, m.Value, isAllowed)}), false
	}
	o.e.close()
	return out, clean
}

// claimText redacts and writes a text that may stay.
func (o *outlinedRecord) claimText(l leaf) (value any, clean bool) {
	raw, text, known := o.looked(l)
	o.write(l, raw, text)
	if known != nil {
		return known.value, true
	}
	return text, text == raw
}

// isConfirmation knows the members that hold a key or say which one it is.
func isConfirmation(name string) bool { return name == "cnf" || name == "jwk" || name == "epk" }

// claim redacts and writes any other claim or header parameter; one that is not allowed keeps its type only.
func (o *outlinedRecord) claim(name string, l leaf, allowed bool) (value any) {
	switch {
	case l.kind == leafNull:
	case !l.isScalar() || isConfirmation(name):
		value = o.w.claim(name, o.value(l), allowed)
	case l.kind == leafBool && allowed:
		value = o.data[l.from] == 't'
	case l.kind == leafNumber && allowed:
		value = json.Number(o.copied(l.of(o.data)))
	case l.kind == leafBool:
		value = "boolean"
	case l.kind == leafNumber:
		value = "number"
	default:
		value = o.w.noteText(o.text(l))
	}
	o.e.value(value)
	return value
}
