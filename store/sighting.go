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
	Owner       string // of a key: whose it is, by the token's iss; of words: the cause that they were said of
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

	// Of who holds the lock of the log of looks:
	tally   lookTally
	written bool // it was handed to the database once
}

// A Seen is one exchange that had a look.
type Seen struct {
	Look    *Look
	At      int64 // of the event, in Unix milliseconds
	Expires int64 // when the token that it used ends, in Unix seconds; 0: nobody asks how long before that it was used
}

// A lookTally counts the exchanges of one look that are not written yet.
type lookTally struct {
	count       int64
	first, last int64
	margins     [10]int64 // uses of a token by classify.MarginClass
}

func (t *lookTally) add(s *Seen) {
	if t.count == 0 || s.At < t.first {
		t.first = s.At
	}
	t.last = max(t.last, s.At)
	t.count++
	if s.Expires != 0 {
		t.margins[classify.MarginClass(s.Expires-s.At/1000)]++
	}
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

// A due look is one with what is to be written of it.
type dueLook struct {
	*Look
	tally lookTally
}

// sightingsOf are what looks come to, by name.
func sightingsOf(looks []dueLook) map[SightingName]Sighting {
	out := map[SightingName]Sighting{}
	margins := marginNames()
	for _, l := range looks {
		name := SightingName{Provider: keyText(l.Provider), Environment: keyText(l.Environment), ClientID: keyText(l.ClientID)}
		for _, s := range l.Sights {
			one := name
			one.Kind, one.Owner, one.Host, one.Value = s.Kind, keyText(s.Owner), keyText(s.Host), keyText(s.Value)
			if s.Kind == classify.SightWording {
				one.ClientID = ""
			}
			out[one] = out[one].merge(l.tally.as(one, s.Outcome, l.tally.count))
		}
		outcome := l.outcome()
		for class, n := range l.tally.margins {
			if n > 0 {
				name.Kind, name.Value = classify.SightExpiryMargin, margins[class]
				out[name] = out[name].merge(l.tally.as(name, outcome, n))
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

func (t *lookTally) as(name SightingName, outcome classify.Outcome, n int64) Sighting {
	first, last := fromMillis(t.first), fromMillis(t.last)
	s := Sighting{SightingName: name, FirstSeen: first, LastSeen: last}
	switch outcome {
	case classify.Accepted:
		s.FirstAccepted, s.LastAccepted, s.Accepted = first, last, n
	case classify.Failed:
		s.FirstRejected, s.LastRejected, s.Rejected = first, last, n
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
