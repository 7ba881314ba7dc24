package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// maxPoints bounds the steps of one trend.
const maxPoints = 2000

// trendJSON is counts over time. The window is absolute and widened to whole steps; Starts, Failures, Successes and
// every Counts have one number a step.
type trendJSON struct {
	From      time.Time       `json:"from"`
	To        time.Time       `json:"to"`
	Step      string          `json:"step"`
	GroupBy   store.Dimension `json:"group_by"`
	Starts    []time.Time     `json:"starts"`
	Series    []seriesJSON    `json:"series"`           // largest first, at most limit
	Others    *othersJSON     `json:"others,omitempty"` // the sum of the series beyond limit
	Failures  []int64         `json:"failures"`
	Successes []int64         `json:"successes"` // accepted exchanges under the same filters but cause
	Totals    trendTotalsJSON `json:"totals"`
	Compare   *trendJSON      `json:"compare,omitempty"` // the same window earlier
}

type seriesJSON struct {
	Name   string  `json:"name"` // "": unknown
	Total  int64   `json:"total"`
	Counts []int64 `json:"counts"`
}

type othersJSON struct {
	Series int     `json:"series"` // how many
	Total  int64   `json:"total"`
	Counts []int64 `json:"counts"`
}

type trendTotalsJSON struct {
	Failures  int64 `json:"failures"`
	Successes int64 `json:"successes"`
}

func (s *Server) getTrends(c echo.Context) error {
	q := s.query(c)
	ask := trendQuery(q)
	limit, compare := q.whole("limit", 1, 200, 50), q.span("compare")
	if compare%time.Minute != 0 {
		q.fault("compare", "not_whole_minutes", "a whole number of minutes earlier")
	}
	if err := q.err(); err != nil {
		return err
	}
	answer, err := s.trend(c.Request().Context(), ask, limit)
	if err != nil {
		return err
	}
	if compare > 0 {
		ask.From, ask.To = ask.From.Add(-compare), ask.To.Add(-compare)
		earlier, err := s.trend(c.Request().Context(), ask, limit)
		if err != nil {
			return err
		}
		answer.Compare = &earlier
	}
	return sendJSON(c, http.StatusOK, answer)
}

// trendQuery reads window, step, dimension and filters. The window is the last 24 hours unless given.
func trendQuery(q *query) store.TrendQuery {
	ask := store.TrendQuery{
		GroupBy:   oneOf(q, "group_by", store.ByCause, store.ByClient, store.ByEnvironment, store.ByEndpoint),
		Providers: q.all("provider"), Environments: q.all("environment"), Clients: q.all("client"),
		Causes: manyOf(q, "cause", causeCodes()...),
	}
	ask.From, ask.To = q.window()
	if ask.To.IsZero() {
		ask.To = q.now
	}
	if ask.From.IsZero() {
		ask.From = ask.To.Add(-24 * time.Hour)
	}
	if !ask.From.Before(ask.To) {
		ask.From = ask.To.Add(-time.Minute)
		if len(q.faults) == 0 {
			q.fault("from", "empty_window", "from must be before to")
		}
	}
	ask.Step = q.span("step")
	if ask.Step == 0 {
		ask.Step = stepFor(ask.To.Sub(ask.From))
	}
	if ask.Step%time.Minute != 0 {
		q.fault("step", "not_whole_minutes", "a step is a whole number of minutes")
		return ask
	}
	ask.From = ask.From.Truncate(ask.Step)
	if end := ask.To.Truncate(ask.Step); end.Before(ask.To) {
		ask.To = end.Add(ask.Step)
	}
	if ask.To.Sub(ask.From)/ask.Step > maxPoints {
		q.fault("step", "too_many_steps", "the window has more than 2000 steps: take a longer step or a shorter window")
	}
	return ask
}

// stepFor returns the shortest round step that cuts a window into at most 150.
func stepFor(window time.Duration) time.Duration {
	for _, minutes := range []time.Duration{1, 5, 10, 15, 30, 60, 180, 360, 720} {
		if window <= 150*minutes*time.Minute {
			return minutes * time.Minute
		}
	}
	return 24 * time.Hour
}

func (s *Server) trend(ctx context.Context, ask store.TrendQuery, limit int) (trendJSON, error) {
	t, err := s.Store.Trend(ctx, ask)
	if err != nil {
		return trendJSON{}, err
	}
	shown := t.Series[:min(limit, len(t.Series))]
	return trendJSON{
		From: ask.From, To: ask.To, Step: stepText(ask.Step), GroupBy: ask.GroupBy, Starts: append([]time.Time{}, t.Starts...),
		Series: convert(shown, func(r store.Series) seriesJSON { return seriesJSON(r) }), Others: toOthersJSON(t.Series[len(shown):]),
		Failures: append([]int64{}, t.Failures...), Successes: append([]int64{}, t.Successes...),
		Totals: trendTotalsJSON{Failures: sum(t.Failures), Successes: sum(t.Successes)},
	}, nil
}

func toOthersJSON(rest []store.Series) *othersJSON {
	if len(rest) == 0 {
		return nil
	}
	out := &othersJSON{Series: len(rest), Counts: make([]int64, len(rest[0].Counts))}
	for _, r := range rest {
		out.Total += r.Total
		for i, n := range r.Counts {
			out.Counts[i] += n
		}
	}
	return out
}

// stepText writes 5m and 24h where Go writes 5m0s and 24h0m0s.
func stepText(step time.Duration) string {
	if step%time.Hour == 0 {
		return fmt.Sprintf("%dh", step/time.Hour)
	}
	return fmt.Sprintf("%dm", step/time.Minute)
}
