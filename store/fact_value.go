package store

import (
	"bytes"
	"slices"
	"sort"
	"time"

	"authwatch/classify"
)

// A fact is a classify.Fact without its key, in a third of the memory: tens of thousands are held. Times are in milliseconds, 0 is never.
// The zero fact is one that is known to be absent.
type fact struct {
	extent
	expires         int64
	maxOffset       int64 // nanoseconds
	count           int64
	firstExchange   string
	firstTokenPrint string
}

// An extent is as much of an accepted fact as says whether another one is news.
type extent struct{ firstSeen, firstAccepted, lastSeen, lastAccepted int64 }

// factOf is exact to the millisecond, so that facts merge here by the same times as in the database.
func factOf(f *classify.Fact) fact {
	return fact{
		extent:  extent{toMillis(f.FirstSeen), toMillis(f.FirstAccepted), toMillis(f.LastSeen), toMillis(f.LastAccepted)},
		expires: toMillis(f.Expires), maxOffset: int64(f.MaxOffset), count: f.Count, firstExchange: f.FirstExchange, firstTokenPrint: f.FirstTokenPrint,
	}
}

// under is the fact under its key.
func (f *fact) under(k classify.Key) classify.Fact {
	return classify.Fact{
		Key: k, FirstSeen: fromMillis(f.firstSeen), LastSeen: fromMillis(f.lastSeen), FirstAccepted: fromMillis(f.firstAccepted), LastAccepted: fromMillis(f.lastAccepted),
		FirstExchange: f.firstExchange, FirstTokenPrint: f.firstTokenPrint, MaxOffset: time.Duration(f.maxOffset), Count: f.count, Expires: fromMillis(f.expires),
	}
}

// isAbsent reports whether nothing is known.
func (f *fact) isAbsent() bool { return f.extent == extent{} && f.count|f.expires|f.maxOffset == 0 }

// merge is classify.Fact.Merge.
func (f fact) merge(other fact) fact {
	if other.firstSeen != 0 && (f.firstSeen == 0 || other.firstSeen < f.firstSeen || other.firstSeen == f.firstSeen && other.firstExchange < f.firstExchange) {
		f.firstExchange, f.firstTokenPrint = other.firstExchange, other.firstTokenPrint
	}
	if f.count == 0 || other.count > 0 && other.maxOffset > f.maxOffset {
		f.maxOffset = other.maxOffset
	}
	f.extent = f.extent.merge(other.extent)
	f.count += other.count
	f.expires = latest(f.expires, other.expires)
	return f
}

// merge widens an extent.
func (s extent) merge(other extent) extent {
	return extent{earliest(s.firstSeen, other.firstSeen), earliest(s.firstAccepted, other.firstAccepted),
		latest(s.lastSeen, other.lastSeen), latest(s.lastAccepted, other.lastAccepted)}
}

// saysMore reports whether two facts of one key differ in more than how often and how lately it was seen.
func (f *fact) saysMore(than *fact) bool {
	return f.firstSeen != than.firstSeen || f.firstAccepted != than.firstAccepted || f.maxOffset != than.maxOffset ||
		f.firstExchange != than.firstExchange || f.firstTokenPrint != than.firstTokenPrint || (f.count == 0) != (than.count == 0)
}

// An Observation is a fact as it is kept, with the digest that stands for its key.
type Observation struct {
	key factKey
	fact
}

// A factList is facts in the order of their keys, each key once.
type factList []Observation

// inOrder sorts facts and merges those of one key.
func inOrder(list []Observation) factList {
	slices.SortFunc(list, func(a, b Observation) int { return bytes.Compare(a.key[:], b.key[:]) })
	merged := list[:0]
	for i := range list {
		if n := len(merged) - 1; n >= 0 && merged[n].key == list[i].key {
			merged[n].fact = merged[n].merge(list[i].fact)
		} else {
			merged = append(merged, list[i])
		}
	}
	return merged
}

// from is where the keys begin that are not before one.
func (l factList) from(k []byte) int {
	return sort.Search(len(l), func(i int) bool { return bytes.Compare(l[i].key[:], k) >= 0 })
}

// factLists are the facts of several writes.
type factLists []factList

// mergedWith merges a fact with those of its key, and says whether there are any.
func (l factLists) mergedWith(k factKey, f fact) (sum fact, found bool) {
	for _, list := range l {
		if i := list.from(k[:]); i < len(list) && list[i].key == k {
			f, found = f.merge(list[i].fact), true
		}
	}
	return f, found
}

func (l factLists) size() (n int) {
	for _, list := range l {
		n += len(list)
	}
	return n
}
