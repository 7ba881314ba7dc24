package ingest

import (
	"bytes"
	"hash/maphash"
	"strings"

	"authwatch/classify"
)

// The quick way of a success without a decoded token, where it need not wait for one. A raw token in what the client sent would be
// taken for one that was presented. So all of that is read, by what reads failures, and whatever it finds is left to the whole way; what the
// server answers to a success presents nothing.

// isBare is true for a record without a decoded token.
func (o *outline) isBare() bool { return !o.accessToken.given() && !o.clientAssertion.given() }

// mayJoin is true for a record with an id by which a token that comes apart could be found.
func (o *outline) mayJoin(data []byte) bool {
	for _, l := range [...]leaf{o.requestID, o.traceID} {
		if text, ok := l.plain(data); !ok || joinIDOf(string(text)) != "" {
			return true
		}
	}
	return false
}

// mayBeForm is true for a request whose body could be that of a token request.
func (o *outline) mayBeForm(data []byte) bool {
	body := o.requestBody.of(data)
	return o.requestBody.given() && (bytes.IndexByte(body, '\\') >= 0 || bytes.IndexByte(body, '%') >= 0 ||
		bytes.Contains(body, []byte("grant_type")) || bytes.Contains(body, []byte("client_assertion")))
}

// quickBare reads a success without a token.
func (i *reader) quickBare(b *batch, w *walk, q *quickRecord, p part, d *decoded) (ok bool) {
	if !q.readBeside(w, p) {
		return false
	}
	isGrant := p.outline.mayBeForm(p.raw)
	if !isGrant {
		if isGrant, ok = i.bareCall(b, w, q, p, d); !ok {
			return false
		}
	}
	return !isGrant || i.bareGrant(b, w, q, p, d)
}

// readBeside looks through the texts beside request and response. ok is false for a raw token in one of them. Of a line whose form is known, most have been looked through.
func (q *quickRecord) readBeside(w *walk, p part) (ok bool) {
	o := p.outline
	list := [...]leaf{o.requestID, o.traceID, o.service, o.clientIP, o.errorText, o.userAgent}
	looked := list[:]
	if p.form != nil {
		looked = list[:2]
	}
	w.side = sideRecord
	for _, l := range looked {
		text, ok := l.plain(p.raw)
		if !ok || !w.isLookedThrough(text) {
			return false
		}
	}
	return true
}

// isLookedThrough is false for a text that redaction would change.
func (w *walk) isLookedThrough(text []byte) bool {
	if len(text) < minShape || w.isPlainID(string(text)) || w.clean.findBytes(text) != nil {
		return true
	}
	s := string(text)
	return w.text(s) == s && len(w.found) == 0 && !w.failed
}

// bareCall reads a call, or says that it is a token request.
func (i *reader) bareCall(b *batch, w *walk, q *quickRecord, p part, d *decoded) (isGrant, ok bool) {
	url, ok := p.outline.url.plain(p.raw)
	if !ok {
		return false, false
	}
	known := p.form.callTo(url, i.alike)
	w.side = sideRequest
	if known == nil || string(url) != p.form.url {
		if q.request.URL = string(url); !w.isCleanURL(q.request.URL) {
			return false, false
		}
	}
	if known == nil {
		if known = i.knownBareCall(w, q, p); known == nil {
			return false, false
		}
	}
	d.success = known.success()
	return known.isGrant, true
}

// knownBareCall is knownCall for one without a token.
func (i *reader) knownBareCall(w *walk, q *quickRecord, p part) *knownCall {
	if !q.readSent(w.Redactor, p) || !q.bareCallKey(i.alike, p) {
		return nil
	}
	hash := i.callHash(q.key, nil)
	known := i.findCall(hash, q.key, nil)
	if known != nil {
		i.forms.note(p, known, i.alike)
		return known
	}
	method, _ := p.outline.method.plain(p.raw)
	q.request.Method = string(method)
	if !q.readNames(w, p.outline, p.raw) || !w.isClean(q.request.Method) {
		return nil
	}
	q.readAgent(p)
	e, first, ok := i.place(q)
	if !ok {
		return nil
	}
	isGrant := e.Phase == classify.TokenRequest
	if isGrant {
		first = success{}
	}
	if known = i.newKnownCall(q.key, nil, &first); known != nil {
		known.isGrant = isGrant
		i.calls.keep(hash, known)
	}
	return known
}

// readSent reads what the client sent as it is stored, and keeps those header fields by which a call is placed. ok is false for a raw token anywhere in it.
func (q *quickRecord) readSent(r *Redactor, p part) (ok bool) {
	o := q.reader(r, sideRequest, p)
	headers := o.sentHeaders(p.outline.requestHeaders)
	o.body(p.outline.requestBody)
	q.headers = q.headers[:0]
	for _, field := range headers {
		switch field.Name {
		case "authorization", "user-agent":
			q.headers = append(q.headers, field)
		case "host":
			if !strings.Contains(q.request.URL, "://") {
				q.headers = append(q.headers, field)
			}
		}
	}
	q.request.Headers, q.request.Body = q.headers, nil
	return q.isRead(o)
}

// reader reads parts of a record as they are stored, in the memory of q.
func (q *quickRecord) reader(r *Redactor, side side, p part) *outlinedRecord {
	q.outlined = outlinedRecord{w: walk{Redactor: r, side: side}, room: &q.room, outline: p.outline, data: p.raw, e: encoder{b: append(q.stored[:0], '{'), ok: true, last: r}}
	return &q.outlined
}

// isRead ends a reader. It is false where the whole record has to be read.
func (q *quickRecord) isRead(o *outlinedRecord) bool {
	ok := !o.left && !o.e.hold && o.e.ok && !o.w.failed && (len(o.w.found) == 0 || o.w.side == sideResponse)
	q.stored, q.outlined = o.e.b, outlinedRecord{} // which held on to the body of the request
	return ok
}

// bareCallKey writes down all that a call without a token is placed by: of the URL what makes a difference.
func (q *quickRecord) bareCallKey(alike *classify.Alike, p part) (ok bool) {
	o := p.outline
	if !q.nameKey(o, p.raw) {
		return false
	}
	method, ok := o.method.plain(p.raw)
	q.key = append(append(q.key, method...), '\n')
	for _, name := range [...]string{"authorization", "host", "user-agent"} {
		text := q.headers.Get(name)
		if !ok || strings.IndexByte(text, '\n') >= 0 {
			return false
		}
		q.key = append(append(q.key, text...), '\n')
	}
	q.key = alike.AppendURL(q.key, []byte(q.request.URL))
	return true
}

// nameKey begins a key with whose a record is, and with its user agent.
func (q *quickRecord) nameKey(o *outline, data []byte) (ok bool) {
	q.key = q.key[:0]
	for _, l := range [...]leaf{o.provider, o.environment, o.clientID, o.userAgent} {
		text, ok := l.plain(data)
		if !ok {
			return false
		}
		q.key = append(append(q.key, text...), '\n') // which no plain text has
	}
	return true
}

// readAgent fills in what the record says of the user agent, which readBeside has looked through.
func (q *quickRecord) readAgent(p part) {
	agent, _ := p.outline.userAgent.plain(p.raw)
	q.record.UserAgent = string(agent)
}

// bareGrant reads a granted token.
func (i *reader) bareGrant(b *batch, w *walk, q *quickRecord, p part, d *decoded) bool {
	request, ok := i.request(w.Redactor, p.outline.request.of(p.raw))
	if !ok || !q.readGranted(w.Redactor, p) || !q.nameKey(p.outline, p.raw) {
		return false
	}
	q.key = append(q.key, q.response.Body...)
	hash := maphash.Bytes(i.grants.seed, q.key) ^ request.hash
	known := i.grants.find(hash, func(k *knownGrant) bool { return k.token == nil && k.request == request && k.key == string(q.key) })
	if known == nil {
		if known = i.firstBareGrant(w, q, request, p); known == nil {
			return false
		}
		i.grants.keep(hash, known)
	}
	d.success = success{site: known.site, seen: known.seen, shared: known.facts}
	return true
}

// readGranted reads the body of an answer as it is stored.
func (q *quickRecord) readGranted(r *Redactor, p part) (ok bool) {
	o := q.reader(r, sideResponse, p)
	body := o.body(p.outline.responseBody)
	q.response.Body = body
	return q.isRead(o) && len(body) <= maxKnownToken
}

// firstBareGrant reads a granted token as a whole; nil leaves it to the whole way.
func (i *reader) firstBareGrant(w *walk, q *quickRecord, request *knownRequest, p part) *knownGrant {
	if !q.readNames(w, p.outline, p.raw) {
		return nil
	}
	q.readAgent(p)
	q.request = request.request
	last := encoder{ok: true, last: w.Redactor}
	if last.record(&q.record); last.hold || !last.ok {
		return nil
	}
	if q.record.ClientID == "" {
		q.record.ClientID = request.user
	}
	e, first, ok := i.place(q)
	if !ok || e.Phase != classify.TokenRequest {
		return nil
	}
	facts, ok := i.knownFacts(first.facts)
	if !ok {
		return nil
	}
	return &knownGrant{key: string(q.key), request: request, site: first.site, seen: first.seen, facts: facts}
}
