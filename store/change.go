package store

import (
	"context"
	"fmt"
	"time"
)

// A StateChange is what a person asks of an incident.
type StateChange struct {
	State         State
	SilencedUntil time.Time // required for StateSilenced
	By            string    // user or key name
	Note          string    // why; "" for none
	IfVersion     int64     // 0: whatever the version
	endedAt       time.Time // when the episode was seen to be over; zero: now
}

// ByItself is who resolves an incident when its client succeeds again.
const ByItself = "authwatch"

// ChangeIncident moves an incident to another state. Errors: ErrNotFound; ErrConflict when IfVersion is not its version,
// or when it is resolved and cannot be opened again because a later episode is; ErrInvalid for a state that does not exist or a silence without an end ahead.
func (s *Store) ChangeIncident(ctx context.Context, id string, c StateChange) (Incident, error) {
	var changed Incident
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		var err error
		changed, err = tx.changeIncident(ctx, id, c)
		return err
	})
	if err != nil {
		return Incident{}, wrapUnlessMissing(err, "change incident "+id)
	}
	return changed, nil
}

func (t *Tx) changeIncident(ctx context.Context, id string, c StateChange) (Incident, error) {
	if err := t.settle(ctx); err != nil {
		return Incident{}, err
	}
	defer clear(t.episodes)
	now := t.now()
	was, err := readIncident(t.queryRow(ctx, incidentByID, incidentKey(id)), now)
	if err != nil {
		return Incident{}, err
	}
	if c.IfVersion != 0 && c.IfVersion != was.Version {
		return Incident{}, fmt.Errorf("%w: it is at version %d", ErrConflict, was.Version)
	}
	silencedUntil, resolvedAt, err := c.times(was, now)
	if err != nil {
		return Incident{}, err
	}
	switch {
	case was.State == StateResolved && c.State == StateResolved && c.Note == "":
		return was, nil
	case was.State == StateResolved && c.State == StateResolved: // it stays as it is, and what was said is kept
		return was, t.addNote(ctx, id, c.By, c.Note)
	case was.State == StateResolved:
		if err := t.mayReopen(ctx, was); err != nil {
			return Incident{}, err
		}
	}
	err = t.exec(ctx, `update incident set state = $1, silenced_until = $2, resolved_at = $3, state_changed_by = $4,
			updated_at = $5, version = version + 1 where id = $6`,
		string(c.State), silencedUntil, resolvedAt, c.By, now, incidentKey(id))
	if err != nil {
		return Incident{}, err
	}
	if c.State == StateResolved {
		t.tell(FeedIncidentResolved, parseID("inc_", id))
	} else {
		t.tell(FeedIncidentChanged, parseID("inc_", id))
	}
	became := string(c.State)
	if c.State == StateSilenced {
		became += " until " + silencedUntil.UTC().Format(time.RFC3339)
	}
	if err := t.addActivity(ctx, Activity{IncidentID: id, Kind: ActivityState, By: c.By, Was: string(was.State), Became: became, Note: c.Note}); err != nil {
		return Incident{}, err
	}
	return readIncident(t.queryRow(ctx, incidentByID, incidentKey(id)), now)
}

// times are until when a change silences an incident, and when it ends it. Errors: ErrInvalid.
func (c StateChange) times(was Incident, now time.Time) (silencedUntil, resolvedAt time.Time, err error) {
	switch c.State {
	case StateOpen, StateAcknowledged:
	case StateSilenced:
		if !c.SilencedUntil.After(now) {
			return silencedUntil, resolvedAt, fmt.Errorf("%w: a silence needs an end that lies ahead", ErrInvalid)
		}
		silencedUntil = c.SilencedUntil
	case StateResolved:
		// Everything counted so far belongs to the episode that ends, even if a shipper's clock is ahead of ours.
		resolvedAt = fromMillis(latest(toMillis(now), toMillis(was.LastSeenAt)))
		if !c.endedAt.IsZero() {
			resolvedAt = c.endedAt
		}
	default:
		err = fmt.Errorf("%w: %q is no state of an incident", ErrInvalid, c.State)
	}
	return silencedUntil, resolvedAt, err
}

// mayReopen refuses to open an episode again that has a successor: failures since then are the successor's.
func (t *Tx) mayReopen(ctx context.Context, i Incident) error {
	var later int64
	err := t.queryRow(ctx, `select count(*) from incident
		where provider = $1 and environment = $2 and client_id = $3 and cause = $4 and id <> $5
		and (state <> 'resolved' or resolved_at > $6)`,
		i.Provider, i.Environment, i.ClientID, string(i.Cause), incidentKey(i.ID), i.ResolvedAt).Scan(&later)
	if err != nil {
		return err
	}
	if later > 0 {
		return fmt.Errorf("%w: a later episode of the same failures exists", ErrConflict)
	}
	return nil
}
