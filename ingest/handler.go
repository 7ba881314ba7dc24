package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"authwatch/store"
)

// Handler serves POST /ingest/v1/responses and POST /ingest/v1/tokens. It checks the ingest key itself.
func (i *Ingester) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/ingest/v1/responses", i.endpoint(endpoint{
		read: i.redactor.decodeResponse, commit: i.commitResponses, expected: expectedBody,
	}))
	mux.HandleFunc("/ingest/v1/tokens", i.endpoint(endpoint{
		read: i.redactor.decodeLateToken, commit: i.commitTokens, expected: expectedTokens,
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		i.refuse(w, r, &problem{
			Title: "not found", Status: http.StatusNotFound, reason: "not_found",
			Detail: "records go to /ingest/v1/responses, decoded tokens that come apart to /ingest/v1/tokens",
		})
	})
	return mux
}

// An endpoint is what the two routes differ in.
type endpoint struct {
	read     func(members map[string]any) (decoded, *fault)
	commit   func(ctx context.Context, b batch) (answer, error)
	expected string
}

// A batch is the records of one request, redacted, in the order of the body.
type batch struct {
	source   string // id of the ingest key
	at       time.Time
	received int
	records  []decoded
	bad      []RecordError
}

func (i *Ingester) endpoint(e endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		select {
		case i.slots <- struct{}{}:
			defer func() { <-i.slots }()
		default:
			i.refuse(w, r, overloaded())
			return
		}
		a, err := i.take(w, r, e)
		if err != nil {
			i.refuse(w, r, err)
			return
		}
		i.metrics.duration.Observe(time.Since(start).Seconds())
		i.metrics.answered(a)
		writeJSON(w, http.StatusOK, a)
	}
}

// take is the way of one request: whose it is, what it holds, commit.
func (i *Ingester) take(w http.ResponseWriter, r *http.Request, e endpoint) (answer, error) {
	if r.Method != http.MethodPost {
		return answer{}, &problem{Title: "method not allowed", Status: http.StatusMethodNotAllowed, reason: "wrong_method"}
	}
	key, err := i.authenticate(r)
	if err != nil {
		return answer{}, err
	}
	body, err := readBody(w, r)
	if err != nil {
		return answer{}, err
	}
	b := batch{source: key.ID, at: i.now().UTC()}
	if err := i.decode(&b, body, e); err != nil {
		return answer{}, err
	}
	return e.commit(r.Context(), b)
}

// authenticate finds the request's ingest key (RFC 6750 section 3).
func (i *Ingester) authenticate(r *http.Request) (store.APIKey, error) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(text) == "" {
		return store.APIKey{}, &problem{
			Title: "no key", Status: http.StatusUnauthorized, reason: "no_key", challenge: `Bearer realm="authwatch"`,
			Detail: "send Authorization: Bearer and a key of scope ingest, made with authwatch key create --scope ingest NAME",
		}
	}
	key, err := i.store.FindKey(r.Context(), strings.TrimSpace(text))
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

// decode fills b with the records of body. It is an error when there are too many, or none can be read: a shipper
// that has the wrong address or format must hear so.
func (i *Ingester) decode(b *batch, body []byte, e endpoint) error {
	s := newSplitter(body)
	for ; ; b.received++ {
		p, more := s.next()
		if !more {
			break
		}
		if b.received == maxRecords {
			return tooLarge(fmt.Sprintf("the body holds more than %d records; send smaller batches", maxRecords), maxRecords, "too_many_records")
		}
		d, f := i.redactor.decodePart(p, e.read)
		if f == nil && (d.record.Time.Before(b.at.Add(-maxPast)) || d.record.Time.After(b.at.Add(maxAhead))) {
			f = outOfRange()
		}
		if f != nil {
			b.bad = append(b.bad, f.at(b.received))
			continue
		}
		d.index = b.received
		b.records = append(b.records, d)
	}
	if len(b.records) == 0 {
		return nothingReadable(e.expected, b.bad)
	}
	return nil
}
