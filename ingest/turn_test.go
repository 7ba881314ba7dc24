package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
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
		ends := make(chan *turn, 10)
		wait := func(key string, size int) {
			go func() {
				one, err := turns.take(t.Context(), key, size)
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, key) // one at a time: each fills the room
				ends <- one
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
		first.end()
		for range 6 {
			synctest.Wait()
			(<-ends).end()
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

// While they wait for their commit, batches leave room for others to be worked on: half of it if they are failures, which are kept whole.
func TestTurns_GivenBackWhileCommitting(t *testing.T) {
	for _, tt := range []struct{ status, waiting, part int }{{200, 0, workingWeight}, {401, 2, workingWeight / wholeWeight}} {
		s := newService(t, testProfile())
		body := func(n int) string {
			var lines []string
			for i := range 50 {
				lines = append(lines, apiCall(i, fmt.Sprintf("x-%d-%02d", n, i), tt.status, "at-1", second(3000)))
			}
			return strings.Join(lines, "\n")
		}
		size := len(body(0))
		room, wanted := 2*size+size/2, (6-tt.waiting)*(size/tt.part)
		turns := &turns{all: room, free: room, waiting: map[string][]*waiter{}}
		s.ingester.turns = turns
		release := s.holdStore()
		var senders sync.WaitGroup
		for n := range 6 {
			senders.Go(func() { s.post(responses, body(n)) })
		}
		state := func() (waiting, kept int) {
			turns.mu.Lock()
			defer turns.mu.Unlock()
			for _, list := range turns.waiting {
				waiting += len(list)
			}
			return waiting, room - turns.free
		}
		waiting, kept := state()
		for deadline := time.Now().Add(time.Minute); (waiting != tt.waiting || kept != wanted) && time.Now().Before(deadline); waiting, kept = state() {
			time.Sleep(time.Millisecond)
		}
		if waiting != tt.waiting || kept != wanted {
			t.Errorf("status %d: %d wait for a turn, %d of %d bytes are kept", tt.status, waiting, kept, size)
		}
		release()
		senders.Wait()
		if free := room - turns.free; free != 0 {
			t.Errorf("status %d: %d bytes are kept for ever", tt.status, free)
		}
	}
}
