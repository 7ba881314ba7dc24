package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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

// A desk is a service over a database of its own, with a clock that the test moves.
type desk struct {
	*Service
	t     *testing.T
	clock time.Time
	log   bytes.Buffer
	dsn   string
}

func openDesk(t *testing.T, receivers ...Receiver) *desk {
	t.Helper()
	d := &desk{t: t, clock: time.Date(2026, 11, 22, 3, 0, 30, 0, time.UTC), dsn: filepath.Join(t.TempDir(), "aw.db")}
	s, err := store.Open(t.Context(), store.Options{DSN: d.dsn, Now: func() time.Time { return d.clock }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	d.Service = d.service(s, receivers)
	return d
}

// service is one replica.
func (d *desk) service(s *store.Store, receivers []Receiver) *Service {
	d.t.Helper()
	service, err := New(Options{Store: s, Receivers: receivers, PublicURL: "https://aw.example", Logger: slog.New(slog.NewJSONHandler(&d.log, nil)),
		Registerer: prometheus.NewRegistry(), Now: func() time.Time { return d.clock }})
	if err != nil {
		d.t.Fatal(err)
	}
	return service
}

func (d *desk) rule(condition store.AlertCondition, change ...func(*store.AlertRule)) store.AlertRule {
	d.t.Helper()
	r := store.AlertRule{Name: "a rule", Enabled: true, Condition: condition, Receivers: []string{"out"}, UpdatedBy: "sam"}
	for _, c := range change {
		c(&r)
	}
	stored, err := d.Store.CreateAlertRule(d.t.Context(), r)
	if err != nil {
		d.t.Fatal(err)
	}
	return stored
}

// fail stores n failures of a client, the last at that time and the others a second apart before it.
func (d *desk) fail(client string, n int, last time.Time, change ...func(*store.Failure)) []store.Failure {
	d.t.Helper()
	list := make([]store.Failure, n)
	for i := range list {
		at := last.Add(-time.Duration(n-1-i) * time.Second)
		list[i] = store.Failure{Source: "s", RecordID: fmt.Sprintf("%s-%d-%d", client, at.UnixMilli(), i), Endpoint: "POST auth/token", Record: json.RawMessage(`{}`),
			Verdict: classify.Verdict{Time: at, Provider: "exchange", Environment: "prod", ClientID: client, Cause: classify.JTIReuse, Confidence: classify.Proven,
				Fault: classify.FaultClient, Summary: "the jti was used before",
				Fix: classify.Fix{Verified: true, Edits: []classify.Edit{{Op: "replace", Path: "client_assertion.claims.jti", Value: "new"}}, Steps: []string{"Build the assertion inside the retry loop."}}}}
		for _, c := range change {
			c(&list[i])
		}
	}
	err := d.Store.Write(d.t.Context(), func(ctx context.Context, tx *store.Tx) error { return tx.AddFailures(ctx, list) })
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}

// succeed stores n accepted requests of a client at a time.
func (d *desk) succeed(client, environment string, n int64, at time.Time) {
	d.t.Helper()
	err := d.Store.Write(d.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.AddTraffic(ctx, []store.Traffic{{Provider: "exchange", Environment: environment, ClientID: client, Count: n, First: at, Last: at}})
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) evaluate() {
	d.t.Helper()
	if err := d.Evaluate(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) deliver() {
	d.t.Helper()
	if err := d.Deliver(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

// alerts are all that were found, latest first, as messages.
func (d *desk) alerts() []Message {
	d.t.Helper()
	list, _, err := d.Store.ListAlerts(d.t.Context(), store.AlertFilter{Page: store.Page{Limit: 200}})
	if err != nil {
		d.t.Fatal(err)
	}
	var out []Message
	for _, a := range list {
		m, err := decodeMessage(a)
		if err != nil {
			d.t.Fatal(err)
		}
		if a.EndedAt.IsZero() != m.EndedAt.IsZero() {
			d.t.Errorf("alert %s and its message differ about its end", a.ID)
		}
		out = append(out, m)
	}
	return out
}

// told is the log of deliveries, latest first, as "kind status attempts error".
func (d *desk) told() []string {
	d.t.Helper()
	list, _, err := d.Store.ListAlertDeliveries(d.t.Context(), store.Page{Limit: 200})
	if err != nil {
		d.t.Fatal(err)
	}
	var out []string
	for _, l := range list {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %d %s", l.Kind, l.Status, l.Attempts, l.LastError)))
	}
	return out
}

// A station is the other side of the wire: it keeps what it is sent and answers with a status.
type station struct {
	*httptest.Server
	mu       sync.Mutex
	status   int
	header   map[string]string
	requests []received
}

type received struct {
	path   string
	header http.Header
	body   []byte
}

func openStation(t *testing.T, tls bool) *station {
	t.Helper()
	s := &station{status: http.StatusOK, header: map[string]string{}}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests = append(s.requests, received{r.URL.RequestURI(), r.Header, body})
		for name, value := range s.header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, "answer-canary")
	})
	if tls {
		s.Server = httptest.NewTLSServer(handler)
	} else {
		s.Server = httptest.NewServer(handler)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *station) answer(status int, header ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.header = status, map[string]string{}
	for i := 0; i+1 < len(header); i += 2 {
		s.header[header[i]] = header[i+1]
	}
}

// take returns what came since the last time.
func (s *station) take() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.requests
	s.requests = nil
	return list
}

// configured reads receivers as serve does, from a file with secrets in others.
func configured(t *testing.T, text string, env map[string]string) []Receiver {
	t.Helper()
	list, err := ReadReceivers("receivers.yaml", []byte(text), Sources{File: os.ReadFile, Env: func(name string) string { return env[name] }})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

const signingSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="

func webhookAt(t *testing.T, s *station) Receiver {
	t.Helper()
	return configured(t, "receivers:\n- name: out\n  webhook:\n    url: "+s.URL+"/hook\n    secret_env: SECRET\n    private: true\n", map[string]string{"SECRET": signingSecret})[0]
}
