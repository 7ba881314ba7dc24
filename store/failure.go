package store

import (
	"encoding/json"
	"time"

	"authwatch/classify"
)

// A Failure is one judged auth failure as it is kept.
type Failure struct {
	ID         string // "rec_" and a UUIDv7, made by the store
	IncidentID string // set by the store
	Source     string // the ingest key's id that delivered it
	RecordID   string // the shipper's own id, "" if it gave none
	ReceivedAt time.Time
	RequestID  string
	TraceID    string
	Service    string
	Endpoint   string // classify.Exchange.Endpoint
	Method     string
	URL        string
	Status     int             // HTTP status, 0 when there was no response
	Record     json.RawMessage // the redacted classify.Record
	Verdict    classify.Verdict
}

// Traffic is one exchange that the server accepted: the denominator of every share, and "last success before".
type Traffic struct {
	Time        time.Time
	Provider    string
	Environment string
	ClientID    string
	Endpoint    string
}

// A Delivery identifies one record of one source, so that a repeated delivery changes nothing.
type Delivery struct {
	Source string
	Key    string // the record's id, else its fingerprint
}

// A Pending is one half of a join that waits for the other: a decoded JWT that came before its response, or a response
// that came before its JWT. JoinKey is "request:" or "trace:" and the id.
type Pending struct {
	JoinKey   string
	Side      string // "token" or "exchange"
	Kind      string // token side: client_assertion or access_token
	Time      time.Time
	Body      json.RawMessage // redacted classify.JWT, or redacted classify.Record
	ExpiresAt time.Time       // by receipt
}
