package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"authwatch/classify"
	"authwatch/store"
)

// A lateToken is a record of the tokens endpoint: a decoded token and the ids that lead to its exchange.
type lateToken struct {
	kind  string
	token classify.JWT
}

// decodeLateToken makes a token of the members of a record of the tokens endpoint:
// {"time","kind","request_id"|"trace_id","header","claims"}, or the raw "token" in the place of the last two.
func (r *Redactor) decodeLateToken(members map[string]any) (decoded, *fault) {
	at, f := eventTime(members["time"])
	if f != nil {
		return decoded{}, f
	}
	kind, _ := members["kind"].(string)
	if kind != kindAssertion && kind != kindAccessToken {
		return decoded{}, &fault{pointer: "/kind", code: "wrong_kind", detail: "kind must be client_assertion or access_token"}
	}
	w := &walk{Redactor: r, side: sideRequest}
	m := &fields{walk: w, members: members}
	rec := classify.Record{
		Time: at, ID: m.identity("id"), Provider: m.identity("provider"),
		RequestID: m.joinID("request_id"), TraceID: m.joinID("trace_id"),
	}
	token := m.lateJWT(&rec)
	switch {
	case m.fault != nil:
		return decoded{}, m.fault
	case rec.RequestID == "" && rec.TraceID == "":
		return decoded{}, &fault{code: "missing_join_id", detail: "request_id or trace_id must say to which exchange the token belongs"}
	case token == nil:
		return decoded{}, &fault{code: "missing_token", detail: `"header" and "claims" of the decoded token, or the raw "token", are missing`}
	}
	setToken(&rec, kind, token)
	finished, _ := w.finish(&rec)
	if finished.ClientAssertion == nil && finished.AccessToken == nil {
		return decoded{}, &fault{code: "missing_token", detail: "the token could not be redacted and was dropped"}
	}
	d := decoded{at: at, record: finished, key: "token:" + finished.ID, late: &lateToken{kind: kind, token: *token}}
	if finished.ID == "" {
		d.key = r.contentKey("token", members)
	}
	return d, nil
}

func (m *fields) lateJWT(rec *classify.Record) *classify.JWT {
	if m.members["header"] != nil || m.members["claims"] != nil {
		return m.decodedToken(m.members)
	}
	raw := m.raw("token")
	if raw == "" {
		return nil
	}
	m.name = "token"
	m.secret(secretToken, raw, 0)
	if len(m.found) == 0 {
		return nil
	}
	return m.presented(m.found[0], rec)
}

// commitTokens joins the tokens of a batch with their exchanges, in one transaction.
func (i *Ingester) commitTokens(ctx context.Context, b batch) (answer, error) {
	deliveries := b.deliveries()
	var done work
	err := i.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		done = work{ingester: i, tx: tx, batch: b, deliveries: deliveries}
		if err := done.tokens(ctx); err != nil {
			return err
		}
		return done.account(ctx)
	})
	if err == nil && done.accepted > 0 {
		i.late.come(b.at)
	}
	return i.committed(b, done, err)
}

func (w *work) tokens(ctx context.Context) error {
	isFresh, err := w.claim(ctx)
	if err != nil || w.accepted == 0 {
		return err
	}
	if err := w.tx.NoteTokenApart(ctx, w.batch.source, w.batch.at); err != nil {
		return err
	}
	fresh := w.fresh(isFresh)
	tokens := make([]waitingToken, len(fresh))
	var requestIDs, traceIDs, keys []string
	for n, d := range fresh {
		tokens[n] = waitingToken{Kind: d.late.kind, RequestID: d.record.RequestID, TraceID: d.record.TraceID, Token: d.late.token}
		requestIDs = append(requestIDs, d.record.RequestID)
		traceIDs = append(traceIDs, d.record.TraceID)
		keys = append(keys, joinKeys(d.record.RequestID, d.record.TraceID)...)
		half := pendingUnder(d.record.RequestID, d.record.TraceID)
		half.Side, half.Kind, half.Time = sideToken, d.late.kind, d.record.Time
		half.Body, half.ExpiresAt = encode(tokens[n]), w.batch.at.Add(waitFor)
		w.pending = append(w.pending, half)
	}
	late, err := w.lateFailures(ctx, withoutEmpty(requestIDs), withoutEmpty(traceIDs), tokens)
	if err != nil {
		return err
	}
	waited, err := w.lateExchanges(ctx, keys, tokens)
	if err != nil {
		return err
	}
	late = withoutCommonIDs(append(late, waited...), tokens)
	slices.SortStableFunc(late, func(a, b lateJoin) int {
		return a.after.Record.Time.Compare(b.after.Record.Time)
	})
	list := exchanges(late)
	if err := w.lookUp(ctx, list); err != nil {
		return err
	}
	for n, l := range late {
		if err := w.revise(ctx, l, &list[n]); err != nil {
			return err
		}
	}
	w.traffic = w.successes.traffic(w.failures)
	return w.save(ctx)
}

func withoutEmpty(ids []string) []string {
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" })
}

// maxSharers is how many exchanges may share a token's request id: retries and several loggers repeat one, but an id
// that everything repeats names nothing, and its token would be blamed for the failures of others.
const maxSharers = 8

// withoutCommonIDs drops the joins through ids that are no identity.
func withoutCommonIDs(late []lateJoin, tokens []waitingToken) []lateJoin {
	sharers := map[string]int{}
	for _, l := range late {
		sharers[l.after.Record.RequestID]++
	}
	return slices.DeleteFunc(late, func(l lateJoin) bool {
		id := l.after.Record.RequestID
		return sharers[id] > maxSharers && slices.ContainsFunc(tokens, func(t waitingToken) bool { return id != "" && t.RequestID == id })
	})
}

// A lateJoin is an exchange that was settled without a token which has come now.
type lateJoin struct {
	failure *store.Failure // nil: it was no failure
	source  string
	before  classify.Exchange
	after   classify.Exchange
}

func exchanges(list []lateJoin) []placed {
	out := make([]placed, len(list))
	for n, l := range list {
		out[n] = placed{exchange: l.after}
	}
	return out
}

// lateFailures finds the stored failures that the tokens belong to.
func (w *work) lateFailures(ctx context.Context, requestIDs, traceIDs []string, tokens []waitingToken) ([]lateJoin, error) {
	stored, err := w.tx.FailuresByRequest(ctx, requestIDs, traceIDs)
	if err != nil {
		return nil, fmt.Errorf("find failures of tokens: %w", err)
	}
	var late []lateJoin
	for n := range stored {
		before, err := decodeStored(stored[n].Record)
		if err != nil {
			return nil, fmt.Errorf("decode record of failure %s: %w", stored[n].ID, err)
		}
		after := *before
		if w.attach(&after, tokens) {
			late = append(late, w.join(&stored[n], stored[n].Source, before, &after))
		}
	}
	return late, nil
}

func decodeStored(data []byte) (*classify.Record, error) {
	var r classify.Record
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&r); err != nil {
		return nil, err
	}
	return &r, nil
}

func (w *work) join(f *store.Failure, source string, before, after *classify.Record) lateJoin {
	return lateJoin{
		failure: f, source: source,
		before: w.ingester.classifier.Locate(before), after: w.ingester.classifier.Locate(after),
	}
}

// lateExchanges takes the exchanges that waited for the tokens, and puts back those that still lack one.
func (w *work) lateExchanges(ctx context.Context, keys []string, tokens []waitingToken) ([]lateJoin, error) {
	waiting, err := w.takeExchanges(ctx, keys)
	if err != nil {
		return nil, err
	}
	var late []lateJoin
	for _, e := range waiting {
		after := e.Record
		if w.attach(&after, tokens) {
			late = append(late, w.join(nil, e.Source, &e.Record, &after))
		}
		if lacksToken(w.ingester.classifier.Locate(&after)) {
			e.Record = after
			w.pending = append(w.pending, e.half(encodeRecord(&e.Record)))
		}
	}
	return late, nil
}

// takeExchanges takes the exchanges that wait under the keys, equal ones once.
func (w *work) takeExchanges(ctx context.Context, keys []string) ([]waitingExchange, error) {
	waiting, err := w.tx.TakePending(ctx, sideExchange, keys)
	if err != nil {
		return nil, fmt.Errorf("take waiting exchanges: %w", err)
	}
	out := make([]waitingExchange, 0, len(waiting))
	seen := map[string]bool{}
	for _, p := range waiting {
		if seen[string(p.Body)] {
			continue
		}
		seen[string(p.Body)] = true
		var e waitingExchange
		if err := json.Unmarshal(p.Body, &e); err != nil {
			return nil, fmt.Errorf("decode waiting exchange: %w", err)
		}
		out = append(out, e)
	}
	return out, nil
}

// revise judges an exchange again with its token, placed with which it is.
func (w *work) revise(ctx context.Context, l lateJoin, p *placed) error {
	failed := l.after.Outcome == classify.Failed
	var judged *classify.Verdict
	if failed {
		var verdict classify.Verdict
		if !w.guarded(0, func() { classify.Judge(&p.exchange, w.held(p), &verdict) }) {
			return nil
		}
		if err := w.restate(ctx, l, verdict); err != nil {
			return err
		}
		if l.failure != nil {
			w.ingester.dependents.note(w.batch.at, l.after.Keys(), dependent{l.failure.ID, l.after.Record.Time})
		}
		judged = &verdict
	}
	if !w.guarded(0, func() { w.seeLate(&l.before, &l.after, judged) }) {
		return nil
	}
	if !failed && l.failure != nil {
		if err := w.tx.WithdrawFailure(ctx, l.failure.ID); err != nil {
			return fmt.Errorf("withdraw failure %s: %w", l.failure.ID, err)
		}
		if l.after.Outcome == classify.Accepted {
			w.successes.add(w.ingester.site(&l.after), l.after.Record.Time)
		}
	}
	w.observe(newFacts(l.before, l.after), p.keys)
	return nil
}

// restate stores the verdict in the place of the earlier one, or as a failure that only the token shows.
func (w *work) restate(ctx context.Context, l lateJoin, v classify.Verdict) error {
	if l.failure == nil {
		f := newFailure(l.source, w.batch.at, &l.after, nil)
		f.Verdict = v
		w.failures = append(w.failures, f)
		return nil
	}
	f := newFailure(l.source, l.failure.ReceivedAt, &l.after, nil)
	f.ID, f.IncidentID, f.Verdict = l.failure.ID, l.failure.IncidentID, v
	if err := w.tx.ReviseFailure(ctx, f); err != nil {
		return fmt.Errorf("revise failure %s: %w", f.ID, err)
	}
	return nil
}

// newFacts are those that an exchange adds to history with its token and did not add without.
func newFacts(before, after classify.Exchange) []classify.Fact {
	known := map[classify.Key]bool{}
	for _, f := range before.Facts() {
		known[f.Key] = true
	}
	return slices.DeleteFunc(after.Facts(), func(f classify.Fact) bool { return known[f.Key] })
}
