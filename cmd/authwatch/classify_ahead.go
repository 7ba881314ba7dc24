package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"
)

// groupDocuments and groupBytes bound what is handed from one goroutine to another at once: enough to be worth it, little
// enough that a file of any length is read in constant memory.
const (
	groupDocuments = 256
	groupBytes     = 1 << 20
)

// A readDocument is a document with what was read of it.
type readDocument struct {
	document
	records []located
}

// A readGroup is documents in their order, and why there are no more after them.
type readGroup struct {
	documents []readDocument
	err       error
}

// readAhead reads documents on all cores and hands them over in their order. It ends after a group with an error, or when ctx does.
func readAhead(ctx context.Context, from *documentReader, read func(document) []located) <-chan chan readGroup {
	workers := runtime.GOMAXPROCS(0)
	ordered := make(chan chan readGroup, 2*workers)
	type job struct {
		group readGroup
		done  chan readGroup
	}
	jobs := make(chan job)
	for range workers {
		go func() {
			for j := range jobs {
				for n := range j.group.documents {
					doc := &j.group.documents[n]
					doc.records = read(doc.document)
				}
				j.done <- j.group
			}
		}()
	}
	go func() {
		defer close(ordered)
		defer close(jobs)
		for {
			j := job{group: nextGroup(from), done: make(chan readGroup, 1)}
			for _, give := range []func() bool{
				func() bool { return send(ctx, ordered, j.done) }, func() bool { return send(ctx, jobs, j) },
			} {
				if !give() {
					close(j.done)
					return
				}
			}
			if j.group.err != nil {
				return
			}
		}
	}()
	return ordered
}

func send[T any](ctx context.Context, to chan<- T, v T) bool {
	if ctx.Err() != nil {
		return false // there may be room as well
	}
	select {
	case to <- v:
		return true
	case <-ctx.Done():
		return false
	}
}

// nextGroup reads some documents; its error is io.EOF at the end.
func nextGroup(from *documentReader) (g readGroup) {
	for size := 0; len(g.documents) < groupDocuments && size < groupBytes; {
		doc, err := from.next()
		if err != nil {
			g.err = err
			return g
		}
		size += len(doc.text)
		g.documents = append(g.documents, readDocument{document: doc})
	}
	return g
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
