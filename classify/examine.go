package classify

import "slices"

// Examine re-runs every check of an exchange at its own time, whatever the server answered: the same checks that Classify runs,
// without a judgement. No failing check means that nothing which can be checked speaks against the exchange. The doubts are signs
// that are no proof: this server may mind them, another does not.
func Examine(e Exchange, h History) (checks []Check, doubts []Evidence) {
	x := examine(&e, h.Held())
	x.words = words{} // what a server said is no part of the question
	rules := allRules()
	x.run(rules[:])
	x.sortFindings()
	for i := range x.findings {
		f := &x.findings[i]
		fails := slices.ContainsFunc(x.checks, func(n noted) bool { return n.check.Result == Fail && n.check.Path == f.path })
		if f.weight != demonstrated && !fails {
			doubts = append(doubts, f.evidence(x))
		}
	}
	for _, n := range x.checks {
		checks = append(checks, *n.check)
	}
	x.release()
	return checks, doubts
}
