package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

type options struct {
	kills  int
	seed   uint64
	within time.Duration // after the first acknowledgements of a round, at most
	ready  time.Duration // longest start that passes; 0: any
	flood  time.Duration // 0: kill; else flood for that long
	settle time.Duration // after a flood, within which all has to be as before
	slower int           // than before it, at most so many times, is as before
	binary string        // "" builds one
	root   string        // of the module
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("crash", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.kills, "kills", 200, "how often the server is killed")
	flags.Uint64Var(&o.seed, "seed", 1, "of the moments")
	flags.DurationVar(&o.within, "within", 500*time.Millisecond, "latest moment of a kill after the first acknowledgements of its round")
	flags.DurationVar(&o.ready, "ready", 2*time.Second, "longest time from start to ready that passes; 0: any")
	flags.DurationVar(&o.flood, "flood", 0, "flood the server for that long instead of killing it")
	flags.DurationVar(&o.settle, "settle", 5*time.Second, "how soon after a flood all has to be as before")
	flags.StringVar(&o.binary, "binary", "", "authwatch to kill (default: built from this module)")
	if flags.Parse(args) != nil {
		return 2
	}
	o.root, o.slower = ".", 2
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	dir, err := os.MkdirTemp("", "authwatch-crash-")
	if err != nil {
		fmt.Fprintln(stderr, "crash:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	var result fmt.Stringer
	if o.flood > 0 {
		result, err = o.flooding(ctx, dir)
	} else {
		result, err = o.crash(ctx, dir, func(format string, args ...any) { fmt.Fprintf(stderr, format+"\n", args...) })
	}
	if err != nil {
		fmt.Fprintln(stderr, "crash:", err)
		return 1
	}
	fmt.Fprintln(stdout, result)
	return 0
}

// build makes the binary unless one was named.
func (o options) build(ctx context.Context, dir string) (string, error) {
	if o.binary != "" {
		return o.binary, nil
	}
	binary := filepath.Join(dir, "authwatch")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/authwatch")
	cmd.Dir = o.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build authwatch: %w: %s", err, out)
	}
	return binary, nil
}
