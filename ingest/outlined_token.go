package ingest

import (
	"bytes"
	"encoding/json"
	"strings"

	"authwatch/classify"
)

// presented reads the access token, which a client sends again until it is renewed.
func (o *outlinedRecord) presented(room *classify.JWT) *classify.JWT {
	l := o.accessToken
	if l.kind != leafObject {
		return o.token("access_token", l, o.accessParts, room)
	}
	o.e.name(`"access_token":`)
	digest, known := o.w.parts.find(partToken, l.of(o.data))
	if known != nil {
		o.e.b = append(o.e.b, known.stored...)
		return known.token
	}
	from := len(o.e.b)
	o.altered = false
	o.decodedToken(o.accessParts, room)
	if o.cameAgain(digest, l, from) {
		header, plain := cloneScalars(room.Header)
		if claims, also := cloneScalars(room.Claims); plain && also {
			o.remember(digest, &knownPart{kind: partToken, token: &classify.JWT{Header: header, Claims: claims, Malformed: strings.Clone(room.Malformed)}}, l, from)
		}
	}
	return room
}

// token reads a decoded token into room and writes it, or a raw one, which is found there and placed like any other.
func (o *outlinedRecord) token(name string, l leaf, parts tokenOutline, room *classify.JWT) *classify.JWT {
	switch l.kind {
	case leafAbsent, leafNull:
	case leafString, leafText:
		o.w.name = name
		o.w.secret(secretToken, o.text(l), 0)
		o.w.name = ""
	case leafObject:
		o.e.comma()
		o.e.b = append(appendText(o.e.b, name), ':')
		o.decodedToken(parts, room)
		return room
	default:
		o.left = true
	}
	return nil
}

// decodedToken reads {"header","claims"} as walk.decodedToken does.
func (o *outlinedRecord) decodedToken(parts tokenOutline, t *classify.JWT) {
	claims := parts.claims
	if claims.kind == leafAbsent {
		claims = parts.payload
	}
	said := ""
	if parts.malformed.kind == leafString || parts.malformed.kind == leafText {
		said = o.text(parts.malformed)
	}
	object := func(l leaf) bool { return !l.given() || l.kind == leafObject }
	said = malformedToken(said, object(parts.header), object(claims))
	o.e.b = append(o.e.b, '{')
	o.e.name(`"header":`)
	t.Header = o.parameters(parts.header)
	o.e.name(`"claims":`)
	t.Claims = o.claimSet(claims, o.w.claims)
	t.Malformed = o.put(`"malformed":`, leaf{}, said, o.w.text(said))
	o.e.close()
}

// parameters reads the header of a token, which is the same for all tokens of one key.
func (o *outlinedRecord) parameters(l leaf) classify.Object {
	digest, known := o.w.parts.find(partParameters, l.of(o.data))
	if known != nil {
		o.e.b = append(o.e.b, known.stored...)
		return known.object
	}
	from, before := len(o.e.b), o.altered
	o.altered = false
	out := o.claimSet(l, o.w.Redactor.headers)
	if o.cameAgain(digest, l, from) {
		if object, ok := cloneScalars(out); ok {
			o.remember(digest, &knownPart{kind: partParameters, object: object}, l, from)
		}
	}
	o.altered = o.altered || before
	return out
}

// cloneScalars copies an object; ok is false for one that holds anything else.
func cloneScalars(object classify.Object) (out classify.Object, ok bool) {
	if object == nil {
		return nil, true
	}
	out = make(classify.Object, len(object))
	for i, m := range object {
		switch v := m.Value.(type) {
		case string:
			m.Value = strings.Clone(v)
		case json.Number:
			m.Value = json.Number(strings.Clone(string(v)))
		case nil, bool:
		default:
			return nil, false
		}
		out[i] = classify.Member[any]{Name: strings.Clone(m.Name), Value: m.Value}
	}
	return out, true
}

// claimSet applies the allow-list to the members of an object and writes them in the order of their names; nil for what is none.
func (o *outlinedRecord) claimSet(l leaf, allowed map[string]bool) classify.Object {
	if l.kind != leafObject {
		o.e.b = append(o.e.b, "null"...)
		o.altered = true
		return nil
	}
	var room [16]outlinedMember
	list := room[:0]
	for m := o.inside(l); m.next(); {
		list = append(list, outlinedMember{Name: o.text(m.name), Value: m.value})
	}
	classify.SortMembers(list)
	out := classify.Object(o.room.claims.take(len(list)))
	o.e.b = append(o.e.b, '{')
	for i, m := range list {
		if i > 0 && list[i-1].Name == m.Name { // the first counts
			continue
		}
		isAllowed := allowed[m.Name]
		if !isAllowed && o.w.text(m.Name) != m.Name {
			o.left = true
			return nil
		}
		o.e.comma()
		o.e.b = append(appendText(o.e.b, m.Name), ':')
		value := any(nil)
		if isAllowed && (m.Value.kind == leafString || m.Value.kind == leafText) && !isConfirmation(m.Name) {
			value = o.claimText(m.Value)
		} else {
			value = o.claim(m.Name, m.Value, isAllowed)
		}
		out = append(out, classify.Member[any]{Name: m.Name, Value: value})
	}
	o.e.close()
	return out
}

// claimText redacts and writes a text that may stay.
func (o *outlinedRecord) claimText(l leaf) (value any) {
	raw, text, known := o.looked(l)
	o.write(l, raw, text)
	if known != nil {
		return known.value
	}
	return text
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
	from := len(o.e.b)
	o.e.value(value)
	o.altered = o.altered || !bytes.Equal(o.e.b[from:], l.of(o.data))
	return value
}
