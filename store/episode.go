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

func (k episodeKey) client() clientKey { return clientKey{k.provider, k.environment, k.clientID} }

func (k episodeKey) compare(other episodeKey) int {
	return cmp.Or(cmp.Compare(k.provider, other.provider), cmp.Compare(k.environment, other.environment),
		cmp.Compare(k.clientID, other.clientID), cmp.Compare(k.cause, other.cause))
}

// AddFailures stores failures: each gets its ID and joins the incident of its provider, environment, cause and client,
// which opens when there is none; rollups and client figures follow. An event at or before the resolution of the last
// episode joins that one and does not reopen it; a later one opens a new episode with RegressionOf set. The list's ID and IncidentID are filled in.
func (t *Tx) AddFailures(ctx context.Context, list []Failure) error {
	if err := t.gather(ctx, list); err != nil {
		return fmt.Errorf("add failures: %w", err)
	}
	for i := range list {
		if list[i].body == nil {
			if err := t.templates.pack(&list[i], t.now()); err != nil {
				return fmt.Errorf("pack failure %d: %w", i, err)
			}
		}
	}
	if err := t.join(ctx, list, t.insertFailures); err != nil {
		return fmt.Errorf("add failures: %w", err)
	}
	t.mine.feed = slices.Grow(t.mine.feed, len(list))
	for i := range list {
		t.tell(FeedFailure, list[i].id)
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
	one := []Failure{f}
	if err := t.gather(ctx, one); err != nil {
		return fmt.Errorf("revise failure %s: %w", f.ID, err)
	}
	f = one[0]
	if err := t.templates.pack(&f, t.now()); err != nil {
		return fmt.Errorf("revise failure %s: %w", f.ID, err)
	}
	f.setID(old.id)
	one[0] = f
	// It joins before it leaves, so that an incident of this one failure keeps its identity.
	if err := t.join(ctx, one, t.replaceFailures); err != nil {
		return fmt.Errorf("revise failure %s: %w", f.ID, err)
	}
	t.tell(FeedFailureRevised, old.id)
	if err := t.settle(ctx); err != nil {
		return fmt.Errorf("revise failure %s: %w", f.ID, err)
	}
	if f.RequestID != old.RequestID || f.TraceID != old.TraceID {
		if err := t.noteRequests(ctx, []Failure{f}); err != nil {
			return fmt.Errorf("revise failure %s: %w", f.ID, err)
		}
	}
	if one[0].incident != old.incident {
		if err := t.unlist(ctx, &old); err != nil {
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
	if err := t.settle(ctx); err != nil {
		return fmt.Errorf("withdraw failure %s: %w", id, err)
	}
	if err := t.exec(ctx, `delete from failure where id = $1`, int64(old.id)); err != nil {
		return fmt.Errorf("withdraw failure %s: %w", id, err)
	}
	if err := t.unlist(ctx, &old); err != nil {
		return fmt.Errorf("withdraw failure %s: %w", id, err)
	}
	t.tell(FeedFailureWithdrawn, old.id)
	if err := t.leave(ctx, &old); err != nil {
		return fmt.Errorf("withdraw failure %s: %w", id, err)
	}
	return nil
}

// join puts packed failures into their incidents, stores the rows and counts them.
func (t *Tx) join(ctx context.Context, list []Failure, put func(context.Context, []*Failure) error) error {
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
	for _, k := range keys {
		if err := t.joinEpisodes(ctx, k, groups[k]); err != nil {
			return err
		}
	}
	rows := make([]*Failure, len(list))
	for i := range list {
		rows[i] = &list[i]
	}
	if err := put(ctx, rows); err != nil {
		return err
	}
	for _, k := range keys {
		t.count(k, groups[k])
	}
	return nil
}

// count adds failures of one key to its client and the rollups.
func (t *Tx) count(k episodeKey, list []*Failure) {
	c := t.mine.client(k.client())
	var counts *minuteCounts
	for n, f := range list {
		at := toMillis(f.Verdict.Time)
		if n == 0 || f.Endpoint != list[n-1].Endpoint {
			counts = t.mine.counts.of(f.series())
		}
		counts.add(minuteOf(at), 1)
		g := t.mine.grown[f.incident]
		g.failures = append(g.failures, f.id)
		c.failures++
		c.firstFailure, c.lastFailure = earliest(c.firstFailure, at), latest(c.lastFailure, at)
	}
}

// An episodeShare names an episode that failures join; the zero value one that has to be opened.
type episodeShare struct {
	id         rowID
	resolvedAt int64
}

// joinEpisodes gives the failures of one key to their episodes.
func (t *Tx) joinEpisodes(ctx context.Context, k episodeKey, list []*Failure) error {
	known, err := t.episodesOf(ctx, k.client())
	if err != nil {
		return err
	}
	shares := map[episodeShare][]*Failure{}
	var last rowID
	for _, f := range list {
		var found *episode
		var share episodeShare
		if found, last = known.joined(k.cause, toMillis(f.Verdict.Time)); found != nil {
			share = episodeShare{found.id, found.resolvedAt}
		}
		shares[share] = append(shares[share], f)
	}
	for share, list := range shares {
		id, g := share.id, growthOf(list)
		if id == 0 {
			if id, err = t.openEpisode(ctx, k, last, g); err != nil {
				return fmt.Errorf("open incident: %w", err)
			}
			g.count = 0 // its row holds them
		}
		text := id.text("inc_")
		for _, f := range list {
			f.incident, f.IncidentID = id, text
		}
		t.mine.growth(id, k.client(), share.resolvedAt).add(g)
	}
	return nil
}

func growthOf(share []*Failure) *growth {
	g := &growth{count: int64(len(share)), endpoints: map[string]int64{}}
	for _, f := range share {
		at := toMillis(f.Verdict.Time)
		if at >= g.last {
			g.newest = spokesman{f.Verdict.Confidence, f.Verdict.Fault, f.Verdict.Summary}
		}
		g.first, g.last = earliest(g.first, at), latest(g.last, at)
		g.endpoints[f.Endpoint]++
	}
	return g
}

// openEpisode inserts an incident with its first failures. Another replica may have opened it meanwhile: then they are added to that.
func (t *Tx) openEpisode(ctx context.Context, k episodeKey, regressionOf rowID, g *growth) (rowID, error) {
	e, fresh := episode{cause: k.cause}, t.incidents.next(t.now())
	err := t.queryRow(ctx, `insert into incident (id, provider, environment, client_id, cause, state, confidence, fault, summary,
			count, first_seen_at, last_seen_at, regression_of, updated_at,
			last_success_at, first_success_at, silenced_until, resolved_at, state_changed_by, version)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, 0, 0, '', 1)
		on conflict (provider, environment, client_id, cause) where state <> 'resolved' do update set
			confidence = case when excluded.last_seen_at >= incident.last_seen_at then excluded.confidence else incident.confidence end,
			fault = case when excluded.last_seen_at >= incident.last_seen_at then excluded.fault else incident.fault end,
			summary = case when excluded.last_seen_at >= incident.last_seen_at then excluded.summary else incident.summary end,
			first_seen_at = case when excluded.first_seen_at < incident.first_seen_at then excluded.first_seen_at else incident.first_seen_at end,
			last_seen_at = case when excluded.last_seen_at > incident.last_seen_at then excluded.last_seen_at else incident.last_seen_at end,
			count = incident.count + excluded.count,
			updated_at = excluded.updated_at,
			version = incident.version + 1
		returning id, first_seen_at, last_seen_at, last_success_at, first_success_at`,
		int64(fresh), k.provider, k.environment, k.clientID, string(k.cause), string(StateOpen),
		string(g.newest.confidence), string(g.newest.fault), g.newest.summary, g.count, g.first, g.last, int64(regressionOf), t.now()).
		Scan((*int64)(&e.id), &e.first, &e.last, &e.before, &e.after)
	if err != nil {
		return 0, err
	}
	if e.id == fresh {
		t.tell(FeedIncidentOpened, fresh)
	}
	known, err := t.episodesOf(ctx, k.client())
	if err != nil {
		return 0, err
	}
	if known.find(e.id) == nil {
		known.list = append(known.list, e)
	}
	return e.id, nil
}

// unlist takes a failure off the list of its incident.
func (t *Tx) unlist(ctx context.Context, old *Failure) error {
	return t.exec(ctx, `delete from incident_failure where incident_id = $1 and id = $2`, int64(old.incident), int64(old.id))
}

// leave takes back what a failure added to its incident, the rollups and its client. Its row is gone or has moved already.
func (t *Tx) leave(ctx context.Context, old *Failure) error {
	if err := t.shrinkEpisode(ctx, old); err != nil {
		return fmt.Errorf("take failure out of incident %s: %w", old.IncidentID, err)
	}
	clear(t.episodes)
	t.mine.counts.add(old.series(), old.Verdict.Time, -1)
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
	newest, err := t.failure(ctx, `select `+failureColumns+` from failure where id = (select max(id) from incident_failure where incident_id = $1)`, id)
	if errors.Is(err, ErrNotFound) {
		return t.shrinkToMemory(ctx, old.incident)
	}
	if err != nil {
		return err
	}
	oldest, err := t.failure(ctx, `select `+failureColumns+` from failure where id = (select min(id) from incident_failure where incident_id = $1)`, id)
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
	if err := t.settle(ctx); err != nil {
		return err
	}
	clear(t.episodes)
	err := t.exec(ctx, `update incident set regression_of = (select regression_of from incident where id = $1),
		updated_at = $2, version = version + 1 where regression_of = $1 and regression_of <> 0`, int64(id), t.now())
	if err != nil {
		return err
	}
	if err := t.exec(ctx, `delete from incident_endpoint where incident_id = $1`, int64(id)); err != nil {
		return err
	}
	t.tell(FeedIncidentRemoved, id)
	return t.exec(ctx, `delete from incident where id = $1`, int64(id))
}
