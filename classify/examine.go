package classify

// Examine re-runs every check of an exchange at its own time, whatever the server answered: the same checks that Classify runs,
// without a judgement. No failing check means that nothing which can be checked speaks against the exchange.
func Examine(e Exchange, h History) []Check {
	x := examine(e, h)
	x.words = words{} // what a server said is no part of the question
	x.run(allChecks())
	x.sortFindings()
	return x.checks
}
