package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A fakeServer answers as its script says and then takes everything; it keeps what it took.
type fakeServer struct {
	mu      sync.Mutex
	script  []func(w http.ResponseWriter, lines []string) bool // true: answered
	taken   []string
	asked   int
	largest int
}

func (s *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unpacked, err := gzip.NewReader(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnsupportedMediaType)
		return
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	s.asked++
	if len(s.script) > 0 {
		next := s.script[0]
		s.script = s.script[1:]
		if next(w, lines) {
			return
		}
	}
	if s.largest > 0 && len(lines) > s.largest {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	s.taken = append(s.taken, lines...)
	fmt.Fprintf(w, `{"received":%d,"accepted":%d,"errors":[]}`, len(lines), len(lines))
}

func refuse(status int, retryAfter, body string) func(http.ResponseWriter, []string) bool {
	return func(w http.ResponseWriter, _ []string) bool {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
		return true
	}
}

func (s *fakeServer) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

// An ingestRun is the command against a fake server.
type ingestRun struct {
	t              *testing.T
	dir            string
	server         *fakeServer
	url            string
	stdout, stderr *buffer
}

func newIngestRun(t *testing.T, server *fakeServer) *ingestRun {
	t.Helper()
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	return &ingestRun{t: t, dir: t.TempDir(), server: server, url: h.URL, stdout: &buffer{}, stderr: &buffer{}}
}

func (r *ingestRun) path(name string) string { return filepath.Join(r.dir, name) }

func (r *ingestRun) write(name, text string) {
	r.t.Helper()
	f, err := os.OpenFile(r.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *ingestRun) run(ctx context.Context, stdin io.Reader, args ...string) int {
	env := func(name string) string { return map[string]string{"AUTHWATCH_KEY": "aw_ingest_x_secret"}[name] }
	args = append([]string{"ingest", "--url", r.url, "--state", r.path("state.json")}, args...)
	return run(ctx, args, env, stdin, r.stdout, r.stderr)
}

// until waits for a state that another goroutine brings about.
func (r *ingestRun) until(what string, ok func() bool) {
	r.t.Helper()
	for range 2400 {
		if ok() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	r.t.Fatalf("%s did not happen; taken %q\n%s", what, r.server.lines(), r.stderr)
}

func numberedLines(from, to int) string {
	var out strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&out, "line %d\n", i)
	}
	return out.String()
}

func TestIngest_WaitsForTheServer(t *testing.T) {
	t.Parallel()
	s := &fakeServer{script: []func(http.ResponseWriter, []string) bool{
		refuse(503, "1", `{"title":"overloaded","detail":"nothing was stored"}`), refuse(429, "0", ""), refuse(502, "", "<html>"),
	}}
	r := newIngestRun(t, s)
	r.write("a.log", numberedLines(0, 3))
	if status := r.run(context.Background(), nil, r.path("a.log")); status != exitOK {
		t.Fatalf("status %d: %s", status, r.stderr)
	}
	if got := strings.Join(s.lines(), ","); got != "line 0,line 1,line 2" || s.asked != 4 {
		t.Errorf("%d requests took %s", s.asked, got)
	}
	if text := r.stderr.String(); !strings.Contains(text, "waiting 1s: 503 Service Unavailable nothing was stored") || strings.Contains(text, "secret") {
		t.Errorf("said %s", text)
	}
}

func TestIngest_SplitsWhatIsTooLarge(t *testing.T) {
	s := &fakeServer{largest: 3}
	r := newIngestRun(t, s)
	r.write("a.log", numberedLines(0, 10)+strings.Repeat("x", maxLine+1)+"\n"+numberedLines(10, 11))
	if status := r.run(context.Background(), nil, r.path("a.log")); status != exitNotOK {
		t.Errorf("status %d for a line that is too long", status)
	}
	if got, want := strings.Join(s.lines(), "\n")+"\n", numberedLines(0, 11); got != want {
		t.Errorf("taken %q", got)
	}
	if !strings.Contains(r.stderr.String(), "a.log:11: record_too_large") {
		t.Errorf("said %s", r.stderr)
	}
}

// Rejected records are named by their line, also when lines hold several records, and never quoted.
func TestIngest_NamesRejectedLines(t *testing.T) {
	s := &fakeServer{script: []func(http.ResponseWriter, []string) bool{
		refuse(200, "", `{"received":4,"accepted":3,"rejected":1,"errors":[{"index":3,"pointer":"/time","code":"missing_time","detail":"time is missing"}]}`),
		refuse(422, "", `{"title":"no readable record","errors":[{"index":0,"code":"not_json","detail":"no"}]}`),
	}}
	r := newIngestRun(t, s)
	r.write("a.log", "{\"a\":1}{\"b\":1}\n\n{\"c\":1}\n{\"secretd\":1}\n")
	r.write("b.log", "nonsense\n")
	if status := r.run(context.Background(), nil, r.path("a.log"), r.path("b.log")); status != exitNotOK {
		t.Errorf("status %d", status)
	}
	text := r.stderr.String()
	if !strings.Contains(text, "a.log:4: missing_time at /time: time is missing") || !strings.Contains(text, "b.log:1: not_json: no") || strings.Contains(text, "secretd") {
		t.Errorf("said %s", text)
	}
	if got := r.stdout.String(); got != "5 records sent from 2 files: 3 accepted, 0 duplicates, 2 rejected\n" {
		t.Errorf("said %s after %s", got, text)
	}
}

// A log of text whose first line begins with a bracket is no JSON document, in which all after it would be lost.
func TestIngest_BracketFirst(t *testing.T) {
	s := &fakeServer{}
	r := newIngestRun(t, s)
	r.write("a.log", "[notice] started\n"+numberedLines(0, 3))
	if status := r.run(context.Background(), nil, r.path("a.log")); status != exitOK || len(s.lines()) != 4 {
		t.Errorf("status %d, taken %q\n%s", status, s.lines(), r.stderr)
	}
}

// A followed log is sent through a rename, an emptying and a last line that comes in two pieces; every line once and in order.
func TestIngest_FollowsRotation(t *testing.T) {
	t.Parallel()
	s := &fakeServer{}
	r := newIngestRun(t, s)
	r.write("a.log", numberedLines(0, 3)+"line")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	status := make(chan int, 1)
	go func() { status <- r.run(ctx, nil, "-f", r.path("a.log")) }()
	has := func(n int) func() bool { return func() bool { return len(s.lines()) >= n } }
	r.until("the first lines", has(3))
	r.write("a.log", " 3\n")
	r.until("the finished line", has(4))
	r.write("a.log", "line 4") // never finished: the writer moved on
	if err := os.Rename(r.path("a.log"), r.path("a.log.1")); err != nil {
		t.Fatal(err)
	}
	r.write("a.log", numberedLines(5, 7))
	r.until("the rotated log", has(7))
	if err := os.Truncate(r.path("a.log"), 0); err != nil {
		t.Fatal(err)
	}
	r.write("a.log", numberedLines(7, 8)) // by which it is still shorter than it was
	r.until("the emptied log", has(8))
	cancel()
	if got := <-status; got != exitOK {
		t.Errorf("status %d: %s", got, r.stderr)
	}
	if got := strings.Join(s.lines(), "\n") + "\n"; got != numberedLines(0, 8) {
		t.Errorf("taken %q", got)
	}
}

// Logs that begin alike are not the same log.
func TestIngest_TellsLogsApart(t *testing.T) {
	s := &fakeServer{}
	r := newIngestRun(t, s)
	banner := strings.Repeat("the same first line of every log\n", 40)
	r.write("a.log", banner+numberedLines(0, 2))
	r.write("b.log", banner+numberedLines(2, 5))
	for range 2 {
		if status := r.run(context.Background(), nil, r.path("a.log"), r.path("b.log")); status != exitOK {
			t.Fatalf("status %d: %s", status, r.stderr)
		}
	}
	if got, want := len(s.lines()), 85; got != want {
		t.Errorf("%d lines taken, want %d", got, want)
	}
	r.write("b.log", "line 5\n")
	if status := r.run(context.Background(), nil, r.path("b.log")); status != exitOK || s.lines()[len(s.lines())-1] != "line 5" || len(s.lines()) != 86 {
		t.Errorf("status %d, %d lines: %s", status, len(s.lines()), r.stderr)
	}
}

// Lines of a pipe go out while it is open, and it is followed to its end and no further.
func TestIngest_StandardInputAsItComes(t *testing.T) {
	s := &fakeServer{}
	r := newIngestRun(t, s)
	in, out := io.Pipe()
	status := make(chan int, 1)
	go func() { status <- r.run(context.Background(), in, "-f", "-") }()
	if _, err := io.WriteString(out, "line 0\n"); err != nil {
		t.Fatal(err)
	}
	r.until("the first line", func() bool { return len(s.lines()) == 1 })
	if _, err := io.WriteString(out, "line 1"); err != nil {
		t.Fatal(err)
	}
	out.Close()
	if got := <-status; got != exitOK || strings.Join(s.lines(), ",") != "line 0,line 1" {
		t.Errorf("status %d, taken %q", got, s.lines())
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	for field, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "99999999": 10 * time.Minute, "soon": 0,
		"Sun, 22 Nov 2026 02:00:09 GMT": 9 * time.Second, "Sun, 22 Nov 2026 01:00:00 GMT": 0,
	} {
		if got := retryAfter(field, now); got != want {
			t.Errorf("%q: %s, want %s", field, got, want)
		}
	}
}

// A mapping for one source is used for the key of that name, over real HTTP.
func TestServe_MapsBySource(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.yaml")
	if err := os.WriteFile(file, []byte("mappings: [{source: test, fields: {time: when, response.status: code, client_id: who}}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "--mapping", file)
	a := s.post(s.key("ingest"), "/ingest/v1/responses", []byte(`{"when":"2026-11-20T10:00:00Z","code":401,"who":"mapped"}
{"time":"2026-11-20T10:00:00Z","message":"started"}`))
	if a.Received != 2 || a.Accepted != 1 || a.Rejected != 0 {
		t.Errorf("answer %+v", a)
	}
	found := list[struct {
		ClientID string `json:"client_id"`
	}](s, s.key("read"), "/api/v1/failures")
	if len(found) != 1 || found[0].ClientID != "mapped" {
		t.Errorf("failures %+v", found)
	}
	if metrics := s.get(http.DefaultClient, s.key("admin"), "/metrics"); !bytes.Contains(metrics, []byte(`authwatch_records_total{result="other"} 1`)) {
		t.Errorf("the line without an exchange is not counted")
	}
}

func TestElements(t *testing.T) {
	for in, want := range map[string]string{
		`[{"a":1}, {"b":2}]`: `{"a":1} {"b":2}`, "{\n\"a\": 1}\n{\"b\":2}": `{"a":1} {"b":2}`, "[]": "", "[1,": "cut_off", "{\n\"a\":1}\noops": `{"a":1} not_json`,
		"[\n{\"a\":1},\n{b},\n{\n\"c\":1},\n{": `{"a":1} not_json {"c":1} cut_off`,
	} {
		var got []string
		for _, e := range elements([]byte(in)) {
			if e.bad != nil {
				e.line = []byte(e.bad.Code)
			}
			got = append(got, string(e.line))
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%q: %q, want %q", in, text, want)
		}
	}
}
