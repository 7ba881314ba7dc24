package ingest

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"authwatch/classify"
)

// The quick way of a success. Of an accepted API call nothing is stored but whose it was, where and when, and what its token adds
// to history; so only that is read, from the outline of its text, and nothing else is built or redacted. It is taken
// only where the whole way would certainly come to the same, which a test holds it to; every doubt is left to that way.

// maxQuick is the longest record that is read quickly; what is longer could be beyond the work that redaction may do.
const maxQuick = 16 << 10

// A quickRecord is the memory in which one success after the other is placed.
type quickRecord struct {
	record   classify.Record
	request  classify.Request
	response classify.Response
}

func newQuickRecords() *sync.Pool {
	return &sync.Pool{New: func() any {
		q := &quickRecord{}
		q.request.Headers = classify.Headers{}
		return q
	}}
}

// A success is a plain success as the batch keeps it.
type success struct {
	site  *site
	token *knownToken
	facts []classify.Fact // nil while history knows them
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
	token, ok := i.token(r, o.accessToken.of(p.raw))
	if !ok {
		return decoded{}, false
	}
	q := i.quick.Get().(*quickRecord)
	defer i.quick.Put(q)
	if !q.read(r, o, p.raw) {
		return decoded{}, false
	}
	q.record.Time, q.record.AccessToken = at, token.jwt
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
	if e.Phase != classify.APICall || e.Outcome != classify.Accepted {
		return false
	}
	d.success = success{site: i.site(&e), token: token}
	if !b.knows(i, d) {
		d.success.facts = e.Facts()
	}
	return true
}

// isPlainSuccess is true for a native record of an accepted call with a decoded access token, in which nothing speaks of a failure.
func (o *outline) isPlainSuccess(data []byte) bool {
	switch {
	case o.odd, o.time.kind != leafString, o.accessToken.kind != leafObject, o.clientAssertion.given(), o.uri.given(),
		o.request.kind != leafObject, o.response.kind != leafObject, o.authenticate.kind != leafAbsent:
		return false
	case o.requestHeaders.given() && o.requestHeaders.kind != leafObject, o.responseHeaders.given() && o.responseHeaders.kind != leafObject:
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

// read fills in what a success is placed by. ok is false when redaction would change any of it.
func (q *quickRecord) read(r *Redactor, o *outline, data []byte) (ok bool) {
	headers := q.request.Headers
	clear(headers)
	q.record = classify.Record{Request: &q.request, Response: &q.response}
	q.response = classify.Response{Status: 200}
	w := walk{Redactor: r}
	for _, field := range [...]struct {
		from leaf
		to   *string
	}{
		{o.id, &q.record.ID}, {o.provider, &q.record.Provider}, {o.environment, &q.record.Environment},
		{o.clientID, &q.record.ClientID}, {o.method, &q.request.Method},
	} {
		if *field.to, ok = field.from.plain(data); !ok || !w.isClean(*field.to) {
			return false
		}
	}
	w.side = sideRequest
	if q.request.URL, ok = o.url.plain(data); !ok || !w.isCleanURL(q.request.URL) {
		return false
	}
	if authorization, ok := o.authorization.plain(data); !ok || !w.isCleanAuthorization(authorization) {
		return false
	} else if authorization != "" {
		headers["authorization"] = authorization
	}
	if strings.Contains(q.request.URL, "://") {
		return true
	}
	host, ok := o.host.plain(data)
	if host != "" {
		headers["host"] = host
	}
	return ok && w.isClean(host)
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
