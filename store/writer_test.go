package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func writeContract() []contractTest {
	return []contractTest{
		{"an error costs only its own write", testWriteError},
		{"a failing statement costs only its own write", testWriteStatementError},
		{"a panic becomes an error without the value's text", testWritePanic},
		{"a function that ends its goroutine does not end the writer", testWriteGoexit},
		{"waiting writes share a commit", testWriteGroup},
		{"what can wait is in nobody's commit, and one of it between two", testWriteAside},
		{"a write that was given up while waiting never runs", testWriteAbandoned},
		{"a write whose context has ended never runs", testWriteEnded},
		{"a write that has begun ends whatever becomes of its context", testWriteCancelled},
		{"too many waiting writes are refused", testWriteBusy},
		{"close lets waiting writes finish", testWriteDrain},
		{"a transaction that breaks down costs only the write that broke it", testWriteBreakdown},
		{"readers see what was committed, and only that", testReaders},
		{"eight writers and readers at once", testConcurrent},
	}
}

// put writes one row that the tests can count.
func put(ctx context.Context, tx *Tx, name string) error {
	_, err := tx.Claim(ctx, noon(), []Delivery{{Source: "writer", Key: name}})
	return err
}

func (w *world) records(t *testing.T) int64 {
	t.Helper()
	_, n, err := w.LastReceived(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// hold keeps the writer busy until the returned function is called, so that other writes have to wait.
func (w *world) hold(t *testing.T) (release func()) {
	t.Helper()
	begun, end, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- w.Write(context.Background(), func(context.Context, *Tx) error {
			close(begun)
			<-end
			return nil
		})
	}()
	<-begun
	return func() {
		close(end)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// waiting returns when n writes wait.
func (w *world) waiting(t *testing.T, n int) {
	t.Helper()
	for len(w.writes.queue)+len(w.writes.asides) < n {
		runtime.Gosched()
	}
}

// together has the writes run in one group and returns their errors.
func (w *world) together(t *testing.T, fns ...func(context.Context, *Tx) error) []error {
	t.Helper()
	release := w.hold(t)
	errs := make([]error, len(fns))
	var wg sync.WaitGroup
	for i, fn := range fns {
		wg.Go(func() { errs[i] = w.Write(t.Context(), fn) })
		w.waiting(t, i+1)
	}
	release()
	wg.Wait()
	return errs
}

func writing(name string, then error) func(context.Context, *Tx) error {
	return func(ctx context.Context, tx *Tx) error {
		if err := put(ctx, tx, name); err != nil {
			return err
		}
		return then
	}
}

func testWriteError(t *testing.T, w *world) {
	broken := errors.New("broken")
	errs := w.together(t, writing("a", nil), writing("b", broken), writing("c", nil))
	if errs[0] != nil || !errors.Is(errs[1], broken) || errs[2] != nil {
		t.Errorf("errors: %v", errs)
	}
	equal(t, "records", w.records(t), 2)
}

func testWriteStatementError(t *testing.T, w *world) {
	errs := w.together(t, writing("a", nil), func(ctx context.Context, tx *Tx) error {
		if err := put(ctx, tx, "b"); err != nil {
			return err
		}
		return tx.exec(ctx, `insert into session (cookie_hash, account_id, created_at, expires_at) values ('x', 'nobody', 1, 1)`)
	}, writing("c", nil))
	if errs[0] != nil || errs[1] == nil || errs[2] != nil {
		t.Errorf("errors: %v", errs)
	}
	equal(t, "records", w.records(t), 2)
}

func testWritePanic(t *testing.T, w *world) {
	errs := w.together(t, writing("a", nil), func(ctx context.Context, tx *Tx) error {
		if err := put(ctx, tx, "b"); err != nil {
			return err
		}
		panic("the token is secret-word")
	}, writing("c", nil))
	if errs[0] != nil || errs[1] == nil || errs[2] != nil {
		t.Fatalf("errors: %v", errs)
	}
	if strings.Contains(errs[1].Error(), "secret-word") {
		t.Errorf("the error quotes the panic: %v", errs[1])
	}
	if !strings.Contains(errs[1].Error(), "testWritePanic") {
		t.Errorf("the error does not tell where it happened: %v", errs[1])
	}
	equal(t, "records", w.records(t), 2)
}

func testWriteGoexit(t *testing.T, w *world) {
	err := w.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
		if err := put(ctx, tx, "a"); err != nil {
			return err
		}
		runtime.Goexit()
		return nil
	})
	if err == nil {
		t.Error("no error")
	}
	w.write(t, writing("b", nil))
	equal(t, "records", w.records(t), 1)
}

func testWriteGroup(t *testing.T, w *world) {
	// Rows of one transaction of PostgreSQL share xmin; SQLite's commits each move the data version that others see.
	// Both are seen more simply: while the group's last write runs, none of the earlier ones is visible to a reader.
	var seen int64 = -1
	errs := w.together(t, writing("a", nil), writing("b", nil), func(ctx context.Context, tx *Tx) error {
		_, n, err := w.LastReceived(ctx)
		seen = n
		return err
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	equal(t, "records seen before the commit", seen, 0)
	equal(t, "records after it", w.records(t), 2)
}

func testWriteAside(t *testing.T, w *world) {
	var order []string // of the writer's goroutine until all have ended
	var all sync.WaitGroup
	release := w.hold(t)
	for n, name := range []string{"aside 1", "aside 2", "a", "b"} {
		write := w.Write
		if n < 2 {
			write = w.writeAside
		}
		all.Go(func() {
			err := write(t.Context(), func(ctx context.Context, tx *Tx) error {
				_, committed, err := w.LastReceived(ctx)
				order = append(order, fmt.Sprint(name, " after ", committed))
				return errors.Join(err, put(ctx, tx, name))
			})
			if err != nil {
				t.Error(err)
			}
		})
		w.waiting(t, n+1)
	}
	release()
	all.Wait()
	equal(t, "order", strings.Join(order, ", "), "aside 1 after 0, a after 1, b after 1, aside 2 after 3")
}

func testWriteAbandoned(t *testing.T, w *world) {
	release := w.hold(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Write(ctx, writing("a", nil)) }()
	w.waiting(t, 1)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	release()
	w.write(t, writing("b", nil))
	equal(t, "records", w.records(t), 1)
}

// A writer that is free could begin it before anyone looks at the context, so it must not even wait.
func testWriteEnded(t *testing.T, w *world) {
	release := w.hold(t)
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Write(ctx, writing("a", nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	equal(t, "writes that wait", int64(len(w.writes.queue)), 0)
}

func testWriteCancelled(t *testing.T, w *world) {
	ctx, cancel := context.WithCancel(t.Context())
	err := w.Write(ctx, func(own context.Context, tx *Tx) error {
		cancel()
		if own.Err() != nil {
			t.Error("the write's own context ended with the caller's")
		}
		return put(ctx, tx, "a") // with the caller's own context, too
	})
	if err != nil {
		t.Errorf("got %v", err)
	}
	equal(t, "records", w.records(t), 1)
}

func testWriteBusy(t *testing.T, w *world) {
	release := w.hold(t)
	var wg sync.WaitGroup
	for i := range queueLength {
		wg.Go(func() {
			if err := w.Write(t.Context(), writing(fmt.Sprint(i), nil)); err != nil {
				t.Error(err)
			}
		})
	}
	w.waiting(t, queueLength)
	if err := w.Write(t.Context(), writing("one too many", nil)); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	release()
	wg.Wait()
	equal(t, "records", w.records(t), queueLength)
}

func testWriteDrain(t *testing.T, w *world) {
	release := w.hold(t)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if err := w.Write(context.Background(), writing(fmt.Sprint(i), nil)); err != nil {
				t.Error(err)
			}
		})
	}
	w.waiting(t, 10)
	closed := make(chan error, 1)
	go func() { closed <- w.Close() }()
	release()
	wg.Wait()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), Options{DSN: w.dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	_, n, err := again.LastReceived(t.Context())
	if err != nil || n != 10 {
		t.Errorf("records: got %d, %v; want 10", n, err)
	}
}

func testWriteBreakdown(t *testing.T, w *world) {
	broken := func(ctx context.Context, tx *Tx) error {
		// A full disk has SQLite roll back everything by itself; here the write does it.
		return errors.Join(errors.New("disk is full"), tx.exec(ctx, `rollback`))
	}
	errs := w.together(t, writing("a", nil), broken, writing("c", nil))
	if errs[0] != nil || errs[1] == nil || errs[2] != nil {
		t.Errorf("errors: %v", errs)
	}
	equal(t, "records", w.records(t), 2)
}

func testReaders(t *testing.T, w *world) {
	w.write(t, func(ctx context.Context, tx *Tx) error {
		if err := put(ctx, tx, "a"); err != nil {
			return err
		}
		equal(t, "records before the commit", w.records(t), 0) // and the reader did not wait
		return nil
	})
	equal(t, "records after it", w.records(t), 1)
}

func testConcurrent(t *testing.T, w *world) {
	const writers, rounds = 8, 10
	ctx := t.Context()
	var writing, reading sync.WaitGroup
	for n := range writers {
		writing.Go(func() {
			for i := range rounds {
				err := w.Write(ctx, func(ctx context.Context, tx *Tx) error {
					if err := tx.AddFailures(ctx, []Failure{fail(i), fail(i, client(fmt.Sprint(n)))}); err != nil {
						return err
					}
					return tx.AddTraffic(ctx, []Traffic{accept(i)})
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	stop := make(chan struct{})
	for range 4 {
		reading.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, _, err := w.ListFailures(ctx, FailureFilter{}); err != nil {
					t.Error(err)
				}
				if _, _, err := w.ListIncidents(ctx, IncidentFilter{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	totals, err := w.Totals(t.Context(), at(-60), at(3600), nil, nil)
	want := Totals{Failures: 2 * writers * rounds, Successes: writers * rounds, Clients: writers + 1, Incidents: writers + 1}
	if err != nil || totals != want {
		t.Errorf("totals: got %+v, %v; want %+v", totals, err, want)
	}
}

// TestWait: a context that has ended is noticed, though the time is over as well.
func TestWait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if err := wait(ctx, 0); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want context.Canceled", err)
		}
	}
}
