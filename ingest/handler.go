package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"authwatch/store"
)

// Handler serves the native routes POST /ingest/v1/responses and POST /ingest/v1/tokens and the protocols of log shippers,
// each under /ingest/ and, where its clients cannot take a path prefix, at the root too. It checks the ingest key itself.
func (i *Ingester) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/ingest/v1/responses", i.endpoint(endpoint{
		open: openNative(expectedBody), commit: i.commitResponses, refuse: writeProblem,
		read: func(r *Redactor, p part) (decoded, *fault) { return r.decodePart(p, r.decodeResponse) },
	}))
	mux.HandleFunc("/ingest/v1/tokens", i.endpoint(endpoint{
		open: openNative(expectedTokens), commit: i.commitTokens, refuse: writeProblem,
		read: func(r *Redactor, p part) (decoded, *fault) { return r.decodePart(p, r.decodeLateToken) },
	}))
	i.mountShippers(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		i.refuse(w, r, writeProblem, &problem{
			Title: "not found", Status: http.StatusNotFound, reason: "not_found",
			Detail: "records go to /ingest/v1/responses, decoded tokens that come apart to /ingest/v1/tokens; shippers have paths of their own",
		})
	})
	return mux
}

// An endpoint is what the routes differ in. The way of a record is the same on all of them.
type endpoint struct {
	methods string // that it takes, as Allow lists them; empty is POST
	maxBody int    // bytes of the inflated body; 0 is maxInflated
	open    func(r *http.Request, body []byte) (shipment, error)
	read    func(r *Redactor, p part) (decoded, *fault)
	commit  func(ctx context.Context, b batch) (answer, error)
	refuse  func(w http.ResponseWriter, r *http.Request, p *problem) // in the words of the protocol
}

// A shipment is a body taken apart, and how its sender wants to hear what became of it.
type shipment struct {
	parts    iter.Seq[part]
	expected string // if set, a body of which nothing can be read is refused with this text
	answer   func(w http.ResponseWriter, a answer)
	// overloaded answers when the body was read and the store is full; nil is the endpoint's way to refuse.
	overloaded func(w http.ResponseWriter)
}

// A batch is records of one request, redacted, in the order of the body.
type batch struct {
	source   string // id of the ingest key
	redactor *Redactor
	at       time.Time
	received int
	records  []decoded
	other    int // records that are no HTTP exchange: shippers send whatever an application logs
	bad      []RecordError
}

func (i *Ingester) endpoint(e endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		select {
		case i.slots <- struct{}{}:
			defer func() { <-i.slots }()
		default:
			i.refuse(w, r, e.refuse, overloaded())
			return
		}
		s, a, err := i.take(w, r, e)
		if err != nil {
			i.refuse(w, r, s.refuser(e), err)
			return
		}
		i.metrics.duration.Observe(time.Since(start).Seconds())
		i.metrics.answered(a)
		s.answer(w, a)
	}
}

// refuser is how a request hears that it was not taken.
func (s shipment) refuser(e endpoint) func(http.ResponseWriter, *http.Request, *problem) {
	if s.overloaded == nil {
		return e.refuse
	}
	return func(w http.ResponseWriter, r *http.Request, p *problem) {
		if p.Status == http.StatusServiceUnavailable {
			s.overloaded(w)
			return
		}
		e.refuse(w, r, p)
	}
}

// take is the way of one request: whose it is, what it holds, commit.
func (i *Ingester) take(w http.ResponseWriter, r *http.Request, e endpoint) (shipment, answer, error) {
	if err := checkMethod(r, e.methods); err != nil {
		return shipment{}, answer{}, err
	}
	key, err := i.authenticate(r)
	if err != nil {
		return shipment{}, answer{}, err
	}
	body, err := readBody(w, r, cmp.Or(e.maxBody, maxInflated))
	if err != nil {
		return shipment{}, answer{}, err
	}
	s, err := e.open(r, body)
	if err != nil {
		return shipment{}, answer{}, err
	}
	a, err := i.commitAll(r.Context(), e, s, batch{source: key.ID, redactor: i.redactor.ForSource(key.Name), at: i.now().UTC()})
	return s, a, err
}

func checkMethod(r *http.Request, methods string) error {
	methods = cmp.Or(methods, http.MethodPost)
	if slices.Contains(strings.Split(methods, ", "), r.Method) {
		return nil
	}
	return &problem{Title: "method not allowed", Status: http.StatusMethodNotAllowed, reason: "wrong_method", allow: methods}
}

// commitAll reads the parts of a shipment and commits them, at most maxRecords in one transaction. When a later
// transaction fails the sender hears so and comes again; what is committed already are duplicates then.
func (i *Ingester) commitAll(ctx context.Context, e endpoint, s shipment, b batch) (answer, error) {
	total, index := answer{Errors: []RecordError{}}, 0
	commit := func() error {
		a, err := e.commit(ctx, b)
		total.add(a)
		b.records, b.bad, b.other, b.received = nil, nil, 0, 0
		return err
	}
	for p := range s.parts {
		if len(b.records) == maxRecords {
			if err := commit(); err != nil {
				return answer{}, err
			}
		}
		i.readPart(&b, index, p, e)
		index++
	}
	if s.expected != "" && len(b.records) == 0 && b.other == 0 {
		return answer{}, nothingReadable(s.expected, b.bad)
	}
	return total, commit()
}

// authenticate finds the request's ingest key, however its protocol carries it.
func (i *Ingester) authenticate(r *http.Request) (store.APIKey, error) {
	text := credential(r.Header)
	if text == "" {
		return store.APIKey{}, &problem{
			Title: "no key", Status: http.StatusUnauthorized, reason: "no_key", challenge: `Bearer realm="authwatch"`,
			Detail: "send Authorization: Bearer and a key of scope ingest, made with authwatch key create --scope ingest NAME",
		}
	}
	key, err := i.store.FindKey(r.Context(), text)
	if errors.Is(err, store.ErrNotFound) {
		return store.APIKey{}, &problem{
			Title: "invalid key", Status: http.StatusUnauthorized, reason: "invalid_key",
			challenge: `Bearer realm="authwatch", error="invalid_token"`, Detail: "the key is unknown or revoked",
		}
	}
	if err != nil {
		return store.APIKey{}, fmt.Errorf("find ingest key: %w", err)
	}
	if key.Scope != store.ScopeIngest {
		return store.APIKey{}, &problem{
			Title: "wrong scope", Status: http.StatusForbidden, reason: "wrong_scope",
			challenge: `Bearer realm="authwatch", error="insufficient_scope", scope="ingest"`,
			Detail:    "this key has the scope " + string(key.Scope) + "; ingestion needs a key of scope ingest",
		}
	}
	return key, nil
}

// maxPast and maxAhead bound the time of an event around its receipt: wide, so that old logs can be filled in.
const (
	maxPast  = 10 * 366 * 24 * time.Hour
	maxAhead = 24 * time.Hour
)

// readPart adds one part of a body to b.
func (i *Ingester) readPart(b *batch, index int, p part, e endpoint) {
	b.received++
	d, f := e.read(b.redactor, p)
	if f == nil && (d.record.Time.Before(b.at.Add(-maxPast)) || d.record.Time.After(b.at.Add(maxAhead))) {
		f = outOfRange()
	}
	switch {
	case f == nil:
		d.index = index
		b.records = append(b.records, d)
	case f.code == codeNoExchange:
		b.other++
	default:
		b.bad = append(b.bad, f.at(index))
	}
}

// openNative takes a body of native records apart. One of which nothing can be read is refused: a shipper that has the
// wrong address or format must hear so.
func openNative(expected string) func(r *http.Request, body []byte) (shipment, error) {
	return func(_ *http.Request, body []byte) (shipment, error) {
		take := splitParts
		if isMsgpack(body) {
			take = msgpackParts
		}
		parts, err := take(body, maxRecords)
		if err != nil {
			return shipment{}, err
		}
		return shipment{
			parts: slices.Values(parts), expected: expected,
			answer: func(w http.ResponseWriter, a answer) { writeJSON(w, http.StatusOK, a) },
		}, nil
	}
}
