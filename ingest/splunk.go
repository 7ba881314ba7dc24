package ingest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// mountSplunk serves Splunk's HTTP Event Collector, at the root too: Docker's splunk driver knows no path prefix.
func (i *Ingester) mountSplunk(mux *http.ServeMux) {
	acks := &atomic.Int64{}
	open := func(read func([]byte) ([]part, error)) http.HandlerFunc {
		e := i.shipped(func(r *http.Request, body []byte) (shipment, error) {
			parts, err := read(body)
			return splunkShipment(r, parts, acks), err
		}, refuseSplunk)
		e.quick = true
		return i.endpoint(e)
	}
	event, raw := answersOptions(open(splunkEvents)), open(splunkRaw)
	for _, prefix := range []string{"/ingest/splunk/services/collector", "/services/collector"} {
		for _, path := range []string{"", "/event", "/event/1.0"} {
			mux.HandleFunc(prefix+path, event)
		}
		mux.HandleFunc(prefix+"/raw", raw)
		mux.HandleFunc(prefix+"/raw/1.0", raw)
		mux.HandleFunc(prefix+"/health", splunkHealth)
		mux.HandleFunc(prefix+"/health/1.0", splunkHealth)
		mux.HandleFunc(prefix+"/ack", i.splunkAcks)
		mux.HandleFunc(prefix+"/", func(w http.ResponseWriter, r *http.Request) {
			i.refuse(w, r, refuseSplunk, &problem{Title: "not found", Status: http.StatusNotFound, reason: "not_found"})
		})
	}
}

// answersOptions says that the collector is there, which Docker's driver asks before it starts a container.
func answersOptions(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			w.Header().Set("Allow", "POST, OPTIONS")
			w.WriteHeader(http.StatusOK)
			return
		}
		next(w, r)
	}
}

// A splunkAnswer is HEC's answer to everything.
type splunkAnswer struct {
	Text    string `json:"text"`
	Code    int    `json:"code"`
	Invalid *int   `json:"invalid-event-number,omitempty"`
	AckID   *int64 `json:"ackId,omitempty"`
}

func splunkHealth(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, splunkAnswer{Text: "HEC is healthy", Code: 17})
}

func splunkShipment(r *http.Request, parts []part, acks *atomic.Int64) shipment {
	return shipment{
		parts: withTexts(sequence(parts, splunkPart)),
		answer: func(w http.ResponseWriter, _ answer) {
			out := splunkAnswer{Text: "Success"}
			if splunkChannel(r) != "" {
				id := acks.Add(1) - 1
				out.AckID = &id
			}
			writeJSON(w, http.StatusOK, out)
		},
	}
}

func splunkChannel(r *http.Request) string {
	if channel := r.Header.Get("X-Splunk-Request-Channel"); channel != "" {
		return channel
	}
	return r.URL.Query().Get("channel")
}

// splunkEvents reads concatenated events. A body without one good event is refused.
func splunkEvents(body []byte) ([]part, error) {
	parts, err := splitParts(body, maxShipped)
	if err != nil {
		return nil, err
	}
	good := slices.ContainsFunc(parts, func(p part) bool { return p.fault == nil })
	switch {
	case len(parts) == 0:
		return nil, &problem{Title: "No data", Status: http.StatusBadRequest, reason: "nothing_readable", code: 5}
	case !good:
		return nil, &problem{Title: "Invalid data format", Status: http.StatusBadRequest, reason: "nothing_readable", code: 6}
	}
	if len(parts) == 1 {
		return parts, checkEvent(parts[0])
	}
	return parts, nil
}

// checkEvent refuses a body of one event that has nothing in it, as HEC does. Among others it costs only itself.
func checkEvent(p part) error {
	p = objectPart(p.raw)
	if event, ok := p.members["event"]; p.fault != nil || ok && event != nil && event != "" {
		return nil
	} else if event == "" {
		return &problem{Title: "Event field cannot be blank", Status: http.StatusBadRequest, reason: "nothing_readable", code: 13}
	}
	return &problem{Title: "Event field is required", Status: http.StatusBadRequest, reason: "nothing_readable", code: 12}
}

// splunkPart makes members of an event: what was logged, with the event's own time and fields around it.
func splunkPart(p part) part {
	if p.fault != nil || p.members != nil {
		return p
	}
	p = objectPart(p.raw)
	if p.fault != nil {
		return p
	}
	envelope := p.members
	members := map[string]any{}
	switch event := envelope["event"].(type) {
	case map[string]any:
		members["body"] = logged(event)
	case string:
		members["event"] = event
	case nil:
		return part{fault: &fault{code: "empty_record", detail: "event is missing"}}
	}
	if at, ok := epoch(envelope["time"], time.Second); ok {
		members["time"] = at
	}
	if more, ok := envelope["fields"].(map[string]any); ok {
		for name, v := range more {
			setDefault(members, name, v)
		}
	}
	return part{members: members}
}

// logged finds what an application logged in an event of winston-splunk-httplogger, which wraps it twice:
// {"message":{"msg","meta"},"severity"}. Its meta repeats the text of msg.
func logged(event map[string]any) map[string]any {
	message, _ := event["message"].(map[string]any)
	if meta, ok := message["meta"].(map[string]any); ok && message["msg"] != nil {
		return meta
	}
	return event
}

// splunkRaw reads lines of text.
func splunkRaw(body []byte) ([]part, error) {
	parts, err := lineParts(body)
	if err == nil && len(parts) == 0 {
		err = &problem{Title: "No data", Status: http.StatusBadRequest, reason: "nothing_readable", code: 5}
	}
	return parts, err
}

// lineParts makes a part of each line that is not empty; shapes open what is in it.
func lineParts(text []byte) ([]part, error) {
	var parts []part
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if len(parts) == maxShipped {
			return nil, tooManyRecords(maxShipped)
		}
		if len(line) > maxRecord {
			parts = append(parts, part{fault: recordTooLarge()})
			continue
		}
		parts = append(parts, part{members: map[string]any{"message": cleanText(string(line))}})
	}
	return parts, nil
}

// splunkAcks says that all requests asked for are indexed: an ackId is only ever given out after the commit.
func (i *Ingester) splunkAcks(w http.ResponseWriter, r *http.Request) {
	if err := checkMethod(r, ""); err != nil {
		i.refuse(w, r, refuseSplunk, err)
		return
	}
	if _, err := i.authenticate(r); err != nil {
		i.refuse(w, r, refuseSplunk, err)
		return
	}
	if splunkChannel(r) == "" {
		i.refuse(w, r, refuseSplunk, &problem{Title: "Data channel is missing", Status: http.StatusBadRequest, reason: "nothing_readable", code: 10})
		return
	}
	var asked struct {
		Acks []int64 `json:"acks"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&asked); err != nil {
		i.refuse(w, r, refuseSplunk, &problem{Title: "Invalid data format", Status: http.StatusBadRequest, reason: "nothing_readable", code: 6})
		return
	}
	out := map[string]bool{}
	for _, id := range asked.Acks {
		out[strconv.FormatInt(id, 10)] = true
	}
	writeJSON(w, http.StatusOK, map[string]any{"acks": out})
}

// refuseSplunk answers with the code that HEC has for the problem. Splunk's logger for JavaScript, whose requests needle makes,
// drops what is answered with any status.
func refuseSplunk(w http.ResponseWriter, r *http.Request, p *problem) {
	if p.Status == http.StatusServiceUnavailable && strings.HasPrefix(r.UserAgent(), "Needle/") {
		cutOff()
	}
	out := splunkAnswer{Text: p.Title, Code: p.code}
	switch p.reason {
	case "no_key":
		out = splunkAnswer{Text: "Token is required", Code: 2}
	case "invalid_key":
		out = splunkAnswer{Text: "Invalid authorization", Code: 3}
	case "wrong_scope":
		out = splunkAnswer{Text: "Invalid token", Code: 4}
	case "overloaded":
		out = splunkAnswer{Text: "Server is busy", Code: 9}
	case "not_found":
		out = splunkAnswer{Text: "The requested URL was not found on this server.", Code: http.StatusNotFound}
	}
	if out.Code == 0 {
		out = splunkAnswer{Text: p.text(), Code: 6}
	}
	status := p.Status
	if status == http.StatusUnprocessableEntity { // HEC knows 400 for every body that cannot be read
		status = http.StatusBadRequest
	}
	if out.Code == 6 { // where nothing can be read it is the first
		out.Invalid = new(int)
	}
	writeJSON(w, status, out)
}
