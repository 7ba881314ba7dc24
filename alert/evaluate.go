package alert

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"authwatch/store"
)

// candidates bounds how many incidents a rule looks at.
const candidates = 2000

// Evaluate looks at every rule once, fires what is news and ends what is over. Errors of single rules are joined.
func (s *Service) Evaluate(ctx context.Context) error {
	rules, err := s.Store.ListAlertRules(ctx)
	if err != nil {
		return err
	}
	now := s.Now()
	silences, err := s.Store.ListAlertSilences(ctx, now.Add(-24*time.Hour))
	if err != nil {
		return err
	}
	var failed []error
	for _, rule := range rules {
		if !rule.Enabled {
			continue
		}
		e := evaluation{s, rule, silences, now}
		if err := e.run(ctx); err != nil {
			failed = append(failed, fmt.Errorf("rule %s: %w", rule.ID, err))
		}
	}
	return errors.Join(append(failed, s.endOver(ctx))...)
}

// An evaluation is one look at one rule.
type evaluation struct {
	*Service
	rule     store.AlertRule
	silences []store.AlertSilence
	now      time.Time
}

func (e evaluation) run(ctx context.Context) error {
	known, err := e.Store.FindAlerts(ctx, e.rule.ID)
	if err != nil {
		return err
	}
	for subject, a := range known { // a rule of another kind now does not find these again
		if a.EndedAt.IsZero() && !strings.HasPrefix(subject, string(e.rule.Condition.Kind)+":") {
			if err := e.end(ctx, a, store.AlertRuleGone); err != nil {
				return err
			}
		}
	}
	switch e.rule.Condition.Kind {
	case store.AlertTotal, store.AlertShare:
		return e.sums(ctx, known)
	case store.AlertOutbreak:
		return e.outbreaks(ctx, known)
	}
	return e.each(ctx, known)
}

// each looks at the incidents one by one.
func (e evaluation) each(ctx context.Context, known map[string]store.Alert) error {
	list, err := e.incidents(ctx, e.now.Add(-max(stale, e.rule.Condition.Window)), store.StateOpen)
	if err != nil {
		return err
	}
	for _, i := range list {
		subject := string(e.rule.Condition.Kind) + ":" + i.ID
		if _, before := known[subject]; before {
			continue
		}
		news, err := e.isNews(ctx, i)
		if err != nil {
			return err
		}
		if news {
			if err := e.fire(ctx, subject, true, place{i.Provider, i.Environment}, []store.Incident{i}); err != nil {
				return err
			}
		}
	}
	return nil
}

// isNews decides by the time of the events. What began long before it was received is the past, however new it is here.
func (e evaluation) isNews(ctx context.Context, i store.Incident) (bool, error) {
	switch e.rule.Condition.Kind {
	case store.AlertCount:
		c := e.rule.Condition
		if i.Count < c.AtLeast {
			return false, nil
		}
		n, err := e.Store.CountIncidentFailures(ctx, i.ID, e.now.Add(-c.Window), e.now, c.AtLeast)
		return n >= c.AtLeast, err
	case store.AlertRegression:
		return i.RegressionOf != "" && began(i, e.rule.UpdatedAt), nil
	default:
		return i.RegressionOf == "" && began(i, e.rule.UpdatedAt), nil
	}
}

// began is true of an incident that began about when it was received, and not before the rule was there.
func began(i store.Incident, since time.Time) bool {
	opened := i.OpenedAt()
	return !i.FirstSeenAt.Before(opened.Add(-stale)) && !opened.Before(since.Truncate(time.Millisecond))
}

// incidents reads those that the rule selects with a failure since a time.
func (e evaluation) incidents(ctx context.Context, since time.Time, states ...store.State) (list []store.Incident, err error) {
	f := e.rule.Match.Incidents()
	f.From, f.States, f.Page = since, states, store.Page{Limit: 200}
	for len(list) < candidates {
		page, next, err := e.Store.ListIncidents(ctx, f)
		if err != nil {
			return nil, err
		}
		list = append(list, page...)
		if f.Cursor = next; next == "" {
			break
		}
	}
	return list, nil
}

// outbreaks looks for clients that began to fail with one cause at one place within the window.
func (e evaluation) outbreaks(ctx context.Context, known map[string]store.Alert) error {
	since := e.now.Add(-e.rule.Condition.Window)
	list, err := e.incidents(ctx, since, store.StateOpen, store.StateAcknowledged)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(i store.Incident) bool { return i.FirstSeenAt.Before(since) || i.ClientID == "" })
	groups := map[string][]store.Incident{}
	for _, i := range list {
		subject := strings.Join([]string{string(store.AlertOutbreak), i.Provider, i.Environment, string(i.Cause)}, ":")
		groups[subject] = append(groups[subject], i)
	}
	for subject, group := range groups {
		if _, before := known[subject]; before || int64(len(group)) < e.rule.Condition.AtLeast {
			continue
		}
		slices.SortFunc(group, func(a, b store.Incident) int {
			return cmp.Or(a.FirstSeenAt.Compare(b.FirstSeenAt), cmp.Compare(a.ID, b.ID))
		})
		if err := e.fire(ctx, subject, false, place{group[0].Provider, group[0].Environment}, group); err != nil {
			return err
		}
	}
	return nil
}

// easing is how far below its threshold a sum has to fall to be over, so that one at the threshold does not come and go.
const easing = 0.8

// sums adds up each environment, fires where it is too much and ends what has eased. Where nothing arrives nothing is known: silence
// is not success.
func (e evaluation) sums(ctx context.Context, known map[string]store.Alert) error {
	environments, err := e.Store.ListEnvironments(ctx)
	if err != nil {
		return err
	}
	from, to := minuteWindow(e.now, e.rule.Condition.Window)
	goesOn := map[string]bool{}
	for _, env := range environments {
		p := place{env.Provider, env.Environment}
		if !p.selected(e.rule.Match) {
			continue
		}
		subject := strings.Join([]string{string(e.rule.Condition.Kind), p.provider, p.environment}, ":")
		level, traffic, err := e.level(ctx, p, from, to)
		if err != nil {
			return err
		}
		goesOn[subject] = level >= easing || !traffic
		if _, firing := known[subject]; level < 1 || firing {
			continue
		}
		if err := e.fire(ctx, subject, false, p, nil); err != nil {
			return err
		}
	}
	for subject, a := range known {
		if a.EndedAt.IsZero() && !goesOn[subject] {
			if err := e.end(ctx, a, store.AlertOver); err != nil {
				return err
			}
		}
	}
	return nil
}

// selected says whether a match may be about a place.
func (p place) selected(m store.AlertMatch) bool {
	return (len(m.Providers) == 0 || slices.Contains(m.Providers, p.provider)) && (len(m.Environments) == 0 || slices.Contains(m.Environments, p.environment))
}

// level is how near the sums of a place are to the threshold, which is 1, and whether there was traffic at all.
func (e evaluation) level(ctx context.Context, p place, from, to time.Time) (level float64, traffic bool, err error) {
	c := e.rule.Condition
	q := sumQuery(e.rule, p, from, to, to.Sub(from))
	failed, err := e.Store.Trend(ctx, q)
	if err != nil {
		return 0, false, err
	}
	q.Causes = nil
	all, err := e.Store.Trend(ctx, q)
	if err != nil {
		return 0, false, err
	}
	requests := sum(all.Failures) + sum(all.Successes)
	return levelOf(c, sum(failed.Failures), requests), requests > 0, nil
}

// sumQuery asks for what a rule adds up at a place.
func sumQuery(rule store.AlertRule, p place, from, to time.Time, step time.Duration) store.TrendQuery {
	return store.TrendQuery{From: from, To: to, Step: step, GroupBy: store.ByCause, Providers: []string{p.provider}, Environments: []string{p.environment},
		Causes: rule.Match.Causes, Clients: rule.Match.Clients}
}

func levelOf(c store.AlertCondition, failures, requests int64) float64 {
	level := float64(failures) / float64(c.AtLeast)
	if c.Kind == store.AlertShare {
		if requests == 0 {
			return 0
		}
		level = min(level, 100*float64(failures)/float64(requests)/c.Percent)
	}
	return level
}

// fire stores what was found with its message, unless a silence covers it.
func (e evaluation) fire(ctx context.Context, subject string, once bool, p place, incidents []store.Incident) error {
	match := e.about(p, incidents)
	if e.silenced(match) {
		return nil
	}
	message, err := e.compose(ctx, finding{rule: e.rule, place: p, incidents: incidents, silence: e.endedSilence(match, incidents)}, e.now)
	if err != nil {
		return err
	}
	text, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encode alert: %w", err)
	}
	a := store.Alert{Subject: subject, Once: once, Message: text}
	for _, i := range incidents {
		a.Incidents = append(a.Incidents, i.ID)
	}
	fired, err := e.Store.FireAlert(ctx, a, e.rule)
	if fired {
		e.metrics.fired.WithLabelValues(string(e.rule.Condition.Kind)).Inc()
		select {
		case e.Service.fired <- struct{}{}:
		default: // the deliverer was woken already
		}
	}
	return err
}

// about is what an alert is about, in the terms of silences.
func (e evaluation) about(p place, incidents []store.Incident) store.AlertMatch {
	m := store.AlertMatch{Providers: []string{p.provider}, Environments: []string{p.environment}}
	if len(incidents) == 0 {
		m.Causes, m.Clients = e.rule.Match.Causes, e.rule.Match.Clients
	}
	for _, i := range incidents {
		m.Causes, m.Clients, m.Faults = append(m.Causes, i.Cause), append(m.Clients, i.ClientID), append(m.Faults, i.Fault)
	}
	return m
}

func (e evaluation) silenced(m store.AlertMatch) bool {
	return slices.ContainsFunc(e.silences, func(s store.AlertSilence) bool { return s.EndsAt.After(e.now) && s.Match.Covers(m) })
}

// endedSilence says which silence kept an alert back until now.
func (e evaluation) endedSilence(m store.AlertMatch, incidents []store.Incident) string {
	for _, i := range incidents {
		if !i.SilencedUntil.IsZero() && !i.SilencedUntil.After(e.now) {
			return "The silence by " + clip(i.StateChangedBy, 60) + " ended " + i.SilencedUntil.UTC().Format("15:04:05 MST")
		}
		for _, s := range e.silences {
			if !s.EndsAt.After(e.now) && s.EndsAt.After(i.OpenedAt()) && s.Match.Covers(m) {
				return "The silence by " + clip(s.Author, 60) + " ended " + s.EndsAt.UTC().Format("15:04:05 MST") + " (" + clip(s.Reason, 100) + ")"
			}
		}
	}
	return ""
}

// endOver ends the alerts whose incidents are resolved or whose rule is gone.
func (s *Service) endOver(ctx context.Context) error {
	over, err := s.Store.OverAlerts(ctx)
	if err != nil {
		return err
	}
	for _, a := range over {
		if err := s.end(ctx, a, a.EndedBy); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) end(ctx context.Context, a store.Alert, by store.AlertEnd) error {
	m, err := decodeMessage(a)
	if err != nil {
		return err
	}
	m.EndedAt, m.EndedBy = s.Now().UTC(), by
	if len(m.Incidents) == 1 && by == store.AlertOver {
		i, err := s.Store.GetIncident(ctx, m.Incidents[0])
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		m.FirstSuccess = i.FirstSuccess
	}
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode alert: %w", err)
	}
	ended, err := s.Store.EndAlert(ctx, a.ID, by, text)
	if ended {
		select {
		case s.fired <- struct{}{}:
		default:
		}
	}
	return err
}
