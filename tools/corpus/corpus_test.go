package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"go.yaml.in/yaml/v3"
)

// inGo lists the systems that run in this process. Their skew is dropped, because the last fault waits for it.
func inGo() []System {
	var list []System
	for _, s := range systems() {
		if s.Go != nil {
			s.Skew = 0
			list = append(list, s)
		}
	}
	return list
}

// recorded runs a system and returns what it recorded, its profile and how many requests its servers saw.
func recorded(t *testing.T, sys System, seed uint64) (*Corpus, []byte, int) {
	t.Helper()
	var seen atomic.Int64
	handler := sys.Go
	sys.Go = func(s Setup) (http.Handler, error) {
		next, err := handler(s)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen.Add(1)
			next.ServeHTTP(w, r)
		}), err
	}
	version, err := sys.version()
	if err != nil {
		t.Fatal(err)
	}
	w, err := start(context.Background(), sys, seed)
	t.Cleanup(w.stop)
	if err != nil {
		t.Fatal(err)
	}
	corpus, err := record(context.Background(), w, version)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := w.profile()
	if err != nil {
		t.Fatal(err)
	}
	return corpus, profile, int(seen.Load())
}

func TestEveryFaultReachesTheVerifier(t *testing.T) {
	for _, sys := range inGo() {
		t.Run(sys.Name, func(t *testing.T) {
			t.Parallel()
			corpus, profile, seen := recorded(t, sys, 3)
			answered := 0
			for _, l := range corpus.Lines {
				if l.Record.Response != nil {
					answered++
				}
			}
			for _, f := range sys.faults() {
				want := min(f.times(), sys.times())
				if got := corpus.Sent[f.ID]; got != want {
					t.Errorf("fault %s: sent %d times, want %d", f.ID, got, want)
				}
				if f.Mode == modeGone {
					answered -= want
				}
			}
			if seen != answered {
				t.Errorf("the verifier saw %d requests, the corpus has %d of its answers", seen, answered)
			}
			if sent, accepted := corpus.Sent["R05"], corpus.Accepted["R05"]; sys.Calls && !sys.SkewFixed && (sent != 3 || accepted != 0) {
				t.Errorf("%d tokens expired in use, of which %d were still accepted; want 3 and 0", sent, accepted)
			}
			checkLines(t, encodeLines(t, corpus.Lines))
			if err := yaml.Unmarshal(profile, &Profile{}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEveryFaultAppliesToAVerifier(t *testing.T) {
	ids := map[string]bool{}
	for _, f := range faults() {
		if ids[f.ID] {
			t.Errorf("fault %s is listed twice", f.ID)
		}
		ids[f.ID] = true
		if !slices.ContainsFunc(systems(), func(s System) bool {
			return slices.ContainsFunc(s.faults(), func(other Fault) bool { return other.ID == f.ID })
		}) {
			t.Errorf("fault %s is injected nowhere", f.ID)
		}
	}
}

func TestSameSeedSameLabels(t *testing.T) {
	seeds := []uint64{5, 5, 6}
	labels := make([][]string, len(seeds))
	t.Run("record", func(t *testing.T) {
		for i, seed := range seeds {
			t.Run(fmt.Sprintf("%d seed %d", i, seed), func(t *testing.T) {
				t.Parallel()
				corpus, _, _ := recorded(t, goOIDCSystem(), seed)
				for _, l := range corpus.Lines {
					labels[i] = append(labels[i], marshal([]any{l.Record.ID, l.Record.Environment, l.Record.Request, l.Record.Response.Status, l.Truth}))
				}
			})
		}
	})
	if len(labels[0]) != len(labels[1]) {
		t.Fatalf("%d lines, then %d", len(labels[0]), len(labels[1]))
	}
	for i, first := range labels[0] {
		if second := labels[1][i]; first != second {
			t.Fatalf("line %d differs:\n%s\n%s", i, first, second)
		}
	}
	if slices.Equal(labels[0], labels[2]) {
		t.Error("another seed gave the same lines")
	}
}

// TestCorpora holds the recorded corpora to the same demands as a fresh one.
func TestCorpora(t *testing.T) {
	for _, sys := range systems() {
		file := filepath.Join("..", "..", "classify", "testdata", sys.Set, sys.Name+".ndjson")
		data, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		if len(data) > 250_000 {
			t.Errorf("%s has %d bytes: a corpus must stay readable in a review", file, len(data))
		}
		checkLines(t, data)
	}
}

// TestPackagesCanBeInstalled finds a verifier whose package neither go.mod nor package-lock.json nor debian-packages brings.
func TestPackagesCanBeInstalled(t *testing.T) {
	modules, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	npm, err := knownVersions()
	if err != nil {
		t.Fatal(err)
	}
	debian, err := os.ReadFile("debian-packages")
	if err != nil {
		t.Fatal(err)
	}
	for _, sys := range systems() {
		for _, name := range sys.Packages {
			isModule := strings.Contains(string(modules), "\t"+name+" v")
			isDebian := slices.Contains(strings.Fields(string(debian)), name)
			if !isModule && npm[name] == "" && !isDebian {
				t.Errorf("%s: nothing installs package %s", sys.Name, name)
			}
		}
	}
}

func encodeLines(t *testing.T, lines []Line) []byte {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	for _, l := range lines {
		if err := encoder.Encode(l); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// checkLines holds a corpus to what its readers rely on: it parses, in time order, with a known cause for every failure,
// and without a token, a signature or an address of the machine that recorded it.
func checkLines(t *testing.T, data []byte) {
	t.Helper()
	causes := map[string]string{"R05": "expired_mid_session"}
	for _, f := range faults() {
		causes[f.ID] = f.Cause
	}
	leak := regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}|127\.0\.0\.1|localhost|PRIVATE KEY|/node_modules/`)
	ids := map[string]bool{}
	var last Record
	for line := range bytes.Lines(data) {
		if found := leak.Find(line); found != nil {
			t.Errorf("%s is in %.300s", found, line)
		}
		var l Line
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&l); err != nil {
			t.Fatal(err)
		}
		if ids[l.Record.ID] {
			t.Errorf("record %s occurs twice", l.Record.ID)
		}
		ids[l.Record.ID] = true
		if l.Record.Time.Before(last.Time) {
			t.Errorf("record %s is older than the one before", l.Record.ID)
		}
		last = l.Record
		switch {
		case l.Truth == nil && l.Record.Response.Status >= 300:
			t.Errorf("record %s is a refusal without a truth", l.Record.ID)
		case l.Truth != nil && (l.Truth.Also == nil || l.Truth.Verifier == "" || causes[l.Truth.Fault] != l.Truth.Cause):
			t.Errorf("record %s has the truth %s", l.Record.ID, marshal(l.Truth))
		}
	}
}
