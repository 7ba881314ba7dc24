package ingest

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"slices"
	"strings"

	"authwatch/classify"
)

// A knownGrant is a granted token as a client is granted it again and again: read once as a whole, known by all but what is of one
// grant only: its time and ids, the jti and the times of the assertion, and what nothing is placed by.
type knownGrant struct {
	key      string // see quickRecord.grantKey
	request  *knownRequest
	exchange classify.Exchange // without the record
	token    *classify.JWT     // the assertion of the first
	form     string            // see classify.JWT.AppendForm
	site     *site
	seen     seenLook
	facts    []*KnownFact // but for those of the assertion
}

// varying is what differs between the assertions of one client, as it stands in their texts; empty for what one lacks.
type varying [4][]byte

// names of what varies; the first is a text, the others are numbers.
func (*varying) names() [4]string { return [...]string{"jti", "iat", "exp", "nbf"} }

// cut appends the text of a decoded token to a key, with a NUL, which no JSON has, in the place of each value that varies. Whether the
// values are those of the claims is for isOf to say, once for all texts that are alike.
func (v *varying) cut(key, text []byte) []byte {
	*v = varying{}
	for {
		quote := bytes.IndexByte(text, '"')
		if quote < 0 || len(text) < quote+len(`"jti":`)+1 {
			return append(key, text...)
		}
		which, value := v.at(text[quote:])
		if value == nil {
			key, text = append(key, text[:quote+1]...), text[quote+1:]
			continue
		}
		v[which] = value
		start := quote + len(`"jti":`)
		if which == 0 {
			start++
		}
		key, text = append(append(key, text[:start]...), 0), text[start+len(value):]
	}
}

// at is the value of a member that begins with the text, nil for none that varies.
func (v *varying) at(text []byte) (which int, value []byte) {
	const name = len(`"jti":`)
	if text[4] != '"' || text[5] != ':' {
		return 0, nil
	}
	for n, is := range v.names() {
		if string(text[1:4]) != is || v[n] != nil {
			continue
		}
		rest := text[name:]
		if n == 0 {
			end := bytes.IndexByte(rest[1:], '"')
			if rest[0] != '"' || end <= 0 {
				return 0, nil
			}
			return 0, rest[1 : 1+end]
		}
		end := 0
		for end < len(rest) && rest[end]-'0' <= 9 {
			end++
		}
		if end == 0 || end > 15 || end == len(rest) || rest[end] != ',' && rest[end] != '}' {
			return 0, nil
		}
		return n, rest[:end]
	}
	return 0, nil
}

// isOf is true when the values that were cut from a text are claims of its token, and redaction leaves them as they are: so it is then
// with every text that differs in nothing else.
func (v *varying) isOf(text []byte, token *classify.JWT) bool {
	if bytes.IndexByte(text, '\\') >= 0 || token.Claims == nil {
		return false
	}
	for n, name := range v.names() {
		switch {
		case v[n] == nil:
		case token.Claims.Get(name) != v.value(n), bytes.Count(text, []byte(`"`+name+`"`)) != 1:
			return false
		}
	}
	return true
}

func (v *varying) value(n int) any {
	if n == 0 {
		return string(v[n])
	}
	return json.Number(v[n])
}

// quickGrant reads a granted token. A raw token anywhere in the record could be taken for one that was presented, so where
// there may be one the whole record has to be looked at.
func (i *reader) quickGrant(b *batch, w *walk, q *quickRecord, p part, d *decoded) bool {
	if q.record.ID == "" {
		return false
	}
	request, ok := i.request(w.Redactor, p.outline.request.of(p.raw))
	if !ok || !q.readAnswer(w, p.outline, p.raw) || !q.grantKey(p.outline, p.raw) {
		return false
	}
	hash := maphash.Bytes(i.grants.seed, q.key)
	known := i.grants.find(hash, func(k *knownGrant) bool { return k.request == request && k.key == string(q.key) })
	if known != nil && q.isCleanBeside(w, p.outline, p.raw) {
		d.success, ok = i.grantAgain(b, q, known)
		return ok
	}
	if d.success, known, ok = i.grantFirst(b, w, q, request, p); known != nil {
		i.grants.keep(hash, known)
	}
	return ok
}

// grantKey writes down all that a grant is placed by, but for its request.
func (q *quickRecord) grantKey(o *outline, data []byte) (ok bool) {
	q.key = q.key[:0]
	for _, l := range [...]leaf{o.provider, o.environment, o.clientID} {
		text, ok := l.plain(data)
		if !ok {
			return false
		}
		q.key = append(append(q.key, text...), '\n') // which no plain text has
	}
	q.key = append(append(q.key, q.response.Body...), 0)
	q.key = q.varying.cut(q.key, o.clientAssertion.of(data))
	return true
}

// grantFirst reads a grant as a whole. What is known of those like it then is nil where each has to be read so.
func (i *reader) grantFirst(b *batch, w *walk, q *quickRecord, request *knownRequest, p part) (s success, known *knownGrant, ok bool) {
	o, data := p.outline, p.raw
	if !q.readNames(w, o, data) || mayHideToken(w.Redactor, data) {
		return success{}, nil, false
	}
	assertion := o.clientAssertion.of(data)
	value, f := parseValue(assertion)
	members, isObject := value.(map[string]any)
	if f != nil || !isObject {
		return success{}, nil, false
	}
	w.side = sideRequest
	q.record.ClientAssertion = w.decodedToken(members)
	q.request = request.request
	if q.record.ClientID == "" {
		q.record.ClientID = request.user
	}
	if len(w.found) > 0 || w.failed {
		return success{}, nil, false
	}
	e, s, ok := i.place(q)
	if !ok || e.Outcome != classify.Accepted || e.Phase != classify.TokenRequest {
		return success{}, nil, false
	}
	if len(q.key) <= maxKnownToken && q.varying.isOf(assertion, q.record.ClientAssertion) {
		known = &knownGrant{key: string(q.key), request: request, exchange: e, token: q.record.ClientAssertion, site: s.site, seen: s.seen,
			form: string(q.record.ClientAssertion.AppendForm(nil, q.record.Time))}
		known.exchange.Record = nil
	}
	s.facts = nil
	for n := range q.facts {
		if k := i.knownFact(&q.facts[n]); k != nil {
			s.shared = append(s.shared, k)
		} else {
			s.facts = append(s.facts, q.facts[n])
		}
	}
	if known != nil {
		known.facts = s.shared
	}
	return s, known, true
}

// grantAgain reads a grant like a known one. A record at which the classifier panics is left to the whole way.
func (i *reader) grantAgain(b *batch, q *quickRecord, known *knownGrant) (s success, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	q.token.Claims = append(q.token.Claims[:0], known.token.Claims...)
	for n, name := range q.varying.names() {
		for m := range q.token.Claims {
			if q.varying[n] != nil && q.token.Claims[m].Name == name {
				q.token.Claims[m].Value = q.varying.value(n)
			}
		}
	}
	q.token.Header, q.token.Malformed = known.token.Header, known.token.Malformed
	q.record.ClientAssertion, q.record.ClientID = &q.token, known.exchange.ClientID
	q.request = known.request.request
	e := known.exchange
	e.Record = &q.record
	s = success{site: known.site, seen: known.seen, facts: e.AppendOwnFacts(nil), shared: known.facts}
	var room [64]byte
	if string(q.token.AppendForm(room[:0], q.record.Time)) != known.form {
		s.seen = i.look(&e, nil)
	}
	return s, true
}

// isCleanBeside looks for what redaction would change, and for raw tokens, wherever a grant can differ from the one by whose key it is known.
func (q *quickRecord) isCleanBeside(w *walk, o *outline, data []byte) bool {
	w.side = sideRequest
	if jti := q.varying[0]; jti != nil {
		if text := string(jti); !w.isPlainID(text) && (mayHideToken(w.Redactor, jti) || w.text(text) != text || len(w.found) > 0 || w.failed) {
			return false
		}
	}
	known := [...]leaf{o.request, o.clientAssertion, o.responseBody}
	slices.SortFunc(known[:], func(a, b leaf) int { return int(a.from) - int(b.from) })
	q.rest = q.rest[:0]
	from := uint32(0)
	for _, l := range known {
		if l.given() {
			q.rest = append(q.rest, data[from:l.from]...)
			from = l.to
		}
	}
	q.rest = append(q.rest, data[from:]...)
	return !mayHideToken(w.Redactor, q.rest)
}

// readAnswer fills in what of a granting answer matters. ok is false when redaction would change it.
func (q *quickRecord) readAnswer(w *walk, o *outline, data []byte) (ok bool) {
	q.headers = q.headers[:0]
	date, ok := o.date.plain(data)
	if !ok {
		return false
	}
	if len(date) > 0 {
		text := string(date)
		if namesAge(o.responseHeaders.of(data)) || !(isPlainDate(date) && w.class("date") == notSecret) && w.headerText("date", text) != text {
			return false
		}
		q.headers = append(q.headers, classify.Member[string]{Name: "date", Value: text})
	}
	q.response.Headers = q.headers
	if o.responseBody.given() {
		q.response.Body = classify.Body(o.responseBody.of(data))
	}
	return true
}

// namesAge is true for headers that may say how old an answer from a cache is, which has the Date of another time.
func namesAge(headers []byte) bool {
	const name = `"age"`
	for {
		start := bytes.IndexByte(headers, '"')
		if start < 0 || len(headers) < start+len(name) {
			return false
		}
		if bytes.EqualFold(headers[start:start+len(name)], []byte(name)) {
			return true
		}
		headers = headers[start+1:]
	}
}

// mayHideToken is true for a text in which a raw token could stand, plain or in any of the encodings that are opened.
func mayHideToken(r *Redactor, data []byte) bool {
	if bytes.IndexByte(data, '\\') >= 0 || bytes.IndexByte(data, '%') >= 0 {
		return true
	}
	text := string(data)
	found := r.traces(text)
	return found&traceShape != 0 || found&traceEncoded != 0 && r.holdsEncodedText(text)
}

// holdsEncodedText is true for a text with base64 in it that base64Encoded would open.
func (r *Redactor) holdsEncodedText(s string) bool {
	classes := r.classes
	for i := 0; i < len(s); i++ {
		start := i
		for i < len(s) && classes[s[i]]&byteBase64 != 0 {
			i++
		}
		for run := s[start:i]; len(run) >= minEncoded; {
			if mayEncodeText(classes, run) {
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
