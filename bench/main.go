package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// Options are the flags.
type options struct {
	records  int
	rounds   int
	percents []int
	seed     uint64
	clients  int
	senders  int
	batch    int
	failures int
	parts    []string
	json     string
	temp     string
	product  string // path of the authwatch that is measured
	serve    string
	fill     string
	db       string

	victoriaLogs string // path of its program, "" for none
}

// parts lists what can be measured.
func parts() []string { return []string{"ingest", "formats", "classify", "reads", "pages"} }

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	var percents, chosen string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&o.records, "records", 1_000_000, "records in each generated file")
	f.IntVar(&o.rounds, "rounds", 5, "rounds; the figures are medians")
	f.StringVar(&percents, "percent", "2,10,30,100", "shares of failures, one file each")
	f.Uint64Var(&o.seed, "seed", 1, "of the generator: the same seed gives the same files")
	f.IntVar(&o.clients, "clients", 400, "clients in the files")
	f.IntVar(&o.senders, "senders", 8, "concurrent senders")
	f.IntVar(&o.batch, "batch", 1000, "records in a request")
	f.IntVar(&o.failures, "failures", 100_000, "failures in the database on which reads and pages are timed")
	f.StringVar(&o.fill, "fill", "", "only make that database, of the 30 days that end now, in this new folder, with its profiles")
	f.StringVar(&chosen, "parts", strings.Join(parts(), ","), "what to measure")
	f.StringVar(&o.json, "json", "", "write everything that was measured to this file")
	f.StringVar(&o.temp, "dir", "", "folder for files and databases, removed at the end (default: the system's temporary folder)")
	f.StringVar(&o.product, "product", "", "an authwatch to measure in the place of the one that is built from here, such as that of an earlier version")
	f.StringVar(&o.victoriaLogs, "victorialogs", "", "a program of VictoriaLogs that gets the same files (default: none)")
	f.StringVar(&o.serve, "serve", "", "internal: be one of the plain servers, reference or split")
	f.StringVar(&o.db, "db", "", "internal: database of the reference")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	for text := range strings.SplitSeq(percents, ",") {
		percent, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || percent < 0 || percent > 100 {
			return o, fmt.Errorf("-percent %s: whole numbers from 0 to 100 are expected", percents)
		}
		o.percents = append(o.percents, percent)
	}
	for text := range strings.SplitSeq(chosen, ",") {
		if !slices.Contains(parts(), text) {
			return o, fmt.Errorf("-parts %s: some of %s are expected", chosen, strings.Join(parts(), ","))
		}
		o.parts = append(o.parts, text)
	}
	if min(o.records, o.rounds, o.clients, o.senders, o.batch, o.failures) < 1 {
		return o, fmt.Errorf("-records, -rounds, -clients, -senders, -batch and -failures are at least 1")
	}
	return o, nil
}

// traffic describes the file of one share: a million records are a day.
func (o options) traffic(percent int) traffic {
	return traffic{
		seed: o.seed, records: o.records, percent: percent, clients: o.clients,
		from: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), step: 86400 * time.Microsecond,
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	if o.serve != "" {
		return o.serveTarget(ctx)
	}
	dir, err := os.MkdirTemp(o.temp, "authwatch-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	r := &runner{
		options: o, dir: dir, self: self, judging: 3 * time.Second, asks: 100,
		log: func(format string, args ...any) { fmt.Fprintf(stderr, format+"\n", args...) },
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	if o.fill != "" {
		return r.fillFolder(ctx)
	}
	result, err := r.run(ctx)
	if err != nil {
		return err
	}
	if o.json != "" {
		text, err := json.MarshalIndent(result, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.json, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	return result.print(stdout)
}

// serveTarget is the process of one of the plain servers.
func (o options) serveTarget(ctx context.Context) error {
	switch o.serve {
	case "split":
		return serveTarget(ctx, split)
	case "reference":
		ref, err := openReference(ctx, o.db)
		if err != nil {
			return err
		}
		defer ref.close()
		return serveTarget(ctx, ref.take)
	}
	return fmt.Errorf("-serve %s: reference or split is expected", o.serve)
}

// prepare builds the product, unless there is one, and writes what it is started with.
func (r *runner) prepare(ctx context.Context) (err error) {
	if r.product == "" {
		r.product = filepath.Join(r.dir, "authwatch")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", r.product, "authwatch/cmd/authwatch").CombinedOutput(); err != nil {
			return fmt.Errorf("build authwatch: %w: %s", err, out)
		}
	}
	if r.profiles, err = writeProfiles(r.dir); err != nil {
		return fmt.Errorf("write profiles: %w", err)
	}
	r.emptyFile, err = r.emptySize(ctx)
	return err
}

// A result is everything that one run of the yardstick measured.
type result struct {
	Go          string         `json:"go"`
	Cores       int            `json:"cores"`
	Senders     int            `json:"senders"`
	Batch       int            `json:"batch"`
	Seed        uint64         `json:"seed"`
	Rounds      int            `json:"rounds"`
	Files       []fileResult   `json:"files,omitempty"`
	Formats     []formatResult `json:"formats,omitempty"`
	Allocations []allocation   `json:"allocations,omitempty"`
	Classify    float64        `json:"classify_per_second,omitempty"` // verdicts in memory on one core
	Command     *commandResult `json:"classify_command,omitempty"`
	Reads       *readResult    `json:"reads,omitempty"`
	Targets     []target       `json:"targets"`
}

func (r *runner) run(ctx context.Context) (*result, error) {
	out := &result{Go: runtime.Version(), Cores: runtime.NumCPU(), Senders: r.senders, Batch: r.batch, Seed: r.seed, Rounds: r.rounds}
	if slices.Contains(r.parts, "ingest") {
		for _, percent := range r.percents {
			file, err := r.ingestion(ctx, percent)
			if err != nil {
				return nil, fmt.Errorf("ingest %d %%: %w", percent, err)
			}
			out.Files = append(out.Files, file)
			if percent == commandPercent && slices.Contains(r.parts, "classify") { // set beside it: the machine is another one later
				if err := r.runCommand(ctx, out); err != nil {
					return nil, err
				}
			}
		}
	}
	if slices.Contains(r.parts, "formats") {
		var err error
		if out.Formats, err = r.inFormats(ctx); err != nil {
			return nil, fmt.Errorf("formats: %w", err)
		}
	}
	if slices.Contains(r.parts, "classify") {
		if err := r.runAlone(ctx, out); err != nil {
			return nil, err
		}
	}
	if slices.Contains(r.parts, "reads") || slices.Contains(r.parts, "pages") {
		reads, err := r.reads(ctx)
		if err != nil {
			return nil, fmt.Errorf("reads: %w", err)
		}
		out.Reads = &reads
	}
	out.Targets = out.targets()
	return out, nil
}

// runAlone measures parts of the product by themselves.
func (r *runner) runAlone(ctx context.Context, out *result) error {
	profiles, err := loadProfiles(r.profiles)
	if err != nil {
		return err
	}
	if out.Classify, err = r.classifyAlone(profiles); err != nil {
		return err
	}
	for _, percent := range r.percents {
		a, err := r.allocations(ctx, profiles, percent)
		if err != nil {
			return fmt.Errorf("count allocations: %w", err)
		}
		out.Allocations = append(out.Allocations, a)
	}
	if out.Command != nil {
		return nil
	}
	return r.runCommand(ctx, out)
}

func (r *runner) runCommand(ctx context.Context, out *result) error {
	command, err := r.classifyCommand(ctx)
	out.Command = &command
	return err
}
