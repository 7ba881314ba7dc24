package api

import (
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// see notes that a client of the exchange in prod was seen with a value, and writes it.
func (s *site) see(t *testing.T, client string, at time.Time, sights ...classify.Sight) {
	t.Helper()
	s.seeAt(t, "prod", client, at, sights...)
}

func (s *site) seeAt(t *testing.T, environment, client string, at time.Time, sights ...classify.Sight) {
	t.Helper()
	s.store.Sight([]store.Seen{{Look: &store.Look{Provider: "exchange", Environment: environment, ClientID: client, Sights: sights}, At: at.UnixMilli()}})
	if err := s.store.WriteSightings(t.Context(), true); err != nil {
		t.Fatal(err)
	}
}

func sight(kind classify.SightKind, value string, outcome classify.Outcome) classify.Sight {
	return classify.Sight{Kind: kind, Value: value, Outcome: outcome}
}

func TestChanges_SeenInTheTraffic(t *testing.T) {
	s := newSite(t)
	s.see(t, "client-a", s.now.Add(-6*time.Hour), sight(classify.SightAssertionClaims, "aud exp iss jti", classify.Accepted))
	s.see(t, "client-a", s.now.Add(-time.Hour), sight(classify.SightAssertionClaims, "aud exp iss nbf", classify.Failed))
	if got := s.tell(t, `{"title":"gateway 12","time":"2026-11-22T10:00:00Z"}`); got.status != 201 {
		t.Fatal(got.body)
	}
	var list struct{ Data []changeJSON }
	s.get(t, "/api/v1/changes", &list)
	if len(list.Data) != 2 || list.Data[0].Source != store.ChangeTraffic || list.Data[1].Source != store.ChangeTold {
		t.Fatalf("%+v", list.Data)
	}
	if c := list.Data[0]; c.Title != "Claims of the assertion: jti gone, nbf new" || c.Field != classify.SightAssertionClaims || c.Was != "aud exp iss jti" || c.Rejected != 1 || c.By != "authwatch" {
		t.Errorf("%+v", c)
	}
	s.get(t, "/api/v1/changes?source=told", &list)
	if len(list.Data) != 1 || list.Data[0].Title != "gateway 12" {
		t.Errorf("%+v", list.Data)
	}
	body := s.page(t, "/changes?source=traffic", "session viewer")
	for _, want := range []string{"jti gone, nbf new", "refused 1 time, never accepted", "client-a at exchange / prod", `aria-current="true">Seen in the traffic`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, "gateway 12") {
		t.Error("the page does not filter by source")
	}
}

// Of an incident about the audience, the client's own new audience comes before its new user agent and before a deploy.
func TestIncidentPage_OnsetByTraffic(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 30, classify.WrongAudience, "prod", "client-a") // from 11:30 on
	first := s.now.Add(-30 * time.Minute)
	old := s.now.Add(-5 * time.Hour)
	s.see(t, "client-a", old, sight(classify.SightAssertionAudience, "https://auth.exchange.example/oauth/token", classify.Accepted), sight(classify.SightUserAgent, "orders/1", classify.Accepted))
	s.see(t, "client-a", first, sight(classify.SightAssertionAudience, "https://api.exchange.example", classify.Failed), sight(classify.SightUserAgent, "orders/2", classify.Other))
	s.see(t, "client-b", old, sight(classify.SightUserAgent, "b/1", classify.Accepted))
	s.see(t, "client-b", first, sight(classify.SightUserAgent, "b/2", classify.Accepted))
	if got := s.tell(t, `{"title":"gateway 7","time":"2026-11-22T11:29:00Z","environment":"prod"}`); got.status != 201 {
		t.Fatal(got.body)
	}
	body := s.page(t, firstLink(t, s.page(t, "/incidents", "session viewer"), "/incidents/inc_"), "session viewer")
	onset := body[strings.Index(body, "What changed"):strings.Index(body, "What happened")]
	aud, agent, deploy := strings.Index(onset, "Aud of the assertion is now https://api.exchange.example, was https://auth"), strings.Index(onset, "User agent is now orders/2"), strings.Index(onset, "gateway 7")
	if aud < 0 || agent < aud || deploy < agent || strings.Contains(onset, "b/2") {
		t.Errorf("onset: %s", onset)
	}
	for _, want := range []string{"with the first failure; the cause is about aud of the assertion; refused 1 time, never accepted", "1 change was told of and 2 seen in the traffic"} {
		if !strings.Contains(onset, want) {
			t.Errorf("onset lacks %q: %s", want, onset)
		}
	}
}
