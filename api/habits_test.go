package api

import (
	"context"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// client stores that a client was accepted, so that it is known.
func (s *site) client(t *testing.T, environment, id string) {
	t.Helper()
	err := s.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.AddTraffic(ctx, []store.Traffic{{Provider: "exchange", Environment: environment, ClientID: id, Count: 1, First: s.now.Add(-time.Hour), Last: s.now.Add(-time.Hour)}})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// drift notes a clock that falls behind by ten seconds an hour, with eight assertions in each.
func (s *site) drift(t *testing.T, client string, hours int) {
	t.Helper()
	var facts []classify.Fact
	for n := range hours {
		start := s.now.Add(-time.Duration(hours-n) * time.Hour)
		facts = append(facts, classify.Fact{Key: classify.ClockKey("exchange", "prod", client, start), FirstSeen: start, LastSeen: start, Count: 8,
			MaxOffset: -time.Duration(60+10*n) * time.Second, Expires: start.Add(classify.ClockKept)})
	}
	err := s.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error { return tx.Observe(ctx, facts) })
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) habitual(t *testing.T) {
	t.Helper()
	s.client(t, "prod", "client-a")
	s.client(t, "preprod", "client-a")
	old := s.now.Add(-30 * time.Hour)
	s.see(t, "client-a", old, sight(classify.SightAssertionAudience, "https://auth.exchange.example/oauth/token", classify.Accepted), sight(classify.SightAssertionAlg, "RS256", classify.Accepted),
		sight(classify.SightAssertionLifetime, "60s", classify.Accepted), sight(classify.SightAssertionClaims, "aud exp iss jti", classify.Accepted), sight(classify.SightScopeGranted, "orders", classify.Accepted),
		sight(classify.SightScopeUsed, "orders", classify.Accepted), sight(classify.SightScopeRefused, "admin", classify.Failed), sight(classify.SightUserAgent, "orders/1", classify.Accepted),
		classify.Sight{Kind: classify.SightAssertionKID, Owner: "client-a", Host: "auth", Value: "client-a-key-1", Outcome: classify.Accepted})
	s.see(t, "client-a", s.now.Add(-2*time.Hour), sight(classify.SightUserAgent, "orders/2", classify.Accepted), sight(classify.SightTokenIssuer, "https://auth.preprod.exchange.example", classify.Failed),
		sight(classify.SightAPI, "api.preprod.exchange.example", classify.Failed), sight(classify.SightTokenEndpoint, "auth.exchange.example/v2/token", classify.Accepted))
	s.seeAt(t, "preprod", "client-a", old, sight(classify.SightAPI, "api.preprod.exchange.example", classify.Accepted), sight(classify.SightAssertionAudience, "https://auth.preprod.exchange.example/oauth/token", classify.Accepted), sight(classify.SightAssertionAlg, "PS256", classify.Accepted),
		sight(classify.SightAssertionLifetime, "60s", classify.Accepted), classify.Sight{Kind: classify.SightAssertionKID, Owner: "client-a", Host: "auth", Value: "client-a-key-1", Outcome: classify.Accepted})
	token := &store.Look{Provider: "exchange", Environment: "prod", ClientID: "client-a", Sights: []classify.Sight{sight(classify.SightTokenAlg, "RS256", classify.Accepted)}}
	for _, left := range []int64{3, 200, 200, 200} {
		s.store.Sight([]store.Seen{{Look: token, At: s.now.UnixMilli(), Expires: s.now.Unix() + left}})
	}
	if err := s.store.WriteSightings(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	s.drift(t, "client-a", 6)
}

func TestClientPage_WhatWasSeen(t *testing.T) {
	s := newSite(t)
	s.habitual(t)
	body := s.page(t, "/clients/client-a", "session viewer")
	for _, want := range []string{"Its clock, measured", "its clock was 1 min 41 s to 1 min 51 s slow", "it is wrong since 06:00:00, drifting -10.0 s an hour", `class="band"`,
		"client-a-key-1", `class="lane-good"`, "Not ready for RFC 10070: aud is the token endpoint", "25 % of 4 uses of an access token came in the last 15 s of its life, 0 % after its end",
		"User agent is now orders/2, was orders/1", "Lifetime of the assertion", "1 min", "<code>admin</code>", "/environments/diff?a=prod"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestClientClockAndHabits(t *testing.T) {
	s := newSite(t)
	s.habitual(t)
	var clock struct{ Data []clockJSON }
	s.get(t, "/api/v1/clients/client-a/clock", &clock)
	if len(clock.Data) != 6 || clock.Data[0].Environment != "prod" || clock.Data[0].Low != -61 || clock.Data[0].High > -50 || clock.Data[5].Assertions != 8 {
		t.Errorf("clock %+v", clock.Data)
	}
	var habits struct{ Data []habitJSON }
	s.get(t, "/api/v1/clients/client-a/habits?kind=user_agent&environment=prod", &habits)
	if len(habits.Data) != 2 || habits.Data[0].Value != "orders/2" || habits.Data[0].Accepted != 1 {
		t.Errorf("habits %+v", habits.Data)
	}
	for _, path := range []string{"/api/v1/clients/nobody/clock", "/api/v1/clients/nobody/habits"} {
		if got := s.do(t, ask{path: path, who: "read"}); got.status != 404 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

// Only what differs and matters: that each environment has its own audience is as it should be.
func TestEnvironmentsDiff(t *testing.T) {
	s := newSite(t)
	s.habitual(t)
	var d diffJSON
	s.get(t, "/api/v1/environments/diff?client=client-a&a=prod&b=preprod", &d)
	fields := map[classify.SightKind]string{}
	for _, f := range d.Differences {
		fields[f.Field] = f.Detail
	}
	if len(fields) != 4 || !strings.Contains(fields[classify.SightAPI], "in prod it has the value of preprod") || fields[classify.SightAssertionAlg] == "" || !strings.Contains(fields[classify.SightAssertionKID], "one key in both") || fields[classify.SightScopeGranted] == "" || d.Same != 1 || d.AsExpected < 1 {
		t.Errorf("%+v", d)
	}
	body := s.page(t, "/environments/diff?client=client-a&a=prod&b=preprod", "session viewer")
	for _, want := range []string{"4 fields differ and matter", "<code>PS256</code>", `<option value="preprod" selected>`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if got := s.do(t, ask{path: "/api/v1/environments/diff?client=client-a&a=prod&b=moon", who: "read"}); got.status != 404 {
		t.Errorf("an environment that was not seen: %d", got.status)
	}
	if got := s.do(t, ask{path: "/api/v1/environments/diff?client=client-a", who: "read"}); got.status != 400 {
		t.Errorf("without environments: %d", got.status)
	}
	s.page(t, "/environments/diff?client=client-a&a=prod&b=moon", "session viewer")
}

func TestEnvironments_FromTraffic(t *testing.T) {
	s := newSite(t)
	s.habitual(t)
	var list struct{ Data []environmentJSON }
	s.get(t, "/api/v1/environments", &list)
	for _, e := range list.Data {
		if e.Environment != "prod" {
			continue
		}
		details := map[classify.SightKind]string{}
		for _, m := range e.Mismatches {
			if strings.Contains(m.Detail, "Key api") {
				t.Errorf("a host is no key: %+v", m)
			}
			details[m.Field] = m.Detail
		}
		if !strings.Contains(details[classify.SightAPI], "of client-a is that of preprod; refused 1 time") || !strings.Contains(details[classify.SightTokenEndpoint], "accepted and not in the profile") ||
			!strings.Contains(details[classify.SightAssertionKID], "in prod and in preprod") || len(e.Seen) == 0 {
			t.Errorf("%+v, seen %+v", e.Mismatches, e.Seen)
		}
	}
	body := s.page(t, "/environments", "session viewer")
	for _, want := range []string{"does not fit", "auth.exchange.example/v2/token", "is that of preprod"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
