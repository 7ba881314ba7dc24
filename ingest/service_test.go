package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/prometheus/client_golang/prometheus"
)

// A service is ingestion over a real SQLite file and real HTTP.
type service struct {
	t        testing.TB
	store    *store.Store
	server   *httptest.Server
	registry *prometheus.Registry
	ingester *Ingester
	profiles classify.Profiles
	redactor *Redactor
	key      string
	dir      string
	log      *lockedBuffer

	newIncidents int // store.Options.NewIncidents
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// testNow is the receipt time of all tests: an hour after the events of their records.
func testNow() time.Time { return time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC) }

func newService(t testing.TB, profiles classify.Profiles) *service {
	t.Helper()
	s := &service{t: t, dir: t.TempDir(), log: &lockedBuffer{}, profiles: profiles, redactor: testRedactor(t)}
	if profiles == nil {
		s.profiles = classify.Profiles{}
	}
	s.start()
	t.Cleanup(func() { s.server.Close(); s.store.Close() })
	s.key = s.newKey(store.ScopeIngest)
	return s
}

// start opens the database and serves.
func (s *service) start() {
	s.t.Helper()
	var err error
	s.store, err = store.Open(context.Background(), store.Options{DSN: filepath.Join(s.dir, "authwatch.db"), Now: testNow, NewIncidents: s.newIncidents})
	if err != nil {
		s.t.Fatal(err)
	}
	s.registry = prometheus.NewRegistry()
	s.ingester, err = New(Options{
		Store: s.store, Profiles: s.profiles, Redactor: s.redactor, Registerer: s.registry, Now: testNow,
		Logger: slog.New(slog.NewJSONHandler(s.log, nil)),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.ingester.quota.buffers.wipe = poison
	s.ingester.rooms.New = poisonedRoom
	s.server = httptest.NewServer(s.ingester.Handler())
}

// poison makes everything that still points into a body of an answered request read nonsense.
func poison(body []byte) {
	for i := range body {
		body[i] = 0xdb
	}
}

// poisonedRoom does the same for what points into the memory of a committed batch.
func poisonedRoom() any {
	room := newBatchRoom()
	room.stored.wipe = poison
	return room
}

// restart is the end of the process and a new one.
func (s *service) restart() {
	s.t.Helper()
	s.server.Close()
	if err := s.store.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.start()
}

func (s *service) newKey(scope store.Scope) string {
	s.t.Helper()
	_, text, err := s.store.CreateKey(context.Background(), scope, "test "+string(scope))
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// send posts a body and returns the response, its body read.
func (s *service) send(path, body string, header ...string) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.server.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(text)
}

// post sends records and returns the answer, which must be a 200.
func (s *service) post(path, body string, header ...string) answer {
	s.t.Helper()
	resp, text := s.send(path, body, header...)
	var a answer
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("status %d: %s", resp.StatusCode, text)
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		s.t.Fatal(err)
	}
	return a
}

const (
	responses = "/ingest/v1/responses"
	tokens    = "/ingest/v1/tokens"
)

// assertClean looks for forbidden texts in answers, log and every file of the database.
func (s *service) assertClean(answers []byte, forbidden []string) {
	s.t.Helper()
	if found := leak(answers, forbidden); found != "" {
		s.t.Errorf("answers hold %s", found)
	}
	if found := leak(s.log.Bytes(), forbidden); found != "" {
		s.t.Errorf("the log holds %s", found)
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil || len(files) < 2 {
		s.t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		if found := leak(data, forbidden); found != "" {
			s.t.Errorf("%s holds %s", filepath.Base(file), found)
		}
	}
}

func newRegistry() *prometheus.Registry { return prometheus.NewRegistry() }

func jsonLog(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) }
