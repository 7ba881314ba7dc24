package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// An AlertSilence keeps rules from telling of what it covers, until its end.
type AlertSilence struct {
	ID       string // "sil_" and a UUIDv7
	Match    AlertMatch
	Author   string
	Reason   string
	BeginsAt time.Time
	EndsAt   time.Time
}

// Faults lists what is wrong with a silence that begins at now.
func (s AlertSilence) Faults(now time.Time) []AlertFault {
	list := s.Match.faults()
	if s.Reason == "" || len(s.Reason) > maxReason {
		list = append(list, AlertFault{"reason", "why, in 1 to 500 bytes"})
	}
	if !s.EndsAt.After(now) || s.EndsAt.After(now.AddDate(0, 0, 90)) {
		list = append(list, AlertFault{"ends_at", "a time in the next 90 days"})
	}
	return list
}

const alertSilenceColumns = `id, matched, author, reason, begins_at, ends_at`

func scanAlertSilence(scan func(...any) error) (s AlertSilence, err error) {
	var matched string
	var begins, ends int64
	if err := scan(&s.ID, &matched, &s.Author, &s.Reason, &begins, &ends); err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(matched), &s.Match); err != nil {
		return s, fmt.Errorf("read silence %s: %w", s.ID, err)
	}
	s.BeginsAt, s.EndsAt = fromMillis(begins), fromMillis(ends)
	return s, nil
}

// AddAlertSilence stores a silence that begins now. ErrInvalid when it has Faults.
func (s *Store) AddAlertSilence(ctx context.Context, silence AlertSilence) (stored AlertSilence, err error) {
	if faults := silence.Faults(s.now()); len(faults) > 0 {
		return stored, fmt.Errorf("add silence: %w: %s: %s", ErrInvalid, faults[0].Field, faults[0].Detail)
	}
	if silence.ID, err = newID("sil_"); err != nil {
		return stored, err
	}
	matched, err := json.Marshal(silence.Match)
	if err != nil {
		return stored, fmt.Errorf("add silence: %w", err)
	}
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		stored, err = scanAlertSilence(tx.queryRow(ctx, `insert into alert_silence (`+alertSilenceColumns+`) values ($1, $2, $3, $4, $5, $6)
			returning `+alertSilenceColumns, silence.ID, string(matched), silence.Author, silence.Reason, tx.now(), silence.EndsAt).Scan)
		if err != nil {
			return err
		}
		return tx.audit(ctx, AuditSilenceAdded, stored.ID, stored.Reason)
	})
	if err != nil {
		return AlertSilence{}, fmt.Errorf("add silence: %w", err)
	}
	return stored, nil
}

// EndAlertSilence ends a silence now; one that is over stays as it is. ErrNotFound when there is none by that id.
func (s *Store) EndAlertSilence(ctx context.Context, id string) (ended AlertSilence, err error) {
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		now := tx.now()
		did, err := tx.changed(ctx, `update alert_silence set ends_at = $1 where id = $2 and ends_at > $3`, now, id, now)
		if err != nil {
			return err
		}
		ended, err = scanAlertSilence(tx.queryRow(ctx, `select `+alertSilenceColumns+` from alert_silence where id = $1`, id).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil || !did {
			return err
		}
		return tx.audit(ctx, AuditSilenceEnded, ended.ID, ended.Reason)
	})
	return ended, wrapUnlessMissing(err, "end silence "+id)
}

// ListAlertSilences returns the silences that end after a time, the one that ends last first, at most 200.
func (s *Store) ListAlertSilences(ctx context.Context, endAfter time.Time) ([]AlertSilence, error) {
	rows, err := s.readers.QueryContext(ctx, `select `+alertSilenceColumns+` from alert_silence where ends_at > $1
		order by ends_at desc, id desc limit $2`, toMillis(endAfter), int64(maxLimit))
	if err != nil {
		return nil, fmt.Errorf("list silences: %w", err)
	}
	list, err := collect(rows, scanAlertSilence)
	if err != nil {
		return nil, fmt.Errorf("list silences: %w", err)
	}
	return list, nil
}
