package ingest

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// mountDatadog serves Datadog's log intake, at the root too: its Agent and Fluent Bit know no path prefix.
func (i *Ingester) mountDatadog(mux *http.ServeMux) {
	e := i.shipped(openDatadog, refuseDatadog)
	e.quick = true
	logs := i.endpoint(e)
	for _, path := range []string{"/ingest/datadog/api/v2/logs", "/ingest/datadog/v1/input", "/api/v2/logs"} {
		mux.HandleFunc(path, logs)
	}
	mux.HandleFunc("/ingest/datadog/api/v1/validate", func(w http.ResponseWriter, r *http.Request) {
		if _, err := i.authenticate(r); err != nil {
			i.refuse(w, r, refuseDatadog, err)
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"valid": true})
	})
}

func openDatadog(_ *http.Request, body []byte) (shipment, error) {
	parts, err := splitParts(body, maxShipped)
	if err != nil {
		return shipment{}, err
	}
	if len(body) > 0 && !readable(parts) {
		return shipment{}, unreadable("an array of log objects is expected")
	}
	return shipment{
		parts:  withTexts(sequence(parts, datadogPart)),
		answer: func(w http.ResponseWriter, _ answer) { writeJSON(w, http.StatusAccepted, map[string]any{}) },
	}, nil
}

// datadogPart reads a log of Datadog, whose status is the level of the line and whose timestamp is in milliseconds.
func datadogPart(p part) part {
	if p.fault == nil {
		p = objectPart(p.raw)
	}
	if p.fault != nil {
		return p
	}
	members := p.members
	if level, ok := members["status"].(string); ok && !isDigits(level) {
		delete(members, "status")
		setDefault(members, "severity", level)
	}
	if at, ok := epoch(members["timestamp"], time.Millisecond); ok {
		delete(members, "timestamp")
		setDefault(members, "time", at)
	}
	tags, _ := members["ddtags"].(string)
	for tag := range strings.SplitSeq(tags, ",") {
		if name, v, ok := strings.Cut(strings.TrimSpace(tag), ":"); ok && (name == "service" || name == "request_id" || name == "trace_id") {
			setDefault(members, name, v)
		}
	}
	return p
}

func readable(parts []part) bool {
	for _, p := range parts {
		if p.fault == nil && json.Valid(p.raw) {
			return true
		}
	}
	return false
}

// refuseDatadog answers in the form of Datadog's errors.
func refuseDatadog(w http.ResponseWriter, _ *http.Request, p *problem) {
	writeJSON(w, p.Status, map[string]any{"errors": []map[string]any{{"status": p.Status, "title": p.Title, "detail": p.Detail}}})
}
