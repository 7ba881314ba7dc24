package ingest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// mountElastic serves as much of Elasticsearch as its shippers need: _bulk, and what they ask before they send. rsyslog
// knows no path prefix and posts to the root.
func (i *Ingester) mountElastic(mux *http.ServeMux) {
	bulk := i.endpoint(endpoint{
		methods: "POST, PUT", open: openBulk, refuse: refuseElastic, read: (*Redactor).decodeShipped, commit: i.commitResponses, quick: true,
	})
	serve := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch") // clients refuse an answer without it, after the data is in
		if strings.HasSuffix(r.URL.Path, "/_bulk") {
			bulk(w, r)
			return
		}
		i.elasticHandshake(w, r)
	}
	mux.HandleFunc("/ingest/elastic/", serve)
	mux.HandleFunc("/ingest/elastic", serve)
	mux.HandleFunc("/_bulk", serve)
	mux.HandleFunc("/_cat/health", serve)
}

// elasticHandshake answers what shippers ask before or after they send. Templates and policies are taken and forgotten:
// records have one form here.
func (i *Ingester) elasticHandshake(w http.ResponseWriter, r *http.Request) {
	if _, err := i.authenticate(r); err != nil {
		i.refuse(w, r, refuseElastic, err)
		return
	}
	path := strings.Split(strings.Trim(strings.TrimPrefix(r.URL.Path, "/ingest/elastic"), "/"), "/")
	switch first, last := path[0], path[len(path)-1]; {
	case last == "_doc" || last == "_create" || slices.Contains(path, "_doc"):
		i.refuse(w, r, refuseElastic, &problem{
			Title: "not found", Status: http.StatusNotFound, reason: "not_found", Detail: "single documents are not taken; send them to _bulk",
		})
	case first == "":
		writeJSON(w, http.StatusOK, map[string]any{
			"name": "authwatch", "cluster_name": "authwatch", "cluster_uuid": "authwatch",
			"version": map[string]any{"number": "8.19.0", "build_flavor": "default"}, "tagline": "You Know, for Search",
		})
	case first == "_license":
		writeJSON(w, http.StatusOK, map[string]any{"license": map[string]any{"uid": "authwatch", "type": "basic", "status": "active"}})
	case last == "health":
		writeJSON(w, http.StatusOK, map[string]any{"cluster_name": "authwatch", "status": "green"})
	case last == "_refresh" || isElasticSetup(first):
		writeJSON(w, http.StatusOK, map[string]any{})
	default:
		i.refuse(w, r, refuseElastic, &problem{
			Title: "not found", Status: http.StatusNotFound, reason: "not_found", Detail: "of Elasticsearch only _bulk and what shippers ask before it are served",
		})
	}
}

func isElasticSetup(first string) bool {
	switch first {
	case "_ilm", "_index_template", "_template", "_component_template", "_data_stream", "_ingest", "_nodes", "_logstash", "_xpack":
		return true
	}
	return false
}

// cutOff breaks the connection of a request that has to come again, in the place of 503, for clients that give up after any
// answer but not when there is none. They come back at once, which is why it is done slowly.
func cutOff() {
	time.Sleep(time.Second)
	panic(http.ErrAbortHandler)
}

// A bulkAction is one action of a bulk request with its document.
type bulkAction struct {
	verb   string
	target bulkTarget
	source []byte
	fault  *fault
}

type bulkTarget struct {
	Index string `json:"_index,omitempty"`
	ID    string `json:"_id,omitempty"`
}

func openBulk(r *http.Request, body []byte) (shipment, error) {
	actions, err := bulkActions(body)
	if err != nil {
		return shipment{}, err
	}
	var room outline
	s := shipment{
		parts:  sequence(actions, func(a bulkAction) part { return a.part(&room) }),
		answer: func(w http.ResponseWriter, a answer) { answerBulk(w, actions, a.Errors) },
	}
	if strings.Contains(r.Header.Get("X-Elastic-Client-Meta"), "js=") {
		s.overloaded = func(w http.ResponseWriter) { overloadedBulk(w, actions) }
	}
	return s, nil
}

// bulkActions pairs action lines with document lines. What should be an action and is none is an item of its own, after
// which the next action is looked for.
func bulkActions(body []byte) ([]bulkAction, error) {
	var actions []bulkAction
	var last bulkAction // shippers say the same of each document
	var lastLine []byte
	for len(body) > 0 {
		var line []byte
		line, body, _ = bytes.Cut(body, []byte("\n"))
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if len(actions) == maxShipped {
			return nil, tooManyRecords(maxShipped)
		}
		a, ok := last, lastLine != nil && bytes.Equal(line, lastLine)
		if !ok {
			if a, ok = parseAction(line); ok {
				last, lastLine = a, line
			}
		}
		if ok && a.verb != "delete" {
			a.source, body, ok = bytes.Cut(body, []byte("\n"))
			if !ok && len(bytes.TrimSpace(a.source)) == 0 {
				a.fault = &fault{code: "cut_off", detail: "the document of this action is missing"}
			}
		}
		actions = append(actions, a)
	}
	return actions, nil
}

func parseAction(line []byte) (a bulkAction, ok bool) {
	bad := bulkAction{verb: "index", fault: &fault{code: "not_json", detail: "this line should be an action such as {\"create\":{}}"}}
	var named map[string]struct {
		Index string `json:"_index"`
		ID    any    `json:"_id"`
	}
	if len(line) > maxRecord || json.Unmarshal(line, &named) != nil || len(named) != 1 {
		return bad, false
	}
	for verb, target := range named {
		switch verb {
		case "create", "index", "update", "delete":
			id, _ := target.ID.(string)
			return bulkAction{verb: verb, target: bulkTarget{Index: cleanText(target.Index), ID: cleanText(id)}}, true
		}
	}
	return bad, false
}

// part is the document of an action. One that nothing is added to stays text, with its outline in room.
func (a bulkAction) part(room *outline) part {
	switch {
	case a.fault != nil:
		return part{fault: a.fault}
	case a.verb == "delete":
		return part{members: map[string]any{}}
	}
	if a.verb != "update" && a.target.ID == "" {
		return outlinedPart(bytes.TrimSpace(a.source), room)
	}
	p := objectPart(a.source)
	if p.fault != nil {
		return p
	}
	if a.verb == "update" {
		doc, ok := p.members["doc"].(map[string]any)
		if !ok {
			return part{fault: &fault{code: "not_an_object", detail: "an update must bring its document as doc"}}
		}
		p.members = doc
	}
	setDefault(p.members, "id", a.target.ID)
	return p
}

// A bulkItem is the answer to one action.
type bulkItem struct {
	bulkTarget
	Status int        `json:"status"`
	Result string     `json:"result,omitempty"`
	Error  *bulkError `json:"error,omitempty"`
}

type bulkError struct {
	Type   string `json:"type"`
	Reason string `json:"reason"`
}

// A bulkAnswer is compact and in this order: Fluent Bit and Vector look for the text of its beginning.
type bulkAnswer struct {
	Took   int               `json:"took"`
	Errors bool              `json:"errors"`
	Items  []json.RawMessage `json:"items"`
}

// answerBulk answers each action. A repeated delivery is a success, and a bad record is 400, which is what shippers
// give up on: they repeat other statuses for ever.
func answerBulk(w http.ResponseWriter, actions []bulkAction, bad []RecordError) {
	reasons := map[int]string{}
	for _, e := range bad {
		reasons[e.Index] = e.Detail
	}
	writeJSON(w, http.StatusOK, bulkAnswer{Errors: len(bad) > 0, Items: bulkItems(actions, func(n int, item *bulkItem) {
		item.Status, item.Result = http.StatusCreated, "created"
		switch reason, failed := reasons[n]; {
		case failed:
			item.Status, item.Result, item.Error = http.StatusBadRequest, "", &bulkError{Type: "document_parsing_exception", Reason: reason}
		case actions[n].verb == "update":
			item.Status, item.Result = http.StatusOK, "updated"
		case actions[n].verb == "delete":
			item.Status, item.Result = http.StatusNotFound, "not_found"
		}
	})})
}

// overloadedBulk answers 429 for each action: the JavaScript client's bulk helper waits and repeats these, while it
// gives up soon on a request that failed as a whole.
func overloadedBulk(w http.ResponseWriter, actions []bulkAction) {
	writeJSON(w, http.StatusOK, bulkAnswer{Errors: true, Items: bulkItems(actions, func(_ int, item *bulkItem) {
		item.Status = http.StatusTooManyRequests
		item.Error = &bulkError{Type: "es_rejected_execution_exception", Reason: "nothing was stored; send it again"}
	})})
}

// bulkItems writes the answer to each action, which fill completes; equal ones are written once.
func bulkItems(actions []bulkAction, fill func(n int, item *bulkItem)) []json.RawMessage {
	type answered struct {
		verb string
		item bulkItem
	}
	var last answered
	out := make([]json.RawMessage, len(actions))
	for n, a := range actions {
		now := answered{a.verb, bulkItem{bulkTarget: a.target}}
		fill(n, &now.item)
		if n > 0 && now == last && now.item.Error == nil {
			out[n] = out[n-1]
			continue
		}
		out[n] = encode(map[string]bulkItem{a.verb: now.item})
		last = now
	}
	return out
}

// refuseElastic answers in the form of Elasticsearch's exceptions. rsyslog, the one that sends no User-Agent, puts a batch
// aside for good after an answer of any status. Elastic's own clients, who name themselves in a header, try three times more without
// a pause unless they are told to make one: it is made here.
func refuseElastic(w http.ResponseWriter, r *http.Request, p *problem) {
	if p.Status == http.StatusServiceUnavailable {
		switch {
		case r.UserAgent() == "":
			cutOff()
		case r.Header.Get("X-Elastic-Client-Meta") != "":
			time.Sleep(time.Second)
		}
	}
	kind := "illegal_argument_exception"
	switch p.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		kind = "security_exception"
	case http.StatusServiceUnavailable:
		kind = "es_rejected_execution_exception"
	}
	cause := bulkError{Type: kind, Reason: p.text()}
	writeJSON(w, p.Status, map[string]any{
		"error": map[string]any{"root_cause": []bulkError{cause}, "type": cause.Type, "reason": cause.Reason}, "status": p.Status,
	})
}
