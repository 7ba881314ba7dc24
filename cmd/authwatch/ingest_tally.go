package main

import (
	"fmt"
	"io"
	"time"
)

// A tally counts what became of the records and says so: on a terminal as it goes, and at the end.
type tally struct {
	out, progress io.Writer
	live          bool // progress is a terminal
	files         int
	sent          int
	accepted      int
	duplicates    int
	rejected      int
	other         int // no HTTP exchange: counted by the server and left
	named         int // rejections that were printed
	path          string
	size, offset  int64
	shown         time.Time
	drawn         bool
}

// maxNamed is how many rejected records are named; more say nothing new.
const maxNamed = 100

func newTally(p *program) *tally {
	return &tally{out: p.stdout, progress: p.stderr, live: isTerminal(p.stderr)}
}

// begin notes that a file was opened.
func (t *tally) begin(f *logFile, size int64) {
	t.files++
	t.path, t.size, t.offset = f.path, size, f.offset
	if f.packed() {
		t.size = 0 // of the packed file: no measure of how far
	}
	if f.offset > 0 {
		t.say("%s: goes on after line %s\n", printable(f.path), number(f.line))
	}
}

// at shows how far a file came.
func (t *tally) at(f *logFile) {
	t.path, t.offset = f.path, f.offset
	if !t.live || time.Since(t.shown) < 100*time.Millisecond {
		return
	}
	t.shown, t.drawn = time.Now(), true
	percent := ""
	if t.size > 0 {
		percent = fmt.Sprintf("  %d %%", min(100, 100*t.offset/t.size))
	}
	fmt.Fprintf(t.progress, "\r\x1b[K%s  %s%s", printable(t.path), plural(t.sent, "record"), percent)
}

// say prints a line beside the progress.
func (t *tally) say(format string, args ...any) {
	if t.drawn {
		fmt.Fprint(t.progress, "\r\x1b[K")
		t.drawn = false
	}
	fmt.Fprintf(t.progress, format, args...)
}

// wait says that the server takes nothing at the moment.
func (t *tally) wait(why string, d time.Duration) {
	t.say("waiting %s: %s\n", d.Round(100*time.Millisecond), printable(why))
}

// add counts an answer and names the rejected records by their lines.
func (t *tally) add(b *lineBatch, a sentAnswer) {
	received := a.Received
	if received == 0 { // a refusal of all counts only its errors
		received = len(a.Errors)
		a.Rejected = received
	}
	t.sent += received
	t.accepted += a.Accepted
	t.duplicates += a.Duplicates
	t.rejected += a.Rejected
	t.other += received - a.Accepted - a.Duplicates - a.Rejected
	if len(a.Errors) == 0 {
		return
	}
	line := lineOf(b)
	for _, e := range a.Errors {
		t.name(b.path, line(e.Index), e.Code, e.Pointer, e.Detail)
	}
}

// lineOf finds the line of a record of a batch; most lines hold one.
func lineOf(b *lineBatch) func(index int) int {
	counts := recordsIn(b)
	return func(index int) int {
		for i, n := range counts {
			if index < n {
				return b.lines[i]
			}
			index -= n
		}
		return b.lines[len(b.lines)-1]
	}
}

// reject counts a line that was not sent.
func (t *tally) reject(path string, line int, code, detail string) {
	t.sent++
	t.rejected++
	t.name(path, line, code, "", detail)
}

// name prints where a rejected record is and why it was, never what it holds.
func (t *tally) name(path string, line int, code, pointer, detail string) {
	t.named++
	if t.named > maxNamed {
		return
	}
	if pointer != "" {
		pointer = " at " + pointer
	}
	t.say("%s:%d: %s%s: %s\n", printable(path), line, printable(code), printable(pointer), printable(detail))
}

// finish prints the figures.
func (t *tally) finish() {
	if t.named > maxNamed {
		t.say("and %s more\n", plural(t.named-maxNamed, "rejected record"))
	}
	t.say("")
	fmt.Fprintf(t.out, "%s sent from %s: %s accepted, %s, %s rejected", plural(t.sent, "record"), plural(t.files, "file"),
		number(t.accepted), plural(t.duplicates, "duplicate"), number(t.rejected))
	if t.other > 0 {
		fmt.Fprintf(t.out, ", %s without an HTTP exchange", number(t.other))
	}
	fmt.Fprintln(t.out)
}
