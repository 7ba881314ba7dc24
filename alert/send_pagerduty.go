package alert

import (
	"cmp"
	"context"

	"authwatch/store"
)

// pagerDuty sends events of the version 2 API.
type pagerDuty struct{ settings }

type pagerEvent struct {
	RoutingKey string        `json:"routing_key"`
	Action     string        `json:"event_action"`
	DedupKey   string        `json:"dedup_key"`
	Client     string        `json:"client,omitempty"`
	ClientURL  string        `json:"client_url,omitempty"`
	Links      []pagerLink   `json:"links,omitempty"`
	Payload    *pagerPayload `json:"payload,omitempty"`
}

type pagerLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

type pagerPayload struct {
	Summary   string  `json:"summary"`
	Source    string  `json:"source"`
	Severity  string  `json:"severity"`
	Timestamp string  `json:"timestamp"`
	Component string  `json:"component,omitempty"`
	Group     string  `json:"group,omitempty"`
	Class     string  `json:"class,omitempty"`
	Details   Message `json:"custom_details"`
}

func (r pagerDuty) send(ctx context.Context, n note) error {
	m := n.message
	e := pagerEvent{RoutingKey: r.key.text, Action: "trigger", DedupKey: m.ID}
	if m.Status == store.DeliverResolved {
		e.Action = "resolve"
		return r.post(ctx, r.address, e, nil)
	}
	severity := r.severity
	if m.Status == store.DeliverTest {
		severity = "info"
	}
	e.Client, e.ClientURL, e.Links = "authwatch", m.URL, []pagerLink{{m.URL, "Open in authwatch"}}
	e.Payload = &pagerPayload{
		Summary: clip(m.Text, 1000), Source: clip(cmp.Or(m.ClientID, "authwatch"), 200), Severity: severity, Timestamp: n.now.UTC().Format("2006-01-02T15:04:05.000Z"),
		Component: clip(m.Provider, 200), Group: clip(m.Environment, 200), Class: string(m.Cause), Details: m,
	}
	if err := r.post(ctx, r.address, e, nil); err != nil || m.Status != store.DeliverTest {
		return err
	}
	return r.post(ctx, r.address, pagerEvent{RoutingKey: r.key.text, Action: "resolve", DedupKey: m.ID}, nil) // a test leaves nothing open
}
