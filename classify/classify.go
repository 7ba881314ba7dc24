package classify

// Classify judges an exchange whose Outcome is Failed. The same exchange and history give the same verdict, byte for byte.
func Classify(e Exchange, h History) Verdict {
	rules := allRules()
	return classifyWith(&e, h, rules[:])
}

// classifyWith lets a test shuffle the checks: their order must not matter.
func classifyWith(e *Exchange, h History, rules []rule) (v Verdict) {
	x := examine(e, h)
	x.statusWords()
	x.run(rules)
	x.sortFindings()
	x.write(&v, x.judge())
	x.release()
	return v
}
