package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// commitResponses stores the new ones of a batch's records, judged, in one transaction.
func (i *Ingester) commitResponses(ctx context.Context, b batch) (answer, error) {
	ahead, err := i.judgeAhead(ctx, &b)
	if err != nil {
		return answer{}, err
	}
	defer i.release(ahead)
	b.turn.keep(b.weight(), workingWeight*max(len(b.records), 1))
	return i.commitJudged(ctx, b, ahead)
}

// What a record weighs: while it is worked on, and until it is committed if it is kept whole, as a failure is. A plain success weighs one then.
const (
	workingWeight = 16
	wholeWeight   = 8
)

// weight is what the records of a batch need in memory until they are committed, in plain successes.
func (b *batch) weight() (weight int) {
	for n := range b.records {
		if weight++; b.records[n].record != nil {
			weight += wholeWeight - 1
		}
	}
	return weight
}

// commitJudged is the writer's turn of a batch that was judged ahead; nil has it judged in the turn.
func (i *Ingester) commitJudged(ctx context.Context, b batch, ahead *judgement) (answer, error) {
	deliveries := b.deliveries()
	var done work
	err := i.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		done = work{ingester: i, tx: tx, batch: b, deliveries: deliveries, ahead: ahead}
		if err := done.responses(ctx); err != nil {
			return err
		}
		return done.account(ctx)
	})
	if err == nil && done.duplicates == 0 {
		remember(b.noted)
	}
	return i.committed(b, done, err)
}

// write turns a full queue into the answer that makes a shipper wait.
func (i *Ingester) write(ctx context.Context, fn func(ctx context.Context, tx *store.Tx) error) error {
	err := i.store.Write(ctx, fn)
	if errors.Is(err, store.ErrBusy) || isClosed(err) {
		return overloaded()
	}
	return err
}

func isClosed(err error) bool { return errors.Is(err, store.ErrClosed) }

// committed makes the answer of what is durable now.
func (i *Ingester) committed(b batch, done work, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	i.store.Sight(done.seen)
	i.metrics.altered.Add(float64(done.altered()))
	for n := range done.failures {
		i.metrics.fail(&done.failures[n].Verdict, n == 0)
	}
	a := answer{
		Received: b.received, Accepted: done.accepted, Duplicates: done.duplicates,
		Errors: append(slices.Clone(b.bad), done.bad...),
	}
	a.Rejected = len(a.Errors)
	a.other = b.other
	slices.SortFunc(a.Errors, func(x, y RecordError) int { return x.Index - y.Index })
	if a.Errors == nil {
		a.Errors = []RecordError{}
	}
	return a, nil
}

// work is one run of a batch inside a transaction. The store may run it more than once, each time from the start.
type work struct {
	ingester   *Ingester
	tx         *store.Tx
	batch      batch
	deliveries []store.Delivery
	ahead      *judgement      // what the batch comes to if all of it is new and nothing that counts has changed; nil for none
	known      *store.Snapshot // of history, for what was asked
	asked      *inquiry
	successes  successes

	accepted   int
	duplicates int
	bad        []RecordError
	effects
}

// An effects is what records leave behind.
type effects struct {
	said     []classify.Fact     // by its exchanges, one after the other
	facts    []classify.Fact     // those said, each key once
	news     []store.Observation // what is kept of the facts, if that is known
	failures []store.Failure
	traffic  []store.Traffic
	pending  []store.Pending
	seen     []store.Seen
}

// empty leaves the memory of what is large.
func (e *effects) empty() {
	*e = effects{said: emptied(e.said), facts: emptied(e.facts), news: emptied(e.news), failures: emptied(e.failures), seen: emptied(e.seen)}
}

func (w *work) responses(ctx context.Context) error {
	isFresh, err := w.claim(ctx)
	if err != nil || w.accepted == 0 {
		return err
	}
	fresh := w.batch.records
	whole := w.duplicates == 0
	if !whole {
		fresh = w.fresh(isFresh)
	}
	waiting, err := w.waitingTokens(ctx, fresh)
	if err != nil {
		return err
	}
	if w.ahead != nil && whole && len(waiting) == 0 {
		settled, err := w.ahead.settle(ctx, w)
		if err != nil {
			return err
		}
		if settled {
			return w.saveJudged(ctx, w.ahead.list)
		}
	}
	if whole {
		fresh = slices.Clone(fresh) // the batch keeps its order for another try
	}
	// A batch is judged in the order of its events, whatever the order in which the shipper read its files.
	order := make([]*decoded, len(fresh))
	for n := range fresh {
		order[n] = &fresh[n]
		w.attachWaiting(order[n], waiting)
	}
	slices.SortStableFunc(order, byTime)
	list := w.place(order, nil)
	if err := w.lookUp(ctx, list); err != nil {
		return err
	}
	for n := range list {
		w.settle(&list[n])
	}
	w.traffic = w.successes.traffic(w.failures)
	return w.saveJudged(ctx, list)
}

// saveJudged writes what a judged list left behind and remembers its failures.
func (w *work) saveJudged(ctx context.Context, list []placed) error {
	if err := w.save(ctx); err != nil {
		return err
	}
	w.noteFailures(list)
	return nil
}

// claim says which records of the batch were not delivered before.
func (w *work) claim(ctx context.Context) ([]bool, error) {
	isFresh, err := w.tx.Claim(ctx, w.batch.at, w.deliveries)
	if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	for n := range isFresh {
		isFresh[n] = w.batch.records[n].settle(isFresh[n])
		if isFresh[n] {
			w.accepted++
		}
	}
	w.duplicates = len(isFresh) - w.accepted
	return isFresh, nil
}

// fresh are the records of the batch that are new. They say themselves what was left to others, which may be none of them.
func (w *work) fresh(isFresh []bool) []decoded {
	var b batch
	fresh := make([]decoded, 0, w.accepted)
	for n, ok := range isFresh {
		if ok {
			d := w.batch.records[n]
			d.success.facts = d.success.facts[:d.success.own:d.success.own]
			b.take(&d.success, d.at)
			fresh = append(fresh, d)
		}
	}
	return fresh
}

func byTime(a, b *decoded) int { return a.at.Compare(b.at) }

// A placed record is one with its exchange.
type placed struct {
	*decoded
	exchange classify.Exchange
	keys     []int32            // of a failure: which of the inquiry's keys its judgement may depend on
	by       classify.FactKinds // of a failure: of which kinds of facts its judgement does
	facts    []classify.Fact
}

// place appends each record, located; one that the classifier cannot take costs only itself.
func (w *work) place(order []*decoded, list []placed) []placed {
	list = slices.Grow(list, len(order))
	for _, d := range order {
		list = append(list, placed{decoded: d})
		p := &list[len(list)-1]
		if p.record != nil && !w.guarded(p.index, func() { p.exchange = w.ingester.classifier.Locate(p.record) }) {
			list = list[:len(list)-1]
		}
	}
	return list
}

// guarded runs a step of the classifier for one record. A panic there is a defect of ours, and neither the other
// records nor a shipper that would send the batch again for ever must pay for it. The panic's text may quote the record: only its type and place are logged.
func (w *work) guarded(index int, step func()) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			w.ingester.log.Error("classifier panicked", "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			w.accepted--
			w.bad = append(w.bad, RecordError{
				Index: index, Code: "not_classifiable", Detail: "this record met a defect of authwatch; sending it again does not help",
			})
		}
	}()
	step()
	return true
}

// lookUp reads the history of all exchanges at once.
func (w *work) lookUp(ctx context.Context, list []placed) error {
	w.asked, w.known = &inquiry{}, &store.Snapshot{}
	w.asked.ask(list)
	if err := w.tx.Look(ctx, w.asked.keys(), w.known); err != nil {
		return fmt.Errorf("look up history: %w", err)
	}
	w.asked.hold(w.known.Holds)
	return nil
}

// held is what history holds for a failure, with what the batch has said so far.
func (w *work) held(p *placed) classify.Held { return w.asked.index.Held(p.keys, w.asked.isHeld, w) }

// Fact is what history holds under a number that was asked for, with what the batch has said so far.
func (w *work) Fact(number int32) classify.Fact {
	f := w.known.Fact(int(number))
	if at, said := w.asked.place(number); said {
		f = f.Merge(w.facts[at])
	}
	return f
}

// settle judges one exchange and notes what it leaves behind.
func (w *work) settle(p *placed) {
	if p.record == nil {
		w.successes.add(p.success.site, p.at)
		w.see(p.success.seen, p.at)
		p.facts = p.success.facts
		w.observe(p.facts, nil)
		return
	}
	e := &p.exchange
	ok := w.guarded(p.index, func() {
		switch e.Outcome {
		case classify.Failed:
			f := newFailure(w.batch.source, w.batch.at, e, p.stored)
			p.by = classify.Judge(e, w.held(p), &f.Verdict)
			w.see(w.ingester.look(e, &f.Verdict), p.at)
			w.failures = append(w.failures, f)
		case classify.Accepted:
			w.successes.add(w.ingester.site(e), p.at)
			w.see(w.ingester.look(e, nil), p.at)
		}
	})
	if !ok {
		return
	}
	from := len(w.said)
	if e.Outcome == classify.Failed {
		w.said = w.asked.index.AppendFacts(w.said, e, p.keys)
	} else {
		w.said = e.AppendFacts(w.said)
	}
	p.facts = w.said[from:len(w.said):len(w.said)]
	w.observe(p.facts, p.keys)
	if e.Outcome != classify.Failed && lacksToken(*e) && w.ingester.waits(&w.batch, &p.waits) {
		w.waits(p)
	}
}

// observe notes facts for the history of the store, and for later failures of the batch; a failure asks for the keys of its own.
func (w *work) observe(facts []classify.Fact, keys []int32) {
	for n := range facts {
		f := &facts[n]
		if at, known := w.asked.note(&f.Key, keys, len(w.facts)); known {
			w.facts[at] = w.facts[at].Merge(*f)
		} else {
			w.facts = append(w.facts, *f)
		}
	}
}

// save writes what the batch left behind, and judges again what its facts came too late for.
func (w *work) save(ctx context.Context) error {
	if len(w.facts) > 0 {
		if err := w.saveFacts(ctx); err != nil {
			return fmt.Errorf("observe facts: %w", err)
		}
		if err := w.judgeDependents(ctx); err != nil {
			return err
		}
	}
	if len(w.failures) > 0 {
		if err := w.tx.AddFailures(ctx, w.failures); err != nil {
			return fmt.Errorf("add failures: %w", err)
		}
	}
	if len(w.traffic) > 0 {
		if err := w.tx.AddTraffic(ctx, w.traffic); err != nil {
			return fmt.Errorf("add traffic: %w", err)
		}
	}
	if len(w.pending) > 0 {
		if err := w.tx.PutPending(ctx, w.pending); err != nil {
			return fmt.Errorf("put pending halves: %w", err)
		}
	}
	return nil
}

func (w *work) saveFacts(ctx context.Context) error {
	if len(w.news) == 0 { // judged in the turn
		return w.tx.Observe(ctx, w.facts)
	}
	w.tx.ObserveNews(w.news)
	return nil
}

// newFailure makes what is stored of a failure but for its verdict; stored is its record encoded, nil if that is still to be done.
func newFailure(source string, at time.Time, e *classify.Exchange, stored []byte) store.Failure {
	r := e.Record
	if stored == nil {
		stored = encodeRecord(r)
	}
	f := store.Failure{
		Source: source, RecordID: r.ID, ReceivedAt: at, RequestID: r.RequestID, TraceID: r.TraceID,
		Service: r.Service, Endpoint: e.Endpoint, Record: stored,
	}
	if r.Request != nil {
		f.Method, f.URL = r.Request.Method, r.Request.URL
	}
	if r.Response != nil {
		f.Status = r.Response.Status
	}
	return f
}

// encode marshals what was decoded from JSON before, or made of it, and so always can be.
func encode(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return data
}
