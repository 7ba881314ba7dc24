package classify

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// A Baseline is what the failures of an incident are compared with.
type Baseline string

// The baselines. Of accepted requests little is kept: what they showed of their tokens and where they went, as Sights, and how many there
// were. The rest can only be compared with other failures.
const (
	BaselineAccepted       Baseline = "accepted"           // accepted requests of the same client at the same place
	BaselineOthersAccepted Baseline = "others_accepted"    // accepted requests of other clients there
	BaselineTraffic        Baseline = "traffic"            // all accepted requests of the same time
	BaselineFailures       Baseline = "failures"           // other failures there in the same time
	BaselineSameCause      Baseline = "failures_of_cause"  // those of them that have the same cause
	BaselineSameClient     Baseline = "failures_of_client" // those of them that are the same client's
)

// Baselines lists them.
func Baselines() []Baseline {
	return []Baseline{BaselineAccepted, BaselineOthersAccepted, BaselineTraffic, BaselineFailures, BaselineSameCause, BaselineSameClient}
}

// baselines are those that a dimension can be compared with, the most telling first. What is a client's own anyway, such as its key, tells
// nothing beside other clients, as does the service that writes its log; what a server says of one cause tells nothing beside another cause.
func (d Dimension) baselines(clientKnown bool) []Baseline {
	own := BaselineSameClient
	if !clientKnown {
		own = BaselineFailures
	}
	switch d {
	case DimensionClient, DimensionEnvironment:
		return []Baseline{BaselineTraffic}
	case DimensionEndpoint, DimensionMethod:
		return []Baseline{BaselineFailures}
	case DimensionStatus, DimensionServer, Dimension(SightWording):
		return []Baseline{BaselineSameCause}
	case DimensionClientIP, DimensionService:
		return []Baseline{own}
	case Dimension(SightUserAgent), Dimension(SightAssertionKID), Dimension(SightAssertionIssuer):
		return []Baseline{BaselineAccepted, own}
	}
	return []Baseline{BaselineAccepted, BaselineOthersAccepted, BaselineFailures}
}

// Wants is true when a dimension is compared with the baseline, since nothing more telling is known: what it is not wanted for need not be read.
func (d Dimension) Wants(b Baseline, there map[Baseline]Spread, clientKnown bool) bool {
	for _, other := range d.baselines(clientKnown) {
		if other == b {
			return true
		}
		if there[other].Of(d) >= leastBaseline {
			return false
		}
	}
	return false
}

// A Part is so many of so many.
type Part struct {
	Count int64
	Of    int64
}

// Share is from 0 to 1.
func (p Part) Share() float64 {
	if p.Of <= 0 {
		return 0
	}
	return float64(p.Count) / float64(p.Of)
}

// A Contrast is a value that failures show more often than what they are compared with.
type Contrast struct {
	Dimension Dimension
	Value     string
	Here      Part // of the failures
	There     Part // of the baseline
	Baseline  Baseline
	Values    []ContrastValue // the most frequent of both, Value first
}

// A ContrastValue is how often both sides show a value, of as many as the contrast says.
type ContrastValue struct {
	Value string
	Here  int64
	There int64
}

// Lift is how many times more often the value is seen here than there; +Inf when it never is there.
func (c Contrast) Lift() float64 {
	if c.There.Count == 0 {
		return math.Inf(1)
	}
	return c.Here.Share() / c.There.Share()
}

const (
	// contrastsShown bounds what a reader is told.
	contrastsShown = 6
	// contrastValues bounds the values of one contrast.
	contrastValues = 4
	// leastBaseline is how many of a baseline there have to be for any comparison.
	leastBaseline = 3
	// leastScore keeps out what says little: about what all of the failures score against two fifths of the baseline.
	leastScore = 0.5
	// failuresWeigh is what a comparison with other failures weighs beside one with requests that work.
	failuresWeigh = 0.5
)

// Contrasts ranks what sets failures apart, by how much more often they show it and by how many were looked at, and returns at most six:
// the value that most of them have in a dimension, and one for where the requests went. clientKnown is false for failures of nobody known by name.
func Contrasts(here Spread, there map[Baseline]Spread, clientKnown bool) []Contrast {
	type ranked struct {
		Contrast
		score float64
	}
	var list []ranked
	for _, d := range slices.Sorted(maps.Keys(here)) {
		for _, b := range d.baselines(clientKnown) {
			if there[b].Of(d) < leastBaseline || b == BaselineTraffic && here.Of(d) < leastBaseline {
				continue // one failure is of one client anyway
			}
			if c, ok := contrast(d, b, here, there[b]); ok && c.score() >= leastScore {
				list = append(list, ranked{c, c.score()})
			}
			break // the next baseline is a lesser one
		}
	}
	slices.SortStableFunc(list, func(a, b ranked) int { return cmp.Compare(b.score, a.score) })
	var out []Contrast
	placed := false
	for _, r := range list {
		if r.Dimension.isPlace() {
			if placed {
				continue
			}
			placed = true
		}
		if out = append(out, r.Contrast); len(out) == contrastsShown {
			break
		}
	}
	return out
}

// contrast compares the value that most of the failures have in a dimension: what sets them apart is what most of them share.
func contrast(d Dimension, b Baseline, here, there Spread) (c Contrast, ok bool) {
	c = Contrast{Dimension: d, Here: Part{Of: here.Of(d)}, There: Part{Of: there.Of(d)}, Baseline: b}
	for v, n := range here[d] {
		if 2*n > c.Here.Of && v != OtherValues {
			c.Value, c.Here.Count, ok = v, n, true
		}
	}
	_, gathered := there[d][OtherValues]
	n, listed := there[d][c.Value]
	if !ok || gathered && !listed { // it may be among those that were not told apart
		return c, false
	}
	c.There.Count = n
	c.Values = sideBySide(c, here, there)
	return c, true
}

// score is the value's part of the Jeffreys divergence between both spreads, which grows with the difference of the shares and with their
// ratio. Half an exchange is added to each side, as Jeffreys' prior has it, so that a few exchanges tell less than many.
func (c Contrast) score() float64 {
	here, there := (float64(c.Here.Count)+0.5)/(float64(c.Here.Of)+1), (float64(c.There.Count)+0.5)/(float64(c.There.Of)+1)
	if here <= there {
		return 0
	}
	score := (here - there) * math.Log(here/there)
	switch c.Baseline {
	case BaselineFailures, BaselineSameCause, BaselineSameClient:
		score *= failuresWeigh
	}
	return score
}

// sideBySide are the value itself and the others that either side shows most.
func sideBySide(c Contrast, here, there Spread) []ContrastValue {
	list := []ContrastValue{{c.Value, c.Here.Count, c.There.Count}}
	var rest []ContrastValue
	for v := range union(here[c.Dimension], there[c.Dimension]) {
		if v != c.Value && v != OtherValues {
			rest = append(rest, ContrastValue{v, here[c.Dimension][v], there[c.Dimension][v]})
		}
	}
	most := func(v ContrastValue) float64 {
		return max(Part{v.Here, c.Here.Of}.Share(), Part{v.There, c.There.Of}.Share())
	}
	slices.SortFunc(rest, func(a, b ContrastValue) int {
		return cmp.Or(cmp.Compare(most(b), most(a)), cmp.Compare(a.Value, b.Value))
	})
	return append(list, rest[:min(len(rest), contrastValues-1)]...)
}

func union(a, b map[string]int64) map[string]bool {
	all := map[string]bool{}
	for _, list := range []map[string]int64{a, b} {
		for v := range list {
			all[v] = true
		}
	}
	return all
}
