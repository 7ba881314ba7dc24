package bundle

import (
	"cmp"
	"slices"
	"time"

	"authwatch/classify"
)

// A Fact is classify.Fact in JSON.
type Fact struct {
	Kind            classify.FactKind `json:"kind"`
	Provider        string            `json:"provider,omitempty"`
	Environment     string            `json:"environment,omitempty"`
	Name            string            `json:"name"`
	FirstSeen       time.Time         `json:"first_seen,omitzero"`
	LastSeen        time.Time         `json:"last_seen,omitzero"`
	FirstAccepted   time.Time         `json:"first_accepted,omitzero"`
	LastAccepted    time.Time         `json:"last_accepted,omitzero"`
	FirstExchange   string            `json:"first_exchange,omitempty"`
	FirstTokenPrint string            `json:"first_token_print,omitempty"`
	MaxOffset       time.Duration     `json:"max_offset_ns,omitempty"`
	Count           int64             `json:"count,omitempty"`
}

func factsOf(h classify.History) []Fact {
	out := make([]Fact, 0, len(h))
	for k, f := range h {
		out = append(out, factOf(k, f))
	}
	slices.SortFunc(out, func(a, b Fact) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func factOf(k classify.Key, f classify.Fact) Fact {
	return Fact{Kind: k.Kind, Provider: k.Provider, Environment: k.Environment, Name: k.Name, FirstSeen: f.FirstSeen, LastSeen: f.LastSeen,
		FirstAccepted: f.FirstAccepted, LastAccepted: f.LastAccepted, FirstExchange: f.FirstExchange, FirstTokenPrint: f.FirstTokenPrint,
		MaxOffset: f.MaxOffset, Count: f.Count}
}

func (f Fact) key() classify.Key {
	return classify.Key{Kind: f.Kind, Provider: f.Provider, Environment: f.Environment, Name: f.Name}
}

// history is the facts as the classifier takes them.
func (b Bundle) history() classify.History {
	h := classify.History{}
	for _, f := range b.History {
		h[f.key()] = classify.Fact{Key: f.key(), FirstSeen: f.FirstSeen, LastSeen: f.LastSeen, FirstAccepted: f.FirstAccepted, LastAccepted: f.LastAccepted,
			FirstExchange: f.FirstExchange, FirstTokenPrint: f.FirstTokenPrint, MaxOffset: f.MaxOffset, Count: f.Count}
	}
	return h
}
