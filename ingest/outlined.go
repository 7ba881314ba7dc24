package ingest

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
)

// The straight way of a native record: from the outline of its text into the record that is stored, with the redactor at
// each value and no maps between. What is odd, faulty, long or holds several raw tokens is left to the way that all formats
// share, and a fuzz target holds the two to the same result.

// An outlinedRecord is a record whose outline says where its members stand.
type outlinedRecord struct {
	*outline
	w     walk
	room  *batchRoom      // for all but the texts
	e     encoder         // writes what is stored while it is read
	data  []byte          // the text of the record
	texts strings.Builder // of the record that are not remembered: one piece of memory for all
	all   string          // a part of data of which several texts are needed
	from  uint32          // where it stands
	left  bool            // to the way that all formats share

	altered bool // something of the part that is read is not written as it came, or is something for the last net
}

// A recordRoom is the memory of a record with all that it can have.
type recordRoom struct {
	record            classify.Record
	request           classify.Request
	response          classify.Response
	assertion, access classify.JWT
}

// decodeNative makes a record of a part in which a native record is expected; read is for the members of any other.
func (r *Redactor) decodeNative(p part, read func(map[string]any) (decoded, *fault)) (decoded, *fault) {
	if p.outline != nil {
		if d, ok := r.decodeOutlined(p); ok {
			return d, nil
		}
	}
	return r.decodePart(p, read)
}

// decodeOutlined is decodeNative without maps; ok is false for what it leaves to the other way.
func (r *Redactor) decodeOutlined(p part) (d decoded, ok bool) {
	if len(p.raw) > maxQuick || r.shapes.mayMap(p.raw) || !p.outline.isNative() {
		return decoded{}, false
	}
	if p.room == nil {
		p.room = &batchRoom{}
	}
	o := outlinedRecord{w: walk{Redactor: r}, room: p.room, outline: p.outline, data: p.raw}
	at, utc := utcTime(o.time.inner(o.data))
	if !utc {
		var f *fault
		if at, f = timeOf(o.text(o.time)); f != nil {
			return decoded{}, false
		}
	}
	o.texts.Grow(textsRoom)
	o.texts.WriteString(idPrefix) // the id comes next
	room := &o.room.records.take(1)[:1][0]
	rec := &room.record
	rec.Time = at
	o.e = encoder{b: o.room.stored.take(len(p.raw) + storedRoom), ok: true, last: r}
	o.begin(at, utc)
	o.read(room)
	if o.left || len(o.w.found) > 1 || o.w.failed { // which of several tokens is the one that counts depends on their order
		return decoded{}, false
	}
	d = decoded{at: at, record: rec, stored: o.e.b}
	named := rec.ClientID == "" && o.w.user != "" && o.isTokenRequest()
	if named {
		rec.ClientID = o.w.user
	}
	if named || len(o.w.found) > 0 || o.e.hold || !o.e.ok { // something comes into the record that is not written
		o.w.place(rec)
		d.record, d.stored = o.w.finish(rec)
	}
	switch texts := o.texts.String(); {
	case d.record.ID != "" && strings.HasPrefix(texts[len(idPrefix):], d.record.ID):
		d.key = texts[:len(idPrefix)+len(d.record.ID)]
	case d.record.ID != "":
		d.key = idPrefix + d.record.ID
	default:
		d.key = r.contentKey("response", o.value(leaf{from: 0, to: uint32(len(p.raw)), kind: leafObject}))
	}
	return d, true
}

// idPrefix comes before a record's id in its key.
const idPrefix = "id:"

// storedRoom is how much longer a record may become by what is written in the place of values; beyond it its memory grows.
const storedRoom = 64

// textsRoom is about what the ids, times and addresses of a record and the names in its token take.
const textsRoom = 320

// isNative knows a native record that can be read from its outline.
func (o *outline) isNative() bool {
	object := func(l leaf) bool { return !l.given() || l.kind == leafObject }
	switch {
	case o.odd, o.time.kind != leafString, !object(o.request), !object(o.response), !object(o.requestHeaders), !object(o.responseHeaders):
		return false
	case o.uri.given() && !o.url.given():
		return false
	}
	return o.request.given() || o.response.given() || o.clientAssertion.given() || o.accessToken.given()
}

// begin writes the time, most often as it came: what is stored has no zero at the end of a fraction.
func (o *outlinedRecord) begin(at time.Time, utc bool) {
	if text := o.time.inner(o.data); utc && text[len(text)-2] != '0' {
		o.e.b = append(append(append(o.e.b, `{"time":"`...), text...), '"')
		return
	}
	o.e.begin(at)
}

// read fills in the members of the record and writes them, in the order in which they are stored.
func (o *outlinedRecord) read(room *recordRoom) {
	rec := &room.record
	rec.ID, rec.Provider, rec.Environment = o.once(`"id":`, o.id), o.identity(`"provider":`, o.provider), o.identity(`"environment":`, o.environment)
	rec.Service, rec.ClientID = o.identity(`"service":`, o.service), o.identity(`"client_id":`, o.clientID)
	rec.RequestID, rec.TraceID = o.joinID(`"request_id":`, o.requestID), o.joinID(`"trace_id":`, o.traceID)
	rec.ClientIP, rec.UserAgent = o.identity(`"client_ip":`, o.clientIP), o.running(`"user_agent":`, o.userAgent)
	if o.request.given() {
		rec.Request = &room.request
		o.readRequest(&room.request)
	}
	if o.response.given() {
		rec.Response = &room.response
		o.readResponse(&room.response)
	}
	o.w.side, o.w.name = sideRequest, ""
	rec.ClientAssertion = o.token("client_assertion", o.clientAssertion, o.assertionParts, &room.assertion)
	rec.AccessToken = o.presented(&room.access)
	o.w.side = sideRecord
	rec.Error = o.running(`"error":`, o.errorText)
	o.e.close()
}

// readRequest reads what a client sent, which it most often sends again.
func (o *outlinedRecord) readRequest(q *classify.Request) {
	o.e.name(`"request":`)
	digest, known := o.w.parts.find(partRequest, o.request.of(o.data))
	if known != nil {
		o.e.b = append(o.e.b, known.stored...)
		*q = *known.request
		return
	}
	from := len(o.e.b)
	o.w.side, o.altered = sideRequest, false
	o.e.b = append(o.e.b, '{')
	q.Method, q.URL = o.identity(`"method":`, o.method), o.address(`"url":`, o.url)
	q.Headers, q.Body = o.sentHeaders(o.requestHeaders), o.body(o.requestBody)
	o.e.close()
	if o.cameAgain(digest, o.request, from) {
		o.remember(digest, &knownPart{kind: partRequest, request: &classify.Request{
			Method: strings.Clone(q.Method), URL: strings.Clone(q.URL), Headers: cloneHeaders(q.Headers), Body: slices.Clone(q.Body),
		}}, o.request, from)
	}
}

// cameAgain is true for a part that is not met for the first time, when all that was written of it, from there on, is as it came and
// nothing was left out: no name lacks its quotes.
func (o *outlinedRecord) cameAgain(digest uint64, l leaf, from int) bool {
	quotes := func(text []byte) int { return bytes.Count(text, []byte{'"'}) }
	return !o.altered && !o.left && !o.w.failed && o.w.parts.again(digest) && quotes(o.e.b[from:]) == quotes(l.of(o.data))
}

// remember keeps what was made of a part.
func (o *outlinedRecord) remember(digest uint64, part *knownPart, l leaf, from int) {
	part.text, part.stored = string(l.of(o.data)), string(o.e.b[from:])
	o.w.parts.keep(digest, part)
}

func (o *outlinedRecord) readResponse(a *classify.Response) {
	status, ok := statusOf(o.scalar(o.status))
	o.left = o.left || !ok
	o.w.side = sideResponse
	o.e.open(`"response":`)
	o.e.status(status)
	a.Status = status
	a.Headers, _ = o.headers(o.responseHeaders)
	a.Body = o.body(o.responseBody)
	o.e.close()
}

// text is what a string holds.
func (o *outlinedRecord) text(l leaf) string {
	if l.kind == leafText {
		return decodeText(string(l.inner(o.data)))
	}
	if o.holds(l) {
		return o.all[l.from+1-o.from : l.to-1-o.from]
	}
	return o.copied(l.inner(o.data))
}

// copied is a text that outlives the body of the request.
func (o *outlinedRecord) copied(text []byte) string {
	from := o.texts.Len()
	if from+len(text) > o.texts.Cap() {
		return string(text) // growing would copy all others
	}
	o.texts.Write(text)
	return o.texts.String()[from:]
}

// scalar is a member as text before redaction, as fields.raw has it.
func (o *outlinedRecord) scalar(l leaf) string {
	switch l.kind {
	case leafAbsent, leafNull:
		return ""
	case leafString, leafText:
		return o.text(l)
	case leafNumber, leafBool:
		return o.copied(l.of(o.data))
	}
	o.left = true
	return ""
}

// looked is a member redacted as running text, and what it was before.
func (o *outlinedRecord) looked(l leaf) (raw, text string, known *knownText) {
	if l.kind == leafString {
		if known = o.w.clean.findBytes(l.inner(o.data)); known != nil && !o.w.failed {
			return known.text, known.text, known
		}
	}
	raw = o.scalar(l)
	text, known = o.w.lookAt(raw)
	return raw, text, known
}

func (o *outlinedRecord) identity(name string, l leaf) string {
	raw, text, _ := o.looked(l)
	return o.put(name, l, raw, o.w.short(text))
}

// once is identity for what is not remembered.
func (o *outlinedRecord) once(name string, l leaf) string {
	raw := o.scalar(l)
	return o.put(name, l, raw, o.w.identity(raw))
}

func (o *outlinedRecord) joinID(name string, l leaf) string {
	raw := o.scalar(l)
	return o.put(name, l, raw, joinIDOf(o.w.identity(raw)))
}

func (o *outlinedRecord) running(name string, l leaf) string {
	raw, text, _ := o.looked(l)
	return o.put(name, l, raw, cutText(text, maxString))
}

func (o *outlinedRecord) address(name string, l leaf) string {
	raw := o.scalar(l)
	if o.w.isPlainURL(raw) {
		return o.put(name, l, raw, raw)
	}
	text := cutText(o.w.url(raw, 0), maxString)
	o.e.field(name, text)
	o.altered = o.altered || text != raw || o.e.hold
	return text
}

// put writes a text of which raw was looked at as running text.
func (o *outlinedRecord) put(name string, l leaf, raw, text string) string {
	if text != "" {
		o.e.name(name)
		o.write(l, raw, text)
	}
	return text
}

// write is put without a name. A text that is left as it was is nothing for the last net: all nets have been laid over it.
func (o *outlinedRecord) write(l leaf, raw, text string) {
	switch {
	case text != raw:
		o.e.text(text)
		o.altered = true
	case l.kind == leafString:
		o.e.b = append(o.e.b, l.of(o.data)...)
	default:
		o.e.b = appendText(o.e.b, text)
	}
}

// whole makes all texts in a value parts of one.
func (o *outlinedRecord) whole(l leaf) {
	if !o.holds(l) {
		o.all, o.from = string(l.of(o.data)), l.from
	}
}

func (o *outlinedRecord) holds(l leaf) bool {
	return l.from >= o.from && int(l.to-o.from) <= len(o.all)
}

// value is the value of a member as the parser has it.
func (o *outlinedRecord) value(l leaf) any {
	o.whole(l)
	p := parser{data: l.of(o.data), text: o.all[l.from-o.from : l.to-o.from]}
	v, f := p.value(0)
	o.left = o.left || f != nil
	return v
}

// isTokenRequest is true when the body of the request names a grant type.
func (o *outlinedRecord) isTokenRequest() bool {
	return o.requestBody.given() && isTokenBody(o.value(o.requestBody))
}
