package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"authwatch/classify"
)

type tailCommand struct {
	serverFlag
	placeFlag
	Since    span   `short:"s" default:"0s" placeholder:"TIME" help:"Begin this long ago: 10m, 1h (default: now)."`
	Lateness span   `default:"2m" help:"How late a record may come and still be shown (default: ${default})."`
	Every    span   `default:"2s" help:"How often to ask (default: ${default})."`
	Lines    int    `short:"n" placeholder:"N" help:"End after so many failures."`
	Output   string `default:"line" enum:"line,ndjson" help:"line or ndjson, each failure as the API shows it (default: ${default})."`
}

// Help shows the examples.
func (tailCommand) Help() string {
	return `One line a failure, in the order of events: time, environment, client, cause, confidence, status and why. It ends with Ctrl-C. A server that does not answer is asked again. The key needs the scope read.

    authwatch tail --environment prod
    authwatch tail --since 10m --cause jti_reuse --output ndjson | jq .fix

Exit status: 0 ended by Ctrl-C or --lines, 1 the server refuses, 2 usage.`
}

// A tailed is what a line shows of a failure.
type tailed struct {
	ID          string
	Time        time.Time
	Provider    string
	Environment string
	ClientID    string `json:"client_id"`
	Cause       string
	Confidence  string
	Status      int
	Summary     string
	text        json.RawMessage
}

// Run asks again and again.
func (c *tailCommand) Run(ctx context.Context, p *program) error {
	r, err := c.remote(p, "read")
	if err != nil {
		return err
	}
	if time.Duration(c.Every) < 100*time.Millisecond {
		return usageError("--every must be at least 100ms")
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	begin := p.now().Add(-time.Duration(c.Since))
	t := &tail{command: c, remote: r, begin: begin, newest: begin, seen: map[string]time.Time{}}
	warned := false
	for {
		done, err := t.poll(ctx, p)
		switch {
		case ctx.Err() != nil || done:
			return nil
		case isFinal(err):
			return err
		case err != nil && !warned:
			fmt.Fprintf(p.stderr, "authwatch: %s; asking again\n", printable(err.Error()))
		}
		warned = err != nil
		if sleep(ctx, time.Duration(c.Every)) != nil {
			return nil
		}
	}
}

// A tail remembers what it has shown: each look goes back a little, for records come late.
type tail struct {
	command *tailCommand
	remote  *remote
	begin   time.Time
	newest  time.Time // event that was shown
	seen    map[string]time.Time
	shown   int
}

// tailMost bounds one look.
const tailMost = 10_000

// poll shows what is new, oldest first; done says that enough was shown.
func (t *tail) poll(ctx context.Context, p *program) (done bool, err error) {
	from := t.newest.Add(-time.Duration(t.command.Lateness))
	if from.Before(t.begin) {
		from = t.begin
	}
	q := t.command.query()
	q.Set("from", from.UTC().Format(time.RFC3339Nano))
	list, more, err := rows[json.RawMessage](ctx, t.remote, "/api/v1/failures", q, tailMost)
	if err != nil {
		return false, err
	}
	if more {
		fmt.Fprintf(p.stderr, "authwatch: more than %d failures at once: the earlier ones are not shown\n", tailMost)
	}
	var fresh []tailed
	for _, text := range list {
		f := tailed{text: text}
		if err := json.Unmarshal(text, &f); err != nil {
			return false, fmt.Errorf("read failure: %w", err)
		}
		if _, before := t.seen[f.ID]; !before {
			fresh = append(fresh, f)
		}
	}
	slices.SortStableFunc(fresh, func(a, b tailed) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	for _, f := range fresh {
		t.seen[f.ID] = f.Time
		if f.Time.After(t.newest) {
			t.newest = f.Time
		}
		if err := t.show(p, f); err != nil {
			return false, err
		}
		if t.shown++; t.command.Lines > 0 && t.shown >= t.command.Lines {
			return true, nil
		}
	}
	for id, at := range t.seen {
		if at.Before(from) {
			delete(t.seen, id)
		}
	}
	return false, nil
}

func (t *tail) show(p *program, f tailed) error {
	if t.command.Output == "ndjson" {
		return writeLines(p.stdout, []json.RawMessage{f.text})
	}
	status := "no response"
	if f.Status != 0 {
		status = fmt.Sprint(f.Status)
	}
	_, err := fmt.Fprintf(p.stdout, "%s  %s  %s  %s (%s)  %s  %s\n", f.Time.UTC().Format("2006-01-02T15:04:05.000Z"), printable(cmp.Or(f.Environment, f.Provider, "-")),
		printable(clipped(cmp.Or(f.ClientID, "-"), 60)), printable(string(classify.Code(f.Cause))), printable(f.Confidence), status, printable(clipped(f.Summary, 300)))
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
