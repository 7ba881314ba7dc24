package main

import (
	"context"
	"runtime"
	"sync"

	"authwatch/bundle"
	"authwatch/classify"
	"authwatch/ingest"
)

// groupDocuments and groupBytes bound what is handed from one goroutine to another at once: enough to be worth it, little
// enough that a file of any length is read in constant memory.
const (
	groupDocuments = 1024
	groupBytes     = 1 << 20
)

// A group is documents in their order with what was read of them, and why there are no more after them. Its memory goes to a later one.
type group struct {
	room      []byte // for texts
	documents []readDocument
	readings  ingest.Readings
	said      []saying // of each reading
	facts     groupFacts
	err       error

	asked   []int32 // of all that is said, one after the other
	numbers []int32
	own     []classify.Fact
}

// A readDocument is a document with the place of its readings.
type readDocument struct {
	document
	bundle   bool
	from, to int
}

// A saying is what a record asks and says by the numbers of the group's facts.
type saying struct {
	id      metID           // of a failure
	asked   []int32         // of a failure: facts that its judgement may ask for
	facts   []classify.Fact // that it says by itself
	numbers []int32         // of these, and behind them of what others say as well
}

func newGroups() *sync.Pool { return &sync.Pool{New: func() any { return &group{} }} }

// empty leaves the memory.
func (g *group) empty() {
	clear(g.documents)
	clear(g.said)
	clear(g.own)
	g.readings.Empty()
	g.facts.empty()
	*g = group{room: g.room, documents: g.documents[:0], readings: g.readings, said: g.said[:0], facts: g.facts,
		asked: g.asked[:0], numbers: g.numbers[:0], own: g.own[:0]}
}

// fill reads some documents, one at least: standard input may be a log that is being followed. Its error is io.EOF at the end.
func (g *group) fill(from *documentReader) {
	if g.room == nil {
		g.room = make([]byte, 0, groupBytes)
	}
	room := g.room
	for size := 0; len(g.documents) < groupDocuments && size < groupBytes && (size == 0 || !from.pauses()); {
		doc, err := from.next(room)
		if err != nil {
			g.err = err
			return
		}
		size += len(doc.text)
		if len(doc.text) <= cap(room) {
			room = room[len(doc.text):cap(room)]
		}
		g.documents = append(g.documents, readDocument{document: doc})
	}
}

// read reads the documents. Any number of groups can be read at once.
func (g *group) read(reader *ingest.Reader) {
	for n := range g.documents {
		doc := &g.documents[n]
		doc.from = len(g.readings.List)
		doc.bundle = doc.whole && bundle.IsBundle(doc.text)
		if !doc.bundle && !doc.tooLong {
			reader.Read(doc.text, &g.readings)
		}
		doc.to = len(g.readings.List)
	}
	for n := range g.readings.List {
		g.number(&g.readings.List[n])
	}
}

// number notes what a record asks and says.
func (g *group) number(r *ingest.Reading) {
	var s saying
	s.facts = r.Facts
	if r.Outcome == classify.Failed {
		s.id = metIDOf(r.Exchange.Record.ID)
		from := len(g.asked)
		g.asked = g.facts.index.AppendKeys(g.asked, &r.Exchange)
		s.asked = g.asked[from:len(g.asked):len(g.asked)]
		from = len(g.own)
		g.own = g.facts.index.AppendFacts(g.own, &r.Exchange, s.asked)
		s.facts = g.own[from:len(g.own):len(g.own)]
	}
	from := len(g.numbers)
	for n := range s.facts {
		g.numbers = append(g.numbers, g.facts.index.NumberAmong(s.asked, &s.facts[n].Key))
	}
	for _, k := range r.Shared {
		g.numbers = append(g.numbers, g.facts.shared(k, r.Time))
	}
	s.numbers = g.numbers[from:len(g.numbers):len(g.numbers)]
	g.said = append(g.said, s)
}

// readAhead reads documents on all cores and hands them over in their order. It ends after a group with an error, or when ctx does.
func readAhead(ctx context.Context, from *documentReader, groups *sync.Pool, read func(*group)) <-chan chan *group {
	workers := runtime.GOMAXPROCS(0)
	ordered := make(chan chan *group, 2*workers)
	type job struct {
		group *group
		done  chan *group
	}
	jobs := make(chan job)
	for range workers {
		go func() {
			for j := range jobs {
				read(j.group)
				j.done <- j.group
			}
		}()
	}
	go func() {
		defer close(ordered)
		defer close(jobs)
		for {
			j := job{group: groups.Get().(*group), done: make(chan *group, 1)}
			j.group.fill(from)
			end := j.group.err != nil
			for _, give := range []func() bool{
				func() bool { return send(ctx, ordered, j.done) }, func() bool { return send(ctx, jobs, j) },
			} {
				if !give() {
					close(j.done)
					return
				}
			}
			if end {
				return
			}
		}
	}()
	return ordered
}

func send[T any](ctx context.Context, to chan<- T, v T) bool {
	if ctx.Err() != nil {
		return false // there may be room as well
	}
	select {
	case to <- v:
		return true
	case <-ctx.Done():
		return false
	}
}
