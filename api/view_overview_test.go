package api

import (
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

func incidentAt(client string, cause classify.Code, first time.Time) store.Incident {
	return store.Incident{ID: "inc_" + client, Provider: "exchange", Environment: "prod", Cause: cause, ClientID: client, State: store.StateOpen, FirstSeenAt: first, LastSeenAt: first.Add(time.Minute)}
}

func TestUrgency(t *testing.T) {
	w, _ := chartWindow(4)
	for _, tt := range []struct {
		name   string
		first  time.Time
		before string
		counts []int64
		want   string
	}{
		{"first seen in the window", w.From.Add(time.Minute), "", []int64{0, 0, 1, 0}, "new"},
		{"an earlier episode", w.From.Add(time.Minute), "inc_1", []int64{0, 0, 1, 0}, "regressed"},
		{"doubles", w.From.Add(-day), "", []int64{2, 3, 5, 5}, "growing"},
		{"one after none is no growth", w.From.Add(-day), "", []int64{0, 0, 1, 0}, "known"},
		{"steady", w.From.Add(-day), "", []int64{9, 9, 9, 9}, "known"},
	} {
		i := incidentAt("a", classify.ClockSkew, tt.first)
		i.RegressionOf = tt.before
		if _, got := urgencyOf(i, tt.counts, w); got.Text != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got.Text, tt.want)
		}
	}
}

func TestWorst_RanksAndGathers(t *testing.T) {
	w, _ := chartWindow(4)
	f := overviewFacts{window: w, groups: outbreaks([]store.Incident{
		incidentAt("known", classify.ClockSkew, w.From.Add(-day)),
		incidentAt("new", classify.WrongAudience, w.From.Add(time.Hour)),
		incidentAt("out1", classify.ProviderUnavailable, w.From.Add(2*time.Hour)),
		incidentAt("out2", classify.ProviderUnavailable, w.From.Add(2*time.Hour+3*time.Minute)),
		incidentAt("out3", classify.ProviderUnavailable, w.From.Add(2*time.Hour+9*time.Minute)),
		incidentAt("later", classify.ProviderUnavailable, w.From.Add(3*time.Hour)),
	})}
	presort(f.groups, w)
	for _, group := range f.groups {
		n := int64(len(group))
		if got := group.trend(w); len(got.Clients) != len(group) {
			t.Errorf("the trend of %d incidents asks for %v", n, got.Clients)
		}
		f.counts = append(f.counts, []int64{n, n, n, n})
	}
	rows := f.worstRows()
	if len(rows) != 4 {
		t.Fatalf("%d rows: %+v", len(rows), rows)
	}
	first := rows[0]
	if first.Urgency.Text != "outbreak" || len(first.Clients) != 3 || first.Count.Text != "12" || first.URL != "/incidents?cause=provider_unavailable&environment=prod&from=2026-11-22T00%3A00%3A00Z&provider=exchange&state=all&to=2026-11-22T04%3A00%3A00Z" {
		t.Errorf("outbreak: %+v", first)
	}
	if rows[3].Urgency.Text != "known" || rows[3].Client.Name != "known" {
		t.Errorf("last: %+v", rows[3])
	}
}

func TestOutbreaks_OtherPlacesStayApart(t *testing.T) {
	first := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	list := []store.Incident{incidentAt("a", classify.RateLimited, first), incidentAt("b", classify.RateLimited, first), incidentAt("c", classify.RateLimited, first)}
	list[1].Environment = "preprod"
	if got := outbreaks(list); len(got) != 3 {
		t.Errorf("%v", got)
	}
	if got := outbreaks(nil); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestLede(t *testing.T) {
	w, _ := chartWindow(4)
	for _, tt := range []struct {
		facts overviewFacts
		want  string
	}{
		{overviewFacts{window: w, now: store.Totals{Successes: 18202}}, "18,202 successes seen."},
		{overviewFacts{window: w}, "No authenticated request was received either: are the log shippers running?"},
		{overviewFacts{window: w, now: store.Totals{Failures: 412, Successes: 12608, Clients: 1}, before: store.Totals{Failures: 11}}, "3.2 % of 13,020 authenticated requests; 37× last week (11)."},
	} {
		if got := tt.facts.lede(tt.facts.now.Failures + tt.facts.now.Successes)[0]; got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	f := overviewFacts{now: store.Totals{Clients: 1}, environments: []store.EnvironmentSummary{{Clients: 30}, {Clients: 10}}}
	if got := f.whose(); got != "1 of 40 clients is affected." {
		t.Errorf("whose: %q", got)
	}
}

func TestBracketAndOver(t *testing.T) {
	now := eventTime()
	i := incidentAt("a", classify.ClockSkew, now.Add(-time.Hour))
	i.Count, i.LastSeenAt = 7, now.Add(-10*time.Minute)
	steps := bracketOf(i, now)
	if len(steps) != 4 || steps[0].When.Text != "none known" || steps[2].Note != "7 failures in 50 min" || steps[3].Class != "none" {
		t.Errorf("%+v", steps)
	}
	if got := overWords(i, now); got != "Last failure 10 min ago, and no success of this client there since: it is not known to be over." {
		t.Errorf("silence is taken for success: %q", got)
	}
	i.LastSuccess, i.FirstSuccess = i.FirstSeenAt.Add(-29*time.Second), now.Add(-time.Minute)
	steps = bracketOf(i, now)
	if steps[1].Note != "29 s later" || steps[3].Note != "9 min later" || steps[3].Class != "good" {
		t.Errorf("%+v", steps)
	}
}

func TestActions(t *testing.T) {
	for state, want := range map[store.State]string{
		store.StateOpen: "Acknowledge,Resolve,Silence 1 h,Silence 8 h,Silence 24 h,", store.StateResolved: "Reopen,",
		store.StateAcknowledged: "Resolve,Silence 1 h,Silence 8 h,Silence 24 h,Reopen,", store.StateSilenced: "Acknowledge,Resolve,Reopen,",
	} {
		got := ""
		for _, a := range actionsOf(state) {
			got += a.Label + ","
		}
		if got != want {
			t.Errorf("%s: %s, want %s", state, got, want)
		}
	}
}

func TestStateChange(t *testing.T) {
	now := eventTime()
	if c, err := stateChange("silenced", "8", "3", now); err != nil || !c.SilencedUntil.Equal(now.Add(8*time.Hour)) || c.IfVersion != 3 {
		t.Errorf("%+v %v", c, err)
	}
	for _, bad := range [][3]string{{"closed", "", ""}, {"", "", ""}, {"silenced", "", ""}, {"silenced", "0", ""}, {"silenced", "169", ""}, {"silenced", "1e9", ""}, {"open", "", "x"}, {"open", "", "-1"}} {
		if c, err := stateChange(bad[0], bad[1], bad[2], now); err == nil {
			t.Errorf("%v: %+v", bad, c)
		}
	}
}
