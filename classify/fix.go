package classify

import "slices"

// maxEdits is the largest set of edits that is searched.
const maxEdits = 3

// fix finds the smallest change of the record that makes every runnable check pass, and says what people have to do.
func (x *examination) fix(j judgement, row Cause) Fix {
	f := Fix{Steps: x.steps(row)}
	for i := range x.checks {
		if c := &x.checks[i]; c.Result == NotCheckable && !slices.Contains(f.NotCheckable, c.Check) {
			f.NotCheckable = append(f.NotCheckable, c.Check)
		}
	}
	if j.finding == nil || len(j.finding.repairs) == 0 {
		return f
	}
	f.Edits, f.Verified = x.search(j.finding)
	return f
}

// steps are the catalogue's, the provider's own first.
func (x *examination) steps(row Cause) []string {
	steps := []string{}
	for _, at := range row.FixAt {
		if at.Provider == x.Profile.ID && at.Provider != "" {
			steps = append(steps, at.Steps...)
		}
	}
	return append(steps, row.Fix...)
}

// search tries the repairs of the decisive finding alone, then with those of one and two other findings. Faults that no edit can
// mend (an unknown client, a key) leave the set unverified: something has to be done outside the token.
func (x *examination) search(first *finding) ([]Edit, bool) {
	rest := make([][]Edit, 0, len(x.findings))
	for i := range x.findings {
		if f := &x.findings[i]; f != first && f.weight == demonstrated && len(f.repairs) > 0 && f.path != first.path {
			rest = append(rest, f.repairs)
		}
	}
	for size := 1; size <= maxEdits && size-1 <= len(rest); size++ {
		for _, repair := range first.repairs {
			if set := x.extend([]Edit{repair}, rest, size); set != nil {
				return set, true
			}
		}
	}
	return []Edit{first.repairs[0]}, false
}

// extend adds repairs of further findings until the set has the wanted size and every check passes.
func (x *examination) extend(set []Edit, rest [][]Edit, size int) []Edit {
	if len(set) == size {
		if x.passesWith(set) {
			return slices.Clone(set)
		}
		return nil
	}
	for i, repairs := range rest {
		if i > 4 {
			break
		}
		for _, repair := range repairs {
			if found := x.extend(append(slices.Clone(set), repair), rest[i+1:], size); found != nil {
				return found
			}
		}
	}
	return nil
}

// passesWith re-runs every check on the edited record.
func (x *examination) passesWith(edits []Edit) bool {
	y := examine(x.edited(edits), x.history)
	y.words = words{} // the old answer is not about the edited request
	y.quiet = true
	y.run(allChecks())
	for i := range y.findings {
		if y.findings[i].weight == demonstrated {
			return false
		}
	}
	return true
}
