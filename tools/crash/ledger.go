package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// A batch is what one shipper sends in one request, unchanged until it is acknowledged.
type batch struct {
	number    int
	round     int
	failures  []string // record ids
	successes int
	body      []byte
	acked     bool
}

// A ledger is what was sent and what was acknowledged, by round.
type ledger struct {
	mu     sync.Mutex
	number int
	rounds map[int][]*batch
	acks   int
}

// recordsInBatch is small, so that a kill meets many batches; successesInBatch of them were accepted calls.
const (
	recordsInBatch   = 20
	successesInBatch = 2
)

func clientOf(round int) string { return fmt.Sprintf("crash-%d", round) }

// next makes a batch of that round.
func (l *ledger) next(round int, w wire) *batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.number++
	b := &batch{number: l.number, round: round}
	var records []string
	for n := range recordsInBatch {
		id := fmt.Sprintf("r%d-b%d-%d", round, b.number, n)
		status, answer := 401, `,"headers":{"www-authenticate":"Bearer error=\"invalid_token\""}`
		if n < successesInBatch {
			status, answer = 200, ""
			b.successes++
		} else {
			b.failures = append(b.failures, id)
		}
		records = append(records, fmt.Sprintf(`{"time":%q,"id":%q,"client_id":%q,"request":{"method":"GET","url":"https://api.crash.test/v1/orders","headers":{"authorization":"Bearer [redacted]"}},"response":{"status":%d%s}}`,
			time.Now().UTC().Format(time.RFC3339Nano), id, clientOf(round), status, answer))
	}
	b.body = w.pack(records)
	l.rounds[round] = append(l.rounds[round], b)
	return b
}

func (l *ledger) acknowledge(b *batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.acked = true
	l.acks++
}

func (l *ledger) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acks
}

// stored is what the server says of a round.
type stored struct {
	failures  []string // record ids, as often as they are there
	counted   int64    // failures by its incidents
	successes int64
}

// recovered counts the batches that are there and were not acknowledged.
func (l *ledger) recovered(round int, s stored) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.rounds[round] {
		if !b.acked && slices.Contains(s.failures, b.failures[0]) {
			n++
		}
	}
	return n
}

// check compares what is stored with what was sent and acknowledged. Without batches in hand all of it has to be there.
func (l *ledger) check(round int, s stored) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	times := map[string]int{}
	for _, id := range s.failures {
		times[id]++
	}
	var wrong []string
	note := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	var atLeast, atMost int64
	for _, b := range l.rounds[round] {
		there := 0
		for _, id := range b.failures {
			if times[id] > 1 {
				note("%s is there %d times", id, times[id])
			}
			if times[id] > 0 {
				there++
			}
			delete(times, id)
		}
		if b.acked && there < len(b.failures) {
			note("batch %d was acknowledged and %d of its %d failures are there", b.number, there, len(b.failures))
		}
		if there != 0 && there != len(b.failures) {
			note("batch %d is there in part: %d of %d", b.number, there, len(b.failures))
		}
		atMost += int64(b.successes)
		if there > 0 {
			atLeast += int64(b.successes)
		}
	}
	for id := range times {
		note("%s was never sent", id)
	}
	if s.counted != int64(len(s.failures)) {
		note("incidents count %d failures, %d are there", s.counted, len(s.failures))
	}
	if s.successes < atLeast || s.successes > atMost {
		note("%d successes are counted, from %d to %d are right", s.successes, atLeast, atMost)
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("round %d: %s", round, strings.Join(wrong[:min(len(wrong), 10)], "; "))
}
