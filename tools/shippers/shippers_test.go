package shippers

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A bench is what all clients share: the programs, the records, and what the native route makes of them.
type bench struct {
	bin     string
	records []record
	native  state
}

func newBench(t *testing.T) bench {
	t.Helper()
	b := bench{bin: t.TempDir()}
	source := cmp.Or(os.Getenv("AUTHWATCH_SOURCE"), filepath.Join("..", ".."))
	for name, folder := range map[string]string{"authwatch": filepath.Join(source, "cmd"), "otelgo": ".", "elasticgo": "."} {
		build := exec.Command("go", "build", "-o", filepath.Join(b.bin, name), "./"+name)
		build.Dir = folder
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
	}
	b.records = makeRecords(1000, 7, time.Now().Add(-30*time.Minute).UTC().Truncate(time.Second))
	s := startService(t, b)
	answer, err := s.post(t.Context(), good(b.records))
	if err != nil || answer.Accepted != len(good(b.records)) {
		t.Fatalf("%+v %v", answer, err)
	}
	if b.native, err = s.state(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func startService(t *testing.T, b bench) *service {
	t.Helper()
	// Not the test's own context: that one ends before the service is to be stopped.
	s, err := newService(context.Background(), filepath.Join(b.bin, "authwatch"), folder(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	return s
}

// folder is for what the clients and authwatch write. SHIPPERS_KEEP names one in which it stays.
func folder(t *testing.T) string {
	t.Helper()
	keep := os.Getenv("SHIPPERS_KEEP")
	if keep == "" {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(keep, filepath.Base(t.Name())+"-")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// checkNative holds the made-up records to the causes that they were made for.
func (b bench) checkNative(t *testing.T) {
	for _, r := range b.records {
		failures := b.native.Failures[r.RequestID]
		switch {
		case r.Cause == "" && failures != nil:
			t.Errorf("record %s is a success, and shown as %s", r.RequestID, text(failures))
		case r.Cause != "" && (len(failures) != 1 || failures[0]["cause"] != r.Cause):
			t.Errorf("record %s should be %s, and is shown as %s", r.RequestID, r.Cause, text(failures))
		}
	}
}

func TestShippers(t *testing.T) {
	b := newBench(t)
	t.Run("native", b.checkNative)
	for _, c := range clients() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b.check(t, c)
		})
	}
}

// check lets a client deliver to a service of its own.
func (b bench) check(t *testing.T, c client) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	start := time.Now()
	d, err := deliver(ctx, c, job{records: b.records, dir: folder(t), bin: b.bin}, startService(t, b))
	if err != nil {
		t.Fatal(err)
	}
	records := good(b.records)
	t.Logf("%d of %d acknowledged in %s; %+v", d.held(records), len(records), time.Since(start).Round(100*time.Millisecond), d.log)
	for n, fault := range d.faults(c, records, b.native) {
		if n == 5 {
			t.Fatal("and more")
		}
		t.Error(fault)
	}
}
