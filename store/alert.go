package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"authwatch/classify"
)

// An AlertMatch selects what a rule or a silence is about. Values of one field are alternatives, fields add up; empty selects all.
type AlertMatch struct {
	Causes       []classify.Code  `json:"causes,omitempty"`
	Clients      []string         `json:"clients,omitempty"`
	Providers    []string         `json:"providers,omitempty"`
	Environments []string         `json:"environments,omitempty"`
	Faults       []classify.Fault `json:"faults,omitempty"`
}

// Incidents is the filter of the incidents that it selects.
func (m AlertMatch) Incidents() IncidentFilter {
	return IncidentFilter{Causes: m.Causes, Clients: m.Clients, Providers: m.Providers, Environments: m.Environments, Faults: m.Faults}
}

// Covers says whether everything that other may be about is selected: what other leaves open is selected only where m leaves it open too.
func (m AlertMatch) Covers(other AlertMatch) bool {
	return covers(m.Causes, other.Causes) && covers(m.Clients, other.Clients) && covers(m.Providers, other.Providers) &&
		covers(m.Environments, other.Environments) && covers(m.Faults, other.Faults)
}

func covers[T comparable](allowed, have []T) bool {
	if len(allowed) == 0 {
		return true
	}
	return len(have) > 0 && !slices.ContainsFunc(have, func(v T) bool { return !slices.Contains(allowed, v) })
}

// An AlertKind is what a rule waits for.
type AlertKind string

// The kinds of rules. The first three are about one incident, the next two about everything selected in one environment.
const (
	AlertNew        AlertKind = "new"        // an incident that never was before
	AlertRegression AlertKind = "regression" // an incident that was resolved and is back
	AlertCount      AlertKind = "count"      // failures of one incident in a time
	AlertTotal      AlertKind = "total"      // failures in one environment in a time
	AlertShare      AlertKind = "share"      // failures in one environment, of all its requests in a time
	AlertOutbreak   AlertKind = "outbreak"   // clients that began to fail with one cause in a time
)

// AlertKinds lists them.
func AlertKinds() []AlertKind {
	return []AlertKind{AlertNew, AlertRegression, AlertCount, AlertTotal, AlertShare, AlertOutbreak}
}

// An AlertCondition says when a rule fires.
type AlertCondition struct {
	Kind    AlertKind
	AtLeast int64         // failures (count, total, share) or clients (outbreak)
	Percent float64       // of requests (share), above 0
	Window  time.Duration // whole minutes up to a day, of event time; all but new and regression
}

// An AlertRule says what whom is told of.
type AlertRule struct {
	ID        string // "rul_" and a UUIDv7
	Name      string
	Enabled   bool
	Match     AlertMatch
	Condition AlertCondition
	Receivers []string // names from the operator's file; none: it shows on the dashboard only
	CreatedBy string
	CreatedAt time.Time
	UpdatedBy string
	UpdatedAt time.Time
	Version   int64
}

// An AlertFault is what is wrong with a rule or a silence. Field is a path such as "condition.window".
type AlertFault struct{ Field, Detail string }

const (
	maxRules         = 200
	maxAlertValues   = 50
	maxAlertWindow   = 24 * time.Hour
	maxAlertFailures = 1_000_000
	maxReason        = 500
)

// Faults lists what is wrong with a rule; none: it can be stored.
func (r AlertRule) Faults() (list []AlertFault) {
	bad := func(field, detail string) { list = append(list, AlertFault{field, detail}) }
	if r.Name == "" || len(r.Name) > 120 {
		bad("name", "a name of 1 to 120 bytes")
	}
	list = append(list, r.Match.faults()...)
	c := r.Condition
	if !slices.Contains(AlertKinds(), c.Kind) {
		bad("condition.kind", "one of new, regression, count, total, share, outbreak")
		return list
	}
	timed := c.Kind != AlertNew && c.Kind != AlertRegression
	switch {
	case timed && (c.Window < time.Minute || c.Window > maxAlertWindow || c.Window%time.Minute != 0):
		bad("condition.window", "whole minutes, from 1m to 24h")
	case !timed && c.Window != 0:
		bad("condition.window", "a rule of this kind has none")
	}
	switch {
	case !timed && c.AtLeast != 0:
		bad("condition.at_least", "a rule of this kind has none")
	case c.Kind == AlertOutbreak && (c.AtLeast < 2 || c.AtLeast > 200):
		bad("condition.at_least", "from 2 to 200 clients")
	case timed && (c.AtLeast < 1 || c.AtLeast > maxAlertFailures):
		bad("condition.at_least", "from 1 to 1000000 failures")
	}
	switch {
	case c.Kind == AlertShare && !(c.Percent > 0 && c.Percent <= 100):
		bad("condition.percent", "more than 0 and at most 100")
	case c.Kind != AlertShare && c.Percent != 0:
		bad("condition.percent", "only a rule of the kind share has one")
	}
	if (c.Kind == AlertTotal || c.Kind == AlertShare) && len(r.Match.Faults) > 0 {
		bad("match.faults", "sums of an environment do not tell whose fault the failures are: name causes instead")
	}
	if len(r.Receivers) > 20 || slices.ContainsFunc(r.Receivers, func(n string) bool { return n == "" || len(n) > 64 }) {
		bad("receivers", "at most 20 names of 1 to 64 bytes")
	}
	return list
}

func (m AlertMatch) faults() (list []AlertFault) {
	for _, values := range []struct {
		field string
		list  []string
	}{{"match.causes", texts(m.Causes)}, {"match.clients", m.Clients}, {"match.providers", m.Providers}, {"match.environments", m.Environments}, {"match.faults", texts(m.Faults)}} {
		if len(values.list) > maxAlertValues || slices.ContainsFunc(values.list, func(v string) bool { return v == "" || len(v) > keyLength }) {
			list = append(list, AlertFault{values.field, "at most 50 values of 1 to 256 bytes"})
		}
	}
	for _, c := range m.Causes {
		if _, ok := classify.Lookup(c); !ok {
			list = append(list, AlertFault{"match.causes", "codes of the catalogue"})
			break
		}
	}
	if slices.ContainsFunc(m.Faults, func(f classify.Fault) bool { return !slices.Contains(classify.Faults(), f) }) {
		list = append(list, AlertFault{"match.faults", "client, provider, api, network or unknown"})
	}
	return list
}

// alertTerms is how the parts of a rule that nothing is searched by are kept.
type alertTerms struct {
	Match     AlertMatch `json:"match"`
	Kind      AlertKind  `json:"kind"`
	AtLeast   int64      `json:"at_least,omitempty"`
	Percent   float64    `json:"percent,omitempty"`
	Window    int64      `json:"window,omitempty"` // milliseconds
	Receivers []string   `json:"receivers,omitempty"`
}

func (r AlertRule) terms() (string, error) {
	c := r.Condition
	text, err := json.Marshal(alertTerms{r.Match, c.Kind, c.AtLeast, c.Percent, c.Window.Milliseconds(), r.Receivers})
	if err != nil {
		return "", fmt.Errorf("encode rule: %w", err)
	}
	return string(text), nil
}

const alertRuleColumns = `id, name, enabled, terms, created_by, created_at, updated_by, updated_at, version`

func scanAlertRule(scan func(...any) error) (r AlertRule, err error) {
	var text string
	var created, updated int64
	if err := scan(&r.ID, &r.Name, &r.Enabled, &text, &r.CreatedBy, &created, &r.UpdatedBy, &updated, &r.Version); err != nil {
		return r, err
	}
	var terms alertTerms
	if err := json.Unmarshal([]byte(text), &terms); err != nil {
		return r, fmt.Errorf("read rule %s: %w", r.ID, err)
	}
	r.Match, r.Receivers = terms.Match, terms.Receivers
	r.Condition = AlertCondition{terms.Kind, terms.AtLeast, terms.Percent, time.Duration(terms.Window) * time.Millisecond}
	r.CreatedAt, r.UpdatedAt = fromMillis(created), fromMillis(updated)
	return r, nil
}

// CreateAlertRule stores a new rule by r.UpdatedBy. ErrInvalid when it has Faults, ErrConflict when there are 200 already.
func (s *Store) CreateAlertRule(ctx context.Context, r AlertRule) (stored AlertRule, err error) {
	if faults := r.Faults(); len(faults) > 0 {
		return stored, fmt.Errorf("%w: %s: %s", ErrInvalid, faults[0].Field, faults[0].Detail)
	}
	if r.ID, err = newID("rul_"); err != nil {
		return stored, err
	}
	terms, err := r.terms()
	if err != nil {
		return stored, err
	}
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		var rules int64
		if err := tx.queryRow(ctx, `select count(*) from alert_rule`).Scan(&rules); err != nil {
			return err
		}
		if rules >= maxRules {
			return fmt.Errorf("%w: there are %d rules already", ErrConflict, rules)
		}
		now := tx.now()
		stored, err = scanAlertRule(tx.queryRow(ctx, `insert into alert_rule (`+alertRuleColumns+`)
			values ($1, $2, $3, $4, $5, $6, $7, $8, 1) returning `+alertRuleColumns,
			r.ID, r.Name, r.Enabled, terms, r.UpdatedBy, now, r.UpdatedBy, now).Scan)
		if err != nil {
			return err
		}
		return tx.audit(ctx, AuditRuleCreated, r.Name, "")
	})
	if err != nil {
		return AlertRule{}, fmt.Errorf("create rule: %w", err)
	}
	return stored, nil
}

// UpdateAlertRule replaces the rule of that ID by r.UpdatedBy. ErrNotFound; ErrInvalid when it has Faults; ErrConflict when
// r.Version is not 0 and not the stored one.
func (s *Store) UpdateAlertRule(ctx context.Context, r AlertRule) (stored AlertRule, err error) {
	if faults := r.Faults(); len(faults) > 0 {
		return stored, fmt.Errorf("%w: %s: %s", ErrInvalid, faults[0].Field, faults[0].Detail)
	}
	terms, err := r.terms()
	if err != nil {
		return stored, err
	}
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		was, err := scanAlertRule(tx.queryRow(ctx, alertRuleByID, r.ID).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		if r.Version != 0 && r.Version != was.Version {
			return fmt.Errorf("%w: it is at version %d", ErrConflict, was.Version)
		}
		stored, err = scanAlertRule(tx.queryRow(ctx, `update alert_rule set name = $1, enabled = $2, terms = $3, updated_by = $4, updated_at = $5,
			version = version + 1 where id = $6 returning `+alertRuleColumns, r.Name, r.Enabled, terms, r.UpdatedBy, tx.now(), r.ID).Scan)
		if err != nil {
			return err
		}
		return tx.audit(ctx, AuditRuleChanged, r.Name, "")
	})
	return stored, wrapUnlessMissing(err, "update rule "+r.ID)
}

const alertRuleByID = `select ` + alertRuleColumns + ` from alert_rule where id = $1`

// GetAlertRule returns one rule, or ErrNotFound.
func (s *Store) GetAlertRule(ctx context.Context, id string) (AlertRule, error) {
	r, err := scanAlertRule(s.readers.QueryRowContext(ctx, alertRuleByID, cleanText(id)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return r, wrapUnlessMissing(err, "load rule "+id)
}

// DeleteAlertRule removes a rule; what it had found ends. ErrNotFound when there is none; ErrConflict as UpdateAlertRule.
func (s *Store) DeleteAlertRule(ctx context.Context, id string, ifVersion int64) error {
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		var version int64
		var name string
		err := tx.queryRow(ctx, `select version, name from alert_rule where id = $1`, id).Scan(&version, &name)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		if ifVersion != 0 && ifVersion != version {
			return fmt.Errorf("%w: it is at version %d", ErrConflict, version)
		}
		if err := tx.exec(ctx, `delete from alert_rule where id = $1`, id); err != nil {
			return err
		}
		return tx.audit(ctx, AuditRuleDeleted, name, "")
	})
	return wrapUnlessMissing(err, "delete rule "+id)
}

// ListAlertRules returns all rules, oldest first.
func (s *Store) ListAlertRules(ctx context.Context) ([]AlertRule, error) {
	rows, err := s.readers.QueryContext(ctx, `select `+alertRuleColumns+` from alert_rule order by id`)
	if err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	list, err := collect(rows, scanAlertRule)
	if err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	return list, nil
}
