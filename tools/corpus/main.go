// Command corpus records what real verifiers answer to spoiled requests, as labelled corpora for authwatch. It starts a
// verifier on 127.0.0.1 with throw-away keys, attacks it with every fault of the scenario list, and writes the exchanges
// beside the profile that its operator would have written. It never makes up an answer. docs/corpus.md tells how to add one.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("corpus", flag.ContinueOnError)
	verifier := flags.String("verifier", "", "record only this one")
	set := flags.String("set", heldOutSet, "record this set of verifiers, unless -verifier names one: "+heldOutSet+", "+blindSet+", "+blind2Set+", "+blind3Set+", "+rareSet)
	seed := flags.Uint64("seed", 1, "decides the order and the values of the attempts")
	dir := flags.String("out", ".", "directory of the corpora")
	if err := flags.Parse(args); err != nil {
		return err
	}
	found := false
	for _, sys := range systems() {
		wanted := sys.Set == *set
		if *verifier != "" {
			wanted = sys.Name == *verifier
		}
		if !wanted {
			continue
		}
		found = true
		if err := write(ctx, sys, *seed, *dir, out); err != nil {
			return fmt.Errorf("%s: %w", sys.Name, err)
		}
	}
	if !found {
		return fmt.Errorf("no verifier %q in set %q", *verifier, *set)
	}
	return nil
}

func write(ctx context.Context, sys System, seed uint64, dir string, out io.Writer) error {
	version, err := sys.version()
	if err != nil {
		return err
	}
	w, err := start(ctx, sys, seed)
	defer w.stop()
	if err != nil {
		return err
	}
	corpus, err := record(ctx, w, version)
	if err != nil {
		return err
	}
	profile, err := w.profile()
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	encoder.SetEscapeHTML(false)
	for _, l := range corpus.Lines {
		if err := encoder.Encode(l); err != nil {
			return fmt.Errorf("encode record %s: %w", l.Record.ID, err)
		}
	}
	base := filepath.Join(dir, sys.Name)
	if err := os.WriteFile(base+".ndjson", lines.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write corpus: %w", err)
	}
	if err := os.WriteFile(base+".profile.yaml", profile, 0o644); err != nil {
		return fmt.Errorf("write profile: %w", err)
	}
	return summarize(out, sys, version, corpus)
}

func summarize(out io.Writer, sys System, version string, c *Corpus) error {
	failures := 0
	for _, l := range c.Lines {
		if l.Truth != nil {
			failures++
		}
	}
	var accepted []string
	for id, n := range c.Accepted {
		accepted = append(accepted, fmt.Sprintf("%s %d of %d", id, n, c.Sent[id]))
	}
	slices.Sort(accepted)
	_, err := fmt.Fprintf(out, "%s (%s): %d records, %d failures; faults that it did not mind: %s\n",
		sys.Name, version, len(c.Lines), failures, strings.Join(accepted, ", "))
	return err
}

// version names the verifier's packages with their versions, as they are built in, locked or installed.
func (s System) version() (string, error) {
	versions, err := knownVersions()
	if err != nil {
		return "", err
	}
	var names []string
	for _, name := range s.Packages {
		version := versions[name]
		if version == "" {
			out, err := exec.Command("dpkg-query", "--show", "--showformat", "${Version}", name).Output()
			if err != nil {
				return "", fmt.Errorf("package %s is neither built in nor locked nor installed: %w", name, err)
			}
			version = string(out)
		}
		names = append(names, name+"@"+version)
	}
	return strings.Join(names, "+"), nil
}

// knownVersions maps the Go modules and npm packages to their versions.
func knownVersions() (map[string]string, error) {
	versions := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			versions[d.Path] = d.Version
		}
	}
	data, err := os.ReadFile("package-lock.json")
	if err != nil {
		return nil, fmt.Errorf("read the versions of the npm packages (is this tools/corpus?): %w", err)
	}
	var lock struct {
		Packages map[string]struct{ Version string } `json:"packages"`
	}
	if err := json.Unmarshal(data, &lock); err != nil {
		return nil, fmt.Errorf("read package-lock.json: %w", err)
	}
	for path, p := range lock.Packages {
		if name, ok := strings.CutPrefix(path, "node_modules/"); ok {
			versions[name] = p.Version
		}
	}
	return versions, nil
}
