package ingest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"authwatch/classify"
)

// token redacts a decoded token: allow-listed header parameters and claims keep their values.
func (w *walk) token(t classify.JWT) *classify.JWT {
	t.Header = w.claimSet(t.Header, w.headers)
	t.Claims = w.claimSet(t.Claims, w.claims)
	t.Malformed = w.text(t.Malformed)
	return &t
}

// claimValue keeps the value of an allow-listed claim as it is, whatever its type: a wrong type is a diagnosis. Objects
// inside keep their shape only, because nothing is known about their members.
func (w *walk) claimValue(v any) any {
	switch v := v.(type) {
	case string:
		return w.text(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = w.claimValue(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			out[w.text(name)] = w.typeNote(e)
		}
		return out
	}
	return v
}

// confirmation keeps the thumbprints of a cnf claim (RFC 7800, RFC 8705, RFC 9449).
func (w *walk) confirmation(v any) any {
	members, ok := v.(map[string]any)
	if !ok {
		return w.typeNote(v)
	}
	out := make(map[string]any, len(members))
	for name, e := range members {
		switch name {
		case "jkt", "x5t#S256", "kid":
			out[name] = w.claimValue(e)
		default:
			out[w.text(name)] = w.typeNote(e)
		}
	}
	return out
}

// typeNote is what stays of a claim that may be personal: its type and size.
func (w *walk) typeNote(v any) any {
	switch v := v.(type) {
	case string:
		return w.noteText(v)
	case []any:
		return fmt.Sprintf("array(%d)", len(v))
	case map[string]any:
		return fmt.Sprintf("object(%d)", len(v))
	case json.Number:
		return "number"
	case bool:
		return "boolean"
	}
	return v
}

func (r *Redactor) noteText(s string) string {
	if s == "number" || s == "boolean" || strings.HasSuffix(s, ")") && r.patterns.note.MatchString(s) {
		return s // a record that went through a redactor before
	}
	return "string(" + strconv.Itoa(utf8.RuneCountInString(s)) + ")"
}
