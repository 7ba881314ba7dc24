// Package store keeps failures, incidents, rollups, history and accounts in SQLite or PostgreSQL. It is one concrete
// type over portable SQL; only dialect.go knows which engine answers. It refuses to know HTTP, JSON shapes of the API, or how a cause is found.
package store

import (
	"context"
	"errors"
	"time"

	"authwatch/classify"
)

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not found")

// ErrConflict says that the row was changed meanwhile (IfVersion) or the change is not possible from its state.
var ErrConflict = errors.New("conflict")

// ErrInvalidCursor says that a page's cursor was not made by this list.
var ErrInvalidCursor = errors.New("invalid cursor")

// A Store is safe for concurrent use.
type Store struct{}

// Options configure Open.
type Options struct {
	DSN string           // a file's path, or postgres://user@host/database
	Now func() time.Time // receipt time; nil is time.Now
}

// Open opens the database, creating and migrating it as needed.
func Open(ctx context.Context, o Options) (*Store, error) { return nil, errors.ErrUnsupported }

// Close waits for the writes in hand and closes the database.
func (s *Store) Close() error { return nil }

// Ready is nil when the database answers and can be written.
func (s *Store) Ready(ctx context.Context) error { return errors.ErrUnsupported }

// Write runs fn in a transaction and returns when it is durably committed. Several calls share one commit; each runs
// under a savepoint of its own, so that an error of one costs only that one. fn may run more than once and must not keep tx.
func (s *Store) Write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	return errors.ErrUnsupported
}

// A Tx is one caller's share of a write transaction.
type Tx struct{}

// Claim notes deliveries and says which of them are new; of equal ones in the list the first is.
func (t *Tx) Claim(ctx context.Context, at time.Time, list []Delivery) (fresh []bool, err error) {
	return nil, errors.ErrUnsupported
}

// History looks facts up.
func (t *Tx) History(ctx context.Context, keys []classify.Key) (classify.History, error) {
	return nil, errors.ErrUnsupported
}

// Observe merges facts into history (classify.Fact.Merge).
func (t *Tx) Observe(ctx context.Context, facts []classify.Fact) error { return errors.ErrUnsupported }

// AddFailures stores failures: each gets its ID and joins the incident of its provider, environment, cause and client,
// which opens when there is none; rollups and client figures follow. An event at or before the resolution of the last
// episode joins that one and does not reopen it; a later one opens a new episode with RegressionOf set. The list's ID and IncidentID are filled in.
func (t *Tx) AddFailures(ctx context.Context, list []Failure) error { return errors.ErrUnsupported }

// ReviseFailure replaces the failure of that ID. When its cause, client or environment changed, counts, rollups and
// first and last seen move with it, and an incident left empty disappears.
func (t *Tx) ReviseFailure(ctx context.Context, f Failure) error { return errors.ErrUnsupported }

// WithdrawFailure removes a failure that a late token showed to be none, and its traces in incident and rollups.
func (t *Tx) WithdrawFailure(ctx context.Context, id string) error { return errors.ErrUnsupported }

// AddTraffic counts accepted exchanges and moves LastSuccess and FirstSuccess of incidents and clients.
func (t *Tx) AddTraffic(ctx context.Context, list []Traffic) error { return errors.ErrUnsupported }

// PutPending keeps halves of joins.
func (t *Tx) PutPending(ctx context.Context, list []Pending) error { return errors.ErrUnsupported }

// TakePending returns and removes the halves of that side under the given join keys, oldest first. Expired ones count as absent.
func (t *Tx) TakePending(ctx context.Context, side string, joinKeys []string) ([]Pending, error) {
	return nil, errors.ErrUnsupported
}

// FailuresByRequest returns failures with one of these request ids or trace ids, for the late join of a token.
func (t *Tx) FailuresByRequest(ctx context.Context, requestIDs, traceIDs []string) ([]Failure, error) {
	return nil, errors.ErrUnsupported
}

// ListIncidents returns a page and the cursor of the next one, "" on the last.
func (s *Store) ListIncidents(ctx context.Context, f IncidentFilter) (list []Incident, next string, err error) {
	return nil, "", errors.ErrUnsupported
}

// CountIncidents counts what the filter selects, by state.
func (s *Store) CountIncidents(ctx context.Context, f IncidentFilter) (map[State]int64, error) {
	return nil, errors.ErrUnsupported
}

// GetIncident returns one incident with its endpoints, or ErrNotFound.
func (s *Store) GetIncident(ctx context.Context, id string) (Incident, error) {
	return Incident{}, errors.ErrUnsupported
}

// ChangeIncident moves an incident to another state: ErrNotFound, or ErrConflict when IfVersion is not its version.
func (s *Store) ChangeIncident(ctx context.Context, id string, c StateChange) (Incident, error) {
	return Incident{}, errors.ErrUnsupported
}

// ListFailures returns a page and the cursor of the next one, "" on the last.
func (s *Store) ListFailures(ctx context.Context, f FailureFilter) (list []Failure, next string, err error) {
	return nil, "", errors.ErrUnsupported
}

// GetFailure returns one failure, or ErrNotFound.
func (s *Store) GetFailure(ctx context.Context, id string) (Failure, error) {
	return Failure{}, errors.ErrUnsupported
}

// Trend answers from the rollups; a step that is no whole number of minutes is an error.
func (s *Store) Trend(ctx context.Context, q TrendQuery) (Trend, error) {
	return Trend{}, errors.ErrUnsupported
}

// Totals returns the figures of the window [from, to) for these providers and environments (empty: all).
func (s *Store) Totals(ctx context.Context, from, to time.Time, providers, environments []string) (Totals, error) {
	return Totals{}, errors.ErrUnsupported
}

// ListClients returns a page and the cursor of the next one, "" on the last.
func (s *Store) ListClients(ctx context.Context, f ClientFilter) (list []ClientSummary, next string, err error) {
	return nil, "", errors.ErrUnsupported
}

// ListEnvironments returns every environment that traffic has shown, by provider and name.
func (s *Store) ListEnvironments(ctx context.Context) ([]EnvironmentSummary, error) {
	return nil, errors.ErrUnsupported
}

// LastReceived is when the last record was committed, and how many were ever; the zero time when none.
func (s *Store) LastReceived(ctx context.Context) (at time.Time, records int64, err error) {
	return time.Time{}, 0, errors.ErrUnsupported
}

// CreateKey makes a key and returns it with its text, which is not kept.
func (s *Store) CreateKey(ctx context.Context, scope Scope, name string) (key APIKey, text string, err error) {
	return APIKey{}, "", errors.ErrUnsupported
}

// FindKey returns the valid key of that text, or ErrNotFound. It notes the use at most once a minute, off the caller's path.
func (s *Store) FindKey(ctx context.Context, text string) (APIKey, error) {
	return APIKey{}, errors.ErrUnsupported
}

// ListKeys returns all keys, newest first.
func (s *Store) ListKeys(ctx context.Context) ([]APIKey, error) { return nil, errors.ErrUnsupported }

// RevokeKey makes a key invalid at once.
func (s *Store) RevokeKey(ctx context.Context, id string) error { return errors.ErrUnsupported }

// CreateUser adds a user; ErrConflict when the name is taken.
func (s *Store) CreateUser(ctx context.Context, name string, role Role) (User, error) {
	return User{}, errors.ErrUnsupported
}

// GetUserByName returns a user, or ErrNotFound.
func (s *Store) GetUserByName(ctx context.Context, name string) (User, error) {
	return User{}, errors.ErrUnsupported
}

// ListUsers returns all users by name.
func (s *Store) ListUsers(ctx context.Context) ([]User, error) { return nil, errors.ErrUnsupported }

// CreateSignIn makes a one-time sign-in token for a user, valid for the given time; only its hash is kept.
func (s *Store) CreateSignIn(ctx context.Context, userID string, valid time.Duration) (token string, err error) {
	return "", errors.ErrUnsupported
}

// UseSignIn consumes a one-time token and starts a session: ErrNotFound when it is unknown, used or too old.
func (s *Store) UseSignIn(ctx context.Context, token string, valid time.Duration) (cookie string, session Session, err error) {
	return "", Session{}, errors.ErrUnsupported
}

// CheckSignIn says whose one-time token this is without consuming it, or ErrNotFound.
func (s *Store) CheckSignIn(ctx context.Context, token string) (User, error) {
	return User{}, errors.ErrUnsupported
}

// GetSession returns the session of a cookie, or ErrNotFound when it is unknown or over.
func (s *Store) GetSession(ctx context.Context, cookie string) (Session, error) {
	return Session{}, errors.ErrUnsupported
}

// EndSession ends a session; an unknown one is no error.
func (s *Store) EndSession(ctx context.Context, cookie string) error { return errors.ErrUnsupported }
