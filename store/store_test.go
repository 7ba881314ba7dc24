package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"authwatch/classify"
)

// An engine opens an empty database of its own for one test. The DSN can be opened again.
type engine struct {
	name string
	dsn  func(t *testing.T) string
}

// engines are those that every contract runs on. PostgreSQL is one of them when AUTHWATCH_TEST_POSTGRES names a
// server; where it is demanded, its absence is a failure and not a silent skip.
func engines(t *testing.T) []engine {
	t.Helper()
	list := []engine{{"sqlite", func(t *testing.T) string { return filepath.Join(t.TempDir(), "test.db") }}}
	server := os.Getenv("AUTHWATCH_TEST_POSTGRES")
	switch {
	case server != "":
		list = append(list, engine{"postgres", func(t *testing.T) string { return postgresSchema(t, server) }})
	case os.Getenv("CI") == "true" || os.Getenv("AUTHWATCH_REQUIRE_POSTGRES") == "1":
		t.Fatal("AUTHWATCH_TEST_POSTGRES is not set: run the tests with scripts/postgres.sh run")
	default:
		t.Log("AUTHWATCH_TEST_POSTGRES is not set: only SQLite is tested")
	}
	return list
}

func postgresSchema(t *testing.T, server string) string {
	t.Helper()
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	schema := "test_" + strings.ToLower(newKeyID())
	if _, err := admin.Exec(`create schema ` + schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := admin.Exec(`drop schema ` + schema + ` cascade`)
		if err := errors.Join(err, admin.Close()); err != nil {
			t.Error(err)
		}
	})
	dsn, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := dsn.Query()
	q.Set("search_path", schema)
	dsn.RawQuery = q.Encode()
	return dsn.String()
}

// A world is a store with a clock that the test moves.
type world struct {
	*Store
	dsn   string
	clock time.Time
}

func openWorld(t *testing.T, e engine) *world {
	t.Helper()
	w := &world{dsn: e.dsn(t), clock: noon()}
	s, err := Open(t.Context(), Options{DSN: w.dsn, Now: func() time.Time { return w.clock }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w.Store = s
	return w
}

// noon is where the tests' time begins: not on a day's border, on an hour's.
func noon() time.Time { return time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC) }

func at(seconds int) time.Time { return noon().Add(time.Duration(seconds) * time.Second) }

type contractTest struct {
	name string
	run  func(t *testing.T, w *world)
}

// TestStore holds every engine to the same contract.
func TestStore(t *testing.T) {
	contract := slices.Concat(writeContract(), viewContract(), openContract(), deliveryContract(), idContract(), backlogContract(), factBacklogContract(), factFilterContract(), factRunContract(), factMergeContract(), requestMergeContract(), historyContract(), pendingContract(),
		episodeContract(), traceContract(), trafficContract(), successContract(), incidentContract(), failureContract(), requestContract(), clientContract(),
		trendContract(), retentionContract(), retentionReplicaContract(), searchContract(), readingContract(), foldContract(), storageContract(), keyContract(), sessionContract(), hostileContract(), replicaContract(), sourceContract(), deploymentContract(), alertContract(), recoveryContract(), termContract(), auditContract(), sightingContract(), changeContract(), contrastContract(), feedContract())
	for _, e := range engines(t) {
		for _, tt := range contract {
			t.Run(e.name+"/"+tt.name, func(t *testing.T) {
				w := openWorld(t, e)
				w.watchPlans(t)
				tt.run(t, w)
			})
		}
	}
}

// write fails the test when the transaction does.
func (w *world) write(t *testing.T, fn func(ctx context.Context, tx *Tx) error) {
	t.Helper()
	if err := w.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// fail makes a failure of client c for its audience at that second.
func fail(seconds int, change ...func(*Failure)) Failure {
	f := Failure{
		Source: "source", RequestID: "", Service: "router", Endpoint: "POST api.test/orders", Method: "POST",
		URL: "https://api.test/orders", Status: 401, Record: []byte(`{"time":"2026-03-14T12:00:00Z"}`),
		Verdict: classify.Verdict{
			Time: at(seconds), Provider: "exchange", Environment: "production", ClientID: "client-a",
			Phase: classify.APICall, Cause: classify.WrongAudience, Confidence: classify.Proven,
			Fault: classify.FaultClient, Summary: "aud is wrong",
		},
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

func cause(c classify.Code) func(*Failure) { return func(f *Failure) { f.Verdict.Cause = c } }
func client(id string) func(*Failure)      { return func(f *Failure) { f.Verdict.ClientID = id } }
func environment(name string) func(*Failure) {
	return func(f *Failure) { f.Verdict.Environment = name }
}
func endpoint(name string) func(*Failure) { return func(f *Failure) { f.Endpoint = name } }
func summary(text string) func(*Failure)  { return func(f *Failure) { f.Verdict.Summary = text } }
func requestID(id string) func(*Failure)  { return func(f *Failure) { f.RequestID = id } }
func accept(seconds int) Traffic {
	return Traffic{Count: 1, First: at(seconds), Last: at(seconds), Provider: "exchange", Environment: "production", ClientID: "client-a"}
}

// add stores failures, each list in a transaction, and returns them with their ids.
func (w *world) add(t *testing.T, list ...Failure) []Failure {
	t.Helper()
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.AddFailures(ctx, list) })
	for i := range list {
		list[i].body, list[i].endpoint = nil, 0 // as in one that was read
	}
	return list
}

func (w *world) traffic(t *testing.T, list ...Traffic) {
	t.Helper()
	w.write(t, func(ctx context.Context, tx *Tx) error { return tx.AddTraffic(ctx, list) })
}

func (w *world) incident(t *testing.T, id string) Incident {
	t.Helper()
	i, err := w.GetIncident(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func (w *world) incidents(t *testing.T, f IncidentFilter) []Incident {
	t.Helper()
	list, _, err := w.ListIncidents(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (w *world) change(t *testing.T, id string, c StateChange) Incident {
	t.Helper()
	i, err := w.ChangeIncident(t.Context(), id, c)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func wantTime(t *testing.T, what string, got, want time.Time) {
	t.Helper()
	if !got.Equal(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
