package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// testProfile is a provider with one token endpoint, one API and every rule that the tests need.
func testProfile() classify.Profiles {
	skew, age := classify.Duration(10*time.Second), classify.Duration(5*time.Minute)
	return classify.Profiles{{
		ID: "lab",
		Environments: []classify.Environment{{
			Name: "prod", Hosts: []string{"api.lab.test"}, TokenEndpoints: []string{"https://as.lab.test/oauth/token"},
			Issuers: []string{"https://as.lab.test"}, APIAudiences: []string{"https://api.lab.test"},
		}},
		Assertion: &classify.AssertionRules{
			Algorithms: []string{"RS256"}, RequiredClaims: []string{"iss", "sub", "aud", "iat", "exp", "jti"},
			Audience: classify.Audience{Keyword: "token_endpoint"}, MaxAge: &age, ClockSkew: &skew, SingleUseJTI: true,
		},
		AccessToken: &classify.AccessTokenRules{Algorithms: []string{"RS256"}, ClockSkew: &skew},
	}}
}

// second is the time of an event, so many seconds after three o'clock.
func second(n int) time.Time { return time.Date(2026, 11, 22, 3, 0, n, 0, time.UTC) }

func assertionAt(n int, jti, aud string) string {
	return fmt.Sprintf(`{"header":{"alg":"RS256","kid":"key-of-client-a","typ":"JWT"},"claims":{"iss":"client-a","sub":"client-a","aud":%q,"iat":%d,"exp":%d,"jti":%q}}`,
		aud, second(n).Unix(), second(n).Unix()+60, jti)
}

const tokenEndpoint = "https://as.lab.test/oauth/token"

// tokenRequest is a record of a token request; a status of 200 is a success, any other an invalid_client without a word more.
func tokenRequest(n int, id string, status int, extra string) string {
	body := `{"error":"invalid_client","error_description":""}`
	if status == 200 {
		body = `{"token_type":"Bearer","expires_in":180}`
	}
	return fmt.Sprintf(`{"time":%q,"id":%q,"request_id":"req-%s","client_id":"client-a","request":{"method":"POST","url":%q,
		"headers":{"content-type":"application/x-www-form-urlencoded"},"body":{"grant_type":"client_credentials","client_assertion_type":"urn:ietf:params:oauth:client-assertion-type:jwt-bearer","client_assertion":"[redacted]"}},
		"response":{"status":%d,"headers":{"content-type":"application/json"},"body":%s}%s}`, second(n).Format(time.RFC3339), id, id, tokenEndpoint, status, body, extra)
}

// apiCall is a record of an API call with a decoded token of one hour.
func apiCall(n int, id string, status int, jti string, expires time.Time) string {
	body, challenge := `{"items":[]}`, ""
	if status == 401 {
		body, challenge = `{"error":"invalid_token"}`, `"www-authenticate":"Bearer error=\"invalid_token\""`
	}
	return fmt.Sprintf(`{"time":%q,"id":%q,"request":{"method":"GET","url":"https://api.lab.test/v1/orders","headers":{"authorization":"Bearer [jwt]"}},
		"response":{"status":%d,"headers":{%s},"body":%s},
		"access_token":{"header":{"alg":"RS256","kid":"as-key-2026"},"claims":{"iss":"https://as.lab.test","sub":"client-a","client_id":"client-a","aud":"https://api.lab.test","iat":%d,"exp":%d,"jti":%q}}}`,
		second(n).Format(time.RFC3339), id, status, challenge, body, expires.Add(-time.Hour).Unix(), expires.Unix(), jti)
}

// A snapshot is what the database holds, without the ids and versions that it makes up itself.
type snapshot struct {
	Totals    store.Totals
	Incidents []store.Incident
	Verdicts  map[string]string // cause and confidence by record id
	Clients   []store.ClientSummary
}

func (s *service) snapshot() snapshot {
	s.t.Helper()
	ctx := context.Background()
	from, to := testNow().Add(-24*time.Hour), testNow().Add(24*time.Hour)
	out := snapshot{Verdicts: map[string]string{}}
	var err error
	if out.Totals, err = s.store.Totals(ctx, from, to, nil, nil); err != nil {
		s.t.Fatal(err)
	}
	incidents, _, err := s.store.ListIncidents(ctx, store.IncidentFilter{Page: store.Page{Limit: 200}})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, in := range incidents {
		in, err := s.store.GetIncident(ctx, in.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		in.ID, in.UpdatedAt, in.Version = "", time.Time{}, 0
		out.Incidents = append(out.Incidents, in)
	}
	slices.SortFunc(out.Incidents, func(a, b store.Incident) int {
		return strings.Compare(string(a.Cause)+a.ClientID, string(b.Cause)+b.ClientID)
	})
	for _, f := range s.failures() {
		out.Verdicts[f.RecordID] = string(f.Verdict.Cause) + " " + string(f.Verdict.Confidence) + " " + f.Verdict.ClientID
	}
	if out.Clients, _, err = s.store.ListClients(ctx, store.ClientFilter{}); err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *service) failures() []store.Failure {
	s.t.Helper()
	var out []store.Failure
	page := store.Page{Limit: 200}
	for {
		list, next, err := s.store.ListFailures(context.Background(), store.FailureFilter{Page: page})
		if err != nil {
			s.t.Fatal(err)
		}
		out = append(out, list...)
		if page.Cursor = next; next == "" {
			return out
		}
	}
}

func (s *service) assertSame(what string, want snapshot) {
	s.t.Helper()
	got := s.snapshot()
	a, _ := json.MarshalIndent(got, "", " ")
	b, _ := json.MarshalIndent(want, "", " ")
	if !bytes.Equal(a, b) {
		s.t.Errorf("%s:\ngot  %s\nwant %s", what, a, b)
	}
}

// mixedBatch is a believable minute: successes, wrong audiences, a token that expires, a jti that is used twice, a page that is not there.
func mixedBatch() []string {
	var batch []string
	for i := range 12 {
		jti := fmt.Sprintf("jti-%d", i)
		batch = append(batch, tokenRequest(i*20, fmt.Sprintf("ok-%d", i), 200, `,"client_assertion":`+assertionAt(i*20, jti, tokenEndpoint)))
		batch = append(batch, apiCall(i*20+1, fmt.Sprintf("call-%d", i), 200, "at-1", second(130)))
	}
	batch = append(batch,
		tokenRequest(50, "aud-1", 401, `,"client_assertion":`+assertionAt(50, "x1", "https://api.lab.test")),
		tokenRequest(51, "aud-2", 401, `,"client_assertion":`+assertionAt(51, "x2", "https://api.lab.test")),
		tokenRequest(70, "reuse", 401, `,"client_assertion":`+assertionAt(20, "jti-1", tokenEndpoint)),
		apiCall(200, "late", 401, "at-1", second(130)),
		`{"time":"2026-11-22T03:03:00Z","response":{"status":404},"request":{"method":"GET","url":"https://api.lab.test/nowhere"}}`,
		`{"time":"2026-11-22T03:03:05Z","client_id":"client-b","request":{"method":"GET","url":"https://api.lab.test/v1/orders","headers":{"accept":"*/*"}},"response":{"status":401,"headers":{"www-authenticate":"Bearer"}}}`,
	)
	return batch
}

func TestPipeline_Judges(t *testing.T) {
	s := newService(t, testProfile())
	batch := mixedBatch()
	slices.Reverse(batch) // judged in the order of events all the same
	if a := s.post(responses, strings.Join(batch, "\n")); a.Accepted != len(batch) || a.Rejected != 0 {
		t.Fatalf("%+v", a)
	}
	got := s.snapshot()
	for id, want := range map[string]string{
		"aud-1": "wrong_audience", "aud-2": "wrong_audience", "reuse": "jti_reuse", "late": "expired_mid_session", "": "missing_token",
	} {
		if !strings.HasPrefix(got.Verdicts[id], want+" ") {
			t.Errorf("%q: %s, want %s", id, got.Verdicts[id], want)
		}
	}
	if len(got.Verdicts) != 5 || got.Totals.Failures != 5 || got.Totals.Successes != 24 {
		t.Errorf("totals %+v, verdicts %v", got.Totals, got.Verdicts)
	}
}

// Every way of sending the same records again changes nothing: not a count, not a time, and no jti becomes reused.
func TestPipeline_RedeliveryChangesNothing(t *testing.T) {
	s := newService(t, testProfile())
	batch := mixedBatch()
	all := strings.Join(batch, "\n")
	s.post(responses, all)
	want := s.snapshot()

	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	io.WriteString(w, "["+strings.Join(batch, ",")+"]")
	w.Close()
	shuffled := slices.Clone(batch)
	rand.New(rand.NewSource(1)).Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
	redeliveries := map[string]func() answer{
		"the same":        func() answer { return s.post(responses, all) },
		"a third time":    func() answer { return s.post(responses, all) },
		"gzip, an array":  func() answer { return s.post(responses, zipped.String(), "Content-Encoding", "gzip") },
		"shuffled":        func() answer { return s.post(responses, strings.Join(shuffled, "\n")) },
		"twice in a body": func() answer { return s.post(responses, all+"\n"+all) },
		"one by one": func() (sum answer) {
			for _, record := range shuffled {
				a := s.post(responses, record)
				sum.Accepted, sum.Duplicates, sum.Received = sum.Accepted+a.Accepted, sum.Duplicates+a.Duplicates, sum.Received+a.Received
			}
			return sum
		},
	}
	for name, deliver := range redeliveries {
		if a := deliver(); a.Accepted != 0 || a.Duplicates != a.Received {
			t.Errorf("%s: %+v", name, a)
		}
		s.assertSame(name, want)
	}
}

// The same batch in one body, split, grown or with each record sent again in one body gives the same.
func TestPipeline_SplitAndMerged(t *testing.T) {
	batch := mixedBatch()
	slices.SortStableFunc(batch, func(a, b string) int { return strings.Compare(a[:30], b[:30]) })
	one := newService(t, testProfile())
	one.post(responses, strings.Join(batch, "\n"))
	want := one.snapshot()

	split := newService(t, testProfile())
	for chunk := range slices.Chunk(batch, 4) {
		split.post(responses, strings.Join(chunk, "\n"))
	}
	split.assertSame("split in order", want)

	doubled := newService(t, testProfile())
	doubled.post(responses, strings.Join(batch[:len(batch)/2], "\n"))
	doubled.post(responses, strings.Join(batch, "\n"))
	doubled.post(responses, strings.Join(append(slices.Clone(batch), batch...), "\n"))
	doubled.assertSame("each record twice", want)
}

// Ids live per source: another key's record of the same id is another record.
func TestPipeline_IDsPerSource(t *testing.T) {
	s := newService(t, testProfile())
	record := tokenRequest(50, "r1", 401, "")
	s.post(responses, record)
	s.key = s.newKey(store.ScopeIngest)
	if a := s.post(responses, record); a.Accepted != 1 {
		t.Errorf("%+v", a)
	}
}

// An id that comes again with other content counts as repeated, and as altered; how it was packed, and in which order, makes no difference.
func TestPipeline_IDWithOtherContent(t *testing.T) {
	s := newService(t, testProfile())
	record := tokenRequest(50, "r1", 401, "")
	s.post(responses, record)
	var members map[string]any
	if err := json.Unmarshal([]byte(record), &members); err != nil {
		t.Fatal(err)
	}
	sorted := string(encode(members))
	for n, again := range []struct {
		body    string
		altered float64
	}{
		{"[" + record + "," + sorted + "]", 0},
		{strings.Replace(record, "401", "403", 1), 1},
		{strings.Replace(record, "401", "200", 1), 2},
	} {
		if a := s.post(responses, again.body); a.Accepted != 0 {
			t.Errorf("%d: %+v", n, a)
		}
		if got := s.counter("authwatch_altered_records_total"); got != again.altered {
			t.Errorf("%d: %v altered, want %v", n, got, again.altered)
		}
	}
	if m := s.source().Minutes[0]; m.Altered != 2 || m.Duplicates != 4 {
		t.Errorf("%+v", m)
	}
}

// A defect of the classifier costs one record, and what it panicked with is not logged.
func TestPipeline_GuardsTheClassifier(t *testing.T) {
	s := newService(t, nil)
	in, err := New(Options{Store: s.store, Profiles: classify.Profiles{}, Redactor: testRedactor(t), Registerer: newRegistry(), Logger: jsonLog(s.log)})
	if err != nil {
		t.Fatal(err)
	}
	w := work{ingester: in, accepted: 2}
	if w.guarded(7, func() { panic("secret-text") }) || !w.guarded(8, func() {}) {
		t.Error("guarded mistakes a panic")
	}
	if w.accepted != 1 || len(w.bad) != 1 || w.bad[0].Index != 7 || w.bad[0].Code != "not_classifiable" {
		t.Errorf("accepted %d, %v", w.accepted, w.bad)
	}
	if log := s.log.String(); !strings.Contains(log, "classifier panicked") || strings.Contains(log, "secret-text") {
		t.Errorf("log %s", log)
	}
}

func TestNew_NamesWhatIsMissing(t *testing.T) {
	s := newService(t, nil)
	full := Options{Store: s.store, Profiles: classify.Profiles{}, Redactor: testRedactor(t), Registerer: newRegistry(), Logger: jsonLog(s.log)}
	for name, without := range map[string]func(*Options){
		"Store": func(o *Options) { o.Store = nil }, "Profiles": func(o *Options) { o.Profiles = nil }, "Redactor": func(o *Options) { o.Redactor = nil },
		"Logger": func(o *Options) { o.Logger = nil }, "Registerer": func(o *Options) { o.Registerer = nil },
		"jwks_file": func(o *Options) { o.Profiles = classify.Profiles{{ID: "p", JWKSFile: "testdata/absent.json"}} },
	} {
		o := full
		without(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
