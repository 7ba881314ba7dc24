package ingest

import (
	"hash/maphash"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// cacheSlots bounds each cache. What does not fit is worked out again.
const cacheSlots = 1 << 13

// A cache holds immutable values by the hash of what they were made of.
type cache[T any] struct {
	table[T]
	seed maphash.Seed
}

func newCache[T any]() *cache[T] {
	return &cache[T]{table: newTable[T](cacheSlots), seed: maphash.MakeSeed()}
}

// A knownToken is a decoded token as successes bring it again and again: redacted once, known by its text.
type knownToken struct {
	hash uint64
	text string
	jwt  *classify.JWT
}

// maxKnownToken is how long a token or a request may be to be kept, in bytes.
const maxKnownToken = 4 << 10

// token returns the redacted token of a record's text of it. ok is false when only the whole record can be redacted safely.
func (i *reader) token(r *Redactor, text []byte) (known *knownToken, ok bool) {
	if len(text) > maxKnownToken {
		return nil, false
	}
	hash := maphash.Bytes(i.tokens.seed, text)
	if known = i.tokens.find(hash, func(k *knownToken) bool { return k.text == string(text) }); known != nil {
		return known, true
	}
	value, f := parseValue(text)
	members, isObject := value.(map[string]any)
	if f != nil || !isObject {
		return nil, false
	}
	w := &walk{Redactor: r, side: sideRequest}
	jwt := w.decodedToken(members)
	stored := string(encode(jwt))
	if len(w.found) > 0 || w.shapes(stored) != stored || w.failed {
		return nil, false
	}
	known = &knownToken{hash: hash, text: string(text), jwt: jwt}
	i.tokens.keep(hash, known)
	return known, true
}

// A knownRequest is a token request as a client sends it again and again: redacted once, known by its text.
type knownRequest struct {
	hash    uint64
	text    string
	request classify.Request
	user    string // of a Basic Authorization header
}

// request returns the redacted request of a record's text of it. ok is false when the whole record has to be looked at.
func (i *reader) request(r *Redactor, text []byte) (known *knownRequest, ok bool) {
	if len(text) > maxKnownToken {
		return nil, false
	}
	hash := maphash.Bytes(i.requests.seed, text)
	if known = i.requests.find(hash, func(k *knownRequest) bool { return k.text == string(text) }); known != nil {
		return known, true
	}
	value, f := parseValue(text)
	if f != nil {
		return nil, false
	}
	members := map[string]any{"request": value}
	m := &fields{walk: &walk{Redactor: r}, members: members}
	request := m.request()
	if request == nil || m.fault != nil || len(m.found) > 0 || m.failed {
		return nil, false
	}
	known = &knownRequest{hash: hash, text: string(text), request: *request}
	if isTokenRequest(members) {
		known.user = m.user
	}
	i.requests.keep(hash, known)
	return known, true
}

// A site is whose an accepted exchange was: what traffic is counted by. Nobody asks where a client was accepted.
type site struct {
	provider, environment, client string
}

// site returns the site of an exchange, the same one for the same names as long as it is remembered.
func (i *reader) site(e *classify.Exchange) *site {
	var h maphash.Hash
	h.SetSeed(i.sites.seed)
	for _, s := range [...]string{e.Provider, e.Environment, e.ClientID} {
		h.WriteString(s)
		h.WriteByte(0)
	}
	hash := h.Sum64()
	is := site{provider: e.Provider, environment: e.Environment, client: e.ClientID}
	if p := i.sites.find(hash, func(p *site) bool { return *p == is }); p != nil {
		return p
	}
	p := new(site)
	*p = is
	i.sites.keep(hash, p)
	return p
}

// A KnownFact is a fact of accepted exchanges with what history is known to hold of it. Of nearly all that an exchange says
// others have said the same: only what is new has to be observed.
type KnownFact struct {
	key  classify.Key
	kept time.Duration // how long after its event it matters
	slow int64         // how much later than known it has to be seen to be worth a write, in nanoseconds
	from atomic.Int64  // history knows of an acceptance at this event time or before, in nanoseconds
	to   atomic.Int64  // and at this one or after
}

// knownFact returns what is known of a fact, the same one for the same key as long as it is remembered; nil for one that has to be
// observed each time.
func (i *reader) knownFact(f *classify.Fact) *KnownFact {
	if f.FirstAccepted.IsZero() || f.MaxOffset != 0 || f.Key.Kind == classify.FactJTI || f.Key.Kind == classify.FactClock {
		return nil
	}
	hash := maphash.Comparable(i.facts.seed, f.Key)
	if k := i.facts.find(hash, func(k *KnownFact) bool { return k.key == f.Key }); k != nil {
		return k
	}
	k := &KnownFact{key: f.Key, kept: f.Expires.Sub(f.FirstSeen), slow: int64(store.Resolution(f.Key.Kind))}
	if k.At(f.FirstSeen) != *f {
		return nil
	}
	k.key.Name = strings.Clone(f.Key.Name) // not those of all facts of the exchange
	k.from.Store(math.MaxInt64)
	k.to.Store(math.MinInt64)
	i.facts.keep(hash, k)
	return k
}

// knownFacts are the known of all those facts. ok is false where one has to be observed each time.
func (i *reader) knownFacts(facts []classify.Fact) (known []*KnownFact, ok bool) {
	known = make([]*KnownFact, 0, len(facts))
	for n := range facts {
		k := i.knownFact(&facts[n])
		if k == nil {
			return nil, false
		}
		known = append(known, k)
	}
	return known, true
}

// At is the fact as an exchange at that time says it.
func (k *KnownFact) At(at time.Time) classify.Fact {
	return classify.Fact{Key: k.key, FirstSeen: at, LastSeen: at, FirstAccepted: at, LastAccepted: at, Count: 1, Expires: at.Add(k.kept)}
}

// A span is from the earliest to the latest of some event times.
type span struct{ from, to int64 }

// adds is false for a time that says nothing new beside a span: it was neither earlier, nor so much later that history would note it.
func (k *KnownFact) adds(at int64, to span) bool { return at < to.from || at-to.to >= k.slow }

func (k *KnownFact) span() span { return span{k.from.Load(), k.to.Load()} }

// remember notes facts that are committed. Each end is true by itself, whatever others note at the same time.
func remember(noted map[*KnownFact]span) {
	for k, s := range noted {
		for from := k.from.Load(); s.from < from && !k.from.CompareAndSwap(from, s.from); from = k.from.Load() {
		}
		for to := k.to.Load(); s.to > to && !k.to.CompareAndSwap(to, s.to); to = k.to.Load() {
		}
	}
}

// A knownCall is an accepted call as a client makes it again and again: read once as a whole, known by what it was placed by.
type knownCall struct {
	key   string      // see quickRecord.callKey
	token *knownToken // nil for one without
	site  *site
	seen  seenLook
	facts []*KnownFact
	forms atomic.Int32 // how many were made of it

	isGrant bool // it is none, but a token request
}

// success is such a call once more.
func (k *knownCall) success() success {
	return success{site: k.site, seen: k.seen, shared: k.facts}
}

// callHash is that of a call with a token; nil for one without.
func (i *reader) callHash(key []byte, token *knownToken) uint64 {
	hash := maphash.Bytes(i.calls.seed, key)
	if token != nil {
		hash ^= token.hash
	}
	return hash
}

// findCall returns what is known of a call, nil for nothing; the token is nil for one without.
func (i *reader) findCall(hash uint64, key []byte, token *knownToken) *knownCall {
	return i.calls.find(hash, func(k *knownCall) bool { return k.token == token && k.key == string(key) })
}
