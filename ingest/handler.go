package ingest

import (
	"bytes"
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

// The native routes.
const (
	routeResponses = "/ingest/v1/responses"
	routeTokens    = "/ingest/v1/tokens"
)

// Handler serves the native routes POST /ingest/v1/responses and POST /ingest/v1/tokens and the protocols of log shippers,
// each under /ingest/ and, where its clients cannot take a path prefix, at the root too. It checks the ingest key itself.
func (i *Ingester) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(routeResponses, i.endpoint(endpoint{
		open: openNative(expectedBody, i.forms), commit: i.commitResponses, quick: true, refuse: writeProblem, idempotent: true,
		read: func(r *Redactor, p part) (decoded, *fault) { return r.decodeNative(p, r.decodeResponse) },
	}))
	mux.HandleFunc(routeTokens, i.endpoint(endpoint{
		open: openNative(expectedTokens, nil), commit: i.commitTokens, refuse: writeProblem, idempotent: true,
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
	// idempotent: an Idempotency-Key is honoured.
	idempotent bool
	open       func(r *http.Request, body []byte) (shipment, error)
	read       func(r *Redactor, p part) (decoded, *fault)
	commit     func(ctx context.Context, b batch) (answer, error)
	quick      bool                                                     // what it takes are exchanges: a plain success may be read quickly
	refuse     func(w http.ResponseWriter, r *http.Request, p *problem) // in the words of the protocol
}

// A shipment is a body taken apart, and how its sender wants to hear what became of it.
type shipment struct {
	parts    iter.Seq[part]
	expects  int    // about how many parts there are; 0 when that is not known
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
	// noted are the facts of the batch's plain successes that history does not know yet.
	noted map[*KnownFact]span
	other int // records that are no HTTP exchange: shippers send whatever an application logs
	bad   []RecordError

	route   string // that the records came by
	lags    store.Lags
	rejects []store.Reject // of bad, what is kept to be looked at
	equals  *equals
	room    *batchRoom // of the records; nil: each has memory of its own
	turn    *turn      // given back in part once the batch is judged; nil for none
	body    *share     // lends the body, until all of it is read; nil for none
	replay  bool       // the records were kept here and are no sign of life of their source
}

func (i *Ingester) endpoint(e endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		key, s, a, err := i.take(w, r, e)
		if err != nil {
			i.refuseSource(w, r, key.ID, s.refuser(e), err)
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

// take is the way of one request: whose it is, whether there is room for it, what it holds, commit.
func (i *Ingester) take(w http.ResponseWriter, r *http.Request, e endpoint) (key store.APIKey, s shipment, a answer, err error) {
	if err := checkMethod(r, e.methods); err != nil {
		return key, s, a, err
	}
	if key, err = i.authenticate(r); err != nil {
		return key, s, a, err
	}
	share, over := i.quota.admit(key)
	if over != nil {
		return key, s, a, over
	}
	defer share.release()
	body, err := readBody(w, r, maxInflated, share)
	if err != nil {
		return key, s, a, err
	}
	turn, err := i.turns.take(r.Context(), key.ID, len(body))
	if err != nil {
		return key, s, a, err
	}
	defer turn.end()
	if s, err = e.open(withShare(r, share), body); err != nil {
		return key, s, a, err
	}
	b := batch{source: key.ID, redactor: i.redactor.ForSource(key.Name), at: i.now().UTC(), route: r.Pattern, equals: newEquals(), turn: turn, body: share}
	work := func() (answer, error) {
		a, err := i.commitAll(r.Context(), e, s, b)
		share.charge(a.Received)
		return a, err
	}
	if name := r.Header.Values("Idempotency-Key"); e.idempotent && len(name) > 0 {
		a, err = i.once(r.Context(), name, b, body, work)
	} else {
		a, err = work()
	}
	return key, s, a, err
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
	if err := i.late.ask(ctx, b.at); err != nil {
		return answer{}, err
	}
	total, index := answer{Errors: []RecordError{}}, 0
	turn := b.turn
	b.turn = nil // is needed whole until the last part is read
	commit := func() error {
		a, err := i.commit(ctx, e, b)
		total.add(a)
		b.records = b.room.empty(b.records)
		b.noted, b.bad, b.rejects, b.other, b.received, b.lags = nil, nil, nil, 0, 0, store.Lags{}
		return err
	}
	b.room = i.rooms.Get().(*batchRoom)
	defer func() {
		b.room.list = b.room.empty(b.records)
		i.rooms.Put(b.room)
	}()
	b.records = slices.Grow(b.room.list, min(s.expects, maxRecords))
	for p := range s.parts {
		if p.refused != nil {
			return answer{}, p.refused
		}
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
	b.turn = turn
	b.body.giveAllBack() // while this waits for the disk, others read theirs into it
	return total, commit()
}

// commit commits a batch. What leaves nothing behind but a count needs no transaction of its own.
func (i *Ingester) commit(ctx context.Context, e endpoint, b batch) (answer, error) {
	if len(b.records) > 0 || len(b.bad) > 0 {
		return e.commit(ctx, b)
	}
	if b.received > 0 {
		i.notes.add(store.SourceCounts{Source: b.source, At: b.at, Other: int64(b.other)})
	}
	return answer{Received: b.received, Errors: []RecordError{}, other: b.other}, nil
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
		if wait := i.guesses.wrong(r.RemoteAddr); wait > 0 {
			return store.APIKey{}, tooManyGuesses(wait)
		}
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
	p.room = b.room
	d, f := i.decode(b, p, e)
	if f == nil {
		f = i.checkTime(d.at, b.at)
	}
	switch {
	case f == nil:
		d.index = index
		b.take(&d.success, d.at)
		b.equals.number(&d)
		b.lags.Add(b.at.Sub(d.at))
		b.records = append(b.records, d)
	case f.code == codeNoExchange:
		b.other++
	default:
		b.bad = append(b.bad, f.at(index))
		b.quarantine(p, f)
	}
}

// checkTime says what is wrong with the time of an event that is received at that time.
func (i *Ingester) checkTime(at, received time.Time) *fault {
	switch {
	case tooFar(at, received):
		return outOfRange()
	case i.retain > 0 && received.Sub(at) > i.retain:
		return &fault{pointer: "/time", code: "too_old", detail: "the event is older than records are kept, so that nobody could tell whether it was counted before; " +
			"start the server with a longer --retain to take it"}
	}
	return nil
}

// openNative takes a body of native records apart. One of which nothing can be read is refused: a shipper that has the
// wrong address or format must hear so. Lines of known forms need no scan.
func openNative(expected string, known *forms) func(r *http.Request, body []byte) (shipment, error) {
	return func(_ *http.Request, body []byte) (shipment, error) {
		s := newSplitter(body)
		s.forms = known
		seq := s.parts(maxShipped)
		if isMsgpack(body) {
			list, err := msgpackParts(body, maxShipped)
			if err != nil {
				return shipment{}, err
			}
			seq = slices.Values(list)
		}
		return shipment{
			parts: seq, expected: expected, expects: bytes.Count(body, []byte{'\n'}) + 1,
			answer: func(w http.ResponseWriter, a answer) { writeJSON(w, http.StatusOK, a) },
		}, nil
	}
}
