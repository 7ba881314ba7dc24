package ingest

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// dependents remember which of the last failures were about which assertion and which token, so that what comes late and
// happened before them (the first use of the jti, the call that the token was still good for) changes their verdicts as if
// it had come in time. They are of this process: a failure that another replica judged stays as that one judged it.
//
// They are kept by hashes: a key holds texts of the request in which it came, and the failures of two keys that meet in one hash are
// but judged once more for nothing.
type dependents struct {
	seed  maphash.Seed
	mu    sync.Mutex
	young generation
	old   generation
	since time.Time // of young, by receipt
}

// A dependent is a stored failure.
type dependent struct {
	failure string
	at      time.Time // of its event
}

const (
	maxDependents  = 25_000 // in each of the two generations, of which the older one goes
	maxOfOneToken  = 32     // failures about one token; a token that fails more often is the same trouble each time
	maxJudgedAgain = 500    // failures by one batch: it is done in the writer's turn, and others wait
)

func newDependents() *dependents {
	return &dependents{seed: maphash.MakeSeed(), young: generation{}.emptied()}
}

// decides is true for facts about a single token. Of the others every failure of a client depends on, and the first of
// many exchanges brings them.
func decides(k *classify.Key) bool {
	return k.Kind == classify.FactJTI || k.Kind == classify.FactToken
}

// hash is that of what a key names: a token, or a jti with its issuer, which hardly ever is another one's elsewhere.
func (d *dependents) hash(k *classify.Key) uint64 { return maphash.String(d.seed, k.Name) }

// note remembers a failure under those of its keys that name its token.
func (d *dependents) note(received time.Time, keys []classify.Key, one dependent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for n := range keys {
		if decides(&keys[n]) {
			d.add(received, &keys[n], one)
		}
	}
}

// add remembers a failure under a key. Its caller holds the lock.
func (d *dependents) add(received time.Time, k *classify.Key, one dependent) {
	if d.young.taken >= maxDependents || received.Sub(d.since) > waitFor {
		d.young, d.old, d.since = d.old.emptied(), d.young, received
	}
	d.young.add(d.hash(k), one)
}

// after lists failures that happened at or after what the facts say first, each once, and at most maxJudgedAgain.
func (d *dependents) after(facts []classify.Fact) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.young.taken+d.old.taken == 0 {
		return nil
	}
	var ids []string
	seen := map[string]bool{}
	for n := range facts {
		f := &facts[n]
		if !decides(&f.Key) {
			continue
		}
		hash := d.hash(&f.Key)
		for _, g := range [...]*generation{&d.old, &d.young} {
			for one := range g.all(hash) {
				if len(ids) == maxJudgedAgain {
					return ids
				}
				if !one.at.Before(f.FirstSeen) && !seen[one.failure] {
					seen[one.failure] = true
					ids = append(ids, one.failure)
				}
			}
		}
	}
	return ids
}

// noteFailures remembers the failures that were made of the list, which are in its order.
func (w *work) noteFailures(list []placed) {
	failed := 0
	for n := range list {
		if list[n].exchange.Outcome == classify.Failed && list[n].record != nil {
			failed++
		}
	}
	if failed != len(w.failures) { // one of them met a defect
		return
	}
	failed = 0
	asked, d := w.asked.keys(), w.ingester.dependents
	d.mu.Lock()
	defer d.mu.Unlock()
	for n := range list {
		p := &list[n]
		if p.exchange.Outcome != classify.Failed || p.record == nil {
			continue
		}
		for _, at := range p.keys {
			if k := &asked[at]; decides(k) {
				d.add(w.batch.at, k, dependent{w.failures[failed].ID, p.exchange.Record.Time})
			}
		}
		failed++
	}
}

// judgeDependents judges earlier failures again that the batch's facts came too late for.
func (w *work) judgeDependents(ctx context.Context) error {
	for _, id := range w.ingester.dependents.after(w.facts) {
		f, err := w.tx.GetFailure(ctx, id)
		if errors.Is(err, store.ErrNotFound) { // withdrawn, too old, or never committed
			continue
		}
		if err == nil {
			err = w.judgeDependent(ctx, f)
		}
		if err != nil {
			return fmt.Errorf("judge failure %s again: %w", id, err)
		}
	}
	return nil
}

func (w *work) judgeDependent(ctx context.Context, f store.Failure) error {
	record, err := decodeStored(f.Record)
	if err != nil {
		return fmt.Errorf("decode record: %w", err)
	}
	exchange := w.ingester.classifier.Locate(record)
	if exchange.Outcome != classify.Failed {
		return nil
	}
	history, err := w.tx.History(ctx, exchange.Keys())
	if err != nil {
		return fmt.Errorf("look up history: %w", err)
	}
	verdict := classify.Classify(exchange, history)
	if verdict.Cause == f.Verdict.Cause && verdict.Confidence == f.Verdict.Confidence && verdict.Summary == f.Verdict.Summary {
		return nil
	}
	revised := newFailure(f.Source, f.ReceivedAt, &exchange, f.Record)
	revised.ID, revised.IncidentID, revised.Verdict = f.ID, f.IncidentID, verdict
	return w.tx.ReviseFailure(ctx, revised)
}
