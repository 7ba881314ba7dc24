package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A Deployment is a change that somebody told us of: what may explain a failure that begins right after it. Empty
// fields of its place mean that it may concern any.
type Deployment struct {
	ID          string // "chg_" and a UUIDv7
	Time        time.Time
	Kind        DeploymentKind
	Title       string // "orders-bot 4109", at most 256 bytes
	Provider    string
	Environment string
	Service     string
	ClientID    string
	URL         string // of the commit, the run, the ticket; https or http
	By          string // user or key that told us
	ToldAt      time.Time
	Reference   string // the teller's own id: telling twice changes nothing
}

// A DeploymentKind is what was changed.
type DeploymentKind string

// The kinds of changes.
const (
	DeployedCode          DeploymentKind = "deploy"
	DeployedConfiguration DeploymentKind = "configuration"
	DeployedKey           DeploymentKind = "key"
	DeployedOther         DeploymentKind = "other"
)

// DeploymentKinds lists them.
func DeploymentKinds() []DeploymentKind {
	return []DeploymentKind{DeployedCode, DeployedConfiguration, DeployedKey, DeployedOther}
}

// A DeploymentFilter selects deployments, latest first. A deployment without a value fits any.
type DeploymentFilter struct {
	From, To     time.Time // half-open
	Providers    []string
	Environments []string
	Clients      []string
	Page
}

const deploymentColumns = `id, occurred_at, kind, title, provider, environment, service, client_id, url, told_by, told_at, reference`

// AddDeployment stores a change; one with a Reference that is known is returned as it is and added is false.
// ErrInvalid when it has no time, no title or no such kind.
func (s *Store) AddDeployment(ctx context.Context, d Deployment) (stored Deployment, added bool, err error) {
	if d.Time.IsZero() || d.Title == "" || !slices.Contains(DeploymentKinds(), d.Kind) {
		return Deployment{}, false, fmt.Errorf("%w: a change needs a time, a title and one of its kinds", ErrInvalid)
	}
	if d.ID, err = newID("chg_"); err != nil {
		return Deployment{}, false, err
	}
	if d.Reference == "" {
		d.Reference = d.ID
	}
	d.Provider, d.Environment, d.Service, d.ClientID = keyText(d.Provider), keyText(d.Environment), keyText(d.Service), keyText(d.ClientID)
	d.Title, d.Reference = keyText(d.Title), keyText(d.Reference)
	d.ToldAt = s.now()
	err = s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		added, err = tx.changed(ctx, `insert into deployment (`+deploymentColumns+`)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (reference) do nothing`,
			d.ID, d.Time, string(d.Kind), d.Title, d.Provider, d.Environment, d.Service, d.ClientID, d.URL, d.By, d.ToldAt, d.Reference)
		if err != nil {
			return err
		}
		stored, err = scanDeployment(tx.queryRow(ctx, `select `+deploymentColumns+` from deployment where reference = $1`, d.Reference).Scan)
		if err != nil || !added {
			return err
		}
		return tx.audit(ctx, AuditChangeTold, d.Title, string(d.Kind))
	})
	if err != nil {
		return Deployment{}, false, fmt.Errorf("add deployment: %w", err)
	}
	return stored, added, nil
}

// DeleteDeployment forgets one; ErrNotFound when there is none by that id.
func (s *Store) DeleteDeployment(ctx context.Context, id string) error {
	err := s.Write(ctx, func(ctx context.Context, tx *Tx) error {
		gone, err := tx.changed(ctx, `delete from deployment where id = $1`, id)
		if err == nil && !gone {
			return ErrNotFound
		}
		return err
	})
	return wrapUnlessMissing(err, "delete deployment "+id)
}

// ListDeployments returns a page and the cursor of the next.
func (s *Store) ListDeployments(ctx context.Context, f DeploymentFilter) (list []Deployment, next string, err error) {
	var w where
	w.between(`occurred_at`, f.From, f.To)
	inOrAny(&w, `provider`, f.Providers)
	inOrAny(&w, `environment`, f.Environments)
	inOrAny(&w, `client_id`, f.Clients)
	c, ok, err := readCursor(f.Cursor, "deployments", 1)
	if err != nil {
		return nil, "", err
	}
	if ok {
		w.and(`(occurred_at, id) < (?, ?)`, c.Key, c.Tie[0])
	}
	rows, err := s.readers.QueryContext(ctx, `select `+deploymentColumns+` from deployment where `+w.sql()+`
		order by occurred_at desc, id desc limit `+w.arg(int64(f.rows()+1)), bind(w.args)...)
	if err != nil {
		return nil, "", fmt.Errorf("list deployments: %w", err)
	}
	if list, err = collect(rows, scanDeployment); err != nil {
		return nil, "", fmt.Errorf("list deployments: %w", err)
	}
	list, more := cut(list, f.rows())
	if more {
		next = list[len(list)-1].cursor().String()
	}
	return list, next, nil
}

func (d Deployment) cursor() cursor {
	return cursor{List: "deployments", Key: toMillis(d.Time), Tie: []string{d.ID}}
}

// inOrAny adds "column is one of values, or says nothing"; no values select all.
func inOrAny(w *where, column string, values []string) {
	if len(values) > 0 {
		in(w, column, append([]string{""}, keyTexts(values)...))
	}
}

func scanDeployment(scan func(...any) error) (d Deployment, err error) {
	var occurred, told int64
	err = scan(&d.ID, &occurred, &d.Kind, &d.Title, &d.Provider, &d.Environment, &d.Service, &d.ClientID, &d.URL, &d.By, &told, &d.Reference)
	d.Time, d.ToldAt = fromMillis(occurred), fromMillis(told)
	return d, err
}
