package store

import (
	"time"

	"authwatch/classify"
)

// A Dimension is what a trend is grouped by.
type Dimension string

// The dimensions.
const (
	ByCause       Dimension = "cause"
	ByClient      Dimension = "client"
	ByEnvironment Dimension = "environment"
	ByEndpoint    Dimension = "endpoint"
)

// TrendQuery asks for counts of failures in [From, To) in steps of Step (whole minutes).
type TrendQuery struct {
	From, To     time.Time
	Step         time.Duration
	GroupBy      Dimension
	Providers    []string
	Environments []string
	Causes       []classify.Code
	Clients      []string
}

// A Trend is the answer: one series a value of the dimension, largest first, each as long as Starts.
type Trend struct {
	Starts    []time.Time // start of each step
	Series    []Series
	Failures  []int64 // total a step
	Successes []int64 // accepted exchanges a step, same filters but Causes
}

// A Series is the counts of one value of the dimension.
type Series struct {
	Name   string
	Total  int64
	Counts []int64
}

// Totals are the figures of one window.
type Totals struct {
	Failures  int64
	Successes int64
	Clients   int64 // with at least one failure
	Incidents int64 // with a failure in the window
}

// ClientSummary is one client of one provider and environment.
type ClientSummary struct {
	Provider      string
	Environment   string
	ClientID      string
	Failures      int64 // ever
	Successes     int64 // ever
	FirstSeenAt   time.Time
	LastSuccessAt time.Time
	LastFailureAt time.Time
	OpenIncidents int64
}

// ClientFilter selects clients, latest activity first.
type ClientFilter struct {
	Providers    []string
	Environments []string
	ClientID     string
	Page
}

// EnvironmentSummary is one environment of one provider as traffic shows it.
type EnvironmentSummary struct {
	Provider      string
	Environment   string
	Failures      int64
	Successes     int64
	Clients       int64
	OpenIncidents int64
	LastSeenAt    time.Time
}
