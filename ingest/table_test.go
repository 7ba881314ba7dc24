package ingest

import "testing"

func TestTable_EntriesWhoseHashesMeetLiveBesideEachOther(t *testing.T) {
	const slots = 4 * idleFor
	all := newTable[int](slots)
	values := [ways]int{}
	for n := range values {
		values[n] = n
		all.keep(uint64(n)*slots, &values[n])
	}
	for n := range values {
		if found := all.find(uint64(n)*slots, func(v *int) bool { return *v == n }); found != &values[n] {
			t.Errorf("entry %d was pushed out", n)
		}
	}
	if found := all.find(0, func(v *int) bool { return *v == ways }); found != nil {
		t.Errorf("found %d, which is another", *found)
	}
	one := ways
	all.keep(0, &one)
	if found := all.find(0, func(v *int) bool { return *v == ways }); found != &one {
		t.Error("there was no room for the newest")
	}
}

func TestTable_ForgetsWhatNobodyAsksFor(t *testing.T) {
	all := newTable[int](8 * idleFor)
	is := func(wanted int) func(*int) bool { return func(v *int) bool { return *v == wanted } }
	values := make([]int, 2+2*idleFor)
	for n := range values {
		values[n] = n
		all.keep(uint64(n), &values[n])
		switch {
		case all.find(0, is(0)) == nil:
			t.Fatalf("forgot what was asked for, after %d others", n)
		case n >= 1 && n <= idleFor && !holds(&all, 1):
			t.Fatalf("forgot too soon, after %d others", n-1)
		}
	}
	if holds(&all, 1) {
		t.Error("what nobody asks for stays")
	}
}

// holds says whether an entry is in a table, without asking for it.
func holds(all *table[int], value int) bool {
	for n := range all.slots {
		if v := all.slots[n].Load(); v != nil && *v == value {
			return true
		}
	}
	return false
}
