package api

import (
	"context"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

func TestTrends(t *testing.T) {
	s := newSite(t)
	present := s.now
	s.now = present.AddDate(0, 0, -7)
	s.addFailures(t, 2, classify.TokenExpired, "prod", "order-router")
	s.now = present
	s.addFailures(t, 10, classify.TokenExpired, "prod", "market-data")
	s.addFailures(t, 3, classify.ScopeGap, "preprod", "risk-engine")
	err := s.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.AddTraffic(ctx, []store.Traffic{{First: s.now.Add(-time.Minute), Last: s.now.Add(-time.Minute), Count: 1, Provider: "exchange", Environment: "prod", ClientID: "market-data"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	var trend trendJSON
	s.get(t, "/api/v1/trends?from=now-59m30s&to=now&step=5m&compare=7d", &trend)
	if trend.From != s.now.Add(-time.Hour) || trend.To != s.now || trend.Step != "5m" || trend.GroupBy != store.ByCause {
		t.Errorf("window is absolute and of whole steps: %+v", trend)
	}
	if len(trend.Starts) != 12 || len(trend.Failures) != 12 || len(trend.Successes) != 12 || trend.Starts[11] != s.now.Add(-5*time.Minute) {
		t.Errorf("12 steps: %+v", trend)
	}
	if len(trend.Series) != 2 || trend.Series[0].Name != "token_expired" || trend.Series[0].Total != 10 || trend.Series[0].Counts[11] != 5 || trend.Series[1].Total != 3 {
		t.Errorf("series: %+v", trend.Series)
	}
	if trend.Totals.Failures != 13 || trend.Totals.Successes != 1 {
		t.Errorf("totals: %+v", trend.Totals)
	}
	if c := trend.Compare; c == nil || c.To != s.now.AddDate(0, 0, -7) || c.Totals.Failures != 2 || len(c.Series) != 1 || len(c.Failures) != 12 || c.Compare != nil {
		t.Errorf("a week earlier: %+v", c)
	}
	for dimension, names := range map[string][]string{"client": {"market-data", "risk-engine"}, "environment": {"prod", "preprod"}, "endpoint": {"POST api.exchange.example/v1/orders"}} {
		s.get(t, "/api/v1/trends?group_by="+dimension, &trend)
		for i, name := range names {
			if len(trend.Series) != len(names) || trend.Series[i].Name != name {
				t.Errorf("by %s: %+v", dimension, trend.Series)
				break
			}
		}
	}
	trend = trendJSON{}
	s.get(t, "/api/v1/trends?limit=1&cause=token_expired&cause=scope_gap", &trend)
	if len(trend.Series) != 1 || trend.Others == nil || trend.Others.Series != 1 || trend.Others.Total != 3 || sum(trend.Others.Counts) != 3 {
		t.Errorf("beyond the limit: %+v", trend.Others)
	}
	trend = trendJSON{}
	if s.get(t, "/api/v1/trends?environment=preprod&client=risk-engine&provider=exchange", &trend); trend.Totals.Failures != 3 || trend.To.Sub(trend.From) != 24*time.Hour {
		t.Errorf("filtered, last 24 hours: %+v", trend)
	}
}
