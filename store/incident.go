package store

import (
	"time"

	"authwatch/classify"
)

// A State is where an incident stands.
type State string

// The states of an incident (design part 7).
const (
	StateOpen         State = "open"
	StateAcknowledged State = "acknowledged"
	StateSilenced     State = "silenced"
	StateResolved     State = "resolved"
)

// An Incident groups the failures of one (provider, environment, cause, client). All times but UpdatedAt are event times.
type Incident struct {
	ID             string // "inc_" and a UUIDv7
	Provider       string
	Environment    string
	Cause          classify.Code
	ClientID       string
	State          State
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

// A StateChange is what a person asks of an incident.
type StateChange struct {
	State         State
	SilencedUntil time.Time // required for StateSilenced
	By            string    // user or key name
	IfVersion     int64     // 0: whatever the version
}

// IncidentFilter selects incidents. Values of one field are alternatives, fields add up. Empty selects all.
type IncidentFilter struct {
	States       []State
	Causes       []classify.Code
	Providers    []string
	Environments []string
	Clients      []string
	Faults       []classify.Fault
	From, To     time.Time // half-open, over [FirstSeenAt, LastSeenAt]
	Sort         string    // "last_seen" (default), "first_seen", "count"; always descending
	Page
}

// FailureFilter selects failures, newest event first.
type FailureFilter struct {
	IncidentID   string
	Causes       []classify.Code
	Providers    []string
	Environments []string
	Clients      []string
	Endpoints    []string
	Statuses     []int
	From, To     time.Time // half-open, event time
	Page
}

// A Page is one step through a list: at most Limit rows (0 means 50, never more than 200) after Cursor ("" is the start).
type Page struct {
	Limit  int
	Cursor string
}
