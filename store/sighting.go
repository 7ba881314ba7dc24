package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"maps"
	"slices"
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

// Occasions count exchanges from the first to the last of them, in Unix milliseconds of their events.
type occasions struct{ count, first, last int64 }

func (s *occasions) merge(other occasions) {
	if other.count == 0 {
		return
	}
	if s.count == 0 || other.first < s.first {
		s.first = other.first
	}
	s.last = max(s.last, other.last)
	s.count += other.count
}

// A lookTally counts the exchanges of one look that are not written yet.
type lookTally struct {
	occasions
	margins [10]int64 // uses of a token by classify.MarginClass
}

func (t *lookTally) add(s *Seen) {
	t.merge(occasions{1, s.At, s.At})
	if s.Expires != 0 {
		t.margins[classify.MarginClass(s.Expires-s.At/1000)]++
	}
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

// marginNames are the values of the sightings of classify.SightExpiryMargin: the upper bound of each class in seconds, and
// "more" for what is beyond the last.
func marginNames() []string {
	var names []string
	for _, bound := range classify.MarginClasses() {
		names = append(names, time.Duration(bound*int64(time.Second)).String())
	}
	return append(names, "more")
}

// A sightKey stands for a SightingName in the database. The keys of one client begin alike, and so do those of one
// environment: what is written together then lies together, in the table and in its indexes.
type sightKey [16]byte

func (n *SightingName) key() (key sightKey) {
	var room [512]byte
	b := appendTexts(room[:0], n.Provider, n.Environment)
	binary.BigEndian.PutUint16(key[:], uint16(crc32.ChecksumIEEE(b)))
	b = appendTexts(b, n.ClientID)
	binary.BigEndian.PutUint32(key[2:], crc32.ChecksumIEEE(b))
	b = appendTexts(b, string(n.Kind), n.Owner, n.Host, n.Value)
	sum := sha256.Sum256(b)
	copy(key[6:], sum[:])
	return key
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, text := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}

func (n *SightingName) client() clientKey { return clientKey{n.Provider, n.Environment, n.ClientID} }

// A sightRow is what is to be added to one sighting.
type sightRow struct {
	key sightKey
	SightingName
	accepted, rejected, other occasions
}

func (r *sightRow) of(outcome classify.Outcome) *occasions {
	switch outcome {
	case classify.Accepted:
		return &r.accepted
	case classify.Failed:
		return &r.rejected
	}
	return &r.other
}

func (r *sightRow) merge(other *sightRow) {
	r.accepted.merge(other.accepted)
	r.rejected.merge(other.rejected)
	r.other.merge(other.other)
}

func (r *sightRow) seen() (all occasions) {
	all.merge(r.accepted)
	all.merge(r.rejected)
	all.merge(r.other)
	return all
}

// sightRows are rows by their keys.
type sightRows map[sightKey]*sightRow

// at is the row of a name.
func (all sightRows) at(name *SightingName) *sightRow {
	key := name.key()
	row := all[key]
	if row == nil {
		row = &sightRow{key: key, SightingName: *name}
		all[key] = row
	}
	return row
}

// add merges a row into that of the same name, and leaves both as they are: the write that they are for may be tried again.
func (all sightRows) add(row *sightRow) {
	if was := all[row.key]; was != nil {
		sum := *row
		sum.merge(was)
		row = &sum
	}
	all[row.key] = row
}

// sorted are the rows in the order of the table.
func (all sightRows) sorted() []*sightRow {
	return slices.SortedFunc(maps.Values(all), func(a, b *sightRow) int { return bytes.Compare(a.key[:], b.key[:]) })
}

// A dueLook is a look with what is to be written of it.
type dueLook struct {
	*Look
	tally lookTally
}

// sightingsOf are what looks come to.
func sightingsOf(looks []dueLook) sightRows {
	out := sightRows{}
	margins := marginNames()
	for _, l := range looks {
		name := SightingName{Provider: keyText(l.Provider), Environment: keyText(l.Environment), ClientID: keyText(l.ClientID)}
		for _, s := range l.Sights {
			one := name
			one.Kind, one.Owner, one.Host, one.Value = s.Kind, keyText(s.Owner), keyText(s.Host), keyText(s.Value)
			if s.Kind == classify.SightWording {
				one.ClientID = ""
			}
			out.at(&one).of(s.Outcome).merge(l.tally.occasions)
		}
		outcome := l.outcome()
		for class, n := range l.tally.margins {
			if n > 0 {
				name.Kind, name.Value = classify.SightExpiryMargin, margins[class]
				out.at(&name).of(outcome).merge(occasions{n, l.tally.first, l.tally.last})
			}
		}
	}
	return out
}
