package store

import (
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

// AddFailures stores failures: each gets its ID and joins the incident of its provider, environment, cause and client,
// which opens when there is none; rollups and client figures follow. An event at or before the resolution of the last
// episode joins that one and does not reopen it; a later one opens a new episode with RegressionOf set. The list's ID and IncidentID are filled in.
func (t *Tx) AddFailures(ctx context.Context, list []Failure) error {
	cells, err := t.cellsOf(ctx, list)
	if err != nil {
		return fmt.Errorf("add failures: %w", err)
	}
	if err := t.join(ctx, list, cells, t.insertFailures); err != nil {
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
	f.body = nil // which has another time
	one := []Failure{f}
	cells, err := t.cellsOf(ctx, one)
	if err != nil {
		return fmt.Errorf("revise failure %s: %w", f.ID, err)
	}
	one[0].setID(old.id)
	// It joins before it leaves, so that an incident of this one failure keeps its identity.
	if err := t.join(ctx, one, cells, t.replaceFailures); err != nil {
		return fmt.Errorf("revise failure %s: %w", f.ID, err)
	}
	f = one[0]
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
	if err := t.changeOne(ctx, `delete from failure where id = $1`, int64(old.id)); err != nil {
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

// cellsOf says what failures are counted as. Those that are not packed yet are packed.
func (t *Tx) cellsOf(ctx context.Context, list []Failure) ([]cell, error) {
	if err := t.packRest(list); err != nil {
		return nil, err
	}
	cells := t.grouping.group(list)
	moved, err := t.gather(ctx, cells)
	if err != nil || !moved {
		return cells, err
	}
	if err := t.packRest(list); err != nil {
		return nil, err
	}
	return t.grouping.group(list), nil
}

func (t *Tx) packRest(list []Failure) error {
	for i := range list {
		if list[i].body != nil {
			continue
		}
		if err := t.templates.pack(&list[i], t.now()); err != nil {
			return fmt.Errorf("pack failure %d: %w", i, err)
		}
	}
	return nil
}

// join puts packed failures into their incidents, stores the rows and counts them.
func (t *Tx) join(ctx context.Context, list []Failure, cells []cell, put func(context.Context, []Failure) error) error {
	defer t.grouping.empty()
	for k, some := range byEpisode(cells) {
		if err := t.joinEpisodes(ctx, k, some); err != nil {
			return err
		}
	}
	if err := put(ctx, list); err != nil {
		return err
	}
	t.mine.counts = slices.Grow(t.mine.counts, len(cells))
	for k, some := range byEpisode(cells) {
		t.count(k, some)
	}
	return nil
}

// count adds failures of one key to its client and the rollups.
func (t *Tx) count(k episodeKey, cells []cell) {
	c := t.mine.client(k.client())
	var incident rowID
	var g *growth
	for i := range cells {
		counts := t.mine.counts.of(cells[i].series)
		for _, f := range cells[i].failures {
			if f.incident != incident {
				g, incident = t.mine.grown[f.incident], f.incident
			}
			g.failures = append(g.failures, f.id)
			at := toMillis(f.Verdict.Time)
			counts.add(minuteOf(at), 1)
			c.failures++
			c.firstFailure, c.lastFailure = earliest(c.firstFailure, at), latest(c.lastFailure, at)
		}
	}
}

// An episodeShare is what failures add to an episode that they join, or to one that is opened for them.
type episodeShare struct {
	joined rowID // 0: has to be opened
	id     rowID
	text   string // of id
	growth *growth
}

type episodeShares []episodeShare

func (s *episodeShares) of(joined rowID) *episodeShare {
	n := slices.IndexFunc(*s, func(one episodeShare) bool { return one.joined == joined })
	if n < 0 {
		n, *s = len(*s), append(*s, episodeShare{joined: joined, id: joined, growth: &growth{}})
	}
	return &(*s)[n]
}

// joinEpisodes gives the failures of one key to their episodes.
func (t *Tx) joinEpisodes(ctx context.Context, k episodeKey, cells []cell) error {
	known, err := t.episodesOf(ctx, k.client())
	if err != nil {
		return err
	}
	shares := t.shares[:0] // nearly always one
	defer func() {
		clear(shares)
		t.shares = shares
	}()
	var last rowID
	for i := range cells {
		endpoint := nameDigest(cells[i].endpoint)
		for _, f := range cells[i].failures {
			var found *episode
			f.endpoint, f.incident = endpoint, 0
			found, last = known.joined(k.cause, toMillis(f.Verdict.Time))
			if found != nil {
				f.incident = found.id
			}
			g := shares.of(f.incident).growth
			if g.note(f); found != nil {
				g.resolvedAt = found.resolvedAt
			}
		}
	}
	for i := range shares {
		if err := t.grow(ctx, k, &shares[i], last); err != nil {
			return err
		}
	}
	for i := range cells {
		for _, f := range cells[i].failures {
			share := shares.of(f.incident)
			f.incident, f.IncidentID = share.id, share.text
		}
	}
	return nil
}

// grow adds to an episode, which it opens if there is none.
func (t *Tx) grow(ctx context.Context, k episodeKey, s *episodeShare, last rowID) (err error) {
	s.growth.client = k.client()
	s.growth.failures = make([]rowID, 0, s.growth.count)
	if s.id == 0 {
		if s.id, err = t.openEpisode(ctx, k, last, s.growth); err != nil {
			return fmt.Errorf("open incident: %w", err)
		}
		s.growth.count = 0 // its row holds them
	}
	s.text = s.id.text("inc_")
	t.mine.grow(s.id, s.growth)
	return nil
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
