package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"authwatch/classify"
)

// DecodePasted reads what a person pastes: a record as in Decode, one of another log's format or a line of an access log, a
// raw JWT, the claims or {"header","claims"} of one, an HTTP response as text, the JSON body of an error, or a log line. What has no time of its own happens at now; a
// record that carries a token must have its own, because a token is judged at the time of its use.
func DecodePasted(text []byte, red *Redactor, now time.Time) (classify.Record, error) {
	if len(text) > maxRecord {
		return classify.Record{}, errors.New("the text is larger than 256 KiB")
	}
	s := strings.TrimSpace(cleanText(string(text)))
	if s == "" {
		return classify.Record{}, errors.New("nothing was pasted")
	}
	w := &walk{Redactor: red, side: sideRequest}
	if strings.HasPrefix(s, "{") {
		value, f := red.pastedObject(s)
		if f != nil {
			return classify.Record{}, errors.New(f.detail)
		}
		return w.pastedMembers(value, now)
	}
	if strings.HasPrefix(s, "HTTP/") {
		if rec, ok := w.pastedResponse(s); ok {
			rec.Time = now.UTC()
			w.place(&rec)
			finished, _ := w.finish(&rec)
			return *finished, nil
		}
	}
	if _, _, ok := accessLine(s); ok {
		return w.pastedMembers(map[string]any{"message": s}, now)
	}
	rec := classify.Record{Time: now.UTC()}
	w.name = "token"
	if _, ok := w.tokenMarker(s); !ok {
		w.side, w.name = sideRecord, ""
		rec.Error = cutText(w.assignedText(s), maxString)
	}
	w.place(&rec)
	if rec.ClientAssertion != nil || rec.AccessToken != nil {
		rec.Error = "" // a pasted header or token is no log line
	}
	finished, _ := w.finish(&rec)
	return *finished, nil
}

// assignedText redacts pasted text, in which a header line is a header.
func (w *walk) assignedText(s string) string {
	w.name = "authorization"
	defer func() { w.name = "" }()
	return w.text(s)
}

func (r *Redactor) pastedObject(s string) (map[string]any, *fault) {
	parts := newSplitter([]byte(s))
	p, _ := parts.next()
	if p.fault != nil {
		return nil, p.fault
	}
	if _, more := parts.next(); more {
		return nil, &fault{code: "not_json", detail: "one JSON object is expected, there are more"}
	}
	value, f := parseValue(p.raw)
	if f != nil {
		return nil, f
	}
	return value.(map[string]any), nil
}

// pastedMembers tells a record from a decoded token and both from the body of an error.
func (w *walk) pastedMembers(members map[string]any, now time.Time) (classify.Record, error) {
	_, isHeader := members["header"].(map[string]any)
	rec := classify.Record{Time: now.UTC()}
	log := w.Redactor.shapes.native(members)
	switch {
	case isHeader && members["request"] == nil && members["response"] == nil:
		placeDecoded(&rec, w.decodedToken(members))
	case isRecord(log.members):
		return w.pastedRecord(log, now)
	case isClaims(members):
		placeDecoded(&rec, w.decodedToken(map[string]any{"claims": members}))
	default:
		w.side = sideResponse
		rec.Response = &classify.Response{Body: classify.Body(compactJSON(cutStrings(w.body(members))))}
	}
	finished, _ := w.finish(&rec)
	return *finished, nil
}

// pastedRecord reads a record of any log. One without a time happens at now, unless it carries a token.
func (w *walk) pastedRecord(log shaped, now time.Time) (classify.Record, error) {
	members := log.members
	if members["time"] == nil && (members["client_assertion"] != nil || members["access_token"] != nil) {
		return classify.Record{}, errors.New("time is missing: a token is judged at the time of its use; RFC 3339 such as 2026-11-22T02:19:00Z is expected")
	}
	if members["time"] == nil {
		members["time"] = now.UTC().Format(time.RFC3339Nano)
	}
	d, f := w.decodeShaped(log)
	if f != nil {
		return classify.Record{}, errors.New(f.detail)
	}
	return *d.record, nil
}

func placeDecoded(rec *classify.Record, t *classify.JWT) {
	if looksLikeAssertion(*t) {
		rec.ClientAssertion = t
		return
	}
	rec.AccessToken = t
}

// isRecord is true for a native record. error alone does not make one: it is what an OAuth error body has too.
func isRecord(members map[string]any) bool {
	for _, name := range []string{"request", "response", "client_assertion"} {
		if _, ok := members[name].(map[string]any); ok {
			return true
		}
	}
	_, decodedToken := members["access_token"].(map[string]any)
	_, errorText := members["error"].(string)
	return decodedToken || errorText && members["time"] != nil
}

func isClaims(members map[string]any) bool {
	if _, failed := members["error"]; failed {
		return false
	}
	for _, name := range []string{"iss", "sub", "aud", "exp", "iat", "jti", "nbf", "scope", "scp"} {
		if _, ok := members[name]; ok {
			return true
		}
	}
	return false
}

// pastedResponse reads an HTTP response as curl -i shows it.
func (w *walk) pastedResponse(s string) (classify.Record, bool) {
	if status, rest, ok := strings.Cut(s, "\n"); ok && (strings.HasPrefix(status, "HTTP/2 ") || strings.HasPrefix(status, "HTTP/3 ")) {
		s = "HTTP/1.1" + status[len("HTTP/2"):] + "\n" + rest
	}
	if !strings.Contains(s, "\n\n") && !strings.Contains(s, "\r\n\r\n") {
		s += "\r\n\r\n"
	}
	answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(s)), nil)
	if err != nil {
		return classify.Record{}, false
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil && len(body) == 0 {
		_, text, _ := strings.Cut(s, "\n\n") // a Content-Length that does not fit the pasted text
		body = []byte(text)
	}
	headers := map[string]any{}
	for name, values := range answer.Header {
		headers[name] = strings.Join(values, ", ")
	}
	members := map[string]any{"status": answer.Status[:min(3, len(answer.Status))], "headers": headers}
	if body = bytes.TrimSpace(body); len(body) > 0 {
		members["body"] = pastedBody(body)
	}
	m := &fields{walk: w, members: map[string]any{"response": members}}
	rec := classify.Record{Response: m.response()}
	return rec, m.fault == nil
}

func pastedBody(data []byte) any {
	if object, err := decodeObject(data); err == nil {
		return object.Map()
	}
	return string(data)
}
