package ingest

import (
	"maps"
	"slices"
	"strings"
)

// assemble makes the native record of the fields that were found.
func (g *gathering) assemble() map[string]any {
	g.settleTime()
	g.settleURL()
	g.settleHeaders()
	g.settleError()
	var room [2 * usualFields]string
	names := room[:0]
	for name := range g.fields {
		names = append(names, name)
	}
	slices.Sort(names) // a whole object comes before its parts, which are added to a copy of it
	out := make(map[string]any, len(names))
	for _, name := range names {
		place(out, name, g.fields[name])
	}
	return out
}

// addressed gives a native record that was wrapped what only the wrapping knows about where it came from.
func addressed(record, wrapping map[string]any) map[string]any {
	out := maps.Clone(record)
	for _, name := range []string{"provider", "environment", "service", "request_id", "trace_id"} {
		if out[name] == nil && wrapping[name] != nil {
			out[name] = wrapping[name]
		}
	}
	return out
}

// place sets a value at a dotted path; below headers and claims the rest of the path is one name.
func place(out map[string]any, path string, v any) {
	above := ""
	for depth := 0; depth < 2 || above != "headers" && above != "claims" && above != "header"; depth++ {
		name, rest, more := strings.Cut(path, ".")
		if !more {
			break
		}
		inner, ok := out[name].(map[string]any)
		switch {
		case ok:
		case out[name] != nil: // the whole is no object: a part of it cannot be told
			return
		default:
			inner = map[string]any{}
			out[name] = inner
		}
		out, path, above = inner, rest, name
	}
	if whole, ok := v.(map[string]any); ok {
		copied := make(map[string]any, len(whole))
		for n, e := range whole {
			copied[n] = e
		}
		v = copied
	}
	if above == "headers" && hasFolded(out, path) {
		return
	}
	out[path] = v
}

// hasFolded says whether headers hold the name in any letter case.
func hasFolded(headers map[string]any, name string) bool {
	for have := range headers {
		if strings.EqualFold(have, name) {
			return true
		}
	}
	return false
}

// settleTime falls back to a time that names no zone, which its format documents as the machine's own: UTC on a server.
func (g *gathering) settleTime() {
	if local, ok := g.fields["time.local"]; ok {
		delete(g.fields, "time.local")
		if !g.has("time") {
			g.fields["time"] = local
		}
	}
}

// settleHeaders drops a choice of the request's headers in which Authorization could not be: a record that has headers
// and not that one says that it was not sent.
func (g *gathering) settleHeaders() {
	if g.authorizationTold {
		return
	}
	isHeader := func(field string) bool {
		return field == "request.headers" || strings.HasPrefix(field, "request.headers.")
	}
	maps.DeleteFunc(g.fields, func(field string, _ any) bool { return isHeader(field) })
	g.trace = slices.DeleteFunc(g.trace, func(f found) bool { return isHeader(f.Field) })
}

// settleURL joins the parts of a URL.
func (g *gathering) settleURL() {
	part := func(name string) string {
		field := "request.url." + name
		text := scalarText(g.fields[field])
		delete(g.fields, field)
		return text
	}
	g.url = addressParts{scheme: part("scheme"), host: part("host"), port: part("port"), path: part("path"), query: part("query")}
	g.url.whole = scalarText(g.fields["request.url"])
	if address := g.url.join(); address != "" {
		g.fields["request.url"] = address
	}
}

// addressParts are what is known of a URL: a whole one, or of some of its parts.
type addressParts struct{ whole, scheme, host, port, path, query string }

// join returns the URL; "" if there is none. A scheme that nobody logged is not made up: host and path stand alone then.
func (u addressParts) join() string {
	if strings.Contains(u.whole, "://") {
		return u.whole
	}
	path, host := u.path, u.host
	if u.whole != "" {
		path = u.whole
	}
	if query := strings.TrimPrefix(u.query, "?"); query != "" && path != "" && !strings.Contains(path, "?") {
		path += "?" + query
	}
	if host != "" && u.port != "" && !strings.Contains(host, ":") && !(u.scheme == "https" && u.port == "443") && !(u.scheme == "http" && u.port == "80") {
		host += ":" + u.port
	}
	switch {
	case host == "" || path != "" && path[0] != '/':
		return path
	case u.scheme == "":
		return host + path
	}
	return strings.ToLower(u.scheme) + "://" + host + path
}

// settleError makes the words of a line that calls itself an error the client's own log line, where no answer was logged.
func (g *gathering) settleError() {
	if g.words != "" && !g.has("error") && !g.has("response.status") {
		g.by = "log line of an error"
		g.put("error", g.words, g.wordsAt)
	}
}
