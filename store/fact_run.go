package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// Most facts are of an assertion, whose id hardly anybody asks for again. Their digests lie anywhere, so in the table fact each
// would be a page that is read, changed and written. So those that were put off are written as a run instead: rows of a few
// facts, in the order of their digests, which lie together and stay as they are until they expire. What is known of a fact is what the table and all
// runs hold of it, merged; the filter knows which facts are in no run.

const (
	runLeast = 4_000 // facts that are worth a run, which is one more place to look into
	runRow   = 4     // facts of a row: of longer rows few fit on the pages that lead to others
)

// isOfAssertion reports whether a fact may be written to a run.
func (o *Observation) isOfAssertion() bool { return o.firstExchange != "" && o.expires != 0 }

// apart takes the facts that are worth a run apart from the others. Both lists are in order; the one that is given is used up.
func (l factList) apart() (run, others factList) {
	n := 0
	for i := range l {
		if l[i].isOfAssertion() {
			n++
		}
	}
	if n < runLeast {
		return nil, l
	}
	run, others = l[:0], make(factList, 0, len(l)-n)
	for i := range l {
		if l[i].isOfAssertion() {
			run = append(run, l[i])
		} else {
			others = append(others, l[i])
		}
	}
	return run, others
}

// writeRun writes facts as a run of the first tier (fact_merge.go).
func (t *Tx) writeRun(ctx context.Context, facts factList) error {
	if len(facts) == 0 {
		return nil
	}
	run, err := t.newRun(ctx, 0)
	if err != nil {
		return err
	}
	return t.writeRunRows(ctx, run, facts)
}

// newRun is the number of a run behind all others of a tier.
func (t *Tx) newRun(ctx context.Context, tier int64) (run int64, err error) {
	before := tier * runTier
	err = t.queryRow(ctx, `select coalesce(max(run), $1) + 1 from fact_run where run > $1 and run < $2`, before, before+runTier).Scan(&run)
	if err != nil {
		return 0, fmt.Errorf("find last run of facts: %w", err)
	}
	return run, nil
}

// writeRunRows adds facts to a run that has none between them.
func (t *Tx) writeRunRows(ctx context.Context, run int64, facts factList) error {
	rows := t.rowList(ctx, `insert into fact_run (run, digest, expires_at, facts) values `, 4, ``)
	e := encoder{make([]byte, 0, 64*len(facts))}
	for row := range slices.Chunk(facts, runRow) {
		from, expires := len(e.b), int64(0)
		for i := range row {
			row[i].encodeInRun(&e)
			expires = max(expires, row[i].expires)
		}
		rows.add(run, row[0].key[:], expires, e.b[from:])
	}
	if err := rows.end(); err != nil {
		return fmt.Errorf("write run of facts: %w", err)
	}
	return nil
}

func (o *Observation) encodeInRun(e *encoder) {
	e.b = append(e.b, o.key[:]...)
	e.number(o.firstSeen)
	for _, at := range [...]int64{o.lastSeen, o.firstAccepted, o.lastAccepted, o.expires} {
		switch after := at - o.firstSeen; {
		case at == 0:
			e.number(0)
		case after < 0:
			e.number(after)
		default:
			e.number(after + 1)
		}
	}
	e.number(o.maxOffset, o.count)
	e.digits(o.firstExchange)
	e.digits(o.firstTokenPrint)
}

// decodeRun reads the facts of a row.
func decodeRun(b []byte) (list []Observation, err error) {
	d := &decoder{b: b}
	list = make([]Observation, 0, runRow)
	for len(d.b) > 0 && !d.damaged {
		var o Observation
		if d.damaged = len(d.b) < len(o.key); d.damaged {
			break
		}
		d.b = d.b[copy(o.key[:], d.b):]
		o.firstSeen = d.number()
		for _, at := range [...]*int64{&o.lastSeen, &o.firstAccepted, &o.lastAccepted, &o.expires} {
			switch after := d.number(); {
			case after < 0:
				*at = o.firstSeen + after
			case after > 0:
				*at = o.firstSeen + after - 1
			}
		}
		o.maxOffset, o.count = d.number(), d.number()
		o.firstExchange, o.firstTokenPrint = d.digits(), d.digits()
		list = append(list, o)
	}
	if d.damaged {
		return nil, errDamagedFigures
	}
	return list, nil
}

// runNumbers finds the runs one from the other: to list them otherwise would be to read the whole table.
const runNumbers = `with recursive part(run) as (
		select max(run) from fact_run
		union all select (select max(run) from fact_run where run < part.run) from part where part.run is not null)`

// factInRuns finds the row of every run in which a fact would be.
const factInRuns = runNumbers + `
	select facts from part join fact_run f on f.run = part.run
		and f.digest = (select digest from fact_run where run = part.run and digest <= $1 order by digest desc limit 1)`

// addRuns adds what runs hold of facts to what was found of them.
func (c *factCache) addRuns(ctx context.Context, from rowsQuerier, keys []factKey, found map[factKey]fact) error {
	inRuns := map[factKey]fact{} // a key may be asked for twice
	for _, k := range c.mayBeInRun(keys) {
		if _, known := inRuns[k]; known {
			continue
		}
		rows, err := from.QueryContext(ctx, factInRuns, k[:])
		if err != nil {
			return err
		}
		lists, err := collect(rows, scanRun)
		if err != nil {
			return err
		}
		for _, o := range slices.Concat(lists...) {
			if o.key != k {
				continue
			}
			f := o.fact
			if other, ok := inRuns[k]; ok {
				f = other.merge(f)
			}
			inRuns[k] = f
		}
	}
	for k, f := range inRuns {
		if kept, ok := found[k]; ok {
			f = kept.merge(f)
		}
		found[k] = f
	}
	return nil
}

func scanRun(scan func(...any) error) ([]Observation, error) {
	var facts sql.RawBytes
	if err := scan(&facts); err != nil {
		return nil, err
	}
	return decodeRun(facts)
}

// A runRowKey names a row of a run.
type runRowKey struct {
	run    int64
	digest []byte
}

type runRowFacts struct {
	runRowKey
	facts []Observation
}

// runRowsAfter reads the rows that follow one.
func runRowsAfter(ctx context.Context, from rowsQuerier, last runRowKey) ([]runRowFacts, error) {
	rows, err := from.QueryContext(ctx, `select run, digest, facts from fact_run where (run, digest) > ($1, $2)
		order by run, digest limit $3`, last.run, last.digest, int64(runStep))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (r runRowFacts, err error) {
		var facts sql.RawBytes
		if err := scan(&r.run, &r.digest, &facts); err != nil {
			return r, err
		}
		r.facts, err = decodeRun(facts)
		return r, err
	})
}

// runs removes rows of runs that cannot matter any more. Nobody changes them, so a reader may look for them.
func (e *expiry) runs(ctx context.Context) error {
	last := runRowKey{digest: []byte{}}
	for {
		rows, err := e.store.readers.QueryContext(ctx, `select run, digest from fact_run where (run, digest) > ($1, $2) and expires_at < $3
			order by run, digest limit $4`, last.run, last.digest, e.facts, int64(expireSize))
		if err != nil {
			return fmt.Errorf("expire runs of facts: %w", err)
		}
		old, err := collect(rows, func(scan func(...any) error) (k runRowKey, err error) { return k, scan(&k.run, &k.digest) })
		if err != nil {
			return fmt.Errorf("expire runs of facts: %w", err)
		}
		if len(old) == 0 {
			return nil
		}
		last = old[len(old)-1]
		err = e.repeat(ctx, "runs of facts", func(ctx context.Context, tx *Tx) (int64, error) {
			tx.facts.forgetRemembered()
			rows := tx.rowList(ctx, `delete from fact_run where (run, digest) in (values `, 2, `)`)
			for _, k := range old {
				rows.add(k.run, k.digest)
			}
			return 0, rows.end()
		})
		if err != nil {
			return err
		}
	}
}
