package store

import (
	"cmp"
	"context"
	"time"
)

// Traffic is a number of exchanges that the server accepted, all within one minute: the denominator of every share, and
// "last success before".
type Traffic struct {
	Provider    string
	Environment string
	ClientID    string
	Endpoint    string
	Count       int64
	First, Last time.Time // of the events; equal when Count is 1
}

// A clientKey names a client of one provider and environment.
type clientKey struct{ provider, environment, clientID string }

func (k clientKey) compare(other clientKey) int {
	return cmp.Or(cmp.Compare(k.provider, other.provider), cmp.Compare(k.environment, other.environment),
		cmp.Compare(k.clientID, other.clientID))
}

// AddTraffic counts accepted exchanges and moves LastSuccess and FirstSuccess of incidents and clients.
func (t *Tx) AddTraffic(_ context.Context, list []Traffic) error {
	for _, e := range list {
		k := clientKey{keyText(e.Provider), keyText(e.Environment), keyText(e.ClientID)}
		c := t.mine.client(k)
		c.successes += e.Count
		c.accepted = append(c.accepted, toMillis(e.First))
		if !e.Last.Equal(e.First) {
			c.accepted = append(c.accepted, toMillis(e.Last))
		}
		t.mine.counts.add(series{k.provider, k.environment, k.clientID, "", keyText(e.Endpoint)}, e.First, e.Count)
	}
	return nil
}
