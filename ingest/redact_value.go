package ingest

import (
	"maps"
	"slices"

	"authwatch/classify"
)

// value redacts a decoded JSON value. What needs no redaction is returned as it is; nothing is changed in place, since a
// record is known again by its whole content.
func (w *walk) value(v any, depth int) any {
	switch v := v.(type) {
	case string:
		if out := w.nested(v, depth); out != v {
			return w.changed(out)
		}
	case []any:
		return w.list(v, func(e any) any { return w.value(e, depth) })
	case map[string]any:
		return w.object(v, depth)
	}
	return v
}

// changed notes that a value was replaced by another.
func (w *walk) changed(v any) any {
	w.changes++
	return v
}

// list redacts the elements of a list, which is copied at the first that changes.
func (w *walk) list(list []any, redact func(any) any) []any {
	out, before := list, w.changes
	for i, e := range list {
		redacted := redact(e)
		if w.changes == before {
			continue
		}
		if &out[0] == &list[0] {
			out = slices.Clone(list)
		}
		out[i] = redacted
	}
	return out
}

// members redacts the members of an object, which is copied at the first that changes.
func (w *walk) members(obj map[string]any, redact func(name string, v any) any) map[string]any {
	out, copied := obj, false
	for name, v := range obj {
		before := w.changes
		redacted, shown := redact(name, v), w.text(name)
		if w.changes == before && shown == name {
			continue
		}
		if !copied {
			out, copied = maps.Clone(obj), true
		}
		if shown != name {
			delete(out, name)
			w.changes++
		}
		out[shown] = redacted
	}
	return out
}

func (w *walk) object(obj map[string]any, depth int) map[string]any {
	keep := w.params
	defer func() { w.params = keep }()
	kind := kindOf(obj)
	w.params = kind.grant // a decoded token request; any other object's code and state are business
	if kind.jose {
		obj = w.joseJSON(obj)
	}
	return w.members(obj, func(name string, v any) any {
		if kind.key && isPrivateMember(name) {
			return w.changed("[private]")
		}
		return w.member(name, v, depth)
	})
}

// An objectKind is what the names in an object say about it.
type objectKind struct {
	grant bool // a token request
	key   bool // a JWK
	jose  bool // a JWS or JWE in JSON serialization
}

func kindOf(obj map[string]any) (k objectKind) {
	var protected, signature, signatures, payload, ciphertext bool
	for name, v := range obj {
		switch name {
		case "grant_type":
			k.grant = true
		case "kty":
			k.key = true
		case "protected":
			protected = true
		case "signature":
			signature = true
		case "signatures":
			_, signatures = v.([]any)
		case "payload":
			payload = true
		case "ciphertext":
			ciphertext = true
		}
	}
	k.jose = protected && (signature || ciphertext) || signatures && payload
	return k
}

// member redacts the value of one member, parameter or header of that name.
func (w *walk) member(name string, v any, depth int) any {
	class := w.class(name)
	outer := w.name
	w.name = name
	defer func() { w.name = outer }()
	if class == notSecret {
		return w.value(v, depth)
	}
	return w.secretLeaves(class, v, depth)
}

// secretLeaves redacts every leaf below a secret's name: a secret does not become harmless by being a number or in a list.
func (w *walk) secretLeaves(class nameClass, v any, depth int) any {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		if out := w.secret(class, v, depth); out != v {
			return w.changed(out)
		}
		return v
	case []any:
		return w.list(v, func(e any) any { return w.secretLeaves(class, e, depth) })
	case map[string]any:
		return w.members(v, func(name string, e any) any {
			if c := w.class(name); c != notSecret {
				return w.secretLeaves(c, e, depth)
			}
			return w.secretLeaves(class, e, depth)
		})
	default:
		if class == secretToken {
			return v // "token": {"expires_in": 180}: no token is a number
		}
		return w.changed("[set]")
	}
}

// joseJSON drops payload and signatures of a JWS or JWE in JSON serialization.
func (w *walk) joseJSON(obj map[string]any) map[string]any {
	w.changes++
	out := make(map[string]any, len(obj))
	for name, v := range obj {
		switch name {
		case "payload", "signature", "ciphertext", "encrypted_key", "iv", "tag":
			out[name] = "[redacted]"
		case "protected":
			text, _ := v.(string)
			header, _ := decodeSegment(canonicalSegment(text))
			out[name] = w.claimSet(header, w.headers).Map()
		default:
			out[name] = v
		}
	}
	return out
}

// claimSet applies the allow-list of header parameters or claims: values on it stay, of all others the name and type stay.
func (w *walk) claimSet(obj classify.Object, allowed map[string]bool) classify.Object {
	if obj == nil {
		return nil
	}
	out := make(classify.Object, 0, len(obj))
	for _, m := range obj {
		out = append(out, classify.Member[any]{Name: w.text(m.Name), Value: w.claim(m.Name, m.Value, allowed[m.Name])})
	}
	classify.SortMembers(out)
	return slices.CompactFunc(out, func(a, b classify.Member[any]) bool { return a.Name == b.Name })
}

func (w *walk) claim(name string, v any, allowed bool) any {
	switch {
	case name == "jwk" && allowed, name == "epk" && allowed:
		return w.value(v, 0)
	case name == "cnf":
		return w.confirmation(v)
	case allowed:
		return w.claimValue(v)
	}
	return w.typeNote(v)
}
