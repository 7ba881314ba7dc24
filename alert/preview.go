package alert

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"authwatch/store"
)

// A Preview says when a rule would have fired in the last week, had it been there.
type Preview struct {
	From, To time.Time
	Times    []PreviewTime // earliest first, at most 50
	Count    int           // all
	AtLeast  bool          // there was more than could be looked at
}

// A PreviewTime is one alert that would have been.
type PreviewTime struct {
	At       time.Time
	About    string // client and cause, or the environment
	Incident string // id; "" for a sum
}

const (
	// previewTrends bounds what a preview may ask of the rollups.
	previewTrends = 60
	previewShown  = 50
)

// Preview computes it from incidents and rollups: from records it would be more exact, and too slow to be asked for while typing.
func (s *Service) Preview(ctx context.Context, rule store.AlertRule) (Preview, error) {
	now := s.Now().Truncate(time.Minute).Add(time.Minute)
	p := Preview{From: now.Add(-week), To: now}
	var err error
	switch rule.Condition.Kind {
	case store.AlertTotal, store.AlertShare:
		err = s.previewSums(ctx, &p, rule)
	default:
		err = s.previewIncidents(ctx, &p, rule)
	}
	if err != nil {
		return p, fmt.Errorf("preview rule: %w", err)
	}
	slices.SortStableFunc(p.Times, func(a, b PreviewTime) int { return a.At.Compare(b.At) })
	p.Count = len(p.Times)
	p.Times = p.Times[max(0, len(p.Times)-previewShown):]
	return p, nil
}

func (s *Service) previewIncidents(ctx context.Context, p *Preview, rule store.AlertRule) error {
	all := store.States()
	list, err := evaluation{Service: s, rule: rule}.incidents(ctx, p.From, all...)
	if err != nil {
		return err
	}
	p.AtLeast = len(list) >= candidates
	switch rule.Condition.Kind {
	case store.AlertOutbreak:
		p.outbreaks(list, rule.Condition)
	case store.AlertCount:
		return s.previewCounts(ctx, p, list, rule.Condition)
	default:
		for _, i := range list {
			if (i.RegressionOf != "") == (rule.Condition.Kind == store.AlertRegression) && !i.FirstSeenAt.Before(p.From) && began(i, time.Time{}) {
				p.add(i.FirstSeenAt, i)
			}
		}
	}
	return nil
}

func (p *Preview) add(at time.Time, i store.Incident) {
	who := cmp.Or(i.ClientID, "unknown client")
	p.Times = append(p.Times, PreviewTime{At: at, About: who + " " + string(i.Cause), Incident: i.ID})
}

// outbreaks finds where enough clients began within the window, each run of beginnings once.
func (p *Preview) outbreaks(list []store.Incident, c store.AlertCondition) {
	list = slices.DeleteFunc(list, func(i store.Incident) bool {
		return i.FirstSeenAt.Before(p.From) || i.ClientID == "" || !began(i, time.Time{})
	})
	compare := func(a, b store.Incident) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Cause, b.Cause))
	}
	slices.SortFunc(list, func(a, b store.Incident) int { return cmp.Or(compare(a, b), a.FirstSeenAt.Compare(b.FirstSeenAt)) })
	begin, found := 0, false
	for end, i := range list {
		if end > 0 && (compare(list[end-1], i) != 0 || i.FirstSeenAt.Sub(list[end-1].FirstSeenAt) > c.Window) {
			begin, found = end, false
		}
		for i.FirstSeenAt.Sub(list[begin].FirstSeenAt) > c.Window {
			begin++
		}
		if !found && int64(end-begin+1) >= c.AtLeast {
			p.add(i.FirstSeenAt, i)
			found = true
		}
	}
}

// previewCounts looks at the trend of each incident that had enough failures.
func (s *Service) previewCounts(ctx context.Context, p *Preview, list []store.Incident, c store.AlertCondition) error {
	looked := 0
	for _, i := range list {
		if i.Count < c.AtLeast {
			continue
		}
		if looked++; looked > previewTrends {
			p.AtLeast = true
			return nil
		}
		q := store.TrendQuery{From: p.From, To: p.To, Step: previewStep(c.Window), GroupBy: store.ByCause, Providers: []string{i.Provider},
			Environments: []string{i.Environment}, Clients: []string{i.ClientID}}
		q.Causes = append(q.Causes, i.Cause)
		t, err := s.Store.Trend(ctx, q)
		if err != nil {
			return err
		}
		slide(t, nil, c, q.Step, func(level float64, at time.Time) bool {
			// The trend is of the client's every episode: this one's is its own.
			own := level >= 1 && !at.Before(i.FirstSeenAt) && !at.After(i.LastSeenAt.Add(c.Window))
			if own {
				p.add(at, i)
			}
			return !own
		})
	}
	return nil
}

func (s *Service) previewSums(ctx context.Context, p *Preview, rule store.AlertRule) error {
	environments, err := s.Store.ListEnvironments(ctx)
	if err != nil {
		return err
	}
	looked := 0
	for _, e := range environments {
		at := place{e.Provider, e.Environment}
		if !at.selected(rule.Match) {
			continue
		}
		if looked++; looked > previewTrends {
			p.AtLeast = true
			return nil
		}
		q := sumQuery(rule, at, p.From, p.To, previewStep(rule.Condition.Window))
		failed, err := s.Store.Trend(ctx, q)
		if err != nil {
			return err
		}
		q.Causes = nil
		all, err := s.Store.Trend(ctx, q)
		if err != nil {
			return err
		}
		firing := false
		slide(failed, &all, rule.Condition, q.Step, func(level float64, when time.Time) bool {
			if level >= 1 && !firing {
				p.Times = append(p.Times, PreviewTime{At: when, About: cmp.Or(e.Environment, e.Provider, "unknown environment")})
			}
			firing = level >= 1 || firing && level >= easing
			return true
		})
	}
	return nil
}

// previewStep is fine enough to see what a window sees, and coarse enough for a week.
func previewStep(window time.Duration) time.Duration {
	for _, parts := range []time.Duration{10, 6, 5, 4, 3, 2} {
		if step := window / parts; step >= 2*time.Minute && step%time.Minute == 0 {
			return step
		}
	}
	return max(window.Truncate(time.Minute), 2*time.Minute) // a week by one minute is more than a trend has
}

// slide moves a window along a trend and hands over its level and its end, until look returns false. all counts the requests.
func slide(failed store.Trend, all *store.Trend, c store.AlertCondition, step time.Duration, look func(level float64, at time.Time) bool) {
	width := int(max(c.Window/step, 1))
	var failures, requests int64
	for n := range failed.Starts {
		failures += failed.Failures[n]
		if all != nil {
			requests += all.Failures[n] + all.Successes[n]
		}
		if n >= width {
			failures -= failed.Failures[n-width]
			if all != nil {
				requests -= all.Failures[n-width] + all.Successes[n-width]
			}
		}
		if !look(levelOf(c, failures, requests), failed.Starts[n].Add(step)) {
			return
		}
	}
}
