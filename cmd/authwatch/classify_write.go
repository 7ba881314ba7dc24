package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"authwatch/classify"
)

// A told is what is said of a record: its verdict, or why it was not read.
type told struct {
	verdict   classify.Verdict
	complaint string // for the standard error; "" for a verdict
}

// A judgedGroup is what a group comes to, as it is written.
type judgedGroup struct {
	pieces  []piece
	records int   // until here
	err     error // why nothing comes after it; nil at the end
}

// A piece is text for one of the two outputs.
type piece struct {
	text      []byte
	complaint bool
}

// judgeAhead judges groups in their order and puts each into words beside the next. It ends after a group with an error, or when ctx does.
func (j *judge) judgeAhead(ctx context.Context, read <-chan chan *group, groups *sync.Pool, form verdictForm) <-chan chan judgedGroup {
	ordered := make(chan chan judgedGroup, runtime.GOMAXPROCS(0))
	go func() {
		defer close(ordered)
		for next := range read {
			g, ok := <-next
			if !ok {
				return
			}
			list, err := j.group(g)
			done, records := make(chan judgedGroup, 1), j.records
			if !send(ctx, ordered, done) {
				return
			}
			go func() {
				pieces, failed := form.pieces(list)
				g.empty()
				groups.Put(g)
				done <- judgedGroup{pieces, records, cmp.Or(failed, err)}
			}()
			if err != nil {
				return
			}
		}
	}()
	return ordered
}

// pieces puts into words what is said of the records of a group.
func (w verdictForm) pieces(list []told) (out []piece, err error) {
	var text bytes.Buffer
	end := func(complaint bool) {
		if text.Len() > 0 {
			out = append(out, piece{bytes.Clone(text.Bytes()), complaint})
			text.Reset()
		}
	}
	for n := range list {
		if t := &list[n]; t.complaint != "" {
			end(false)
			text.WriteString(t.complaint)
			end(true)
		} else if err = w.write(&text, &t.verdict); err != nil {
			err = fmt.Errorf("write the verdicts: %w", err)
			break
		}
	}
	end(false)
	return out, err
}

// A verdictWriter writes verdicts and complaints in their order.
type verdictWriter struct {
	verdictForm
	stdout, stderr io.Writer
	shown          *progress
}

func newVerdictWriter(output string, p *program) *verdictWriter {
	return &verdictWriter{verdictForm{ndjson: output == "ndjson", colour: p.palette()}, p.stdout, p.stderr, newProgress(p)}
}

// writeGroup writes what a group comes to.
func (w *verdictWriter) writeGroup(g judgedGroup) error {
	for _, p := range g.pieces {
		if p.complaint {
			w.shown.clear()
			w.stderr.Write(p.text)
			continue
		}
		if _, err := w.stdout.Write(p.text); err != nil {
			return fmt.Errorf("write the verdicts: %w", err)
		}
	}
	w.shown.at(g.records)
	return g.err
}

// A progress tells a person at a terminal how far a long run came.
type progress struct {
	to    io.Writer // nil: nobody looks
	start time.Time
	last  time.Time
	drawn bool
}

// newProgress shows nothing where the verdicts themselves go to the terminal.
func newProgress(p *program) *progress {
	out := &progress{start: time.Now()}
	if isTerminal(p.stderr) && !isTerminal(p.stdout) {
		out.to = p.stderr
	}
	return out
}

func (p *progress) at(records int) {
	now := time.Now()
	if p.to == nil || now.Sub(p.last) < 200*time.Millisecond {
		return
	}
	p.last, p.drawn = now, true
	fmt.Fprintf(p.to, "\r\x1b[K%s, %s a second", plural(records, "record"), number(int(float64(records)/now.Sub(p.start).Seconds())))
}

// clear takes the progress away, for a line of its own.
func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.to, "\r\x1b[K")
		p.drawn = false
	}
}
