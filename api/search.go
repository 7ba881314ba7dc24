package api

import (
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"authwatch/classify"
	"authwatch/store"
)

// maxTerms bounds a search.
const maxTerms = 20

// searchFields are the words before a colon; some have a short form.
func searchFields() map[string]store.Field {
	return map[string]store.Field{
		"cause": store.FieldCause, "client": store.FieldClient, "provider": store.FieldProvider, "environment": store.FieldEnvironment, "env": store.FieldEnvironment,
		"fault": store.FieldFault, "confidence": store.FieldConfidence, "assignee": store.FieldAssignee, "status": store.FieldStatus, "endpoint": store.FieldEndpoint,
	}
}

// A searchError says where a search cannot be understood.
type searchError struct {
	at   int // character, from 1
	what string
}

func (e *searchError) Error() string { return fmt.Sprintf("at character %d: %s", e.at, e.what) }

// parseSearch reads the language of the search box and of the parameter q: terms with blanks between them that add up, such as
//
//	cause:jti_reuse,clock_skew client:a* env:prod -status:403 "clock is slow"
//
// A comma separates alternatives, a final * stands for any ending, a leading - negates, quotes keep blanks and commas; a
// word without a field is looked for in the summary.
func parseSearch(text string) ([]store.Term, error) {
	p := searchParser{text: []rune(text)}
	var terms []store.Term
	for p.skipBlanks(); p.at < len(p.text); p.skipBlanks() {
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		if terms = append(terms, t); len(terms) > maxTerms {
			return nil, &searchError{p.at, fmt.Sprintf("at most %d terms", maxTerms)}
		}
	}
	return terms, nil
}

type searchParser struct {
	text []rune
	at   int
}

func (p *searchParser) skipBlanks() {
	for p.at < len(p.text) && unicode.IsSpace(p.text[p.at]) {
		p.at++
	}
}

// next reports whether r stands here, and steps over it.
func (p *searchParser) next(r rune) bool {
	if p.at < len(p.text) && p.text[p.at] == r {
		p.at++
		return true
	}
	return false
}

func (p *searchParser) term() (t store.Term, err error) {
	start := p.at
	t.Not = p.next('-')
	t.Field = store.FieldText
	if name := p.fieldName(); name != "" {
		field, ok := searchFields()[name]
		if !ok {
			return t, &searchError{start + 1, "there is no such field; use cause, client, provider, env, fault, confidence, assignee, status or endpoint"}
		}
		t.Field = field
	}
	for {
		valueAt := p.at
		value, err := p.value(t.Field != store.FieldText)
		if err != nil {
			return t, err
		}
		if value == "" {
			return t, &searchError{valueAt + 1, "a value is missing"}
		}
		if err := checkValue(t.Field, value, valueAt); err != nil {
			return t, err
		}
		t.Values = append(t.Values, value)
		if t.Field == store.FieldText || !p.next(',') {
			return t, nil
		}
	}
}

// fieldName reads "name:" if that is what stands here.
func (p *searchParser) fieldName() string {
	end := p.at
	for end < len(p.text) && (unicode.IsLetter(p.text[end]) || p.text[end] == '_') {
		end++
	}
	if end == p.at || end == len(p.text) || p.text[end] != ':' {
		return ""
	}
	name := string(p.text[p.at:end])
	p.at = end + 1
	return strings.ToLower(name)
}

func (p *searchParser) value(listed bool) (string, error) {
	start := p.at
	if p.next('"') {
		for p.at < len(p.text) && p.text[p.at] != '"' {
			p.at++
		}
		value := string(p.text[start+1 : p.at])
		if !p.next('"') {
			return "", &searchError{start + 1, "the quote is not closed"}
		}
		return value, nil
	}
	for p.at < len(p.text) && !unicode.IsSpace(p.text[p.at]) && (!listed || p.text[p.at] != ',') {
		p.at++
	}
	return string(p.text[start:p.at]), nil
}

// checkValue refuses what selects nothing by a typing mistake.
func checkValue(f store.Field, value string, at int) error {
	known := func(ok bool, what string) error {
		if ok || strings.HasSuffix(value, "*") {
			return nil
		}
		return &searchError{at + 1, what}
	}
	switch f {
	case store.FieldCause:
		_, ok := classify.Lookup(classify.Code(value))
		return known(ok, "there is no such cause; the page Causes lists them")
	case store.FieldFault:
		return known(containsText(classify.Faults(), value), "a fault is client, provider, api, network or unknown")
	case store.FieldConfidence:
		return known(containsText([]classify.Confidence{classify.Proven, classify.Stated, classify.Inferred}, value), "a confidence is proven, stated or inferred")
	case store.FieldStatus:
		if len(value) > 3 || strings.Trim(value, "0123456789") != "" {
			return &searchError{at + 1, "a status is a number, 0 where there was no response"}
		}
	}
	return nil
}

func ofFailures(terms []store.Term, err error) ([]store.Term, error) { return terms, err }

func containsText[T ~string](list []T, value string) bool {
	for _, v := range list {
		if string(v) == value {
			return true
		}
	}
	return false
}

// ofIncidents refuses what an incident does not have: it may hold failures of several statuses.
func ofIncidents(terms []store.Term, err error) ([]store.Term, error) {
	for _, t := range terms {
		if t.Field == store.FieldStatus {
			return nil, &searchError{1, "status is of single failures; search them by GET /api/v1/failures"}
		}
	}
	return terms, err
}

// terms reads the parameter q.
func (q *query) terms(check func([]store.Term, error) ([]store.Term, error)) []store.Term {
	terms, err := check(parseSearch(q.one("q")))
	if err != nil {
		q.fault("q", "not_understood", err.Error(), "cause:jti_reuse client:a* env:prod -status:403")
		return nil
	}
	return terms
}

// searchOf reads the search of the page of incidents.
func searchOf(text string) ([]store.Term, error) {
	terms, err := ofIncidents(parseSearch(text))
	if err != nil {
		return nil, fail(http.StatusBadRequest, "The search is not understood "+err.Error()+".", fault{Parameter: "q", Code: "not_understood", Detail: err.Error()})
	}
	return terms, nil
}
