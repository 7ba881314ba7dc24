package ingest

import (
	"context"
	"sync"
)

// turns bound how much of the bodies that were read is worked on at once: decoding takes several times a body's size in
// memory, and whoever commits together waits for each other. The keys take turns, so that a request of a quiet key waits
// for the work in hand and not for all that a noisy one has sent.
type turns struct {
	mu      sync.Mutex
	all     int // bytes
	free    int
	waiting map[string][]*waiter
	order   []string // keys that wait, the next one first
}

// A waiter is a request that has been read and waits for its turn.
type waiter struct {
	cost int
	come chan struct{} // closed when it has its turn
}

func newTurns(cores int) *turns {
	all := cores * workingPerCore
	return &turns{all: all, free: all, waiting: map[string][]*waiter{}}
}

// A turn is the room that a request has while it is worked on.
type turn struct {
	turns *turns
	cost  int
}

// take waits for the turn of a body of that size. The error is ctx's.
func (t *turns) take(ctx context.Context, key string, size int) (*turn, error) {
	cost := min(max(size, t.all/maxRequests), t.all) // as many small ones as there may be requests share a commit
	w := &waiter{cost: cost, come: make(chan struct{})}
	t.mu.Lock()
	if len(t.waiting[key]) == 0 {
		t.order = append(t.order, key)
	}
	t.waiting[key] = append(t.waiting[key], w)
	t.next()
	t.mu.Unlock()
	select {
	case <-w.come:
		return &turn{turns: t, cost: cost}, nil
	case <-ctx.Done():
		t.leave(key, w)
		return nil, ctx.Err()
	}
}

func (t *turn) end() { t.keep(0, 1) }

// keep gives back what a request does not need any more while it waits for its commit, and keeps a share. Nil has nothing to give.
func (t *turn) keep(part, of int) {
	if t == nil {
		return
	}
	t.turns.mu.Lock()
	defer t.turns.mu.Unlock()
	kept := t.cost * part / of
	t.turns.free += t.cost - kept
	t.cost = kept
	t.turns.next()
}

// leave takes a waiter out, or ends the turn that it was given at the same moment.
func (t *turns) leave(key string, w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-w.come:
		t.free += w.cost
	default:
		list := t.waiting[key]
		for n := range list {
			if list[n] == w {
				t.waiting[key] = append(list[:n:n], list[n+1:]...)
				break
			}
		}
	}
	t.next()
}

// next gives turns to those who wait, one of each key, while there is room. A large one is not passed over for ever: what
// comes behind it waits too.
func (t *turns) next() {
	for len(t.order) > 0 {
		key := t.order[0]
		list := t.waiting[key]
		if len(list) > 0 && list[0].cost > t.free {
			return
		}
		t.order = t.order[1:]
		if len(list) == 0 {
			delete(t.waiting, key)
			continue
		}
		t.free -= list[0].cost
		close(list[0].come)
		if t.waiting[key] = list[1:]; len(list) > 1 {
			t.order = append(t.order, key)
		} else {
			delete(t.waiting, key)
		}
	}
}
