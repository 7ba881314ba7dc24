package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// An Alert is something that a rule found.
type Alert struct {
	ID        string // "alt_" and a UUIDv7
	RuleID    string
	Subject   string // tells what was found apart from what else the rule finds
	Once      bool   // the same is never found again: an incident pages once
	Incidents []string
	FiredAt   time.Time
	EndedAt   time.Time // zero: it goes on
	EndedBy   AlertEnd
	Message   json.RawMessage // what is told
}

// An AlertEnd is why an alert ended.
type AlertEnd string

// The ends of an alert.
const (
	AlertOver     AlertEnd = "over"      // what was found is over
	AlertRuleGone AlertEnd = "rule_gone" // nobody wants to be told any more
)

const alertColumns = `id, rule_id, subject, once, fired_at, ended_at, ended_by, message`

func scanAlert(scan func(...any) error) (a Alert, err error) {
	var fired, ended int64
	var message string
	err = scan(&a.ID, &a.RuleID, &a.Subject, &a.Once, &fired, &ended, &a.EndedBy, &message)
	a.FiredAt, a.EndedAt, a.Message = fromMillis(fired), fromMillis(ended), json.RawMessage(message)
	return a, err
}

// FireAlert stores an alert with a delivery to each receiver of the rule, which is as the caller has read it. fired is false when
// it fires already or, being found once, did before, here or at another replica, and when the rule has changed meanwhile.
func (s *Store) FireAlert(ctx context.Context, a Alert, rule AlertRule) (fired bool, err error) {
	if a.ID, err = newID("alt_"); err != nil {
		return false, err
	}
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		var version int64
		err := tx.queryRow(ctx, `select version from alert_rule where id = $1`, rule.ID).Scan(&version)
		if errors.Is(err, sql.ErrNoRows) || err == nil && version != rule.Version {
			fired = false
			return nil
		}
		if err != nil {
			return err
		}
		now := tx.now()
		fired, err = tx.changed(ctx, `insert into alert (`+alertColumns+`) values ($1, $2, $3, $4, $5, 0, '', $6) on conflict do nothing`,
			a.ID, rule.ID, a.Subject, a.Once, now, string(a.Message))
		if err != nil || !fired {
			return err
		}
		for _, incident := range a.Incidents {
			if err := tx.exec(ctx, `insert into alert_incident (alert_id, incident_id) values ($1, $2) on conflict do nothing`, a.ID, incidentKey(incident)); err != nil {
				return err
			}
		}
		for _, receiver := range rule.Receivers {
			if err := tx.addAlertDelivery(ctx, AlertDelivery{AlertID: a.ID, RuleName: rule.Name, Receiver: receiver, Kind: DeliverFiring, Status: DeliveryWaiting}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("fire alert of rule %s: %w", rule.ID, err)
	}
	return fired, nil
}

// EndAlert ends an alert that goes on. Who was told of it is told of its end; who was not is told nothing. message replaces
// the alert's. ended is false when another replica was faster.
func (s *Store) EndAlert(ctx context.Context, id string, by AlertEnd, message json.RawMessage) (ended bool, err error) {
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		now := tx.now()
		ended, err = tx.changed(ctx, `update alert set ended_at = $1, ended_by = $2, message = $3 where id = $4 and ended_at = 0`, now, string(by), string(message), id)
		if err != nil || !ended {
			return err
		}
		rows, err := tx.query(ctx, `select `+alertDeliveryColumns+` from alert_delivery where alert_id = $1 and kind = $2`, id, string(DeliverFiring))
		if err != nil {
			return err
		}
		told, err := collect(rows, scanAlertDelivery)
		if err != nil {
			return err
		}
		for _, d := range told {
			if d.Attempts == 0 {
				err = tx.exec(ctx, `update alert_delivery set status = $1, done_at = $2 where id = $3`, string(DeliveryDropped), now, d.ID)
			} else if d.Status != DeliveryFailed {
				err = tx.addAlertDelivery(ctx, AlertDelivery{AlertID: id, RuleName: d.RuleName, Receiver: d.Receiver, Kind: DeliverResolved, Status: DeliveryWaiting})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("end alert %s: %w", id, err)
	}
	return ended, nil
}

// AlertFilter selects alerts, latest first.
type AlertFilter struct {
	Firing bool // only those that go on
	RuleID string
	Page
}

// ListAlerts returns a page and the cursor of the next one, "" on the last. Incidents are not filled in.
func (s *Store) ListAlerts(ctx context.Context, f AlertFilter) (list []Alert, next string, err error) {
	var w where
	if f.Firing {
		w.and(`ended_at = 0`)
	}
	if f.RuleID != "" {
		w.and(`rule_id = ?`, f.RuleID)
	}
	c, ok, err := readCursor(f.Cursor, "alerts", 1)
	if err != nil {
		return nil, "", err
	}
	if ok {
		w.and(`id < ?`, c.Tie[0])
	}
	rows, err := s.readers.QueryContext(ctx, `select `+alertColumns+` from alert where `+w.sql()+` order by id desc limit `+w.arg(int64(f.rows()+1)), bind(w.args)...)
	if err != nil {
		return nil, "", fmt.Errorf("list alerts: %w", err)
	}
	if list, err = collect(rows, scanAlert); err != nil {
		return nil, "", fmt.Errorf("list alerts: %w", err)
	}
	list, more := cut(list, f.rows())
	if more {
		next = cursor{List: "alerts", Tie: []string{list[len(list)-1].ID}}.String()
	}
	return list, next, nil
}

// FindAlerts returns the alerts of a rule that go on or, being found once, were found, by subject: what it need not find again.
func (s *Store) FindAlerts(ctx context.Context, ruleID string) (map[string]Alert, error) {
	rows, err := s.readers.QueryContext(ctx, `select `+alertColumns+` from alert where rule_id = $1 and (ended_at = 0 or once) order by id desc limit 5000`, ruleID)
	if err != nil {
		return nil, fmt.Errorf("find alerts of rule %s: %w", ruleID, err)
	}
	list, err := collect(rows, scanAlert)
	if err != nil {
		return nil, fmt.Errorf("find alerts of rule %s: %w", ruleID, err)
	}
	found := map[string]Alert{}
	for _, a := range list {
		found[a.Subject] = a
	}
	return found, nil
}

// OverAlerts returns alerts that go on though they should not: their rule is gone or disabled (EndedBy AlertRuleGone), or all
// incidents that they are about are resolved (AlertOver). At most 200 at a time.
func (s *Store) OverAlerts(ctx context.Context) ([]Alert, error) {
	const goesOn = `select ` + alertColumns + ` from alert a where a.ended_at = 0 and `
	var over []Alert
	for _, q := range []struct {
		by        AlertEnd
		condition string
	}{
		{AlertRuleGone, `not exists (select 1 from alert_rule r where r.id = a.rule_id and r.enabled)`},
		{AlertOver, `exists (select 1 from alert_incident ai where ai.alert_id = a.id) and not exists
			(select 1 from alert_incident ai join incident i on i.id = ai.incident_id where ai.alert_id = a.id and i.state <> 'resolved')`},
	} {
		rows, err := s.readers.QueryContext(ctx, goesOn+q.condition+` order by a.id limit 200`)
		if err != nil {
			return nil, fmt.Errorf("find alerts that are over: %w", err)
		}
		list, err := collect(rows, scanAlert)
		if err != nil {
			return nil, fmt.Errorf("find alerts that are over: %w", err)
		}
		for _, a := range list {
			a.EndedBy = q.by
			over = append(over, a)
		}
	}
	return over, nil
}

// ForgetAlerts removes what ended before a time: alerts, deliveries and silences.
func (s *Store) ForgetAlerts(ctx context.Context, before time.Time) error {
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		for _, statement := range []string{
			`delete from alert_delivery where status <> 'waiting' and created_at < $1`,
			`delete from alert where ended_at <> 0 and ended_at < $1`,
			`delete from alert_silence where ends_at < $1`,
		} {
			if err := tx.exec(ctx, statement, before); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget alerts: %w", err)
	}
	return nil
}

// OpenedAt is when the incident was stored first: this machine's clock, not an event's.
func (i Incident) OpenedAt() time.Time { return fromMillis(parseID("inc_", i.ID).millis()) }

// CountIncidentFailures counts an incident's failures of [from, to), event time, and stops at most: a rule need not know more.
func (s *Store) CountIncidentFailures(ctx context.Context, id string, from, to time.Time, most int64) (n int64, err error) {
	err = s.readers.QueryRowContext(ctx, `select count(*) from (select 1 from failure where incident_id = $1 and id >= $2 and id < $3 limit $4) f`,
		incidentKey(id), int64(idAt(toMillis(from))), int64(idAt(toMillis(to))), most).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count failures of incident %s: %w", id, err)
	}
	return n, nil
}

// An IncidentCount is how many incidents that are not resolved have a state and a cause.
type IncidentCount struct {
	State State
	Cause string
	Count int64
}

// CountOpenIncidents counts the incidents that are not resolved by state and cause.
func (s *Store) CountOpenIncidents(ctx context.Context) ([]IncidentCount, error) {
	rows, err := s.readers.QueryContext(ctx, `select case when state = 'silenced' and silenced_until <= $1 then 'open' else state end, cause, count(*)
		from incident where state in ('open', 'acknowledged', 'silenced') group by 1, 2`, toMillis(s.now()))
	if err != nil {
		return nil, fmt.Errorf("count open incidents: %w", err)
	}
	list, err := collect(rows, func(scan func(...any) error) (c IncidentCount, err error) {
		return c, scan(&c.State, &c.Cause, &c.Count)
	})
	if err != nil {
		return nil, fmt.Errorf("count open incidents: %w", err)
	}
	return list, nil
}
