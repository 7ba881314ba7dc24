package store

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"authwatch/classify"
)

func alertContract() []contractTest {
	return []contractTest{
		{"alert rules: created, changed by version, deleted", testAlertRules},
		{"silences end", testAlertSilences},
		{"an alert fires once, also at two replicas", testFireAlertOnce},
		{"the end of an alert is told to those who were told of it", testEndAlert},
		{"deliveries are claimed by one, come back with the lease, and wait for their turn", testClaimAlertDeliveries},
		{"what a receiver forgets is told again while it goes on", testRenewAlertDeliveries},
		{"failures of an incident are counted by event time", testCountIncidentFailures},
		{"old alerts are forgotten", testForgetAlerts},
	}
}

func (w *world) rule(t *testing.T, change ...func(*AlertRule)) AlertRule {
	t.Helper()
	r := AlertRule{Name: "new in production", Enabled: true, Match: AlertMatch{Environments: []string{"production"}},
		Condition: AlertCondition{Kind: AlertNew}, Receivers: []string{"chat", "pager"}, UpdatedBy: "sam"}
	for _, c := range change {
		c(&r)
	}
	stored, err := w.CreateAlertRule(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func testAlertRules(t *testing.T, w *world) {
	ctx := t.Context()
	r := w.rule(t, func(r *AlertRule) {
		r.Match.Causes = []classify.Code{classify.JTIReuse}
		r.Condition = AlertCondition{Kind: AlertShare, AtLeast: 20, Percent: 2.5, Window: 10 * time.Minute}
	})
	got, err := w.GetAlertRule(ctx, r.ID)
	if err != nil || got.Condition != r.Condition || got.Match.Causes[0] != classify.JTIReuse || got.Version != 1 || !got.Enabled || got.CreatedBy != "sam" {
		t.Fatalf("%+v, %v", got, err)
	}
	r.Name, r.Enabled, r.UpdatedBy = "renamed", false, "kim"
	changed, err := w.UpdateAlertRule(ctx, r)
	if err != nil || changed.Version != 2 || changed.Name != "renamed" || changed.Enabled || changed.CreatedBy != "sam" || changed.UpdatedBy != "kim" {
		t.Errorf("%+v, %v", changed, err)
	}
	if _, err := w.UpdateAlertRule(ctx, r); !errors.Is(err, ErrConflict) {
		t.Errorf("an old version: %v", err)
	}
	if err := w.DeleteAlertRule(ctx, r.ID, 1); !errors.Is(err, ErrConflict) {
		t.Errorf("deleting an old version: %v", err)
	}
	if list, err := w.ListAlertRules(ctx); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	if err := w.DeleteAlertRule(ctx, r.ID, 2); err != nil {
		t.Error(err)
	}
	if _, err := w.GetAlertRule(ctx, r.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("gone: %v", err)
	}
	if _, err := w.UpdateAlertRule(ctx, r); !errors.Is(err, ErrNotFound) {
		t.Errorf("gone: %v", err)
	}
}

func TestAlertRule_Faults(t *testing.T) {
	ok := AlertRule{Name: "x", Condition: AlertCondition{Kind: AlertCount, AtLeast: 5, Window: time.Minute}}
	if faults := ok.Faults(); len(faults) > 0 {
		t.Fatalf("%+v", faults)
	}
	for field, change := range map[string]func(*AlertRule){
		"name":               func(r *AlertRule) { r.Name = "" },
		"condition.kind":     func(r *AlertRule) { r.Condition.Kind = "often" },
		"condition.window":   func(r *AlertRule) { r.Condition.Window = 90 * time.Second },
		"condition.at_least": func(r *AlertRule) { r.Condition.AtLeast = 0 },
		"condition.percent":  func(r *AlertRule) { r.Condition.Percent = 1 },
		"match.causes":       func(r *AlertRule) { r.Match.Causes = []classify.Code{"nope"} },
		"match.clients":      func(r *AlertRule) { r.Match.Clients = []string{""} },
		"match.faults":       func(r *AlertRule) { r.Match.Faults = []classify.Fault{"mine"} },
		"receivers":          func(r *AlertRule) { r.Receivers = []string{""} },
	} {
		r := ok
		change(&r)
		if faults := r.Faults(); len(faults) != 1 || faults[0].Field != field {
			t.Errorf("%s: %+v", field, faults)
		}
	}
	share := ok
	share.Condition.Kind, share.Match.Faults = AlertShare, []classify.Fault{classify.FaultClient}
	if faults := share.Faults(); len(faults) != 2 {
		t.Errorf("a share by fault, without percent: %+v", faults)
	}
}

func TestAlertMatch_Covers(t *testing.T) {
	one := AlertMatch{Environments: []string{"prod"}, Causes: []classify.Code{classify.JTIReuse}}
	for _, tt := range []struct {
		name  string
		m     AlertMatch
		other AlertMatch
		want  bool
	}{
		{"everything", AlertMatch{}, one, true},
		{"its environment", AlertMatch{Environments: []string{"prod", "preprod"}}, one, true},
		{"another", AlertMatch{Environments: []string{"preprod"}}, one, false},
		{"a part of it", AlertMatch{Environments: []string{"prod"}}, AlertMatch{Environments: []string{"prod", "preprod"}}, false},
		{"a client, of what is about all", AlertMatch{Clients: []string{"a"}}, one, false},
	} {
		if got := tt.m.Covers(tt.other); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func testAlertSilences(t *testing.T, w *world) {
	ctx := t.Context()
	s, err := w.AddAlertSilence(ctx, AlertSilence{Match: AlertMatch{Clients: []string{"client-a"}}, Author: "sam", Reason: "migration", EndsAt: at(3600)})
	if err != nil || !s.BeginsAt.Equal(at(0)) || s.Match.Clients[0] != "client-a" {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, bad := range []AlertSilence{{Reason: "x", EndsAt: at(0)}, {EndsAt: at(60)}, {Reason: "x", EndsAt: at(91 * 86400)}} {
		if _, err := w.AddAlertSilence(ctx, bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	w.clock = at(60)
	ended, err := w.EndAlertSilence(ctx, s.ID)
	if err != nil || !ended.EndsAt.Equal(at(60)) {
		t.Errorf("%+v, %v", ended, err)
	}
	w.clock = at(120)
	if again, err := w.EndAlertSilence(ctx, s.ID); err != nil || !again.EndsAt.Equal(at(60)) {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := w.EndAlertSilence(ctx, "sil_none"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if list, err := w.ListAlertSilences(ctx, at(59)); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := w.ListAlertSilences(ctx, at(60)); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func (w *world) fireAlert(t *testing.T, rule AlertRule, subject string, once bool, incidents ...string) bool {
	t.Helper()
	fired, err := w.FireAlert(t.Context(), Alert{Subject: subject, Once: once, Incidents: incidents, Message: []byte(`{"text":"x"}`)}, rule)
	if err != nil {
		t.Fatal(err)
	}
	return fired
}

func testFireAlertOnce(t *testing.T, w *world) {
	ctx, rule := t.Context(), w.rule(t)
	other, err := Open(ctx, Options{DSN: w.dsn, Now: func() time.Time { return w.clock }})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var mu sync.Mutex
	var all sync.WaitGroup
	fired := 0
	for _, s := range []*Store{w.Store, other, w.Store, other} {
		all.Go(func() {
			did, err := s.FireAlert(ctx, Alert{Subject: "new:1", Once: true, Message: []byte(`{}`)}, rule)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if did {
				fired++
			}
		})
	}
	all.Wait()
	log, _, err := w.ListAlertDeliveries(ctx, Page{})
	if err != nil || fired != 1 || len(log) != 2 {
		t.Fatalf("fired %d times, %d deliveries, %v", fired, len(log), err)
	}
	known, err := w.FindAlerts(ctx, rule.ID)
	if err != nil || len(known) != 1 {
		t.Fatalf("%v, %v", known, err)
	}
	if ended, err := w.EndAlert(ctx, known["new:1"].ID, AlertOver, []byte(`{}`)); err != nil || !ended {
		t.Fatal(ended, err)
	}
	if w.fireAlert(t, rule, "new:1", true) {
		t.Error("what is found once was found again after its end")
	}
	if !w.fireAlert(t, rule, "share:p", false) || w.fireAlert(t, rule, "share:p", false) {
		t.Error("a sum fires once while it goes on")
	}
	known, _ = w.FindAlerts(ctx, rule.ID)
	if ended, err := w.EndAlert(ctx, known["share:p"].ID, AlertOver, []byte(`{}`)); err != nil || !ended {
		t.Fatal(ended, err)
	}
	if ended, err := w.EndAlert(ctx, known["share:p"].ID, AlertOver, []byte(`{}`)); err != nil || ended {
		t.Error("ended twice")
	}
	if !w.fireAlert(t, rule, "share:p", false) {
		t.Error("a sum that is too much again did not fire")
	}
	rule.Name = "changed"
	if _, err := w.UpdateAlertRule(ctx, rule); err != nil {
		t.Fatal(err)
	}
	if w.fireAlert(t, rule, "new:2", true) {
		t.Error("a rule fired that has changed meanwhile")
	}
}

func testEndAlert(t *testing.T, w *world) {
	ctx, rule := t.Context(), w.rule(t)
	list := []Failure{fail(0)}
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.AddFailures(ctx, list) })
	incident := list[0].IncidentID
	w.fireAlert(t, rule, "new:"+incident, true, incident)
	if over, err := w.OverAlerts(ctx); err != nil || len(over) != 0 {
		t.Fatalf("%+v, %v", over, err)
	}
	claimed := w.claimDue(t)
	if len(claimed) != 2 || string(claimed[0].Alert.Message) != `{"text":"x"}` {
		t.Fatalf("%+v", claimed)
	}
	if err := w.FinishAlertDelivery(ctx, claimed[0].ID, DeliverySent, "", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := w.FinishAlertDelivery(ctx, claimed[1].ID, DeliveryFailed, "http_404", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ChangeIncident(ctx, incident, StateChange{State: StateResolved, By: "sam"}); err != nil {
		t.Fatal(err)
	}
	over, err := w.OverAlerts(ctx)
	if err != nil || len(over) != 1 || over[0].EndedBy != AlertOver {
		t.Fatalf("%+v, %v", over, err)
	}
	if _, err := w.EndAlert(ctx, over[0].ID, AlertOver, []byte(`{"text":"over"}`)); err != nil {
		t.Fatal(err)
	}
	told := w.claimDue(t)
	if len(told) != 1 || told[0].Receiver != claimed[0].Receiver || told[0].Kind != DeliverResolved || string(told[0].Alert.Message) != `{"text":"over"}` {
		t.Errorf("the end was told to %+v", told)
	}
	w.fireAlert(t, rule, "new:other", true)
	if err := w.DeleteAlertRule(ctx, rule.ID, 0); err != nil {
		t.Fatal(err)
	}
	over, err = w.OverAlerts(ctx)
	if err != nil || len(over) != 1 || over[0].EndedBy != AlertRuleGone {
		t.Fatalf("%+v, %v", over, err)
	}
	if _, err := w.EndAlert(ctx, over[0].ID, AlertRuleGone, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	log, _, err := w.ListAlertDeliveries(ctx, Page{Limit: 2})
	if err != nil || log[0].Status != DeliveryDropped || log[1].Status != DeliveryDropped {
		t.Errorf("what was never told: %+v, %v", log, err)
	}
}

func testCountIncidentFailures(t *testing.T, w *world) {
	list := []Failure{fail(0), fail(1), fail(2), fail(-7200), fail(3, client("other"))}
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.AddFailures(ctx, list) })
	count := func(from, to time.Time, most int64) int64 {
		n, err := w.CountIncidentFailures(t.Context(), list[0].IncidentID, from, to, most)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(at(0), at(2), 10); n != 2 {
		t.Errorf("%d in [0, 2)", n)
	}
	if n := count(at(-9000), at(60), 10); n != 4 {
		t.Errorf("%d in all", n)
	}
	if n := count(at(-9000), at(60), 3); n != 3 {
		t.Errorf("%d with most 3", n)
	}
	i, err := w.GetIncident(t.Context(), list[0].IncidentID)
	if err != nil || !i.OpenedAt().Equal(at(0)) {
		t.Errorf("opened at %s, %v", i.OpenedAt(), err)
	}
	open, err := w.CountOpenIncidents(t.Context())
	if err != nil || len(open) != 1 || open[0] != (IncidentCount{StateOpen, string(classify.WrongAudience), 2}) {
		t.Errorf("%+v, %v", open, err)
	}
}

func testForgetAlerts(t *testing.T, w *world) {
	ctx, rule := t.Context(), w.rule(t)
	w.fireAlert(t, rule, "new:1", true)
	w.fireAlert(t, rule, "new:2", true)
	known, err := w.FindAlerts(ctx, rule.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.EndAlert(ctx, known["new:1"].ID, AlertOver, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if err := w.ForgetAlerts(ctx, at(1)); err != nil {
		t.Fatal(err)
	}
	alerts, _, err := w.ListAlerts(ctx, AlertFilter{})
	log, _, errLog := w.ListAlertDeliveries(ctx, Page{})
	if err != nil || errLog != nil || len(alerts) != 1 || alerts[0].Subject != "new:2" || len(log) != 2 {
		t.Errorf("%+v, %+v, %v, %v", alerts, log, err, errLog)
	}
}
