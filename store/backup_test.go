package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestBackup_UnderLoad restores a copy that was made while others wrote, and compares it with itself: every figure that is
// kept must be what the failures of the copy give.
func TestBackup_UnderLoad(t *testing.T) {
	w := openWorld(t, engines(t)[0])
	for n := range 20 {
		list := make([]Failure, 100)
		for i := range list {
			list[i] = fail(n*100+i, client(fmt.Sprint("client-", i%7)), summary(incompressible(500)))
		}
		w.add(t, list...)
	}
	w.fold(t)
	stop := make(chan struct{})
	var others sync.WaitGroup
	for n := range 2 {
		others.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				err := w.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
					return tx.AddFailures(ctx, []Failure{fail(i, client(fmt.Sprint("writer-", n))), fail(i)})
				})
				if err == nil && i%10 == 0 {
					_, err = w.Fold(t.Context())
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	err := w.Backup(t.Context(), path)
	close(stop)
	others.Wait()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	restored, err := Open(t.Context(), Options{DSN: path, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	copied := &world{Store: restored, dsn: path, clock: noon()}
	if n := len(copied.everyFailure(t)); n < 2000 {
		t.Errorf("%d failures, want the first 2000 at least", n)
	}
	copied.compareTraces(t)
}

func TestBackup_Refused(t *testing.T) {
	w := openWorld(t, engines(t)[0])
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want fs.ErrExist", err)
	}
	if text, err := os.ReadFile(path); string(text) != "mine" {
		t.Errorf("the file was touched: %q, %v", text, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	other := filepath.Join(t.TempDir(), "other.db")
	if err := w.Backup(ctx, other); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	left, err := filepath.Glob(filepath.Dir(other) + "/*")
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
