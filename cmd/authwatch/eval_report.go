package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"authwatch/classify"
)

// An evaluation gathers the figures of eval.
type evaluation struct {
	see         string
	withProfile bool
	verbose     bool
	score       classify.Score
	files       map[string]*classify.Score // by base name
	misses      []miss
}

// A miss is a verdict that was not accepted.
type miss struct {
	File       string              `json:"file"`
	ID         string              `json:"id"`
	Kind       classify.Match      `json:"kind"`            // undecided, wrong or false_alarm
	Truth      classify.Code       `json:"truth,omitempty"` // empty for a false alarm
	Verdict    classify.Code       `json:"verdict"`
	Confidence classify.Confidence `json:"confidence,omitempty"`
	Summary    string              `json:"summary,omitempty"`
}

func newEvaluation(c *evalCommand) *evaluation {
	return &evaluation{see: c.See, withProfile: !c.NoProfile, verbose: c.Verbose, files: map[string]*classify.Score{}}
}

func (e *evaluation) count(path string, c labelled, v *classify.Verdict) {
	name := filepath.Base(path)
	if e.files[name] == nil {
		e.files[name] = &classify.Score{}
	}
	e.files[name].Count(c.truth, v)
	match := e.score.Count(c.truth, v)
	switch match {
	case classify.MatchUndecided, classify.MatchWrong, classify.MatchFalseAlarm:
	default:
		return
	}
	m := miss{File: name, ID: c.id, Kind: match, Verdict: classify.NoVerdict}
	if c.truth != nil {
		m.Truth = c.truth.Cause
	}
	if v != nil {
		m.Verdict, m.Confidence, m.Summary = v.Cause, v.Confidence, v.Summary
	}
	e.misses = append(e.misses, m)
}

// A frequency is how often one cause was taken for another.
type frequency struct {
	Truth   classify.Code `json:"truth"`
	Verdict classify.Code `json:"verdict"`
	Cases   int           `json:"cases"`
}

// frequent lists what was missed, the most frequent first, else as it came up.
func (e *evaluation) frequent() []frequency {
	var out []frequency
	for _, m := range e.misses {
		if m.Kind == classify.MatchFalseAlarm {
			continue
		}
		at := slices.IndexFunc(out, func(f frequency) bool { return f.Truth == m.Truth && f.Verdict == m.Verdict })
		if at < 0 {
			at = len(out)
			out = append(out, frequency{Truth: m.Truth, Verdict: m.Verdict})
		}
		out[at].Cases++
	}
	slices.SortStableFunc(out, func(a, b frequency) int { return cmp.Compare(b.Cases, a.Cases) })
	return out
}

// confusion lists the cells of the confusion matrix that are not empty, row by row, the largest of a row first.
func (e *evaluation) confusion() []frequency {
	out := make([]frequency, 0, len(e.score.Confusion))
	for pair, n := range e.score.Confusion {
		out = append(out, frequency{Truth: pair.Truth, Verdict: pair.Verdict, Cases: n})
	}
	slices.SortFunc(out, func(a, b frequency) int {
		return cmp.Or(cmp.Compare(a.Truth, b.Truth), cmp.Compare(b.Cases, a.Cases), cmp.Compare(a.Verdict, b.Verdict))
	})
	return out
}

// table writes the figures for people and for diff: the same input gives the same text.
func (e *evaluation) table(out io.Writer) error {
	w := bufio.NewWriter(out)
	if e.verbose {
		e.tableMisses(w)
	}
	for _, name := range slices.Sorted(maps.Keys(e.files)) {
		s := e.files[name]
		fmt.Fprintf(w, "%-44s failures %5d  strict %s  accepted %s  wrong %4d  proven-wrong %3d  undecided %4d  false alarms %d/%d\n", printable(name),
			s.Failures, percent(s.Share(s.Strict)), percent(s.Share(s.Accepted)), s.Wrong, s.ProvenWrong, s.Undecided, s.FalseAlarms, s.Context)
	}
	fmt.Fprintln(w, "--- by cause")
	for _, cause := range slices.Sorted(maps.Keys(e.score.ByCause)) {
		t := e.score.ByCause[cause]
		fmt.Fprintf(w, "%-34s n %4d  strict %s  accepted %s\n", cause, t.Failures, percent(t.Share(t.Strict)), percent(t.Share(t.Accepted)))
	}
	if frequent := e.frequent(); len(frequent) > 0 {
		fmt.Fprintln(w, "--- most frequent misses")
		for _, f := range frequent[:min(15, len(frequent))] {
			fmt.Fprintf(w, "%4d  %s -> %s\n", f.Cases, f.Truth, f.Verdict)
		}
	}
	e.tableConfusion(w)
	s := e.score
	fmt.Fprintf(w, "TOTAL see=%s failures %d strict %.4f accepted %.4f macro %.4f wrong %d proven_wrong %d undecided %d false_alarms %d/%d\n",
		e.see, s.Failures, s.Share(s.Strict), s.Share(s.Accepted), s.Macro(), s.Wrong, s.ProvenWrong, s.Undecided, s.FalseAlarms, s.Context)
	return w.Flush()
}

func percent(share float64) string { return fmt.Sprintf("%5.1f%%", share*100) }

func (e *evaluation) tableMisses(w io.Writer) {
	for _, m := range e.misses {
		place := printable(m.File) + " " + printable(m.ID)
		if m.Kind == classify.MatchFalseAlarm {
			fmt.Fprintln(w, "FALSE ALARM", place, m.Verdict)
		} else {
			fmt.Fprintln(w, strings.TrimSpace(fmt.Sprintf("MISS %s %s -> %s %s", place, m.Truth, m.Verdict, m.Confidence)))
		}
		if m.Summary != "" {
			fmt.Fprintf(w, "     %s\n", printable(m.Summary))
		}
	}
}

// tableConfusion writes the confusion matrix. Most of its cells are empty, so a row names the verdicts instead of having a column for each.
func (e *evaluation) tableConfusion(w io.Writer) {
	fmt.Fprintln(w, "--- confusion: truth, then the verdicts")
	row, cells := classify.Code(""), []string(nil)
	end := func() {
		if len(cells) > 0 {
			fmt.Fprintf(w, "%-34s %s\n", row, strings.Join(cells, ", "))
		}
		cells = nil
	}
	for _, f := range e.confusion() {
		if f.Truth != row {
			end()
		}
		row = f.Truth
		cells = append(cells, fmt.Sprintf("%s %d", f.Verdict, f.Cases))
	}
	end()
}

// A scored tally is a tally with its shares.
type scored struct {
	Name string `json:"name,omitempty"`
	classify.Tally
	StrictShare   float64 `json:"strict_share"`
	AcceptedShare float64 `json:"accepted_share"`
	WrongShare    float64 `json:"wrong_share"`
}

func scoredOf(name string, t classify.Tally) scored {
	return scored{Name: name, Tally: t, StrictShare: t.Share(t.Strict), AcceptedShare: t.Share(t.Accepted), WrongShare: t.Share(t.Wrong)}
}

// json writes the figures for programs.
func (e *evaluation) json(out io.Writer) error {
	report := struct {
		See       string      `json:"see"`
		Profile   bool        `json:"profile"`
		Total     scored      `json:"total"`
		Macro     float64     `json:"macro_accepted"`
		Files     []scored    `json:"files"`
		Causes    []scored    `json:"causes"`
		Confusion []frequency `json:"confusion"`
		Misses    []miss      `json:"misses"`
	}{See: e.see, Profile: e.withProfile, Total: scoredOf("", e.score.Tally), Macro: e.score.Macro(), Confusion: e.confusion(), Misses: e.misses}
	for _, name := range slices.Sorted(maps.Keys(e.files)) {
		report.Files = append(report.Files, scoredOf(name, e.files[name].Tally))
	}
	for _, cause := range slices.Sorted(maps.Keys(e.score.ByCause)) {
		report.Causes = append(report.Causes, scoredOf(string(cause), e.score.ByCause[cause]))
	}
	if report.Misses == nil {
		report.Misses = []miss{}
	}
	return writeJSON(out, report)
}

// writeJSON writes a value for programs and for people: indented, and with nothing raw in it that a terminal would obey.
func writeJSON(out io.Writer, v any) error {
	var compact, indented bytes.Buffer
	enc := json.NewEncoder(&compact)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	if err := json.Indent(&indented, []byte(printableJSON(strings.TrimSuffix(compact.String(), "\n"))), "", "  "); err != nil {
		return err
	}
	indented.WriteByte('\n')
	_, err := out.Write(indented.Bytes())
	return err
}
