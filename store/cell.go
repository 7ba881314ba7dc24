package store

import (
	"iter"
	"slices"
	"strings"

	"authwatch/classify"
)

// A cell is those failures of a list that are counted as one series, in the order of the list.
type cell struct {
	series
	failures []*Failure
	number   int32 // of the order in which cells were met
	size     int32
}

// A grouping makes the cells of a list, which are good until it is asked for those of the next one.
type grouping struct {
	numbers map[series]int32
	cells   []cell
	of      []int32 // the number of each failure's cell
	ends    []int32 // of the cells by number
}

// groupingKept is how many cells' room is worth keeping.
const groupingKept = 1 << 13

// group puts failures into cells: those of one client lie together, in it those of one cause.
func (g *grouping) group(list []Failure) []cell {
	g.empty()
	for i := range list {
		s := list[i].series()
		n, known := g.numbers[s]
		if !known {
			n = int32(len(g.cells))
			g.numbers[s] = n
			g.cells = append(g.cells, cell{series: s, number: n})
		}
		g.cells[n].size++
		g.of = append(g.of, n)
	}
	slices.SortFunc(g.cells, func(a, b cell) int { return a.compare(&b.series) })
	order := make([]*Failure, len(list))
	g.ends = slices.Grow(g.ends[:0], len(g.cells))[:len(g.cells)]
	begin := int32(0)
	for i := range g.cells {
		c := &g.cells[i]
		c.failures = order[begin : begin+c.size : begin+c.size]
		g.ends[c.number] = begin
		begin += c.size
	}
	for i, n := range g.of {
		order[g.ends[n]] = &list[i]
		g.ends[n]++
	}
	return g.cells
}

// empty keeps the room and nothing of what was in it.
func (g *grouping) empty() {
	if g.numbers == nil || len(g.cells) > groupingKept {
		*g = grouping{numbers: map[series]int32{}}
	}
	clear(g.numbers)
	clear(g.cells)
	g.cells, g.of = g.cells[:0], g.of[:0]
}

// compare puts clients in one order, for the locks of replicas.
func (s *series) compare(other *series) int {
	switch {
	case s.provider != other.provider:
		return strings.Compare(s.provider, other.provider)
	case s.environment != other.environment:
		return strings.Compare(s.environment, other.environment)
	case s.clientID != other.clientID:
		return strings.Compare(s.clientID, other.clientID)
	case s.cause != other.cause:
		return strings.Compare(s.cause, other.cause)
	}
	return strings.Compare(s.endpoint, other.endpoint)
}

func (s *series) episodeKey() episodeKey {
	return episodeKey{s.provider, s.environment, s.clientID, classify.Code(s.cause)}
}

// byEpisode yields the cells of each key.
func byEpisode(cells []cell) iter.Seq2[episodeKey, []cell] {
	return func(yield func(episodeKey, []cell) bool) {
		for len(cells) > 0 {
			k := cells[0].episodeKey()
			n := 1
			for n < len(cells) && cells[n].episodeKey() == k {
				n++
			}
			if !yield(k, cells[:n]) {
				return
			}
			cells = cells[n:]
		}
	}
}
