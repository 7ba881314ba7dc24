package classify

import (
	"fmt"
	"reflect"
	"slices"
)

// FixDisagreement says for which edits the checks that are run again leave other faults than all checks do, "" for none.
func FixDisagreement(e Exchange, h History) string {
	x := examine(&e, h.Held())
	defer x.release()
	x.statusWords()
	rules := allRules()
	x.run(rules[:])
	x.sortFindings()
	var single []Edit
	for i := range x.findings {
		single = append(single, x.findings[i].repairs...)
	}
	for i, first := range single {
		sets := [][]Edit{{first}}
		for _, second := range single[i+1:] {
			sets = append(sets, []Edit{first, second})
		}
		for _, set := range sets {
			if some, all := leftBy(x.failingWith(set)), leftBy(x.failingWithAll(set)); !reflect.DeepEqual(some, all) {
				return fmt.Sprintf("after %v some checks leave %+v, all leave %+v", set, some, all)
			}
		}
	}
	return ""
}

// failingWithAll is failingWith by a whole examination of the edited record.
func (x *examination) failingWithAll(edits []Edit) []finding {
	edited := x.edited(edits)
	y := examine(&edited, x.held)
	defer y.release()
	y.words, y.quiet = words{}, true
	rules := allRules()
	y.run(rules[:])
	y.sortFindings()
	return slices.DeleteFunc(slices.Clone(y.findings), func(f finding) bool { return f.weight != demonstrated })
}

// leftBy is what matters of findings to the search for a fix.
func leftBy(findings []finding) []finding {
	out := append([]finding{}, findings...)
	for i := range out {
		out[i].detail, out[i].reads = "", 0
	}
	return out
}

// Forget lets every answer be heard and every form be read anew.
func (c *Classifier) Forget() { c.hearings, c.forms, c.endpoints = nil, nil, nil }

// KnownAlike is how many failures were like none before.
func KnownAlike(x *FactIndex) int { return len(x.alike.known) }
