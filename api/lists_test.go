package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

func TestClients(t *testing.T) {
	s := newSite(t)
	odd := "https://clinic.example/app?a=1#x y%2F"
	s.addFailures(t, 2, classify.TokenExpired, "prod", "order-router")
	s.addFailures(t, 1, classify.TokenExpired, "preprod", "order-router")
	s.addFailures(t, 1, classify.ScopeGap, "prod", odd)
	var page list[clientJSON]
	s.get(t, "/api/v1/clients", &page)
	if len(page.Data) != 3 {
		t.Fatalf("%+v", page)
	}
	for _, row := range page.Data {
		var one oneClientJSON
		s.get(t, row.Links.Self, &one)
		if one.ClientID != row.ClientID || len(one.Environments) == 0 {
			t.Errorf("%s leads to %+v", row.Links.Self, one)
		}
		var failures list[failureJSON]
		if s.get(t, row.Links.Failures, &failures); len(failures.Data) == 0 || failures.Data[0].ClientID != row.ClientID {
			t.Errorf("%s leads to %+v", row.Links.Failures, failures)
		}
	}
	s.get(t, "/api/v1/clients?environment=prod&client=order-router", &page)
	if len(page.Data) != 1 || page.Data[0].Failures != 2 || page.Data[0].OpenIncidents != 1 || !page.Data[0].LastFailure.Equal(s.now.Add(-time.Minute)) {
		t.Errorf("%+v", page.Data)
	}
	problemIn(t, s.do(t, ask{path: "/api/v1/clients/nobody", who: "read"}), http.StatusNotFound)
	seen, next := 0, "/api/v1/clients?limit=1"
	for ; next != ""; seen++ {
		next, _, _ = strings.Cut(strings.TrimPrefix(s.get(t, next, &page).header.Get("Link"), "<"), ">")
	}
	if seen != 3 {
		t.Errorf("%d pages of one", seen)
	}
}

func TestEnvironments_ProfileAndTraffic(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 2, classify.TokenExpired, "prod", "order-router")
	s.addFailures(t, 1, classify.TokenExpired, "sandbox", "order-router")
	err := s.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.AddTraffic(ctx, []store.Traffic{{First: s.now, Last: s.now, Count: 1, Provider: "exchange", Environment: "prod", ClientID: "market-data"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	var page list[environmentJSON]
	s.get(t, "/api/v1/environments", &page)
	rows := map[string]environmentJSON{}
	for _, row := range page.Data {
		rows[row.Environment] = row
	}
	if len(page.Data) != 3 {
		t.Fatalf("%+v", page.Data)
	}
	if p := rows["prod"]; !p.InProfile || p.Traffic == nil || p.Traffic.Failures != 2 || p.Traffic.Successes != 1 || len(p.TokenEndpoints) != 1 {
		t.Errorf("prod: %+v %+v", p, p.Traffic)
	}
	if p := rows["preprod"]; !p.InProfile || p.Traffic != nil {
		t.Errorf("preprod has no traffic: %+v", p)
	}
	if p := rows["sandbox"]; p.InProfile || p.Traffic == nil {
		t.Errorf("sandbox is in no profile: %+v", p)
	}
}

func TestCauses(t *testing.T) {
	s := newSite(t)
	var page list[causeJSON]
	s.get(t, "/api/v1/causes", &page)
	if len(page.Data) != len(classify.Catalogue()) || len(page.Data) < 40 {
		t.Fatalf("%d causes", len(page.Data))
	}
	for _, row := range page.Data {
		var one causeJSON
		s.get(t, row.Links.Self, &one)
		if one.Code != row.Code || one.Title == "" || one.Happened == "" || one.ConfusedWith == nil || one.Fix == nil {
			t.Errorf("%s: %+v", row.Links.Self, one)
		}
	}
	problemIn(t, s.do(t, ask{path: "/api/v1/causes/invalid_grant", who: "read"}), http.StatusNotFound)
}

func TestProfiles(t *testing.T) {
	s := newSite(t)
	var page list[profileJSON]
	a := s.get(t, "/api/v1/profiles", &page)
	if len(page.Data) != 1 || page.Data[0].Provider != "exchange" || page.Data[0].Assertion.Audience != "token_endpoint" ||
		len(page.Data[0].Meanings) != 1 || page.Data[0].Meanings[0].Cause != classify.UnknownClient {
		t.Errorf("%s", a.body)
	}
	one := s.get(t, page.Data[0].Links.Self, &profileJSON{})
	for _, body := range []string{a.body, one.body} {
		if strings.Contains(body, "jwks") {
			t.Errorf("a path of this host is shown: %s", body)
		}
	}
	problemIn(t, s.do(t, ask{path: "/api/v1/profiles/none", who: "read"}), http.StatusNotFound)
}
