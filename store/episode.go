package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"authwatch/classify"
)

// An episodeKey is what the failures of one incident share; an incident is one episode of it.
type episodeKey struct {
	provider, environment, clientID string
	cause                           classify.Code
}

func (f *Failure) episodeKey() episodeKey {
	v := f.Verdict
	return episodeKey{provider: v.Provider, environment: v.Environment, clientID: v.ClientID, cause: v.Cause}
}

func (k episodeKey) compare(other episodeKey) int {
	return cmp.Or(cmp.Compare(k.provider, other.provider), cmp.Compare(k.environment, other.environment),
		cmp.Compare(k.clientID, other.clientID), cmp.Compare(k.cause, other.cause))
}

// AddFailures stores failures: each gets its ID and joins the incident of its provider, environment, cause and client,
// which opens when there is none; rollups and client figures follow. An event at or before the resolution of the last
// episode joins that one and does not reopen it; a later one opens a new episode with RegressionOf set. The list's ID and IncidentID are filled in.
func (t *Tx) AddFailures(ctx context.Context, list []Failure) error {
	for i := range list {
		if list[i].body == nil {
			if err := t.templates.pack(&list[i], t.now()); err != nil {
				return fmt.Errorf("pack failure %d: %w", i, err)
			}
		}
	}
	if err := t.join(ctx, list, t.insertFailure); err != nil {
		return fmt.Errorf("add failures: %w", err)
	}
	if err := t.noteRequests(ctx, list); err != nil {
		return fmt.Errorf("add failures: %w", err)
	}
	return nil
}

// ReviseFailure replaces the failure of that ID; its time and receipt stay as they were. When its cause, client or
// environment changed, counts, rollups and first and last seen move with it, and an incident left empty disappears. Errors: ErrNotFound.
func (t *Tx) ReviseFailure(ctx context.Context, f Failure) error {
	old, err := t.failure(ctx, failureByID, int64(parseID("rec_", f.ID)))
	if err != nil {
		return fmt.Errorf("revise failure %s: %w", f.ID, err)
	}
	f.Verdict.Time, f.ReceivedAt = old.Verdict.Time, old.ReceivedAt
	if err := t.templates.pack(&f, t.now()); err != nil {
		return fmt.Errorf("revise failure %s: %w", f.ID, err)
	}
	f.setID(old.id)
	// It joins before it leaves, so that an incident of this one failure keeps its identity.
	if err := t.join(ctx, []Failure{f}, t.replaceFailure); err != nil {
		return fmt.Errorf("revise failure %s: %w", f.ID, err)
	}
	if f.RequestID != old.RequestID || f.TraceID != old.TraceID {
		if err := t.noteRequests(ctx, []Failure{f}); err != nil {
			return fmt.Errorf("revise failure %s: %w", f.ID, err)
		}
	}
	if err := t.leave(ctx, &old); err != nil {
		return fmt.Errorf("revise failure %s: %w", f.ID, err)
	}
	return nil
}

// WithdrawFailure removes a failure that a late token showed to be none, and its traces in incident and rollups.
// Errors: ErrNotFound.
func (t *Tx) WithdrawFailure(ctx context.Context, id string) error {
	old, err := t.failure(ctx, failureByID, int64(parseID("rec_", id)))
	if err != nil {
		return fmt.Errorf("withdraw failure %s: %w", id, err)
	}
	if err := t.exec(ctx, `delete from failure where id = $1`, int64(old.id)); err != nil {
		return fmt.Errorf("withdraw failure %s: %w", id, err)
	}
	if err := t.leave(ctx, &old); err != nil {
		return fmt.Errorf("withdraw failure %s: %w", id, err)
	}
	return nil
}

// join puts packed failures into their incidents, stores the rows and counts them.
func (t *Tx) join(ctx context.Context, list []Failure, put func(context.Context, *Failure) error) error {
	groups := map[episodeKey][]*Failure{}
	for i := range list {
		k := list[i].episodeKey()
		groups[k] = append(groups[k], &list[i])
	}
	keys := make([]episodeKey, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, episodeKey.compare)
	var touched []rowID
	for _, k := range keys {
		ids, err := t.joinEpisodes(ctx, k, groups[k])
		if err != nil {
			return err
		}
		touched = append(touched, ids...)
	}
	counts := rollupCounts{}
	for i := range list {
		if err := put(ctx, &list[i]); err != nil {
			return err
		}
		counts.add(list[i].series(), list[i].Verdict.Time, 1)
	}
	if err := t.addCounts(ctx, counts); err != nil {
		return err
	}
	if err := t.countClientFailures(ctx, list); err != nil {
		return err
	}
	for _, id := range touched {
		if err := t.bracket(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// An episode is as much of an incident as decides which failures are its own.
type episode struct {
	id         rowID
	resolvedAt int64
}

// joinEpisodes finds the episode of each failure of one key by event time: the first that was resolved at or after it,
// else the one that is not resolved. So the order of arrival does not matter. It returns the incidents it touched.
func (t *Tx) joinEpisodes(ctx context.Context, k episodeKey, list []*Failure) ([]rowID, error) {
	rows, err := t.query(ctx, `select id, resolved_at from incident
		where provider = $1 and environment = $2 and client_id = $3 and cause = $4 and state = 'resolved'
		order by resolved_at, id`, k.provider, k.environment, k.clientID, string(k.cause))
	if err != nil {
		return nil, fmt.Errorf("load episodes: %w", err)
	}
	resolved, err := collect(rows, func(scan func(...any) error) (e episode, err error) {
		return e, scan((*int64)(&e.id), &e.resolvedAt)
	})
	if err != nil {
		return nil, fmt.Errorf("load episodes: %w", err)
	}
	shares := make([][]*Failure, len(resolved)+1) // the last one is that of the active episode
	for _, f := range list {
		at := toMillis(f.Verdict.Time)
		i := slices.IndexFunc(resolved, func(e episode) bool { return at <= e.resolvedAt })
		if i < 0 {
			i = len(resolved)
		}
		shares[i] = append(shares[i], f)
	}
	var touched []rowID
	for i, share := range shares {
		if len(share) == 0 {
			continue
		}
		id, err := t.growEpisode(ctx, k, resolved, i, share)
		if err != nil {
			return nil, fmt.Errorf("count failures in incident: %w", err)
		}
		touched = append(touched, id)
	}
	return touched, nil
}

// mergeIncident adds the failures of a row that could not be inserted to the one that was there. The newest event speaks for all.
const mergeIncident = ` do update set
	confidence = case when excluded.last_seen_at >= incident.last_seen_at then excluded.confidence else incident.confidence end,
	fault = case when excluded.last_seen_at >= incident.last_seen_at then excluded.fault else incident.fault end,
	summary = case when excluded.last_seen_at >= incident.last_seen_at then excluded.summary else incident.summary end,
	first_seen_at = case when excluded.first_seen_at < incident.first_seen_at then excluded.first_seen_at else incident.first_seen_at end,
	last_seen_at = case when excluded.last_seen_at > incident.last_seen_at then excluded.last_seen_at else incident.last_seen_at end,
	count = incident.count + excluded.count,
	updated_at = excluded.updated_at,
	version = incident.version + 1
	returning id`

const insertIncident = `insert into incident (id, provider, environment, client_id, cause, state, confidence, fault, summary,
		count, first_seen_at, last_seen_at, regression_of, updated_at,
		last_success_at, first_success_at, silenced_until, resolved_at, state_changed_by, version)
	values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, 0, 0, '', 1)
	on conflict `

// growEpisode adds a share of failures to resolved[i], or beyond the end of resolved to the active episode, which may
// have to be opened. It sets their IncidentID.
func (t *Tx) growEpisode(ctx context.Context, k episodeKey, resolved []episode, i int, share []*Failure) (rowID, error) {
	first, last := share[0], share[0]
	endpoints := map[string]int64{}
	for _, f := range share {
		if f.Verdict.Time.Before(first.Verdict.Time) {
			first = f
		}
		if !f.Verdict.Time.Before(last.Verdict.Time) {
			last = f
		}
		endpoints[f.Endpoint]++
	}
	var id, regressionOf rowID
	state, query := StateResolved, insertIncident+`(id)`+mergeIncident
	if i < len(resolved) {
		id = resolved[i].id
	} else {
		state, query = StateOpen, insertIncident+`(provider, environment, client_id, cause) where state <> 'resolved'`+mergeIncident
		id = t.incidents.next(t.now())
		if len(resolved) > 0 {
			regressionOf = resolved[len(resolved)-1].id
		}
	}
	v := last.Verdict
	err := t.queryRow(ctx, query, int64(id), k.provider, k.environment, k.clientID, string(k.cause), string(state),
		string(v.Confidence), string(v.Fault), v.Summary, int64(len(share)),
		first.Verdict.Time, last.Verdict.Time, int64(regressionOf), t.now()).Scan((*int64)(&id))
	if err != nil {
		return 0, err
	}
	for _, f := range share {
		f.setIncident(id)
	}
	for _, endpoint := range sortedKeys(endpoints) {
		err := t.exec(ctx, `insert into incident_endpoint (incident_id, endpoint, count) values ($1, $2, $3)
			on conflict (incident_id, endpoint) do update set count = incident_endpoint.count + excluded.count`,
			int64(id), endpoint, endpoints[endpoint])
		if err != nil {
			return 0, err
		}
	}
	return id, nil
}

// leave takes back what a failure added to its incident, the rollups and its client. Its row is gone or has moved already.
func (t *Tx) leave(ctx context.Context, old *Failure) error {
	if err := t.shrinkEpisode(ctx, old); err != nil {
		return fmt.Errorf("take failure out of incident %s: %w", old.IncidentID, err)
	}
	counts := rollupCounts{}
	counts.add(old.series(), old.Verdict.Time, -1)
	if err := t.addCounts(ctx, counts); err != nil {
		return err
	}
	return t.uncountClientFailure(ctx, old.episodeKey())
}

func (t *Tx) shrinkEpisode(ctx context.Context, old *Failure) error {
	id := int64(old.incident)
	if err := t.exec(ctx, `update incident_endpoint set count = count - 1 where incident_id = $1 and endpoint = $2`, id, old.Endpoint); err != nil {
		return err
	}
	if err := t.exec(ctx, `delete from incident_endpoint where incident_id = $1 and count <= 0`, id); err != nil {
		return err
	}
	newest, err := t.failure(ctx, `select `+failureColumns+` from failure where incident_id = $1 order by id desc limit 1`, id)
	if errors.Is(err, ErrNotFound) {
		return t.shrinkToMemory(ctx, old.incident)
	}
	if err != nil {
		return err
	}
	oldest, err := t.failure(ctx, `select `+failureColumns+` from failure where incident_id = $1 order by id limit 1`, id)
	if err != nil {
		return err
	}
	v := newest.Verdict
	// Failures before this one may have been removed for their age: they were there all the same.
	err = t.exec(ctx, `update incident set count = count - 1, first_seen_at = case when first_seen_at < $1 then first_seen_at else $2 end,
			last_seen_at = $3, confidence = $4, fault = $5, summary = $6, updated_at = $7, version = version + 1 where id = $8`,
		old.Verdict.Time, oldest.Verdict.Time, v.Time, string(v.Confidence), string(v.Fault), v.Summary, t.now(), id)
	if err != nil {
		return err
	}
	return t.bracket(ctx, old.incident)
}

// shrinkToMemory takes the last failure that is kept out of an incident: it stays when it had others, which were removed for their age.
func (t *Tx) shrinkToMemory(ctx context.Context, id rowID) error {
	others, err := t.changed(ctx, `update incident set count = count - 1, updated_at = $1, version = version + 1
		where id = $2 and count > 1`, t.now(), int64(id))
	if err != nil || others {
		return err
	}
	return t.dissolve(ctx, id)
}

// dissolve removes an incident without failures. A later episode is then a regression of the one before it.
func (t *Tx) dissolve(ctx context.Context, id rowID) error {
	err := t.exec(ctx, `update incident set regression_of = (select regression_of from incident where id = $1),
		updated_at = $2, version = version + 1 where regression_of = $1 and regression_of <> 0`, int64(id), t.now())
	if err != nil {
		return err
	}
	if err := t.exec(ctx, `delete from incident_endpoint where incident_id = $1`, int64(id)); err != nil {
		return err
	}
	return t.exec(ctx, `delete from incident where id = $1`, int64(id))
}

// bracket sets the successes around an incident anew: the last before its first failure and the first after its last.
// What the incident holds may be more exact than the minutes of the success table, so the nearer of both counts.
func (t *Tx) bracket(ctx context.Context, id rowID) error {
	var k clientKey
	var first, last, before, after int64
	err := t.queryRow(ctx, `select provider, environment, client_id, first_seen_at, last_seen_at, last_success_at, first_success_at
		from incident where id = $1`, int64(id)).Scan(&k.provider, &k.environment, &k.clientID, &first, &last, &before, &after)
	if err != nil {
		return fmt.Errorf("load incident %s: %w", id.text("inc_"), err)
	}
	knownBefore, err := t.successBefore(ctx, k, first)
	if err != nil {
		return err
	}
	knownAfter, err := t.successAfter(ctx, k, last)
	if err != nil {
		return err
	}
	if before >= first {
		before = 0
	}
	if after <= last {
		after = 0
	}
	return t.exec(ctx, `update incident set last_success_at = $1, first_success_at = $2 where id = $3
		and (last_success_at <> $1 or first_success_at <> $2)`, latest(before, knownBefore), earliest(after, knownAfter), int64(id))
}

// earliest and latest of two times, of which 0 is none.
func earliest(a, b int64) int64 {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

func latest(a, b int64) int64 {
	if a == 0 || (b != 0 && b > a) {
		return b
	}
	return a
}
