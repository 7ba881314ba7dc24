package store

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

func replicaContract() []contractTest {
	return []contractTest{
		{"two stores on one database count together", testTwoStores},
	}
}

// second opens the database again, as another process does.
func (w *world) second(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{DSN: w.dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, one := range []*Store{w.Store, s} {
		one.waitLonger(t)
	}
	return s
}

// waitLonger has SQLite wait for its lock as long as it takes on a machine that is busy with other tests.
func (s *Store) waitLonger(t *testing.T) {
	t.Helper()
	if s.writes.dialect.othersWrote == "" {
		return
	}
	err := s.Write(t.Context(), func(ctx context.Context, tx *Tx) error { return tx.exec(ctx, `pragma busy_timeout = 120000`) })
	if err != nil {
		t.Fatal(err)
	}
}

func testTwoStores(t *testing.T, w *world) {
	const rounds = 15
	var wg sync.WaitGroup
	for n, s := range []*Store{w.Store, w.second(t)} {
		wg.Go(func() {
			for i := range rounds {
				// Each in its own order, so that on PostgreSQL they lock rows against each other.
				list := []Failure{fail(i), fail(i, client("client-b"))}
				if n == 1 {
					list[0], list[1] = list[1], list[0]
				}
				for _, f := range list {
					err := s.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
						if _, err := tx.Claim(ctx, noon(), []Delivery{{Source: "s", Key: fmt.Sprint(i, f.Verdict.ClientID)}}); err != nil {
							return err
						}
						return tx.AddFailures(ctx, []Failure{f})
					})
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	equal(t, "incidents", len(w.incidents(t, IncidentFilter{})), 2)
	equal(t, "records", w.records(t), 2*rounds)
	w.compareTraces(t)
}

// postgresWorld is nil where there is no PostgreSQL; engines has said so.
func postgresWorld(t *testing.T) *world {
	t.Helper()
	for _, e := range engines(t) {
		if e.name == "postgres" {
			return openWorld(t, e)
		}
	}
	return nil
}

func TestPostgres_LostConnectionCostsNothingAtRest(t *testing.T) {
	w := postgresWorld(t)
	if w == nil {
		return
	}
	var process int
	w.write(t, func(ctx context.Context, tx *Tx) error {
		return tx.queryRow(ctx, `select pg_backend_pid()`).Scan(&process)
	})
	if _, err := w.readers.Exec(`select pg_terminate_backend($1)`, process); err != nil {
		t.Fatal(err)
	}
	for left := 1; left > 0; {
		left = w.rowCount(t, fmt.Sprint(`select count(*) from pg_stat_activity where pid = `, process))
	}
	w.write(t, writing("a", nil))
	equal(t, "records", w.records(t), 1)
}

func TestPostgres_LostConnectionInsideAWriteIsAnError(t *testing.T) {
	w := postgresWorld(t)
	if w == nil {
		return
	}
	err := w.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
		if err := put(ctx, tx, "a"); err != nil {
			return err
		}
		return tx.exec(ctx, `select pg_terminate_backend(pg_backend_pid())`)
	})
	if err == nil {
		t.Error("no error")
	}
	w.write(t, writing("b", nil))
	equal(t, "records", w.records(t), 1)
}

// TestPostgres_DeadlockIsRunAgain has two replicas lock two rows in opposite order, each waiting for the other to have its
// first. What the store's own verbs lock they lock in one order, so the rows are others.
func TestPostgres_DeadlockIsRunAgain(t *testing.T) {
	w := postgresWorld(t)
	if w == nil {
		return
	}
	rows := []string{"one", "two"}
	for _, name := range rows {
		if _, _, err := w.AddDeployment(t.Context(), Deployment{Time: w.clock, Kind: DeployedOther, Title: "-", Reference: name}); err != nil {
			t.Fatal(err)
		}
	}
	const mark = `update deployment set title = title || 'x' where reference = $1`
	var meet sync.WaitGroup
	meet.Add(2)
	var wg sync.WaitGroup
	tries := make([]int, 2)
	ended := []chan struct{}{make(chan struct{}), make(chan struct{})}
	for n, s := range []*Store{w.Store, w.second(t)} {
		wg.Go(func() {
			defer close(ended[n])
			err := s.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
				if tries[n]++; tries[n] > 1 {
					<-ended[1-n] // what was let go could else be taken again before the other has it
				}
				if err := tx.exec(ctx, mark, rows[n]); err != nil {
					return err
				}
				if tries[n] == 1 {
					meet.Done()
					meet.Wait()
				}
				if err := tx.exec(ctx, mark, rows[1-n]); err != nil {
					return err
				}
				return tx.AddFailures(ctx, []Failure{fail(1), fail(2, client("client-b"))})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, "tries", tries[0]+tries[1], 3)
	list, _, err := w.ListDeployments(t.Context(), DeploymentFilter{})
	if err != nil || len(list) != 2 || list[0].Title != "-xx" || list[1].Title != "-xx" {
		t.Errorf("%+v, %v", list, err)
	}
	equal(t, "failures", len(w.allFailures(t)), 4)
	w.compareTraces(t)
}
