package store

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// anySums are of few incidents, clients, series and facts, so that those of two writes meet in some.
func anySums(random *rand.Rand) *sums {
	s := newSums()
	number := func() int64 { return random.Int64N(3) + 1 }
	for range random.IntN(4) {
		k := clientKey{"provider", "test", string(rune('a' + number()))}
		g := &growth{client: k, count: number(), first: number(), last: number(), endpoints: []EndpointCount{{"/a", number()}, {"/" + string(rune('a'+number())), number()}}}
		s.growth(rowID(number()), k, 0).add(g)
		c := s.client(k)
		c.failures, c.accepted = number(), append(c.accepted, number())
		s.counts.add(series{clientID: k.clientID}, time.UnixMilli(number()*minuteStep), number())
		s.facts = append(s.facts, factList{{factKey{byte(number())}, fact{extent: extent{firstSeen: number(), lastSeen: number()}, count: number()}}})
		s.feed = append(s.feed, feedEntry{FeedFailure, rowID(number())})
	}
	return s
}

// TestSums_Take: what is taken over adds up to the same as what is added.
func TestSums_Take(t *testing.T) {
	for seed := range uint64(300) {
		added, taken := newSums(), newSums()
		for write := range uint64(3) {
			added.add(anySums(rand.New(rand.NewPCG(seed, write))))
			taken.take(anySums(rand.New(rand.NewPCG(seed, write))))
		}
		if !reflect.DeepEqual(taken, added) {
			t.Fatalf("seed %d:\n got %+v\nwant %+v", seed, taken, added)
		}
	}
}
