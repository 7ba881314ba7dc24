package api

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// addTokenFailures stores refused requests for a token, one a minute up to the present, with that kid and user agent.
func (s *site) addTokenFailures(t *testing.T, n int, client, kid, agent string) {
	t.Helper()
	list := make([]store.Failure, n)
	for i := range list {
		at := s.now.Add(-time.Duration(n-i) * time.Minute)
		record, err := json.Marshal(map[string]any{"time": at.Format(time.RFC3339), "user_agent": agent,
			"request":          map[string]any{"method": "POST", "url": "https://auth.exchange.example/oauth/token"},
			"response":         map[string]any{"status": 401, "body": map[string]string{"error": "invalid_client"}},
			"client_assertion": map[string]any{"header": map[string]string{"alg": "RS256", "kid": kid}, "claims": map[string]any{"iss": client, "aud": "https://auth.exchange.example/"}}})
		if err != nil {
			t.Fatal(err)
		}
		list[i] = store.Failure{Source: "test", RecordID: fmt.Sprintf("%s-%d", client, i), ReceivedAt: s.now, Endpoint: "POST auth.exchange.example/oauth/token",
			Method: "POST", URL: "https://auth.exchange.example/oauth/token", Status: 401, Record: record,
			Verdict: classify.Verdict{Time: at, Provider: "exchange", Environment: "prod", ClientID: client, Phase: classify.TokenRequest, Cause: classify.UnknownKey,
				Confidence: classify.Proven, Fault: classify.FaultClient, Summary: "the kid is not known", Evidence: []classify.Evidence{},
				Checks: []*classify.Check{}, Alternatives: []classify.Alternative{}, Fix: classify.Fix{Steps: []string{}}}}
	}
	if err := s.store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error { return tx.AddFailures(ctx, list) }); err != nil {
		t.Fatal(err)
	}
}

// addContrasts stores an incident of client-a whose kid and endpoint are its own, and returns the address of its page.
func (s *site) addContrasts(t *testing.T, kid, agent string) string {
	t.Helper()
	for n := range 20 {
		s.see(t, "client-a", s.now.Add(-10*time.Hour+time.Duration(n)*time.Minute), sight(classify.SightAssertionKID, "2026-05", classify.Accepted),
			sight(classify.SightUserAgent, "orders/1", classify.Accepted))
	}
	s.addFailures(t, 30, classify.ScopeGap, "prod", "client-b")
	s.addTokenFailures(t, 70, "client-a", kid, agent)
	return firstLink(t, s.page(t, "/incidents?client=client-a", "session viewer"), "/incidents/inc_")
}

func differentOn(t *testing.T, body string) string {
	t.Helper()
	start := strings.Index(body, `<section class="different"`)
	if start < 0 {
		t.Fatalf("nothing is said of what is different: %s", body)
	}
	return html.UnescapeString(body[start : start+strings.Index(body[start:], "</section>")])
}

func TestIncidentPage_WhatIsDifferent(t *testing.T) {
	s := newSite(t)
	whole := s.page(t, s.addContrasts(t, "rolled", "orders/1"), "session viewer")
	if want := `<a href="#different">Only POST auth.exchange.example/oauth/token</a>`; !strings.Contains(whole, want) {
		t.Errorf("the head lacks %s", want)
	}
	body := differentOn(t, whole)
	for _, want := range []string{
		"All 30 latest failures had kid rolled in the assertion; of 20 earlier accepted requests of this client none did.",
		"All 70 failures went to POST auth.exchange.example/oauth/token; of 30 other failures none did.",
		"Compared were the latest 30 of 70 failures with what is kept of accepted requests, and 30 other failures at exchange / prod of the same hours",
		"<code>2026-05</code>", "only here", "never here", ">70 failures</a> beside 30 <a", "Kid of the assertion: 30 of <a", `beside 20 <a href="/clients/client-a#habits">accepted requests of this client</a>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %q: %s", want, body)
		}
	}
	for _, not := range []string{"orders/1", "%!", "p-value"} {
		if strings.Contains(body, not) {
			t.Errorf("has %q: %s", not, body)
		}
	}
	// The numbers lead to lists that are not empty.
	links := regexp.MustCompile(`<a href="([^"]+)">([^<]+)</a>`).FindAllStringSubmatch(body, -1)
	if len(links) < 5 {
		t.Errorf("%d numbers are links: %s", len(links), body)
	}
	for _, link := range links {
		if list := s.page(t, link[1], "session viewer"); !strings.Contains(list, `href="/failures/rec_`) {
			t.Errorf("%s behind %s has no record", link[1], link[2])
		}
	}
}

// What the onset says as a change is not said a second time, only pointed at.
func TestIncidentPage_WhatIsDifferentDoesNotRepeatTheOnset(t *testing.T) {
	s := newSite(t)
	s.see(t, "client-a", s.now.Add(-70*time.Minute), sight(classify.SightAssertionKID, "rolled", classify.Failed))
	page := s.page(t, s.addContrasts(t, "rolled", "orders/1"), "session viewer")
	body := differentOn(t, page)
	if !strings.Contains(page, "Kid of the assertion is now rolled, was 2026-05") || strings.Contains(body, "rolled") || !strings.Contains(body, "What changed tells already of the kid of the assertion.") {
		t.Errorf("%s", body)
	}
}

func TestIncidentPage_NothingIsDifferent(t *testing.T) {
	s := newSite(t)
	s.addFailures(t, 3, classify.ScopeGap, "prod", "client-a")
	body := differentOn(t, s.page(t, firstLink(t, s.page(t, "/incidents", "session viewer"), "/incidents/inc_"), "session viewer"))
	if !strings.Contains(body, "Nothing that is known sets these failures apart") || strings.Contains(body, "<li>") {
		t.Errorf("%s", body)
	}
}

// Values come from logs, which strangers write.
func TestIncidentPage_WhatIsDifferentIsHostile(t *testing.T) {
	s := newSite(t)
	raw := s.page(t, s.addContrasts(t, `"><script>alert(1)</script>`, "orders/\u202e2"), "session viewer")
	if strings.Contains(raw, "<script>alert") || strings.Contains(raw, "\u202e") || !strings.Contains(differentOn(t, raw), `had kid "><script>alert(1)</script>`) {
		t.Errorf("%s", differentOn(t, raw))
	}
}

func TestGetIncident_Different(t *testing.T) {
	s := newSite(t)
	id := strings.TrimPrefix(s.addContrasts(t, "rolled", "orders/1"), "/incidents/")
	var got incidentDetailJSON
	s.get(t, "/api/v1/incidents/"+id, &got)
	if got.ID != id || got.Different == nil || got.Different.Looked != 30 || got.Different.Others != 30 || len(got.Different.Contrasts) != 2 {
		t.Fatalf("%+v", got.Different)
	}
	c := got.Different.Contrasts[0]
	if c.Dimension != "client_assertion.kid" || c.Value != "rolled" || c.Here != (partJSON{30, 30}) || c.Elsewhere != (partJSON{0, 20}) || c.Baseline != classify.BaselineAccepted || c.Lift != nil ||
		len(c.Values) != 2 || c.Values[1] != (contrastValueJSON{"2026-05", 0, 20}) || !strings.HasPrefix(c.Words, "All 30 latest failures had kid rolled") {
		t.Errorf("%+v", c)
	}
	var list struct{ Data []map[string]any }
	s.get(t, "/api/v1/incidents", &list)
	if _, there := list.Data[0]["different"]; there {
		t.Error("the list compares each incident")
	}
}

// Whom and what it names is not in the records of a bundle, so that pseudonyms could not cover it.
func TestBundle_Different(t *testing.T) {
	s := newSite(t)
	path := "/api/v1" + s.addContrasts(t, "rolled", "orders/1") + "/bundle"
	var b struct{ Different []string }
	s.get(t, path, &b)
	if len(b.Different) != 2 || !strings.HasPrefix(b.Different[0], "All 30 latest failures had kid rolled") {
		t.Errorf("%q", b.Different)
	}
	if text := s.do(t, ask{path: path, who: "read", header: accept("text/markdown")}).body; !strings.Contains(text, "## What is different\n\n- All 30 latest failures had kid rolled") {
		t.Errorf("%s", text)
	}
	if text := s.do(t, ask{path: path + "?pseudonyms=true", who: "read", header: accept("text/markdown")}).body; strings.Contains(text, "What is different") || !strings.Contains(text, "client-1") {
		t.Errorf("%s", text)
	}
}

func TestContrastWords(t *testing.T) {
	i := store.Incident{Provider: "exchange", Environment: "prod", ClientID: "client-a"}
	claims := string(classify.SightAssertionClaims)
	for _, tt := range []struct {
		c    classify.Contrast
		want string
	}{
		{classify.Contrast{Dimension: "status", Value: "0", Here: classify.Part{Count: 1, Of: 1}, There: classify.Part{Count: 2, Of: 40}, Baseline: classify.BaselineSameCause},
			"The one failure of which it is known got no response; of 40 other failures with this cause 2 did (5.0 %): 20× more often here."},
		{classify.Contrast{Dimension: "client", Value: "client-a", Here: classify.Part{Count: 404, Of: 412}, There: classify.Part{Count: 120, Of: 12000}, Baseline: classify.BaselineTraffic},
			"Mostly client-a: 404 of 412 failures with this cause at exchange / prod (98 %) are its own, against 120 of 12,000 accepted requests there in the same time (1.0 %): 98× more often here."},
		{classify.Contrast{Dimension: "environment", Value: "prod", Here: classify.Part{Count: 9, Of: 9}, There: classify.Part{Of: 30}, Baseline: classify.BaselineTraffic},
			"Only prod: all 9 failures of this client with this cause are there, against none of its 30 accepted requests in the same time."},
		{classify.Contrast{Dimension: classify.Dimension(claims), Value: "aud exp nbf", Here: classify.Part{Count: 9, Of: 9}, There: classify.Part{Of: 30}, Baseline: classify.BaselineOthersAccepted,
			Values: []classify.ContrastValue{{Value: "aud exp nbf", Here: 9}, {Value: "aud exp jti", There: 30}}},
			"All 9 failures had other claims in the assertion (jti gone, nbf new); of 30 accepted requests of other clients none did."},
		{classify.Contrast{Dimension: "access_token.kid", Value: "k", Here: classify.Part{Count: 5, Of: 5}, There: classify.Part{Of: 30}, Baseline: classify.BaselineOthersAccepted},
			"All 5 failures with an access token had kid k in the access token; of 30 accepted requests of other clients none did."},
		{classify.Contrast{Dimension: "access_token.typ", Value: "", Here: classify.Part{Count: 9, Of: 9}, There: classify.Part{Of: 30}, Baseline: classify.BaselineAccepted},
			"All 9 failures had no typ in the access token; of 30 accepted requests of this client none did before the last failure."},
	} {
		if got := contrastWords(tt.c, i, store.Contrasts{Looked: 9, AcceptedUntil: i.FirstSeenAt}); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	for _, d := range classify.Dimensions() {
		c := classify.Contrast{Dimension: d, Value: "v", Here: classify.Part{Count: 9, Of: 9}, There: classify.Part{Of: 30}, Baseline: classify.BaselineFailures}
		if words := contrastWords(c, i, store.Contrasts{}); !strings.Contains(words, "v") || dimensionWords(d) == "" {
			t.Errorf("%s: %s", d, words)
		}
	}
}
