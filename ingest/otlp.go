package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"
)

// mountOTLP serves OTLP/HTTP logs: ExportLogsServiceRequest as protobuf or JSON. Only plog of the Collector's pdata is
// used: the request has the wire form of LogsData, and the package with its own name for it links all of gRPC.
func (i *Ingester) mountOTLP(mux *http.ServeMux) {
	e := i.shipped(openOTLP, refuseOTLP)
	e.quick = true
	mux.HandleFunc("/ingest/otlp/v1/logs", i.endpoint(e))
}

// openOTLP tells JSON from protobuf by the body: a protobuf request can begin like white space and a brace, but is no JSON then.
func openOTLP(_ *http.Request, body []byte) (shipment, error) {
	isJSON := looksLikeJSON(body) && json.Valid(body)
	s := shipment{answer: func(w http.ResponseWriter, a answer) { answerOTLP(w, a, isJSON) }}
	logs, err := decodeOTLP(body, isJSON)
	count := 0
	if err == nil {
		s.parts, count = withTexts(otlpParts(logs)), logs.LogRecordCount()
	} else if records := otlpRecords(body); isJSON && len(records) > 0 {
		s.parts, count = sequence(records, otlpRecord.part), len(records)
	} else {
		return shipment{}, unreadable("an ExportLogsServiceRequest of OTLP/HTTP is expected, as protobuf or JSON")
	}
	if count > maxShipped {
		return shipment{}, tooManyRecords(maxShipped)
	}
	return s, nil
}

func decodeOTLP(body []byte, isJSON bool) (plog.Logs, error) {
	switch {
	case isJSON:
		return (&plog.JSONUnmarshaler{}).UnmarshalLogs(body)
	case !nestsAtMost(body, maxProtoDepth):
		return plog.Logs{}, errors.New("nested too deep")
	}
	return (&plog.ProtoUnmarshaler{}).UnmarshalLogs(body)
}

// An otlpRecord is a log record of a request in JSON, with its resource. pdata refuses the request as a whole where one
// field of one record is wrong, such as the negative time that OpenTelemetry JS makes of a date before 1970; each is then read by itself.
type otlpRecord struct{ resource, record json.RawMessage }

// otlpRecords takes a request in JSON apart; nil if it is none.
func otlpRecords(body []byte) []otlpRecord {
	var request struct {
		ResourceLogs []struct {
			Resource  json.RawMessage
			ScopeLogs []struct{ LogRecords []json.RawMessage }
		}
	}
	if json.Unmarshal(body, &request) != nil {
		return nil
	}
	var records []otlpRecord
	for _, r := range request.ResourceLogs {
		for _, scope := range r.ScopeLogs {
			for _, record := range scope.LogRecords {
				records = append(records, otlpRecord{resource: r.Resource, record: record})
			}
		}
	}
	return records
}

func (o otlpRecord) part() part {
	if o.resource == nil {
		o.resource = json.RawMessage("{}")
	}
	alone := slices.Concat([]byte(`{"resourceLogs":[{"resource":`), o.resource, []byte(`,"scopeLogs":[{"logRecords":[`), o.record, []byte("]}]}]}"))
	logs, err := decodeOTLP(alone, true)
	if err == nil {
		for p := range otlpParts(logs) {
			return p
		}
	}
	return part{fault: &fault{code: "wrong_type", detail: "a field of this log record is not what OTLP has there in JSON"}}
}

func looksLikeJSON(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{"))
}

// maxProtoDepth allows for maxDepth levels of lists in maps, each of which is three messages in messages.
const maxProtoDepth = 4 * maxDepth

// nestsAtMost bounds how deep messages within messages may be, before a decoder that recurses meets them: a stack that
// overflows ends the process. Bytes that merely could be a message count as one, so that no schema is needed.
func nestsAtMost(message []byte, depth int) bool {
	rest := [][]byte{message} // of each message that is open
	for len(rest) > 0 {
		top := len(rest) - 1
		number, kind, n := protowire.ConsumeTag(rest[top])
		size := -1
		if n >= 0 {
			size = protowire.ConsumeFieldValue(number, kind, rest[top][n:])
		}
		if size < 0 { // at its end, or no message
			rest = rest[:top]
			continue
		}
		field := rest[top][n : n+size]
		rest[top] = rest[top][n+size:]
		if kind != protowire.BytesType {
			continue
		}
		if len(rest) == depth {
			return false
		}
		inner, _ := protowire.ConsumeBytes(field)
		rest = append(rest, inner)
	}
	return true
}

// otlpParts hands on each log record: its attributes over those of its resource, with its body under the name body.
func otlpParts(logs plog.Logs) iter.Seq[part] {
	return func(yield func(part) bool) {
		for _, resource := range logs.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					if !yield(otlpPart(resource.Resource(), record)) {
						return
					}
				}
			}
		}
	}
}

func otlpPart(resource pcommon.Resource, record plog.LogRecord) part {
	v := &otlpValue{}
	members := map[string]any{}
	v.addTo(members, record.Attributes())
	v.addTo(members, resource.Attributes())
	if body := v.of(record.Body(), 1); body != nil {
		members["body"] = body
	}
	setDefault(members, "severity_text", v.text(record.SeverityText()))
	setDefault(members, "event_name", v.text(record.EventName()))
	if id := record.TraceID(); !id.IsEmpty() {
		setDefault(members, "trace_id", id.String())
	}
	at := record.Timestamp()
	if at == 0 {
		at = record.ObservedTimestamp()
	}
	if at != 0 {
		setDefault(members, "time", eventTimeOf(at.AsTime()))
	}
	return part{members: members, fault: v.fault}
}

// An otlpValue turns attributes into what JSON would have held, within the limits of a record.
type otlpValue struct {
	size  int
	fault *fault
}

func (o *otlpValue) addTo(members map[string]any, attributes pcommon.Map) {
	if attributes.Len() > maxMembers {
		o.fault = &fault{code: "too_many_members", detail: fmt.Sprintf("the record has more than %d attributes", maxMembers)}
		return
	}
	for name, v := range attributes.All() {
		name = o.text(name)
		if _, twice := members[name]; !twice { // the first counts, as in JSON
			members[name] = o.of(v, 1)
		}
	}
}

func (o *otlpValue) text(s string) string {
	if o.size += len(s); o.size > maxRecord && o.fault == nil {
		o.fault = recordTooLarge()
	}
	if o.fault != nil {
		return ""
	}
	return cleanText(s)
}

func (o *otlpValue) of(v pcommon.Value, depth int) any {
	if depth > maxDepth && o.fault == nil {
		o.fault = tooDeep()
	}
	if o.fault != nil {
		return nil
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return o.text(v.Str())
	case pcommon.ValueTypeBool:
		return v.Bool()
	case pcommon.ValueTypeInt:
		return json.Number(strconv.FormatInt(v.Int(), 10))
	case pcommon.ValueTypeDouble:
		return doubleNumber(v.Double())
	case pcommon.ValueTypeBytes:
		return o.text(string(v.Bytes().AsRaw()))
	case pcommon.ValueTypeSlice:
		out := make([]any, 0, v.Slice().Len())
		for _, e := range v.Slice().All() {
			out = append(out, o.of(e, depth+1))
		}
		return out
	case pcommon.ValueTypeMap:
		out := map[string]any{}
		for name, e := range v.Map().All() {
			name = o.text(name)
			if _, twice := out[name]; !twice {
				out[name] = o.of(e, depth+1)
			}
		}
		return out
	}
	return nil
}

// doubleNumber writes a double as JSON would; infinity and not-a-number, which JSON lacks, as text.
func doubleNumber(f float64) any {
	text, err := json.Marshal(f)
	if err != nil {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return json.Number(text)
}

// answerOTLP says what was not taken as a partial success, which is never sent again, in the encoding of the request.
func answerOTLP(w http.ResponseWriter, a answer, isJSON bool) {
	message := rejection(a)
	if isJSON {
		partial := map[string]any{}
		if a.Rejected > 0 {
			partial["rejectedLogRecords"], partial["errorMessage"] = strconv.Itoa(a.Rejected), message
		}
		writeJSON(w, http.StatusOK, map[string]any{"partialSuccess": partial})
		return
	}
	var body []byte
	if a.Rejected > 0 {
		partial := protowire.AppendTag(nil, 1, protowire.VarintType)
		partial = protowire.AppendVarint(partial, uint64(a.Rejected))
		partial = protowire.AppendTag(partial, 2, protowire.BytesType)
		partial = protowire.AppendString(partial, message)
		body = protowire.AppendTag(body, 1, protowire.BytesType)
		body = protowire.AppendBytes(body, partial)
	}
	writeProto(w, http.StatusOK, body)
}

// rejection says in one sentence what was not taken: how many records, and why the first of them.
func rejection(a answer) string {
	if a.Rejected == 0 {
		return ""
	}
	first := a.Errors[0]
	return fmt.Sprintf("%d of %d records were not taken; the first is record %d: %s", a.Rejected, a.Received, first.Index, first.Detail)
}

// refuseOTLP answers with a google.rpc.Status.
func refuseOTLP(w http.ResponseWriter, r *http.Request, p *problem) {
	message := p.text()
	if strings.Contains(r.Header.Get("Content-Type"), "json") {
		writeJSON(w, p.Status, map[string]any{"code": rpcCode(p.Status), "message": message})
		return
	}
	body := protowire.AppendTag(nil, 1, protowire.VarintType)
	body = protowire.AppendVarint(body, uint64(rpcCode(p.Status)))
	body = protowire.AppendTag(body, 2, protowire.BytesType)
	body = protowire.AppendString(body, message)
	writeProto(w, p.Status, body)
}

// rpcCode is the google.rpc.Code of an HTTP status.
func rpcCode(status int) int {
	switch status {
	case http.StatusUnauthorized:
		return 16
	case http.StatusForbidden:
		return 7
	case http.StatusRequestEntityTooLarge:
		return 8
	case http.StatusServiceUnavailable:
		return 14
	}
	return 3 // invalid argument
}

func writeProto(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/x-protobuf")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(body) // an error means that the shipper has gone
}
