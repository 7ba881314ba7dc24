package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"authwatch/classify"
	"authwatch/ingest"
)

type evalCommand struct {
	See       string             `default:"all" enum:"all,response,token" help:"What the classifier may see: ${enum}. response hides the decoded tokens, token hides the server's words (default: ${default})."`
	NoProfile bool               `help:"Leave out the profiles beside the corpora; the built-in ones stay."`
	Without   []string           `placeholder:"SYSTEM" sep:"none" help:"Leave out the documented texts of a system, or of all with the word all; may be repeated."`
	Verbose   bool               `help:"Print every miss."`
	Min       map[string]float64 `mapsep:"," placeholder:"accepted=0.98,…" help:"Least shares: accepted, strict, macro."`
	Max       map[string]float64 `mapsep:"," placeholder:"wrong=0.01,…" help:"Most: wrong (a share), proven_wrong, undecided (a share), false_alarms."`
	Output    string             `default:"table" enum:"table,json" help:"Form of the figures: ${enum} (default: ${default})."`
	Corpus    []string           `arg:"" help:"Labelled records: NDJSON of {\"record\",\"truth\"}; NAME.profile.yaml beside NAME.ndjson is the provider's profile."`
}

// Help shows the examples, the figures and the exit statuses.
func (evalCommand) Help() string {
	return `Judges labelled records, as classify does, and compares the verdicts with the truth. truth is {"cause","also","optional"}, or null for a record that is no auth failure.

    authwatch eval corpus/*.ndjson
    authwatch eval --see response --verbose corpus/*.ndjson
    authwatch eval --without "golang-jwt v5" corpus/golang-jwt.ndjson
    authwatch eval --min accepted=0.98,strict=0.95,macro=0.95 --max wrong=0.01,proven_wrong=0,false_alarms=0 corpus/*.ndjson

Figures: strict = the true cause; accepted = the true cause or one of "also"; macro = the mean of accepted over the causes; wrong = another cause (unclassified is undecided, not wrong); proven_wrong = wrong and claimed to be proven; false_alarms = verdicts on records that are no auth failure.

Exit status: 0 all bounds hold, 1 a bound is missed, 2 the command line or a corpus is wrong.`
}

// Run scores the corpora.
func (c *evalCommand) Run(ctx context.Context, p *program) error {
	if err := c.validBounds(); err != nil {
		return err
	}
	knowledge, err := c.knowledge()
	if err != nil {
		return err
	}
	report := newEvaluation(c)
	for _, path := range c.Corpus {
		if err := c.score(ctx, path, knowledge, report, p.stderr); err != nil {
			return err
		}
	}
	write := report.table
	if c.Output == "json" {
		write = report.json
	}
	if err := write(p.stdout); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	missed := c.missed(report.score)
	for _, m := range missed {
		fmt.Fprintln(p.stderr, m)
	}
	if len(missed) > 0 {
		return &exitError{Status: exitNotOK}
	}
	return nil
}

// score judges the records of one corpus in order, with the history of this corpus only, and counts the verdicts.
func (c *evalCommand) score(ctx context.Context, path string, knowledge *classify.Knowledge, report *evaluation, stderr io.Writer) error {
	cases, err := readCorpus(path)
	if err != nil {
		return usageError("%w", err)
	}
	profiles, err := c.profilesFor(path)
	if err != nil {
		return err
	}
	redactor, err := ingest.NewRedactor(randomKey())
	if err != nil {
		return fmt.Errorf("prepare redaction: %w", err)
	}
	classifier := classify.New(profiles, knowledge)
	verdicts, history := map[string]*classify.Verdict{}, newMemory()
	for i := range cases {
		if err := ctx.Err(); err != nil {
			return err
		}
		record, err := cases[i].hidden(c.See)
		if err != nil {
			return usageError("%s: line %d: %w", path, cases[i].line, err)
		}
		records, bad := ingest.Decode(record, redactor)
		for _, b := range bad {
			fmt.Fprintf(stderr, "%s: line %d: %s: %s\n", printable(path), cases[i].line, b.Code, printable(b.Detail))
		}
		for j := range records {
			r := &records[j].Record
			e := classifier.Locate(r)
			if _, judged := verdicts[r.ID]; e.Outcome == classify.Failed && !judged {
				v := classify.Classify(e, history.lookup(e.Keys()))
				verdicts[r.ID] = &v
			}
			history.observe(r.Time, e.Facts())
		}
	}
	for i := range cases {
		report.count(path, cases[i], verdicts[cases[i].id])
	}
	return nil
}

// profilesFor are the built-in profiles and the one beside the corpus, if there is one and it is asked for.
func (c *evalCommand) profilesFor(path string) (classify.Profiles, error) {
	beside := profileFlag{}
	if file := strings.TrimSuffix(path, ".ndjson") + ".profile.yaml"; !c.NoProfile {
		there, err := fileExists(file)
		if err != nil {
			return nil, usageError("look for the profile of %s: %w", path, err)
		}
		if there {
			beside.Profile = []string{file}
		}
	}
	return beside.profiles()
}

// knowledge is the documented texts but those to leave out.
func (c *evalCommand) knowledge() (*classify.Knowledge, error) {
	texts := classify.DocumentedTexts()
	for _, system := range c.Without {
		n := len(texts)
		texts = slices.DeleteFunc(texts, func(t classify.Text) bool { return t.System == system || system == "all" })
		if len(texts) == n {
			return nil, usageError("--without: no documented text is of a system %q", system)
		}
	}
	return classify.NewKnowledge(texts), nil
}

// validBounds refuses figures that do not exist, so that a mistyped bound is never one that always holds.
func (c *evalCommand) validBounds() error {
	for _, side := range []struct {
		flag  string
		names []string
		given map[string]float64
	}{
		{"--min", []string{"accepted", "strict", "macro"}, c.Min},
		{"--max", []string{"wrong", "proven_wrong", "undecided", "false_alarms"}, c.Max},
	} {
		for _, name := range slices.Sorted(maps.Keys(side.given)) {
			if !slices.Contains(side.names, name) {
				return usageError("%s: there is no bound %q: %s", side.flag, name, strings.Join(side.names, ", "))
			}
		}
	}
	return nil
}

// missed says which bounds do not hold.
func (c *evalCommand) missed(s classify.Score) []string {
	figures := map[string]float64{
		"accepted": s.Share(s.Accepted), "strict": s.Share(s.Strict), "macro": s.Macro(), "wrong": s.Share(s.Wrong), "undecided": s.Share(s.Undecided),
		"proven_wrong": float64(s.ProvenWrong), "false_alarms": float64(s.FalseAlarms),
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(c.Min)) {
		if figures[name] < c.Min[name] {
			out = append(out, fmt.Sprintf("%s is %g, below %g", name, rounded(figures[name]), c.Min[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Max)) {
		if figures[name] > c.Max[name] {
			out = append(out, fmt.Sprintf("%s is %g, above %g", name, rounded(figures[name]), c.Max[name]))
		}
	}
	return out
}

// rounded keeps four decimals, as the figures are printed.
func rounded(figure float64) float64 { return math.Round(figure*1e4) / 1e4 }
