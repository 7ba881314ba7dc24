package ingest

import (
	"net/http"
	"strings"
)

// mountAuth0 serves custom webhooks of Auth0 log streams, which send JSON lines, arrays or objects, more than once and
// in any order.
func (i *Ingester) mountAuth0(mux *http.ServeMux) {
	mux.HandleFunc("/ingest/auth0", i.endpoint(i.shipped(openAuth0, writeProblem)))
}

func openAuth0(_ *http.Request, body []byte) (shipment, error) {
	parts, err := splitParts(body, maxShipped)
	if err != nil {
		return shipment{}, err
	}
	if !readable(parts) {
		return shipment{}, unreadable("log events of Auth0 are expected, as JSON lines, an array or an object")
	}
	return shipment{
		parts:  sequence(parts, auth0Part),
		answer: func(w http.ResponseWriter, a answer) { writeJSON(w, http.StatusOK, a) },
	}, nil
}

// auth0Part makes an exchange of a tenant log: the request at the token endpoint, and as its answer what the tenant was
// told of it, which is more than the client was. Other events, such as a person's login, are no exchange.
func auth0Part(p part) part {
	if p.fault == nil {
		p = objectPart(p.raw)
	}
	if p.fault != nil {
		return p
	}
	event := p.members
	if data, ok := event["data"].(map[string]any); ok {
		setDefault(data, "log_id", event["log_id"])
		event = data
	}
	kind, _ := event["type"].(string)
	failed, known := auth0Exchange(kind)
	if !known {
		return part{members: map[string]any{}}
	}
	members := map[string]any{
		"time": event["date"], "id": event["log_id"], "provider": "auth0", "client_id": event["client_id"], "client_ip": event["ip"],
		"user_agent": event["user_agent"],
	}
	request := map[string]any{"method": http.MethodPost, "url": "/oauth/token"}
	if host, ok := event["hostname"].(string); ok && host != "" {
		request["url"] = "https://" + host + "/oauth/token"
	}
	members["request"], members["response"] = request, map[string]any{"status": "200"}
	if failed {
		// The status that the client got is not in the log: 401 is the answer that RFC 6749 section 5.2 gives for a client
		// that is not authenticated, and only where the tenant says so.
		members["response"] = auth0Answer(kind, event)
	}
	return part{members: members}
}

// auth0Exchange knows the event types of token exchanges.
func auth0Exchange(kind string) (failed, known bool) {
	switch {
	case strings.HasPrefix(kind, "failed_on_behalf_of_token_exchange"), strings.HasSuffix(kind, "_exchange_failed"), kind == "ferrt":
		return true, true
	case strings.HasPrefix(kind, "fe") && len(kind) >= 5 && len(kind) <= 7:
		return true, true
	case strings.HasPrefix(kind, "se") && len(kind) >= 5 && len(kind) <= 7:
		return false, true
	}
	return false, false
}

// auth0Answer is the tenant's own diagnosis in the place of the answer. The field for the cause of a failed client
// authentication is spelled in two ways, by the schema and by the support articles.
func auth0Answer(kind string, event map[string]any) map[string]any {
	body := map[string]any{"code": kind}
	setDefault(body, "error_description", event["description"])
	details, _ := event["details"].(map[string]any)
	for _, from := range []map[string]any{event, details} {
		for _, name := range []string{"client_authentication_error", "client_authentoication_error"} {
			if cause, ok := from[name].(string); ok && cause != "" {
				body["error"], body["error_description"] = "invalid_client", cause
				return map[string]any{"status": "401", "body": body}
			}
		}
	}
	failure, _ := details["error"].(map[string]any)
	for _, v := range []any{details["error"], failure["error"], failure["oauthError"]} {
		if code, ok := v.(string); ok {
			setDefault(body, "error", code)
		}
	}
	setDefault(body, "error", "access_denied")
	return map[string]any{"body": body}
}
