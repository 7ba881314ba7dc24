package main

import (
	"regexp"
	"slices"
	"strings"
)

// markUndecidable adds to the truth of silent faults the causes that their record cannot exclude. A silent fault shows only
// in the server's words; where those are, value for value, its words for another silent fault, both explain the record,
// and where they are its words for any other cause too, saying nothing is an honest answer. It is measured, not
// judged: a verifier that answers everything with a bare 401 gets what it deserves.
func markUndecidable(lines []Line) {
	silent := map[string]bool{}
	for _, f := range faults() {
		silent[f.ID] = f.Silent
	}
	words := map[string][]*Truth{}
	for _, l := range lines {
		if l.Truth != nil && l.Record.Response != nil {
			said := said(l.Record)
			words[said] = append(words[said], l.Truth)
		}
	}
	for _, truths := range words {
		for _, t := range truths {
			if !silent[t.Fault] || t.Cause == "invalid_signature" {
				continue // a healthy-looking token that is refused without a word: the signature is what a log cannot show
			}
			for _, other := range truths {
				if other.Cause == t.Cause {
					continue
				}
				t.Also = appendNew(t.Also, "unclassified")
				if silent[other.Fault] {
					t.Also = appendNew(t.Also, other.Cause)
				}
			}
			slices.Sort(t.Also)
		}
	}
}

// said is what the server answered, without the values that differ from call to call, and without what no reader would
// take for words: upper case and spaces.
func said(r Record) string {
	values := regexp.MustCompile(`[0-9]+|https://[^"' ]*| `)
	return strings.ToLower(values.ReplaceAllString(marshal([]any{r.Response.Status, r.Response.Headers, r.Response.Body}), ""))
}

func appendNew(list []string, value string) []string {
	if slices.Contains(list, value) {
		return list
	}
	return append(list, value)
}
