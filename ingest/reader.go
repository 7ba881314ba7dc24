package ingest

import (
	"sync"
	"time"

	"authwatch/classify"
)

// A reader reads records, and remembers what it made of the last ones. It is safe for concurrent use.
type reader struct {
	classifier *classify.Classifier
	redactor   *Redactor

	quick    *sync.Pool // of quickRecord
	tokens   *cache[knownToken]
	requests *cache[knownRequest]
	sites    *cache[site]
	looks    *cache[knownLook] // nil: nobody asks what clients show
	calls    *cache[knownCall]
	facts    *cache[KnownFact]
	grants   *cache[knownGrant]
	forms    *forms
	layouts  *layouts
	alike    *classify.Alike
	late     *lateTokens // nil: no token comes apart
}

func newReader(profiles classify.Profiles, documented *classify.Knowledge, redactor *Redactor) reader {
	return reader{
		classifier: classify.New(profiles, documented), redactor: redactor,
		quick: newQuickRecords(), tokens: newCache[knownToken](), requests: newCache[knownRequest](), sites: newCache[site](),
		calls: newCache[knownCall](), facts: newCache[KnownFact](), grants: newCache[knownGrant](), forms: newForms(), layouts: newLayouts(), alike: classify.NewAlike(profiles),
	}
}

// decode reads one part of a body, in the quickest way that comes to the same.
func (i *reader) decode(b *batch, p part, e endpoint) (decoded, *fault) {
	switch {
	case !e.quick || p.raw == nil || p.fault != nil:
		return e.read(b.redactor, p)
	case p.outline != nil:
		if d, ok := i.quickSuccess(b, p); ok {
			return d, nil
		}
		if p.outline.isNative() {
			return e.read(b.redactor, p)
		}
	}
	return i.decodeLine(b, p, e)
}

// A Reader reads what Decode does for who only asks what it says of authentication: in the quick ways of the server, which build
// nothing of a plain success. It is safe for concurrent use.
type Reader struct{ reader }

// NewReader places records by profiles; without documented texts servers' words are left to the lexicon.
func NewReader(profiles classify.Profiles, documented *classify.Knowledge, redactor *Redactor) *Reader {
	return &Reader{newReader(profiles, documented, redactor)}
}

// A Reading is what one record says of authentication.
type Reading struct {
	Index    int          // of the record in its body
	Bad      *RecordError // why there is nothing else; nil for a record that was read
	Time     time.Time    // of the event
	Outcome  classify.Outcome
	Exchange classify.Exchange // of a failure
	Facts    []classify.Fact   // of an accepted exchange: what it says by itself
	Shared   []*KnownFact      // and what others say as well
}

// Readings are those of some bodies, in memory that the next use again.
type Readings struct {
	List []Reading

	splitter splitter
	facts    []classify.Fact
	room     *batchRoom
}

// Empty gives up the readings, whose exchanges and facts are not to be used any more.
func (l *Readings) Empty() {
	if l.room != nil {
		l.room.empty(nil)
	}
	l.List, l.facts, l.splitter.body = emptied(l.List), emptied(l.facts), nil
}

// Read appends what the records of a body say, in their order. The body is not needed any more then.
func (r *Reader) Read(body []byte, to *Readings) {
	if to.room == nil {
		to.room = newBatchRoom()
	}
	s := &to.splitter
	s.begin(body)
	s.forms = r.forms
	in, e := batch{redactor: r.redactor}, endpoint{quick: true, read: (*Redactor).decodeAny}
	for index := 0; ; index++ {
		p, more := s.next()
		if !more {
			return
		}
		p.room = to.room
		d, f := r.decode(&in, p, e)
		if f != nil {
			bad := f.at(index)
			to.List = append(to.List, Reading{Index: index, Bad: &bad})
			continue
		}
		to.List = append(to.List, Reading{Index: index, Time: d.at})
		r.say(&d, to)
	}
}

// say fills in the last reading.
func (r *Reader) say(d *decoded, to *Readings) {
	last := &to.List[len(to.List)-1]
	if d.record == nil {
		last.Outcome, last.Facts, last.Shared = classify.Other, d.success.facts, d.success.shared
		if d.success.site != nil {
			last.Outcome = classify.Accepted
		}
		return
	}
	e := r.classifier.Locate(d.record)
	last.Outcome = e.Outcome
	if e.Outcome == classify.Failed {
		last.Exchange = e
		return
	}
	from := len(to.facts)
	to.facts = e.AppendFacts(to.facts)
	last.Facts = to.facts[from:len(to.facts):len(to.facts)]
}
