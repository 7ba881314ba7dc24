package store

import (
	"context"
	"fmt"
	"time"
)

// An Activity is one entry of an incident's log: what people and authwatch itself did with it.
type Activity struct {
	ID         string // "act_" and a UUIDv7
	IncidentID string
	At         time.Time // when it was done: this machine's clock, not an event's
	Kind       ActivityKind
	By         string
	Was        string // state or assignee before
	Became     string // state or assignee after; a silence with its end
	Note       string
}

// An ActivityKind is what was done.
type ActivityKind string

// The kinds of activities.
const (
	ActivityState  ActivityKind = "state"
	ActivityAssign ActivityKind = "assign"
	ActivityNote   ActivityKind = "note"
)

// maxNote bounds a note, in bytes.
const maxNote = 4000

// addActivity appends to the log.
func (t *Tx) addActivity(ctx context.Context, a Activity) error {
	id, err := newID("act_")
	if err != nil {
		return err
	}
	if len(a.Note) > maxNote {
		return fmt.Errorf("%w: a note has at most %d bytes", ErrInvalid, maxNote)
	}
	return t.exec(ctx, `insert into activity (id, incident_id, done_at, kind, done_by, was, became, note)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`, id, incidentKey(a.IncidentID), t.now(), string(a.Kind), a.By, a.Was, a.Became, a.Note)
}

// AddNote appends a note to an incident's log: ErrNotFound, or ErrInvalid when it is empty or longer than 4000 bytes.
func (s *Store) AddNote(ctx context.Context, incidentID, by, text string) error {
	if text == "" {
		return fmt.Errorf("%w: a note has a text", ErrInvalid)
	}
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		if _, err := readIncident(tx.queryRow(ctx, incidentByID, incidentKey(incidentID)), tx.now()); err != nil {
			return err
		}
		return tx.addNote(ctx, incidentID, by, text)
	})
	return wrapUnlessMissing(err, "add note to "+incidentID)
}

func (t *Tx) addNote(ctx context.Context, incidentID, by, text string) error {
	t.tell(FeedIncidentChanged, parseID("inc_", incidentID))
	return t.addActivity(ctx, Activity{IncidentID: incidentID, Kind: ActivityNote, By: by, Note: text})
}

// Assign gives an incident to somebody, or with "" to nobody. Errors: ErrNotFound, and ErrConflict when ifVersion is not 0 and not its version.
func (s *Store) Assign(ctx context.Context, incidentID, assignee, by string, ifVersion int64) (Incident, error) {
	var changed Incident
	assignee = keyText(assignee)
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		was, err := readIncident(tx.queryRow(ctx, incidentByID, incidentKey(incidentID)), tx.now())
		if err != nil {
			return err
		}
		if ifVersion != 0 && ifVersion != was.Version {
			return fmt.Errorf("%w: it is at version %d", ErrConflict, was.Version)
		}
		if changed = was; was.Assignee == assignee {
			return nil
		}
		err = tx.exec(ctx, `update incident set assignee = $1, updated_at = $2, version = version + 1 where id = $3`, assignee, tx.now(), incidentKey(incidentID))
		if err != nil {
			return err
		}
		tx.tell(FeedIncidentChanged, parseID("inc_", incidentID))
		err = tx.addActivity(ctx, Activity{IncidentID: incidentID, Kind: ActivityAssign, By: by, Was: was.Assignee, Became: assignee})
		if err != nil {
			return err
		}
		changed, err = readIncident(tx.queryRow(ctx, incidentByID, incidentKey(incidentID)), tx.now())
		return err
	})
	if err != nil {
		return Incident{}, wrapUnlessMissing(err, "assign "+incidentID)
	}
	return changed, nil
}

// ListActivity returns the log of an incident, latest first, at most 200 entries.
func (s *Store) ListActivity(ctx context.Context, incidentID string) ([]Activity, error) {
	rows, err := s.readers.QueryContext(ctx, `select id, incident_id, done_at, kind, done_by, was, became, note from activity
		where incident_id = $1 order by id desc limit 200`, incidentKey(incidentID))
	if err != nil {
		return nil, fmt.Errorf("list activity of %s: %w", incidentID, err)
	}
	list, err := collect(rows, func(scan func(...any) error) (a Activity, err error) {
		var at int64
		var incident rowID
		err = scan(&a.ID, (*int64)(&incident), &at, &a.Kind, &a.By, &a.Was, &a.Became, &a.Note)
		a.At, a.IncidentID = fromMillis(at), incident.text("inc_")
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("list activity of %s: %w", incidentID, err)
	}
	return list, nil
}
