package ingest

import (
	"encoding/json"
	"slices"
	"strings"
)

// shapes turns the members of any log record into those of the native record, so that every format
// takes the one path that native records take. Field names of ECS and of OpenTelemetry's semantic conventions mean the
// same wherever they stand; the names of an access log (status, path, host) mean something only in a record that has
// the marks of that log. What a format does not carry stays absent: nothing is guessed.
type shapes struct {
	*heads
	mappings []Mapping
}

func newShapes() *shapes { return &shapes{heads: newHeads(accessLogs(), conventions())} }

// A format is how one kind of log names what the native record holds.
type format struct {
	name  string
	marks []string // paths that are all there in a record of this format
	names []naming
}

// A naming says where a format keeps one native field. Several for one field are tried in order.
type naming struct {
	field string
	path  string
	as    reading
}

// A found field says where a native field came from.
type found struct {
	Field string // dotted native path
	Path  string // where it stood in the log record, dotted; "" for a constant of a mapping
	By    string // the format or mapping that says so
}

// shaped is what a log record is in native terms.
type shaped struct {
	members map[string]any
	// content is what makes the record itself: a native record that a shipper wrapped into a line is the same record without the wrapping.
	content map[string]any
	logLine bool // words of a log without an HTTP exchange: nothing for authwatch, and no mistake of the sender
	trace   []found
	levels  []level
	told    bool // the request's headers tell whether there was an Authorization field
	url     addressParts
}

// A level is one JSON object that was looked at: the record, or an object in a string of it.
type level struct {
	path    string // with a dot at its end; "" for the record
	members map[string]any
}

// maxUnwrapped is how deep JSON in the strings of JSON is opened: a container runtime, a shipper and a logger each wrap once.
const maxUnwrapped = 3

// native returns the native members of a log record. A native record passes as it is.
func (s *shapes) native(members map[string]any) shaped {
	if isNative(members) && !slices.ContainsFunc(s.mappings, func(m Mapping) bool { return m.fits(members) }) {
		return shaped{members: members, content: members}
	}
	g := &gathering{shapes: s, fields: make(map[string]any, usualFields), trace: make([]found, 0, usualFields)}
	g.gather(members, "", 0)
	out := shaped{members: members, content: members, levels: g.levels, told: g.authorizationTold}
	if g.foreign {
		out.members = g.assemble()
		out.url = g.url
	}
	if g.wrapped != nil {
		out.content = g.wrapped
		if !g.mapped {
			out.members = addressed(g.wrapped, out.members)
		}
	}
	out.trace = g.trace
	if g.line && !holdsExchange(out.members) {
		// Its ids would make it wait for a token that is never its own.
		out.members = map[string]any{"time": out.members["time"], "service": out.members["service"]}
		out.logLine = true
	}
	return out
}

// isNative knows a native record by its time and the objects that only it has. Caddy's request has a uri where the native one has a url.
func isNative(members map[string]any) bool {
	if members["time"] == nil {
		return false
	}
	request, isRequest := members["request"].(map[string]any)
	_, isResponse := members["response"].(map[string]any)
	if members["request"] != nil && !isRequest || members["response"] != nil && !isResponse {
		return false
	}
	if isRequest && request["uri"] != nil && request["url"] == nil {
		return false
	}
	return isRequest || isResponse || members["client_assertion"] != nil || members["access_token"] != nil
}

// usualFields is about how many native fields an access log names.
const usualFields = 16

// A gathering collects native fields; the first that names a field wins, and inner records come before what wraps them.
type gathering struct {
	shapes  *shapes
	fields  map[string]any // by dotted native path, with the parts of a URL below request.url
	wrapped map[string]any // a native record inside a string
	mapped  bool           // a mapping named a field
	trace   []found
	levels  []level
	by      string
	prefix  string // of paths at this level
	foreign bool   // something was found that is not native already
	line    bool   // the record has a log line
	words   string // of a log line that says of itself that it is an error
	wordsAt string

	authorizationTold bool // an Authorization field would have been logged
	url               addressParts
}

// gather collects from one level: mappings, then records inside strings, access logs, native names and conventions.
func (g *gathering) gather(members map[string]any, prefix string, depth int) {
	g.levels = append(g.levels, level{path: prefix, members: members})
	g.prefix = prefix
	g.applyMappings(members)
	for _, name := range wrappers() {
		g.unwrap(members[name], prefix+name, depth)
	}
	if depth > 0 && g.wrapped == nil && isNative(members) {
		g.wrapped = members
	}
	g.prefix = prefix
	there := g.shapes.heads.of(members)
	for n := range g.shapes.formats {
		if f := &g.shapes.formats[n]; there.holds(&f.needs) && f.marked(members) {
			g.take(f, members, &there)
		}
	}
	g.copyNative(members)
	g.take(&g.shapes.general, members, &there)
	g.noteWords(members)
}

// wrappers are the members in which shippers and loggers put a whole record or line.
func wrappers() []string {
	return []string{"message", "log", "msg", "body", "event", "line", "MESSAGE"}
}

// unwrap opens a record or an access-log line in a string, or an object that a protocol passes as the log's body.
func (g *gathering) unwrap(v any, path string, depth int) {
	switch v := v.(type) {
	case map[string]any:
		if path == g.prefix+"body" || path == g.prefix+"message" { // ECS has objects by the names of log and event
			g.inner(v, path, depth)
		}
	case string:
		text := strings.TrimSpace(v)
		if strings.HasPrefix(text, "{") {
			if object, ok := objectIn(text); ok {
				g.inner(object, path, depth)
			}
			return
		}
		if fields, by, ok := accessLine(text); ok {
			g.by = by
			for _, f := range fields {
				g.put(f.field, f.value, path)
			}
		}
	}
}

func (g *gathering) inner(object map[string]any, path string, depth int) {
	g.line = true
	if isErrorBody(object) {
		g.by = "OAuth error (RFC 6749)"
		g.put("response.body", object, path)
		return
	}
	if depth < maxUnwrapped {
		outer := g.prefix
		g.gather(object, path+".", depth+1)
		g.prefix = outer
	}
}

// isErrorBody knows the error answer of RFC 6749 section 5.2, which loggers quote as it came.
func isErrorBody(object map[string]any) bool {
	_, code := object["error"].(string)
	return code && (object["error_description"] != nil || object["error_uri"] != nil) && object["time"] == nil && object["@timestamp"] == nil
}

// objectIn parses a text that is one JSON object as a whole.
func objectIn(text string) (map[string]any, bool) {
	if !json.Valid([]byte(text)) {
		return nil, false
	}
	value, f := parseValue([]byte(text))
	if f != nil {
		return nil, false
	}
	members, ok := value.(map[string]any)
	return members, ok
}

// copyNative takes over the members that have native names and could be native values.
func (g *gathering) copyNative(members map[string]any) {
	g.by = "native"
	foreign := g.foreign || g.prefix != ""
	for _, name := range nativeTexts() {
		if v := members[name]; v != nil {
			g.read(name, v, g.prefix+name, asIs)
		}
	}
	if at, ok := rfc3339(members["time"]); ok {
		g.put("time", at, g.prefix+"time")
	}
	for _, name := range []string{"client_assertion", "access_token"} {
		g.put(name, members[name], g.prefix+name)
	}
	for _, name := range []string{"request", "response"} {
		part, _ := members[name].(map[string]any)
		if part == nil {
			continue
		}
		path := g.prefix + name + "."
		g.read(name+".method", part["method"], path+"method", asIs)
		g.read(name+".url", part["url"], path+"url", asIs)
		g.read(name+".status", part["status"], path+"status", asStatus)
		g.read(name+".headers", part["headers"], path+"headers", asHeaders)
		g.put(name+".body", part["body"], path+"body")
	}
	g.foreign = foreign
}

// nativeTexts are the members of a native record that are texts.
func nativeTexts() []string {
	return []string{"id", "provider", "environment", "service", "client_id", "request_id", "trace_id", "client_ip", "user_agent", "error"}
}

func isScalar(v any) bool {
	switch v.(type) {
	case nil, map[string]any, []any:
		return false
	}
	return true
}

func (f *headed) marked(members map[string]any) bool {
	return !slices.ContainsFunc(f.marks, func(path string) bool { return at(members, path) == nil })
}

// take collects what a format names, of what has one of the heads that are there.
func (g *gathering) take(f *headed, members map[string]any, there *headSet) {
	g.by = f.name
	for i, n := range f.names {
		if head := f.heads[i]; head != anyHead && !there.has(head) {
			continue
		}
		if n.as == asHeadersBelow {
			g.below(n, members)
			continue
		}
		v := at(members, n.path)
		if v == nil {
			continue
		}
		if n.as == asRequestLine || n.as == asRoute {
			g.requestLine(n.as, v, g.prefix+n.path)
			continue
		}
		g.read(n.field, v, g.prefix+n.path, n.as)
	}
}

// read notes a value if it is what its format documents.
func (g *gathering) read(field string, v any, path string, as reading) {
	if v == nil || g.has(field) {
		return
	}
	if value, ok := as.read(v); ok {
		g.noteHeaders(field, as, value)
		g.put(field, value, path)
	}
}

// below collects the members under a prefix as headers, one by one.
func (g *gathering) below(n naming, members map[string]any) {
	var room [16]member
	for _, m := range appendBelow(room[:0], members, n.path) {
		field := n.field + "." + strings.ToLower(strings.ReplaceAll(m.name, "_", "-"))
		g.noteHeaders(field, n.as, nil)
		g.put(field, m.value, g.prefix+n.path+m.name)
	}
}

// noteHeaders notes whether the request's headers tell if there was an Authorization field: all of them were logged,
// or that one was among those that the operator chose.
func (g *gathering) noteHeaders(field string, as reading, value any) {
	headers, _ := value.(map[string]any)
	if field == "request.headers.authorization" || field == "request.headers" && (as == asHeaders || hasFolded(headers, "authorization")) {
		g.authorizationTold = true
	}
}

func (g *gathering) requestLine(as reading, v any, path string) {
	text, _ := v.(string)
	if method, target, ok := requestLine(text); ok || as == asRoute && strings.HasPrefix(target, "/") {
		g.put("request.method", method, path)
		g.put("request.url", target, path)
	}
}

// has is true when the field or all of it is known already.
func (g *gathering) has(field string) bool {
	_, ok := g.fields[field]
	return ok
}

// put notes a value, unless there is one already or it is what loggers write where there is none.
func (g *gathering) put(field string, v any, path string) {
	if text, ok := v.(string); v == nil || ok && (text == "" || text == "-") || g.has(field) {
		return
	}
	g.fields[field] = v
	g.foreign = true
	g.trace = append(g.trace, found{Field: field, Path: path, By: g.by})
}

// noteWords keeps the words of a log line that says of itself that it is an error.
func (g *gathering) noteWords(members map[string]any) {
	for _, name := range wrappers() {
		text, _ := members[name].(string)
		if text == "" {
			continue
		}
		g.line = true
		if g.words == "" && isError(members) && !strings.HasPrefix(strings.TrimSpace(text), "{") {
			g.words, g.wordsAt = text, g.prefix+name
			g.foreign = true
		}
	}
}

// isError reads the level of a log line in its usual spellings; pino's numbers begin at 50.
func isError(members map[string]any) bool {
	for _, path := range levelPaths() {
		switch v := at(members, path).(type) {
		case string:
			switch strings.ToLower(v) {
			case "error", "err", "fatal", "critical", "crit", "alert", "emerg", "emergency", "panic", "severe":
				return true
			}
		case json.Number:
			return v == "50" || v == "60"
		}
	}
	return false
}

func levelPaths() []string {
	return []string{"level", "severity", "severity_text", "log.level", "levelname", "lvl"}
}
