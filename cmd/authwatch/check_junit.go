package main

import (
	"encoding/xml"
	"fmt"
	"strings"

	"authwatch/classify"
)

// The JUnit XML that CI servers read: a check is a test case.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Errors    int         `xml:"errors,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
		SystemOut string      `xml:"system-out,omitempty"`
	}
	junitCase struct {
		ClassName string        `xml:"classname,attr"`
		Name      string        `xml:"name,attr"`
		File      string        `xml:"file,attr,omitempty"`
		Failure   *junitFailure `xml:"failure"`
		Skipped   *junitSkipped `xml:"skipped"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
)

// junit writes each check as a test case: failed, skipped when it could not be run, or passed. Warnings are the suite's output.
func (r *checkReport) junit(p *program) error {
	suite := junitSuite{Name: printable("authwatch check " + r.place()), Tests: len(r.Checks), Timestamp: r.Time.UTC().Format("2006-01-02T15:04:05")}
	for _, check := range r.Checks {
		one := junitCase{ClassName: printable(strings.ReplaceAll(r.place(), "/", ".")), Name: check.Check, File: printable(r.Source)}
		switch check.Result {
		case classify.Fail:
			suite.Failures++
			one.Failure = &junitFailure{Message: printable(r.message(check)), Type: check.Check}
			if r.decided(check) {
				one.Failure.Type, one.Failure.Text = string(r.Verdict.Cause), r.advice()
			}
		case classify.NotCheckable:
			suite.Skipped++
			one.Skipped = &junitSkipped{Message: printable(check.Detail)}
		}
		suite.Cases = append(suite.Cases, one)
	}
	for _, w := range r.Warnings {
		suite.SystemOut += "warning: " + printable(w.Detail) + "\n"
	}
	fmt.Fprint(p.stdout, xml.Header)
	enc := xml.NewEncoder(p.stdout)
	enc.Indent("", "  ")
	if err := enc.Encode(junitSuites{Suites: []junitSuite{suite}}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.stdout)
	return err
}

// decided says whether the verdict rests on the check: the others have causes of their own.
func (r *checkReport) decided(check classify.Check) bool {
	return r.Verdict != nil && len(r.Verdict.Evidence) > 0 && r.Verdict.Evidence[0].Path == check.Path
}

// advice is what the verdict says to do.
func (r *checkReport) advice() string {
	lines := []string{printable(r.Verdict.Summary)}
	for i, step := range r.Verdict.Fix.Steps {
		lines = append(lines, fmt.Sprintf("%d. %s", i+1, printable(step)))
	}
	return strings.Join(lines, "\n")
}
