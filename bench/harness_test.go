package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// testRunner builds both binaries: this one is the test's.
func testRunner(t *testing.T, args ...string) *runner {
	t.Helper()
	o, err := parseOptions(args, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{options: o, dir: t.TempDir(), judging: time.Millisecond, asks: 2, log: t.Logf}
	r.self = filepath.Join(r.dir, "bench")
	if out, err := exec.Command("go", "build", "-o", r.self, ".").CombinedOutput(); err != nil {
		t.Fatalf("build bench: %v: %s", err, out)
	}
	if err := r.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHarness(t *testing.T) {
	r := testRunner(t, "-records", "2000", "-rounds", "1", "-percent", "10", "-batch", "200", "-failures", "200")
	t.Run("all parts", func(t *testing.T) { testRun(t, r) })
	t.Run("check", func(t *testing.T) { testCheck(t, r) })
}

// Each part checks its own figures against the database, so what is left is that all are there.
func testRun(t *testing.T, r *runner) {
	result, err := r.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Files {
		for _, runs := range [][]figures{f.ProductRuns, f.ReferenceRuns, f.SplitRuns} {
			if len(runs) != 1 {
				t.Errorf("%d %%: %d runs", f.Percent, len(runs))
			}
		}
		for name, value := range map[string]float64{
			"product": f.Product.RecordsPerSecond, "reference": f.Reference.RecordsPerSecond, "split": f.Split.RecordsPerSecond,
			"bulk": f.Product.BulkPerSecond, "memory": f.Product.PeakMiB, "CPU": f.Product.CPUMicros, "size": f.Product.FailureBytes, "p99": f.HalfRate.AckP99,
		} {
			if value <= 0 {
				t.Errorf("%d %%: %s is %v", f.Percent, name, value)
			}
		}
	}
	if len(result.Reads.Requests) != 5 || result.Classify <= 0 || result.Command.RecordsPerSecond <= 0 || len(result.Allocations) != 1 {
		t.Errorf("parts are missing: %+v", result)
	}
	for _, page := range result.Reads.Pages {
		if page.P95 <= 0 || page.Bytes < 1000 || page.FirstBytes < page.Bytes+1000 {
			t.Errorf("page %+v", page)
		}
	}
	if len(result.Reads.Pages) < 10 {
		t.Errorf("%d pages", len(result.Reads.Pages))
	}
	if len(result.Formats) != len(formats()) {
		t.Errorf("%d formats", len(result.Formats))
	}
	for _, f := range result.Formats {
		if f.RecordsPerSecond <= 0 || f.CPUMicros <= 0 || f.Bytes == 0 {
			t.Errorf("format %+v", f)
		}
	}
	var table strings.Builder
	if err := result.print(&table); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(table.String(), "≥") + strings.Count(table.String(), "≤"); got != len(result.Targets) || got != 12+2*len(result.Reads.Pages) {
		t.Errorf("%d targets in the table, %d in the result:\n%s", got, len(result.Targets), &table)
	}
	if _, err := json.Marshal(result); err != nil {
		t.Error(err)
	}
}

// The check must notice a failure too few, or the yardstick would time an empty server.
func testCheck(t *testing.T, r *runner) {
	whole := sample(400, 50)
	file := filepath.Join(r.dir, "short.ndjson")
	lines := strings.SplitAfter(string(text(t, whole)), "\n")
	short := slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(line, `"status":403`) })
	if err := os.WriteFile(file, []byte(strings.Join(short, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.runProduct(t.Context(), whole, file, 0); err == nil {
		t.Error("a file without its refusals with 403 passed as the whole file")
	}
	p, err := r.startProduct(t.Context(), filepath.Join(t.TempDir(), "aw.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	key, err := p.key(t.Context(), "read")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.check(t.Context(), key, whole); err == nil {
		t.Error("an empty database passed as one with 200 failures")
	}
}

// A paced load counts from when a batch was due, so that a slow server cannot hide what it kept waiting.
func TestLoad_Pace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(file, []byte("a\nb\nc\nd\ne"), 0o600); err != nil {
		t.Fatal(err)
	}
	batches, used := make(chan *batch, 8), make(chan *batch, 8)
	for range cap(used) {
		used <- &batch{}
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := (load{batch: 2, every: time.Millisecond}).cut(context.Background(), f, batches, used); err != nil {
		t.Fatal(err)
	}
	close(batches)
	var bodies []string
	var dues []time.Time
	for b := range batches {
		bodies = append(bodies, string(b.body))
		dues = append(dues, b.due)
	}
	if !slices.Equal(bodies, []string{"a\nb\n", "c\nd\n", "e"}) {
		t.Errorf("batches %q", bodies)
	}
	if dues[1].Sub(dues[0]) != time.Millisecond || dues[2].Sub(dues[1]) != time.Millisecond {
		t.Errorf("due at %v", dues)
	}
}

func TestQuantileAndMedian(t *testing.T) {
	list := []float64{5, 1, 4, 2, 3}
	for q, want := range map[float64]float64{0: 1, 0.5: 3, 0.8: 4, 0.99: 5, 1: 5} {
		if got := quantile(list, q); got != want {
			t.Errorf("quantile %v: %v, want %v", q, got, want)
		}
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("median of four: %v", got)
	}
	if median(nil) != 0 || quantile([]float64{}, 0.5) != 0 {
		t.Error("no values must give 0")
	}
}

// On a shared machine each round has its own weather: a ratio is taken within a round, and only then the median.
func TestFileResult_Targets(t *testing.T) {
	speeds := func(list ...float64) []figures {
		runs := make([]figures, len(list))
		for i, v := range list {
			runs[i].RecordsPerSecond = v
			runs[i].BulkPerSecond = v
		}
		return runs
	}
	f := fileResult{Percent: 10, Records: largeFile, ProductRuns: speeds(60, 6, 600, 6, 60), ReferenceRuns: speeds(10, 1, 200, 1, 10), SplitRuns: speeds(240, 24, 2400, 48, 480)}
	f.Product, f.Reference = medians(f.ProductRuns), medians(f.ReferenceRuns)
	got := f.targets()
	if len(got) != 4 || got[0].Value != 6 || !got[0].Reached || got[1].Value != 0.25 || !got[1].Reached || got[0].Note != "" {
		t.Errorf("targets %+v", got)
	}
	f.VictoriaLogsRuns = speeds(10, 2, 50, 1, 10)
	if got := f.targets(); len(got) != 6 || got[2].Value != 6 || !got[2].Reached || got[3].AtMost != 1 {
		t.Errorf("targets beside VictoriaLogs %+v", got)
	}
	f.Records = 1000
	if got := f.targets(); got[0].Note == "" {
		t.Error("a small file passes as the one that is asked for")
	}
}

// Both servers say on standard error where they listen, each in its own words.
func TestFindAddress(t *testing.T) {
	for log, want := range map[string]string{
		"starting\n" + `{"level":"INFO","msg":"listening","address":"127.0.0.1:4711"}` + "\n": "127.0.0.1:4711",
		"info	lib/httpserver/httpserver.go:145	started server at http://127.0.0.1:9428/\n":    "127.0.0.1:9428",
		"no word of it\n": "",
	} {
		address := make(chan string, 1)
		findAddress(strings.NewReader(log), address)
		if got := <-address; got != want {
			t.Errorf("%q: found %q, want %q", log, got, want)
		}
	}
}

// What is found is what counts: VictoriaLogs does not say how many records it took.
func TestCountVictoriaLogs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/select/logsql/query" || r.URL.Query().Get("query") != "* | stats count() records" {
			http.Error(w, "unknown query", http.StatusBadRequest)
			return
		}
		_, _ = w.Write([]byte(`{"records":"42"}` + "\n"))
	}))
	defer server.Close()
	if n, err := countVictoriaLogs(t.Context(), server.URL); err != nil || n != 42 {
		t.Errorf("got %d, %v", n, err)
	}
	if _, err := countVictoriaLogs(t.Context(), server.URL+"/other"); err == nil {
		t.Error("an answer with an error counts as a number")
	}
}

func TestParseOptions(t *testing.T) {
	for _, args := range [][]string{{"-percent", "101"}, {"-percent", "x"}, {"-parts", "speed"}, {"-rounds", "0"}} {
		if _, err := parseOptions(args, &strings.Builder{}); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
}
