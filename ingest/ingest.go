// Package ingest takes what log shippers send: it decodes wire formats into classify.Record, redacts at the edge,
// drops repeated deliveries, joins decoded JWTs with their responses, has the exchange judged and commits everything
// before it answers. It refuses to let a raw token, signature, secret or key go further than its own memory.
package ingest

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/prometheus/client_golang/prometheus"
)

// Options configure New. All but Now are required.
type Options struct {
	Store      *store.Store
	Profiles   classify.Profiles
	Redactor   *Redactor
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time // receipt time; nil is time.Now
}

// An Ingester is the path of a record from bytes to a committed verdict.
type Ingester struct{}

// New checks the options.
func New(o Options) (*Ingester, error) { return nil, errors.ErrUnsupported }

// Handler serves POST /ingest/v1/responses and POST /ingest/v1/tokens. It checks the ingest key itself.
func (i *Ingester) Handler() http.Handler { return nil }

// A Redactor removes secrets from records; what it leaves is fit for disk. It is safe for concurrent use.
type Redactor struct{}

// NewRedactor makes a redactor whose fingerprints are keyed with these 32 bytes.
func NewRedactor(key []byte) (*Redactor, error) { return nil, errors.ErrUnsupported }

// A RecordError says why one record of a body was not taken. It never quotes the record.
type RecordError struct {
	Index   int    `json:"index"`             // of the record in the body, from 0
	Pointer string `json:"pointer,omitempty"` // RFC 6901, into the record
	Code    string `json:"code"`              // not_json, not_an_object, missing_time, not_rfc3339, …: a closed set
	Detail  string `json:"detail"`            // what is wrong and what is expected
}

// Decode reads a body of native records (one object, an array, NDJSON or concatenated objects), redacts each and
// returns the good ones with their index beside an error for each bad one. It is the one decoder of HTTP, stdin, files and pasted text.
func Decode(body []byte, red *Redactor) (records []Indexed, bad []RecordError) { return nil, nil }

// An Indexed record is a redacted record with its place in the body.
type Indexed struct {
	Index  int
	Record classify.Record
}

// DecodePasted reads what a person pastes: a record as in Decode, a raw JWT, or the claims or {"header","claims"} of one.
func DecodePasted(text []byte, red *Redactor) (classify.Record, error) {
	return classify.Record{}, errors.ErrUnsupported
}
