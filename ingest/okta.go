package ingest

import (
	"net/http"
	"strings"
)

// mountOkta serves event hooks of Okta's System Log, and the one question with which Okta makes sure that they are wanted.
func (i *Ingester) mountOkta(mux *http.ServeMux) {
	hook := i.endpoint(i.shipped(openOkta, writeProblem))
	mux.HandleFunc("/ingest/okta", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			hook(w, r)
			return
		}
		if _, err := i.authenticate(r); err != nil {
			i.refuse(w, r, writeProblem, err)
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"verification": cutText(r.Header.Get("X-Okta-Verification-Challenge"), maxIdentity)})
	})
}

// openOkta reads the envelope of a hook, or bare events as the System Log API and its exports have them.
func openOkta(_ *http.Request, body []byte) (shipment, error) {
	bodies, err := splitParts(body, maxShipped)
	if err != nil {
		return shipment{}, err
	}
	if !readable(bodies) {
		return shipment{}, unreadable("an event hook of Okta is expected")
	}
	var parts []part
	for _, p := range bodies {
		if p.fault == nil {
			p = objectPart(p.raw)
		}
		data, _ := p.members["data"].(map[string]any)
		events, isHook := data["events"].([]any)
		if !isHook {
			parts = append(parts, p)
		}
		for _, e := range events {
			event, ok := e.(map[string]any)
			if !ok {
				parts = append(parts, part{fault: &fault{code: "not_an_object", detail: "an event is a JSON object"}})
				continue
			}
			parts = append(parts, part{members: event})
		}
	}
	return shipment{
		parts:  sequence(parts, oktaPart),
		answer: func(w http.ResponseWriter, a answer) { writeJSON(w, http.StatusOK, a) },
	}, nil
}

// oktaPart makes an exchange of an event of a token endpoint, with the outcome's reason as what the server said.
func oktaPart(p part) part {
	if p.fault != nil {
		return p
	}
	event := p.members
	kind, _ := event["eventType"].(string)
	if !strings.HasPrefix(kind, "app.oauth2.") || !strings.Contains(kind, "token") {
		return part{members: map[string]any{}}
	}
	client := object(event, "client")
	debug := object(event, "debugContext", "debugData")
	members := map[string]any{
		"time": event["published"], "id": event["uuid"], "provider": "okta", "client_ip": client["ipAddress"],
		"user_agent": object(client, "userAgent")["rawUserAgent"], "request_id": debug["requestId"],
	}
	if actor := object(event, "actor"); strings.Contains(scalarText(actor["type"]), "App") { // a client; other actors are people
		members["client_id"] = actor["id"]
	}
	request := map[string]any{"method": http.MethodPost}
	setDefault(request, "url", debug["requestUri"])
	members["request"] = request
	outcome := object(event, "outcome")
	if scalarText(outcome["result"]) != "FAILURE" {
		members["response"] = map[string]any{"status": "200"}
		return part{members: members}
	}
	body := map[string]any{}
	setDefault(body, "error", outcome["reason"])
	setDefault(body, "error", "access_denied")
	setDefault(body, "error_description", event["displayMessage"])
	members["response"] = map[string]any{"body": body}
	return part{members: members}
}

// object follows a path of objects; what is missing is an empty one.
func object(members map[string]any, path ...string) map[string]any {
	for _, name := range path {
		members, _ = members[name].(map[string]any)
	}
	return members
}
