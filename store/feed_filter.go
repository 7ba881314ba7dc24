package store

import (
	"slices"
	"strconv"
	"strings"

	"authwatch/classify"
)

// FeedFilter selects events. Values of one field are alternatives, fields add up. Empty selects all.
type FeedFilter struct {
	Failures     bool // those of failures; with neither of the two: all
	Incidents    bool
	Causes       []classify.Code
	Providers    []string
	Environments []string
	Clients      []string
	Terms        []Term
}

// Matches reports whether the filter selects e. Cause, confidence, fault and summary are those of the failure itself, the
// assignee is that of its incident. Status and endpoint are of failures only: with one of them no event of an incident
// matches. What was withdrawn or removed always matches, for nobody knows any more what it was.
func (f FeedFilter) Matches(e FeedEvent) bool {
	switch {
	case !f.isAbout(e.Kind):
		return false
	case e.Kind.gone() || !f.selects():
		return true
	}
	cause, _ := e.value(FieldCause)
	provider, _ := e.value(FieldProvider)
	environment, _ := e.value(FieldEnvironment)
	client, _ := e.value(FieldClient)
	if !among(f.Causes, classify.Code(cause)) || !among(f.Providers, provider) || !among(f.Environments, environment) || !among(f.Clients, client) {
		return false
	}
	for _, t := range f.Terms {
		value, has := e.value(t.Field)
		if !has || slices.ContainsFunc(t.Values, func(v string) bool { return t.Field.holds(value, v) }) == t.Not {
			return false
		}
	}
	return true
}

func (f FeedFilter) isAbout(k FeedKind) bool {
	return f.Failures == f.Incidents || f.Incidents == k.OfIncident()
}

// selects is false of a filter that needs not know what an event is about.
func (f FeedFilter) selects() bool {
	return len(f.Causes)+len(f.Providers)+len(f.Environments)+len(f.Clients)+len(f.Terms) > 0
}

func among[T ~string](list []T, value T) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(v T) bool { return keyText(string(v)) == string(value) })
}

// value is what a term compares of an event, if there is such a thing.
func (e FeedEvent) value(f Field) (value string, has bool) {
	if f == FieldAssignee {
		if e.Incident == nil {
			return "", true
		}
		return e.Incident.Assignee, true
	}
	if e.Failure != nil {
		return e.Failure.value(f), true
	}
	return e.Incident.value(f), f != FieldStatus && f != FieldEndpoint
}

func (f *Failure) value(of Field) string {
	switch of {
	case FieldStatus:
		return strconv.Itoa(f.Status)
	case FieldEndpoint:
		return f.Endpoint
	}
	v := &f.Verdict
	return (&Incident{Cause: v.Cause, ClientID: v.ClientID, Provider: v.Provider, Environment: v.Environment, Fault: v.Fault, Confidence: v.Confidence, Summary: v.Summary}).value(of)
}

func (i *Incident) value(of Field) string {
	switch of {
	case FieldCause:
		return string(i.Cause)
	case FieldClient:
		return i.ClientID
	case FieldProvider:
		return i.Provider
	case FieldEnvironment:
		return i.Environment
	case FieldFault:
		return string(i.Fault)
	case FieldConfidence:
		return string(i.Confidence)
	case FieldText:
		return i.Summary
	}
	return ""
}

// holds compares as the conditions of lists do (where.like).
func (f Field) holds(value, asked string) bool {
	if f == FieldText {
		return strings.Contains(strings.ToLower(value), strings.ToLower(asked))
	}
	if begin, open := strings.CutSuffix(asked, "*"); open {
		return strings.HasPrefix(value, begin)
	}
	return value == keyText(asked)
}
