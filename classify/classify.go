package classify

// Classify judges an exchange whose Outcome is Failed. The same exchange and history give the same verdict, byte for byte.
func Classify(e Exchange, h History) (v Verdict) {
	Judge(&e, h, Held{}, &v)
	return v
}

// Judge is Classify into v, for who may know which of e.Keys history holds. It returns the kinds of facts that history was asked for: facts
// of other kinds, whether there or not, would not have changed the verdict.
func Judge(e *Exchange, h History, held Held, v *Verdict) FactKinds {
	rules := allRules()
	return classifyWith(e, h, held, rules[:], v)
}

// classifyWith lets a test shuffle the checks: their order must not matter.
func classifyWith(e *Exchange, h History, held Held, rules []rule, v *Verdict) FactKinds {
	x := examine(e, h)
	x.held = held
	x.statusWords()
	x.run(rules)
	x.sortFindings()
	x.write(v, x.judge())
	asked := x.desk.asked
	x.release()
	return asked
}
