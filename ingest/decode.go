package ingest

import (
	"strings"
	"time"

	"authwatch/classify"
)

// A RecordError says why one record of a body was not taken. It never quotes the record.
type RecordError struct {
	Index   int    `json:"index"`             // of the record in the body, from 0
	Pointer string `json:"pointer,omitempty"` // RFC 6901, into the record
	Code    string `json:"code"`              // one of errorCodes
	Detail  string `json:"detail"`            // what is wrong and what is expected
}

// errorCodes is the closed set of RecordError.Code.
func errorCodes() []string {
	return []string{
		"not_json", "not_an_object", "cut_off", "record_too_large", "too_deep", "too_many_members", "wrong_type",
		"missing_time", "unix_time", "not_rfc3339", "time_out_of_range", "too_old", "empty_record",
		"wrong_kind", "missing_join_id", "missing_token", "not_classifiable",
	}
}

// An Indexed record is a redacted record with its place in the body.
type Indexed struct {
	Index  int
	Record classify.Record
}

// Decode reads a body of native records (one object, an array, NDJSON or concatenated objects), redacts each and
// returns the good ones with their index beside an error for each bad one. It is the one decoder of HTTP, stdin, files and pasted text.
func Decode(body []byte, red *Redactor) (records []Indexed, bad []RecordError) {
	s := newSplitter(body)
	for index := 0; ; index++ {
		p, more := s.next()
		if !more {
			return records, bad
		}
		d, f := red.decodeAny(p)
		if f != nil {
			bad = append(bad, f.at(index))
			continue
		}
		records = append(records, Indexed{Index: index, Record: *d.record})
	}
}

// decodeAny takes words without an exchange too: to who judges a file they are records that say nothing.
func (r *Redactor) decodeAny(p part) (decoded, *fault) {
	return r.decodeNative(p, func(members map[string]any) (decoded, *fault) { return r.decodeShaped(r.shapes.native(members)) })
}

func (f *fault) at(index int) RecordError {
	return RecordError{Index: index, Pointer: f.pointer, Code: f.code, Detail: f.detail}
}

// A decoded record is redacted and knows its delivery key.
type decoded struct {
	index   int
	at      time.Time // of the event
	key     string    // what a repeated delivery has in common with this one
	record  *classify.Record
	stored  []byte     // record, as it is stored
	success success    // in the place of record: a plain success, read quickly
	waits   waiting    // for its token
	late    *lateToken // of the tokens endpoint only
	equal   *equal     // the first of the records in the body that are equal to this one; nil if it has an id
	copied  bool       // it is not the first itself
}

// decodePart parses one part of a body and hands its members to read.
func (r *Redactor) decodePart(p part, read func(map[string]any) (decoded, *fault)) (decoded, *fault) {
	if p.fault != nil {
		return decoded{}, p.fault
	}
	if p.members != nil {
		return read(p.members)
	}
	value, f := parseValue(p.raw)
	if f != nil {
		return decoded{}, f
	}
	members, ok := value.(map[string]any)
	if !ok {
		return decoded{}, &fault{code: "not_an_object", detail: "a record is a JSON object"}
	}
	return read(members)
}

// decodeResponse makes a record of the members of a log record, native or of a format that shapes knows.
func (r *Redactor) decodeResponse(members map[string]any) (decoded, *fault) {
	log := r.shapes.native(members)
	if log.logLine {
		return decoded{}, &fault{code: codeNoExchange}
	}
	return r.decodeShaped(log)
}

func (r *Redactor) decodeShaped(log shaped) (decoded, *fault) {
	members := log.members
	at, f := eventTime(members["time"])
	if f != nil {
		return decoded{}, f
	}
	if !log.logLine && !holdsExchange(members) {
		return decoded{}, &fault{code: "empty_record", detail: "a record has at least one of request, response, client_assertion, access_token, error"}
	}
	w := &walk{Redactor: r}
	record, f := w.record(members)
	if f != nil {
		return decoded{}, f
	}
	record.Time = at
	d := decoded{at: at}
	d.record, d.stored = w.finish(&record)
	d.key = "id:" + d.record.ID
	if d.record.ID == "" {
		d.key = r.contentKey("response", log.content)
	}
	return d, nil
}

func holdsExchange(members map[string]any) bool {
	for _, name := range []string{"request", "response", "client_assertion", "access_token", "error"} {
		if members[name] != nil {
			return true
		}
	}
	return false
}

// eventTime reads the time of a record. A number is refused rather than guessed at: seconds and milliseconds differ by
// a factor that moves an event by decades.
func eventTime(v any) (time.Time, *fault) {
	text, ok := v.(string)
	switch {
	case v == nil:
		return time.Time{}, &fault{pointer: "/time", code: "missing_time", detail: "time is missing; " + expectedTime}
	case !ok && jsonType(v) == "number":
		return time.Time{}, unixTime()
	case !ok:
		return time.Time{}, &fault{pointer: "/time", code: "not_rfc3339", detail: "time is no string; " + expectedTime}
	}
	return timeOf(text)
}

const expectedTime = "RFC 3339 such as 2026-11-22T02:19:00.123Z is expected"

func unixTime() *fault {
	return &fault{pointer: "/time", code: "unix_time", detail: "time looks like a Unix time; " + expectedTime}
}

// timeOf is eventTime for a string.
func timeOf(text string) (time.Time, *fault) {
	if at, ok := utcTime(text); ok {
		return at, nil
	}
	if isDigits(text) {
		return time.Time{}, unixTime()
	}
	at, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text))
	_, offset := at.Zone()
	if err != nil || max(offset, -offset) >= 24*60*60 { // time.Parse takes an offset of a day
		return time.Time{}, &fault{pointer: "/time", code: "not_rfc3339", detail: "time cannot be read; " + expectedTime}
	}
	at = at.UTC()
	if at.Year() < 1 || at.Year() > 9999 {
		return time.Time{}, outOfRange()
	}
	return at, nil
}

// utcTime reads the form in which nearly all times come, 2026-11-22T02:19:00Z with or without a fraction, and leaves every other one.
func utcTime[T string | []byte](text T) (at time.Time, ok bool) {
	const form = "0000-00-00T00:00:00Z"
	if len(text) < len(form) || len(text) > len(form)+10 || text[len(text)-1] != 'Z' {
		return time.Time{}, false
	}
	for i := range len(form) - 1 {
		if c := text[i]; form[i] == '0' && c-'0' > 9 || form[i] != '0' && c != form[i] {
			return time.Time{}, false
		}
	}
	two := func(i int) int { return int(text[i]-'0')*10 + int(text[i+1]-'0') }
	year, month, day, hour, minute, second := two(0)*100+two(2), time.Month(two(5)), two(8), two(11), two(14), two(17)
	fraction := text[len(form)-1 : len(text)-1]
	if len(fraction) == 1 || len(fraction) > 0 && fraction[0] != '.' {
		return time.Time{}, false
	}
	nanos := 0
	for i := 1; i < len("000000000")+1; i++ {
		digit := byte(0)
		if i < len(fraction) {
			if digit = fraction[i] - '0'; digit > 9 {
				return time.Time{}, false
			}
		}
		nanos = nanos*10 + int(digit)
	}
	if hour > 23 || minute > 59 || second > 59 || day < 1 || month < 1 || month > 12 || year < 1 {
		return time.Time{}, false
	}
	at = time.Date(year, month, day, hour, minute, second, nanos, time.UTC)
	return at, at.Day() == day // the 30th of February would be another day
}

func outOfRange() *fault {
	return &fault{pointer: "/time", code: "time_out_of_range", detail: "time is more than ten years ago or more than a day ahead"}
}

func isDigits(s string) bool {
	s = strings.Replace(strings.TrimPrefix(s, "-"), ".", "", 1)
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// record reads and redacts the members of a native record. Members that are not known are ignored.
func (w *walk) record(members map[string]any) (rec classify.Record, f *fault) {
	m := fields{walk: w, members: members}
	rec = classify.Record{
		ID: m.identity("id"), Provider: m.identity("provider"), Environment: m.identity("environment"),
		Service: m.identity("service"), ClientID: m.identity("client_id"), RequestID: m.joinID("request_id"),
		TraceID: m.joinID("trace_id"), ClientIP: m.identity("client_ip"), UserAgent: m.string("user_agent"),
		Error: m.string("error"),
	}
	rec.Request = m.request()
	rec.Response = m.response()
	w.side, w.name = sideRequest, ""
	rec.ClientAssertion = m.token("client_assertion")
	rec.AccessToken = m.token("access_token")
	if m.fault != nil {
		return rec, m.fault
	}
	if rec.ClientID == "" && isTokenRequest(members) {
		rec.ClientID = w.user
	}
	w.place(&rec)
	return rec, nil
}

// isTokenRequest is true when the body of the request names a grant type.
func isTokenRequest(members map[string]any) bool {
	request, _ := members["request"].(map[string]any)
	return isTokenBody(request["body"])
}

func isTokenBody(body any) bool {
	switch body := body.(type) {
	case map[string]any:
		return body["grant_type"] != nil
	case string:
		return strings.Contains(body, "grant_type=")
	}
	return false
}
