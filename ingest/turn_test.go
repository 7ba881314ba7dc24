package ingest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// A quiet key's request comes next, however many a noisy key has waiting; a large one comes when there is room for it.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(2)
		first, err := turns.take(t.Context(), "noisy", 2*workingPerCore)
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		ends := make(chan func(), 10)
		wait := func(key string, size int) {
			go func() {
				end, err := turns.take(t.Context(), key, size)
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, key) // one at a time: each fills the room
				ends <- end
			}()
			synctest.Wait()
		}
		for range 4 {
			wait("noisy", 2*workingPerCore)
		}
		wait("quiet", 4*workingPerCore)
		wait("other", 2*workingPerCore)
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := turns.take(ctx, "gone", 2*workingPerCore)
			gone <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-gone; err != context.Canceled {
			t.Errorf("%v", err)
		}
		first()
		for range 6 {
			synctest.Wait()
			(<-ends)()
		}
		synctest.Wait()
		if want := strings.Fields("noisy quiet other noisy noisy noisy"); !slices.Equal(order, want) {
			t.Errorf("%v", order)
		}
		if turns.free != 2*workingPerCore || len(turns.order) != 0 || len(turns.waiting) != 0 {
			t.Errorf("%+v", turns)
		}
	})
}

// Small bodies are worked on together: they share a commit.
func TestTurns_SmallTogether(t *testing.T) {
	turns := newTurns(2)
	for range maxRequests {
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := turns.take(ctx, "a", 100); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
}
