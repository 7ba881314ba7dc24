package api

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// A failureRow is one failure of a list.
type failureRow struct {
	ID         string
	URL        string
	Time       moment
	Cause      causeRef
	Client     clientRef
	Place      string
	Status     string
	Endpoint   string
	Summary    string
	Confidence badge
	RequestID  string
}

func failureRows(list []store.Failure, now time.Time) []failureRow {
	rows := make([]failureRow, 0, len(list))
	for _, f := range list {
		rows = append(rows, failureRowOf(f, now))
	}
	return rows
}

func failureRowOf(f store.Failure, now time.Time) failureRow {
	status := "no response"
	if f.Status > 0 {
		status = strconv.Itoa(f.Status)
	}
	return failureRow{
		ID: f.ID, URL: "/failures/" + f.ID, Time: at(f.Verdict.Time, now, "–"), Cause: causeOf(f.Verdict.Cause), Client: clientOf(f.Verdict.ClientID),
		Place: placeOf(f.Verdict.Provider, f.Verdict.Environment), Status: status, Endpoint: line(f.Endpoint),
		Summary: shown(f.Verdict.Summary, valueLength), Confidence: confidenceBadge(f.Verdict.Confidence), RequestID: line(f.RequestID),
	}
}

// A recordView is a record as it was received, after redaction.
type recordView struct {
	Facts    []pair
	Request  *messageView
	Response *messageView
	Error    string
	Received moment
	JSON     string // the redacted record
	Altered  bool   // JSON is cut, or holds escapes for the reader's sake
}

// A messageView is one HTTP message.
type messageView struct {
	Side    string // request or response
	Start   string // "POST https://…" or "401"
	Headers []pair
	Body    string
}

func recordViewOf(rec classify.Record) recordView {
	v := recordView{Error: shown(rec.Error, bodyLength)}
	for _, f := range []pair{
		{"Record id", rec.ID}, {"Service", rec.Service}, {"Client id", rec.ClientID}, {"Request id", rec.RequestID}, {"Trace id", rec.TraceID},
		{"Client address", rec.ClientIP}, {"User agent", rec.UserAgent},
	} {
		if f.Value != "" {
			v.Facts = append(v.Facts, pair{f.Name, line(f.Value)})
		}
	}
	if r := rec.Request; r != nil {
		v.Request = &messageView{Side: "request", Start: line(r.Method + " " + r.URL), Headers: headersOf(r.Headers), Body: bodyOf(r.Body)}
	}
	if r := rec.Response; r != nil {
		start := "no response"
		if r.Status > 0 {
			start = strconv.Itoa(r.Status)
		}
		v.Response = &messageView{Side: "response", Start: start, Headers: headersOf(r.Headers), Body: bodyOf(r.Body)}
	}
	if text, err := compactJSON(rec); err == nil {
		v.JSON = bodyText([]byte(text))
		var whole bytes.Buffer
		v.Altered = json.Indent(&whole, []byte(text), "", "  ") != nil || whole.String() != v.JSON
	}
	return v
}

// headersShown bounds the list of headers of one message.
const headersShown = 60

func headersOf(h classify.Headers) []pair {
	var out []pair
	for _, field := range h[:min(len(h), headersShown)] {
		out = append(out, pair{line(field.Name), line(field.Value)})
	}
	if left := len(h) - headersShown; left > 0 {
		out = append(out, pair{"…", count(int64(left)) + " more"})
	}
	return out
}

func bodyOf(b classify.Body) string {
	if len(b) == 0 {
		return ""
	}
	return bodyText(b)
}
