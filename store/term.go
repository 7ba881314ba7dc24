package store

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Term is one condition of a search. Terms add up.
type Term struct {
	Field  Field
	Values []string // any of them; one that ends in * stands for all that begin so
	Not    bool     // none of them
}

// A Field is what a term is about.
type Field string

// The fields. Status is of failures only: a list of incidents leaves it out.
const (
	FieldCause       Field = "cause"
	FieldClient      Field = "client"
	FieldProvider    Field = "provider"
	FieldEnvironment Field = "environment"
	FieldFault       Field = "fault"
	FieldConfidence  Field = "confidence"
	FieldAssignee    Field = "assignee"
	FieldStatus      Field = "status"
	FieldEndpoint    Field = "endpoint"
	FieldText        Field = "text" // part of the summary, whatever the letter case
)

// columnOf is the column of an incident that a field is about, "" when it is none of its own.
func columnOf(f Field) string {
	switch f {
	case FieldCause, FieldProvider, FieldEnvironment, FieldFault, FieldConfidence, FieldAssignee:
		return string(f)
	case FieldClient:
		return `client_id`
	}
	return ""
}

// incidentTerms adds the terms that speak of incidents.
func (w *where) incidentTerms(terms []Term) {
	for _, t := range terms {
		switch column := columnOf(t.Field); {
		case column != "":
			w.anyOf(t, func(v string) string { return w.like(column, v) })
		case t.Field == FieldText:
			w.anyOf(t, func(v string) string {
				pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(v)) + "%"
				return `lower(summary) like ` + w.arg(pattern) + ` escape '\'`
			})
		case t.Field == FieldEndpoint:
			w.anyOf(t, func(v string) string {
				return `id in (select incident_id from incident_endpoint where ` + w.like(`endpoint`, v) + `)`
			})
		}
	}
}

// failureTerms adds the terms that speak of failures themselves.
func (w *where) failureTerms(terms []Term) {
	for _, t := range terms {
		if t.Field != FieldStatus {
			continue
		}
		w.anyOf(t, func(v string) string {
			n, err := strconv.Atoi(v)
			if err != nil {
				return `1 = 0`
			}
			return `status = ` + w.arg(int64(n))
		})
	}
}

// anyOf joins the conditions of a term's values.
func (w *where) anyOf(t Term, condition func(value string) string) {
	parts := make([]string, len(t.Values))
	for i, v := range t.Values {
		parts[i] = condition(v)
	}
	joined := "(" + strings.Join(parts, " or ") + ")"
	if t.Not {
		joined = "not " + joined
	}
	w.conditions = append(w.conditions, joined)
}

// like compares a column with a value, or with its beginning.
func (w *where) like(column, value string) string {
	begin, open := strings.CutSuffix(value, "*")
	if !open {
		return column + ` = ` + w.arg(keyText(value))
	}
	n := utf8.RuneCountInString(begin)
	return `substr(` + column + `, 1, ` + strconv.Itoa(n) + `) = ` + w.arg(begin)
}
