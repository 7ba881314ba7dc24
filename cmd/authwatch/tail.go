package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
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
	Query  string `short:"q" placeholder:"SEARCH" help:"Only what the search finds, in the words of the dashboard's search box: client:a* -status:403."`
	Since  span   `short:"s" default:"0s" placeholder:"TIME" help:"Show first what happened this long ago and later: 10m, 1h (default: nothing)."`
	Lines  int    `short:"n" placeholder:"N" help:"End after so many failures."`
	Output string `default:"line" enum:"line,ndjson" help:"line or ndjson, each failure as the API shows it (default: ${default})."`
}

// Help shows the examples.
func (tailCommand) Help() string {
	return `One line a failure, as the server stores them: time, environment, client, cause, confidence, status and why. It ends with Ctrl-C. When the connection is lost it goes on where it was; what the server skipped because it was too much is said. The key needs the scope read.

    authwatch tail --environment prod
    authwatch tail -q 'cause:jti_reuse client:a*'
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
	revised     bool
}

const (
	retryFirst = time.Second
	retryMost  = 30 * time.Second
	// streamSilence is how long a stream may say nothing: three heartbeats.
	streamSilence = 45 * time.Second
	// tailMost bounds what is shown of the past.
	tailMost = 10_000
)

var errSilent = errors.New("the server has said nothing for a while")

// Run follows the stream, and takes it up again when it ends.
func (c *tailCommand) Run(ctx context.Context, p *program) error {
	r, err := c.remote(p, "read")
	if err != nil {
		return err
	}
	if c.Lines < 0 {
		return usageError("--lines must not be negative")
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	t := &tail{command: c, remote: r, program: p, seen: map[string]bool{}}
	if c.Since > 0 {
		t.begin = p.now().Add(-time.Duration(c.Since))
	}
	wait := retryFirst
	for {
		done, err := t.follow(ctx)
		switch {
		case ctx.Err() != nil || done:
			return nil
		case isFinal(err), errors.As(err, new(*showError)):
			return err
		}
		if t.heard {
			wait = retryFirst
		}
		if !t.lost {
			fmt.Fprintf(p.stderr, "authwatch: %s; trying again\n", printable(cmp.Or(errorText(err), "the stream has ended")))
		}
		t.lost, t.heard = true, false
		if sleep(ctx, wait) != nil {
			return nil
		}
		wait = min(2*wait, retryMost)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A showError says that what was heard could not be shown: there is no use in hearing more.
type showError struct{ cause error }

func (e *showError) Error() string { return e.cause.Error() }
func (e *showError) Unwrap() error { return e.cause }

// A tail remembers where in the stream it is.
type tail struct {
	command *tailCommand
	remote  *remote
	program *program
	begin   time.Time       // of the past that is still to be shown; zero for none
	place   string          // of the last event
	seen    map[string]bool // what was shown of the past: the stream may tell it again
	shown   int
	heard   bool // anything since the last time that the connection was lost
	lost    bool // that was said
}

func (t *tail) query() url.Values {
	q := t.command.query()
	if t.command.Query != "" {
		q.Set("q", t.command.Query)
	}
	return q
}

// follow shows what one connection brings; done says that enough was shown.
func (t *tail) follow(ctx context.Context) (done bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(streamSilence, func() { cancel(errSilent) })
	defer silence.Stop()
	q := t.query()
	q.Set("about", "failures")
	s, err := t.remote.stream(ctx, "/api/v1/stream", q, t.place)
	if err != nil {
		return false, err
	}
	defer s.close()
	for {
		e, err := s.next()
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return false, err
		}
		silence.Reset(streamSilence)
		if t.lost {
			fmt.Fprintln(t.program.stderr, "authwatch: connected again")
		}
		t.heard, t.lost = true, false
		done, err := t.take(ctx, e)
		if e.id != "" {
			t.place = e.id
		}
		if done || err != nil {
			return done, err
		}
	}
}

// take shows one event.
func (t *tail) take(ctx context.Context, e streamed) (done bool, err error) {
	switch e.name {
	case "heartbeat":
		if t.begin.IsZero() {
			return false, nil
		}
		// From here on the stream tells; what was before is read.
		done, err = t.past(ctx)
		if err == nil {
			t.begin = time.Time{}
		}
		return done, err
	case "failure", "failure_revised":
		var told struct{ Failure json.RawMessage }
		if err := json.Unmarshal(e.data, &told); err != nil || told.Failure == nil {
			return false, fmt.Errorf("read event: %w", cmp.Or(err, errors.New("it has no failure")))
		}
		f, err := readTailed(told.Failure)
		if err != nil {
			return false, err
		}
		if f.revised = e.name == "failure_revised"; t.seen[f.ID] && !f.revised {
			return false, nil
		}
		return t.show(f)
	case "skipped":
		var told struct{ Count int64 }
		if err := json.Unmarshal(e.data, &told); err != nil {
			return false, fmt.Errorf("read event: %w", err)
		}
		fmt.Fprintf(t.program.stderr, "authwatch: %d more at once than could be followed: they are not shown\n", told.Count)
	case "reset":
		var told struct{ Reason string }
		_ = json.Unmarshal(e.data, &told) // what is said to people only
		fmt.Fprintf(t.program.stderr, "authwatch: a gap: %s\n", printable(clipped(told.Reason, 300)))
	}
	return false, nil
}

func readTailed(text json.RawMessage) (tailed, error) {
	f := tailed{text: text}
	if err := json.Unmarshal(text, &f); err != nil {
		return f, fmt.Errorf("read failure: %w", err)
	}
	return f, nil
}

// past shows what happened since the begin, oldest first.
func (t *tail) past(ctx context.Context) (done bool, err error) {
	q := t.query()
	q.Set("from", t.begin.UTC().Format(time.RFC3339Nano))
	list, more, err := rows[json.RawMessage](ctx, t.remote, "/api/v1/failures", q, tailMost)
	if err != nil {
		return false, err
	}
	if more {
		fmt.Fprintf(t.program.stderr, "authwatch: more than %d failures: the earlier ones are not shown\n", tailMost)
	}
	var fresh []tailed
	for _, text := range list {
		f, err := readTailed(text)
		if err != nil {
			return false, err
		}
		if !t.seen[f.ID] {
			fresh = append(fresh, f)
		}
	}
	slices.SortStableFunc(fresh, func(a, b tailed) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	for _, f := range fresh {
		t.seen[f.ID] = true
		if done, err := t.show(f); done || err != nil {
			return done, err
		}
	}
	return false, nil
}

// show writes a failure; done says that it was the last that is wanted.
func (t *tail) show(f tailed) (done bool, err error) {
	if err := t.write(f); err != nil {
		return false, &showError{fmt.Errorf("write: %w", err)}
	}
	t.shown++
	return t.command.Lines > 0 && t.shown >= t.command.Lines, nil
}

func (t *tail) write(f tailed) error {
	if t.command.Output == "ndjson" {
		return writeLines(t.program.stdout, []json.RawMessage{f.text})
	}
	status := "no response"
	if f.Status != 0 {
		status = fmt.Sprint(f.Status)
	}
	if f.revised {
		status += "  revised"
	}
	_, err := fmt.Fprintf(t.program.stdout, "%s  %s  %s  %s (%s)  %s  %s\n", f.Time.UTC().Format("2006-01-02T15:04:05.000Z"), printable(cmp.Or(f.Environment, f.Provider, "-")),
		printable(clipped(cmp.Or(f.ClientID, "-"), 60)), printable(string(classify.Code(f.Cause))), printable(f.Confidence), status, printable(clipped(f.Summary, 300)))
	return err
}
