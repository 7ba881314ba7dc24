package store

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"authwatch/classify"
)

// TestGrouping: every failure is in the one cell of its series, in the order of the list, and the cells are in order; whatever
// lists came before.
func TestGrouping(t *testing.T) {
	var g grouping
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		list := make([]Failure, random.IntN(60))
		want := map[series][]*Failure{}
		for i := range list {
			f := &list[i]
			f.Endpoint = fmt.Sprint("/", random.IntN(3))
			f.Verdict = classify.Verdict{Provider: fmt.Sprint(random.IntN(2)), Environment: fmt.Sprint(random.IntN(2)),
				ClientID: fmt.Sprint(random.IntN(3)), Cause: classify.Code(fmt.Sprint(random.IntN(2)))}
			want[f.series()] = append(want[f.series()], f)
		}
		cells := g.group(list)
		got := map[series][]*Failure{}
		for i := range cells {
			got[cells[i].series] = cells[i].failures
		}
		if !reflect.DeepEqual(got, want) || len(cells) != len(want) {
			t.Fatalf("seed %d: got %v, want %v", seed, got, want)
		}
		if !slices.IsSortedFunc(cells, func(a, b cell) int { return a.compare(&b.series) }) {
			t.Fatalf("seed %d: cells are not in order", seed)
		}
		keys := map[episodeKey]int{}
		for k, some := range byEpisode(cells) {
			keys[k]++
			for i := range some {
				if some[i].failures[0].episodeKey() != k || keys[k] > 1 {
					t.Fatalf("seed %d: %v is not of %v alone", seed, some[i].series, k)
				}
			}
		}
		g.empty()
	}
}

// TestGrouping_Room: the room of an ordinary list is kept, that of a list in which nothing is alike is not.
func TestGrouping_Room(t *testing.T) {
	var g grouping
	list := make([]Failure, groupingKept+1)
	for i := range list {
		list[i].Endpoint = fmt.Sprint(i)
	}
	for _, c := range []struct {
		cells int
		kept  bool
	}{{groupingKept, true}, {groupingKept + 1, false}} {
		g.group(list[:c.cells])
		if g.empty(); cap(g.cells) > 0 != c.kept {
			t.Errorf("room for %d cells after %d", cap(g.cells), c.cells)
		}
	}
}

func TestMergeEndpoints(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 2))
		want := map[string]int64{}
		some := func() (list []EndpointCount) {
			for i := range 6 {
				if n := random.Int64N(3); n > 0 {
					list = append(list, EndpointCount{fmt.Sprint("/", i), n})
					want[list[len(list)-1].Endpoint] += n
				}
			}
			return list
		}
		a, b := some(), some()
		beforeA, beforeB := slices.Clone(a), slices.Clone(b)
		got := map[string]int64{}
		sum := mergeEndpoints(a, b)
		for _, one := range sum {
			got[one.Endpoint] = one.Count
		}
		if !reflect.DeepEqual(got, want) || len(sum) != len(want) || !slices.Equal(a, beforeA) || !slices.Equal(b, beforeB) {
			t.Fatalf("seed %d: got %v of %v and %v", seed, sum, beforeA, beforeB)
		}
	}
}
