package classify

import "time"

// A FactKind is one sort of thing that history remembers.
type FactKind string

// The kinds of facts. Name says what Key.Name holds; every fact is also keyed by provider and environment.
const (
	FactJTI      FactKind = "jti"      // a single-use assertion's iss and jti: seen, or accepted
	FactToken    FactKind = "token"    // a token's Fingerprint: accepted
	FactKID      FactKind = "kid"      // client id and kid: accepted
	FactClient   FactKind = "client"   // client id: accepted
	FactIssuer   FactKind = "issuer"   // iss of an accepted token
	FactAudience FactKind = "audience" // aud of an accepted token or assertion, with the phase
	FactClock    FactKind = "clock"    // client id and hour: largest iat − server time (its Date field, else the event time) of assertions
)

// FactKinds is a set of kinds.
type FactKinds uint16

// Has reports whether a kind is in the set. One that is not known here is in every set but the empty one.
func (s FactKinds) Has(kind FactKind) bool { return s&setOf(kind) != 0 }

func setOf(kind FactKind) FactKinds {
	switch kind {
	case FactShape:
		return 1 << 0
	case FactKID:
		return 1 << 1
	case FactAudience:
		return 1 << 2
	case FactClient:
		return 1 << 3
	case FactIssuer:
		return 1 << 4
	case FactToken:
		return 1 << 5
	case FactClock:
		return 1 << 6
	case FactJTI:
		return 1 << 7
	}
	return ^FactKinds(0)
}

// Held is what history holds for one exchange: by keys (History.Held), or by the numbers of those that the exchange asks for
// (FactIndex.Held). The zero value holds nothing.
type Held struct {
	here, anywhere FactKinds // that may be held, by the environment of the keys
	history        History
	index          *FactIndex // nil: look in history
	numbers        []int32
	isHeld         []bool // by number
	facts          NumberedFacts
}

// NumberedFacts are the facts that history holds, by the numbers of their keys.
type NumberedFacts interface{ Fact(number int32) Fact }

// may is false when no such fact is held.
func (h *Held) may(kind FactKind, environment string) bool {
	if environment == anyName {
		return h.anywhere.Has(kind)
	}
	return h.here.Has(kind)
}

// fact is what is held under a key.
func (h *Held) fact(kind FactKind, provider, environment string, name []byte) (f Fact, ok bool) {
	if h.index == nil {
		f, ok = h.history[Key{Kind: kind, Provider: provider, Environment: environment, Name: string(name)}]
		return f, ok
	}
	for _, n := range h.numbers {
		if k := &h.index.keys[n]; k.Kind == kind && k.Name == string(name) && k.Environment == environment && k.Provider == provider {
			if !h.isHeld[n] {
				break
			}
			return h.facts.Fact(n), true
		}
	}
	return Fact{}, false
}

// A Key names one fact. Environments are kept apart so that history can tell "works here, not there".
type Key struct {
	Kind        FactKind
	Provider    string
	Environment string
	Name        string
}

// A Fact is what is known under one Key. Every field merges without regard to order (the earliest, the latest, the
// largest, the sum), so that replicas and late records agree. Times are event times; the zero time means never.
type Fact struct {
	Key             Key
	FirstSeen       time.Time // earliest exchange, accepted or not
	LastSeen        time.Time
	FirstAccepted   time.Time // earliest exchange that the server accepted
	LastAccepted    time.Time
	FirstExchange   string        // record id (or fingerprint) of the exchange at FirstSeen: the same exchange is never reuse
	FirstTokenPrint string        // Fingerprint of the token at FirstSeen, so that a forged token cannot accuse its victim
	MaxOffset       time.Duration // FactClock only
	Count           int64
	Expires         time.Time // after this event time the fact cannot matter any more; zero: keep
}

// Merge returns what is known when both a and b were observed under one Key. It is commutative and associative.
func (a Fact) Merge(b Fact) Fact {
	a.Add(&b)
	return a
}

// Add is Merge into a.
func (a *Fact) Add(b *Fact) {
	if !b.FirstSeen.IsZero() && (a.FirstSeen.IsZero() || b.FirstSeen.Before(a.FirstSeen) ||
		(b.FirstSeen.Equal(a.FirstSeen) && b.FirstExchange < a.FirstExchange)) {
		a.FirstSeen, a.FirstExchange, a.FirstTokenPrint = b.FirstSeen, b.FirstExchange, b.FirstTokenPrint
	}
	a.LastSeen = later(a.LastSeen, b.LastSeen)
	a.FirstAccepted = earlier(a.FirstAccepted, b.FirstAccepted)
	a.LastAccepted = later(a.LastAccepted, b.LastAccepted)
	if a.Count == 0 || (b.Count > 0 && b.MaxOffset > a.MaxOffset) {
		a.MaxOffset = b.MaxOffset
	}
	a.Count += b.Count
	a.Expires = later(a.Expires, b.Expires)
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// History holds the facts that were looked up for one case. It is a value: rules read it and cannot do I/O.
type History map[Key]Fact

// Held is all that h holds.
func (h History) Held() Held {
	if len(h) == 0 {
		return Held{}
	}
	return Held{here: ^FactKinds(0), anywhere: ^FactKinds(0), history: h}
}

// Observe merges facts into h.
func (h History) Observe(facts []Fact) {
	for _, f := range facts {
		if known, ok := h[f.Key]; ok {
			f = known.Merge(f)
		}
		h[f.Key] = f
	}
}
