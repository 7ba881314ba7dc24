package api

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// A figure is one of the four numbers of the overview.
type figure struct {
	Label  string
	Value  string
	Change change
	URL    string
}

// A worstRow is an incident of the list "new or worse".
type worstRow struct {
	Urgency     badge
	Cause       causeRef
	URL         string // of the incident
	Summary     string
	Client      clientRef
	Clients     []clientRef // of an outbreak; empty for one incident
	MoreClients string      // how many of an outbreak are not named
	Place       string
	Count       tally // in the window
	Spark       sparkView
	First       moment
	Last        moment
	Fault       badge
	rank        int
	total       int64
	recent      time.Time
}

// A causeCount is a row of the table of causes.
type causeCount struct {
	Class  string
	Cause  causeRef
	Count  tally
	Share  string
	Change change
	URL    string // incidents of this cause
}

// An environmentCard is one place of the strip of environments.
type environmentCard struct {
	Place     string
	URL       string
	Failures  tally // ever
	Share     string
	Clients   string
	Incidents string
	Failing   bool
	Last      moment
}

// A startView tells how to send the first record.
type startView struct {
	KeyCommand string
	Curl       string
}

func startOf(baseURL string, now time.Time) *startView {
	return &startView{
		KeyCommand: "authwatch key create --scope ingest my-shipper",
		Curl: "curl -sS " + strings.TrimSuffix(baseURL, "/") + "/ingest/v1/responses \\\n" +
			"  -H \"Authorization: Bearer $AUTHWATCH_KEY\" -H 'Content-Type: application/json' \\\n" +
			`  -d '{"time":"` + now.UTC().Format(time.RFC3339) + `","client_id":"my-client",` + "\n" +
			`       "request":{"method":"GET","url":"https://api.example.com/v1/orders"},` + "\n" +
			`       "response":{"status":401,"headers":{"www-authenticate":"Bearer error=\"invalid_token\""}}}'`,
	}
}

func (f overviewFacts) fill(p *overviewPage) {
	w, then := f.window, f.window.then()
	requests, requestsThen := f.now.Failures+f.now.Successes, f.before.Failures+f.before.Successes
	p.Lead, p.Rest = counted(f.now.Failures, "failure", "failures"), w.words()
	p.Lede = f.lede(requests)
	open := f.states[store.StateOpen] + f.states[store.StateAcknowledged]
	records := "/failures?" + w.query()
	p.Figures = []figure{
		{Label: "Failures", Value: count(f.now.Failures), Change: compare(f.now.Failures, f.before.Failures, then), URL: records},
		{Label: "Share of authenticated requests", Value: percent(f.now.Failures, requests), Change: compareShare(f.now.Failures, requests, f.before.Failures, requestsThen, then), URL: records},
		{Label: "Clients affected", Value: count(f.now.Clients), Change: compare(f.now.Clients, f.before.Clients, then), URL: "/clients"},
		{Label: "Open incidents", Value: count(open), Change: incidentChange(f.now.Incidents, f.before.Incidents, then), URL: "/incidents?range=30d&state=open"},
	}
	earlier := f.earlier.Failures
	if w.Alone {
		earlier = nil
	}
	p.Chart = chartOf(chartInput{Title: "Failures by cause", Window: w, Marks: f.marks, Starts: f.trend.Starts, Series: causeSeries(f.trend),
		Failures: f.trend.Failures, Successes: f.trend.Successes, Earlier: earlier, Behind: w.values()})
	rows := f.worstRows()
	over := rows[slices.IndexFunc(append(rows, worstRow{rank: rankOver}), func(r worstRow) bool { return r.rank == rankOver }):]
	p.Over = over[:min(len(over), overShown)]
	rows = rows[:len(rows)-len(over)]
	p.Worst = rows[:min(len(rows), worstShown)]
	if f.more || len(rows) > len(p.Worst) || len(over) > len(p.Over) {
		p.MoreWorst, p.MoreURL = "All incidents "+w.words(), "/incidents?"+w.query("state", "all")
	}
	causes := causeCounts(f.trend, f.earlier, w)
	p.Causes = causes[:min(len(causes), causesShown)]
	p.MoreCauses = causes[len(p.Causes):]
	p.Environments = environmentCards(f.environments, w.Now)
	if w.Alone {
		p.leaveOutEarlier()
	}
}

// leaveOutEarlier is for who asked for this time alone.
func (p *overviewPage) leaveOutEarlier() {
	none := change{Words: "not compared", Trend: "same"}
	for i := range p.Figures {
		p.Figures[i].Change = none
	}
	for _, list := range [][]causeCount{p.Causes, p.MoreCauses} {
		for i := range list {
			list[i].Change = none
		}
	}
}

// incidentChange is about activity: how many incidents were open last week is not kept.
func incidentChange(now, before int64, then string) change {
	c := compare(now, before, then)
	c.Words = count(now) + " active in this time; " + c.Words
	return c
}

// lede says in words what the figures say.
func (f overviewFacts) lede(requests int64) []string {
	if f.now.Failures == 0 {
		if f.now.Successes == 0 {
			return []string{"No authenticated request was received either: are the log shippers running?"}
		}
		return []string{counted(f.now.Successes, "success", "successes") + " seen."}
	}
	first := percent(f.now.Failures, requests) + " of " + counted(requests, "authenticated request", "authenticated requests")
	if !f.window.Alone {
		first += "; " + compare(f.now.Failures, f.before.Failures, f.window.then()).Words
	}
	return []string{first + ".", f.whose()}
}

// whose says who is affected and, where one cause stands out, by what.
func (f overviewFacts) whose() string {
	text := counted(f.now.Clients, "client is", "clients are") + " affected"
	if known := f.clients(); known > f.now.Clients {
		text = count(f.now.Clients) + " of " + counted(known, "client", "clients") + verb(int(f.now.Clients), " is", " are") + " affected"
	}
	if len(f.trend.Series) > 0 {
		top := f.trend.Series[0]
		text += "; the most frequent cause is " + inSentence(causeOf(classify.Code(top.Name)).Title) + " (" + percent(top.Total, sum(f.trend.Failures)) + ")"
	}
	return text + "."
}

// clients is how many clients are known, where an environment tells its own apart.
func (f overviewFacts) clients() (total int64) {
	for _, e := range f.environments {
		total += e.Clients
	}
	return total
}

const (
	worstShown  = 12
	overShown   = 4
	causesShown = 12
)

// worstRows ranks outbreaks and new incidents before regressed before growing before known, and within a rank the larger count first.
func (f overviewFacts) worstRows() []worstRow {
	w := sparkWindow(f.window)
	rows := make([]worstRow, 0, len(f.groups))
	for n, group := range f.groups {
		row := worstRowOf(group[0], f.counts[n], w)
		if len(group) > 1 {
			row.gather(group, w)
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b worstRow) int {
		return cmp.Or(a.rank-b.rank, cmp.Compare(b.total, a.total), b.recent.Compare(a.recent))
	})
	return rows
}

func worstRowOf(i store.Incident, counts []int64, w window) worstRow {
	row := worstRow{
		Cause: causeOf(i.Cause), URL: incidentURL(i.ID), Summary: shown(i.Summary, valueLength),
		Client: clientOf(i.ClientID), Place: placeOf(i.Provider, i.Environment), Count: tallyOf(sum(counts), "/failures?"+w.query("incident", i.ID)),
		Spark: sparkOf(counts, w), First: ago(i.FirstSeenAt, w.Now, ""), Last: ago(i.LastSeenAt, w.Now, ""),
		Fault: faultBadge(i.Fault), total: sum(counts), recent: i.LastSeenAt,
	}
	row.rank, row.Urgency = urgencyOf(i, counts, w)
	return row
}

// rankOver is behind everything that is not over.
const rankOver = 4

// urgencyOf ranks an incident: new ones are what nobody knows yet, regressed ones are what somebody thought was over.
func urgencyOf(i store.Incident, counts []int64, w window) (rank int, b badge) {
	fresh := !i.FirstSeenAt.Before(w.From)
	switch {
	case i.State == store.StateResolved:
		return rankOver, badge{"state-resolved", "over", "The client has succeeded since, without failing so again."}
	case fresh && i.RegressionOf == "":
		return 0, badge{"urgency-new", "new", "First seen in this time."}
	case fresh:
		return 1, badge{"urgency-regressed", "regressed", "It was resolved before and is back."}
	case grows(counts):
		return 2, badge{"urgency-growing", "growing", "At least twice as many failures in the second half of this time as in the first."}
	default:
		return 3, badge{"urgency-known", "known", "Seen before, and not growing."}
	}
}

// grows asks for five more, so that one failure after none is not growth.
func grows(counts []int64) bool {
	half := len(counts) / 2
	before, after := sum(counts[:half]), sum(counts[half:])
	return after >= 2*before && after >= before+5
}

func causeCounts(now, earlier store.Trend, w window) []causeCount {
	then := make(map[string]int64, len(earlier.Series))
	for _, s := range earlier.Series {
		then[s.Name] = s.Total
	}
	classes := causeSeries(now)
	if len(classes) > chartSeries { // as the chart folds them
		for i := range classes[chartSeries-1:] {
			classes[chartSeries-1+i].Class = "g-other"
		}
	}
	rows := make([]causeCount, 0, len(now.Series))
	for i, s := range now.Series {
		rows = append(rows, causeCount{
			Class: classes[i].Class, Cause: causeOf(classify.Code(s.Name)), Count: tallyOf(s.Total, "/failures?"+w.query("cause", s.Name)), Share: percent(s.Total, sum(now.Failures)),
			Change: compare(s.Total, then[s.Name], w.then()), URL: "/incidents?" + w.query("state", "all", "cause", s.Name),
		})
	}
	return rows
}

func environmentCards(list []store.EnvironmentSummary, now time.Time) []environmentCard {
	cards := make([]environmentCard, 0, len(list))
	for _, e := range list {
		cards = append(cards, environmentCard{
			Place: placeOf(e.Provider, e.Environment), URL: linkTo("/incidents", nil, "provider", e.Provider, "environment", e.Environment),
			Failures: tally{counted(e.Failures, "failure", "failures") + " ever", recordsURL(time.Time{}, e.LastSeenAt, "provider", e.Provider, "environment", e.Environment)}, Share: percent(e.Failures, e.Failures+e.Successes), Clients: counted(e.Clients, "client", "clients"),
			Incidents: counted(e.OpenIncidents, "open incident", "open incidents"), Failing: e.OpenIncidents > 0, Last: ago(e.LastSeenAt, now, "never"),
		})
	}
	return cards
}

func incidentURL(id string) string { return "/incidents/" + id }
