package ingest

import (
	"encoding/json"
	"strings"

	"authwatch/classify"
)

// The straight way of a native record: from the outline of its text into the record that is stored, with the redactor at
// each value and no maps between. What is odd, faulty, long or holds several raw tokens is left to the way that all formats
// share, and a fuzz target holds the two to the same result.

// An outlinedRecord is a record whose outline says where its members stand.
type outlinedRecord struct {
	*outline
	w    walk
	data []byte // the text of the record
	all  string // the same: what needs no decoding is a part of it
	left bool   // to the way that all formats share
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
	if len(p.raw) > maxQuick || len(r.shapes.mappings) > 0 || !p.outline.isNative() {
		return decoded{}, false
	}
	o := outlinedRecord{w: walk{Redactor: r}, outline: p.outline, data: p.raw, all: string(p.raw)}
	at, f := timeOf(o.text(o.time))
	if f != nil {
		return decoded{}, false
	}
	room := &recordRoom{}
	rec := &room.record
	rec.Time = at
	o.read(room)
	if o.left || len(o.w.found) > 1 || o.w.failed { // which of several tokens is the one that counts depends on their order
		return decoded{}, false
	}
	if rec.ClientID == "" && o.w.user != "" && o.isTokenRequest() {
		rec.ClientID = o.w.user
	}
	o.w.place(rec)
	d = decoded{at: at}
	d.record, d.stored = o.w.finish(rec)
	d.key = "id:" + d.record.ID
	if d.record.ID == "" {
		d.key = r.contentKey("response", o.value(leaf{from: 0, to: uint32(len(p.raw)), kind: leafObject}))
	}
	return d, true
}

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

// read fills in the members of the record, in the order in which fields do.
func (o *outlinedRecord) read(room *recordRoom) {
	rec := &room.record
	rec.ID, rec.Provider, rec.Environment = o.identity(o.id), o.identity(o.provider), o.identity(o.environment)
	rec.Service, rec.ClientID = o.identity(o.service), o.identity(o.clientID)
	rec.RequestID, rec.TraceID = joinIDOf(o.identity(o.requestID)), joinIDOf(o.identity(o.traceID))
	rec.ClientIP, rec.UserAgent, rec.Error = o.identity(o.clientIP), o.running(o.userAgent), o.running(o.errorText)
	if o.request.given() {
		o.w.side = sideRequest
		room.request = classify.Request{
			Method: o.identity(o.method), URL: cutText(o.w.url(o.scalar(o.url), 0), maxString), Headers: o.headers(o.requestHeaders), Body: o.body(o.requestBody),
		}
		rec.Request = &room.request
	}
	if o.response.given() {
		o.w.side = sideResponse
		status, ok := statusOf(o.scalar(o.status))
		o.left = o.left || !ok
		room.response = classify.Response{Status: status, Headers: o.headers(o.responseHeaders), Body: o.body(o.responseBody)}
		rec.Response = &room.response
	}
	o.w.side, o.w.name = sideRequest, ""
	rec.ClientAssertion = o.token("client_assertion", o.clientAssertion, &room.assertion)
	rec.AccessToken = o.token("access_token", o.accessToken, &room.access)
}

// text is what a string holds.
func (o *outlinedRecord) text(l leaf) string {
	text := o.all[l.from+1 : l.to-1]
	if l.kind == leafText {
		text = decodeText(text)
	}
	return text
}

// scalar is a member as text before redaction, as fields.raw has it.
func (o *outlinedRecord) scalar(l leaf) string {
	switch l.kind {
	case leafAbsent, leafNull:
		return ""
	case leafString, leafText:
		return o.text(l)
	case leafNumber, leafBool:
		return o.all[l.from:l.to]
	}
	o.left = true
	return ""
}

func (o *outlinedRecord) identity(l leaf) string { return o.w.identity(o.scalar(l)) }

func (o *outlinedRecord) running(l leaf) string { return cutText(o.w.text(o.scalar(l)), maxString) }

// value is the value of a member as the parser has it.
func (o *outlinedRecord) value(l leaf) any {
	p := parser{data: o.data[l.from:l.to], text: o.all[l.from:l.to]}
	v, f := p.value(0)
	o.left = o.left || f != nil
	return v
}

// isTokenRequest is true when the body of the request names a grant type.
func (o *outlinedRecord) isTokenRequest() bool {
	return o.requestBody.given() && isTokenBody(o.value(o.requestBody))
}

func (o *outlinedRecord) headers(l leaf) classify.Headers {
	if !l.given() {
		return nil
	}
	out := make(classify.Headers, 8)
	for m := o.inside(l); m.next(); {
		lower := strings.ToLower(o.text(m.name))
		shown := o.w.text(lower)
		if _, twice := out[shown]; twice {
			o.left = true
			return nil
		}
		switch m.value.kind {
		case leafObject, leafArray:
			out[shown] = o.w.header(lower, o.value(m.value))
		case leafNull:
			out[shown] = ""
		default:
			out[shown] = o.w.headerText(lower, o.scalar(m.value))
		}
	}
	return out
}

// body redacts a body. Nearly all bodies need no redaction: those are written as they are, in the order of their names.
func (o *outlinedRecord) body(l leaf) classify.Body {
	if !l.given() {
		return nil
	}
	if l.kind == leafString || l.kind == leafText {
		return classify.Body(compactJSON(cutStrings(o.w.body(o.text(l)))))
	}
	before := o.w
	clean, ok := o.appendClean(make([]byte, 0, l.to-l.from), l)
	if ok {
		return clean
	}
	o.w = before
	return classify.Body(compactJSON(cutStrings(o.w.body(o.value(l)))))
}

// token reads a decoded token into room, or a raw one, which is found there and placed like any other.
func (o *outlinedRecord) token(name string, l leaf, room *classify.JWT) *classify.JWT {
	switch l.kind {
	case leafAbsent, leafNull:
	case leafString, leafText:
		o.w.name = name
		o.w.secret(secretToken, o.text(l), 0)
		o.w.name = ""
	case leafObject:
		o.decodedToken(l, room)
		return room
	default:
		o.left = true
	}
	return nil
}

// decodedToken reads {"header","claims"} as walk.decodedToken does.
func (o *outlinedRecord) decodedToken(l leaf, t *classify.JWT) {
	var header, claims, payload, malformed leaf
	for m := o.inside(l); m.next(); {
		var at *leaf
		switch o.text(m.name) {
		case "header":
			at = &header
		case "claims":
			at = &claims
		case "payload":
			at = &payload
		case "malformed":
			at = &malformed
		default:
			continue
		}
		if at.kind == leafAbsent { // of a name that occurs twice the first counts
			*at = m.value
		}
	}
	if claims.kind == leafAbsent {
		claims = payload
	}
	if malformed.kind == leafString || malformed.kind == leafText {
		t.Malformed = o.text(malformed)
	}
	object := func(l leaf) bool { return !l.given() || l.kind == leafObject }
	t.Malformed = malformedToken(t.Malformed, object(header), object(claims))
	t.Header, t.Claims = o.claimSet(header, o.w.Redactor.headers), o.claimSet(claims, o.w.claims)
	t.Malformed = o.w.text(t.Malformed)
}

// claimSet applies the allow-list to the members of an object; nil for what is none.
func (o *outlinedRecord) claimSet(l leaf, allowed map[string]bool) classify.Object {
	if l.kind != leafObject {
		return nil
	}
	out := make(classify.Object, 8)
	for m := o.inside(l); m.next(); {
		name := o.text(m.name)
		if _, twice := out[name]; twice {
			continue
		}
		if o.w.text(name) != name {
			o.left = true
			return nil
		}
		out[name] = o.claim(name, m.value, allowed[name])
	}
	return out
}

// claim redacts one claim or header parameter; one that is not allowed keeps its type only.
func (o *outlinedRecord) claim(name string, l leaf, allowed bool) any {
	switch {
	case l.kind == leafNull:
		return nil
	case !l.isScalar() || name == "cnf" || name == "jwk" || name == "epk":
		return o.w.claim(name, o.value(l), allowed)
	case l.kind == leafBool && allowed:
		return o.all[l.from] == 't'
	case l.kind == leafNumber && allowed:
		return json.Number(o.all[l.from:l.to])
	case allowed:
		return o.w.text(o.text(l))
	case l.kind == leafBool:
		return "boolean"
	case l.kind == leafNumber:
		return "number"
	}
	return o.w.noteText(o.text(l))
}
