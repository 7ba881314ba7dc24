package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "steps:", err)
		os.Exit(1)
	}
}

// A step is a part of the way of a record, known by the functions that it begins with.
type step struct {
	name  string
	begin []string // names of functions without the module's, or how they begin
}

const (
	inC     = "SQLite's C code, and the kernel for it"
	theRest = "the rest of Go"
)

func steps() []step {
	return []step{
		{"collect garbage", []string{"runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcStart"}},
		{"switch threads", []string{"runtime.schedule", "runtime.findRunnable", "runtime.sysmon"}},
		{"scan a line, or know its form", []string{"ingest.scanObject", "ingest.(*forms).find"}},
		{"plain successes", []string{"ingest.(*reader).quickSuccess"}},
		{"everything else: parse, redact, encode", []string{"ingest.(*Redactor).decodeNative"}},
		{"judge ahead: history, Classify, facts, looks", []string{"ingest.(*Ingester).judgeAhead"}},
		{"pack failures", []string{"store.(*Store).Pack"}},
		{"fold counts into rollups", []string{"store.(*folder)", "store.(*fold)"}},
		{"sightings", []string{"store.(*Store).WriteSightings", "store.(*Store).Sight"}},
		{"the writer's turn in Go", []string{"store.(*writer)", "store.callSafely"}},
		{"network, reading bodies", []string{"net/http.(*conn).serve"}},
	}
}

// A server is a process of the profile.
type server struct {
	pid     string
	samples int
	by      map[string]int // samples by step
}

// run reads what perf script prints: for each sample its process, its stack from the innermost frame on, and an empty line.
func run(in io.Reader, out io.Writer) error {
	var servers []*server
	var pid string
	var stack []string
	list := steps()
	end := func() {
		if pid == "" {
			return
		}
		at := slices.IndexFunc(servers, func(s *server) bool { return s.pid == pid })
		if at < 0 {
			at, servers = len(servers), append(servers, &server{pid: pid, by: map[string]int{}})
		}
		servers[at].samples++
		servers[at].by[stepOf(list, stack)]++
		pid, stack = "", stack[:0]
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 0:
			end()
		case pid == "" && len(fields) == 2 && strings.HasPrefix(fields[0], "authwatch"):
			pid = fields[1]
		case pid != "" && len(fields) > 1:
			stack = append(stack, strings.TrimPrefix(fields[1], "authwatch/"))
		}
	}
	end()
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read samples: %w", err)
	}
	return show(out, list, servers)
}

// stepOf is the innermost step of a stack.
func stepOf(list []step, stack []string) string {
	isGo := false
	for _, frame := range stack {
		for _, s := range list {
			if slices.ContainsFunc(s.begin, func(begin string) bool { return strings.HasPrefix(frame, begin) }) {
				return s.name
			}
		}
		isGo = isGo || strings.HasPrefix(frame, "runtime.") || strings.HasPrefix(frame, "main.")
	}
	if isGo {
		return theRest
	}
	return inC
}

// show prints a column for each server with a tenth of the samples of the busiest or more.
func show(out io.Writer, list []step, servers []*server) error {
	most := 0
	for _, s := range servers {
		most = max(most, s.samples)
	}
	servers = slices.DeleteFunc(servers, func(s *server) bool { return s.samples*10 < most })
	if len(servers) == 0 {
		return fmt.Errorf("no sample of a process named authwatch: is it the output of perf script -F comm,pid,ip,sym?")
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "step")
	for _, s := range servers {
		fmt.Fprintf(w, "\tprocess %s", s.pid)
	}
	for _, s := range append(slices.Clone(list), step{name: inC}, step{name: theRest}) {
		fmt.Fprintf(w, "\n%s", s.name)
		for _, one := range servers {
			fmt.Fprintf(w, "\t%.1f %%", 100*float64(one.by[s.name])/float64(one.samples))
		}
	}
	fmt.Fprint(w, "\nsamples")
	for _, s := range servers {
		fmt.Fprintf(w, "\t%d", s.samples)
	}
	fmt.Fprintln(w)
	return w.Flush()
}
