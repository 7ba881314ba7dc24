package ingest

import (
	"slices"

	"authwatch/classify"
)

// An inquiry is what of history the failures of a batch depend on, and where what the batch itself says is noted.
type inquiry struct {
	index    classify.FactIndex // of all keys that the batch names; those that are asked for come first
	asked    int32              // how many those are
	failures int
	own      []int32 // of the failures, one after the other
	isHeld   []bool  // by number, of those that are asked for: whether history may hold it
	noted    []int32 // by number: 1 + where in the facts of the batch a key is, 0 for nowhere
}

// keys are those that are asked for.
func (q *inquiry) keys() []classify.Key { return q.index.Keys()[:q.asked] }

// ask names the facts that the judgement of the failures in a list depends on, and notes for each which are its own.
func (q *inquiry) ask(list []placed) {
	for n := range list {
		p := &list[n]
		if p.exchange.Outcome != classify.Failed {
			continue
		}
		q.failures++
		from := len(q.own)
		q.own = q.index.AppendKeys(q.own, &p.exchange)
		p.keys = q.own[from:len(q.own):len(q.own)]
	}
	q.asked = int32(len(q.index.Keys()))
}

// note says where in the facts of the batch a key is, which may be one of those, or notes that it will be at that end of them.
func (q *inquiry) note(k *classify.Key, among []int32, end int) (at int, known bool) {
	number := q.index.NumberAmong(among, k)
	for int(number) >= len(q.noted) {
		q.noted = append(q.noted, 0)
	}
	if at, known = q.place(number); known {
		return at, true
	}
	q.noted[number] = int32(end) + 1
	if number < q.asked {
		q.isHeld[number] = true // from now on
	}
	return end, false
}

// place is where in the facts of the batch the key of a number is.
func (q *inquiry) place(number int32) (at int, known bool) {
	if int(number) >= len(q.noted) {
		return 0, false
	}
	at = int(q.noted[number]) - 1
	return at, at >= 0
}

// hold notes which keys history holds.
func (q *inquiry) hold(holds func(n int) bool) {
	q.isHeld = slices.Grow(q.isHeld, int(q.asked))[:q.asked]
	for n := range q.isHeld {
		q.isHeld[n] = holds(n)
	}
}

// empty leaves the memory.
func (q *inquiry) empty() {
	q.index.Reset()
	*q = inquiry{index: q.index, own: q.own[:0], isHeld: q.isHeld[:0], noted: emptied(q.noted)}
}
