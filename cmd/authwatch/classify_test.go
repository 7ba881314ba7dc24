package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

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

// A fact keeps nothing of the line that it was read from, and the first exchange stays the earliest that was met.
func TestMemory_KeepsTheEarliest(t *testing.T) {
	m := newMemory()
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	line := []byte("provider prod name exchange-1 print-1")
	text := unsafe.String(&line[0], len(line))
	key := classify.Key{Kind: classify.FactJTI, Provider: text[:8], Environment: text[9:13], Name: text[14:18]}
	m.observe(at, []classify.Fact{{Key: key, FirstSeen: at, FirstExchange: text[19:29], FirstTokenPrint: text[30:], Count: 1}})
	for i := range line {
		line[i] = 'x'
	}
	key = classify.Key{Kind: classify.FactJTI, Provider: "provider", Environment: "prod", Name: "name"}
	if got := m.lookup([]classify.Key{key})[key]; got.FirstExchange != "exchange-1" || got.FirstTokenPrint != "print-1" || got.Key != key {
		t.Errorf("the fact changed with the line: %+v", got)
	}
	m.observe(at, []classify.Fact{{Key: key, FirstSeen: at.Add(time.Second), FirstExchange: "later", Count: 1}})
	m.observe(at, []classify.Fact{{Key: key, FirstSeen: at.Add(-time.Second), FirstExchange: "earlier", FirstTokenPrint: "print-0", Count: 1}})
	if got := m.lookup([]classify.Key{key})[key]; got.FirstExchange != "earlier" || got.FirstTokenPrint != "print-0" || got.Count != 3 {
		t.Errorf("after others: %+v", got)
	}
}

// Of the failures of a long file the last million at least are known again.
func TestMetSet(t *testing.T) {
	var s metSet
	for n := range 2_000_001 {
		if !s.add(metIDOf(strconv.Itoa(n))) {
			t.Fatalf("%d is taken for another", n)
		}
	}
	for _, n := range []int{2_000_000, 1_999_999, 1_000_001} {
		if s.add(metIDOf(strconv.Itoa(n))) {
			t.Errorf("%d is not known again", n)
		}
	}
	if n := len(s.recent) + len(s.before); n > 2_000_000 {
		t.Errorf("%d are remembered", n)
	}
}

// Documents are read on all cores, and judged in their order all the same.
func TestReadAhead_KeepsTheOrder(t *testing.T) {
	var text strings.Builder
	const lines = 5*groupDocuments + 7
	for n := range lines {
		fmt.Fprintf(&text, "{\"n\":%d}\n", n)
	}
	var read atomic.Int64
	groups := readAhead(t.Context(), newDocumentReader(strings.NewReader(text.String())), newGroups(), func(g *group) {
		for n := range g.documents {
			if g.documents[n].line%3 == 0 {
				runtime.Gosched()
			}
			read.Add(1)
			g.documents[n].to = g.documents[n].line
		}
	})
	line := 0
	var last error
	for group := range groups {
		g := <-group
		for _, doc := range g.documents {
			line++
			if want := fmt.Sprintf("{\"n\":%d}\n", line-1); doc.line != line || doc.to != line || string(doc.text) != want {
				t.Fatalf("line %d with %d records comes as number %d: %s", doc.line, doc.to, line, doc.text)
			}
		}
		last = g.err
	}
	if line != lines || read.Load() != lines || !errors.Is(last, io.EOF) {
		t.Errorf("%d of %d lines, %d read, %v", line, lines, read.Load(), last)
	}
}

// Whoever stops listening ends the reading.
func TestReadAhead_Ends(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	endless := io.MultiReader(strings.NewReader("{}\n"), neverEnding("{\"a\":1}\n"))
	groups := readAhead(ctx, newDocumentReader(endless), newGroups(), func(*group) {})
	<-groups
	stop()
	for range groups {
	}
}

// Nothing is sent for who has stopped listening, though there is room; nor does a pause end as if nobody had.
func TestEndedContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for range 100 {
		if send(ctx, make(chan int, 1), 1) {
			t.Fatal("sent")
		}
		if err := sleep(ctx, 0); !errors.Is(err, context.Canceled) {
			t.Fatalf("slept: %v", err)
		}
	}
}

// neverEnding repeats its text.
type neverEnding string

func (n neverEnding) Read(b []byte) (int, error) { return copy(b, n), nil }
