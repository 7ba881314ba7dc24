package store

import (
	"context"
	"fmt"
	"time"
)

// A DeliveryKind is what a receiver is told.
type DeliveryKind string

// The kinds of deliveries.
const (
	DeliverFiring   DeliveryKind = "firing"
	DeliverResolved DeliveryKind = "resolved"
	DeliverTest     DeliveryKind = "test"
)

// A DeliveryStatus is where a delivery stands.
type DeliveryStatus string

// The states of a delivery.
const (
	DeliveryWaiting DeliveryStatus = "waiting" // to be sent, or sent again, at NextAt
	DeliverySent    DeliveryStatus = "sent"
	DeliveryFailed  DeliveryStatus = "failed"  // given up
	DeliveryDropped DeliveryStatus = "dropped" // never sent: what it told of was over before
)

// An AlertDelivery is one message to one receiver.
type AlertDelivery struct {
	ID        string // "del_" and a UUIDv7: a receiver that gets it twice can tell
	AlertID   string // "" for a test
	RuleName  string // when it was made
	Receiver  string
	Kind      DeliveryKind
	Status    DeliveryStatus
	Attempts  int64
	LastError string // a class such as "timeout" or "http_500", never what a server answered
	CreatedAt time.Time
	NextAt    time.Time
	DoneAt    time.Time
	Alert     Alert // what it tells of; only ClaimAlertDeliveries fills it in
}

const alertDeliveryColumns = `id, alert_id, rule_name, receiver, kind, status, attempts, last_error, created_at, next_at, done_at`

func scanAlertDelivery(scan func(...any) error) (d AlertDelivery, err error) {
	var created, next, done int64
	err = scan(&d.ID, &d.AlertID, &d.RuleName, &d.Receiver, &d.Kind, &d.Status, &d.Attempts, &d.LastError, &created, &next, &done)
	d.CreatedAt, d.NextAt, d.DoneAt = fromMillis(created), fromMillis(next), fromMillis(done)
	return d, err
}

func (t *Tx) addAlertDelivery(ctx context.Context, d AlertDelivery) (err error) {
	if d.ID, err = newID("del_"); err != nil {
		return err
	}
	now := t.now()
	return t.exec(ctx, `insert into alert_delivery (id, alert_id, rule_name, receiver, kind, status, attempts, last_error, created_at, next_at, claimed_until, done_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11)`, d.ID, d.AlertID, d.RuleName, d.Receiver, string(d.Kind), string(d.Status), d.Attempts, d.LastError,
		now, now, d.DoneAt)
}

// LogTestDelivery keeps that a test was sent to a receiver, or why it was not.
func (s *Store) LogTestDelivery(ctx context.Context, receiver string, lastError string) error {
	d := AlertDelivery{Receiver: receiver, Kind: DeliverTest, Status: DeliverySent, Attempts: 1, LastError: lastError, DoneAt: s.now()}
	if lastError != "" {
		d.Status = DeliveryFailed
	}
	if err := s.Write(ctx, func(ctx context.Context, tx *Tx) error { return tx.addAlertDelivery(ctx, d) }); err != nil {
		return fmt.Errorf("log test of receiver %s: %w", receiver, err)
	}
	return nil
}

// alertDue is what may be sent at $1: nobody is sending it, and the end of an alert waits for its beginning.
const alertDue = `status = 'waiting' and next_at <= $1 and claimed_until <= $2 and not (kind = 'resolved' and exists
	(select 1 from alert_delivery f where f.alert_id = alert_delivery.alert_id and f.receiver = alert_delivery.receiver and f.kind = 'firing' and f.status = 'waiting'))`

// ClaimAlertDeliveries takes what is due for this process alone until the lease ends: who dies with it leaves it to others.
func (s *Store) ClaimAlertDeliveries(ctx context.Context, lease time.Duration, most int) (list []AlertDelivery, err error) {
	now := toMillis(s.now())
	var due int64
	if err := s.readers.QueryRowContext(ctx, `select count(*) from (select 1 from alert_delivery where `+alertDue+` limit 1) d`, now, now).Scan(&due); err != nil {
		return nil, fmt.Errorf("look for due deliveries: %w", err)
	}
	if due == 0 {
		return nil, nil
	}
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		list = nil
		now := tx.now()
		rows, err := tx.query(ctx, `select `+alertDeliveryColumns+` from alert_delivery where `+alertDue+` order by next_at, id limit $3`, now, now, int64(most))
		if err != nil {
			return err
		}
		found, err := collect(rows, scanAlertDelivery)
		if err != nil {
			return err
		}
		for _, d := range found {
			mine, err := tx.changed(ctx, `update alert_delivery set claimed_until = $1, attempts = attempts + 1
				where id = $2 and status = 'waiting' and claimed_until <= $3`, now.Add(lease), d.ID, now)
			if err != nil {
				return err
			}
			if !mine {
				continue
			}
			d.Attempts++
			if d.Alert, err = scanAlert(tx.queryRow(ctx, `select `+alertColumns+` from alert where id = $1`, d.AlertID).Scan); err != nil {
				return fmt.Errorf("load alert %s: %w", d.AlertID, err)
			}
			list = append(list, d)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	return list, nil
}

// FinishAlertDelivery says what became of a delivery that was claimed: sent, failed, dropped, or waiting until next. A message that
// tells of an alert which ended meanwhile is not sent again.
func (s *Store) FinishAlertDelivery(ctx context.Context, id string, status DeliveryStatus, lastError string, next time.Time) error {
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		done := tx.now()
		if status == DeliveryWaiting {
			done = time.Time{}
		}
		return tx.exec(ctx, `update alert_delivery set status = $1, last_error = $2, next_at = $3, claimed_until = 0, done_at = $4 where id = $5 and status = 'waiting'`,
			string(status), lastError, next, done, id)
	})
	if err != nil {
		return fmt.Errorf("finish delivery %s: %w", id, err)
	}
	return nil
}

// RenewAlertDeliveries sends what these receivers were told before a time once more while it goes on: they forget what is not repeated.
func (s *Store) RenewAlertDeliveries(ctx context.Context, receivers []string, before time.Time) error {
	if len(receivers) == 0 {
		return nil
	}
	condition := func(w *where) string {
		w.and(`kind = 'firing' and status = 'sent' and done_at < ?`, before)
		in(w, `receiver`, receivers)
		w.and(`alert_id in (select id from alert where ended_at = 0)`)
		return w.sql()
	}
	var w where
	var old int64
	if err := s.readers.QueryRowContext(ctx, `select count(*) from alert_delivery where `+condition(&w), bind(w.args)...).Scan(&old); err != nil {
		return fmt.Errorf("look for deliveries to renew: %w", err)
	}
	if old == 0 {
		return nil
	}
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		w := where{args: []any{tx.now()}}
		return tx.exec(ctx, `update alert_delivery set status = 'waiting', attempts = 1, done_at = 0, next_at = $1 where `+condition(&w), w.args...)
	})
	if err != nil {
		return fmt.Errorf("renew deliveries: %w", err)
	}
	return nil
}

// ListAlertDeliveries returns a page of the log, latest first, and the cursor of the next one.
func (s *Store) ListAlertDeliveries(ctx context.Context, p Page) (list []AlertDelivery, next string, err error) {
	var w where
	c, ok, err := readCursor(p.Cursor, "deliveries", 1)
	if err != nil {
		return nil, "", err
	}
	if ok {
		w.and(`id < ?`, c.Tie[0])
	}
	rows, err := s.readers.QueryContext(ctx, `select `+alertDeliveryColumns+` from alert_delivery where `+w.sql()+` order by id desc limit `+w.arg(int64(p.rows()+1)), bind(w.args)...)
	if err != nil {
		return nil, "", fmt.Errorf("list deliveries: %w", err)
	}
	if list, err = collect(rows, scanAlertDelivery); err != nil {
		return nil, "", fmt.Errorf("list deliveries: %w", err)
	}
	list, more := cut(list, p.rows())
	if more {
		next = cursor{List: "deliveries", Tie: []string{list[len(list)-1].ID}}.String()
	}
	return list, next, nil
}
