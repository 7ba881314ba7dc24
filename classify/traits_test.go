package classify

import (
	"slices"
	"testing"
)

// Every cause has its row, once; what it is plainly about is one of its symptoms, and its group is one that a profile may name.
func TestTraits(t *testing.T) {
	table := newTraits()
	if len(table) != len(traits()) {
		t.Errorf("%d rows for %d causes", len(traits()), len(table))
	}
	for _, row := range Catalogue() {
		trait, ok := table[row.Code]
		if !ok {
			t.Errorf("%s has no row", row.Code)
		}
		if trait.symptoms != 0 && trait.usual&trait.symptoms == 0 {
			t.Errorf("%s is not reported as what it is about", row.Code)
		}
		if trait.group != "" && !slices.Contains(CheckGroups(), trait.group) {
			t.Errorf("%s is in the group %s, which no profile knows", row.Code, trait.group)
		}
	}
}
