package classify

// Classify judges an exchange whose Outcome is Failed. The same exchange and history give the same verdict, byte for byte.
func Classify(e Exchange, h History) (v Verdict) {
	Judge(&e, h.Held(), &v)
	return v
}

// Judge is Classify into v, by what history holds of e.Keys. It returns the kinds of facts that it was asked for: facts
// of other kinds, whether there or not, would not have changed the verdict.
func Judge(e *Exchange, held Held, v *Verdict) FactKinds {
	rules := allRules()
	return classifyWith(e, held, rules[:], v)
}

// classifyWith lets a test shuffle the checks: their order must not matter.
func classifyWith(e *Exchange, held Held, rules []rule, v *Verdict) FactKinds {
	x := examine(e, held)
	x.statusWords()
	x.run(rules)
	x.sortFindings()
	x.write(v, x.judge())
	asked := x.desk.asked
	x.release()
	return asked
}
