package ingest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"authwatch/classify"
	"authwatch/store"
)

// A judgement is what a batch comes to, worked out before the writer's turn and beside other batches: as though all of its
// records were new and nobody else wrote. In the turn it is asked whether that is so; nearly always it is.
type judgement struct {
	effects
	order    []*decoded
	list     []placed
	asked    inquiry
	snapshot store.Snapshot
	taken    bool // a try has taken the effects over
}

func newJudgements() *sync.Pool { return &sync.Pool{New: func() any { return &judgement{} }} }

// judgeAhead places and judges a batch by history as it is committed now. The judgement is to be released when the batch is committed.
func (i *Ingester) judgeAhead(ctx context.Context, b *batch) (*judgement, error) {
	j := i.judgements.Get().(*judgement)
	w := work{ingester: i, batch: *b, effects: j.effects, asked: &j.asked, known: &j.snapshot}
	for n := range b.records {
		d := &b.records[n]
		switch {
		case d.record == nil && len(d.success.facts) == 0: // has no order: it only counts
			w.successes.add(d.success.site, d.at)
			w.see(d.success.seen, d.at)
		default:
			j.order = append(j.order, d)
		}
	}
	slices.SortStableFunc(j.order, byTime)
	j.list = w.place(j.order, j.list)
	j.asked.ask(j.list)
	if err := i.store.Look(ctx, j.asked.keys(), &j.snapshot); err != nil {
		return nil, fmt.Errorf("look up history: %w", err)
	}
	j.asked.hold(j.snapshot.Holds)
	w.failures = slices.Grow(w.failures, j.asked.failures)
	for n := range j.list {
		w.settle(&j.list[n])
	}
	if len(w.bad) > 0 { // a defect costs its record alone, and says so when the batch is taken
		return nil, nil
	}
	if err := i.store.Pack(w.failures); err != nil {
		return nil, fmt.Errorf("pack failures: %w", err)
	}
	w.traffic = w.successes.traffic(w.failures)
	w.facts, w.news = i.store.News(w.facts, w.news)
	j.effects = w.effects
	return j, nil
}

// release hands the memory of a judgement to the next batch, without what it held. Nil has none.
func (i *Ingester) release(j *judgement) {
	const most = 1 << 14 // keys of a batch whose memory is worth keeping
	if j == nil || len(j.asked.index.Keys()) > most {
		return
	}
	j.effects.empty()
	j.order, j.list = emptied(j.order), emptied(j.list)
	j.asked.empty()
	j.snapshot.Empty()
	j.taken = false
	i.judgements.Put(j)
}

// emptied is the memory of a list, which holds on to nothing any more.
func emptied[T any](list []T) []T {
	clear(list)
	return list[:0]
}

// settle takes the judgement over into the transaction. What it says of failures that depend on facts which others have
// changed meanwhile is judged again, and nothing else. It is false when the batch has to be judged as a whole.
func (j *judgement) settle(ctx context.Context, w *work) (bool, error) {
	if j.taken { // the store has changed the failures in another try
		return false, nil
	}
	changed, err := w.tx.Changed(ctx, j.snapshot)
	if err != nil {
		return false, fmt.Errorf("look up what changed: %w", err)
	}
	before := *w
	w.effects, w.asked, j.taken = j.effects, &j.asked, true
	if len(changed) == 0 {
		return true, nil
	}
	settled, err := j.judgeAgain(ctx, w, changed)
	if !settled {
		*w = before
	}
	return settled, err
}

// judgeAgain judges those failures that changed facts may have changed: a failure names more than its judgement came to ask for.
func (j *judgement) judgeAgain(ctx context.Context, w *work, changed classify.History) (settled bool, err error) {
	asked := j.asked.keys()
	isChanged, known := make([]bool, len(asked)), make([]bool, len(asked))
	for k := range changed {
		isChanged[j.asked.index.Number(&k)] = true
	}
	var keys []classify.Key
	touched := make([]bool, len(j.list))
	for n := range j.list {
		own := j.list[n].keys
		by := j.list[n].by
		touched[n] = slices.ContainsFunc(own, func(k int32) bool { return isChanged[k] && by.Has(asked[k].Kind) })
		if !touched[n] {
			continue
		}
		for _, k := range own {
			if !known[k] {
				known[k] = true
				keys = append(keys, asked[k])
			}
		}
	}
	if len(keys) == 0 {
		return true, nil
	}
	history, err := w.tx.History(ctx, keys)
	if err != nil {
		return false, fmt.Errorf("look up history: %w", err)
	}
	failure := 0
	for n := range j.list {
		p := &j.list[n]
		if touched[n] {
			f := newFailure(w.batch.source, w.batch.at, &p.exchange, p.stored)
			if !w.guarded(p.index, func() { classify.Judge(&p.exchange, history.Held(), &f.Verdict) }) {
				return false, nil
			}
			w.failures[failure] = f
		}
		if p.exchange.Outcome == classify.Failed { // also one whose judgement depends on nothing
			failure++
		}
		for n := range p.facts {
			if k := int(j.asked.index.Number(&p.facts[n].Key)); k < len(known) && known[k] {
				history.Observe(p.facts[n : n+1])
			}
		}
	}
	return true, nil
}
