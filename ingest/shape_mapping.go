package ingest

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// A Mapping says where the records of a log format of one's own keep native fields. It comes before the formats that
// authwatch knows, and says only where things are: what it names is read, redacted and judged like everything else.
type Mapping struct {
	Name   string            // for authwatch ingest explain
	Source string            // name of the ingest key, with * for any characters; "" for all
	Match  map[string]string // dotted path: text of its value, with * for any characters; all have to fit
	fields []mappedField
	marks  [][]byte // texts that are in every record that fits
}

// A mappedField is one native field and where it is found: at the first of the paths that is there, or a constant.
type mappedField struct {
	field string
	paths []string
	as    reading
	value string
}

// WithMappings returns a redactor that decodes with these mappings too. The first one that names a field of a record wins.
func (r *Redactor) WithMappings(mappings []Mapping) *Redactor {
	out := *r
	s := *r.shapes
	s.mappings = append(slices.Clone(s.mappings), mappings...)
	for n := range s.mappings {
		s.mappings[n].setMarks()
	}
	out.shapes = &s
	return &out
}

// setMarks notes how the names begin by which a record is matched.
func (m *Mapping) setMarks() {
	m.marks = nil
	for p := range m.Match {
		head, _, _ := strings.Cut(p, ".")
		if strings.Trim(head, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-@") == "" {
			m.marks = append(m.marks, []byte(`"`+head))
		}
	}
}

// mayMap is false for the JSON text of a record to which none of the mappings can apply.
func (s *shapes) mayMap(data []byte) bool {
	for n := range s.mappings {
		if s.mappings[n].mayFit(data) {
			return true
		}
	}
	return false
}

// mayFit is false for the text of a record that lacks a name by which the mapping matches, also in the strings of it.
func (m *Mapping) mayFit(data []byte) bool {
	return !slices.ContainsFunc(m.marks, func(mark []byte) bool { return !bytes.Contains(data, mark) }) ||
		bytes.Contains(data, []byte(`\u`)) // as which a letter of a name can be written
}

// ForSource returns a redactor for the records of the ingest key of that name: mappings can be for one source only.
func (r *Redactor) ForSource(name string) *Redactor {
	if !slices.ContainsFunc(r.shapes.mappings, func(m Mapping) bool { return m.Source != "" }) {
		return r
	}
	out := *r
	s := *r.shapes
	s.mappings = slices.DeleteFunc(slices.Clone(s.mappings), func(m Mapping) bool { return m.Source != "" && !fits(m.Source, name) })
	out.shapes = &s
	return &out
}

// applyMappings takes what the mappings that fit this level name.
func (g *gathering) applyMappings(members map[string]any) {
	for _, m := range g.shapes.mappings {
		if !m.fits(members) {
			continue
		}
		g.by = "mapping " + m.Name
		before := len(g.trace)
		for _, f := range m.fields {
			g.takeMapped(f, members)
		}
		g.mapped = g.mapped || len(g.trace) > before
	}
}

func (g *gathering) takeMapped(f mappedField, members map[string]any) {
	if f.value != "" {
		if g.prefix == "" {
			g.put(f.field, f.value, "")
		}
		return
	}
	for _, path := range f.paths {
		if f.as == asRequestLine {
			g.requestLine(f.as, at(members, path), g.prefix+path)
			continue
		}
		g.read(f.field, at(members, path), g.prefix+path, f.as)
	}
}

func (m *Mapping) fits(members map[string]any) bool {
	for p, pattern := range m.Match {
		if v := at(members, p); !isScalar(v) || !fits(pattern, scalarText(v)) {
			return false
		}
	}
	return true
}

// fits compares with a pattern in which * stands for any characters.
func fits(pattern, text string) bool {
	if !strings.Contains(pattern, "*") {
		return pattern == text
	}
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, last)
}

// readingOf is how the value of a native field is understood when a mapping says where it is; ok is false for what is no native field.
func readingOf(field string) (as reading, ok bool) {
	switch field {
	case "time":
		return asTime, true
	case "response.status":
		return asStatus, true
	case "request.headers", "response.headers":
		return asHeaders, true
	case "request.body", "response.body", "client_assertion", "access_token":
		return asAny, true
	case "client_assertion.claims", "client_assertion.header", "access_token.claims", "access_token.header":
		return asMembers, true
	case "request.line":
		return asRequestLine, true
	}
	if slices.Contains(mappableTexts(), field) {
		return asIs, true
	}
	for _, pattern := range []string{"request.headers.?*", "response.headers.?*"} {
		if ok, _ := path.Match(pattern, field); ok {
			return asAny, true
		}
	}
	return asIs, false
}

// mappableTexts are the native fields that hold a text, and the parts of a URL.
func mappableTexts() []string {
	return []string{
		"id", "provider", "environment", "service", "client_id", "request_id", "trace_id", "client_ip", "user_agent", "error",
		"request.method", "request.url", "request.url.scheme", "request.url.host", "request.url.port", "request.url.path", "request.url.query",
	}
}

// unitOf is the reading of a time that is a number of these since 1970.
func unitOf(unit string) (reading, bool) {
	switch unit {
	case "seconds":
		return asSeconds, true
	case "milliseconds":
		return asMillis, true
	case "microseconds":
		return asMicros, true
	case "nanoseconds":
		return asNanos, true
	}
	return asIs, false
}
