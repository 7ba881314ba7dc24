package alert

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

func countRule(atLeast int64, window time.Duration) store.AlertCondition {
	return store.AlertCondition{Kind: store.AlertCount, AtLeast: atLeast, Window: window}
}

// The text of the field guide: how bad, whose, since when, after what, what to do, who is not affected, where to look.
func TestEvaluate_Text(t *testing.T) {
	d := openDesk(t)
	start := d.clock.Add(-110 * time.Second)
	for n := range 39 {
		d.succeed("healthy-"+string(rune('a'+n%26))+string(rune('a'+n/26)), "prod", 100, start)
	}
	d.succeed("client-b", "prod", 1, start.Add(-29*time.Second))
	d.succeed("other", "staging", 10, d.clock)
	for range 2 { // a week before
		d.fail("client-b", 5, start.AddDate(0, 0, -7), func(f *store.Failure) { f.Verdict.Cause = classify.JTIReuse })
	}
	if _, err := d.Store.ChangeIncident(t.Context(), d.incident("client-b").ID, store.StateChange{State: store.StateResolved, By: "sam"}); err != nil {
		t.Fatal(err)
	}
	d.clock = d.clock.Add(time.Second)
	_, _, err := d.Store.AddDeployment(t.Context(), store.Deployment{Time: d.clock.Add(-40 * time.Second), Kind: store.DeployedCode, Title: "orders-bot 4109", ClientID: "client-b", By: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	d.rule(countRule(10, 10*time.Minute))
	d.clock = d.clock.Add(time.Minute)
	d.fail("client-b", 41, d.clock)
	d.evaluate()
	list := d.alerts()
	if len(list) != 1 {
		t.Fatalf("%d alerts", len(list))
	}
	m := list[0]
	want := "[prod] client-b: assertion used twice (jti reuse), 41 failures in 10 min (1.0 % of requests, 4x a week before), started 03:00:51 UTC, 1 min after deploy orders-bot 4109. " +
		"Whose: client. Fix: Build the assertion inside the retry loop (checked: would have passed). Not affected: 39 other clients, staging. https://aw.example/i/" + m.Incidents[0]
	if m.Text != want {
		t.Errorf("text\n%s\nwant\n%s", m.Text, want)
	}
	if m.Cause != classify.JTIReuse || m.Fault != classify.FaultClient || !m.Fix.Verified || len(m.Fix.Edits) != 1 || m.Change.Title != "orders-bot 4109" || m.Failures != 41 || m.Earlier != 10 || m.Healthy != 39 {
		t.Errorf("%+v", m)
	}
}

func (d *desk) incident(client string) store.Incident {
	d.t.Helper()
	list, _, err := d.Store.ListIncidents(d.t.Context(), store.IncidentFilter{Clients: []string{client}})
	if err != nil || len(list) == 0 {
		d.t.Fatalf("incidents of %s: %v, %v", client, list, err)
	}
	return list[0]
}

func TestEvaluate_NewAndRegression(t *testing.T) {
	d := openDesk(t)
	d.fail("before-the-rule", 1, d.clock)
	d.clock = d.clock.Add(time.Minute)
	d.rule(store.AlertCondition{Kind: store.AlertNew})
	d.rule(store.AlertCondition{Kind: store.AlertRegression})
	d.clock = d.clock.Add(time.Minute)
	d.fail("fresh", 3, d.clock)
	d.evaluate()
	d.evaluate()
	if list := d.alerts(); len(list) != 1 || list[0].ClientID != "fresh" || list[0].Rule.Kind != store.AlertNew {
		t.Fatalf("%+v", list)
	}
	if _, err := d.Store.ChangeIncident(t.Context(), d.incident("fresh").ID, store.StateChange{State: store.StateResolved, By: "sam"}); err != nil {
		t.Fatal(err)
	}
	d.clock = d.clock.Add(time.Minute)
	d.evaluate()
	if list := d.alerts(); len(list) != 1 || list[0].EndedBy != store.AlertOver {
		t.Errorf("resolved: %+v", list)
	}
	d.fail("fresh", 1, d.clock.Add(-90*time.Second)) // late, of the episode that is over
	d.evaluate()
	if list := d.alerts(); len(list) != 1 {
		t.Errorf("a late record pages: %+v", list)
	}
	d.clock = d.clock.Add(time.Minute)
	d.fail("fresh", 1, d.clock)
	d.evaluate()
	list := d.alerts()
	if len(list) != 2 || list[0].Rule.Kind != store.AlertRegression || !strings.Contains(list[0].Text, "back after it was resolved") {
		t.Errorf("%+v", list)
	}
}

// What comes long after its time is the past: neither the backfill of a week nor what a shipper kept back pages anybody.
func TestEvaluate_ThePast(t *testing.T) {
	d := openDesk(t)
	window := 10 * time.Minute
	d.rule(store.AlertCondition{Kind: store.AlertNew})
	d.rule(countRule(5, window))
	d.rule(store.AlertCondition{Kind: store.AlertTotal, AtLeast: 5, Window: window})
	d.rule(store.AlertCondition{Kind: store.AlertShare, AtLeast: 5, Percent: 1, Window: window})
	d.rule(store.AlertCondition{Kind: store.AlertOutbreak, AtLeast: 2, Window: window})
	for _, age := range []time.Duration{61 * time.Minute, 7 * 24 * time.Hour} {
		d.fail("late-a", 100, d.clock.Add(-age))
		d.fail("late-b", 100, d.clock.Add(-age))
	}
	d.evaluate()
	d.fail("late-a", 1, d.clock) // it goes on now, but began long ago: not new, and not many
	d.evaluate()
	if list := d.alerts(); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	d.fail("late-a", 5, d.clock.Add(-time.Second))
	d.evaluate()
	var kinds []store.AlertKind
	for _, m := range d.alerts() {
		kinds = append(kinds, m.Rule.Kind)
	}
	slices.Sort(kinds)
	if want := []store.AlertKind{store.AlertCount, store.AlertShare, store.AlertTotal}; !slices.Equal(kinds, want) {
		t.Errorf("what happens now: %v", kinds)
	}
}

func TestEvaluate_Match(t *testing.T) {
	d := openDesk(t)
	d.rule(countRule(3, time.Minute), func(r *store.AlertRule) {
		r.Match = store.AlertMatch{Causes: []classify.Code{classify.JTIReuse}, Clients: []string{"a", "b"}, Environments: []string{"prod"}, Faults: []classify.Fault{classify.FaultClient}}
	})
	d.rule(countRule(1, time.Minute), func(r *store.AlertRule) { r.Enabled = false })
	d.fail("a", 3, d.clock.Add(-time.Second))
	d.fail("b", 2, d.clock.Add(-time.Second))
	d.fail("c", 9, d.clock.Add(-time.Second))
	d.fail("b", 9, d.clock.Add(-time.Second), func(f *store.Failure) { f.Verdict.Cause = classify.WrongAudience })
	d.fail("b", 9, d.clock.Add(-time.Second), func(f *store.Failure) { f.Verdict.Environment = "preprod" })
	d.evaluate()
	if list := d.alerts(); len(list) != 1 || list[0].ClientID != "a" {
		t.Errorf("%+v", list)
	}
}

// Somebody is on it, or wants quiet: nobody is woken. When the quiet ends and it goes on, the alert says whose it was.
func TestEvaluate_Quiet(t *testing.T) {
	d := openDesk(t)
	d.rule(countRule(3, time.Minute))
	d.fail("acknowledged", 3, d.clock.Add(-time.Second))
	d.fail("silenced", 3, d.clock.Add(-time.Second))
	d.fail("covered", 3, d.clock.Add(-time.Second))
	ctx := t.Context()
	for client, change := range map[string]store.StateChange{"acknowledged": {State: store.StateAcknowledged, By: "sam"}, "silenced": {State: store.StateSilenced, By: "kim", SilencedUntil: d.clock.Add(time.Hour)}} {
		if _, err := d.Store.ChangeIncident(ctx, d.incident(client).ID, change); err != nil {
			t.Fatal(err)
		}
	}
	_, err := d.Store.AddAlertSilence(ctx, store.AlertSilence{Match: store.AlertMatch{Clients: []string{"covered"}}, Author: "lee", Reason: "migration", EndsAt: d.clock.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	d.evaluate()
	if list := d.alerts(); len(list) != 0 {
		t.Fatalf("%+v", list)
	}
	d.clock = d.clock.Add(time.Hour)
	for _, client := range []string{"acknowledged", "silenced", "covered"} {
		d.fail(client, 3, d.clock.Add(-time.Second))
	}
	d.evaluate()
	words := map[string]string{}
	for _, m := range d.alerts() {
		words[m.ClientID] = m.Silence
	}
	if len(words) != 2 || words["silenced"] != "The silence by kim ended 04:00:30 UTC" || words["covered"] != "The silence by lee ended 04:00:30 UTC (migration)" {
		t.Errorf("%v", words)
	}
}

// A share fires, stays while nothing is known, and ends when traffic shows that it has eased.
func TestEvaluate_Share(t *testing.T) {
	d := openDesk(t)
	d.rule(store.AlertCondition{Kind: store.AlertShare, AtLeast: 5, Percent: 10, Window: 5 * time.Minute})
	d.succeed("healthy", "prod", 91, d.clock)
	d.fail("a", 9, d.clock)
	d.evaluate()
	if list := d.alerts(); len(list) != 0 {
		t.Fatalf("9 %%: %+v", list)
	}
	d.fail("b", 3, d.clock)
	d.evaluate()
	d.evaluate()
	list := d.alerts()
	if len(list) != 1 || list[0].Requests != 103 || list[0].Failures != 12 || !strings.Contains(list[0].Text, "[prod] auth failures, most of them assertion used twice (jti reuse), 12 failures in 5 min (12 % of requests") {
		t.Fatalf("%+v", list)
	}
	if !strings.HasPrefix(list[0].URL, "https://aw.example/incidents?environment=prod&from=2026-11-22T02") {
		t.Errorf("%s", list[0].URL)
	}
	d.clock = d.clock.Add(time.Hour)
	d.evaluate()
	if list := d.alerts(); !list[0].EndedAt.IsZero() {
		t.Error("silence was taken for success")
	}
	d.succeed("healthy", "prod", 91, d.clock)
	d.fail("a", 9, d.clock)
	d.evaluate()
	if list := d.alerts(); !list[0].EndedAt.IsZero() {
		t.Error("9 % of a threshold of 10 % is not over")
	}
	d.succeed("healthy", "prod", 500, d.clock)
	d.evaluate()
	if list := d.alerts(); list[0].EndedBy != store.AlertOver {
		t.Errorf("%+v", list)
	}
}

func TestEvaluate_Outbreak(t *testing.T) {
	d := openDesk(t)
	d.rule(store.AlertCondition{Kind: store.AlertOutbreak, AtLeast: 3, Window: 10 * time.Minute})
	for _, client := range []string{"a", "b"} {
		d.fail(client, 2, d.clock)
	}
	d.fail("c", 2, d.clock, func(f *store.Failure) { f.Verdict.Cause = classify.WrongAudience })
	d.evaluate()
	if list := d.alerts(); len(list) != 0 {
		t.Fatalf("%+v", list)
	}
	d.fail("c", 2, d.clock)
	d.evaluate()
	d.evaluate()
	list := d.alerts()
	if len(list) != 1 || len(list[0].Incidents) != 3 || !strings.HasPrefix(list[0].Text, "[prod] 3 clients began to fail at once: ") {
		t.Fatalf("%+v", list)
	}
	ctx := t.Context()
	for n, id := range list[0].Incidents {
		d.evaluate()
		if list := d.alerts(); !list[0].EndedAt.IsZero() {
			t.Errorf("over after %d of 3", n)
		}
		if _, err := d.Store.ChangeIncident(ctx, id, store.StateChange{State: store.StateResolved, By: "sam"}); err != nil {
			t.Fatal(err)
		}
	}
	d.evaluate()
	if list := d.alerts(); len(list) != 1 || list[0].EndedBy != store.AlertOver {
		t.Errorf("%+v", list)
	}
}

// Two replicas on one database look at the same moment: each alert fires once and is told once.
func TestEvaluate_Replicas(t *testing.T) {
	out := openStation(t, false)
	d := openDesk(t, webhookAt(t, out))
	second, err := store.Open(t.Context(), store.Options{DSN: d.dsn, Now: func() time.Time { return d.clock }})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	other := d.service(second, d.Receivers)
	d.rule(countRule(3, time.Minute))
	for _, client := range []string{"a", "b", "c", "d"} {
		d.fail(client, 3, d.clock.Add(-time.Second))
	}
	together := func(work func(s *Service) error) {
		var all sync.WaitGroup
		for _, s := range []*Service{d.Service, other} {
			all.Go(func() {
				if err := work(s); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	together(func(s *Service) error { return s.Evaluate(context.WithoutCancel(t.Context())) })
	together(func(s *Service) error { return s.Deliver(context.WithoutCancel(t.Context())) })
	if n := len(out.take()); n != 4 || len(d.alerts()) != 4 {
		t.Errorf("%d alerts, told %d times", len(d.alerts()), n)
	}
}

// A rule that is gone, or asks for something else now, ends what it had found.
func TestEvaluate_RuleChanged(t *testing.T) {
	d := openDesk(t)
	rule := d.rule(countRule(3, time.Minute))
	d.fail("a", 3, d.clock.Add(-time.Second))
	d.evaluate()
	rule.Condition = store.AlertCondition{Kind: store.AlertRegression}
	rule, err := d.Store.UpdateAlertRule(t.Context(), rule)
	if err != nil {
		t.Fatal(err)
	}
	d.evaluate()
	if list := d.alerts(); len(list) != 1 || list[0].EndedBy != store.AlertRuleGone {
		t.Errorf("%+v", list)
	}
	if err := d.Store.DeleteAlertRule(t.Context(), rule.ID, 0); err != nil {
		t.Fatal(err)
	}
	d.evaluate()
}
