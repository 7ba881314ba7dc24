package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"authwatch/classify"
)

type causesCommand struct {
	Code string `arg:"" optional:"" help:"A cause's code, to read all about it."`
}

// Help shows the example.
func (causesCommand) Help() string { return "    authwatch causes jti_reuse" }

// Run lists the catalogue or one row of it.
func (c *causesCommand) Run(p *program) error {
	rows := classify.Catalogue()
	if c.Code == "" {
		return listCauses(p.stdout, rows, p.palette())
	}
	for _, row := range rows {
		if string(row.Code) == c.Code {
			explainCause(p.stdout, row, p.palette())
			return nil
		}
	}
	return usageError("there is no cause %q; authwatch causes lists them all", c.Code)
}

func listCauses(out io.Writer, rows []classify.Cause, c palette) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	group := ""
	for _, row := range rows {
		if row.Group != group {
			group = row.Group
			fmt.Fprintf(w, "\n%s\n", c.bold(group))
		}
		fmt.Fprintf(w, "  %s\t%s\n", row.Code, row.Title)
	}
	return w.Flush()
}

func explainCause(w io.Writer, row classify.Cause, c palette) {
	fmt.Fprintf(w, "%s  (%s)\n", c.bold(row.Title), row.Code)
	fmt.Fprintf(w, "%s\n", wrapText(row.Summary, ""))
	section := func(title string) { fmt.Fprintf(w, "\n%s\n", c.bold(title)) }
	section("What happened")
	fmt.Fprintln(w, wrapText(row.Happened, "  "))
	section("How it is recognised")
	fmt.Fprintln(w, wrapText(row.Recognised, "  "))
	if len(row.ConfusedWith) > 0 {
		section("Confused with")
		for _, other := range row.ConfusedWith {
			fmt.Fprintf(w, "  %s\n%s\n", other.Code, wrapText(other.How, "    "))
		}
	}
	section("What to do")
	printSteps(w, row.Fix)
	for _, at := range row.FixAt {
		section("What to do at " + at.Provider)
		printSteps(w, at.Steps)
	}
	if texts := classify.NewKnowledge(classify.DocumentedTexts()).Of(row.Code); len(texts) > 0 {
		section("What servers say")
		printTexts(w, texts, row.Code)
	}
	section("Who acts, usually")
	fmt.Fprintf(w, "  %s\n", row.Fault)
	section("References")
	for _, r := range row.References {
		fmt.Fprintf(w, "  %s\n    %s\n", r.Title, r.URL)
	}
}

// maxTexts bounds the documented texts of a cause: the busiest have hundreds.
const maxTexts = 12

// printTexts shows one text of each system, those that mean the cause before those that it shares.
func printTexts(w io.Writer, texts []classify.Text, cause classify.Code) {
	shown := map[string]bool{}
	for _, t := range texts {
		if shown[t.System] || len(shown) == maxTexts {
			continue
		}
		shown[t.System] = true
		fmt.Fprintf(w, "  %s\n%s\n", t.System, wrapText(t.Text, "    "))
		if t.Cause != cause {
			fmt.Fprintln(w, wrapText("usually "+string(t.Cause), "    "))
		}
	}
	if left := len(texts) - len(shown); left > 0 {
		fmt.Fprintf(w, "  %d more texts are known.\n", left)
	}
}

func printSteps(w io.Writer, steps []string) {
	for i, step := range steps {
		number := fmt.Sprintf("  %d. ", i+1)
		indent := strings.Repeat(" ", len(number))
		fmt.Fprintf(w, "%s%s\n", number, strings.TrimPrefix(wrapText(step, indent), indent))
	}
}

// wrapText breaks text into indented lines of at most 92 characters; a longer word keeps a line of its own.
func wrapText(text, indent string) string {
	const width = 92
	var out strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
			out.WriteString(indent)
			column = len(indent)
		case column+1+len(word) > width:
			out.WriteString("\n" + indent)
			column = len(indent)
		default:
			out.WriteByte(' ')
			column++
		}
		out.WriteString(word)
		column += len(word)
	}
	return out.String()
}
