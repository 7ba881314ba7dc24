package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
)

// A rule is what an operator wants to be told of, as POST /api/v1/rules takes it. It names no receiver: the demo connects
// to nothing, and the page of alerts shows what was found.
type rule struct {
	Name      string              `json:"name"`
	Match     map[string][]string `json:"match"`
	Condition map[string]any      `json:"condition"`
}

func rules() []rule {
	production := []string{"prod"}
	return []rule{
		{"something new in production", map[string][]string{"environments": production}, map[string]any{"kind": "new"}},
		{"an assertion sent again, ten times in ten minutes", map[string][]string{"causes": {"jti_reuse"}}, map[string]any{"kind": "count", "at_least": 10, "window": "10m"}},
	}
}

// arm posts the rules.
func (p *Player) arm(ctx context.Context) error {
	for _, r := range rules() {
		body, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encode a rule: %w", err)
		}
		if _, err := p.request(ctx, "/api/v1/rules", p.ChangeKey, "application/json", bytes.NewReader(body)); err != nil {
			return err
		}
	}
	return nil
}
