package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"authwatch/classify"
)

func searchContract() []contractTest {
	return []contractTest{
		{"a search finds what matches, each once and newest first, whatever a page may cost", testSearch},
	}
}

// testSearch compares searches with what a look at every failure finds.
func testSearch(t *testing.T, w *world) {
	random := rand.New(rand.NewPCG(8, 9))
	var list []Failure
	for i := range 150 {
		list = append(list, fail(random.IntN(400), client(fmt.Sprint("client-", random.IntN(20))), summary(fmt.Sprint("failure ", i)),
			cause([]classify.Code{classify.WrongAudience, classify.TokenExpired}[random.IntN(2)]),
			environment([]string{"production", "staging"}[random.IntN(2)]), endpoint(fmt.Sprint([]string{"GET /", "POST /"}[random.IntN(2)], random.IntN(3))),
			func(f *Failure) { f.Status = []int{401, 403, 500}[random.IntN(3)] }))
	}
	for chunk := range slices.Chunk(list, 50) {
		w.add(t, chunk...)
	}
	slices.SortFunc(list, func(a, b Failure) int { return strings.Compare(b.ID, a.ID) })
	term := func(f Field, not bool, values ...string) Term { return Term{Field: f, Values: values, Not: not} }
	for name, tt := range map[string]struct {
		filter  FailureFilter
		matches func(f Failure) bool
	}{
		"all":          {FailureFilter{}, func(f Failure) bool { return true }},
		"cause":        {FailureFilter{Causes: []classify.Code{classify.TokenExpired}}, func(f Failure) bool { return f.Verdict.Cause == classify.TokenExpired }},
		"client":       {FailureFilter{Clients: []string{"client-3"}}, func(f Failure) bool { return f.Verdict.ClientID == "client-3" }},
		"nobody":       {FailureFilter{Clients: []string{"x"}}, func(f Failure) bool { return false }},
		"status":       {FailureFilter{Statuses: []int{500}}, func(f Failure) bool { return f.Status == 500 }},
		"no status":    {FailureFilter{Statuses: []int{418}}, func(f Failure) bool { return false }},
		"window":       {FailureFilter{From: at(100), To: at(200)}, func(f Failure) bool { return !f.Verdict.Time.Before(at(100)) && f.Verdict.Time.Before(at(200)) }},
		"endpoint":     {FailureFilter{Endpoints: []string{"GET /1"}}, func(f Failure) bool { return f.Endpoint == "GET /1" }},
		"one incident": {FailureFilter{IncidentID: list[0].IncidentID, Statuses: []int{401}}, func(f Failure) bool { return f.IncidentID == list[0].IncidentID && f.Status == 401 }},
		"cause, status and window": {FailureFilter{Causes: []classify.Code{classify.WrongAudience}, Statuses: []int{403}, From: at(50), To: at(350)},
			func(f Failure) bool {
				return f.Verdict.Cause == classify.WrongAudience && f.Status == 403 && !f.Verdict.Time.Before(at(50)) && f.Verdict.Time.Before(at(350))
			}},
		"terms": {FailureFilter{Terms: []Term{term(FieldClient, false, "client-1*"), term(FieldStatus, true, "401"), term(FieldEndpoint, false, "GET *")}},
			func(f Failure) bool {
				return strings.HasPrefix(f.Verdict.ClientID, "client-1") && f.Status != 401 && strings.HasPrefix(f.Endpoint, "GET ")
			}},
		"no such endpoint": {FailureFilter{Terms: []Term{term(FieldEndpoint, true, "GET *", "POST /2")}},
			func(f Failure) bool { return !strings.HasPrefix(f.Endpoint, "GET ") && f.Endpoint != "POST /2" }},
	} {
		var want []string
		for _, f := range list {
			if tt.matches(f) {
				want = append(want, f.ID)
			}
		}
		for _, e := range []effort{usualEffort(), {incidents: 200, rows: 40, leastRows: 3}, {incidents: 2, rows: 7, leastRows: 1}, {incidents: 0, rows: 1, leastRows: 1}} {
			for _, limit := range []int{4, 200} {
				if got := w.searched(t, tt.filter, e, limit); !slices.Equal(got, want) {
					t.Errorf("%s by %d with %+v: %d found, want %d:\n%v\n%v", name, limit, e, len(got), len(want), got, want)
				}
			}
		}
	}
}

// searched reads all pages.
func (w *world) searched(t *testing.T, f FailureFilter, e effort, limit int) (found []string) {
	t.Helper()
	f.Limit = limit
	for pages := 0; ; pages++ {
		list, next, err := w.search(t.Context(), f, e)
		if err != nil || len(list) > limit || pages > 1000 {
			t.Fatal(len(list), pages, err)
		}
		found = append(found, failureIDs(list)...)
		if f.Cursor = next; next == "" {
			return found
		}
	}
}
