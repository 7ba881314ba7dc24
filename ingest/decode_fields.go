package ingest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"authwatch/classify"
)

// fields reads typed members of one JSON object; the first fault stays.
type fields struct {
	*walk
	members map[string]any
	pointer string
	fault   *fault
}

func (m *fields) wrong(name, expected string) {
	if m.fault == nil {
		m.fault = &fault{pointer: m.pointer + "/" + name, code: "wrong_type", detail: name + " must be " + expected}
	}
}

// raw returns a member as text before redaction; numbers and booleans count as their text, as loggers mix them up.
func (m *fields) raw(name string) string {
	switch v := m.members[name].(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case map[string]any, []any:
		m.wrong(name, "a string")
		return ""
	default:
		return fmt.Sprint(v)
	}
}

func (m *fields) string(name string) string { return cutText(m.text(m.raw(name)), maxString) }

// identity reads what becomes part of a key: short, and a longer one keeps a fingerprint so that two of them stay apart.
func (m *fields) identity(name string) string { return m.walk.identity(m.raw(name)) }

func (w *walk) identity(raw string) string { return w.short(w.text(raw)) }

func (w *walk) short(s string) string {
	if len(s) <= maxIdentity {
		return s
	}
	return cutText(s, maxIdentity-32) + " " + w.fingerprint("identity", s)
}

func (m *fields) joinID(name string) string { return joinIDOf(m.identity(name)) }

// joinIDOf reads the id of a request or trace. What loggers write where there was none would join everything with everything.
func joinIDOf(id string) string {
	if len(id) < 16 {
		switch strings.ToLower(id) {
		case "-", "null", "nil", "none", "undefined", "unknown", "n/a":
			return ""
		}
	}
	if strings.TrimLeft(id, "0-") == "" {
		return ""
	}
	return id
}

// object returns a member that is an object, with the pointer to it; nil when it is absent.
func (m *fields) object(name string) *fields {
	switch v := m.members[name].(type) {
	case nil:
	case map[string]any:
		return &fields{walk: m.walk, members: v, pointer: m.pointer + "/" + name}
	default:
		m.wrong(name, "an object")
	}
	return nil
}

// inherit takes over the fault of a part.
func (m *fields) inherit(part *fields) {
	if m.fault == nil {
		m.fault = part.fault
	}
}

func (m *fields) request() *classify.Request {
	part := m.object("request")
	if part == nil {
		return nil
	}
	defer m.inherit(part)
	m.side = sideRequest
	defer func() { m.side = sideRecord }()
	return &classify.Request{
		Method:  part.identity("method"),
		URL:     cutText(m.url(part.raw("url"), 0), maxString),
		Headers: part.headers(),
		Body:    part.body(),
	}
}

func (m *fields) response() *classify.Response {
	part := m.object("response")
	if part == nil {
		return nil
	}
	defer m.inherit(part)
	m.side = sideResponse
	defer func() { m.side = sideRecord }()
	return &classify.Response{Status: part.status(), Headers: part.headers(), Body: part.body()}
}

func (m *fields) status() int {
	status, ok := statusOf(m.raw("status"))
	if !ok {
		m.wrong("status", "an HTTP status code")
	}
	return status
}

func statusOf(text string) (status int, ok bool) {
	if text == "-" { // nginx and Envoy write - where there was no answer
		return 0, true
	}
	for _, c := range text {
		if c < '0' || c > '9' || status > 999 {
			return 0, false
		}
		status = status*10 + int(c-'0')
	}
	if status > 999 {
		return 0, false
	}
	return status, true
}

func (m *fields) headers() classify.Headers {
	part := m.object("headers")
	if part == nil {
		return nil
	}
	out := make(classify.Headers, 0, len(part.members))
	for name, v := range part.members {
		lower := strings.ToLower(name)
		out = append(out, classify.Member[string]{Name: m.text(lower), Value: m.header(lower, v)})
	}
	classify.SortMembers(out)
	for i := 1; i < len(out); i++ {
		if out[i-1].Name == out[i].Name {
			return m.joinedHeaders(part.members)
		}
	}
	return out
}

// joinedHeaders are headers of which some have one name, in different letter case: their values are joined in the order of the names as written.
func (w *walk) joinedHeaders(members map[string]any) classify.Headers {
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		lower := strings.ToLower(name)
		text := w.header(lower, members[name])
		lower = w.text(lower)
		if before, twice := out[lower]; twice && before != "" && text != "" {
			text = before + ", " + text
		}
		out[lower] = text
	}
	return classify.HeadersOf(out)
}

// header redacts one field; several values of it are redacted apart and then joined as RFC 9110 section 5.3 says.
func (w *walk) header(name string, v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return w.headerText(name, v)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = w.header(name, e)
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		return cutText(compactJSON(w.member(name, v, 0)), maxString)
	default:
		return w.headerText(name, fmt.Sprint(v))
	}
}

func (w *walk) headerText(name, s string) string {
	switch name {
	case "location", "content-location", "referer", "x-original-url", "x-original-uri", "x-forwarded-uri", "x-rewrite-url":
		return cutText(w.url(s, 0), maxString)
	case "www-authenticate", "proxy-authenticate", "authentication-info":
		return w.text(s) // what the server said; nothing in it is a credential by its name
	}
	outer := w.name
	w.name = name
	defer func() { w.name = outer }()
	if class := w.class(name); class != notSecret {
		return cutText(w.secret(class, s, 0), maxString)
	}
	return cutText(w.text(s), maxString)
}

func (m *fields) body() classify.Body {
	v, ok := m.members["body"]
	if !ok || v == nil {
		return nil
	}
	return classify.Body(compactJSON(cutStrings(m.walk.body(v))))
}

// cutText cuts a text to at most n bytes and says so. It comes after redaction, so that no secret escapes by being cut.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	note := fmt.Sprintf("… [cut, %d bytes]", len(s))
	return strings.ToValidUTF8(s[:max(0, n-len(note))], "") + note
}

// cutStrings cuts the strings in a value; what holds a longer one is copied, for the record is known again by its whole content.
func cutStrings(v any) any {
	if !holdsLong(v) {
		return v
	}
	switch v := v.(type) {
	case string:
		return cutText(v, maxString)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = cutStrings(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name := range v {
			out[name] = cutStrings(v[name])
		}
		return out
	}
	return v
}

func holdsLong(v any) bool {
	switch v := v.(type) {
	case string:
		return len(v) > maxString
	case []any:
		return slices.ContainsFunc(v, holdsLong)
	case map[string]any:
		for _, e := range v {
			if holdsLong(e) {
				return true
			}
		}
	}
	return false
}
