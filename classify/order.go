package classify

import (
	"cmp"
	"slices"
	"strings"
)

// sortFindings makes the order of the checks immaterial.
func (x *examination) sortFindings() {
	slices.SortFunc(x.findings, func(a, b finding) int {
		if a.weight != b.weight {
			return int(b.weight - a.weight)
		}
		if d := b.trait.rank - a.trait.rank; d != 0 {
			return d
		}
		return cmp.Or(strings.Compare(string(a.cause), string(b.cause)), strings.Compare(a.path, b.path), strings.Compare(a.detail, b.detail))
	})
	if x.unsorted {
		slices.SortFunc(x.checks, compareNotes)
	}
}

func compareNotes(a, b noted) int {
	if a.demand != b.demand {
		return int(a.demand) - int(b.demand)
	}
	return cmp.Or(strings.Compare(a.check.Path, b.check.Path), strings.Compare(a.check.Detail, b.check.Detail))
}
