package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"authwatch/classify"
)

type incidentsCommand struct {
	List    incidentsListCommand    `cmd:"" help:"List incidents."`
	Show    incidentsShowCommand    `cmd:"" help:"Show one incident: why, since when, what to do."`
	Ack     incidentsAckCommand     `cmd:"" help:"Say that somebody is on it."`
	Resolve incidentsResolveCommand `cmd:"" help:"Say that it is over."`
	Silence incidentsSilenceCommand `cmd:"" help:"Keep quiet about it for a while."`
	Note    incidentsNoteCommand    `cmd:"" help:"Add a note."`
}

// A remoteIncident is what the commands read of an incident; the API's description has all members.
type remoteIncident struct {
	ID                string
	Provider          string
	Environment       string
	ClientID          string `json:"client_id"`
	Cause             classify.Code
	Confidence        string
	Fault             string
	Summary           string
	State             string
	Count             int64
	FirstSeen         time.Time `json:"first_seen"`
	LastSeen          time.Time `json:"last_seen"`
	LastSuccessBefore time.Time `json:"last_success_before"`
	FirstSuccessAfter time.Time `json:"first_success_after"`
	SilencedUntil     time.Time `json:"silenced_until"`
	ResolvedAt        time.Time `json:"resolved_at"`
	StateChangedBy    string    `json:"state_changed_by"`
	Assignee          string
	RegressionOf      string `json:"regression_of"`
	Endpoints         []struct {
		Endpoint string
		Count    int64
	}
	Different struct { // of one incident, not of a list
		Contrasts []struct{ Words string }
	}
}

// title is the cause in words.
func (i remoteIncident) title() string {
	if row, ok := classify.Lookup(i.Cause); ok {
		return row.Title
	}
	return string(i.Cause)
}

func (i remoteIncident) client() string {
	if i.ClientID == "" {
		return "unknown client"
	}
	return i.ClientID
}

func (i remoteIncident) place() string {
	return strings.Trim(i.Provider+" / "+i.Environment, " /")
}

type incidentsListCommand struct {
	serverFlag
	placeFlag
	State  []string `default:"open,acknowledged" enum:"open,acknowledged,silenced,resolved" help:"Only these states: open, acknowledged, silenced, resolved (default: ${default})."`
	Since  span     `placeholder:"TIME" help:"Only with a failure since then: 90s, 24h, 7d."`
	Limit  int      `default:"50" help:"How many, at most (default: ${default})."`
	Output string   `default:"table" enum:"table,ndjson" help:"table or ndjson (default: ${default})."`
}

// Help shows the example.
func (incidentsListCommand) Help() string {
	return `Latest first. The key needs the scope read.

    authwatch incidents list --environment prod --since 24h
    authwatch incidents list --state resolved --output ndjson`
}

// Run lists incidents.
func (c *incidentsListCommand) Run(ctx context.Context, p *program) error {
	r, err := c.remote(p, "read")
	if err != nil {
		return err
	}
	if c.Limit < 1 || c.Limit > 10_000 {
		return usageError("--limit must be between 1 and 10000")
	}
	q := c.query()
	q["state"] = c.State
	if c.Since > 0 {
		q.Set("from", p.now().Add(-time.Duration(c.Since)).UTC().Format(time.RFC3339))
	}
	list, more, err := rows[json.RawMessage](ctx, r, "/api/v1/incidents", q, c.Limit)
	if err != nil {
		return err
	}
	list = list[:min(len(list), c.Limit)]
	if c.Output == "ndjson" {
		return writeLines(p.stdout, list)
	}
	return writeIncidents(p, list, more)
}

// writeLines writes one document a line. Encoded JSON has no line breaks of its own.
func writeLines(w io.Writer, list []json.RawMessage) error {
	for _, one := range list {
		if _, err := fmt.Fprintln(w, printableJSON(string(one))); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	return nil
}

func writeIncidents(p *program, list []json.RawMessage, more bool) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(p.stdout, "no such incident")
		return err
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATE\tCAUSE\tCLIENT\tENVIRONMENT\tFAILURES\tLAST")
	for _, text := range list {
		var i remoteIncident
		if err := json.Unmarshal(text, &i); err != nil {
			return fmt.Errorf("read incident: %w", err)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", printable(i.ID), printable(i.State), printable(string(i.Cause)), printable(clipped(i.client(), 40)), printable(clipped(i.place(), 40)), i.Count,
			i.LastSeen.UTC().Format("2006-01-02 15:04:05"))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if more {
		fmt.Fprintln(p.stderr, "there are more: --limit, or a filter")
	}
	return nil
}

func clipped(text string, runes int) string {
	if list := []rune(text); len(list) > runes {
		return string(list[:runes-1]) + "…"
	}
	return text
}

type incidentsShowCommand struct {
	serverFlag
	Output string `default:"text" enum:"text,json" help:"text or json (default: ${default})."`
	ID     string `arg:"" help:"Begins with inc_."`
}

// Help shows the example.
func (incidentsShowCommand) Help() string {
	return "The key needs the scope read.\n\n    authwatch incidents show inc_01jd6k2m9x4qa"
}

// Run shows one incident.
func (c *incidentsShowCommand) Run(ctx context.Context, p *program) error {
	r, err := c.remote(p, "read")
	if err != nil {
		return err
	}
	path := "/api/v1/incidents/" + url.PathEscape(c.ID)
	var text json.RawMessage
	if err := r.ask(ctx, http.MethodGet, path, nil, nil, &text); err != nil {
		return err
	}
	if c.Output == "json" {
		return writeLines(p.stdout, []json.RawMessage{text})
	}
	var i remoteIncident
	if err := json.Unmarshal(text, &i); err != nil {
		return fmt.Errorf("read incident: %w", err)
	}
	failures, _, err := rows[struct{ Fix classify.Fix }](ctx, r, path+"/failures", url.Values{}, 1)
	if err != nil {
		return err
	}
	fix := classify.Fix{}
	if len(failures) > 0 {
		fix = failures[0].Fix
	}
	return describeIncident(p, r.base, i, fix)
}

func describeIncident(p *program, base string, i remoteIncident, fix classify.Fix) error {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	colours := p.palette()
	say("%s  (%s, %s, fault of %s)", colours.bold(printable(i.title())), printable(string(i.Cause)), printable(i.Confidence), printable(i.Fault))
	say("%s at %s, %s, %s", printable(i.client()), printable(i.place()), plural(int(i.Count), "failure"), printable(i.State))
	say("%s", wrapText(printable(i.Summary), ""))
	say("")
	for _, moment := range []struct {
		what string
		at   time.Time
	}{{"last success before", i.LastSuccessBefore}, {"first failure", i.FirstSeen}, {"last failure", i.LastSeen}, {"first success after", i.FirstSuccessAfter}, {"silenced until", i.SilencedUntil}, {"resolved", i.ResolvedAt}} {
		if !moment.at.IsZero() {
			say("  %-20s %s", moment.what, moment.at.UTC().Format("2006-01-02 15:04:05.000 MST"))
		}
	}
	for _, e := range i.Endpoints[:min(len(i.Endpoints), 5)] {
		say("  %-20s %s (%d)", "endpoint", printable(e.Endpoint), e.Count)
	}
	if i.Assignee != "" {
		say("  %-20s %s", "looks after it", printable(i.Assignee))
	}
	if i.RegressionOf != "" {
		say("  %-20s %s", "earlier episode", printable(i.RegressionOf))
	}
	if contrasts := i.Different.Contrasts; len(contrasts) > 0 {
		say("\n%s", colours.bold("What is different"))
		for _, c := range contrasts {
			say("%s", wrapText("- "+printable(c.Words), "  "))
		}
	}
	if len(fix.Steps) > 0 {
		say("\n%s", colours.bold("What to do"))
		for _, step := range fix.Steps {
			say("%s", wrapText("- "+printable(step), "  "))
		}
		if fix.Verified && len(fix.Edits) > 0 {
			say("  checked: with it every check that could be run passes")
		}
	}
	say("\n%s/i/%s", base, url.PathEscape(i.ID))
	if _, err := io.WriteString(p.stdout, b.String()); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// incidentChange is what the commands that change incidents have in common.
type incidentChange struct {
	serverFlag
	ID []string `arg:"" help:"Ids that begin with inc_."`
}

// apply changes each incident; one that cannot be costs only itself.
func (c incidentChange) apply(ctx context.Context, p *program, change map[string]any, did string) error {
	r, err := c.remote(p, "respond")
	if err != nil {
		return err
	}
	failed := false
	for _, id := range c.ID {
		err := r.ask(ctx, http.MethodPatch, "/api/v1/incidents/"+url.PathEscape(id), nil, change, nil)
		var refused *refusal
		switch {
		case err == nil:
			fmt.Fprintf(p.stdout, "%s %s\n", printable(id), did)
		case errors.As(err, &refused) && slices.Contains([]int{http.StatusNotFound, http.StatusConflict}, refused.status):
			fmt.Fprintf(p.stderr, "%s: %s\n", printable(id), printable(err.Error()))
			failed = true
		default:
			return err
		}
	}
	if failed {
		return &exitError{Status: exitNotOK}
	}
	return nil
}

// stateBody is what a change of the state sends.
func stateBody(state, note string) map[string]any {
	body := map[string]any{"state": state}
	if note != "" {
		body["note"] = note
	}
	return body
}

type incidentsAckCommand struct {
	incidentChange
	Note string `placeholder:"TEXT" help:"Why, for the log."`
}

// Help shows the example.
func (incidentsAckCommand) Help() string {
	return "The key needs the scope respond.\n\n    authwatch incidents ack inc_01jd6k2m9x4qa --note 'looking at the deploy'"
}

// Run acknowledges incidents.
func (c *incidentsAckCommand) Run(ctx context.Context, p *program) error {
	return c.apply(ctx, p, stateBody("acknowledged", c.Note), "acknowledged")
}

type incidentsResolveCommand struct {
	incidentChange
	Note string `placeholder:"TEXT" help:"Why, for the log."`
}

// Help shows the example.
func (incidentsResolveCommand) Help() string {
	return "A later failure opens a new episode. The key needs the scope respond.\n\n    authwatch incidents resolve inc_01jd6k2m9x4qa --note 'rolled back'"
}

// Run resolves incidents.
func (c *incidentsResolveCommand) Run(ctx context.Context, p *program) error {
	return c.apply(ctx, p, stateBody("resolved", c.Note), "resolved")
}

type incidentsSilenceCommand struct {
	incidentChange
	For  span   `required:"" placeholder:"TIME" help:"How long: 4h, 2d."`
	Note string `placeholder:"TEXT" help:"Why, for the log."`
}

// Help shows the example.
func (incidentsSilenceCommand) Help() string {
	return "The key needs the scope respond.\n\n    authwatch incidents silence inc_01jd6k2m9x4qa --for 4h --note 'the provider is on it'"
}

// Run silences incidents.
func (c *incidentsSilenceCommand) Run(ctx context.Context, p *program) error {
	if c.For <= 0 || time.Duration(c.For) > 90*24*time.Hour {
		return usageError("--for must be more than nothing and at most 90d")
	}
	until := p.now().Add(time.Duration(c.For)).UTC().Truncate(time.Second)
	body := stateBody("silenced", c.Note)
	body["silenced_until"] = until.Format(time.RFC3339)
	return c.apply(ctx, p, body, "silenced until "+until.Format("2006-01-02 15:04:05 MST"))
}

type incidentsNoteCommand struct {
	serverFlag
	ID   string `arg:"" help:"Begins with inc_."`
	Text string `arg:"" help:"The note."`
}

// Help shows the example.
func (incidentsNoteCommand) Help() string {
	return "The key needs the scope respond.\n\n    authwatch incidents note inc_01jd6k2m9x4qa 'client-b rolled back at 03:20'"
}

// Run adds a note.
func (c *incidentsNoteCommand) Run(ctx context.Context, p *program) error {
	if strings.TrimSpace(c.Text) == "" {
		return usageError("a note has a text")
	}
	return incidentChange{c.serverFlag, []string{c.ID}}.apply(ctx, p, map[string]any{"note": c.Text}, "noted")
}
