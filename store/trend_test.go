package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"authwatch/classify"
)

func clientContract() []contractTest {
	return []contractTest{
		{"figures of clients and environments", testClients},
		{"pages of clients are whole and stable", testClientPages},
		{"nothing yet", testNothingYet},
	}
}

func testClients(t *testing.T, w *world) {
	w.add(t, fail(0), fail(100), fail(100, cause(classify.TokenExpired)), fail(50, client("client-b"), environment("staging")), fail(60, client("")))
	w.traffic(t, accept(-30), accept(200), of(accept(10), ""))
	list, next, err := w.ListClients(t.Context(), ClientFilter{})
	if err != nil || next != "" {
		t.Fatal(next, err)
	}
	want := []ClientSummary{
		{Provider: "exchange", Environment: "production", ClientID: "client-a", Failures: 3, Successes: 2, FirstSeenAt: at(-30),
			LastSuccessAt: at(200), LastFailureAt: at(100), OpenIncidents: 2},
		{Provider: "exchange", Environment: "staging", ClientID: "client-b", Failures: 1, FirstSeenAt: at(50), LastFailureAt: at(50), OpenIncidents: 1},
	}
	equal(t, "clients", fmt.Sprint(list), fmt.Sprint(want))
	for name, f := range map[string]ClientFilter{
		"by environment": {Environments: []string{"staging"}}, "by name": {ClientID: "client-b"},
	} {
		list, _, err := w.ListClients(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name, fmt.Sprint(list), fmt.Sprint(want[1:]))
	}
	environments, err := w.ListEnvironments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "environments", fmt.Sprint(environments), fmt.Sprint([]EnvironmentSummary{
		{Provider: "exchange", Environment: "production", Failures: 4, Successes: 3, Clients: 1, OpenIncidents: 3, LastSeenAt: at(200)},
		{Provider: "exchange", Environment: "staging", Failures: 1, Clients: 1, OpenIncidents: 1, LastSeenAt: at(50)},
	}))
}

func testClientPages(t *testing.T, w *world) {
	for i := range 11 {
		w.traffic(t, of(accept(i/4), fmt.Sprint("client-", i)))
	}
	seen := map[string]bool{}
	f := ClientFilter{Page: Page{Limit: 2}}
	for {
		page, next, err := w.ListClients(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page {
			if seen[c.ClientID] {
				t.Errorf("%s is repeated", c.ClientID)
			}
			seen[c.ClientID] = true
		}
		if next == "" {
			break
		}
		f.Cursor = next
	}
	equal(t, "clients", len(seen), 11)
	if _, _, err := w.ListClients(t.Context(), ClientFilter{Page: Page{Cursor: "x"}}); !errors.Is(err, ErrInvalidCursor) {
		t.Errorf("got %v, want ErrInvalidCursor", err)
	}
}

func testNothingYet(t *testing.T, w *world) {
	environments, err := w.ListEnvironments(t.Context())
	if err != nil || len(environments) != 0 {
		t.Errorf("environments: %v, %v", environments, err)
	}
	totals, err := w.Totals(t.Context(), at(0), at(60), nil, nil)
	if err != nil || totals != (Totals{}) {
		t.Errorf("totals: %v, %v", totals, err)
	}
	trend, err := w.Trend(t.Context(), TrendQuery{From: at(0), To: at(60), Step: time.Minute, GroupBy: ByCause})
	if err != nil || len(trend.Starts) != 1 || len(trend.Series) != 0 || trend.Failures[0] != 0 {
		t.Errorf("trend: %+v, %v", trend, err)
	}
}

func trendContract() []contractTest {
	return []contractTest{
		{"a trend counts every failure once, whatever the window and step", testTrendExact},
		{"a trend by every dimension, with its filters", testTrendDimensions},
		{"a trend of nonsense is refused", testTrendInvalid},
		{"a trend has at most 200 series but counts all", testTrendBounded},
		{"totals count what happened in the window", testTotals},
	}
}

// testTrendExact compares trends with counts made by hand over three days of failures.
func testTrendExact(t *testing.T, w *world) {
	random := rand.New(rand.NewPCG(3, 4))
	var list []Failure
	var accepted []Traffic
	for range 300 {
		list = append(list, fail(random.IntN(3*86400)))
		accepted = append(accepted, accept(random.IntN(3*86400)))
	}
	// Half of it is in the rollups, half in tallies.
	w.add(t, list[:150]...)
	w.traffic(t, accepted[:150]...)
	w.fold(t)
	w.add(t, list[150:]...)
	w.traffic(t, accepted[150:]...)
	for _, step := range []time.Duration{time.Minute, 7 * time.Minute, time.Hour, 90 * time.Minute, 24 * time.Hour, 48 * time.Hour} {
		for _, from := range []int{0, 43200, -86400 * 2, 1800, 61, 43260, 59} {
			for _, to := range []int{86400, 86401, 100000, 3 * 86400, 43200 + 86400*2 - 60} {
				q := TrendQuery{From: at(from), To: at(to), Step: step, GroupBy: ByCause}
				trend, err := w.Trend(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				begin, end := at(from).Truncate(time.Minute), at(to+59).Truncate(time.Minute)
				want := make([]int64, len(trend.Starts))
				wantAccepted := make([]int64, len(trend.Starts))
				for i := range list {
					count(want, begin, end, step, list[i].Verdict.Time)
					count(wantAccepted, begin, end, step, accepted[i].First)
				}
				what := fmt.Sprintf("step %s from %d to %d", step, from, to)
				wantTime(t, what, trend.Starts[0], begin)
				equal(t, what, fmt.Sprint(trend.Failures), fmt.Sprint(want))
				equal(t, what, fmt.Sprint(trend.Series[0].Counts), fmt.Sprint(want))
				equal(t, what, fmt.Sprint(trend.Successes), fmt.Sprint(wantAccepted))
				if last := trend.Starts[len(trend.Starts)-1]; !last.Before(end) || last.Add(step).Before(end) {
					t.Errorf("%s: the last step begins at %v", what, last)
				}
			}
		}
	}
}

func count(slots []int64, begin, end time.Time, step time.Duration, at time.Time) {
	if !at.Before(begin) && at.Before(end) {
		slots[at.Sub(begin)/step]++
	}
}

func testTrendDimensions(t *testing.T, w *world) {
	w.add(t, fail(0), fail(1), fail(61, cause(classify.TokenExpired), endpoint("GET /")), fail(62, client("client-b"), environment("staging")))
	w.traffic(t, accept(0), of(accept(61), "client-b"))
	for name, tt := range map[string]struct {
		change            func(*TrendQuery)
		series, successes string
	}{
		"cause":             {func(q *TrendQuery) {}, "[{wrong_audience 3 [2 1]} {token_expired 1 [0 1]}]", "[1 1]"},
		"client":            {func(q *TrendQuery) { q.GroupBy = ByClient }, "[{client-a 3 [2 1]} {client-b 1 [0 1]}]", "[1 1]"},
		"environment":       {func(q *TrendQuery) { q.GroupBy = ByEnvironment }, "[{production 3 [2 1]} {staging 1 [0 1]}]", "[1 1]"},
		"endpoint":          {func(q *TrendQuery) { q.GroupBy = ByEndpoint }, "[{POST api.test/orders 3 [2 1]} {GET / 1 [0 1]}]", "[1 1]"},
		"of a cause":        {func(q *TrendQuery) { q.Causes = []classify.Code{classify.TokenExpired} }, "[{token_expired 1 [0 1]}]", "[1 1]"},
		"of a client":       {func(q *TrendQuery) { q.Clients = []string{"client-b"} }, "[{wrong_audience 1 [0 1]}]", "[0 1]"},
		"of an environment": {func(q *TrendQuery) { q.Environments = []string{"staging"} }, "[{wrong_audience 1 [0 1]}]", "[0 0]"},
		"of a provider":     {func(q *TrendQuery) { q.Providers = []string{"clinic"} }, "[]", "[0 0]"},
	} {
		q := TrendQuery{From: at(0), To: at(120), Step: time.Minute, GroupBy: ByCause}
		tt.change(&q)
		trend, err := w.Trend(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name, fmt.Sprint(trend.Series), tt.series)
		equal(t, "successes of "+name, fmt.Sprint(trend.Successes), tt.successes)
		var sum int64
		for _, s := range trend.Series {
			sum += s.Total
		}
		equal(t, "failures of "+name, trend.Failures[0]+trend.Failures[1], sum)
	}
}

func testTrendInvalid(t *testing.T, w *world) {
	for name, q := range map[string]TrendQuery{
		"90 seconds":     {From: at(0), To: at(600), Step: 90 * time.Second, GroupBy: ByCause},
		"no step":        {From: at(0), To: at(600), GroupBy: ByCause},
		"negative step":  {From: at(0), To: at(600), Step: -time.Minute, GroupBy: ByCause},
		"no window":      {Step: time.Minute, GroupBy: ByCause},
		"backwards":      {From: at(600), To: at(0), Step: time.Minute, GroupBy: ByCause},
		"too many steps": {From: at(0), To: at(86400 * 30), Step: time.Minute, GroupBy: ByCause},
		"no dimension":   {From: at(0), To: at(600), Step: time.Minute},
		"SQL":            {From: at(0), To: at(600), Step: time.Minute, GroupBy: "cause; drop table series"},
	} {
		if _, err := w.Trend(t.Context(), q); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
}

func testTrendBounded(t *testing.T, w *world) {
	var list []Failure
	for i := range 205 {
		list = append(list, fail(0, client(fmt.Sprint("client-", i))))
	}
	list = append(list, fail(0, client("client-204")))
	w.add(t, list...)
	trend, err := w.Trend(t.Context(), TrendQuery{From: at(0), To: at(60), Step: time.Minute, GroupBy: ByClient})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "series", len(trend.Series), 200)
	equal(t, "largest", trend.Series[0].Name, "client-204")
	equal(t, "failures", trend.Failures[0], 206)
}

func testTotals(t *testing.T, w *world) {
	// The first incident's failures surround the window without being in it.
	w.add(t, fail(-3600), fail(7200), fail(60, client("client-b")), fail(3599, client("client-b")), fail(3600, client("client-c")),
		fail(100, client(""), environment("staging")))
	w.traffic(t, accept(0), accept(3599), accept(3600), accept(-1))
	totals, err := w.Totals(t.Context(), at(0), at(3600), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "totals", totals, Totals{Failures: 3, Successes: 2, Clients: 1, Incidents: 2})
	totals, err = w.Totals(t.Context(), at(0), at(3600), []string{"exchange"}, []string{"staging"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "totals of staging", totals, Totals{Failures: 1, Incidents: 1})
	totals, err = w.Totals(t.Context(), at(-86400*40), at(86400*40), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "totals of all", totals, Totals{Failures: 6, Successes: 4, Clients: 3, Incidents: 4})
}
