package store

import (
	"slices"
	"testing"
	"time"
)

func (w *world) claimDue(t *testing.T) []AlertDelivery {
	t.Helper()
	list, err := w.ClaimAlertDeliveries(t.Context(), time.Minute, 10)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func testClaimAlertDeliveries(t *testing.T, w *world) {
	ctx := t.Context()
	rule := w.rule(t, func(r *AlertRule) { r.Receivers = []string{"chat"} })
	w.fireAlert(t, rule, "new:1", true)
	first := w.claimDue(t)
	if len(first) != 1 || first[0].Attempts != 1 || len(w.claimDue(t)) != 0 {
		t.Fatalf("claimed by two: %+v", first)
	}
	w.clock = at(61)
	again := w.claimDue(t)
	if len(again) != 1 || again[0].Attempts != 2 {
		t.Fatalf("after its lease: %+v", again)
	}
	if err := w.FinishAlertDelivery(ctx, again[0].ID, DeliveryWaiting, "timeout", at(90)); err != nil {
		t.Fatal(err)
	}
	if len(w.claimDue(t)) != 0 {
		t.Error("claimed before its time")
	}
	if _, err := w.EndAlert(ctx, again[0].AlertID, AlertOver, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if got := w.claimDue(t); len(got) != 0 {
		t.Errorf("the end was told before the beginning: %+v", got)
	}
	w.clock = at(91)
	third := w.claimDue(t)
	if len(third) != 1 || third[0].Kind != DeliverFiring || third[0].LastError != "timeout" || third[0].Alert.EndedAt.IsZero() {
		t.Fatalf("%+v", third)
	}
	if err := w.FinishAlertDelivery(ctx, third[0].ID, DeliveryDropped, "timeout", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := w.claimDue(t); len(got) != 1 || got[0].Kind != DeliverResolved {
		t.Errorf("%+v", got)
	}
	if err := w.LogTestDelivery(ctx, "chat", "http_500"); err != nil {
		t.Fatal(err)
	}
	var kinds []DeliveryKind
	for p := (Page{Limit: 2}); ; {
		list, next, err := w.ListAlertDeliveries(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			kinds = append(kinds, d.Kind)
		}
		if p.Cursor = next; next == "" {
			break
		}
	}
	if want := []DeliveryKind{DeliverTest, DeliverResolved, DeliverFiring}; !slices.Equal(kinds, want) {
		t.Errorf("the log: %v", kinds)
	}
}

func testRenewAlertDeliveries(t *testing.T, w *world) {
	ctx, rule := t.Context(), w.rule(t)
	w.fireAlert(t, rule, "new:1", true)
	for _, d := range w.claimDue(t) {
		if err := w.FinishAlertDelivery(ctx, d.ID, DeliverySent, "", time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	w.clock = at(600)
	if err := w.RenewAlertDeliveries(ctx, []string{"pager"}, at(-1)); err != nil || len(w.claimDue(t)) != 0 {
		t.Error("renewed too early", err)
	}
	if err := w.RenewAlertDeliveries(ctx, []string{"pager"}, at(1)); err != nil {
		t.Fatal(err)
	}
	again := w.claimDue(t)
	if len(again) != 1 || again[0].Receiver != "pager" {
		t.Fatalf("%+v", again)
	}
	if _, err := w.EndAlert(ctx, again[0].AlertID, AlertOver, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if err := w.FinishAlertDelivery(ctx, again[0].ID, DeliverySent, "", time.Time{}); err != nil {
		t.Fatal(err)
	}
	ends := w.claimDue(t)
	if len(ends) != 2 {
		t.Errorf("the end of what is renewed is told: %+v", ends)
	}
	w.clock = at(2000)
	if err := w.RenewAlertDeliveries(ctx, []string{"pager"}, at(1999)); err != nil {
		t.Fatal(err)
	}
	for _, d := range w.claimDue(t) {
		if d.Kind == DeliverFiring {
			t.Error("what is over was told again")
		}
	}
}
