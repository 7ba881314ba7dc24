package store

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"authwatch/classify"
)

// BenchmarkContrasts compares the largest of the incidents of 400 clients, each with ten habits, beside 40,000 failures.
func BenchmarkContrasts(b *testing.B) {
	s, err := Open(b.Context(), Options{DSN: filepath.Join(b.TempDir(), "bench.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	l := newLoad(1)
	for range 80 {
		one := l.batch(1000, 50)
		if err := s.Pack(one.failures); err != nil {
			b.Fatal(err)
		}
		if err := s.Write(b.Context(), one.save); err != nil {
			b.Fatal(err)
		}
	}
	for n := range 400 {
		look := &Look{Provider: "exchange", Environment: "production", ClientID: fmt.Sprintf("harborline-dispatch-%d", n)}
		for _, kind := range habits()[8:] {
			look.Sights = append(look.Sights, accepted(kind, "usual "+string(kind)))
		}
		s.Sight([]Seen{{Look: look, At: noon().Add(time.Duration(n-400) * time.Second).UnixMilli()}})
	}
	if err := s.WriteSightings(b.Context(), true); err != nil {
		b.Fatal(err)
	}
	for more := true; more; {
		if more, err = s.Fold(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	list, _, err := s.ListIncidents(b.Context(), IncidentFilter{Sort: "count", Page: Page{Limit: 1}})
	if err != nil {
		b.Fatal(err)
	}
	known := classify.New(nil, classify.NewKnowledge(nil))
	for name, change := range map[string]func(*Incident){"a client that was accepted": func(*Incident) {}, "a client that was not": func(i *Incident) { i.ClientID = "nobody" }} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				i := list[0]
				change(&i)
				got, err := s.Contrasts(b.Context(), i, known)
				if err != nil || got.Looked != contrastSample {
					b.Fatal(got, err)
				}
			}
		})
	}
}
