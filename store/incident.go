package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"authwatch/classify"
)

// A State is where an incident stands.
type State string

// The states of an incident.
const (
	StateOpen         State = "open"
	StateAcknowledged State = "acknowledged"
	StateSilenced     State = "silenced"
	StateResolved     State = "resolved"
)

// States lists them.
func States() []State {
	return []State{StateOpen, StateAcknowledged, StateSilenced, StateResolved}
}

// An Incident groups the failures of one (provider, environment, cause, client). All times but UpdatedAt are event times.
type Incident struct {
	ID             string // "inc_" and 13 characters
	Provider       string
	Environment    string
	Cause          classify.Code
	ClientID       string
	State          State               // a silence whose end has passed reads as open
	Confidence     classify.Confidence // of the newest failure
	Fault          classify.Fault
	Summary        string // of the newest failure
	Count          int64
	FirstSeenAt    time.Time
	LastSeenAt     time.Time
	LastSuccess    time.Time // last accepted exchange of the client there before FirstSeenAt; zero if none is known
	FirstSuccess   time.Time // first accepted exchange after LastSeenAt; zero if none yet
	SilencedUntil  time.Time
	ResolvedAt     time.Time
	StateChangedBy string
	Assignee       string // who looks after it, "" for nobody
	RegressionOf   string // id of the earlier episode
	UpdatedAt      time.Time
	Version        int64           // grows with every change: the ETag
	Endpoints      []EndpointCount // most frequent first, at most 20; only GetIncident fills it
}

// An EndpointCount is how often an endpoint occurs in an incident.
type EndpointCount struct {
	Endpoint string
	Count    int64
}

// IncidentFilter selects incidents. Values of one field are alternatives, fields add up. Empty selects all.
type IncidentFilter struct {
	States       []State
	Causes       []classify.Code
	Providers    []string
	Environments []string
	Clients      []string
	Faults       []classify.Fault
	Terms        []Term
	From, To     time.Time // half-open, over [FirstSeenAt, LastSeenAt]
	Sort         string    // "last_seen" (default), "first_seen", "count"; always descending
	Page
}

const incidentColumns = `id, provider, environment, cause, client_id, state, confidence, fault, summary, count,
	first_seen_at, last_seen_at, last_success_at, first_success_at, silenced_until, resolved_at,
	state_changed_by, assignee, regression_of, updated_at, version`

func scanIncident(scan func(...any) error, now time.Time) (Incident, error) {
	var i Incident
	var id, regressionOf rowID
	var first, last, lastSuccess, firstSuccess, silenced, resolved, updated int64
	err := scan((*int64)(&id), &i.Provider, &i.Environment, &i.Cause, &i.ClientID, &i.State, &i.Confidence, &i.Fault, &i.Summary, &i.Count,
		&first, &last, &lastSuccess, &firstSuccess, &silenced, &resolved, &i.StateChangedBy, &i.Assignee, (*int64)(&regressionOf), &updated, &i.Version)
	if err != nil {
		return Incident{}, err
	}
	i.ID = id.text("inc_")
	if regressionOf != 0 {
		i.RegressionOf = regressionOf.text("inc_")
	}
	i.FirstSeenAt, i.LastSeenAt = fromMillis(first), fromMillis(last)
	i.LastSuccess, i.FirstSuccess = fromMillis(lastSuccess), fromMillis(firstSuccess)
	i.SilencedUntil, i.ResolvedAt, i.UpdatedAt = fromMillis(silenced), fromMillis(resolved), fromMillis(updated)
	if i.State == StateSilenced && silenced <= toMillis(now) {
		i.State = StateOpen
	}
	return i, nil
}

// addTo adds the conditions of the filter but its cursor.
func (f IncidentFilter) addTo(w *where, now time.Time) {
	w.states(f.States, now)
	in(w, `cause`, texts(f.Causes))
	in(w, `provider`, keyTexts(f.Providers))
	in(w, `environment`, keyTexts(f.Environments))
	in(w, `client_id`, keyTexts(f.Clients))
	in(w, `fault`, texts(f.Faults))
	w.incidentTerms(f.Terms)
	if !f.From.IsZero() {
		w.and(`last_seen_at >= ?`, f.From)
	}
	if !f.To.IsZero() {
		w.and(`first_seen_at < ?`, f.To)
	}
}

// states adds the alternatives of a state as it reads at now.
func (w *where) states(list []State, now time.Time) {
	if len(list) == 0 {
		return
	}
	either := where{args: w.args}
	for _, s := range list {
		switch s {
		case StateSilenced:
			either.and(`(state = 'silenced' and silenced_until > ?)`, now)
		case StateOpen:
			either.and(`(state = 'open' or state = 'silenced' and silenced_until <= ?)`, now)
		default:
			either.and(`state = ?`, string(s))
		}
	}
	w.args = either.args
	w.conditions = append(w.conditions, "("+strings.Join(either.conditions, " or ")+")")
}

// sortColumn is a name of our own, never the caller's text.
func (f IncidentFilter) sortColumn() (string, error) {
	switch f.Sort {
	case "", "last_seen":
		return `last_seen_at`, nil
	case "first_seen":
		return `first_seen_at`, nil
	case "count":
		return `count`, nil
	}
	return "", fmt.Errorf("%w: sort is last_seen, first_seen or count", ErrInvalid)
}

func (i Incident) sortKey(column string) int64 {
	switch column {
	case `first_seen_at`:
		return toMillis(i.FirstSeenAt)
	case `count`:
		return i.Count
	}
	return toMillis(i.LastSeenAt)
}

// ListIncidents returns a page and the cursor of the next one, "" on the last. Errors: ErrInvalidCursor, ErrInvalid for an unknown sort.
func (s *Store) ListIncidents(ctx context.Context, f IncidentFilter) (list []Incident, next string, err error) {
	now := s.now()
	query, args, column, err := incidentQuery(f, now)
	if err != nil {
		return nil, "", err
	}
	rows, err := s.readers.QueryContext(ctx, query, bind(args)...)
	if err != nil {
		return nil, "", fmt.Errorf("list incidents: %w", err)
	}
	list, err = collect(rows, func(scan func(...any) error) (Incident, error) { return scanIncident(scan, now) })
	if err != nil {
		return nil, "", fmt.Errorf("list incidents: %w", err)
	}
	list, more := cut(list, f.rows())
	if more {
		last := list[len(list)-1]
		next = cursor{List: "incidents by " + column, Key: last.sortKey(column), Tie: []string{last.ID}}.String()
	}
	return list, next, nil
}

func incidentQuery(f IncidentFilter, now time.Time) (query string, args []any, column string, err error) {
	column, err = f.sortColumn()
	if err != nil {
		return "", nil, "", err
	}
	var w where
	f.addTo(&w, now)
	c, ok, err := readCursor(f.Cursor, "incidents by "+column, 1)
	if err != nil {
		return "", nil, "", err
	}
	if ok {
		w.and(`(`+column+`, id) < (?, ?)`, c.Key, incidentKey(c.Tie[0]))
	}
	query = `select ` + incidentColumns + ` from incident where ` + w.sql() + `
		order by ` + column + ` desc, id desc limit ` + w.arg(int64(f.rows()+1))
	return query, w.args, column, nil
}

// CountIncidents counts what the filter selects, by state.
func (s *Store) CountIncidents(ctx context.Context, f IncidentFilter) (map[State]int64, error) {
	now := s.now()
	w := where{args: []any{now}} // $1, of the expression below
	f.addTo(&w, now)
	rows, err := s.readers.QueryContext(ctx, `select case when state = 'silenced' and silenced_until <= $1 then 'open' else state end, count(*)
		from incident where `+w.sql()+` group by 1`, bind(w.args)...)
	if err != nil {
		return nil, fmt.Errorf("count incidents: %w", err)
	}
	type stateCount struct {
		state State
		count int64
	}
	list, err := collect(rows, func(scan func(...any) error) (c stateCount, err error) { return c, scan(&c.state, &c.count) })
	if err != nil {
		return nil, fmt.Errorf("count incidents: %w", err)
	}
	counts := map[State]int64{}
	for _, c := range list {
		counts[c.state] = c.count
	}
	return counts, nil
}

// GetIncident returns one incident with its endpoints, or ErrNotFound.
func (s *Store) GetIncident(ctx context.Context, id string) (Incident, error) {
	i, err := readIncident(s.readers.QueryRowContext(ctx, incidentByID, incidentKey(id)), s.now())
	if err != nil {
		return Incident{}, wrapUnlessMissing(err, "load incident "+id)
	}
	rows, err := s.readers.QueryContext(ctx, `select endpoint, count from incident_endpoint where incident_id = $1
		order by count desc, endpoint limit 20`, incidentKey(id))
	if err != nil {
		return Incident{}, fmt.Errorf("load endpoints of incident %s: %w", id, err)
	}
	i.Endpoints, err = collect(rows, func(scan func(...any) error) (e EndpointCount, err error) {
		return e, scan(&e.Endpoint, &e.Count)
	})
	if err != nil {
		return Incident{}, fmt.Errorf("load endpoints of incident %s: %w", id, err)
	}
	return i, nil
}

const incidentByID = `select ` + incidentColumns + ` from incident where id = $1`

// readIncident reads the answer to incidentByID: ErrNotFound when it is empty.
func readIncident(row *sql.Row, now time.Time) (Incident, error) {
	i, err := scanIncident(row.Scan, now)
	if errors.Is(err, sql.ErrNoRows) {
		return Incident{}, ErrNotFound
	}
	return i, err
}

// wrapUnlessMissing keeps ErrNotFound bare: the caller knows what it asked for.
func wrapUnlessMissing(err error, operation string) error {
	if err == nil || errors.Is(err, ErrNotFound) {
		return err
	}
	return fmt.Errorf("%s: %w", operation, err)
}
