package ingest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"authwatch/classify"
	"authwatch/store"
)

const (
	// maxKept is how many bad records of one transaction are kept to be looked at; the others are counted.
	maxKept = 20
	// maxKeptBody is how large a kept record may be, in bytes.
	maxKeptBody = 64 << 10
)

// A keptRecord is what is kept of a record that was not taken: its members as they came, before any mapping, redacted, and
// the raw tokens that were in it, decoded and redacted like any.
type keptRecord struct {
	Members         map[string]any `json:"members"`
	ClientAssertion *classify.JWT  `json:"client_assertion,omitempty"`
	AccessToken     *classify.JWT  `json:"access_token,omitempty"`
}

// quarantine keeps a bad record. What cannot be read as JSON, or not within the limits, cannot be redacted by its
// structure either: of such a one only code, pointer and length stay.
func (b *batch) quarantine(p part, f *fault) {
	if len(b.rejects) == maxKept {
		return
	}
	r := b.redactor
	out := store.Reject{
		Source: b.source, FirstAt: b.at, LastAt: b.at, Count: 1, Route: b.route, Code: f.code, Pointer: f.pointer, Detail: f.detail,
	}
	members := p.members
	if members == nil { // a text beside members is not what came
		out.Bytes = int64(len(p.raw))
	}
	if members == nil && p.raw != nil {
		value, _ := parseValue(p.raw) // a fault is what brought the record here
		members, _ = value.(map[string]any)
	}
	if members == nil {
		out.ID = r.rejectID(b.route, f.code, p.raw)
		b.rejects = append(b.rejects, out)
		return
	}
	out.ID = r.rejectID(b.route, "", encode(members))
	out.DeliveryKey = r.keyOfRejected(b.route, members)
	out.Body = r.keep(members)
	b.rejects = append(b.rejects, out)
}

// rejectID is the keyed name of a record that was not taken, the same whenever it comes again.
func (r *Redactor) rejectID(route, code string, data []byte) string {
	mac := hmac.New(sha256.New, r.key)
	fmt.Fprintf(mac, "authwatch/reject/v1\x00%s\x00%s\x00", route, code)
	mac.Write(data)
	return strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)))[:26]
}

// keyOfRejected is the delivery key that the record has as it came: made now, because redaction changes its content.
// A record with an id needs none.
func (r *Redactor) keyOfRejected(route string, members map[string]any) string {
	if route == routeTokens {
		if members["id"] != nil {
			return ""
		}
		return r.contentKey("token", members)
	}
	log := r.shapes.native(members)
	if log.members["id"] != nil {
		return ""
	}
	return r.contentKey("response", log.content)
}

// keep redacts members so that they can be stored, more strictly than a record: nothing is known yet about what they
// mean, so that every URL, every parameter and every set of claims is taken for what it looks like. "" if that fails.
func (r *Redactor) keep(members map[string]any) string {
	w := &walk{Redactor: r, side: sideRequest, params: true}
	kept := keptRecord{}
	kept.Members, _ = w.strictly("", members, 0).(map[string]any)
	var rec classify.Record
	w.place(&rec)
	kept.ClientAssertion, kept.AccessToken = rec.ClientAssertion, rec.AccessToken
	data := string(encode(kept))
	last := &walk{Redactor: r}
	if scanned := last.shapes(data); w.failed || last.failed || scanned != data || len(data) > maxKeptBody {
		return ""
	}
	return data
}

// strictly redacts a value of that name.
func (w *walk) strictly(name string, v any, depth int) any {
	if class := w.class(name); class != notSecret {
		return w.member(name, v, depth)
	}
	switch v := v.(type) {
	case string:
		return w.strictText(name, v)
	case []any:
		out := make([]any, len(v))
		for n, e := range v {
			out[n] = w.strictly(name, e, depth)
		}
		return out
	case map[string]any:
		return w.strictObject(v, depth)
	}
	return v
}

func (w *walk) strictObject(members map[string]any, depth int) any {
	if members["kty"] != nil || members["protected"] != nil || members["signatures"] != nil {
		return w.object(members, depth) // which knows keys and tokens written as objects
	}
	out := make(map[string]any, len(members))
	for name, v := range members {
		part, isObject := v.(map[string]any)
		side := w.side
		if name == "response" {
			w.side = sideResponse // a token that the server gave was not presented
		}
		switch {
		case isObject && (name == "claims" || name == "payload"):
			v = w.claimSet(classify.ObjectOf(part), w.claims).Map()
		case isObject && name == "header" && (members["claims"] != nil || members["payload"] != nil):
			v = w.claimSet(classify.ObjectOf(part), w.headers).Map()
		default:
			v = w.strictly(name, v, depth)
		}
		w.side = side
		out[w.text(name)] = v
	}
	return out
}

// strictText redacts a string: JSON as what it holds, a line of an access log and a form by their parameters, a header
// as the header that its name says, everything else by its words.
func (w *walk) strictText(name, s string) string {
	if object, ok := objectIn(strings.TrimSpace(s)); ok {
		return cutText(compactJSON(w.strictObject(object, 1)), maxString)
	}
	outer := w.name
	w.name = foldName(name)
	defer func() { w.name = outer }()
	words := strings.Split(s, " ")
	for n, word := range words {
		if strings.ContainsAny(word, "?#&=") {
			words[n] = w.strictWord(word)
		}
	}
	return cutText(w.nested(strings.Join(words, " "), 0), maxString)
}

func (w *walk) strictWord(s string) string {
	if trimmed := strings.Trim(s, `"'`); isForm(trimmed) {
		return strings.Replace(s, trimmed, w.parameters(trimmed, 0), 1)
	}
	return w.url(s, 0)
}

// unclassified keeps the records of a batch that met a defect of the classifier, as they are stored otherwise.
func (w *work) unclassified() []store.Reject {
	var list []store.Reject
	for _, bad := range w.bad {
		for n := range w.batch.records {
			d := &w.batch.records[n]
			if d.index != bad.Index || len(list) == maxKept {
				continue
			}
			members, err := recordMembers(d.record)
			if err != nil {
				continue
			}
			body := string(encode(keptRecord{Members: members}))
			if len(body) > maxKeptBody {
				body = ""
			}
			list = append(list, store.Reject{
				Source: w.batch.source, ID: w.batch.redactor.rejectID(w.batch.route, bad.Code, []byte(d.key)), FirstAt: w.batch.at, LastAt: w.batch.at,
				Count: 1, Route: w.batch.route, Code: bad.Code, Detail: bad.Detail, DeliveryKey: d.key, Body: body,
			})
		}
	}
	return list
}

func recordMembers(r *classify.Record) (map[string]any, error) {
	value, f := parseValue(encode(r))
	members, ok := value.(map[string]any)
	if f != nil || !ok {
		return nil, errors.New("record is no object")
	}
	return members, nil
}

// A Replayed says what became of a rejected record that was tried again.
type Replayed struct {
	Accepted  bool
	Duplicate bool         // it had come another way meanwhile
	Other     bool         // it is no HTTP exchange, as it is read now
	Error     *RecordError // why it still was not taken; nil otherwise
}

// ErrNotKept says that nothing is kept of a rejected record that could be tried again.
var ErrNotKept = errors.New("the record was not kept")

// Replay tries a rejected record again, along the path and with the delivery key that it came with. One that is taken
// now is no longer among the rejects. Errors: store.ErrNotFound, ErrNotKept, store.ErrBusy.
func (i *Ingester) Replay(ctx context.Context, source, id string) (Replayed, error) {
	from, err := i.store.GetSource(ctx, source)
	if err != nil {
		return Replayed{}, err
	}
	reject, err := i.store.GetReject(ctx, source, id)
	if err != nil {
		return Replayed{}, err
	}
	if reject.Body == "" {
		return Replayed{}, ErrNotKept
	}
	kept, err := decodeKept(reject.Body)
	if err != nil {
		return Replayed{}, fmt.Errorf("decode reject %s: %w", id, err)
	}
	e := i.replaying(reject, kept)
	b := batch{source: source, redactor: i.redactor.ForSource(from.Key.Name), at: i.now().UTC(), route: reject.Route, equals: newEquals(), replay: true}
	i.readPart(&b, 0, part{members: kept.Members}, e)
	if len(b.records) == 0 {
		return refusedAgain(b), nil
	}
	a, err := e.commit(ctx, b)
	if err != nil {
		return Replayed{}, busy(err)
	}
	if len(a.Errors) > 0 {
		return Replayed{Error: &a.Errors[0]}, nil
	}
	done := Replayed{Accepted: a.Accepted > 0, Duplicate: a.Duplicates > 0}
	err = i.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.ReplayedReject(ctx, source, id, done.result())
	})
	return done, err
}

// result is what became of a record that needs no keeping any more.
func (r Replayed) result() string {
	if r.Duplicate {
		return "repeated"
	}
	return "accepted"
}

func refusedAgain(b batch) Replayed {
	if b.other > 0 {
		return Replayed{Other: true}
	}
	return Replayed{Error: &b.bad[0]}
}

// busy gives the caller of Replay the store's own error for a problem that is an answer to shippers.
func busy(err error) error {
	var p *problem
	if errors.As(err, &p) {
		return store.ErrBusy
	}
	return err
}

func decodeKept(body string) (keptRecord, error) {
	var kept keptRecord
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&kept); err != nil && !errors.Is(err, io.EOF) {
		return keptRecord{}, err
	}
	return kept, nil
}

// replaying is the endpoint that a kept record came by.
func (i *Ingester) replaying(reject store.Reject, kept keptRecord) endpoint {
	e := endpoint{commit: i.commitResponses, read: (*Redactor).decodeShipped}
	switch reject.Route {
	case routeTokens:
		e.commit = i.commitTokens
		e.read = func(r *Redactor, p part) (decoded, *fault) { return r.decodePart(p, r.decodeLateToken) }
	case routeResponses:
		e.read = func(r *Redactor, p part) (decoded, *fault) { return r.decodePart(p, r.decodeResponse) }
	}
	read := e.read
	e.read = func(r *Redactor, p part) (decoded, *fault) {
		d, f := read(r, p)
		if f != nil {
			return d, f
		}
		if reject.DeliveryKey != "" && isContentKey(d.key) { // a mapping may find an id where there seemed to be none
			d.key = reject.DeliveryKey
		}
		if kept.ClientAssertion != nil {
			setToken(d.record, kindAssertion, kept.ClientAssertion)
		}
		if kept.AccessToken != nil {
			setToken(d.record, kindAccessToken, kept.AccessToken)
		}
		return d, nil
	}
	return e
}
