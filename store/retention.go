package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"
)

// Retention says how long things are kept. Ages are those of events.
type Retention struct {
	// Records is for failures and what recognises their repeated delivery, for the successes around incidents, and for
	// telling minutes apart in trends. 0: for ever.
	Records time.Duration
	// Summaries is for incidents and clients after they were last seen, and for trends. 0: for ever.
	Summaries time.Duration
	// Bytes bounds the database: when it holds more, the oldest failures go before their time. 0: no bound. SQLite only.
	Bytes int64
}

const (
	// expireSize bounds the rows of one step, and so how long other writes wait for it.
	expireSize = 500
	// lateness is how long after their time facts are kept: a record may come that late and still be judged by all that was known.
	lateness = 48 * time.Hour
	// maxLeap is how far the clock may be ahead of the newest delivery: should it jump, nothing is lost by it.
	maxLeap = time.Hour
	// claimSlack is how much longer than records what recognises their repetition is kept: the clocks of replicas differ,
	// and what one forgets the other must not take.
	claimSlack = time.Hour
)

// An expiry is one sweep through everything that has an age.
type expiry struct {
	store   *Store
	records int64 // what is older goes, in milliseconds; 0: nothing does
	summary int64
	facts   int64
	bytes   int64
	pause   func(ctx context.Context, worked time.Duration) error
}

// Expire removes what is older than r says, in steps of a few hundred rows, each a write of its own, and calls pause after
// each with the time that the step took. A clock that is ahead of the newest delivery by more than an hour counts as
// being an hour ahead. Errors: pause's, the engine's, ErrBusy, ErrClosed; what was removed until then stays removed.
func (s *Store) Expire(ctx context.Context, r Retention, pause func(ctx context.Context, worked time.Duration) error) error {
	e, err := s.expiry(ctx, r, pause)
	if err == nil {
		err = e.run(ctx, e.bulk(), e.rest())
	}
	return err
}

func (s *Store) expiry(ctx context.Context, r Retention, pause func(ctx context.Context, worked time.Duration) error) (*expiry, error) {
	newest, records, err := s.LastReceived(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now()
	if limit := newest.Add(maxLeap); records > 0 && now.After(limit) {
		now = limit
	}
	before := func(age time.Duration) int64 {
		if age == 0 || records == 0 {
			return 0
		}
		return max(toMillis(now.Add(-age)), 0)
	}
	return &expiry{store: s, records: before(r.Records), summary: before(r.Summaries), facts: before(lateness), bytes: r.Bytes, pause: pause}, nil
}

// bulk is what grows with every record.
func (e *expiry) bulk() []sweep {
	return []sweep{e.failures, e.size, e.requests, e.deliveries, e.store.forgetFeed}
}

// rest looks at everything of a kind to find what is old.
func (e *expiry) rest() []sweep {
	return []sweep{e.templates, e.halves, e.incidents, e.successes, e.rollups, e.knowledge, e.runs, e.sightings, e.clients, e.audits, e.store.ForgetSources}
}

type sweep func(ctx context.Context) error

func (e *expiry) run(ctx context.Context, lists ...[]sweep) error {
	for _, one := range slices.Concat(lists...) {
		if err := one(ctx); err != nil {
			return err
		}
	}
	return nil
}

// repeat runs a step in writes of its own until it says that it removed less than it could have.
func (e *expiry) repeat(ctx context.Context, what string, step func(ctx context.Context, tx *Tx) (removed int64, err error)) error {
	for {
		var removed int64
		var worked time.Duration // without the wait for the turn
		err := e.store.Write(ctx, func(ctx context.Context, tx *Tx) (err error) {
			start := time.Now()
			removed, err = step(ctx, tx)
			worked = time.Since(start)
			return err
		})
		if err != nil {
			return fmt.Errorf("expire %s: %w", what, err)
		}
		if err := e.pause(ctx, worked); err != nil {
			return err
		}
		if removed < expireSize {
			return nil
		}
	}
}

// failures removes old ones. Their incidents and counts stay.
func (e *expiry) failures(ctx context.Context) error {
	if e.records == 0 {
		return nil
	}
	return e.repeat(ctx, "failures", func(ctx context.Context, tx *Tx) (int64, error) {
		return tx.removeOldest(ctx, idAt(e.records))
	})
}

// removeOldest removes some of the oldest failures before an id, and takes those that it removed off the lists of their
// incidents: another replica, which does the same, may have taken some of them meanwhile.
func (t *Tx) removeOldest(ctx context.Context, before rowID) (int64, error) {
	if err := t.settle(ctx); err != nil { // else one could be listed that is gone
		return 0, err
	}
	rows, err := t.query(ctx, `delete from failure where id in (select id from failure where id < $1 order by id limit $2)
		returning incident_id, id`, int64(before), int64(expireSize))
	if err != nil {
		return 0, err
	}
	removed, err := collect(rows, func(scan func(...any) error) (listed [2]int64, err error) {
		return listed, scan(&listed[0], &listed[1])
	})
	if err != nil {
		return 0, err
	}
	// The first row is nobody's: by it PostgreSQL knows the types.
	listed := t.rowList(ctx, `delete from incident_failure where (incident_id, id) in (values (cast(0 as bigint), cast(0 as bigint)), `, 2, `)`)
	for _, one := range removed {
		listed.add(one[0], one[1])
	}
	err = listed.end()
	return int64(len(removed)), err
}

// size removes the oldest failures while the database holds more than it may.
func (e *expiry) size(ctx context.Context) error {
	if e.bytes == 0 {
		return nil
	}
	return e.repeat(ctx, "failures beyond the size", func(ctx context.Context, tx *Tx) (int64, error) {
		var used int64
		if err := tx.queryRow(ctx, tx.dialect.used).Scan(&used); err != nil || used <= e.bytes {
			return 0, err
		}
		return tx.removeOldest(ctx, math.MaxInt64)
	})
}

// requests forgets the ids of requests of which everything came so long ago that its failures are gone.
func (e *expiry) requests(ctx context.Context) error {
	if e.records == 0 {
		return nil
	}
	return e.repeat(ctx, "requests", func(ctx context.Context, tx *Tx) (int64, error) {
		oldest := e.records - sliceTime.Milliseconds()
		if err := tx.exec(ctx, `delete from failure_request_new where slice < $1`, oldest); err != nil {
			return 0, err
		}
		return tx.execCount(ctx, `delete from failure_request where (slice, entry) in
			(select slice, entry from failure_request where slice < $1 order by slice, entry limit $2)`, oldest, int64(expireSize))
	})
}

// templateSlack is how many days a failure may be younger than the last mark of its template: it may lie packedAhead of its
// receipt, and the mark a day before that.
const templateSlack = 3

// templates removes those that no failure names any more. The newest stays, so that no number is given twice.
func (e *expiry) templates(ctx context.Context) error {
	if e.records == 0 {
		return nil
	}
	return e.repeat(ctx, "templates", func(ctx context.Context, tx *Tx) (int64, error) {
		return tx.execCount(ctx, `delete from template where id in (select id from template where used_on < $1
			and id < (select max(id) from template) limit $2)`, dayOf(fromMillis(e.records))-templateSlack, int64(expireSize))
	})
}

// deliveries forgets what recognises repetitions of old records.
func (e *expiry) deliveries(ctx context.Context) error {
	if e.records == 0 {
		return nil
	}
	var oldest digest // of this time; see Prepare
	binary.BigEndian.PutUint64(oldest[:8], uint64(max(e.records-claimSlack.Milliseconds(), 0))<<16)
	return e.repeat(ctx, "deliveries", func(ctx context.Context, tx *Tx) (int64, error) {
		return tx.execCount(ctx, `delete from delivery where digest in
			(select digest from delivery where digest < $1 order by digest limit $2)`, oldest[:], int64(expireSize))
	})
}

// halves removes halves of joins, sessions and sign-ins whose time is over by the clock.
func (e *expiry) halves(ctx context.Context) error {
	now := e.store.now()
	return e.repeat(ctx, "sessions", func(ctx context.Context, tx *Tx) (int64, error) {
		for _, table := range []string{`session`, `sign_in`} {
			if err := tx.exec(ctx, `delete from `+table+` where expires_at <= $1`, now); err != nil {
				return 0, err
			}
		}
		return tx.expirePending(ctx, expireSize)
	})
}

// incidents removes those that were last seen long ago and have no failures left.
func (e *expiry) incidents(ctx context.Context) error {
	if e.summary == 0 {
		return nil
	}
	return e.repeat(ctx, "incidents", func(ctx context.Context, tx *Tx) (int64, error) {
		if err := tx.settle(ctx); err != nil {
			return 0, err
		}
		rows, err := tx.query(ctx, `select id from incident where last_seen_at < $1
			and not exists (select 1 from incident_failure where incident_id = incident.id) order by last_seen_at limit $2`, e.summary, int64(expireSize))
		if err != nil {
			return 0, err
		}
		ids, err := collect(rows, func(scan func(...any) error) (id rowID, err error) { return id, scan((*int64)(&id)) })
		if err != nil {
			return 0, err
		}
		for _, id := range ids {
			if err := tx.dissolve(ctx, id); err != nil {
				return 0, err
			}
		}
		return int64(len(ids)), nil
	})
}

// eachSlice hands the numbers that a query finds beyond the last one to a step, a slice at a time.
func (e *expiry) eachSlice(ctx context.Context, what, query string, step func(ctx context.Context, tx *Tx, refs []int64) error) error {
	for last := int64(-1); ; {
		rows, err := e.store.readers.QueryContext(ctx, query, last, int64(expireSize))
		if err != nil {
			return fmt.Errorf("expire %s: %w", what, err)
		}
		refs, err := collect(rows, func(scan func(...any) error) (ref int64, err error) { return ref, scan(&ref) })
		if err != nil {
			return fmt.Errorf("expire %s: %w", what, err)
		}
		if len(refs) == 0 {
			return nil
		}
		last = refs[len(refs)-1]
		err = e.repeat(ctx, what, func(ctx context.Context, tx *Tx) (int64, error) { return 0, step(ctx, tx, refs) })
		if err != nil {
			return err
		}
	}
}

// knowledge removes facts that cannot matter any more. They have no index by time, which would cost each write: a reader
// looks through them.
func (e *expiry) knowledge(ctx context.Context) error {
	var last keptFact
	for {
		rows, err := e.store.readers.QueryContext(ctx, `select digest, last_seen_at, expires_at from fact
			where digest > $1 order by digest limit $2`, last.key[:], int64(4*expireSize))
		if err != nil {
			return fmt.Errorf("expire facts: %w", err)
		}
		slice, err := collect(rows, func(scan func(...any) error) (k keptFact, err error) {
			var digest []byte
			err = scan(&digest, &k.lastSeen, &k.expires)
			copy(k.key[:], digest)
			return k, err
		})
		if err != nil {
			return fmt.Errorf("expire facts: %w", err)
		}
		if len(slice) == 0 {
			return nil
		}
		last = slice[len(slice)-1]
		if err := e.forget(ctx, slice); err != nil {
			return err
		}
	}
}

type keptFact struct {
	key               factKey
	lastSeen, expires int64
}

// forget removes the expired ones of a slice of facts, unless they were seen again meanwhile.
func (e *expiry) forget(ctx context.Context, slice []keptFact) error {
	var old []keptFact
	for _, k := range slice {
		if k.expires != 0 && k.expires < e.facts || k.expires == 0 && k.lastSeen < e.summary {
			old = append(old, k)
		}
	}
	if len(old) == 0 {
		return nil
	}
	return e.repeat(ctx, "facts", func(ctx context.Context, tx *Tx) (int64, error) {
		for _, k := range old {
			if err := tx.forgetFact(ctx, k); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
}

// clients removes those that were last seen long ago.
func (e *expiry) clients(ctx context.Context) error {
	if e.summary == 0 {
		return nil
	}
	return e.repeat(ctx, "clients", func(ctx context.Context, tx *Tx) (int64, error) { return tx.removeClients(ctx, e.summary) })
}

// removeClients removes some clients that were last seen before a time. Their rows are locked first: of those that another
// replica removes, or sees again, meanwhile the successes must stay as they are, and so must those of the next ones.
func (t *Tx) removeClients(ctx context.Context, before int64) (int64, error) {
	if err := t.settle(ctx); err != nil {
		return 0, err
	}
	rows, err := t.query(ctx, `update client set failures = failures where ref in
		(select ref from client where last_seen_at < $1 order by last_seen_at limit $2) and last_seen_at < $3 returning ref`, before, int64(expireSize), before)
	if err != nil {
		return 0, err
	}
	old, err := collect(rows, func(scan func(...any) error) (ref int64, err error) { return ref, scan(&ref) })
	if err != nil {
		return 0, err
	}
	for _, from := range [...]string{`success where client_ref`, `client where ref`} {
		// The first row is nobody's: by it PostgreSQL knows the type.
		list := t.rowList(ctx, `delete from `+from+` in (values (cast(0 as bigint)), `, 1, `)`)
		for _, ref := range old {
			list.add(ref)
		}
		if err := list.end(); err != nil {
			return 0, err
		}
	}
	return int64(len(old)), nil
}
