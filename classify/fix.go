package classify

import (
	"slices"
	"strings"
)

// maxEdits is the largest set of edits that is searched.
const maxEdits = 3

// fix finds the smallest change of the record that makes every runnable check pass, and says what people have to do.
func (x *examination) fix(j judgement, row *Cause) Fix {
	f := Fix{Steps: x.steps(row)}
	f.NotCheckable = x.desk.names(x.skipped)
	if j.finding == nil || len(j.finding.repairs) == 0 {
		return f
	}
	f.Edits, f.Verified = x.search(j.finding)
	return f
}

// steps are the catalogue's, the provider's own first.
func (x *examination) steps(row *Cause) []string {
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
		for i := range first.repairs {
			if set := x.extend(first.repairs[i:i+1:i+1], size); set != nil {
				return set, true
			}
		}
	}
	return first.repairs[:1:1], false
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

// failingWith returns the demonstrated faults that the edited record would have. Checks that the edits cannot touch are not run again:
// they find what they found.
func (x *examination) failingWith(edits []Edit) []finding {
	y, touched := x.again(edits)
	for i := range x.findings {
		if f := &x.findings[i]; f.weight == demonstrated && f.reads&touched == 0 {
			y.findings = append(y.findings, *f)
		}
	}
	rules := allRules()
	for i := range rules {
		if rules[i].reads&touched != 0 {
			y.perform(&rules[i])
		}
	}
	y.sortFindings()
	x.desk.edited = y.findings
	var left []finding
	for i := range y.findings {
		if y.findings[i].weight == demonstrated {
			left = append(left, y.findings[i])
		}
	}
	return left
}

// again is the examination of the edited record, and what may be different in it. The old answer is not about it, so there are no words.
func (x *examination) again(edits []Edit) (y *examination, touched inputs) {
	y = &x.desk.second
	*y = *x
	y.words, y.findings, y.checks, y.quiet = words{}, x.desk.edited[:0], nil, true
	touched = inWords
	for i := range edits {
		touched |= y.apply(&edits[i])
	}
	if touched&inToken == 0 || y.token == nil {
		return y, touched
	}
	if y.readClaims(); y.otherKind != x.otherKind {
		return y, inAll
	}
	return y, touched
}

// apply edits the examination as applyEdit edits the record, without a copy of the claims for those that are edited most.
func (x *examination) apply(edit *Edit) inputs {
	part, rest, _ := strings.Cut(edit.Path, ".")
	section, name, _ := strings.Cut(rest, ".")
	switch {
	case part == "request":
		r := *x.Record
		applyEdit(&r, *edit)
		x.Record, x.print = &r, ""
		if r.Request != nil {
			x.auth = authorizationOf(r.Request.Headers)
			if x.assertion {
				x.form = formOf(r.Request.Body)
			}
		}
		return inFields | inForm
	case part != x.root || x.token == nil:
		return 0
	case section == "claims":
		if known := x.claims.named(name); known != nil {
			*known = edit.Value
			return claimInput(name)
		}
		x.claims.rest = x.claims.rest.With(name, edit.Value)
		return inClaims
	}
	x.token = x.token.with(section, name, edit.Value)
	x.head = headOf(x.token.Header)
	return inHeader
}
