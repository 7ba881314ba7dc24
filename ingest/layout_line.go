package ingest

import (
	"strings"
	"time"

	"authwatch/classify"
)

// decodeLine reads what is no native record: a line of an access log in text, or a record of another format.
func (i *reader) decodeLine(b *batch, p part, e endpoint) (decoded, *fault) {
	r := b.redactor
	if len(p.raw) > maxKnownToken || r.shapes.mayMap(p.raw) {
		return e.read(r, p)
	}
	c := i.layouts.cuts.Get().(*cutLine)
	defer i.layouts.cuts.Put(c)
	if p.access != nil {
		if d, ok := i.readAccess(b, c, p); ok {
			return d, nil
		}
		return e.read(r, p)
	}
	if p.outline == nil || p.outline.isNative() || !c.cut(p.raw) {
		return e.read(r, p)
	}
	return i.decodeForeign(b, c, p, e)
}

// decodeForeign reads a record that is not native: like a line that is known, or else the whole way.
func (i *reader) decodeForeign(b *batch, c *cutLine, p part, e endpoint) (decoded, *fault) {
	var d decoded
	l := i.layouts.find(c)
	if l != nil && l.isPlain(c) && l.writeKey(c) {
		if known := i.layouts.line(c).Load(); known != nil && known.layout == l && known.key == string(c.key) && i.readLike(b, c, known, &d) {
			i.layouts.found.Add(1)
			return d, nil
		}
	}
	said := d.waits
	d, f := e.read(b.redactor, p)
	if f == nil {
		d.waits = said
		i.learn(b.redactor, c, l, p, &d)
	}
	return d, f
}

// readLike reads a line like a known one: the whole way would make the same record of both, but for its time and ids, whose address it came from
// and what it went to.
func (i *reader) readLike(b *batch, c *cutLine, known *likeLine, d *decoded) (ok bool) {
	return known.read(b.redactor, c, d) && i.settleLike(b, c, d, known.layout.partly)
}

// settleLike notes what the exchange of a line leaves behind. It is kept whole where a token may still come for it, which one that was read
// partly cannot be.
func (i *reader) settleLike(b *batch, c *cutLine, d *decoded, partly bool) (ok bool) {
	e, ok := i.locate(&c.record)
	if !ok || e.Outcome == classify.Failed {
		return false
	}
	switch {
	case lacksToken(e) && i.waits(b, &d.waits), c.record.ID != "" && c.record.Response.Status/100 != 2: // see decoded.content
		d.record = c.keep()
		d.stored = encodeRecord(d.record)
		return !partly
	case e.Outcome == classify.Accepted:
		return i.settleAccepted(b, c, &e, d)
	}
	return true
}

// read makes the record of a line that is like the known one, in the room of the cut line, and says when it was and by which key it is delivered.
func (known *likeLine) read(r *Redactor, c *cutLine, d *decoded) (ok bool) {
	c.record = *known.record
	if c.record.Request != nil {
		c.request = *c.record.Request
		c.record.Request = &c.request
	}
	if d.at, ok = known.layout.fill(&walk{Redactor: r}, c, &c.record, known.url); !ok {
		return false
	}
	if d.key = "id:" + c.record.ID; c.record.ID == "" {
		d.key = r.canonicalKey("response", known.layout.canonical(c))
	}
	return true
}

// keep is the record in memory of its own.
func (c *cutLine) keep() *classify.Record {
	record, request := c.record, c.request
	if record.Request != nil {
		record.Request = &request
	}
	return &record
}

// readAccess reads a line of an access log in text, all of which stands in its fields.
func (i *reader) readAccess(b *batch, c *cutLine, p part) (d decoded, ok bool) {
	w := walk{Redactor: b.redactor, side: sideRequest}
	c.record, c.request, c.response = classify.Record{Request: &c.request, Response: &c.response}, classify.Request{}, classify.Response{}
	var url addressParts
	for _, f := range p.access {
		text := scalarText(f.value)
		if text == "" || text == "-" {
			continue
		}
		ok := true
		switch f.field {
		case "time", "time.local":
			var fault *fault
			d.at, fault = timeOf(text)
			c.record.Time, ok = d.at, fault == nil
		case "client_ip":
			c.record.ClientIP, ok = text, len(text) <= maxIdentity && w.isUnchanged(text)
		case "user_agent":
			c.record.UserAgent, ok = text, w.isUnchanged(text)
		case "request.method":
			c.request.Method, ok = text, w.isUnchanged(text)
		case "request.url":
			url.whole = text
		case "request.url.host":
			url.host = text
		case "response.status":
			c.response.Status, ok = statusOf(text)
		}
		if !ok {
			return d, false
		}
	}
	c.request.URL = url.join()
	if d.at.IsZero() || c.request.Method == "" || c.request.URL == "" || !w.isCleanAddress(c.request.URL) {
		return d, false
	}
	d.key = b.redactor.canonicalKey("response", p.raw)
	return d, i.settleLike(b, c, &d, false)
}

// settleAccepted notes what an accepted exchange leaves behind.
func (i *reader) settleAccepted(b *batch, c *cutLine, e *classify.Exchange, d *decoded) (ok bool) {
	c.facts = e.AppendFacts(c.facts[:0])
	shared, ok := i.knownFacts(c.facts)
	if ok {
		d.success = success{site: i.site(e), seen: i.look(e, nil), shared: shared}
	}
	return ok
}

// locate places a record. One at which the classifier panics is left to the whole way, which reports it.
func (i *reader) locate(r *classify.Record) (e classify.Exchange, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return i.classifier.Locate(r), true
}

// fill puts the values of a line into the record of one like it, which went to that URL. ok is false when redaction would change any of them, or one is not
// what the layout says.
func (l *layout) fill(w *walk, c *cutLine, record *classify.Record, url addressParts) (at time.Time, ok bool) {
	for n := range l.values {
		v := &l.values[n]
		if v.uses&^(useNothing|useAnswer|useWords) == 0 {
			continue
		}
		text := c.inner(n)
		if v.uses&useHeader != 0 && !w.isCleanHeader(v.header, text) {
			return at, false
		}
		switch {
		case v.uses == useHeader:
		case v.uses&useTime != 0:
			if at, ok = l.when.read(v.as, text, c.values[n].kind); !ok {
				return at, false
			}
			record.Time = at
		case v.uses&useRequestLine != 0:
			if v.uses&useURL != 0 {
				_, url.whole, _ = requestLine(text)
			}
		case v.uses&(useURL|useScheme|useHost|usePort|usePath|useQuery) != 0:
			url.set(v.uses, text)
		default:
			if !w.fillText(v, text, record) {
				return at, false
			}
		}
	}
	if l.uses&(useURL|useScheme|useHost|usePort|usePath|useQuery) == 0 {
		return at, true
	}
	address := url.join()
	if record.Request == nil {
		return at, address == ""
	}
	record.Request.URL = address
	w.side = sideRequest
	return at, w.isCleanAddress(address)
}

func (w *walk) isCleanAddress(url string) bool { return w.isCleanURL(url) && !w.mayHoldShape(url) }

// fillText puts a text into the fields that it is read for.
func (w *walk) fillText(v *laidValue, text string, record *classify.Record) bool {
	switch v.as {
	case asFirst:
		text, _, _ = strings.Cut(text, ",")
		text = strings.TrimSpace(text)
	case asAddress:
		text = withoutPort(text)
	}
	if text == "" || text == "-" {
		return false
	}
	switch {
	case v.uses&^useUserAgent != 0 && len(text) > maxIdentity, v.uses&(useRequestID|useTraceID) != 0 && joinIDOf(text) != text:
		return false
	case !w.isPlainID(text) && !w.isUnchanged(text):
		return false
	}
	for _, field := range [...]struct {
		use uses
		to  *string
	}{{useID, &record.ID}, {useRequestID, &record.RequestID}, {useTraceID, &record.TraceID}, {useClientIP, &record.ClientIP}, {useUserAgent, &record.UserAgent}, {useService, &record.Service}} {
		if v.uses&field.use != 0 {
			*field.to = text
		}
	}
	if v.uses&useClientID != 0 {
		record.ClientID = strings.Clone(text) // whose it was is remembered for longer than the line
	}
	return true
}

// isCleanHeader is true for a field of the request that redaction leaves as it is, and in which it finds nothing to know.
func (w *walk) isCleanHeader(name, s string) bool {
	w.side = sideRequest
	defer func() { w.side = sideRecord }()
	return w.headerText(name, s) == s && len(w.found) == 0 && !w.failed && w.user == "" && !w.mayHoldShape(s)
}

// isUnchanged is true for a text that redaction leaves as it is, whatever stands beside it.
func (w *walk) isUnchanged(s string) bool {
	return len(s) <= maxString && w.text(s) == s && len(w.found) == 0 && !w.failed && !w.mayHoldShape(s)
}

// set notes a part of a URL.
func (u *addressParts) set(part uses, text string) {
	for _, field := range [...]struct {
		use uses
		to  *string
	}{{useURL, &u.whole}, {useScheme, &u.scheme}, {useHost, &u.host}, {usePort, &u.port}, {usePath, &u.path}, {useQuery, &u.query}} {
		if part&field.use != 0 {
			*field.to = text
		}
	}
}

// A timeForm is how the times of one log are written. Times of one form are all understood by the same readings.
type timeForm struct {
	kind   timeKind
	digits int // before the point
}

type timeKind uint8

const (
	timeOther  timeKind = iota
	timeRFC             // RFC 3339
	timeText            // another form that names its zone
	timeNumber          // digits
)

// timeFormOf is the form of a time.
func timeFormOf(text string, kind leafKind) timeForm {
	if kind == leafString {
		if _, ok := rfc3339(text); ok {
			return timeForm{kind: timeRFC}
		}
		if _, ok := logTime(text); ok {
			return timeForm{kind: timeText}
		}
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if strings.Trim(whole, "0123456789") != "" || strings.Trim(fraction, "0123456789") != "" || whole == "" || len(text) > 32 {
		return timeForm{}
	}
	return timeForm{kind: timeNumber, digits: len(whole)}
}

// read understands a time of that form; ok is false for any other.
func (f timeForm) read(as reading, text string, kind leafKind) (at time.Time, ok bool) {
	if f.kind == timeRFC {
		if kind != leafString {
			return at, false
		}
		if at, ok = utcTime(text); ok {
			return at, true
		}
	}
	if timeFormOf(text, kind) != f {
		return at, false
	}
	if f.kind != timeRFC {
		value, ok := as.read(text)
		if !ok {
			return at, false
		}
		text, _ = value.(string)
	}
	at, fault := timeOf(text)
	return at, fault == nil
}
