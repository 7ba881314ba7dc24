package ingest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/klauspost/compress/gzip"
)

// maxFirehose is the size to which a delivery stream may set its buffer: a larger body than others may send, because
// Firehose loses a batch that is refused for its size.
const maxFirehose = 64 << 20

// mountFirehose serves the HTTP endpoint delivery of Amazon Data Firehose. Only 200 is a success to it; after any other
// answer it tries again, and what never succeeds goes to its backup bucket.
func (i *Ingester) mountFirehose(mux *http.ServeMux) {
	e := i.shipped(i.openFirehose, i.refuseFirehose)
	e.maxBody = maxFirehose
	mux.HandleFunc("/ingest/firehose", i.endpoint(e))
}

// openFirehose reads the envelope. A body that is none is answered with 200 and counted as rejected: sending it again would not mend it.
func (i *Ingester) openFirehose(r *http.Request, body []byte) (shipment, error) {
	var envelope struct {
		RequestID string            `json:"requestId"`
		Records   []json.RawMessage `json:"records"`
	}
	var parts []part
	if err := json.Unmarshal(body, &envelope); err != nil {
		parts = []part{{fault: notJSON()}}
	}
	for _, record := range envelope.Records {
		more, err := firehoseParts(record, maxShipped-len(parts))
		if err != nil {
			return shipment{}, err
		}
		parts = append(parts, more...)
	}
	common := firehoseAttributes(r.Header.Get("X-Amz-Firehose-Common-Attributes"))
	return shipment{
		parts: sequence(parts, func(p part) part {
			if p.fault == nil && p.members == nil {
				p = objectPart(p.raw)
			}
			for name, v := range common {
				if p.fault == nil {
					setDefault(p.members, name, v)
				}
			}
			return p
		}),
		answer: func(w http.ResponseWriter, a answer) { i.answerFirehose(w, r, http.StatusOK, rejection(a)) },
	}, nil
}

// firehoseAttributes are what the delivery stream was configured to say of all its records.
func firehoseAttributes(header string) map[string]any {
	p := objectPart([]byte(header))
	common, _ := p.members["commonAttributes"].(map[string]any)
	return common
}

// firehoseParts opens one record: base64 of text, or of a gzip of it as CloudWatch sends.
func firehoseParts(record json.RawMessage, most int) ([]part, error) {
	var carrier struct {
		Data []byte `json:"data"`
	}
	if err := json.Unmarshal(record, &carrier); err != nil {
		return []part{{fault: &fault{code: "wrong_type", detail: "a record of Firehose has base64 in its data"}}}, nil
	}
	data := carrier.Data
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		var f *fault
		if data, f = gunzip(data); f != nil {
			return []part{{fault: f}}, nil
		}
	}
	if events, ok := cloudWatchEvents(data); ok {
		if len(events) > most {
			return nil, tooManyRecords(maxShipped)
		}
		return events, nil
	}
	if looksLikeJSON(data) || bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		return splitParts(data, most)
	}
	return lineParts(data)
}

// gunzip undoes a gzip inside a record. It may not hold more than any body may.
func gunzip(data []byte) ([]byte, *fault) {
	broken := &fault{code: "cut_off", detail: "the gzip in this record ends early or is none"}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, broken
	}
	out, err := io.ReadAll(io.LimitReader(z, maxInflated+1))
	if err != nil {
		return nil, broken
	}
	if len(out) > maxInflated {
		return nil, recordTooLarge()
	}
	return out, nil
}

// cloudWatchEvents opens a subscription message of CloudWatch Logs; a control message holds nothing.
func cloudWatchEvents(data []byte) ([]part, bool) {
	var message struct {
		Type   string `json:"messageType"`
		Group  string `json:"logGroup"`
		Events []struct {
			ID        string      `json:"id"`
			Timestamp json.Number `json:"timestamp"`
			Message   string      `json:"message"`
		} `json:"logEvents"`
	}
	if !looksLikeJSON(data) || json.Unmarshal(data, &message) != nil || message.Type != "DATA_MESSAGE" && message.Type != "CONTROL_MESSAGE" {
		return nil, false
	}
	if message.Type == "CONTROL_MESSAGE" {
		return nil, true
	}
	parts := make([]part, 0, len(message.Events))
	for _, e := range message.Events {
		if len(e.Message) > maxRecord {
			parts = append(parts, part{fault: recordTooLarge()})
			continue
		}
		members := map[string]any{"message": cleanText(e.Message), "log_group": cleanText(message.Group), "event_id": cleanText(e.ID)}
		if at, ok := epoch(e.Timestamp, time.Millisecond); ok {
			members["time"] = at
		}
		parts = append(parts, part{members: members})
	}
	return parts, true
}

// answerFirehose repeats the request's id, as Firehose demands, with a Content-Length and without compression.
func (i *Ingester) answerFirehose(w http.ResponseWriter, r *http.Request, status int, message string) {
	out := map[string]any{"requestId": cutText(cleanText(r.Header.Get("X-Amz-Firehose-Request-Id")), maxIdentity), "timestamp": i.now().UnixMilli()}
	if message != "" {
		out["errorMessage"] = message
	}
	body := encode(out)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // an error means that Firehose has gone
}

func (i *Ingester) refuseFirehose(w http.ResponseWriter, r *http.Request, p *problem) {
	i.answerFirehose(w, r, p.Status, p.text())
}
