package ingest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// mountLoki serves Loki's push API. Clients put /loki/api/v1/push behind the address they are given.
func (i *Ingester) mountLoki(mux *http.ServeMux) {
	e := i.shipped(openLoki, refuseLoki)
	e.quick = true
	push := i.endpoint(e)
	mux.HandleFunc("/ingest/loki/api/v1/push", push)
	mux.HandleFunc("/ingest/loki/loki/api/v1/push", push)
	mux.HandleFunc("/ingest/loki/ready", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ready\n") })
}

// A lokiEntry is one line with the labels of its stream.
type lokiEntry struct {
	labels map[string]any
	at     time.Time
	line   string
	meta   map[string]any // structured metadata
	fault  *fault
}

// openLoki tells JSON from protobuf by the body. Protobuf comes as a snappy block, which most clients do not name in a header.
func openLoki(r *http.Request, body []byte) (shipment, error) {
	var entries []lokiEntry
	var err error
	if looksLikeJSON(body) && json.Valid(body) {
		entries, err = lokiJSON(body)
	} else {
		if !strings.EqualFold(r.Header.Get("Content-Encoding"), "snappy") { // Vector names it, and it is undone then
			body, err = inflateWithin("snappy", body, maxInflated, shareOf(r))
		}
		if err == nil {
			entries, err = lokiProto(body)
		}
	}
	var known *problem
	switch {
	case errors.As(err, &known):
		return shipment{}, known
	case err != nil:
		return shipment{}, unreadable("a push request of Loki is expected, as JSON or as protobuf in a snappy block")
	case len(entries) > maxShipped:
		return shipment{}, tooManyRecords(maxShipped)
	}
	return shipment{
		parts:  withTexts(sequence(entries, lokiEntry.part)),
		answer: func(w http.ResponseWriter, _ answer) { w.WriteHeader(http.StatusNoContent) },
	}, nil
}

// part hands on the line under its own name, so that a record in it is the same record as without Loki.
func (e lokiEntry) part() part {
	switch {
	case e.fault != nil:
		return part{fault: e.fault}
	case len(e.line) > maxRecord:
		return part{fault: recordTooLarge()}
	}
	members := map[string]any{"line": cleanText(e.line), "time": eventTimeOf(e.at)}
	for name, v := range logfmt(e.line) {
		setDefault(members, name, v)
	}
	for _, more := range []map[string]any{e.meta, e.labels} {
		for name, v := range more {
			setDefault(members, name, v)
		}
	}
	setDefault(members, "service", e.labels["service_name"])
	return part{members: members}
}

func lokiJSON(body []byte) ([]lokiEntry, error) {
	var push struct {
		Streams []struct {
			Stream map[string]any      `json:"stream"`
			Values [][]json.RawMessage `json:"values"`
		} `json:"streams"`
	}
	if err := json.Unmarshal(body, &push); err != nil {
		return nil, err
	}
	if push.Streams == nil {
		return nil, errors.New("streams is missing")
	}
	var entries []lokiEntry
	for _, s := range push.Streams {
		labels := map[string]any{}
		for name, v := range s.Stream {
			if text, ok := v.(string); ok { // winston-loki leaves numbers and null of an application's as they are
				labels[cleanText(name)] = cleanText(text)
			}
		}
		for _, v := range s.Values {
			entries = append(entries, lokiValue(labels, v))
		}
	}
	return entries, nil
}

// lokiValue reads ["nanoseconds","line",{structured metadata}].
func lokiValue(labels map[string]any, v []json.RawMessage) lokiEntry {
	bad := lokiEntry{fault: &fault{code: "wrong_type", detail: `a value is ["nanoseconds","line"], with structured metadata as an object behind them`}}
	if len(v) < 2 || len(v) > 3 {
		return bad
	}
	var nanos, line string
	if json.Unmarshal(v[0], &nanos) != nil || json.Unmarshal(v[1], &line) != nil {
		return bad
	}
	e := lokiEntry{labels: labels, line: line}
	if n, err := strconv.ParseInt(nanos, 10, 64); err == nil { // pino-loki sends NaN where the logger writes its times as text: the line has them
		e.at = time.Unix(0, n)
	}
	if len(v) == 3 {
		p := objectPart(v[2])
		if p.fault != nil {
			return bad
		}
		e.meta = p.members
	}
	return e
}

var errNotPush = errors.New("is no push request")

// lokiProto reads logproto.PushRequest: streams (1) of labels (1) and entries (2).
func lokiProto(message []byte) ([]lokiEntry, error) {
	var entries []lokiEntry
	err := protoFields(message, func(number protowire.Number, stream []byte) error {
		if number != 1 {
			return nil
		}
		var labels map[string]any
		var lines [][]byte
		err := protoFields(stream, func(number protowire.Number, v []byte) error {
			switch number {
			case 1:
				labels = lokiLabels(string(v))
			case 2:
				lines = append(lines, v)
			}
			return nil
		})
		for _, line := range lines {
			e, entryErr := lokiProtoEntry(line)
			if entryErr != nil {
				return entryErr
			}
			e.labels = labels
			entries = append(entries, e)
		}
		return err
	})
	return entries, err
}

// lokiProtoEntry reads logproto.EntryAdapter: timestamp (1), line (2), structured metadata (3) of name (1) and value (2).
func lokiProtoEntry(message []byte) (lokiEntry, error) {
	e := lokiEntry{meta: map[string]any{}}
	err := protoFields(message, func(number protowire.Number, v []byte) error {
		switch number {
		case 1:
			return protoNumbers(v, func(number protowire.Number, n uint64) {
				switch number {
				case 1:
					e.at = time.Unix(int64(n), int64(e.at.Nanosecond()))
				case 2:
					e.at = time.Unix(e.at.Unix(), int64(int32(n)))
				}
			})
		case 2:
			e.line = string(v)
		case 3:
			var name, value string
			err := protoFields(v, func(number protowire.Number, v []byte) error {
				switch number {
				case 1:
					name = cleanText(string(v))
				case 2:
					value = cleanText(string(v))
				}
				return nil
			})
			e.meta[name] = value
			return err
		}
		return nil
	})
	return e, err
}

// protoFields calls field with each length-delimited field of a message and passes over the others.
func protoFields(message []byte, field func(number protowire.Number, v []byte) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errNotPush
		}
		size := protowire.ConsumeFieldValue(number, kind, message[n:])
		if size < 0 {
			return errNotPush
		}
		if kind == protowire.BytesType {
			v, _ := protowire.ConsumeBytes(message[n:])
			if err := field(number, v); err != nil {
				return err
			}
		}
		message = message[n+size:]
	}
	return nil
}

// protoNumbers calls field with each varint of a message.
func protoNumbers(message []byte, field func(number protowire.Number, v uint64)) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 || kind != protowire.VarintType {
			return errNotPush
		}
		v, size := protowire.ConsumeVarint(message[n:])
		if size < 0 {
			return errNotPush
		}
		field(number, v)
		message = message[n+size:]
	}
	return nil
}

// lokiLabels reads {name="value", …} as the protobuf form has labels. What cannot be read is left out: labels are not
// what a verdict hangs on.
func lokiLabels(s string) map[string]any {
	labels := map[string]any{}
	s = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "{"), "}")
	for s != "" {
		name, rest, ok := strings.Cut(s, "=")
		if !ok {
			break
		}
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			break
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			break
		}
		labels[cleanText(strings.Trim(name, ", "))] = cleanText(value)
		s = strings.TrimLeft(rest[len(quoted):], ", ")
	}
	return labels
}

// logfmt reads a line that is key=value throughout; of any other line it returns nothing.
func logfmt(line string) map[string]any {
	out := map[string]any{}
	for rest := strings.TrimSpace(line); rest != ""; rest = strings.TrimLeft(rest, " ") {
		name, after, ok := strings.Cut(rest, "=")
		if !ok || name == "" || len(out) == maxMembers || strings.ContainsAny(name, " \t\"'{}[]&?:/") {
			return nil
		}
		var value string
		if strings.HasPrefix(after, `"`) {
			quoted, err := strconv.QuotedPrefix(after)
			if err != nil {
				return nil
			}
			value, _ = strconv.Unquote(quoted)
			rest = after[len(quoted):]
		} else {
			value, rest, _ = strings.Cut(after, " ")
		}
		setDefault(out, cleanText(name), cleanText(value))
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// refuseLoki answers in plain text, as Loki does.
func refuseLoki(w http.ResponseWriter, _ *http.Request, p *problem) {
	http.Error(w, p.text(), p.Status)
}
