package ingest

import (
	"hash/maphash"
	"sync/atomic"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// cacheSlots bounds each cache. What does not fit is worked out again.
const cacheSlots = 1 << 13

// A cache holds immutable values by the hash of what they were made of; a newer one takes the slot of an older. It never
// blocks, and forgetting costs only time.
type cache[T any] struct {
	seed  maphash.Seed
	slots [cacheSlots]atomic.Pointer[T]
}

func newCache[T any]() *cache[T] { return &cache[T]{seed: maphash.MakeSeed()} }

func (c *cache[T]) slot(hash uint64) *atomic.Pointer[T] { return &c.slots[hash%cacheSlots] }

// A knownToken is a decoded token as successes bring it again and again: redacted once, known by its text.
type knownToken struct {
	hash uint64
	text string
	jwt  *classify.JWT
}

// maxKnownToken is how long a token or a request may be to be kept, in bytes.
const maxKnownToken = 4 << 10

// token returns the redacted token of a record's text of it. ok is false when only the whole record can be redacted safely.
func (i *Ingester) token(r *Redactor, text []byte) (known *knownToken, ok bool) {
	if len(text) > maxKnownToken {
		return nil, false
	}
	hash := maphash.Bytes(i.tokens.seed, text)
	slot := i.tokens.slot(hash)
	if known = slot.Load(); known != nil && known.text == string(text) {
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
	slot.Store(known)
	return known, true
}

// A knownRequest is a token request as a client sends it again and again: redacted once, known by its text.
type knownRequest struct {
	text    string
	request classify.Request
	user    string // of a Basic Authorization header
}

// request returns the redacted request of a record's text of it. ok is false when the whole record has to be looked at.
func (i *Ingester) request(r *Redactor, text []byte) (known *knownRequest, ok bool) {
	if len(text) > maxKnownToken {
		return nil, false
	}
	slot := i.requests.slot(maphash.Bytes(i.requests.seed, text))
	if known = slot.Load(); known != nil && known.text == string(text) {
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
	known = &knownRequest{text: string(text), request: *request}
	if isTokenRequest(members) {
		known.user = m.user
	}
	slot.Store(known)
	return known, true
}

// A site is whose an accepted exchange was and where: what traffic is counted by.
type site struct {
	hash                                    uint64
	provider, environment, client, endpoint string
}

// site returns the site of an exchange, the same one for the same names as long as it is remembered.
func (i *Ingester) site(e *classify.Exchange) *site {
	var h maphash.Hash
	h.SetSeed(i.sites.seed)
	for _, s := range [...]string{e.Provider, e.Environment, e.ClientID, e.Endpoint} {
		h.WriteString(s)
		h.WriteByte(0)
	}
	hash := h.Sum64()
	slot := i.sites.slot(hash)
	if p := slot.Load(); p != nil && p.provider == e.Provider && p.environment == e.Environment && p.client == e.ClientID && p.endpoint == e.Endpoint {
		return p
	}
	p := &site{hash: hash, provider: e.Provider, environment: e.Environment, client: e.ClientID, endpoint: e.Endpoint}
	slot.Store(p)
	return p
}

// An acceptance is that a token was accepted at a place from one event time to another, and that history knows it.
type acceptance struct {
	site     *site
	token    *knownToken
	from, to time.Time
}

// covers is true for an acceptance at a time that adds nothing to history: it was neither earlier, nor so much later
// that history would note it.
func (a *acceptance) covers(at time.Time) bool {
	return !at.Before(a.from) && at.Sub(a.to) < store.FactResolution
}

func (a *acceptance) with(at time.Time) acceptance {
	out := *a
	if at.Before(out.from) {
		out.from = at
	}
	if at.After(out.to) {
		out.to = at
	}
	return out
}

func acceptanceHash(p *site, t *knownToken) uint64 { return p.hash ^ t.hash<<1 }

// accepted returns what history is known to hold of a token at a place; nil when nothing.
func (i *Ingester) accepted(p *site, t *knownToken) *acceptance {
	a := i.acceptances.slot(acceptanceHash(p, t)).Load()
	if a == nil || a.site != p || a.token != t {
		return nil
	}
	return a
}

// An acceptanceKey names an acceptance within a batch.
type acceptanceKey struct {
	site  *site
	token *knownToken
}

// remember notes acceptances whose facts are committed.
func (i *Ingester) remember(list map[acceptanceKey]acceptance) {
	for _, a := range list {
		if known := i.accepted(a.site, a.token); known != nil {
			a = a.with(known.from)
			a = a.with(known.to)
		}
		i.acceptances.slot(acceptanceHash(a.site, a.token)).Store(&a)
	}
}
