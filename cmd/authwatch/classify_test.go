package main

import (
	"strconv"
	"testing"
	"time"

	"authwatch/classify"
)

// A file of any length must not fill the machine: facts that have expired are forgotten, the others never.
func TestMemory_ForgetsWhatCannotMatter(t *testing.T) {
	m := newMemory()
	start := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	kept := classify.Key{Kind: classify.FactClient, Name: "client"}
	m.observe(start, []classify.Fact{{Key: kept, FirstSeen: start, Count: 1}})
	for i := range 300_000 {
		at := start.Add(time.Duration(i) * time.Second)
		m.observe(at, []classify.Fact{{
			Key: classify.Key{Kind: classify.FactJTI, Name: strconv.Itoa(i)}, FirstSeen: at, Count: 1, Expires: at.Add(10 * time.Minute),
		}})
	}
	if n := len(m.facts); n > 150_000 {
		t.Errorf("%d facts are held", n)
	}
	if len(m.lookup([]classify.Key{kept})) != 1 {
		t.Error("a fact without an end was forgotten")
	}
	recent := classify.Key{Kind: classify.FactJTI, Name: "299999"}
	if len(m.lookup([]classify.Key{recent})) != 1 {
		t.Error("a recent fact was forgotten")
	}
}
