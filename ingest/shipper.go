package ingest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"
)

// maxShipped is how many records one body of a shipper's protocol may hold: Vector's batches for Loki have this many.
const maxShipped = 100_000

// codeNoExchange marks a log record that is no HTTP exchange. It is no error and no RecordError has it.
const codeNoExchange = "no_exchange"

// mountShippers adds the shippers' protocols to mux.
func (i *Ingester) mountShippers(mux *http.ServeMux) {
	i.mountOTLP(mux)
	i.mountElastic(mux)
	i.mountLoki(mux)
	i.mountSplunk(mux)
	i.mountDatadog(mux)
	i.mountFirehose(mux)
	i.mountLogpush(mux)
	i.mountJournal(mux)
	i.mountAuth0(mux)
	i.mountOkta(mux)
}

// shipped is the endpoint of a shipper's protocol.
func (i *Ingester) shipped(open func(r *http.Request, body []byte) (shipment, error), refuse func(http.ResponseWriter, *http.Request, *problem)) endpoint {
	return endpoint{open: open, refuse: refuse, read: (*Redactor).decodeShipped, commit: i.commitResponses}
}

// decodeShipped makes a record of what a shipper sent. Shippers send whatever an application logs: what has nothing of
// an exchange is neither kept nor refused, because refused records make some shippers send their batch again for ever.
func (r *Redactor) decodeShipped(p part) (decoded, *fault) {
	if p.fault != nil {
		return decoded{}, p.fault
	}
	if p.members == nil {
		return r.decodeNative(p, r.decodeMembers)
	}
	return r.decodeMembers(p.members)
}

// sequence makes a part of each item when it is asked for, so that not all of them are in memory at once.
func sequence[T any](items []T, make func(T) part) iter.Seq[part] {
	return func(yield func(part) bool) {
		for _, item := range items {
			if !yield(make(item)) {
				return
			}
		}
	}
}

// splitParts takes a body of JSON objects apart.
func splitParts(body []byte, most int) ([]part, error) {
	var parts []part
	for s := newSplitter(body); ; {
		p, more := s.next()
		if !more {
			return parts, nil
		}
		if len(parts) == most {
			return nil, tooManyRecords(most)
		}
		p.outline = nil
		parts = append(parts, p)
	}
}

// outlinedPart makes a part of a text that should be one JSON object and leaves it as it is, with its outline in room, which is
// good until the next part is made there.
func outlinedPart(raw []byte, room *outline) part {
	if length, ok := scanObject(raw, room); ok && length == len(raw) {
		return part{raw: raw, outline: room}
	}
	return objectPart(raw)
}

// withTexts gives parts that are members a text beside them, so that they can be read like lines that are known.
func withTexts(parts iter.Seq[part]) iter.Seq[part] {
	return func(yield func(part) bool) {
		var room outline
		var text []byte
		for p := range parts {
			if p.members != nil && p.fault == nil {
				text = appendCanonical(text[:0], p.members)
				if length, ok := scanObject(text, &room); ok && length == len(text) {
					p.raw, p.outline = text, &room
				}
			}
			if !yield(p) {
				return
			}
		}
	}
}

// objectPart makes a part of a text that should be one JSON object.
func objectPart(raw []byte) part {
	if len(raw) > maxRecord {
		return part{fault: recordTooLarge()}
	}
	if !json.Valid(raw) {
		return part{fault: notJSON()}
	}
	value, f := parseValue(raw)
	if f != nil {
		return part{fault: f}
	}
	members, ok := value.(map[string]any)
	if !ok {
		return part{fault: &fault{code: "not_an_object", detail: "a record is a JSON object"}}
	}
	return part{members: members}
}

func (r *Redactor) decodeMembers(members map[string]any) (decoded, *fault) {
	log := r.shapes.native(members)
	if !holdsExchange(log.members) {
		return decoded{}, &fault{code: codeNoExchange}
	}
	return r.decodeShaped(log)
}

// eventTimeOf writes a protocol's own time as records have it; the zero time is none.
func eventTimeOf(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// setDefault gives members a value that the protocol knows, unless the record has its own.
func setDefault(members map[string]any, name string, v any) {
	if text, ok := v.(string); v == nil || ok && text == "" || members[name] != nil {
		return
	}
	members[name] = v
}

func recordTooLarge() *fault {
	return &fault{code: "record_too_large", detail: fmt.Sprintf("the record is larger than %d KiB", maxRecord>>10)}
}

func tooDeep() *fault {
	return &fault{code: "too_deep", detail: fmt.Sprintf("the record is nested more than %d levels deep", maxDepth)}
}

// unreadable is the answer to a body that is not of its protocol at all.
func unreadable(detail string) *problem {
	return &problem{Title: "unreadable body", Status: http.StatusBadRequest, Detail: detail, reason: "nothing_readable"}
}

// credential returns the text of the ingest key, in whichever of the protocols' ways it is carried; "" if in none.
// Keys in a URL are not looked for: histories and proxies' logs keep URLs.
func credential(h http.Header) string {
	scheme, text, _ := strings.Cut(strings.TrimSpace(h.Get("Authorization")), " ")
	text = strings.TrimSpace(text)
	switch strings.ToLower(scheme) {
	case "bearer", "splunk":
		return text
	case "basic":
		user, password, _ := strings.Cut(decodedText(text), ":")
		if password == "" { // where a client knows only one of the two
			return user
		}
		return password
	case "apikey": // Elasticsearch: base64 of id:key
		_, key, ok := strings.Cut(decodedText(text), ":")
		if !ok {
			return text
		}
		return key
	}
	if text == "" && scheme != "" && !isScheme(scheme) { // webhooks send what was configured, as it is
		return scheme
	}
	for _, name := range []string{"Dd-Api-Key", "X-Amz-Firehose-Access-Key"} {
		if v := strings.TrimSpace(h.Get(name)); v != "" {
			return v
		}
	}
	return ""
}

func decodedText(s string) string {
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(data)
}
