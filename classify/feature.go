package classify

import (
	"strconv"
	"strings"
)

// A Dimension is one thing in which exchanges may differ: a SightKind, or one of these.
type Dimension string

// The dimensions that are no sights.
const (
	DimensionClient      Dimension = "client"
	DimensionEnvironment Dimension = "environment"
	DimensionEndpoint    Dimension = "endpoint" // Exchange.Endpoint
	DimensionMethod      Dimension = "method"
	DimensionStatus      Dimension = "status"    // of the response, "0" when there was none
	DimensionService     Dimension = "service"   // that wrote the log
	DimensionServer      Dimension = "server"    // the header of that name in the response
	DimensionClientIP    Dimension = "client_ip" // the address that the request came from
)

// Dimensions lists all in which failures are compared. Scopes and the time left to a token are no habits of a client but of its requests.
func Dimensions() []Dimension {
	list := []Dimension{DimensionClient, DimensionEnvironment, DimensionEndpoint, DimensionMethod, DimensionStatus, DimensionService, DimensionServer, DimensionClientIP}
	for _, k := range SightKinds() {
		if k.IsHabit() {
			list = append(list, Dimension(k))
		}
	}
	return list
}

// IsHabit is true for kinds of which an exchange shows one value, the same as a rule in all exchanges of a client.
func (k SightKind) IsHabit() bool {
	switch k {
	case SightScopeGranted, SightScopeUsed, SightScopeRefused, SightExpiryMargin:
		return false
	}
	return true
}

// isPlace is true for the dimensions that say where a request went: they follow from each other.
func (d Dimension) isPlace() bool {
	switch d {
	case DimensionEndpoint, DimensionMethod, Dimension(SightTokenEndpoint), Dimension(SightAPI):
		return true
	}
	return false
}

// A Feature is a value that an exchange shows in a dimension.
type Feature struct {
	Dimension Dimension
	Value     string
}

// Features are what a failure of that cause shows: one value in each dimension that it has. Client and environment are not among them: they
// are the incident's.
func (e *Exchange) Features(cause Code) []Feature {
	list := []Feature{{DimensionEndpoint, e.Endpoint}}
	if method, _, ok := strings.Cut(e.Endpoint, " "); ok {
		list = append(list, Feature{DimensionMethod, method})
	}
	status, server := 0, ""
	if r := e.Record.Response; r != nil {
		status, server = r.Status, r.Headers.Get("server")
	}
	list = append(list, Feature{DimensionStatus, strconv.Itoa(status)})
	for _, f := range []Feature{{DimensionService, e.Record.Service}, {DimensionServer, server}, {DimensionClientIP, e.Record.ClientIP}} {
		if f.Value != "" {
			list = append(list, Feature{f.Dimension, string(appendSight(nil, f.Value))})
		}
	}
	failed := *e
	failed.Outcome = Failed
	for _, s := range Sights(string(failed.AppendLook(nil, &Verdict{Cause: cause}))) {
		if s.Kind.IsHabit() {
			list = append(list, Feature{Dimension(s.Kind), s.Value})
		}
	}
	return list
}

// OtherValues is the value under which those are counted that were not told apart.
const OtherValues = "…"

// A Spread counts how often each value of each dimension was seen. An exchange counts in the dimensions that it shows something in.
type Spread map[Dimension]map[string]int64

// Add counts a value n times; n may be 0, for one that is known not to have been seen.
func (s Spread) Add(d Dimension, value string, n int64) {
	if s[d] == nil {
		s[d] = map[string]int64{}
	}
	s[d][value] += n
}

// AddAll counts what one exchange shows.
func (s Spread) AddAll(list []Feature) {
	for _, f := range list {
		s.Add(f.Dimension, f.Value, 1)
	}
}

// Of is how many exchanges showed something in the dimension.
func (s Spread) Of(d Dimension) (n int64) {
	for _, count := range s[d] {
		n += count
	}
	return n
}
