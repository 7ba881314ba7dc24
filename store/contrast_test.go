package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

func contrastContract() []contractTest {
	list := []contractTest{
		{"contrasts: what came after the first failure is no habit", testContrastsAfter},
		{"contrasts: a sample of many failures, counts of all", testContrastsSample},
		{"contrasts: a record that cannot be read, and one that is gone", testContrastsUnreadable},
	}
	for _, c := range contrastCases() {
		list = append(list, contractTest{"contrasts: " + c.name, func(t *testing.T, w *world) { c.run(t, w) }})
	}
	return list
}

// A contrastCase stores traffic, in which the client client-a at exchange / production fails, and says what its incident has of its own.
type contrastCase struct {
	name  string
	store func(t *testing.T, w *world)
	want  []string // contrasts as contrastText writes them, the first ones
	not   []classify.Dimension
}

func (c contrastCase) run(t *testing.T, w *world) {
	c.store(t, w)
	got := w.contrasts(t, IncidentFilter{Clients: []string{"client-a"}, Environments: []string{"production"}})
	var texts []string
	for _, one := range got.List {
		texts = append(texts, contrastText(one))
		for _, d := range c.not {
			if one.Dimension == d {
				t.Errorf("%s says nothing: %s", d, contrastText(one))
			}
		}
	}
	if len(texts) < len(c.want) || strings.Join(texts[:len(c.want)], "\n") != strings.Join(c.want, "\n") || c.not == nil && len(texts) > len(c.want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(texts, "\n"), strings.Join(c.want, "\n"))
	}
}

func contrastText(c classify.Contrast) string {
	return fmt.Sprintf("%s %s: %d of %d, %s %d of %d", c.Dimension, c.Value, c.Here.Count, c.Here.Of, c.Baseline, c.There.Count, c.There.Of)
}

// contrasts of the incident with the most failures that the filter selects.
func (w *world) contrasts(t *testing.T, f IncidentFilter) Contrasts {
	t.Helper()
	w.flush(t)
	f.Sort = "count"
	list := w.incidents(t, f)
	got, err := w.Contrasts(t.Context(), w.incident(t, list[0].ID), classify.New(nil, classify.NewKnowledge(nil)))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// many repeats a failure every second from one on.
func many(n, from int, change ...func(*Failure)) (list []Failure) {
	for i := range n {
		list = append(list, fail(from+i, change...))
	}
	return list
}

// asking makes it a failed request for a token with that kid, audience and answer, from that address.
func asking(kid, aud, said, address string) func(*Failure) {
	return func(f *Failure) {
		f.Endpoint, f.URL, f.Verdict.Phase = "POST auth.test/oauth/token", "https://auth.test/oauth/token", classify.TokenRequest
		iat := f.Verdict.Time.Unix()
		record := map[string]any{
			"time": f.Verdict.Time.Format(time.RFC3339), "client_ip": address, "service": f.Service, "user_agent": "orders/2",
			"request": map[string]any{"method": "POST", "url": f.URL, "body": "grant_type=client_credentials&client_assertion=%5Bjwt%5D"},
			"response": map[string]any{"status": f.Status, "headers": map[string]string{"server": "nginx"},
				"body": map[string]string{"error": "invalid_client", "error_description": said}},
			"client_assertion": map[string]any{"header": map[string]string{"alg": "RS256", "kid": kid, "typ": "JWT"},
				"claims": map[string]any{"iss": f.Verdict.ClientID, "sub": f.Verdict.ClientID, "aud": aud, "iat": iat, "exp": iat + 300, "jti": fmt.Sprintf("%032x", iat)}},
		}
		f.Record, _ = json.Marshal(record)
	}
}

// accept notes accepted requests for a token, with what they showed, every ten seconds before from.
func (w *world) acceptTokens(t *testing.T, n, from int, client, kid, aud string) {
	t.Helper()
	look := lookOf(client, accepted(classify.SightAssertionKID, kid), accepted(classify.SightAssertionAudience, aud), accepted(classify.SightAssertionAlg, "RS256"),
		accepted(classify.SightAssertionType, "JWT"), accepted(classify.SightAssertionIssuer, client), accepted(classify.SightAssertionLifetime, "300s"),
		accepted(classify.SightAssertionClaims, "aud exp iat iss jti sub"), accepted(classify.SightAssertionID, "hex 32"),
		accepted(classify.SightTokenEndpoint, "auth.test/oauth/token"), accepted(classify.SightUserAgent, "orders/2"))
	look.Provider, look.Environment = "exchange", "production"
	var traffic []Traffic
	for i := range n {
		seconds := from - 10*(n-i)
		w.Sight([]Seen{{Look: look, At: at(seconds).UnixMilli()}})
		one := accept(seconds)
		one.ClientID = client
		traffic = append(traffic, one)
	}
	w.traffic(t, traffic...)
}

const (
	rightAudience = "https://auth.test/oauth/token"
	wrongAudience = "https://api.test"
)

func contrastCases() []contrastCase {
	return []contrastCase{
		{
			name: "a new key, beside accepted requests of the same client",
			store: func(t *testing.T, w *world) {
				w.acceptTokens(t, 90, 0, "client-a", "2026-05", rightAudience)
				w.add(t, many(30, 0, asking("2026-11", rightAudience, "unknown key", "192.0.2.1"), cause(classify.UnknownKey))...)
			},
			want: []string{"client_assertion.kid 2026-11: 30 of 30, accepted 0 of 90"},
		},
		{
			name: "a key that half of the accepted requests have too says nothing",
			store: func(t *testing.T, w *world) {
				w.acceptTokens(t, 40, 0, "client-a", "2026-05", rightAudience)
				w.acceptTokens(t, 40, 0, "client-a", "2026-11", rightAudience)
				w.add(t, many(40, 0, asking("2026-11", rightAudience, "assertion has expired", "192.0.2.1"), cause(classify.AssertionExpired))...)
			},
		},
		{
			name: "a client that was never accepted, beside other clients",
			store: func(t *testing.T, w *world) {
				w.acceptTokens(t, 60, 0, "client-b", "b-1", rightAudience)
				w.acceptTokens(t, 60, 0, "client-c", "c-1", rightAudience)
				w.add(t, many(5, 0, asking("a-1", wrongAudience, "aud is wrong", "192.0.2.1"))...)
			},
			want: []string{"client client-a: 5 of 5, traffic 0 of 120", "client_assertion.aud https://api.test: 5 of 5, others_accepted 0 of 120"},
			not:  []classify.Dimension{classify.Dimension(classify.SightAssertionKID), classify.Dimension(classify.SightAssertionIssuer)},
		},
		{
			name: "one client of many, one environment of two",
			store: func(t *testing.T, w *world) {
				w.add(t, many(30, 0)...)
				for n := range 40 {
					other, elsewhere := accept(n), accept(n)
					other.ClientID, elsewhere.Environment = fmt.Sprint("client-", n), "staging"
					w.traffic(t, other, elsewhere, accept(n))
				}
			},
			// The client's own accepted requests are half of those there, and half of its own are there.
			want: []string{},
			not:  []classify.Dimension{classify.DimensionEndpoint, classify.DimensionMethod},
		},
		{
			name: "an environment in which the client fails, beside another in which it is accepted",
			store: func(t *testing.T, w *world) {
				w.add(t, many(30, 0)...)
				for n := range 40 {
					elsewhere := accept(n)
					elsewhere.Environment = "staging"
					w.traffic(t, elsewhere)
				}
			},
			want: []string{"environment production: 30 of 30, traffic 0 of 40"},
		},
		{
			name: "an endpoint, a service and an address, beside other failures",
			store: func(t *testing.T, w *world) {
				w.add(t, many(20, 0, asking("a-1", wrongAudience, "aud is wrong", "192.0.2.1"))...)
				w.add(t, many(5, 0, asking("a-1", rightAudience, "expired", "192.0.2.7"), cause(classify.AssertionExpired))...)
				w.add(t, many(25, 0, client("client-b"), cause(classify.ScopeGap))...)
			},
			// Beside the client's five other failures its address is told; that of client-b is no matter.
			want: []string{"client_assertion.aud https://api.test: 20 of 20, failures 0 of 5", "client_ip 192.0.2.1: 20 of 20, failures_of_client 0 of 5",
				"endpoint POST auth.test/oauth/token: 20 of 20, failures 5 of 30"},
		},
		{
			name: "other words for the same cause",
			store: func(t *testing.T, w *world) {
				w.add(t, many(20, 0, asking("a-1", wrongAudience, "audience mismatch at the new gateway", "192.0.2.1"))...)
				w.add(t, many(20, 0, asking("b-1", wrongAudience, "aud is wrong", "192.0.2.2"), client("client-b"))...)
				w.add(t, many(10, 0, asking("b-1", rightAudience, "expired", "192.0.2.2"), client("client-b"), cause(classify.AssertionExpired))...)
			},
			want: []string{"wording audience mismatch at the new gateway: 20 of 20, failures_of_cause 0 of 20"},
			not:  []classify.Dimension{classify.DimensionClientIP, classify.DimensionStatus, classify.DimensionEndpoint},
		},
		{name: "nothing to compare with", store: func(t *testing.T, w *world) { w.add(t, many(3, 0)...) }},
	}
}

// A value that was first accepted after the last failure came with the end; one that was accepted while others failed does not set them apart.
func testContrastsAfter(t *testing.T, w *world) {
	w.acceptTokens(t, 50, 0, "client-a", "2026-05", rightAudience)
	w.add(t, many(10, 0, asking("2026-11", rightAudience, "unknown key", "192.0.2.1"), cause(classify.UnknownKey))...)
	equal(t, "all accepted requests are earlier", w.contrasts(t, IncidentFilter{}).Earlier(w.incidents(t, IncidentFilter{})[0]), true)
	w.acceptTokens(t, 50, 3600, "client-a", "2026-11", rightAudience)
	got := w.contrasts(t, IncidentFilter{})
	if len(got.List) == 0 || contrastText(got.List[0]) != "client_assertion.kid 2026-11: 10 of 10, accepted 0 of 50" {
		t.Errorf("%+v", got.List)
	}
	wantTime(t, "accepted until", got.AcceptedUntil, at(3590)) // with what it had before
	w.add(t, many(10, 4000, asking("2026-11", rightAudience, "unknown key", "192.0.2.1"), cause(classify.UnknownKey))...)
	if got = w.contrasts(t, IncidentFilter{}); len(got.List) != 0 {
		t.Errorf("accepted between failures: %+v", got.List)
	}
}

func testContrastsSample(t *testing.T, w *world) {
	w.acceptTokens(t, 90, 0, "client-a", "2026-05", rightAudience)
	w.add(t, many(500, 0, asking("2026-11", rightAudience, "unknown key", "192.0.2.1"), cause(classify.UnknownKey))...)
	w.add(t, many(500, 0, client("client-b"))...)
	got := w.contrasts(t, IncidentFilter{Clients: []string{"client-a"}})
	equal(t, "failures looked at", got.Looked, contrastSample)
	equal(t, "others looked at", got.Others, contrastSample)
	wantTime(t, "from", got.From, at(0).Add((499*time.Second-time.Hour)/2))
	var texts []string
	for _, c := range got.List {
		texts = append(texts, contrastText(c))
	}
	for _, want := range []string{fmt.Sprintf("client_assertion.kid 2026-11: %d of %[1]d, accepted 0 of 90", contrastSample),
		fmt.Sprintf("endpoint POST auth.test/oauth/token: 500 of 500, failures 0 of %d", contrastSample)} {
		if !strings.Contains(strings.Join(texts, "\n"), want) {
			t.Errorf("no %q in\n%s", want, strings.Join(texts, "\n"))
		}
	}
}

func testContrastsUnreadable(t *testing.T, w *world) {
	w.add(t, many(5, 0, func(f *Failure) { f.Record, f.Status = []byte(`"no record"`), 503 })...)
	w.add(t, many(5, 0, client("client-b"))...)
	got := w.contrasts(t, IncidentFilter{Clients: []string{"client-a"}})
	if len(got.List) != 1 || contrastText(got.List[0]) != "status 503: 5 of 5, failures_of_cause 0 of 5" {
		t.Errorf("%+v", got.List)
	}
	gone := w.incidents(t, IncidentFilter{Clients: []string{"client-a"}})[0]
	gone.ID = "inc_0000000000000"
	none, err := w.Contrasts(t.Context(), gone, classify.New(nil, nil))
	if err != nil || none.Looked != 0 {
		t.Errorf("%+v %v", none, err)
	}
}
