package main

import (
	"bufio"
	"fmt"
	"strings"
	"time"

	"authwatch/classify"
)

// place says where the assertion would be sent.
func (r *checkReport) place() string { return strings.TrimSuffix(r.Provider+"/"+r.Environment, "/") }

// human writes the result for people: the answer, why, what to do, and every check.
func (r *checkReport) human(p *program) error {
	w, c := bufio.NewWriter(p.stdout), p.palette()
	answer := c.bold(c.green("would pass"))
	if !r.WouldPass {
		answer = c.bold(c.red("would not pass"))
	}
	if r.Verdict != nil {
		answer += ": " + c.bold(string(r.Verdict.Cause))
	}
	fmt.Fprintf(w, "%s at %s: %s\n", printable(r.place()), r.Time.UTC().Format(time.RFC3339), answer)
	if v := r.Verdict; v != nil {
		fmt.Fprintf(w, "    %s\n", printable(v.Summary))
		for _, e := range v.Fix.Edits {
			fmt.Fprintf(w, "    %s %s\n", c.dim("fix:"), printable(editText(e)))
		}
		for i, step := range v.Fix.Steps {
			fmt.Fprintf(w, "    %d. %s\n", i+1, printable(step))
		}
	}
	fmt.Fprintln(w)
	width := 0
	for _, check := range r.Checks {
		width = max(width, len(check.Check))
	}
	for _, check := range r.Checks {
		fmt.Fprintf(w, "%s  %-*s  %s\n", resultWord(c, check.Result), width, check.Check, printable(check.Detail))
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "%s %s\n", c.yellow("warning:"), printable(warning.Detail))
	}
	return w.Flush()
}

func resultWord(c palette, result classify.CheckResult) string {
	switch result {
	case classify.Pass:
		return c.green("pass         ")
	case classify.Fail:
		return c.red("fail         ")
	}
	return c.dim("not checkable")
}

// json writes the result for programs.
func (r *checkReport) json(p *program) error { return writeJSON(p.stdout, r) }

// message is the sentence of a failing check, with the edits of the fix that concern the same value.
func (r *checkReport) message(check classify.Check) string {
	text := check.Detail
	if r.Verdict == nil {
		return text
	}
	for _, e := range r.Verdict.Fix.Edits {
		if e.Path == check.Path {
			text += "; fix: " + editText(e)
		}
	}
	return text
}
