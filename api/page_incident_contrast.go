package api

import (
	"context"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// A contrastsView says what is different about the failures of an incident.
type contrastsView struct {
	Only  string // whom and what it is about alone, for the head of the page: "Only orders-bot, only prod"
	Words string // what was looked at, or that nothing stands out
	Told  string // what is left out, since the changes before the incident say it
	Rows  []contrastRow
}

// A contrastRow is one difference: a sentence, and the counts that it rests on.
type contrastRow struct {
	Words  string
	Name   string // of what differs
	Looked string // how many of Here were looked at or show it; "" for all
	Here   linkedCount
	There  string      // how many of Beside
	Beside linkedCount // what the baseline is
	Values []contrastValue
}

// A linkedCount is a number, or what it is of, and the address of the records behind it, "" where none are kept.
type linkedCount struct {
	Text string
	URL  string
}

// A contrastValue is how often both sides showed one value.
type contrastValue struct {
	Value string
	Here  linkedCount
	There linkedCount
	Lift  string
}

// contrasts finds what is different, without what the changes near the onset say already.
func (s *Server) contrasts(ctx context.Context, i store.Incident, told []store.SeenChange, now time.Time) (contrastsView, error) {
	found, err := s.Store.Contrasts(ctx, i, s.classifier)
	if err != nil {
		return contrastsView{}, err
	}
	v := contrastsView{Only: onlyWords(found.List), Words: contrastsIntro(found, i, now)}
	var said []string
	links := contrastLinks{incident: i, from: found.From, to: found.To}
	for _, c := range found.List {
		if isTold(c, i, told) {
			said = append(said, sightWords(classify.SightKind(c.Dimension)))
			continue
		}
		v.Rows = append(v.Rows, links.row(c, contrastWords(c, i, found)))
	}
	if len(said) > 0 {
		v.Told = "What changed tells already of the " + join(said) + "."
	}
	if len(found.List) == 0 {
		v.Words = "Nothing that is known sets these failures apart from accepted requests or from other failures there."
	}
	return v, nil
}

// onlyWords names the client, the environment and the endpoint of all these failures, where they are not those of others anyway.
func onlyWords(list []classify.Contrast) string {
	var only []string
	for _, d := range []classify.Dimension{classify.DimensionClient, classify.DimensionEnvironment, classify.DimensionEndpoint} {
		for _, c := range list {
			if c.Dimension == d && c.Here.Count == c.Here.Of && c.Value != "" {
				only = append(only, "only "+line(c.Value))
			}
		}
	}
	return capitalize(strings.Join(only, ", "))
}

// isTold is true when a change that the client's traffic showed is this very value.
func isTold(c classify.Contrast, i store.Incident, told []store.SeenChange) bool {
	for _, t := range told {
		if t.ClientID == i.ClientID && classify.Dimension(t.Kind) == c.Dimension && t.Value == c.Value {
			return true
		}
	}
	return false
}

// contrastLinks lead from counts to lists of failures.
type contrastLinks struct {
	incident store.Incident
	from, to time.Time
}

func (l contrastLinks) row(c classify.Contrast, words string) contrastRow {
	own, others := l.lists(c)
	row := contrastRow{Words: words, Name: dimensionWords(c.Dimension), Here: linkedCount{counted(c.Here.Of, "failure", "failures"), own.url()},
		There: count(c.There.Of), Beside: linkedCount{baselineWords(c.Baseline, false), others.url()}}
	if client := clientOf(l.incident.ClientID).URL; c.Baseline == classify.BaselineAccepted && client != "" {
		row.Beside.URL = client + "#habits"
	}
	if c.Baseline != classify.BaselineTraffic && c.Here.Of != l.incident.Count {
		row.Looked, row.Here.Text = count(c.Here.Of), counted(l.incident.Count, "failure", "failures")
	}
	for _, v := range c.Values {
		part := classify.Contrast{Here: classify.Part{Count: v.Here, Of: c.Here.Of}, There: classify.Part{Count: v.There, Of: c.There.Of}}
		value := contrastValue{Value: contrastValueWords(c.Dimension, v.Value), Here: linkedCount{Text: count(v.Here)}, There: linkedCount{Text: count(v.There)}, Lift: liftCell(part)}
		if v.Here > 0 {
			value.Here.URL = own.of(c.Dimension, v.Value)
		}
		if v.There > 0 {
			value.There.URL = others.of(c.Dimension, v.Value)
		}
		row.Values = append(row.Values, value)
	}
	return row
}

// lists are those of the failures that each side of a contrast counts.
func (l contrastLinks) lists(c classify.Contrast) (own, others failureList) {
	list := func(pairs ...string) failureList {
		q := url.Values{"from": {l.from.UTC().Truncate(time.Minute).Format(time.RFC3339)}, "to": {l.to.UTC().Truncate(time.Minute).Add(time.Minute).Format(time.RFC3339)}}
		for n := 0; n+1 < len(pairs); n += 2 {
			if pairs[n+1] != "" {
				q.Set(pairs[n], pairs[n+1])
			}
		}
		return failureList{q}
	}
	i := l.incident
	switch c.Dimension {
	case classify.DimensionClient:
		return list("provider", i.Provider, "environment", i.Environment, "cause", string(i.Cause)), failureList{}
	case classify.DimensionEnvironment:
		return list("provider", i.Provider, "client", i.ClientID, "cause", string(i.Cause)), failureList{}
	}
	own = list("incident", i.ID)
	switch c.Baseline {
	case classify.BaselineFailures:
		return own, list("provider", i.Provider, "environment", i.Environment)
	case classify.BaselineSameCause:
		return own, list("provider", i.Provider, "environment", i.Environment, "cause", string(i.Cause))
	case classify.BaselineSameClient:
		return own, list("provider", i.Provider, "environment", i.Environment, "client", i.ClientID)
	}
	return own, failureList{}
}

// A failureList is the query of a list of failures; nil for a side of which no records are kept.
type failureList struct{ query url.Values }

func (l failureList) url(pairs ...string) string {
	if l.query == nil {
		return ""
	}
	return linkTo("/failures", l.query, pairs...)
}

// of is the address of those of the list that show a value, "" when the list cannot be asked for it.
func (l failureList) of(d classify.Dimension, value string) string {
	if value == "" || strings.ContainsAny(value, `"*`) {
		return ""
	}
	switch d {
	case classify.DimensionClient:
		return l.url("client", value)
	case classify.DimensionEnvironment:
		return l.url("environment", value)
	case classify.DimensionEndpoint:
		return l.url("q", `endpoint:"`+value+`"`)
	case classify.DimensionMethod:
		return l.url("q", `endpoint:"`+value+` *"`)
	case classify.DimensionStatus:
		if _, err := strconv.Atoi(value); err == nil {
			return l.url("q", "status:"+value)
		}
	}
	return ""
}

// contrastValueWords writes a value in a table.
func contrastValueWords(d classify.Dimension, value string) string {
	if d == classify.DimensionStatus && value == "0" {
		return "no response"
	}
	return sightValue(classify.SightKind(d), value)
}

// liftCell says in a cell how both sides compare.
func liftCell(c classify.Contrast) string {
	switch lift := c.Lift(); {
	case math.IsInf(lift, 1):
		return "only here"
	case c.Here.Count == 0:
		return "never here"
	case lift >= 1.05:
		return factor(lift) + "×"
	case lift > 0.95:
		return "as often"
	default:
		return "1/" + factor(1/lift)
	}
}
