package store

import (
	"cmp"
	"context"
	"fmt"
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

// writeSuccesses keeps in which minutes clients were accepted.
func (t *Tx) writeSuccesses(ctx context.Context, keys []clientKey, all map[clientKey]*clientFigures, rows map[clientKey]clientRow) error {
	var minutes []any
	for _, k := range keys {
		if k.clientID == "" {
			continue // of many clients: nobody asks when
		}
		for rest := all[k].accepted; len(rest) > 0; {
			minute := floorTo(rest[0], minuteStep)
			n := 1
			for n < len(rest) && rest[n] < minute+minuteStep {
				n++
			}
			minutes = append(minutes, rows[k].ref, minute, rest[0], rest[n-1])
			rest = rest[n:]
		}
	}
	err := t.execRows(ctx, `insert into success (client_ref, minute, first_at, last_at) values `, 4, `
		on conflict (client_ref, minute) do update set
			first_at = case when excluded.first_at < success.first_at then excluded.first_at else success.first_at end,
			last_at = case when excluded.last_at > success.last_at then excluded.last_at else success.last_at end`, minutes)
	if err != nil {
		return fmt.Errorf("keep successes: %w", err)
	}
	return nil
}
