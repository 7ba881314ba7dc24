package ingest

import (
	"context"
	"math"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"authwatch/store"
)

// A quota shares what requests in hand cost among the keys. No key gets more of it than it leaves free: one alone may
// take half, a second one half of the rest, so that six noisy keys still leave something to a seventh, and nobody has to
// say in advance how many keys there will be.
type quota struct {
	mu    sync.Mutex
	now   func() time.Time
	rate  float64 // records a second that a key may send unless it has a rate of its own; 0: as many as it can
	slots int     // free
	bytes int     // free
	keys  map[string]*usage

	buffers buffers
}

// A usage is what one key has in hand, and what it may still send.
type usage struct {
	slots, bytes int
	credit       float64   // records that it may send at once; below zero it has to wait
	at           time.Time // of which credit is
}

func newQuota(rate float64, now func() time.Time) *quota {
	return &quota{now: now, rate: rate, slots: maxRequests, bytes: maxBodies, keys: map[string]*usage{}}
}

// burstSeconds is for how long a key that was quiet may send faster than its rate.
const burstSeconds = 10

func (q *quota) rateOf(key store.APIKey) float64 {
	if key.Rate > 0 {
		return float64(key.Rate)
	}
	return q.rate
}

// admit takes a slot for a request of the key. The problem says why it has to come again later.
func (q *quota) admit(key store.APIKey) (*share, *problem) {
	q.mu.Lock()
	defer q.mu.Unlock()
	u := q.usage(key)
	if rate := q.rateOf(key); rate > 0 && u.credit <= 0 {
		return nil, overQuota(int(math.Ceil(1 - u.credit/rate)))
	}
	if u.slots >= q.slots {
		return nil, overloaded()
	}
	u.slots++
	q.slots--
	return &share{quota: q, key: key, usage: u}, nil
}

// usage returns what is known of the key, its credit as it is now.
func (q *quota) usage(key store.APIKey) *usage {
	now, rate := q.now(), q.rateOf(key)
	u, ok := q.keys[key.ID]
	if !ok {
		u = &usage{credit: rate * burstSeconds, at: now}
		q.keys[key.ID] = u
	}
	if passed := now.Sub(u.at).Seconds(); passed > 0 {
		u.credit, u.at = min(u.credit+passed*rate, rate*burstSeconds), now
	}
	return u
}

// A share is what one request holds of the quota. It is used by one goroutine. The zero share is of no quota and without limits.
type share struct {
	quota *quota
	key   store.APIKey
	usage *usage
	bytes int
	lent  [][]byte // see buffer
}

// hold makes the share's bytes n, and is false, with nothing changed, when they are not to be had.
func (s *share) hold(n int) bool {
	q, u := s.quota, s.usage
	if q == nil {
		s.bytes = n
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	more := n - s.bytes
	if more > 0 && u.bytes+more > q.bytes {
		return false
	}
	q.bytes, u.bytes, s.bytes = q.bytes-more, u.bytes+more, n
	return true
}

// charge takes records off the key's credit, once they are known.
func (s *share) charge(records int) {
	s.quota.mu.Lock()
	defer s.quota.mu.Unlock()
	s.usage.credit -= float64(records)
}

// release gives everything back.
func (s *share) release() {
	s.giveAllBack()
	s.hold(0)
	q := s.quota
	q.mu.Lock()
	defer q.mu.Unlock()
	q.slots++
	if s.usage.slots--; s.usage.slots == 0 && q.rateOf(s.key) == 0 {
		delete(q.keys, s.key.ID)
	}
}

type shareKey struct{}

// withShare hands a share on to the protocols that inflate what is inside a body.
func withShare(r *http.Request, s *share) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), shareKey{}, s))
}

// shareOf is the share of a request, or one without limits where it has none.
func shareOf(r *http.Request) *share {
	if s, ok := r.Context().Value(shareKey{}).(*share); ok {
		return s
	}
	return &share{}
}

// overQuota asks a key that sends more than its rate to wait. It is 503 as for any overload: of 429, fluentd, OpenTelemetry
// for Python and Elasticsearch's clients make a loss.
func overQuota(seconds int) *problem {
	return &problem{
		Title: "over the key's rate", Status: http.StatusServiceUnavailable, reason: "over_quota", retryAfter: min(max(seconds, 1), 60),
		Detail: "this key sends more records a second than it may; nothing of this body was stored, send it again later",
	}
}

// A guessGuard counts wrong keys by the network that they come from. A right key is always let in, so that a fleet with one
// wrong configuration among many behind one address goes on.
type guessGuard struct {
	mu       sync.Mutex
	now      func() time.Time
	networks map[netip.Prefix]*usage
}

const (
	guesses       = 30              // wrong keys at once from one network
	guessEvery    = 2 * time.Second // one more
	guessNetworks = 4096            // that are remembered
)

func newGuessGuard(now func() time.Time) *guessGuard {
	return &guessGuard{now: now, networks: map[netip.Prefix]*usage{}}
}

// wrong notes a wrong key and returns how long its network has to wait, 0 while it need not.
func (g *guessGuard) wrong(remote string) time.Duration {
	network := networkOf(remote)
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	u, ok := g.networks[network]
	if !ok {
		g.makeRoom(now)
		u = &usage{credit: guesses, at: now}
		g.networks[network] = u
	}
	u.credit = min(guesses, u.credit+now.Sub(u.at).Seconds()/guessEvery.Seconds())
	u.at = now
	if u.credit < 1 {
		return time.Duration((1 - u.credit) * float64(guessEvery))
	}
	u.credit--
	return 0
}

// WrongKey notes a wrong key from that address (http.Request.RemoteAddr) and says how long whoever is there has to wait; 0: not
// yet. Ingestion counts its own by itself: this is for the other doors of the same server.
func (i *Ingester) WrongKey(remote string) time.Duration { return i.guesses.wrong(remote) }

// makeRoom forgets networks that have no debt any more, and all when that is not enough.
func (g *guessGuard) makeRoom(now time.Time) {
	if len(g.networks) < guessNetworks {
		return
	}
	for network, u := range g.networks {
		if now.Sub(u.at) >= guesses*guessEvery {
			delete(g.networks, network)
		}
	}
	if len(g.networks) >= guessNetworks {
		clear(g.networks)
	}
}

// networkOf is the address, and of IPv6 the /64, which one machine may have to itself.
func networkOf(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := at.Addr().Unmap(), 64
	if addr.Is4() {
		bits = 32
	}
	prefix, _ := addr.WithZone("").Prefix(bits) // of an address of that length: cannot fail
	return prefix
}

func tooManyGuesses(wait time.Duration) *problem {
	return &problem{
		Title: "too many wrong keys", Status: http.StatusTooManyRequests, reason: "too_many_wrong_keys", retryAfter: int(math.Ceil(wait.Seconds())),
		Detail: "many unknown or revoked keys came from this address; a valid key is let in at once",
	}
}
