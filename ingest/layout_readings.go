package ingest

import (
	"slices"
	"strings"
)

// A formatReading is a naming that is tried for a record.
type formatReading struct {
	naming
	by string
}

// Fields of what is read and is not native.
const (
	fieldLevel = "level"
	fieldWords = "words"
)

// readingsOf lists all that is tried at a level, in order. A format with several marks is tried again for each, which comes to nothing new.
func (s *shapes) readingsOf(in level) (out []formatReading) {
	tried := map[string]bool{}
	add := func(f *format) {
		for _, n := range f.names {
			n.path = in.path + n.path
			out = append(out, formatReading{n, f.name})
		}
	}
	for n := range s.formats {
		f := &s.formats[n]
		if f.marked(in.members) && !tried[f.name] {
			tried[f.name] = true
			add(&f.format)
		}
	}
	native := nativeFormat()
	add(&native)
	add(&s.general.format)
	return out
}

// nativeFormat is what copyNative reads, and what says that a record is a log line.
func nativeFormat() format {
	f := format{name: "native", names: []naming{
		{"time", "time", asTime}, {"client_assertion", "client_assertion", asAny}, {"access_token", "access_token", asAny},
		{"request.method", "request.method", asIs}, {"request.url", "request.url", asIs}, {"request.headers", "request.headers", asHeaders}, {"request.body", "request.body", asAny},
		{"response.status", "response.status", asStatus}, {"response.headers", "response.headers", asHeaders}, {"response.body", "response.body", asAny},
	}}
	for _, name := range nativeTexts() {
		f.names = append(f.names, naming{name, name, asIs})
	}
	for _, path := range levelPaths() {
		f.names = append(f.names, naming{fieldLevel, path, asAny})
	}
	for _, name := range wrappers() {
		f.names = append(f.names, naming{fieldWords, name, asAny})
	}
	return f
}

// touches is true for a reading that looks at the value at a path, or at something that the value is a part of.
func (n naming) touches(at valuePlace) bool {
	switch {
	case at.path == n.path, at.listed && strings.HasPrefix(n.path, at.path+"."):
		return true
	case n.as == asHeadersBelow:
		return strings.HasPrefix(at.path, n.path)
	case n.as == asHeaders, n.as == asSomeHeaders, n.as == asMembers, n.as == asAny, n.as == asHTTPS: // all others want a text or a number
		return strings.HasPrefix(at.path, n.path+".")
	}
	return false
}

// lineReadings tell what the values of one record are used for.
type lineReadings struct {
	readings []formatReading
	log      shaped
}

// feeds is true when the value at a path became that field.
func (u *lineReadings) feeds(path, field string) bool {
	return slices.ContainsFunc(u.log.trace, func(f found) bool { return f.Path == path && f.Field == field })
}

// of is what the value at a place is used for. It has no use that is known here where it takes the value to say.
func (u *lineReadings) of(at valuePlace, c *cutLine, n int) laidValue {
	var mine []formatReading
	header := ""
	plain := c.values[n].kind == leafNumber || c.values[n].kind == leafString && !isNoValue([]byte(c.inner(n)))
	for _, r := range u.readings {
		name := r.headerName(at.path)
		switch {
		case !r.touches(at), r.field == fieldWords && r.path != at.path:
		case r.field == "request.headers" && name != "" && !u.log.told: // a choice of the fields, which is left
		case r.isRequestHeader(at.path) && plain && !at.deep:
			header = name
		default:
			mine = append(mine, r)
		}
	}
	v := u.among(mine, at, c, n)
	if header != "" && v.uses != 0 {
		v.uses, v.header = v.uses&^useNothing|useHeader, header
	}
	return v
}

// among is the use of a value for these readings.
func (u *lineReadings) among(mine []formatReading, at valuePlace, c *cutLine, n int) laidValue {
	kind := c.values[n].kind
	switch {
	case len(mine) == 0:
		return laidValue{uses: useNothing}
	case all(mine, func(r formatReading) bool { return r.isAnswerHeader(at.path) }):
		return laidValue{uses: useAnswer}
	case at.listed, slices.ContainsFunc(mine, func(r formatReading) bool { return r.path != at.path }):
		return laidValue{}
	case all(mine, func(r formatReading) bool { return r.field == fieldWords }):
		switch {
		case n == c.opened:
			return laidValue{uses: useNothing}
		case (kind == leafString || kind == leafText) && isWords(c.inner(n)):
			return laidValue{uses: useWords}
		}
	case kind != leafNumber && kind != leafString, kind == leafString && isNoValue([]byte(c.inner(n))):
	case all(mine, func(r formatReading) bool { return r.field == "time" }):
		return u.ofTime(at.path, mine)
	case all(mine, func(r formatReading) bool { return r.as == asIs && r.use() != 0 }), len(mine) == 1 && mine[0].field == "client_ip":
		return u.fed(at.path, mine)
	case kind == leafString && all(mine, func(r formatReading) bool { return r.as == asRequestLine }):
		v := laidValue{uses: useRequestLine}
		if u.feeds(at.path, "request.url") {
			v.uses |= useURL
		}
		return v
	}
	return laidValue{}
}

// headerName is the name of the header field that the reading finds at a path; "" for none.
func (r formatReading) headerName(path string) string {
	prefix := r.path
	switch r.as {
	case asHeadersBelow:
	case asHeaders, asSomeHeaders:
		prefix += "."
	default:
		return ""
	}
	name, ok := strings.CutPrefix(path, prefix)
	if !ok || strings.Contains(name, ".") {
		return ""
	}
	return strings.ToLower(strings.ReplaceAll(name, "_", "-"))
}

// isAnswerHeader is true for a header field of the answer that says nothing about a success.
func (r formatReading) isAnswerHeader(path string) bool {
	name := r.headerName(path)
	return r.field == "response.headers" && name != "" && !strings.Contains(name, "authenticate")
}

// isRequestHeader is true for a header field of the request by which no exchange is placed.
func (r formatReading) isRequestHeader(path string) bool {
	if r.field != "request.headers" {
		return false
	}
	switch r.headerName(path) {
	case "", "authorization", "host", "content-type", "user-agent":
		return false
	}
	return true
}

// use is that of a field whose value is taken as it is, or as the part of one; 0 for a field that decides more.
func (r formatReading) use() uses {
	switch r.field {
	case "id":
		return useID
	case "request_id":
		return useRequestID
	case "trace_id":
		return useTraceID
	case "client_ip":
		return useClientIP
	case "user_agent":
		return useUserAgent
	case "client_id":
		return useClientID
	case "service":
		return useService
	case "request.url":
		return useURL
	case "request.url.scheme":
		return useScheme
	case "request.url.host":
		return useHost
	case "request.url.port":
		return usePort
	case "request.url.path":
		return usePath
	case "request.url.query":
		return useQuery
	}
	return 0
}

// fed is the use of a value that is taken whatever it says: for those fields that no other had before.
func (u *lineReadings) fed(path string, mine []formatReading) laidValue {
	v := laidValue{}
	for _, r := range mine {
		if u.feeds(path, r.field) {
			v.uses |= r.use()
			v.as = r.as
		}
	}
	if v.uses == 0 && (all(mine, func(r formatReading) bool { return r.as == asIs }) || u.comesAfter(mine)) {
		v.uses = useNothing
	}
	return v
}

// ofTime is the use of a time: it is the one that is taken, or comes after it.
func (u *lineReadings) ofTime(path string, mine []formatReading) laidValue {
	switch n := u.taken("time"); {
	case n >= 0 && u.readings[n].path == path:
		return laidValue{uses: useTime, as: u.readings[n].as}
	case u.comesAfter(mine):
		return laidValue{uses: useNothing}
	}
	return laidValue{}
}

// taken is the last reading that can have found a field; -1 for none.
func (u *lineReadings) taken(field string) (last int) {
	last = -1
	at := slices.IndexFunc(u.log.trace, func(f found) bool { return f.Field == field })
	if at < 0 {
		return last
	}
	for n, r := range u.readings {
		if r.field == field && r.path == u.log.trace[at].Path && r.by == u.log.trace[at].By {
			last = n
		}
	}
	return last
}

// comesAfter is true for readings of one field, all of which are tried when it is found already.
func (u *lineReadings) comesAfter(mine []formatReading) bool {
	last := u.taken(mine[0].field)
	return last >= 0 && slices.Index(u.readings, mine[0]) > last
}

func all(list []formatReading, is func(r formatReading) bool) bool {
	return !slices.ContainsFunc(list, func(r formatReading) bool { return !is(r) })
}
