package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// mountFirehose serves the HTTP endpoint delivery of Amazon Data Firehose. Only 200 is a success to it; after any other
// answer it tries again, and what never succeeds goes to its backup bucket.
func (i *Ingester) mountFirehose(mux *http.ServeMux) {
	mux.HandleFunc("/ingest/firehose", i.endpoint(i.shipped(i.openFirehose, i.refuseFirehose)))
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
	opener := gzipOpener{share: shareOf(r), left: maxInflated}
	for _, record := range envelope.Records {
		more, err := opener.firehoseParts(record, maxShipped-len(parts))
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
func (o *gzipOpener) firehoseParts(record json.RawMessage, most int) ([]part, error) {
	var carrier struct {
		Data []byte `json:"data"`
	}
	if err := json.Unmarshal(record, &carrier); err != nil {
		return []part{{fault: &fault{code: "wrong_type", detail: "a record of Firehose has base64 in its data"}}}, nil
	}
	data := carrier.Data
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		inflated, err := o.open(data)
		var bad *fault
		if errors.As(err, &bad) {
			return []part{{fault: bad}}, nil
		}
		if err != nil {
			return nil, err
		}
		data = inflated
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

// A gzipOpener undoes gzips inside a body. All of them together may not hold more than any body may.
type gzipOpener struct {
	share *share
	left  int // bytes
}

// open inflates one. The error is a *fault when the gzip is to blame.
func (o *gzipOpener) open(data []byte) ([]byte, error) {
	out, err := inflateWithin("gzip", data, o.left, o.share)
	var refused *problem
	switch {
	case err == nil:
		o.left -= len(out)
		return out, nil
	case errors.As(err, &refused) && refused.reason == "body_too_large":
		return nil, recordTooLarge()
	case refused != nil:
		return nil, refused
	}
	return nil, &fault{code: "cut_off", detail: "the gzip in this record ends early or is none"}
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
