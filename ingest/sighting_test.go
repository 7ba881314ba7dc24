package ingest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"authwatch/classify"
	"authwatch/store"
)

// sighted is what the store holds after everything that was seen is written.
func (s *service) sighted(kind classify.SightKind) []store.Sighting {
	s.t.Helper()
	if err := s.store.WriteSightings(s.t.Context(), true); err != nil {
		s.t.Fatal(err)
	}
	list, _, err := s.store.ListSightings(s.t.Context(), store.SightingFilter{Kinds: []classify.SightKind{kind}})
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// Calls and grants, quick or not, accepted or refused, leave what they show of their client, once however often they are delivered.
func TestSightings(t *testing.T) {
	s := newService(t, testProfile())
	s.start()
	key := s.newKey(store.ScopeIngest)
	records := []string{
		apiCall(0, "c1", 200, "j1", second(3)), apiCall(1, "c2", 200, "j1", second(3)), apiCall(20, "c3", 401, "j1", second(3)),
		tokenRequest(0, "g1", 200, `,"client_assertion":`+assertionAt(0, "a1", tokenEndpoint)),
		tokenRequest(9, "g2", 401, `,"client_assertion":`+assertionAt(9, "a2", "https://api.lab.test")),
	}
	body := strings.Join(records, "\n")
	for range 2 {
		s.post("/ingest/v1/responses", body, "Authorization", "Bearer "+key)
	}
	keys := s.sighted(classify.SightTokenKID)
	if len(keys) != 1 || keys[0].Value != "as-key-2026" || keys[0].Owner != "https://as.lab.test" || keys[0].Host != "api.lab.test" || keys[0].ClientID != "client-a" ||
		keys[0].Accepted != 2 || keys[0].Rejected != 0 || keys[0].Other != 1 || !keys[0].FirstSeen.Equal(second(0)) || !keys[0].LastSeen.Equal(second(20)) {
		t.Errorf("keys of tokens: %+v", keys)
	}
	audiences := s.sighted(classify.SightAssertionAudience)
	slices.SortFunc(audiences, func(a, b store.Sighting) int { return a.FirstSeen.Compare(b.FirstSeen) })
	if len(audiences) != 2 || audiences[0].Accepted != 1 || audiences[1].Rejected != 1 || audiences[1].Value != "https://api.lab.test" {
		t.Errorf("audiences: %+v", audiences)
	}
	margins := map[string]string{}
	for _, m := range s.sighted(classify.SightExpiryMargin) {
		margins[m.Value] = fmt.Sprint(m.Accepted, m.Rejected)
	}
	if len(margins) != 2 || margins["5s"] != "2 0" || margins["0s"] != "0 1" {
		t.Errorf("margins: %v", margins)
	}
}

// A token that comes after its response was judged adds what it shows, and counts nothing twice.
func TestSightings_LateToken(t *testing.T) {
	s := newService(t, testProfile())
	s.start()
	key := s.newKey(store.ScopeIngest)
	s.post("/ingest/v1/responses", tokenRequest(9, "g2", 401, ""), "Authorization", "Bearer "+key)
	s.post("/ingest/v1/tokens", strings.Replace(assertionAt(9, "a2", tokenEndpoint), `{"header"`, `{"time":"2026-11-22T03:00:09Z","kind":"client_assertion","request_id":"req-g2","header"`, 1), "Authorization", "Bearer "+key)
	if keys := s.sighted(classify.SightAssertionKID); len(keys) != 1 || keys[0].Value != "key-of-client-a" {
		t.Errorf("keys: %+v", keys)
	}
	if places := s.sighted(classify.SightTokenEndpoint); len(places) != 1 || places[0].Other+places[0].Rejected != 1 {
		t.Errorf("token endpoints: %+v", places)
	}
}

// The quick way reads an answer that was not redacted.
func TestSightings_NoSecrets(t *testing.T) {
	i := quickIngester(t)
	secret := "sk_" + "live_9aBcD3fGh1JkL0mNoPqRsTuV"
	e := classify.Exchange{Profile: &classify.Profile{}, Phase: classify.TokenRequest, Outcome: classify.Accepted, Endpoint: "POST as.lab.test/oauth/token",
		Record: &classify.Record{Response: &classify.Response{Body: classify.Body(`{"scope":"read ` + secret + `"}`)}}}
	for _, s := range i.look(&e, nil).look.Sights {
		if strings.Contains(s.Value, secret) {
			t.Errorf("%s shows a secret", s.Kind)
		}
	}
}
