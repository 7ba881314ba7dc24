package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
)

type reportCommand struct {
	serverFlag
	placeFlag
	Since span `default:"24h" help:"The time that it is about: 24h, 7d (default: ${default})."`
	Most  int  `default:"20" help:"Incidents of each part, at most (default: ${default})."`
}

// Help shows the example.
func (reportCommand) Help() string {
	return `Writes Markdown: what was bad, what is new, what goes on, what is over, and what to do. For a hand-over, a chat or a page. The key needs the scope read.

    authwatch report --since 24h > report.md
    authwatch report --since 7d --environment prod`
}

// A remoteTrend is what a report reads of a trend.
type remoteTrend struct {
	Series []struct {
		Name  string
		Total int64
	}
	Totals  struct{ Failures, Successes int64 }
	Compare *remoteTrend
}

// reportIncidents bounds what a report is made of.
const reportIncidents = 2000

// Run asks for the figures and the incidents, and writes.
func (c *reportCommand) Run(ctx context.Context, p *program) error {
	r, err := c.remote(p, "read")
	if err != nil {
		return err
	}
	if time.Duration(c.Since) < time.Minute || c.Most < 1 {
		return usageError("--since must be at least 1m, and --most at least 1")
	}
	to := p.now().UTC().Truncate(time.Second)
	from := to.Add(-time.Duration(c.Since))
	window := c.query()
	window.Set("from", from.Format(time.RFC3339))
	window.Set("to", to.Format(time.RFC3339))
	figures := url.Values{"group_by": {"cause"}, "compare": {"7d"}}
	for name, values := range window {
		figures[name] = values
	}
	var trend remoteTrend
	if err := r.ask(ctx, http.MethodGet, "/api/v1/trends", figures, nil, &trend); err != nil {
		return err
	}
	list, more, err := rows[remoteIncident](ctx, r, "/api/v1/incidents", window, reportIncidents)
	if err != nil {
		return err
	}
	w := &reportWriter{base: r.base, from: from, to: to, most: c.Most}
	w.write(trend, list, more)
	if _, err := io.WriteString(p.stdout, w.b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// A reportWriter writes Markdown.
type reportWriter struct {
	b        strings.Builder
	base     string
	from, to time.Time
	most     int
}

func (w *reportWriter) say(format string, args ...any) { fmt.Fprintf(&w.b, format+"\n", args...) }

func (w *reportWriter) write(t remoteTrend, list []remoteIncident, more bool) {
	const form = "2006-01-02 15:04 MST"
	w.say("# Auth failures, %s to %s\n", w.from.Format(form), w.to.Format(form))
	w.say("%s\n", w.inOneSentence(t, list))
	if more {
		w.say("There were more than %d incidents; this is of the latest.\n", reportIncidents)
	}
	w.causes(t)
	var fresh, goesOn, over []remoteIncident
	for _, i := range list {
		switch {
		case i.State == "resolved":
			over = append(over, i)
		case !i.FirstSeen.Before(w.from):
			fresh = append(fresh, i)
		default:
			goesOn = append(goesOn, i)
		}
	}
	w.incidents("New or back", fresh)
	w.incidents("Still going on", goesOn)
	w.incidents("Over", over)
}

func (w *reportWriter) inOneSentence(t remoteTrend, list []remoteIncident) string {
	requests := t.Totals.Failures + t.Totals.Successes
	if t.Totals.Failures == 0 {
		return fmt.Sprintf("**No failures**, and %s accepted.", plural(int(t.Totals.Successes), "request"))
	}
	text := fmt.Sprintf("**%s**, %.1f %% of %d authenticated requests", plural(int(t.Totals.Failures), "failure"), 100*float64(t.Totals.Failures)/float64(requests), requests)
	if t.Compare != nil {
		text += fmt.Sprintf("; %d in the same time a week before", t.Compare.Totals.Failures)
	}
	clients := map[string]bool{}
	for _, i := range list {
		if i.ClientID != "" {
			clients[i.Provider+"\x00"+i.Environment+"\x00"+i.ClientID] = true
		}
	}
	return text + fmt.Sprintf("; %s had incidents.", plural(len(clients), "client"))
}

func (w *reportWriter) causes(t remoteTrend) {
	if len(t.Series) == 0 {
		return
	}
	earlier := map[string]int64{}
	if t.Compare != nil {
		for _, s := range t.Compare.Series {
			earlier[s.Name] = s.Total
		}
	}
	w.say("| Cause | Failures | A week before |\n|---|---:|---:|")
	for _, s := range t.Series[:min(len(t.Series), w.most)] {
		title := s.Name
		if row, ok := classify.Lookup(classify.Code(s.Name)); ok {
			title = row.Title
		}
		w.say("| %s | %d | %d |", markdown(title), s.Total, earlier[s.Name])
	}
	w.say("")
}

func (w *reportWriter) incidents(title string, list []remoteIncident) {
	w.say("## %s (%d)\n", title, len(list))
	if len(list) == 0 {
		w.say("None.\n")
		return
	}
	slices.SortStableFunc(list, func(a, b remoteIncident) int { return cmp.Compare(b.Count, a.Count) })
	for _, i := range list[:min(len(list), w.most)] {
		words := i.State
		if i.RegressionOf != "" {
			words += ", back after it was resolved"
		}
		if i.Assignee != "" {
			words += ", " + i.Assignee + " looks after it"
		}
		w.say("- [**%s**](%s/i/%s): %s at %s, %s from %s to %s, fault of %s, %s (%s).", markdown(i.title()), w.base, url.PathEscape(i.ID), markdown(clipped(i.client(), 80)),
			markdown(i.place()), plural(int(i.Count), "failure"), w.moment(i.FirstSeen), w.moment(i.LastSeen), markdown(i.Fault), markdown(i.Confidence), markdown(words))
		if i.Summary != "" {
			w.say("  %s", markdown(clipped(i.Summary, 300)))
		}
		if row, ok := classify.Lookup(i.Cause); ok && len(row.Fix) > 0 && i.State != "resolved" {
			w.say("  What to do: %s", markdown(row.Fix[0]))
		}
	}
	if more := len(list) - w.most; more > 0 {
		w.say("- and %d more", more)
	}
	w.say("")
}

// moment leaves out the day of a report about one.
func (w *reportWriter) moment(t time.Time) string {
	if t.UTC().YearDay() == w.to.YearDay() && w.to.Sub(t) < 24*time.Hour {
		return t.UTC().Format("15:04:05")
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// markdown takes their meaning from characters that have one: names come from logs.
func markdown(text string) string {
	var b strings.Builder
	for _, r := range printable(text) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
			continue
		case r == '&':
			b.WriteString("&amp;")
			continue
		case strings.ContainsRune("\\`*_[]|~>#!", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
