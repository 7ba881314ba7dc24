package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"authwatch/store"
)

// A buffer may be written by the program while a test reads it.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// A testServer is the whole program serving in this process.
type testServer struct {
	t              *testing.T
	url            string
	db             string // path
	demo           bool
	stdout, stderr *buffer
	getenv         func(string) string
	stop           context.CancelFunc
	status         chan int
	browser        *http.Client // signed in once signIn was called
}

// newTestServer is not started yet. The memory that one server is granted would be too little here: the tests run several.
func newTestServer(t *testing.T, db string) *testServer {
	return &testServer{t: t, db: db, getenv: envOf(grantedVar, "off"), stdout: &buffer{}, stderr: &buffer{}, status: make(chan int, 1)}
}

// startServer runs authwatch serve on a free port until the test ends.
func startServer(t *testing.T, args ...string) *testServer {
	t.Helper()
	s := newTestServer(t, filepath.Join(t.TempDir(), "aw.db"))
	return s.start(append([]string{"serve", "--db", s.db, "--listen", "127.0.0.1:0", "--retain", "forever", "--retain-summaries", "forever"}, args...)) // the tests' records have times of their own
}

// startDemo runs authwatch serve --demo.
func startDemo(t *testing.T) *testServer {
	t.Helper()
	dir := t.TempDir()
	s := newTestServer(t, "")
	s.demo, s.getenv = true, func(name string) string { return map[string]string{"TMPDIR": dir, grantedVar: "off"}[name] }
	s.start([]string{"serve", "--demo", "--listen", "127.0.0.1:0"})
	found, err := filepath.Glob(filepath.Join(dir, "authwatch-demo-*", "authwatch.db"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the demo's databases: %v (%v)", found, err)
	}
	s.db = found[0]
	return s
}

func (s *testServer) start(args []string) *testServer {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	go func() { s.status <- run(ctx, args, s.getenv, strings.NewReader(""), s.stdout, s.stderr) }()
	s.t.Cleanup(s.close)
	if s.demo {
		s.url = s.await(s.stdout, `Open (http://[^/]+)/`)
	} else {
		s.url = "http://" + s.await(s.stderr, `"address":"([^"]+)"`)
	}
	return s
}

// await returns what the expression's group matches once it does.
func (s *testServer) await(in *buffer, expression string) string {
	s.t.Helper()
	re := regexp.MustCompile(expression)
	for range 1200 {
		if m := re.FindStringSubmatch(in.String()); m != nil {
			return m[1]
		}
		select {
		case status := <-s.status:
			s.status <- status
			s.t.Fatalf("the server ended with %d:\n%s%s", status, s.stdout, s.stderr)
		case <-time.After(50 * time.Millisecond):
		}
	}
	s.t.Fatalf("%s did not appear:\n%s%s", expression, s.stdout, s.stderr)
	return ""
}

// close stops the server and checks that it ended in good order.
func (s *testServer) close() {
	s.t.Helper()
	s.stop()
	status := <-s.status
	s.status <- status
	if status != exitOK {
		s.t.Errorf("serve ended with %d:\n%s", status, s.stderr)
	}
}

// key makes an API key beside the running server.
func (s *testServer) key(scope string) string {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(context.Background(), []string{"key", "create", "--db", s.db, "--scope", scope, "test"}, noEnv, nil, &stdout, &stderr); status != exitOK {
		s.t.Fatalf("key create: %d: %s", status, stderr.String())
	}
	return strings.TrimSpace(stdout.String())
}

// post sends a body to the ingestion API and returns its answer.
func (s *testServer) post(key, path string, body []byte) answer {
	s.t.Helper()
	status, text := s.ask(http.DefaultClient, key, http.MethodPost, path, body)
	if status != http.StatusOK {
		s.t.Fatalf("POST %s: %d: %s", path, status, text)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		s.t.Fatal(err)
	}
	return a
}

// An answer is what ingestion says after the commit.
type answer struct{ Received, Accepted, Duplicates, Rejected int }

// list reads every page of a list of the REST API.
func list[T any](s *testServer, key, path string) []T {
	s.t.Helper()
	var all []T
	for cursor := ""; ; {
		var page struct {
			Data []T
			Next string
		}
		text := s.get(http.DefaultClient, key, path+"?limit=200&cursor="+cursor)
		if err := json.Unmarshal(text, &page); err != nil {
			s.t.Fatalf("GET %s: %v", path, err)
		}
		all = append(all, page.Data...)
		if page.Next == "" {
			return all
		}
		cursor = page.Next
	}
}

// settle writes what the server has put off, beside it: where much is written, lists of incidents and clients come after the failures.
func (s *testServer) settle() {
	s.t.Helper()
	db, err := store.Open(s.t.Context(), store.Options{DSN: s.db})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := errors.Join(db.Settle(s.t.Context()), db.Close()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *testServer) get(client *http.Client, key, path string) []byte {
	s.t.Helper()
	status, text := s.ask(client, key, http.MethodGet, path, nil)
	if status != http.StatusOK {
		s.t.Fatalf("GET %s: %d: %s", path, status, text)
	}
	return text
}

// send sends JSON to the REST API.
func (s *testServer) send(key, method, path, body string) {
	s.t.Helper()
	if status, text := s.ask(http.DefaultClient, key, method, path, []byte(body)); status >= 300 {
		s.t.Fatalf("%s %s: %d: %s", method, path, status, text)
	}
}

// ask makes one request, with a key unless that is "".
func (s *testServer) ask(client *http.Client, key, method, path string, body []byte) (status int, answer []byte) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, err = io.ReadAll(resp.Body); err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// link is the one-time sign-in link of the first start.
func (s *testServer) link() string {
	s.t.Helper()
	if s.demo {
		return s.await(s.stdout, `Open (http\S+)`)
	}
	file := s.await(s.stderr, `"file":"([^"]+)"`)
	text, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// signIn uses the link, as the button on its page does.
func (s *testServer) signIn() {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.browser = &http.Client{Jar: jar}
	resp, err := s.browser.Post(s.link(), "application/x-www-form-urlencoded", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("sign in: %s", resp.Status)
	}
}

// page reads a page as the signed-in person.
func (s *testServer) page(path string) []byte { return s.get(s.browser, "", path) }

// A corpus is the labelled failures of one real verifier, and its profile.
type corpus struct {
	name, profile string
	records       []json.RawMessage
}

func corpora(t *testing.T) []corpus {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "classify", "testdata", "corpus", "*.ndjson"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpora (%v)", err)
	}
	var all []corpus
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := corpus{name: strings.TrimSuffix(filepath.Base(file), ".ndjson"), profile: strings.TrimSuffix(file, ".ndjson") + ".profile.yaml"}
		for line := range bytes.Lines(text) {
			var labelled struct{ Record json.RawMessage }
			if err := json.Unmarshal(line, &labelled); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			c.records = append(c.records, labelled.Record)
		}
		all = append(all, c)
	}
	return all
}

// profileArgs are the flags for the profiles of these corpora.
func profileArgs(all []corpus) []string {
	var args []string
	for _, c := range all {
		args = append(args, "--profile", c.profile)
	}
	return args
}

func ndjson(records []json.RawMessage) []byte {
	var body bytes.Buffer
	for _, r := range records {
		fmt.Fprintf(&body, "%s\n", r)
	}
	return body.Bytes()
}
