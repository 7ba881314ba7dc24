package api

import (
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

func kid(owner, host, value string, outcome classify.Outcome) classify.Sight {
	return classify.Sight{Kind: classify.SightTokenKID, Owner: owner, Host: host, Value: value, Outcome: outcome}
}

// findings are the codes that the API has for each key.
func (s *site) findings(t *testing.T) map[string][]string {
	t.Helper()
	var list struct{ Data []signingKeyJSON }
	s.get(t, "/api/v1/signing-keys", &list)
	out := map[string][]string{}
	for _, k := range list.Data {
		for _, f := range k.Findings {
			name := k.Environment + " " + k.KID
			out[name] = append(out[name], f.Code)
		}
	}
	return out
}

// A new key of the issuer is accepted by one API and refused by another, which still takes the old one: the second has a stale
// key set. A client that signs with a key that nobody knows is another matter, and so is a key that was accepted until a moment.
func TestSigningKeys(t *testing.T) {
	s := newSite(t)
	const iss = "https://auth.exchange.example"
	ago := func(hours int) time.Time { return s.now.Add(-time.Duration(hours) * time.Hour) }
	s.see(t, "a", ago(30), kid(iss, "api-1", "issuer-key-1", classify.Accepted), kid(iss, "api-2", "issuer-key-1", classify.Accepted))
	s.see(t, "a", ago(10), kid(iss, "api-1", "issuer-key-1", classify.Accepted))
	s.see(t, "a", ago(9), kid(iss, "api-1", "issuer-key-2", classify.Accepted))
	s.see(t, "b", ago(8), kid(iss, "api-2", "issuer-key-2", classify.Failed))
	s.see(t, "b", ago(1), kid(iss, "api-1", "issuer-key-2", classify.Accepted), kid(iss, "api-2", "issuer-key-2", classify.Failed))
	assertion := func(value string, outcome classify.Outcome) classify.Sight {
		return classify.Sight{Kind: classify.SightAssertionKID, Owner: "a", Host: "auth", Value: value, Outcome: outcome}
	}
	s.see(t, "a", ago(20), assertion("swapped-key", classify.Accepted))
	s.see(t, "a", ago(6), assertion("swapped-key", classify.Failed))
	s.see(t, "a", ago(5), assertion("unknown-key", classify.Failed))
	s.see(t, "a", ago(4), assertion("expired-only", classify.Other))
	s.seeAt(t, "preprod", "a", ago(3), assertion("swapped-key", classify.Accepted))
	want := map[string][]string{
		"prod issuer-key-2": {"stale_verifier", "rotated"}, "prod swapped-key": {"key_swapped", "shared_across_environments"},
		"prod unknown-key": {"key_not_known"}, "preprod swapped-key": {"shared_across_environments"},
	}
	got := s.findings(t)
	for name, codes := range want {
		if !slices.Equal(got[name], codes) {
			t.Errorf("%s: %q, want %q", name, got[name], codes)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("also: %v", got)
	}
	body := s.page(t, "/keys", "session viewer")
	for _, words := range []string{"Key issuer-key-2 is accepted by api-1 and refused by api-2 since 04:00:00: the key set (JWKS) that api-2 keeps is stale", "Assertions of a",
		"Access tokens of https://auth.exchange.example", "The same as a table", `class="lane-bad"`, "2 clients"} {
		if !strings.Contains(body, words) {
			t.Errorf("the page lacks %q", words)
		}
	}
	if own := s.page(t, "/keys?environment=preprod", "session viewer"); strings.Contains(own, "issuer-key") || !strings.Contains(own, "swapped-key") {
		t.Error("the page does not filter by environment")
	}
	var list struct{ Data []signingKeyJSON }
	s.get(t, "/api/v1/signing-keys?issuer=https%3A%2F%2Fauth.exchange.example&client=b", &list)
	if len(list.Data) != 1 || list.Data[0].KID != "issuer-key-2" || !slices.Equal(list.Data[0].Clients, []string{"b"}) || len(list.Data[0].Verifiers) != 2 || !list.Data[0].Verifiers[1].Refuses {
		t.Errorf("of one issuer and client: %+v", list.Data)
	}
}
