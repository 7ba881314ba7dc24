package alert

import (
	"context"
	"strings"
	"time"

	"authwatch/store"
)

// alertmanager posts to the v2 API of Prometheus' Alertmanager, which groups, routes and silences by labels.
type alertmanager struct{ settings }

type postedAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
}

// goesOn is how long Alertmanager takes an alert for firing that it hears no more of. It hears of it every renewAfter; should
// authwatch be away for an hour, that is no sign that the failures are over.
const goesOn = 24 * time.Hour

func (r alertmanager) send(ctx context.Context, n note) error {
	m := n.message
	a := postedAlert{Labels: labelsOf(m), GeneratorURL: m.URL, StartsAt: m.StartedAt, EndsAt: n.now.Add(goesOn),
		Annotations: map[string]string{"summary": m.Title, "description": m.Text, "url": m.URL}}
	if m.Fix != nil {
		a.Annotations["fix"] = m.Fix.Text
	}
	if a.StartsAt.IsZero() || a.StartsAt.After(n.now) {
		a.StartsAt = n.now
	}
	switch m.Status {
	case store.DeliverResolved:
		a.EndsAt = n.now
	case store.DeliverTest:
		a.EndsAt = n.now.Add(time.Minute)
	}
	header := map[string]string{}
	if r.key.text != "" {
		header["Authorization"] = "Bearer " + r.key.text
	}
	return r.post(ctx, strings.TrimSuffix(r.address, "/")+"/api/v2/alerts", []postedAlert{a}, header)
}

// labelsOf tells alerts apart; they are the same at the beginning and at the end. Empty labels are none.
func labelsOf(m Message) map[string]string {
	labels := map[string]string{"alertname": "authwatch: " + m.Rule.Name, "alert_id": m.ID, "provider": m.Provider, "environment": m.Environment,
		"cause": string(m.Cause), "client_id": m.ClientID, "fault": string(m.Fault)}
	for name, value := range labels {
		if value == "" {
			delete(labels, name)
		}
	}
	return labels
}
