package store

import (
	"time"

	"authwatch/classify"
)

// A SightingName is what one sighting is of. Whose and where it is is the client's and, of a key or a server's words, the
// host's that judged; words are of no client.
type SightingName struct {
	Provider    string
	Environment string
	ClientID    string
	Kind        classify.SightKind
	Owner       string // of a key: whose it is, by the token's iss; of words: the code that they were said with
	Host        string
	Value       string // redacted; SightingsLeftOut for those of a client that had too many
}

// A Sighting says when one thing was seen in the traffic, and whether it was accepted. Times are those of events, the zero
// time is never. First and last times and counts merge without regard to order, so that replicas agree.
type Sighting struct {
	SightingName
	FirstSeen     time.Time
	LastSeen      time.Time
	FirstAccepted time.Time
	LastAccepted  time.Time
	FirstRejected time.Time // by a failure that was about this very thing
	LastRejected  time.Time
	Accepted      int64
	Rejected      int64
	Other         int64 // failures about another thing
}

// SightingsLeftOut is the value under which what is beyond the bound of values of one client and kind is counted.
const SightingsLeftOut = "…"

const (
	// sightingValues bounds the values that are kept of one client and kind: more of them is no habit.
	sightingValues = 32
	// sightingRows bounds them all, so that a storm of made-up clients cannot fill the disk.
	sightingRows = 200_000
	// looksWaiting bounds what waits in memory to be written.
	looksWaiting = 50_000
)

// A Look is all that exchanges show together: who makes many that look the same uses one Look for them.
type Look struct {
	Provider    string
	Environment string
	ClientID    string
	Sights      []classify.Sight
	written     bool // it was handed to the database once; of who holds the lock of looks
}

// Looks count what exchanges have shown.
type Looks map[*Look]LookTally

// A LookTally counts the exchanges of one look.
type LookTally struct {
	Count       int64
	First, Last time.Time
	Margins     [10]int64 // uses of a token by classify.MarginClass; none for exchanges that are not about when it is used
}

// Add counts one exchange. Expires is when the token that it used ends, in Unix seconds; 0 for none.
func (l *Looks) Add(look *Look, at time.Time, expires int64) {
	if look == nil {
		return
	}
	if *l == nil {
		*l = Looks{}
	}
	one := LookTally{Count: 1, First: at, Last: at}
	if expires != 0 {
		one.Margins[classify.MarginClass(expires-at.Unix())] = 1
	}
	(*l)[look] = (*l)[look].merge(one)
}

func (t LookTally) merge(other LookTally) LookTally {
	if t.Count == 0 {
		return other
	}
	t.Count += other.Count
	if other.First.Before(t.First) {
		t.First = other.First
	}
	if other.Last.After(t.Last) {
		t.Last = other.Last
	}
	for class, n := range other.Margins {
		t.Margins[class] += n
	}
	return t
}

// marginNames are the values of the sightings of classify.SightExpiryMargin: the upper bound of each class in seconds, and
// "more" for what is beyond the last.
func marginNames() []string {
	var names []string
	for _, bound := range classify.MarginClasses() {
		names = append(names, time.Duration(bound*int64(time.Second)).String())
	}
	return append(names, "more")
}

// sightings are what looks come to, by name.
func (l Looks) sightings() map[SightingName]Sighting {
	out := map[SightingName]Sighting{}
	margins := marginNames()
	for look, tally := range l {
		name := SightingName{Provider: keyText(look.Provider), Environment: keyText(look.Environment), ClientID: keyText(look.ClientID)}
		for _, s := range look.Sights {
			one := name
			one.Kind, one.Owner, one.Host, one.Value = s.Kind, keyText(s.Owner), keyText(s.Host), keyText(s.Value)
			if s.Kind == classify.SightWording {
				one.ClientID = ""
			}
			out[one] = out[one].merge(tally.as(one, s.Outcome, tally.Count))
		}
		outcome := look.outcome()
		for class, n := range tally.Margins {
			if n > 0 {
				name.Kind, name.Value = classify.SightExpiryMargin, margins[class]
				out[name] = out[name].merge(tally.as(name, outcome, n))
			}
		}
	}
	return out
}

// outcome is that of the exchanges themselves, for what is of no one sight.
func (l *Look) outcome() classify.Outcome {
	for _, s := range l.Sights {
		if s.Outcome == classify.Accepted {
			return classify.Accepted
		}
	}
	return classify.Failed
}

func (t LookTally) as(name SightingName, outcome classify.Outcome, n int64) Sighting {
	s := Sighting{SightingName: name, FirstSeen: t.First, LastSeen: t.Last}
	switch outcome {
	case classify.Accepted:
		s.FirstAccepted, s.LastAccepted, s.Accepted = t.First, t.Last, n
	case classify.Failed:
		s.FirstRejected, s.LastRejected, s.Rejected = t.First, t.Last, n
	default:
		s.Other = n
	}
	return s
}

func (s Sighting) merge(other Sighting) Sighting {
	if s.FirstSeen.IsZero() {
		return other
	}
	for _, pair := range []struct {
		into *time.Time
		from time.Time
	}{{&s.FirstSeen, other.FirstSeen}, {&s.FirstAccepted, other.FirstAccepted}, {&s.FirstRejected, other.FirstRejected}} {
		if pair.into.IsZero() || !pair.from.IsZero() && pair.from.Before(*pair.into) {
			*pair.into = pair.from
		}
	}
	for _, pair := range []struct {
		into *time.Time
		from time.Time
	}{{&s.LastSeen, other.LastSeen}, {&s.LastAccepted, other.LastAccepted}, {&s.LastRejected, other.LastRejected}} {
		if pair.from.After(*pair.into) {
			*pair.into = pair.from
		}
	}
	s.Accepted, s.Rejected, s.Other = s.Accepted+other.Accepted, s.Rejected+other.Rejected, s.Other+other.Other
	return s
}
