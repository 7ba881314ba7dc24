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
	var own []string
	for _, at := range row.FixAt {
		if at.Provider == x.Profile.ID && at.Provider != "" {
			own = append(own, at.Steps...)
		}
	}
	if own == nil && row.Fix != nil {
		return slices.Clip(row.Fix) // the catalogue's own slice, which nobody changes
	}
	return slices.Concat([]string{}, own, row.Fix)
}

// search tries one repair of the decisive finding, then sets of two and three: what still fails after an edit (a new exp with the
// old iat lives too long) brings the next one. Faults that no edit can mend, such as an unknown client, leave the set unverified:
// something has to be done outside the token.
func (x *examination) search(first *finding) ([]Edit, bool) {
	for size := 1; size <= maxEdits; size++ {
		for _, repair := range first.repairs {
			if set := x.extend([]Edit{repair}, size); set != nil {
				return set, true
			}
		}
	}
	return []Edit{first.repairs[0]}, false
}

// extend returns set, with repairs of what still fails added until it has size edits, if then every check passes.
func (x *examination) extend(set []Edit, size int) []Edit {
	failing := x.failingWith(set)
	if len(failing) == 0 {
		return set
	}
	if len(set) == size || len(failing) > 4 {
		return nil
	}
	for i := range failing {
		for _, repair := range failing[i].repairs {
			if slices.ContainsFunc(set, func(e Edit) bool { return e.Path == repair.Path }) {
				continue
			}
			if found := x.extend(append(slices.Clone(set), repair), size); found != nil {
				return found
			}
		}
	}
	return nil
}

// failingWith re-runs every check on the edited record and returns the demonstrated faults that are left.
func (x *examination) failingWith(edits []Edit) []finding {
	y := x.again(edits)
	y.run(allChecks())
	y.sortFindings()
	return slices.DeleteFunc(y.findings, func(f finding) bool { return f.weight != demonstrated })
}

// again is the examination of the edited record. The old answer is not about it, so there are no words.
func (x *examination) again(edits []Edit) *examination {
	y := *x
	y.Exchange, y.words, y.findings, y.checks, y.quiet = x.edited(edits), words{}, nil, nil, true
	if x.root == "client_assertion" {
		y.token = y.Record.ClientAssertion
	} else {
		y.token = y.Record.AccessToken
	}
	if r := y.Record.Request; r != x.Record.Request {
		y.auth = authorizationOf(r.Headers)
		if y.assertion {
			y.form = formOf(r.Body)
		}
	}
	y.readToken()
	return &y
}
