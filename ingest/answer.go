package ingest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
)

// An answer says what became of a request's records, after the commit.
type answer struct {
	Received   int           `json:"received"`
	Accepted   int           `json:"accepted"`
	Duplicates int           `json:"duplicates"`
	Rejected   int           `json:"rejected"`
	Errors     []RecordError `json:"errors"`

	other    int  // of those received, records that are no HTTP exchange
	repeated bool // the answer to an earlier request with the same Idempotency-Key
}

// add takes over the answer to a further part of the same request.
func (a *answer) add(b answer) {
	a.Received += b.Received
	a.Accepted += b.Accepted
	a.Duplicates += b.Duplicates
	a.Rejected += b.Rejected
	a.Errors = append(a.Errors, b.Errors...)
	a.other += b.other
}

// A problem is an RFC 9457 answer to a request of which nothing was stored.
type problem struct {
	Type   string        `json:"type"`
	Title  string        `json:"title"`
	Status int           `json:"status"`
	Detail string        `json:"detail,omitempty"`
	Limit  int           `json:"limit,omitempty"` // the limit that was passed, in the unit that Detail names
	Errors []RecordError `json:"errors,omitempty"`

	reason    string // of authwatch_rejected_total
	challenge string // WWW-Authenticate
	allow     string // Allow
	code      int    // of Splunk's event collector
	// retryAfter is in how many seconds to come again; 0: where the status asks for it, at random within some seconds.
	retryAfter int
}

// problemReasons is the closed set of reasons for refusing a whole request.
func problemReasons() []string {
	return []string{
		"no_key", "invalid_key", "wrong_scope", "wrong_method", "not_found", "unsupported_encoding", "unreadable_encoding",
		"body_too_large", "too_many_records", "nothing_readable", "overloaded", "over_quota", "slow_body", "too_many_wrong_keys",
		"idempotency_key", "other",
	}
}

// Error makes a problem an error, so that the path of a record returns it like any other.
func (p *problem) Error() string { return p.Title }

// text is the problem in one line, for protocols whose answers have room for no more.
func (p *problem) text() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

const expectedBody = `one JSON object, a JSON array of objects, or NDJSON with one object a line is expected; ` +
	`a record has at least "time" (RFC 3339) and one of request, response, client_assertion, access_token, error`

const expectedTokens = `one JSON object, a JSON array of objects, or NDJSON with one object a line is expected; ` +
	`a token has "time" (RFC 3339), "kind" (client_assertion or access_token), "request_id" or "trace_id", and "header" with "claims", or the raw "token"`

func nothingReadable(expected string, errs []RecordError) *problem {
	return &problem{
		Title: "no readable record", Status: http.StatusUnprocessableEntity, Detail: expected, Errors: errs, reason: "nothing_readable",
	}
}

func tooManyRecords(limit int) *problem {
	return tooLarge(fmt.Sprintf("the body holds more than %d records; send smaller batches", limit), limit, "too_many_records")
}

func tooLarge(detail string, limit int, reason string) *problem {
	return &problem{Title: "too large", Status: http.StatusRequestEntityTooLarge, Detail: detail, Limit: limit, reason: reason}
}

// overloaded asks for patience with 503 rather than 429 or 500, because that is the one answer after which every shipper comes again.
func overloaded() *problem {
	return &problem{
		Title: "overloaded", Status: http.StatusServiceUnavailable, Detail: "nothing was stored; send the same body again", reason: "overloaded",
	}
}

// refuse answers a request of nobody known with the problem in err.
func (i *Ingester) refuse(w http.ResponseWriter, r *http.Request, write func(http.ResponseWriter, *http.Request, *problem), err error) {
	i.refuseSource(w, r, "", write, err)
}

// refuseSource answers with the problem in err, as write puts it, and counts it to the source; what is no problem is the
// server's own trouble: logged, and transient to the shipper.
func (i *Ingester) refuseSource(w http.ResponseWriter, r *http.Request, source string, write func(http.ResponseWriter, *http.Request, *problem), err error) {
	var p *problem
	if !errors.As(err, &p) {
		if r.Context().Err() == nil { // a shipper that went away is no trouble of ours
			i.log.ErrorContext(r.Context(), "ingestion failed", "path", r.Pattern, "err", err)
		}
		p = overloaded()
	}
	i.metrics.reject(p.reason)
	i.notes.refused(source, i.now().UTC(), p)
	h := w.Header()
	switch p.Status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		// Spread, so that shippers do not come back all at once, and short: OpenTelemetry's exporter for JavaScript drops
		// a batch for which it would have to wait longer than its ten seconds allow.
		h.Set("Retry-After", strconv.Itoa(cmp.Or(p.retryAfter, 1+rand.IntN(3))))
	case http.StatusUnsupportedMediaType:
		h.Set("Accept-Encoding", "gzip, zstd, snappy, deflate")
	}
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	if p.challenge != "" {
		h.Set("WWW-Authenticate", p.challenge)
	}
	write(w, r, p)
}

// writeProblem answers as RFC 9457 has it.
func writeProblem(w http.ResponseWriter, _ *http.Request, p *problem) {
	p.Type = "about:blank"
	w.Header().Set("Content-Type", "application/problem+json")
	writeJSON(w, p.Status, p)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // an error means that the shipper has gone
}
