package alert

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

const (
	// messageWindow is what the message of a rule without a window counts.
	messageWindow = 10 * time.Minute
	// changeReach is how long before the first failure a change may explain it.
	changeReach = 2 * time.Hour
	week        = 7 * 24 * time.Hour
)

// A finding is what a rule found, before it is put into words.
type finding struct {
	rule      store.AlertRule
	place     place
	incidents []store.Incident // of the alert; of a sum those that it is made of
	silence   string
}

type place struct{ provider, environment string }

// compose gathers what the reader at three in the morning asks first: how bad, whose, since when, what to do.
func (s *Service) compose(ctx context.Context, f finding, now time.Time) (Message, error) {
	window := f.rule.Condition.Window
	if window == 0 {
		window = messageWindow
	}
	m := Message{
		Version: 1, Status: store.DeliverFiring, Rule: RuleName{f.rule.ID, f.rule.Name, f.rule.Condition.Kind}, Provider: f.place.provider,
		Environment: f.place.environment, Window: int64(window / time.Second), Elsewhere: []string{}, Silence: f.silence,
	}
	sums := f.rule.Condition.Kind == store.AlertTotal || f.rule.Condition.Kind == store.AlertShare
	if len(f.incidents) > 0 {
		if err := s.describe(ctx, &m, f, sums); err != nil {
			return m, err
		}
	}
	from, to := minuteWindow(now, window)
	if err := s.measure(ctx, &m, f, sums, from, to); err != nil {
		return m, err
	}
	if err := s.others(ctx, &m, f, now.Add(-window)); err != nil {
		return m, err
	}
	m.URL = s.link(f, sums, from, now)
	m.write(now)
	return m, nil
}

// describe takes over what the leading incident says.
func (s *Service) describe(ctx context.Context, m *Message, f finding, sums bool) error {
	lead := f.incidents[0]
	title := string(lead.Cause)
	if row, ok := classify.Lookup(lead.Cause); ok {
		title = row.Title
	}
	m.Cause, m.CauseTitle = lead.Cause, title
	for _, i := range f.incidents[:min(len(f.incidents), 20)] {
		m.Incidents = append(m.Incidents, i.ID)
	}
	if sums {
		return nil
	}
	m.Fault, m.Confidence, m.Summary = lead.Fault, lead.Confidence, lead.Summary
	m.StartedAt, m.LastSuccess = lead.FirstSeenAt, lead.LastSuccess
	if f.rule.Condition.Kind != store.AlertOutbreak {
		m.ClientID = lead.ClientID
	}
	var err error
	if m.Change, err = s.change(ctx, lead); err != nil {
		return err
	}
	m.Fix, err = s.fix(ctx, lead)
	return err
}

// fix is the newest failure's, or what the catalogue advises.
func (s *Service) fix(ctx context.Context, i store.Incident) (*Fix, error) {
	list, _, err := s.Store.ListFailures(ctx, store.FailureFilter{IncidentID: i.ID, Page: store.Page{Limit: 1}})
	if err != nil {
		return nil, fmt.Errorf("look for the fix of %s: %w", i.ID, err)
	}
	if len(list) > 0 && len(list[0].Verdict.Fix.Steps) > 0 {
		fix := list[0].Verdict.Fix
		return &Fix{Text: fix.Steps[0], Verified: fix.Verified && len(fix.Edits) > 0, Edits: fix.Edits}, nil
	}
	if row, ok := classify.Lookup(i.Cause); ok && len(row.Fix) > 0 {
		return &Fix{Text: row.Fix[0]}, nil
	}
	return nil, nil
}

// change is the one told of that happened last before the first failure; one that names the client goes before others.
func (s *Service) change(ctx context.Context, i store.Incident) (*Change, error) {
	list, _, err := s.Store.ListDeployments(ctx, store.DeploymentFilter{From: i.FirstSeenAt.Add(-changeReach), To: i.FirstSeenAt,
		Providers: some(i.Provider), Environments: some(i.Environment), Clients: some(i.ClientID), Page: store.Page{Limit: 200}})
	if err != nil {
		return nil, fmt.Errorf("look for changes before %s: %w", i.ID, err)
	}
	if len(list) == 0 {
		return nil, nil
	}
	best := list[0] // the latest
	if at := slices.IndexFunc(list, func(d store.Deployment) bool { return d.ClientID != "" && d.ClientID == i.ClientID }); at >= 0 {
		best = list[at]
	}
	return &Change{Title: best.Title, Kind: string(best.Kind), Time: best.Time, Before: i.FirstSeenAt.Sub(best.Time).Seconds()}, nil
}

func some(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// measure counts the failures of the window, those of the week before, and the requests of the environment.
func (s *Service) measure(ctx context.Context, m *Message, f finding, sums bool, from, to time.Time) error {
	q := store.TrendQuery{From: from, To: to, Step: to.Sub(from), GroupBy: store.ByCause, Providers: []string{f.place.provider}, Environments: []string{f.place.environment}}
	all, err := s.Store.Trend(ctx, q)
	if err != nil {
		return fmt.Errorf("measure requests: %w", err)
	}
	m.Requests = sum(all.Failures) + sum(all.Successes)
	if sums {
		q.Causes, q.Clients = f.rule.Match.Causes, f.rule.Match.Clients
	} else {
		for _, i := range f.incidents {
			if !slices.Contains(q.Clients, i.ClientID) {
				q.Clients = append(q.Clients, i.ClientID)
			}
			q.Causes = []classify.Code{i.Cause}
		}
	}
	failed, err := s.Store.Trend(ctx, q)
	if err != nil {
		return fmt.Errorf("measure failures: %w", err)
	}
	m.Failures = sum(failed.Failures)
	if sums && len(failed.Series) > 0 {
		m.Cause = classify.Code(failed.Series[0].Name)
		if row, ok := classify.Lookup(m.Cause); ok {
			m.CauseTitle = row.Title
		}
	}
	q.From, q.To = from.Add(-week), to.Add(-week)
	earlier, err := s.Store.Trend(ctx, q)
	if err != nil {
		return fmt.Errorf("measure the week before: %w", err)
	}
	m.Earlier = sum(earlier.Failures)
	return nil
}

// others says who is not affected: clients of the environment, and environments of the provider.
func (s *Service) others(ctx context.Context, m *Message, f finding, since time.Time) error {
	failing := map[place]map[string]bool{}
	list, _, err := s.Store.ListIncidents(ctx, store.IncidentFilter{Providers: []string{f.place.provider}, From: since,
		States: []store.State{store.StateOpen, store.StateAcknowledged, store.StateSilenced}, Page: store.Page{Limit: 200}})
	if err != nil {
		return fmt.Errorf("look who fails: %w", err)
	}
	for _, i := range append(list, f.incidents...) {
		p := place{i.Provider, i.Environment}
		if failing[p] == nil {
			failing[p] = map[string]bool{}
		}
		failing[p][i.ClientID] = true
	}
	m.Failing = int64(len(failing[f.place]))
	if f.rule.Condition.Kind == store.AlertOutbreak {
		m.Failing = int64(len(f.incidents))
	}
	environments, err := s.Store.ListEnvironments(ctx)
	if err != nil {
		return fmt.Errorf("look at the environments: %w", err)
	}
	for _, e := range environments {
		p := place{e.Provider, e.Environment}
		switch {
		case p == f.place:
			m.Healthy = max(e.Clients-int64(len(failing[p])), 0)
		case e.Provider == f.place.provider && len(failing[p]) == 0 && e.Successes > 0 && e.LastSeenAt.After(since) && len(m.Elsewhere) < 5:
			m.Elsewhere = append(m.Elsewhere, e.Environment)
		}
	}
	return nil
}

// link leads to the incident, or to the incidents of a time that stays the same whenever it is followed.
func (s *Service) link(f finding, sums bool, from, to time.Time) string {
	if !sums && len(f.incidents) == 1 {
		return s.PublicURL + "/i/" + f.incidents[0].ID
	}
	q := url.Values{"state": {"all"}, "from": {from.UTC().Format(time.RFC3339)}, "to": {to.UTC().Truncate(time.Second).Add(time.Minute).Format(time.RFC3339)}}
	if f.place.provider != "" {
		q.Set("provider", f.place.provider)
	}
	if f.place.environment != "" {
		q.Set("environment", f.place.environment)
	}
	if !sums {
		q.Set("cause", string(f.incidents[0].Cause))
	}
	return s.PublicURL + "/incidents?" + q.Encode()
}

// minuteWindow ends with the minute of now: the rollups know whole minutes.
func minuteWindow(now time.Time, length time.Duration) (from, to time.Time) {
	to = now.Truncate(time.Minute).Add(time.Minute)
	return to.Add(-length), to
}

func sum(list []int64) (n int64) {
	for _, v := range list {
		n += v
	}
	return n
}
