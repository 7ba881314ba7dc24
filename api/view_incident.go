package api

import (
	"strconv"
	"time"

	"authwatch/store"
)

// An incidentView is the head of an incident's page.
type incidentView struct {
	ID         string
	URL        string
	Cause      causeRef
	Client     clientRef
	Place      string
	State      badge
	StateWords string
	Fault      badge
	Confidence badge
	Count      string
	Bracket    []bracketStep
	Endpoints  []endpointCount
	Assignee   string
}

// A bracketStep is one mark between the last success before and the first success after.
type bracketStep struct {
	Class string // "good", "bad" or "none"
	Label string
	When  moment
	Note  string
}

// An endpointCount is a row of the endpoints of an incident.
type endpointCount struct {
	Endpoint string
	Count    string
	Share    string
}

func incidentViewOf(i store.Incident, now time.Time) incidentView {
	v := incidentView{
		ID: i.ID, URL: incidentURL(i.ID), Cause: causeOf(i.Cause), Client: clientOf(i.ClientID), Place: placeOf(i.Provider, i.Environment),
		State: stateBadge(i.State), StateWords: stateWords(i, now), Fault: faultBadge(i.Fault), Confidence: confidenceBadge(i.Confidence),
		Count: counted(i.Count, "failure", "failures"), Bracket: bracketOf(i, now), Assignee: line(i.Assignee),
	}
	for _, e := range i.Endpoints {
		v.Endpoints = append(v.Endpoints, endpointCount{line(e.Endpoint), count(e.Count), percent(e.Count, i.Count)})
	}
	return v
}

func stateWords(i store.Incident, now time.Time) string {
	by := ""
	if i.StateChangedBy != "" {
		by = " by " + line(i.StateChangedBy)
	}
	switch i.State {
	case store.StateAcknowledged:
		return "Acknowledged" + by + "."
	case store.StateSilenced:
		return "Silenced" + by + " until " + stamp(i.SilencedUntil, now) + "."
	case store.StateResolved:
		return "Resolved" + by + ", " + stamp(i.ResolvedAt, now) + "."
	default:
		return ""
	}
}

// bracketOf encloses the onset: what changed, changed between the last success and the first failure.
func bracketOf(i store.Incident, now time.Time) []bracketStep {
	steps := []bracketStep{{Class: "none", Label: "Last success before", When: moment{Text: "none known"}}}
	first := bracketStep{Class: "bad", Label: "First failure", When: at(i.FirstSeenAt, now, "–")}
	if !i.LastSuccess.IsZero() {
		steps[0] = bracketStep{Class: "good", Label: "Last success before", When: at(i.LastSuccess, now, "")}
		first.Note = durationWords(i.FirstSeenAt.Sub(i.LastSuccess)) + " later"
	}
	steps = append(steps, first)
	if i.LastSeenAt.After(i.FirstSeenAt) {
		steps = append(steps, bracketStep{Class: "bad", Label: "Last failure", When: at(i.LastSeenAt, now, "–"),
			Note: counted(i.Count, "failure", "failures") + " in " + durationWords(i.LastSeenAt.Sub(i.FirstSeenAt))})
	}
	if i.FirstSuccess.IsZero() {
		return append(steps, bracketStep{Class: "none", Label: "First success after", When: moment{Text: "none yet"}})
	}
	return append(steps, bracketStep{Class: "good", Label: "First success after", When: at(i.FirstSuccess, now, ""),
		Note: durationWords(i.FirstSuccess.Sub(i.LastSeenAt)) + " later"})
}

// overWords never takes silence for success.
func overWords(i store.Incident, now time.Time) string {
	since := roughly(max(now.Sub(i.LastSeenAt), 0))
	if i.FirstSuccess.IsZero() {
		return "Last failure " + since + " ago, and no success of this client there since: it is not known to be over."
	}
	return "The client has succeeded there since the last failure, " + since + " ago."
}

// A stateAction is one button: a form that posts Fields.
type stateAction struct {
	Label   string
	State   string
	Hours   string
	Primary bool
	Key     string // that presses it; "" for none
}

// actionsOf offers what makes sense from a state.
func actionsOf(state store.State) []stateAction {
	acknowledge := stateAction{Label: "Acknowledge", State: string(store.StateAcknowledged), Primary: true, Key: "a"}
	resolve := stateAction{Label: "Resolve", State: string(store.StateResolved), Key: "r"}
	reopen := stateAction{Label: "Reopen", State: string(store.StateOpen)}
	var silences []stateAction
	for _, hours := range []int{1, 8, 24} {
		n := strconv.Itoa(hours)
		key := ""
		if hours == 1 {
			key = "s"
		}
		silences = append(silences, stateAction{Key: key, Label: "Silence " + n + " h", State: string(store.StateSilenced), Hours: n})
	}
	switch state {
	case store.StateResolved:
		return []stateAction{reopen}
	case store.StateAcknowledged:
		resolve.Primary = true
		return append(append([]stateAction{resolve}, silences...), reopen)
	case store.StateSilenced:
		return []stateAction{acknowledge, resolve, reopen}
	default:
		return append([]stateAction{acknowledge, resolve}, silences...)
	}
}
