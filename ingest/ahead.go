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
	snapshot store.Snapshot
}

// judgeAhead places and judges a batch by history as it is committed now.
func (i *Ingester) judgeAhead(ctx context.Context, b *batch) (*judgement, error) {
	order := make([]decoded, 0, len(b.records))
	w := work{ingester: i, batch: *b}
	for n := range b.records {
		d := &b.records[n]
		switch {
		case d.record == nil && d.success.facts == nil: // has no order: it only counts
			w.successes.add(d.success.site, d.at)
		default:
			order = append(order, *d)
		}
	}
	slices.SortStableFunc(order, func(a, b decoded) int { return a.at.Compare(b.at) })
	list := w.place(order)
	snapshot, err := i.store.History(ctx, keysOf(list))
	if err != nil {
		return nil, fmt.Errorf("look up history: %w", err)
	}
	if snapshot.History == nil {
		snapshot.History = classify.History{}
	}
	w.history = snapshot.History
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
	w.facts = i.store.News(merged(w.facts))
	return &judgement{effects: w.effects, list: list, snapshot: snapshot}, nil
}

// merged puts the facts of one key together.
func merged(facts []classify.Fact) []classify.Fact {
	at := make(map[classify.Key]int, len(facts))
	out := facts[:0]
	for _, f := range facts {
		if n, ok := at[f.Key]; ok {
			out[n] = out[n].Merge(f)
			continue
		}
		at[f.Key] = len(out)
		out = append(out, f)
	}
	return out
}

// stands takes the judgement over if it holds in this transaction.
func (j *judgement) stands(ctx context.Context, w *work) (bool, error) {
	changed, err := w.tx.Changed(ctx, j.snapshot)
	if err != nil {
		return false, fmt.Errorf("look up what changed: %w", err)
	}
	if len(changed) > 0 {
		return false, nil
	}
	w.effects = j.effects
	w.failures = slices.Clone(j.failures) // the store gives them their ids
	return true, nil
}
