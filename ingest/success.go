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
}

func newQuickRecords() *sync.Pool {
	return &sync.Pool{New: func() any { return &quickRecord{headers: classify.Headers{}} }}
}

// A success is a plain success as the batch keeps it.
type success struct {
	site  *site
	token *knownToken     // of a call; nil for a granted token, whose assertion is used once
	facts []classify.Fact // nil while history knows them
	seen  seenLook        // what the exchange shows of its client
}

// quickSuccess reads a native record that is a plain success. ok is false for everything else.
func (i *Ingester) quickSuccess(b *batch, p part) (d decoded, ok bool) {
	o, r := p.outline, b.redactor
	if len(p.raw) > maxQuick || len(r.shapes.mappings) > 0 || !o.isPlainSuccess(p.raw) {
		return decoded{}, false
	}
	at, f := timeOf(string(o.time.inner(p.raw)))
	if f != nil || tooFar(at, b.at) {
		return decoded{}, false
	}
	q := i.quick.Get().(*quickRecord)
	defer i.quick.Put(q)
	q.record = classify.Record{Time: at, Request: &q.request, Response: &q.response}
	q.response = classify.Response{Status: 200}
	w := walk{Redactor: r}
	if !q.readNames(&w, o, p.raw) {
		return decoded{}, false
	}
	var token *knownToken
	if o.accessToken.given() {
		token, ok = i.quickCall(&w, q, o, p.raw)
	} else {
		ok = i.quickGrant(&w, q, o, p.raw)
	}
	if !ok {
		return decoded{}, false
	}
	d = decoded{at: at, key: "id:" + q.record.ID}
	if q.record.ID == "" {
		value, f := parseValue(p.raw)
		if f != nil {
			return decoded{}, false
		}
		d.key = r.contentKey("response", value)
	}
	return d, i.quickPlace(b, q, token, &d)
}

// quickPlace says where a success happened, and what it adds to history. A record at which the classifier panics is left
// to the whole way, which reports it.
func (i *Ingester) quickPlace(b *batch, q *quickRecord, token *knownToken, d *decoded) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	e := i.classifier.Locate(&q.record)
	if e.Outcome != classify.Accepted || (e.Phase == classify.APICall) != (token != nil) || e.Phase == classify.ClientSide {
		return false
	}
	d.success = success{site: i.site(&e), token: token}
	if token == nil {
		d.success.seen = i.look(&e, nil)
	} else {
		d.success.seen = i.lookOfCall(&e, d.success.site, token)
	}
	if token == nil || !b.knows(i, d) {
		d.success.facts = e.Facts()
	}
	return true
}

// isPlainSuccess is true for a native record of an accepted call with a decoded access token, or of a token request with a
// decoded assertion, in which nothing speaks of a failure.
func (o *outline) isPlainSuccess(data []byte) bool {
	switch {
	case o.odd, o.time.kind != leafString, o.uri.given(), o.request.kind != leafObject, o.response.kind != leafObject, o.authenticate.kind != leafAbsent:
		return false
	case o.requestHeaders.given() && o.requestHeaders.kind != leafObject, o.responseHeaders.given() && o.responseHeaders.kind != leafObject:
		return false
	case o.accessToken.given() == o.clientAssertion.given(), o.accessToken.kind > leafNull && o.accessToken.kind != leafObject,
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
	}{{o.id, &q.record.ID}, {o.provider, &q.record.Provider}, {o.environment, &q.record.Environment}, {o.clientID, &q.record.ClientID}} {
		if *field.to, ok = field.from.plain(data); !ok || !w.isClean(*field.to) {
			return false
		}
	}
	return true
}

// quickCall fills in what an accepted API call is placed by, and returns its token.
func (i *Ingester) quickCall(w *walk, q *quickRecord, o *outline, data []byte) (token *knownToken, ok bool) {
	if token, ok = i.token(w.Redactor, o.accessToken.of(data)); !ok {
		return nil, false
	}
	w.side = sideRequest
	clear(q.headers)
	q.request = classify.Request{Headers: q.headers}
	q.record.AccessToken = token.jwt
	if q.request.Method, ok = o.method.plain(data); !ok || !w.isClean(q.request.Method) {
		return nil, false
	}
	if q.request.URL, ok = o.url.plain(data); !ok || !w.isCleanURL(q.request.URL) {
		return nil, false
	}
	authorization, ok := o.authorization.plain(data)
	if !ok || !w.isCleanAuthorization(authorization) {
		return nil, false
	}
	if authorization != "" {
		q.headers["authorization"] = authorization
	}
	if strings.Contains(q.request.URL, "://") {
		return token, true
	}
	host, ok := o.host.plain(data)
	if host != "" {
		q.headers["host"] = host
	}
	return token, ok && w.isClean(host)
}

// quickGrant fills in what a granted token is placed by. A raw token anywhere in the record could be taken for one that
// was presented, so where there may be one the whole record has to be looked at.
func (i *Ingester) quickGrant(w *walk, q *quickRecord, o *outline, data []byte) (ok bool) {
	if q.record.ID == "" || mayHideToken(w.Redactor, data) {
		return false
	}
	request, ok := i.request(w.Redactor, o.request.of(data))
	if !ok {
		return false
	}
	value, f := parseValue(o.clientAssertion.of(data))
	members, isObject := value.(map[string]any)
	if f != nil || !isObject {
		return false
	}
	w.side = sideRequest
	q.record.ClientAssertion = w.decodedToken(members)
	q.request = request.request
	if q.record.ClientID == "" {
		q.record.ClientID = request.user
	}
	clear(q.headers)
	date, ok := o.date.plain(data)
	if !ok || date != "" && w.headerText("date", date) != date {
		return false
	}
	if date != "" {
		q.headers["date"] = date
	}
	q.response = classify.Response{Status: 200, Headers: q.headers}
	if o.responseBody.given() {
		q.response.Body = classify.Body(o.responseBody.of(data))
	}
	return len(w.found) == 0 && !w.failed
}

// mayHideToken is true for a text in which a raw token could stand, plain or in any of the encodings that are opened.
func mayHideToken(r *Redactor, data []byte) bool {
	if bytes.IndexByte(data, '\\') >= 0 || bytes.IndexByte(data, '%') >= 0 {
		return true
	}
	text := string(data)
	found := r.traces(text)
	return found&traceShape != 0 || found&traceEncoded != 0 && holdsEncodedText(text)
}

// holdsEncodedText is true for a text with base64 in it that base64Encoded would open.
func holdsEncodedText(s string) bool {
	for i := 0; i < len(s); i++ {
		start := i
		for i < len(s) && isBase64Byte(s[i]) {
			i++
		}
		for run := s[start:i]; len(run) >= minEncoded; {
			if mayEncodeText(run) {
				return true
			}
			slash := strings.IndexByte(run, '/')
			if slash < 0 {
				break
			}
			run = run[slash+1:]
		}
	}
	return false
}

// plain is the text of a scalar that needs no decoding.
func (l leaf) plain(data []byte) (text string, ok bool) {
	switch l.kind {
	case leafAbsent, leafNull:
		return "", true
	case leafString:
		return string(l.inner(data)), true
	case leafNumber, leafBool:
		return string(l.of(data)), true
	}
	return "", false
}

// isClean is true for an identifier that redaction leaves as it is.
func (w *walk) isClean(s string) bool {
	if len(s) > maxIdentity {
		return false
	}
	found := w.traces(s)
	return found == 0 || found == traceEncoded && w.base64Encoded(s, false) == s && len(w.found) == 0
}

func (w *walk) isCleanURL(s string) bool {
	return len(s) <= maxString && w.url(s, 0) == s && w.shapes(s) == s && len(w.found) == 0
}

// isCleanAuthorization knows what shippers log of an accepted call: a scheme and a marker.
func (w *walk) isCleanAuthorization(s string) bool {
	if s == "" {
		return true
	}
	marker, bearer := strings.CutPrefix(s, "Bearer ")
	return bearer && w.isMarker(marker) || w.headerText("authorization", s) == s && w.shapes(s) == s && len(w.found) == 0
}

// knows is true when history holds all that an acceptance says, or will when the batch is committed.
func (b *batch) knows(i *Ingester, d *decoded) bool {
	site, token := d.success.site, d.success.token
	if known := i.accepted(site, token); known != nil && known.covers(d.at) {
		return true
	}
	key := acceptanceKey{site, token}
	a, ok := b.acceptances[key]
	if !ok {
		a = acceptance{site: site, token: token, from: d.at, to: d.at}
	}
	known := ok && a.covers(d.at)
	if b.acceptances == nil {
		b.acceptances = map[acceptanceKey]acceptance{}
	}
	b.acceptances[key] = a.with(d.at)
	return known
}

// tooFar is true for the time of an event that no log can be about.
func tooFar(at, now time.Time) bool {
	return at.Before(now.Add(-maxPast)) || at.After(now.Add(maxAhead))
}
