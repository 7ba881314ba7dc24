package ingest

import (
	"context"
	"fmt"
	"slices"

	"authwatch/classify"
	"authwatch/store"
)

// A judgement is what a batch comes to, worked out before the writer's turn and beside other batches: as though all of its
// records were new and nobody else wrote. In the turn it is asked whether that is so; nearly always it is.
type judgement struct {
	effects
	list     []placed
	asked    inquiry
	snapshot store.Snapshot
}

// judgeAhead places and judges a batch by history as it is committed now.
func (i *Ingester) judgeAhead(ctx context.Context, b *batch) (*judgement, error) {
	var order []decoded
	w := work{ingester: i, batch: *b}
	for n := range b.records {
		d := &b.records[n]
		switch {
		case d.record == nil && len(d.success.facts) == 0: // has no order: it only counts
			w.successes.add(d.success.site, d.at)
			w.see(d.success.seen, d.at)
		default:
			order = append(order, *d)
		}
	}
	slices.SortStableFunc(order, func(a, b decoded) int { return a.at.Compare(b.at) })
	list := w.place(order)
	asked := inquire(list)
	snapshot, err := i.store.History(ctx, asked.keys)
	if err != nil {
		return nil, fmt.Errorf("look up history: %w", err)
	}
	if snapshot.History == nil {
		snapshot.History = classify.History{}
	}
	w.history, w.asked = snapshot.History, asked
	w.failures = slices.Grow(w.failures, asked.failures)
	for n := range list {
		w.settle(&list[n])
	}
	if len(w.bad) > 0 { // a defect costs its record alone, and says so when the batch is taken
		return nil, nil
	}
	if err := i.store.Pack(w.failures); err != nil {
		return nil, fmt.Errorf("pack failures: %w", err)
	}
	w.traffic = w.successes.traffic(w.failures)
	w.facts = i.store.News(w.facts)
	return &judgement{effects: w.effects, list: list, asked: asked, snapshot: snapshot}, nil
}

// settle takes the judgement over into the transaction. What it says of failures that depend on facts which others have
// changed meanwhile is judged again, and nothing else. It is false when the batch has to be judged as a whole.
func (j *judgement) settle(ctx context.Context, w *work) (bool, error) {
	changed, err := w.tx.Changed(ctx, j.snapshot)
	if err != nil {
		return false, fmt.Errorf("look up what changed: %w", err)
	}
	before := *w
	w.effects = j.effects
	w.failures = slices.Clone(j.failures) // the store gives them their ids
	if len(changed) == 0 {
		return true, nil
	}
	settled, err := j.judgeAgain(ctx, w, changed)
	if !settled {
		*w = before
	}
	return settled, err
}

// judgeAgain judges those failures that depend on changed facts.
func (j *judgement) judgeAgain(ctx context.Context, w *work, changed classify.History) (settled bool, err error) {
	isChanged := make([]bool, len(j.asked.keys))
	for i, k := range j.asked.keys {
		_, isChanged[i] = changed[k]
	}
	var keys []classify.Key
	known := make([]bool, len(j.asked.keys))
	touched := make([]bool, len(j.list))
	for n := range j.list {
		own := j.list[n].keys
		touched[n] = slices.ContainsFunc(own, func(k int32) bool { return isChanged[k] })
		if !touched[n] {
			continue
		}
		for _, k := range own {
			if !known[k] {
				known[k] = true
				keys = append(keys, j.asked.keys[k])
			}
		}
	}
	history, err := w.tx.History(ctx, keys)
	if err != nil {
		return false, fmt.Errorf("look up history: %w", err)
	}
	failure := 0
	for n := range j.list {
		p := &j.list[n]
		if touched[n] {
			var verdict classify.Verdict
			if !w.guarded(p.index, func() { verdict = classify.Classify(p.exchange, history) }) {
				return false, nil
			}
			w.failures[failure] = newFailure(w.batch.source, w.batch.at, p.exchange, verdict, p.stored)
		}
		if p.exchange.Outcome == classify.Failed { // also one whose judgement depends on nothing
			failure++
		}
		for _, f := range p.facts {
			if k, asked := j.asked.at[f.Key]; asked && known[k] {
				history.Observe([]classify.Fact{f})
			}
		}
	}
	return true, nil
}
