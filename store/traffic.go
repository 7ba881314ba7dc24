package store

import (
	"cmp"
	"context"
	"time"
)

// Traffic is a number of exchanges of one client that the server accepted, all within one minute: the denominator of every
// share, and "last success before".
type Traffic struct {
	Provider    string
	Environment string
	ClientID    string
	Count       int64
	First, Last time.Time // of the events; equal when Count is 1
}

// A clientKey names a client of one provider and environment.
type clientKey struct{ provider, environment, clientID string }

func (k clientKey) compare(other clientKey) int {
	return cmp.Or(cmp.Compare(k.provider, other.provider), cmp.Compare(k.environment, other.environment),
		cmp.Compare(k.clientID, other.clientID))
}

// AddTraffic counts accepted exchanges and moves LastSuccess and FirstSuccess of incidents and clients. What is of one client
// costs least when it lies together.
func (t *Tx) AddTraffic(_ context.Context, list []Traffic) error {
	var c *clientFigures
	var counts *minuteCounts
	for n := range list {
		e := &list[n]
		if n == 0 || e.client() != list[n-1].client() {
			k := clientKey{keyText(e.Provider), keyText(e.Environment), keyText(e.ClientID)}
			c, counts = t.mine.client(k), t.mine.counts.of(series{provider: k.provider, environment: k.environment, clientID: k.clientID})
		}
		c.successes += e.Count
		first, last := toMillis(e.First), toMillis(e.Last)
		c.accepted = append(c.accepted, first)
		if last != first {
			c.accepted = append(c.accepted, last)
		}
		counts.add(minuteOf(first), e.Count)
	}
	return nil
}

func (e *Traffic) client() clientKey { return clientKey{e.Provider, e.Environment, e.ClientID} }
