package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// A change is what a pipeline tells of, as POST /api/v1/changes takes it.
type change struct {
	Time        time.Time `json:"time"`
	Kind        string    `json:"kind"`
	Title       string    `json:"title"`
	Provider    string    `json:"provider"`
	Environment string    `json:"environment,omitempty"`
	ClientID    string    `json:"client_id,omitempty"`
	Reference   string    `json:"reference"`
}

// changes are the deploys behind some of the stories, and one that had nothing to do with any.
func changes(now time.Time) []change {
	at := func(before time.Duration) time.Time { return now.Add(-before) }
	exchange := func(before time.Duration, kind, title, environment, client string) change {
		return change{Time: at(before), Kind: kind, Title: title, Provider: "polymarket", Environment: environment, ClientID: client, Reference: title}
	}
	return []change{
		exchange(20*time.Hour, "deploy", "order-router 2.14.0-rc1", "dev", "order-router-dev"),
		exchange(mixUpStart+90*time.Second, "configuration", "risk-engine: new credentials file", "prod", ""),
		{Time: at(rotateStart + 2*time.Minute), Kind: "key", Title: "clinic-results signs with clinic-results-2026", Provider: "redox", ClientID: "clinic-results", Reference: "clinic-results-2026"},
		exchange(deploy+40*time.Second, "deploy", "order-router 2.14.0", "prod", "order-router-prod"),
		exchange(endpointNew+time.Minute, "deploy", "position-reports 1.3.0", "prod", "position-reports-prod"),
	}
}

// tell posts the changes.
func (p *Player) tell(ctx context.Context, now time.Time) error {
	for _, c := range changes(now) {
		body, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("encode a change: %w", err)
		}
		if _, err := p.request(ctx, "/api/v1/changes", p.ChangeKey, "application/json", bytes.NewReader(body)); err != nil {
			return err
		}
	}
	return nil
}
