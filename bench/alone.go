package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"authwatch/classify"
	"authwatch/classify/profile"
	"authwatch/ingest"
	"authwatch/store"

	"github.com/prometheus/client_golang/prometheus"
)

// A pipeline is the product's ingestion in this process: handler, pipeline and database, without the network.
type pipeline struct {
	store   *store.Store
	handler http.Handler
	key     string
}

func openPipeline(ctx context.Context, dir string, profiles classify.Profiles) (*pipeline, error) {
	redactor, err := ingest.NewRedactor(make([]byte, 32))
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Options{DSN: filepath.Join(dir, "pipeline.db")})
	if err != nil {
		return nil, err
	}
	ingester, err := ingest.New(ingest.Options{
		Store: db, Profiles: profiles, Knowledge: classify.NewKnowledge(classify.DocumentedTexts()), Redactor: redactor,
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	_, key, err := db.CreateKey(ctx, store.ScopeIngest, "bench")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &pipeline{store: db, handler: ingester.Handler(), key: key}, nil
}

// post delivers a body and waits for the commit.
func (p *pipeline) post(body []byte) error { return p.send("/ingest/v1/responses", body) }

// send delivers a body to a route.
func (p *pipeline) send(route string, body []byte) error {
	req := httptest.NewRequest(http.MethodPost, route, bytes.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+p.key)
	answer := httptest.NewRecorder()
	p.handler.ServeHTTP(answer, req)
	if answer.Code != http.StatusOK {
		return fmt.Errorf("post batch: %d: %.500s", answer.Code, answer.Body)
	}
	return nil
}

func (p *pipeline) close() error { return p.store.Close() }

// bodies makes batches of generated records.
func bodies(t traffic, batch int) ([][]byte, error) {
	g, err := newGenerator(t)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for line := g.next(); line != nil; line = g.next() {
		if (g.made-1)%batch == 0 {
			out = append(out, nil)
		}
		last := len(out) - 1
		out[last] = append(out[last], line...)
	}
	return out, nil
}

// loadProfiles returns what the product would have in force.
func loadProfiles(paths []string) (classify.Profiles, error) {
	builtIn, err := profile.BuiltIn()
	if err != nil {
		return nil, err
	}
	var more []*classify.Profile
	for _, path := range paths {
		p, err := profile.Load(path)
		if err != nil {
			return nil, err
		}
		more = append(more, p)
	}
	return profile.With(builtIn, more...), nil
}

// An allocation is what the ingest path allocates for one record, from request body to commit.
type allocation struct {
	Percent int     `json:"percent"`
	Objects float64 `json:"objects"`
	Bytes   float64 `json:"bytes"`
}

// allocations counts what ten batches allocate after one that fills caches.
func (r *runner) allocations(ctx context.Context, profiles classify.Profiles, percent int) (a allocation, err error) {
	dir, remove, err := r.folder()
	if err != nil {
		return allocation{}, err
	}
	defer remove()
	t := r.traffic(percent)
	t.records = 11 * r.batch
	batches, err := bodies(t, r.batch)
	if err != nil {
		return allocation{}, err
	}
	p, err := openPipeline(ctx, dir, profiles)
	if err != nil {
		return allocation{}, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := p.post(batches[0]); err != nil {
		return allocation{}, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, body := range batches[1:] {
		if err := p.post(body); err != nil {
			return allocation{}, err
		}
	}
	runtime.ReadMemStats(&after)
	n := float64(10 * r.batch)
	return allocation{percent, float64(after.Mallocs-before.Mallocs) / n, float64(after.TotalAlloc-before.TotalAlloc) / n}, nil
}

// classifyAlone returns verdicts per second of one core's time, for redacted failures in memory with claims and text. It is
// the time that was used, not the time that passed: what others take of a shared core is no matter of the classifier.
func (r *runner) classifyAlone(profiles classify.Profiles) (float64, error) {
	t := r.traffic(100)
	t.records = min(t.records, 5000)
	var text bytes.Buffer
	if err := t.write(&text); err != nil {
		return 0, err
	}
	redactor, err := ingest.NewRedactor(make([]byte, 32))
	if err != nil {
		return 0, err
	}
	records, bad := ingest.Decode(text.Bytes(), redactor)
	if len(bad) > 0 {
		return 0, fmt.Errorf("decode records: %d are bad", len(bad))
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // the collector must not use another core
	classifier, history := classify.New(profiles, classify.NewKnowledge(classify.DocumentedTexts())), classify.History{}
	begin, err := ownCPU()
	if err != nil {
		return 0, err
	}
	n, start := 0, time.Now()
	for time.Since(start) < r.judging {
		for i := range records {
			e := classifier.Locate(&records[i].Record)
			if e.Outcome != classify.Failed {
				return 0, fmt.Errorf("record %d is no failure", i)
			}
			_ = classify.Classify(e, history)
		}
		n += len(records)
	}
	end, err := ownCPU()
	return float64(n) / (end - begin).Seconds(), err
}

// ownCPU is the processor time that this process has used.
func ownCPU() (time.Duration, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0, fmt.Errorf("read the time used: %w", err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), nil
}

// A commandResult is one run of authwatch classify on a file.
type commandResult struct {
	RecordsPerSecond float64 `json:"records_per_second"`
	PeakMiB          float64 `json:"peak_mib"`
}

// commandPercent is the share of failures in the file that the command reads.
const commandPercent = 10

// classifyCommand runs authwatch classify on the file of 10 % failures.
func (r *runner) classifyCommand(ctx context.Context) (commandResult, error) {
	t := r.traffic(commandPercent)
	file := filepath.Join(r.dir, "classify.ndjson")
	if _, err := t.writeFile(file); err != nil {
		return commandResult{}, err
	}
	defer os.Remove(file)
	args := []string{"classify", "--output", "ndjson"}
	for _, path := range r.profiles {
		args = append(args, "--profile", path)
	}
	var lines lineCounter
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, r.product, append(args, file)...)
	cmd.Stdout, cmd.Stderr = &lines, &stderr
	start := time.Now()
	err := cmd.Run()
	elapsed := time.Since(start)
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) { // 1: failures were found
		return commandResult{}, fmt.Errorf("classify: %w: %s", err, stderr.Bytes())
	}
	if int(lines) != t.failures() {
		return commandResult{}, fmt.Errorf("classify: %d verdicts for %d failures", lines, t.failures())
	}
	result := commandResult{RecordsPerSecond: float64(t.records) / elapsed.Seconds()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		result.PeakMiB = float64(usage.Maxrss) / (1 << 10) // KiB on Linux
	}
	return result, nil
}

// A lineCounter counts what is written to it and keeps nothing.
type lineCounter int

var _ io.Writer = (*lineCounter)(nil)

func (c *lineCounter) Write(p []byte) (int, error) {
	*c += lineCounter(bytes.Count(p, []byte{'\n'}))
	return len(p), nil
}
