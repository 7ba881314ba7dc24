package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"
)

type sourcesCommand struct {
	List    sourcesListCommand    `cmd:"" help:"List the shippers: how much they send, how late, what was not taken."`
	Rejects sourcesRejectsCommand `cmd:"" help:"List the records of a shipper that were not taken, and why."`
	Replay  sourcesReplayCommand  `cmd:"" help:"Try records that were not taken again."`
}

// A remoteSource is what the commands read of a source; the API's description has all members.
type remoteSource struct {
	ID, Name, State  string
	LastRecord       time.Time `json:"last_record"`
	RecordsPerMinute float64   `json:"records_per_minute"`
	Lag              *struct {
		Median float64 `json:"median_seconds"`
	}
	Day     struct{ Accepted, Duplicates, Rejected, Refused int64 }
	Rejects int64
}

type sourcesListCommand struct {
	serverFlag
	Output string `default:"table" enum:"table,ndjson" help:"table or ndjson (default: ${default})."`
}

// Help shows the example.
func (sourcesListCommand) Help() string {
	return `Figures are of the last day, by receipt. A source is an ingest key. The key needs the scope read.

    authwatch sources list`
}

// Run lists the sources.
func (c *sourcesListCommand) Run(ctx context.Context, p *program) error {
	r, err := c.remote(p, "read")
	if err != nil {
		return err
	}
	var answer struct{ Data []json.RawMessage }
	if err := r.ask(ctx, http.MethodGet, "/api/v1/sources", nil, nil, &answer); err != nil {
		return err
	}
	if c.Output == "ndjson" {
		return writeLines(p.stdout, answer.Data)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tSTATE\tLAST RECORD\tA MINUTE\tLAG\tACCEPTED\tREPEATED\tREJECTED\tREFUSED\tKEPT REJECTS")
	for _, raw := range answer.Data {
		var s remoteSource
		if err := json.Unmarshal(raw, &s); err != nil {
			return fmt.Errorf("read the server's answer: %w", err)
		}
		id, lag := s.ID, "-"
		if id == "" {
			id, s.Name = "-", "without a valid key"
		}
		if s.Lag != nil {
			lag = time.Duration(s.Lag.Median * float64(time.Second)).String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.1f\t%s\t%d\t%d\t%d\t%d\t%d\n", printable(id), printable(s.Name), printable(s.State), dateTime(s.LastRecord),
			s.RecordsPerMinute, lag, s.Day.Accepted, s.Day.Duplicates, s.Day.Rejected, s.Day.Refused, s.Rejects)
	}
	return w.Flush()
}

// A remoteReject is what the commands read of a rejected record.
type remoteReject struct {
	ID, Code, Pointer, Detail string
	Last                      time.Time
	Count                     int64
	Replayable                bool
}

type sourcesRejectsCommand struct {
	serverFlag
	Source string `arg:"" help:"The source's ID, as authwatch sources list shows it."`
	Code   string `placeholder:"CODE" help:"Only those that were rejected for this reason."`
	Limit  int    `default:"50" help:"How many, at most (default: ${default})."`
	Output string `default:"table" enum:"table,ndjson" help:"table or ndjson, which has the redacted record too (default: ${default})."`
}

// Help shows the example.
func (sourcesRejectsCommand) Help() string {
	return `Latest first. The key needs the scope read.

    authwatch sources rejects 3ktz9qwb
    authwatch sources rejects 3ktz9qwb --code missing_time --output ndjson`
}

// Run lists rejected records.
func (c *sourcesRejectsCommand) Run(ctx context.Context, p *program) error {
	r, err := c.remote(p, "read")
	if err != nil {
		return err
	}
	if c.Limit < 1 || c.Limit > 10_000 {
		return usageError("--limit must be between 1 and 10000")
	}
	list, more, err := rows[json.RawMessage](ctx, r, rejectsPath(c.Source), codeQuery(c.Code), c.Limit)
	if err != nil {
		return err
	}
	list = list[:min(len(list), c.Limit)]
	if c.Output == "ndjson" {
		return writeLines(p.stdout, list)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tREASON\tPLACE\tLAST\tTIMES\tREPLAY\tDETAIL")
	for _, raw := range list {
		var reject remoteReject
		if err := json.Unmarshal(raw, &reject); err != nil {
			return fmt.Errorf("read the server's answer: %w", err)
		}
		can := map[bool]string{true: "yes", false: "no"}[reject.Replayable]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", printable(reject.ID), printable(reject.Code), printable(reject.Pointer), dateTime(reject.Last), reject.Count, can, clipped(printable(reject.Detail), 80))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if more {
		fmt.Fprintln(p.stderr, "there are more: raise --limit, or choose a --code")
	}
	return nil
}

func rejectsPath(source string) string {
	return "/api/v1/sources/" + url.PathEscape(source) + "/rejects"
}

func codeQuery(code string) url.Values {
	if code == "" {
		return url.Values{}
	}
	return url.Values{"code": {code}}
}

type sourcesReplayCommand struct {
	serverFlag
	Source string   `arg:"" help:"The source's ID, as authwatch sources list shows it."`
	ID     []string `arg:"" optional:"" help:"IDs of rejected records, as authwatch sources rejects shows them."`
	Code   string   `placeholder:"CODE" help:"All that were rejected for this reason, in the place of IDs."`
	All    bool     `help:"All, in the place of IDs."`
}

// Help shows the example.
func (sourcesReplayCommand) Help() string {
	return `To be done after a mapping, a profile or authwatch itself was mended. A record takes the path that it came by, and it and a redelivery by its shipper count once. The exit status is 1 if one of them is still not taken. The key needs the scope admin; the audit log names it.

    authwatch sources replay 3ktz9qwb h2xk7c4yq5
    authwatch sources replay 3ktz9qwb --code missing_time`
}

// Run tries records again.
func (c *sourcesReplayCommand) Run(ctx context.Context, p *program) error {
	if given := len(c.ID) > 0; given == (c.All || c.Code != "") {
		return usageError("give IDs of rejected records, or --code CODE, or --all")
	}
	r, err := c.remote(p, "admin")
	if err != nil {
		return err
	}
	ids, err := c.ids(ctx, r)
	if err != nil {
		return err
	}
	results := map[string]int{}
	for _, id := range ids {
		result, detail, err := replayOne(ctx, r, c.Source, id)
		if err != nil {
			return fmt.Errorf("replay %s: %w", printable(id), err)
		}
		results[result]++
		fmt.Fprintf(p.stdout, "%s %s%s\n", printable(id), printable(result), printable(detail))
	}
	fmt.Fprintf(p.stderr, "%d tried: %d accepted, %d duplicates, %d no exchange, %d still rejected\n", len(ids), results["accepted"], results["duplicate"], results["other"], results["rejected"])
	if results["rejected"] > 0 {
		return &exitError{Status: exitNotOK}
	}
	return nil
}

// mostReplayed is more than a server keeps of one source.
const mostReplayed = 10_000

// ids are those that were given, or of all rejects that can be tried again.
func (c *sourcesReplayCommand) ids(ctx context.Context, r *remote) ([]string, error) {
	if len(c.ID) > 0 {
		return c.ID, nil
	}
	list, _, err := rows[remoteReject](ctx, r, rejectsPath(c.Source), codeQuery(c.Code), mostReplayed)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, reject := range list {
		if reject.Replayable {
			ids = append(ids, reject.ID)
		}
	}
	return ids, nil
}

func replayOne(ctx context.Context, r *remote, source, id string) (result, detail string, err error) {
	var answer struct {
		Result string
		Error  *struct{ Code, Pointer, Detail string }
	}
	err = r.ask(ctx, http.MethodPost, rejectsPath(source)+"/"+url.PathEscape(id)+"/replay", nil, nil, &answer)
	if e := answer.Error; e != nil {
		detail = ": " + e.Code + " " + e.Pointer + " " + e.Detail
	}
	return answer.Result, detail, err
}
