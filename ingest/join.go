package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// The kinds of decoded tokens that come apart from their response.
const (
	kindAssertion   = "client_assertion"
	kindAccessToken = "access_token"
)

// waitFor is how long one half of a join waits for the other, by receipt.
const waitFor = 10 * time.Minute

// Sides of store.Pending.
const (
	sideToken    = "token"
	sideExchange = "exchange"
)

// A waitingToken is a decoded token that waits for its exchange, as store.Pending keeps it.
type waitingToken struct {
	Kind      string       `json:"kind"`
	RequestID string       `json:"request_id,omitempty"`
	TraceID   string       `json:"trace_id,omitempty"`
	Token     classify.JWT `json:"token"`
}

// A waitingExchange is an exchange that was no failure and waits for its token: with it, it makes history, or shows a fault.
type waitingExchange struct {
	Source     string          `json:"source"`
	ReceivedAt time.Time       `json:"received_at"`
	Record     classify.Record `json:"record"`
}

// joinKeys names the halves of joins that belong to these ids. A request id is the closer bond and comes first.
func joinKeys(requestID, traceID string) []string {
	var keys []string
	if requestID != "" {
		keys = append(keys, "request:"+requestID)
	}
	if traceID != "" {
		keys = append(keys, "trace:"+traceID)
	}
	return keys
}

// lacksToken is true for an exchange that a token could still come for.
func lacksToken(e classify.Exchange) bool {
	if len(joinKeys(e.Record.RequestID, e.Record.TraceID)) == 0 {
		return false
	}
	switch e.Phase {
	case classify.TokenRequest:
		return e.Record.ClientAssertion == nil
	case classify.APICall:
		return e.Record.AccessToken == nil
	}
	return false
}

// pendingUnder is a half of a join under the keys of these ids, of which there is one.
func pendingUnder(requestID, traceID string) (p store.Pending) {
	keys := joinKeys(requestID, traceID)
	p.JoinKey = keys[0]
	if len(keys) > 1 {
		p.OtherKey = keys[1]
	}
	return p
}

// half is what waits of the exchange; stored is its record encoded.
func (e waitingExchange) half(stored []byte) store.Pending {
	p := pendingUnder(e.Record.RequestID, e.Record.TraceID)
	p.Side, p.Time, p.ExpiresAt = sideExchange, e.Record.Time, e.ReceivedAt.Add(waitFor)
	body := append(make([]byte, 0, len(stored)+128), `{"source":`...)
	body = append(appendText(body, e.Source), `,"received_at":"`...)
	body = append(e.ReceivedAt.AppendFormat(body, time.RFC3339Nano), `","record":`...)
	p.Body = append(append(body, stored...), '}')
	return p
}

// waits keeps an exchange until its token comes.
func (w *work) waits(p *placed) {
	e := waitingExchange{Source: w.batch.source, ReceivedAt: w.batch.at, Record: *p.exchange.Record}
	stored := p.stored
	if p.exchange.Phase == classify.APICall && isSurelyAccepted(&e.Record) {
		e.Record.Response, stored = &classify.Response{Status: e.Record.Response.Status}, nil
	}
	if stored == nil {
		stored = encodeRecord(&e.Record)
	}
	w.pending = append(w.pending, e.half(stored))
}

// isSurelyAccepted is true for a call with a bearer token of which no token that comes later makes a token request or a failure: nobody
// will ask for more of its answer than the status.
func isSurelyAccepted(r *classify.Record) bool {
	return r.Request != nil && r.Response != nil && strings.HasPrefix(r.Request.Headers.Get("authorization"), "Bearer ") &&
		r.Response.Status/100 == 2 && r.Response.Headers.Get("www-authenticate") == "" && !bytes.Contains(r.Response.Body, []byte(`"error"`))
}

// waitingTokens returns the tokens that came before those records that lack one. The tokens go on waiting: one trace
// can hold several exchanges, and which of them arrives first must not matter.
func (w *work) waitingTokens(ctx context.Context, fresh []decoded) ([]waitingToken, error) {
	var keys []string
	for n := range fresh {
		if r := fresh[n].record; r != nil && (r.ClientAssertion == nil && r.AccessToken == nil) {
			keys = append(keys, joinKeys(r.RequestID, r.TraceID)...)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	waiting, err := w.tx.FindTokens(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("find waiting tokens: %w", err)
	}
	tokens := make([]waitingToken, len(waiting))
	for n, p := range waiting {
		if err := json.Unmarshal(p.Body, &tokens[n]); err != nil {
			return nil, fmt.Errorf("decode waiting token: %w", err)
		}
	}
	return tokens, nil
}

// attachWaiting gives a record that lacks a token those that waited for it. The batch keeps its own, as it came.
func (w *work) attachWaiting(d *decoded, tokens []waitingToken) {
	if d.record == nil || len(tokens) == 0 {
		return
	}
	r := *d.record
	if w.attach(&r, tokens) {
		d.record, d.stored = &r, nil
	}
}

// attach gives a record the tokens of its request, or else of its trace, that it lacks. It says whether any was given.
func (w *work) attach(r *classify.Record, tokens []waitingToken) bool {
	given := false
	for _, byTrace := range []bool{false, true} {
		for n := range tokens {
			t := &tokens[n]
			if byTrace && (r.TraceID == "" || t.TraceID != r.TraceID || !w.fitsPhase(r, t.Kind)) {
				continue
			}
			if !byTrace && (r.RequestID == "" || t.RequestID != r.RequestID || !w.mayPresent(r, t.Kind)) {
				continue
			}
			given = setToken(r, t.Kind, &t.Token) || given
		}
	}
	return given
}

// fitsPhase keeps a trace's tokens apart: its assertion belongs to the token request in it, its access token to the calls.
func (w *work) fitsPhase(r *classify.Record, kind string) bool {
	switch w.ingester.classifier.Locate(r).Phase {
	case classify.TokenRequest:
		return kind == kindAssertion
	case classify.APICall:
		return kind == kindAccessToken
	}
	return true
}

// mayPresent keeps apart the tokens of a call and of the token request that was made for it, which may share a request id. What asks for a
// token presents no access token, and what carries another credential or is no POST no assertion; of others nobody knows until a token comes.
func (w *work) mayPresent(r *classify.Record, kind string) bool {
	if r.Request == nil {
		return true
	}
	bare, request := *r, *r.Request
	bare.ClientAssertion, bare.AccessToken, bare.Request = nil, nil, &request
	request.Method = http.MethodPost // which it had to be
	if w.ingester.classifier.Locate(&bare).Phase == classify.TokenRequest {
		return kind == kindAssertion
	}
	scheme, _, _ := strings.Cut(r.Request.Headers.Get("authorization"), " ")
	isCall := scheme != "" && !strings.EqualFold(scheme, "basic") || r.Request.Method != "" && !strings.EqualFold(r.Request.Method, http.MethodPost)
	return kind == kindAccessToken || !isCall
}

// setToken fills the token that the record lacks; what came with the record itself is never replaced.
func setToken(r *classify.Record, kind string, t *classify.JWT) bool {
	switch {
	case kind == kindAssertion && r.ClientAssertion == nil:
		r.ClientAssertion = t
	case kind == kindAccessToken && r.AccessToken == nil:
		r.AccessToken = t
	default:
		return false
	}
	return true
}
