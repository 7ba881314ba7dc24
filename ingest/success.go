package ingest

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"authwatch/classify"
)

// The quick way of a success. Of an accepted call or a granted token nothing is stored but whose it was, where and when, and what its token adds
// to history; so only that is read, from the outline of its text, and nothing else is built or redacted. It is taken
// only where the whole way would certainly come to the same, which a test holds it to; every doubt is left to that way.

// maxQuick is the longest record that is read quickly; what is longer could be beyond the work that redaction may do.
const maxQuick = 16 << 10

// A quickRecord is the memory in which one success after the other is placed.
type quickRecord struct {
	record   classify.Record
	request  classify.Request
	response classify.Response
	headers  classify.Headers // of whichever of the two needs some
	key      []byte           // of a call, or of a grant
	facts    []classify.Fact  // room for what it says
	varying  varying          // of a grant
	token    classify.JWT     // of a grant like one that is known
	rest     []byte           // of a grant: what it is not known by
	outlined outlinedRecord   // of one without a token: reads what was sent
	stored   []byte           // room for it as it is stored
	room     batchRoom
}

func newQuickRecords() *sync.Pool {
	return &sync.Pool{New: func() any {
		return &quickRecord{}
	}}
}

// A success is a plain success as the batch keeps it.
type success struct {
	site   *site           // nil for one that says nothing of authentication
	facts  []classify.Fact // that it alone says; when the batch has taken it, all that history does not know yet
	own    int             // how many of them are that, when the batch has taken it
	shared []*KnownFact    // that others say as well
	seen   seenLook        // what the exchange shows of its client
}

// quickSuccess reads a native record that is a plain success. ok is false for everything else.
func (i *reader) quickSuccess(b *batch, p part) (d decoded, ok bool) {
	o, r := p.outline, b.redactor
	if len(p.raw) > maxQuick || r.shapes.mayMap(p.raw) || p.form == nil && !o.isPlainSuccess(p.raw) {
		return decoded{}, false
	}
	bare := o.isBare()
	if bare && o.mayJoin(p.raw) && i.late.mayWait(b.at) {
		return decoded{}, false
	}
	if d.at, ok = utcTime(o.time.inner(p.raw)); !ok {
		var f *fault
		if d.at, f = timeOf(string(o.time.inner(p.raw))); f != nil {
			return decoded{}, false
		}
	}
	w := walk{Redactor: r}
	id, ok := o.id.plain(p.raw)
	if !ok {
		return decoded{}, false
	}
	if d.key = "id:" + string(id); len(id) == 0 {
		value, f := parseValue(p.raw)
		if f != nil {
			return decoded{}, false
		}
		d.key = r.contentKey("response", value)
	} else if !w.isClean(d.key[len("id:"):]) {
		return decoded{}, false
	}
	q := i.quick.Get().(*quickRecord)
	defer i.quick.Put(q)
	q.record = classify.Record{Time: d.at, ID: d.key[len("id:"):], Request: &q.request, Response: &q.response}
	if len(id) == 0 {
		q.record.ID = ""
	}
	q.response = classify.Response{Status: 200}
	switch {
	case bare:
		ok = i.quickBare(b, &w, q, p, &d)
	case o.accessToken.given():
		ok = i.quickCall(b, &w, q, p, &d)
	default:
		ok = i.quickGrant(b, &w, q, p, &d)
	}
	return d, ok
}

// place says where a success happened, what it shows of its client and all that it says for history, in the room of q. A record at which the classifier panics is left to the
// whole way, which reports it.
func (i *reader) place(q *quickRecord) (e classify.Exchange, s success, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	e = i.classifier.Locate(&q.record)
	if e.Outcome != classify.Accepted { // what says nothing of authentication only counts as a record
		return e, success{}, e.Outcome == classify.Other
	}
	q.facts = e.AppendFacts(q.facts[:0])
	return e, success{site: i.site(&e), seen: i.look(&e, nil), facts: q.facts}, true
}

// take keeps of what a success says what neither history knows nor the batch has said.
func (b *batch) take(s *success, at time.Time) {
	t := at.UnixNano()
	s.own = len(s.facts)
	for _, k := range s.shared {
		if k.adds(t, k.span()) && b.note(k, t) {
			s.facts = append(s.facts, k.At(at))
		}
	}
}

// note is false when the batch says the fact already.
func (b *batch) note(k *KnownFact, t int64) bool {
	s, ok := b.noted[k]
	if !ok {
		s = span{t, t}
	} else if !k.adds(t, s) {
		return false
	}
	if b.noted == nil {
		b.noted = map[*KnownFact]span{}
	}
	b.noted[k] = span{min(s.from, t), max(s.to, t)}
	return true
}

// isPlainSuccess is true for a native record of an accepted call or of a granted token, with what was presented decoded
// or without it, in which nothing speaks of a failure.
func (o *outline) isPlainSuccess(data []byte) bool {
	switch {
	case o.odd, o.time.kind != leafString, o.uri.given(), o.request.kind != leafObject, o.response.kind != leafObject, o.authenticate.kind != leafAbsent:
		return false
	case o.requestHeaders.given() && o.requestHeaders.kind != leafObject, o.responseHeaders.given() && o.responseHeaders.kind != leafObject:
		return false
	case o.accessToken.given() && o.clientAssertion.given(), o.accessToken.kind > leafNull && o.accessToken.kind != leafObject,
		o.clientAssertion.kind > leafNull && o.clientAssertion.kind != leafObject:
		return false
	}
	for _, l := range [...]leaf{o.service, o.requestID, o.traceID, o.clientIP, o.userAgent, o.errorText} {
		if !l.isScalar() {
			return false
		}
	}
	status := o.status.of(data)
	if o.status.kind == leafString {
		status = o.status.inner(data)
	}
	if len(status) != 3 || status[0] != '2' || status[1]-'0' > 9 || status[2]-'0' > 9 {
		return false
	}
	body := o.responseBody.of(data)
	return !o.responseBody.given() || bytes.IndexByte(body, '\\') < 0 && !bytes.Contains(body, []byte(`"error"`))
}

// readNames fills in whose a success is. ok is false when redaction would change any of it.
func (q *quickRecord) readNames(w *walk, o *outline, data []byte) (ok bool) {
	for _, field := range [...]struct {
		from leaf
		to   *string
	}{{o.provider, &q.record.Provider}, {o.environment, &q.record.Environment}, {o.clientID, &q.record.ClientID}} {
		text, ok := field.from.plain(data)
		if *field.to = string(text); !ok || !w.isClean(*field.to) {
			return false
		}
	}
	return true
}

// quickCall reads an accepted API call.
func (i *reader) quickCall(b *batch, w *walk, q *quickRecord, p part, d *decoded) bool {
	url, ok := p.outline.url.plain(p.raw)
	if !ok {
		return false
	}
	known := p.form.callTo(url, i.alike)
	w.side = sideRequest
	if known == nil || string(url) != p.form.url {
		if q.request.URL = string(url); !w.isCleanURL(q.request.URL) {
			return false
		}
	}
	if known == nil {
		if known = i.knownCall(w, q, p); known == nil {
			return false
		}
	}
	d.success = known.success()
	return true
}

// knownCall returns what is known of calls like one to a clean URL; nil where it has to be read the whole way.
func (i *reader) knownCall(w *walk, q *quickRecord, p part) *knownCall {
	o, data := p.outline, p.raw
	token, ok := i.token(w.Redactor, o.accessToken.of(data))
	if !ok || !q.callKey(i.alike, o, data) {
		return nil
	}
	hash := i.callHash(q.key, token)
	known := i.findCall(hash, q.key, token)
	if known != nil {
		i.forms.note(p, known, i.alike)
		return known
	}
	q.record.AccessToken = token.jwt
	if !q.readCall(w, o, data) {
		return nil
	}
	e, first, ok := i.place(q)
	if !ok || e.Outcome != classify.Accepted || e.Phase != classify.APICall {
		return nil
	}
	if known = i.newKnownCall(q.key, token, &first); known != nil {
		i.calls.keep(hash, known)
	}
	return known
}

// newKnownCall is what is known of a call from its first; nil where each has to be read as a whole.
func (i *reader) newKnownCall(key []byte, token *knownToken, first *success) *knownCall {
	facts, ok := i.knownFacts(first.facts)
	if !ok {
		return nil
	}
	return &knownCall{key: string(key), token: token, site: first.site, seen: first.seen, facts: facts}
}

// callKey writes down all that a call is placed by, but for its token: of the URL what makes a difference.
func (q *quickRecord) callKey(alike *classify.Alike, o *outline, data []byte) (ok bool) {
	q.key = q.key[:0]
	for _, l := range [...]leaf{o.provider, o.environment, o.clientID, o.method, o.authorization, o.host} {
		text, ok := l.plain(data)
		if !ok {
			return false
		}
		q.key = append(append(q.key, text...), '\n') // which no plain text has
	}
	url, ok := o.url.plain(data)
	q.key = alike.AppendURL(q.key, url)
	return ok
}

// readCall fills in what a call is placed by. ok is false when redaction would change any of it.
func (q *quickRecord) readCall(w *walk, o *outline, data []byte) (ok bool) {
	if !q.readNames(w, o, data) {
		return false
	}
	q.headers, q.request.Body = q.headers[:0], nil
	method, _ := o.method.plain(data)
	authorization, _ := o.authorization.plain(data)
	host, _ := o.host.plain(data)
	q.request.Method = string(method)
	if !w.isClean(q.request.Method) || !w.isCleanAuthorization(string(authorization)) {
		return false
	}
	if len(authorization) > 0 {
		q.headers = append(q.headers, classify.Member[string]{Name: "authorization", Value: string(authorization)})
	}
	ok = true
	if len(host) > 0 && !strings.Contains(q.request.URL, "://") {
		q.headers = append(q.headers, classify.Member[string]{Name: "host", Value: string(host)})
		ok = w.isClean(string(host))
	}
	q.request.Headers = q.headers
	return ok
}

// plain is the text of a scalar that needs no decoding.
func (l leaf) plain(data []byte) (text []byte, ok bool) {
	switch l.kind {
	case leafAbsent, leafNull:
		return nil, true
	case leafString:
		return l.inner(data), true
	case leafNumber, leafBool:
		return l.of(data), true
	}
	return nil, false
}

// isClean is true for an identifier that redaction leaves as it is.
func (w *walk) isClean(s string) bool {
	if len(s) > maxIdentity {
		return false
	}
	if w.isPlainID(s) {
		return true
	}
	found := w.traces(s)
	return found == 0 || found == traceEncoded && w.base64Encoded(s, false) == s && len(w.found) == 0
}

func (w *walk) isCleanURL(s string) bool {
	return w.isPlainURL(s) || len(s) <= maxString && w.url(s, 0) == s && w.shapes(s) == s && len(w.found) == 0
}

// isCleanAuthorization knows what shippers log of an accepted call: a scheme and a marker.
func (w *walk) isCleanAuthorization(s string) bool {
	if s == "" {
		return true
	}
	marker, bearer := strings.CutPrefix(s, "Bearer ")
	return bearer && w.isMarker(marker) || w.headerText("authorization", s) == s && w.shapes(s) == s && len(w.found) == 0
}

// tooFar is true for the time of an event that no log can be about.
func tooFar(at, now time.Time) bool {
	return at.Before(now.Add(-maxPast)) || at.After(now.Add(maxAhead))
}
