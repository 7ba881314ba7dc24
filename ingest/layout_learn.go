package ingest

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"authwatch/classify"
)

// learn remembers a line that went the whole way, for those like it. The layout is what is known of such lines already, if anything.
func (i *Ingester) learn(r *Redactor, c *cutLine, l *layout, p part, d *decoded) {
	record := d.record
	if record == nil || record.Response == nil || record.AccessToken != nil || record.ClientAssertion != nil || l != nil && !l.isPlain(c) {
		return
	}
	if e, ok := i.locate(record); !ok || e.Outcome == classify.Failed || !i.layouts.mayLearn() {
		return
	}
	last := encoder{ok: true, last: r}
	if last.record(record); !last.ok || last.hold { // the last net may look at more than one text at a time
		return
	}
	own, url := r.shapes.layoutOf(c, p.raw)
	switch {
	case own == nil:
		return
	case l == nil || own.open() > l.open(): // the first line may have been an odd one
		l = own
		i.layouts.slot(c).Store(l)
	case !slices.Equal(own.values, l.values) || own.when != l.when || own.status != l.status:
		return
	}
	if !l.isPlain(c) || !l.writeKey(c) || l.partly && record.Request != nil && record.Request.Body != nil {
		return
	}
	known := &likeLine{layout: l, key: string(c.key), record: record, url: url}
	var again decoded
	if known.read(r, c, &again) && again.key == d.key && again.at.Equal(d.at) && bytes.Equal(encodeRecord(&c.record), encodeRecord(record)) {
		i.layouts.line(c).Store(known)
	}
}

// open is how many values lines may differ in.
func (l *layout) open() (n int) {
	for _, v := range l.values {
		if v.uses != 0 {
			n++
		}
	}
	return n
}

// layoutOf finds out what each value of a line is used for, and what it went to; nil where that cannot be told of a value by itself.
func (s *shapes) layoutOf(c *cutLine, data []byte) (*layout, addressParts) {
	m := layoutReader{scanner: scanner{data: data}, cut: c, ok: true}
	m.append(m.value(valuePlace{}))
	value, f := parseValue(data)
	members, isObject := value.(map[string]any)
	if f != nil || !isObject || !m.ok || m.repeats() || isObjectAt(members, "body") || isObjectAt(members, "message") {
		return nil, addressParts{}
	}
	log := s.native(members)
	if len(log.levels) != 1 || log.logLine { // native, or a record in a string
		return nil, addressParts{}
	}
	l := &layout{form: string(c.form), pieces: m.pieces, status: -1}
	u := lineReadings{readings: s.readingsOf(members), log: log}
	for n, at := range m.places {
		v := u.of(at, c, n)
		if v.uses&useTime != 0 {
			l.when = timeFormOf(c.inner(n), c.values[n].kind)
		}
		if !at.listed && u.feeds(at.path, "response.status") {
			l.status = n
		}
		l.values = append(l.values, v)
		l.uses |= v.uses
	}
	l.partly = l.uses&(useAnswer|useHeader) != 0
	if l.status < 0 || l.values[l.status].uses != 0 || l.uses&useTime == 0 || l.when.kind == timeOther {
		return nil, addressParts{}
	}
	return l, log.url
}

func isObjectAt(members map[string]any, name string) bool {
	_, ok := members[name].(map[string]any)
	return ok
}

// A layoutReader notes where in a record the values of its text are.
type layoutReader struct {
	scanner
	cut    *cutLine
	places []valuePlace // of the values, in their order
	pieces []piece
	ok     bool
}

// A valuePlace is the dotted path of a value; that of the list for what is listed.
type valuePlace struct {
	path   string
	listed bool
	deep   bool // in an object in a list
}

// value reads a value, and returns how it is written canonically.
func (m *layoutReader) value(at valuePlace) []piece {
	switch m.peek() {
	case '{':
		return m.members(at)
	case '[':
		at.listed = true
		return m.elements(at)
	}
	n := len(m.places)
	m.places = append(m.places, at)
	m.pos = int(m.cut.values[n].to)
	return []piece{{value: n}}
}

func (m *layoutReader) members(at valuePlace) []piece {
	object := map[string][]piece{}
	for m.pos++; m.peek() != '}' && m.ok; {
		if m.peek() == ',' {
			m.pos++
			m.peek()
		}
		from := m.pos + 1
		plain, _ := m.string()
		name := string(m.data[from : m.pos-1])
		if _, twice := object[name]; twice || !plain || name == "" {
			m.ok = false
			return nil
		}
		m.peek()
		m.pos++ // the colon
		inner := at
		if inner.deep = at.listed; !at.listed {
			inner.path = strings.TrimPrefix(at.path+"."+name, ".")
		}
		object[name] = m.value(inner)
	}
	m.pos++
	out := []piece{{"{", -1}}
	for n, name := range slices.Sorted(maps.Keys(object)) {
		if n > 0 {
			out = append(out, piece{",", -1})
		}
		out = append(append(out, piece{string(appendCanonical(nil, name)) + ":", -1}), object[name]...)
	}
	return append(out, piece{"}", -1})
}

func (m *layoutReader) elements(at valuePlace) []piece {
	out := []piece{{"[", -1}}
	for m.pos++; m.peek() != ']' && m.ok; {
		if m.peek() == ',' {
			m.pos++
			out = append(out, piece{",", -1})
		}
		out = append(out, m.value(at)...)
	}
	m.pos++
	return append(out, piece{"]", -1})
}

// append adds pieces, with texts beside each other in one.
func (m *layoutReader) append(pieces []piece) {
	for _, p := range pieces {
		if last := len(m.pieces) - 1; p.value < 0 && last >= 0 && m.pieces[last].value < 0 {
			m.pieces[last].text += p.text
			continue
		}
		m.pieces = append(m.pieces, p)
	}
}

// repeats is true where one dotted path leads to several values, so that it takes the record itself to say which is read.
func (m *layoutReader) repeats() bool {
	seen := map[string]bool{}
	for _, at := range m.places {
		if listed, twice := seen[at.path]; twice && !(listed && at.listed) {
			return true
		}
		seen[at.path] = at.listed
	}
	return false
}

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

// readingsOf lists all that is tried for a record of these members, in order. A format with several marks is tried again for each, which comes to nothing new.
func (s *shapes) readingsOf(members map[string]any) (out []formatReading) {
	tried := map[string]bool{}
	add := func(f *format) {
		for _, n := range f.names {
			out = append(out, formatReading{n, f.name})
		}
	}
	for n := range s.formats {
		f := &s.formats[n]
		if f.marked(members) && !tried[f.name] {
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
		if (kind == leafString || kind == leafText) && isWords(c.inner(n)) {
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
