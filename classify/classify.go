package classify

// Classify judges an exchange whose Outcome is Failed. The same exchange and history give the same verdict, byte for byte.
func Classify(e Exchange, h History) (v Verdict) {
	Judge(&e, h, &v)
	return v
}

// Judge is Classify into v. It returns the kinds of facts that history was asked for: facts of other kinds, whether there or not, would
// not have changed the verdict.
func Judge(e *Exchange, h History, v *Verdict) FactKinds {
	rules := allRules()
	return classifyWith(e, h, rules[:], v)
}

// classifyWith lets a test shuffle the checks: their order must not matter.
func classifyWith(e *Exchange, h History, rules []rule, v *Verdict) FactKinds {
	x := examine(e, h)
	x.statusWords()
	x.run(rules)
	x.sortFindings()
	x.write(v, x.judge())
	asked := x.desk.asked
	x.release()
	return asked
}
