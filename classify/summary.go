package classify

import "strings"

// write writes the judgement down.
func (x *examination) write(v *Verdict, j judgement) {
	row := x.row(j.cause)
	*v = Verdict{
		ID: x.Record.ID, Time: x.Record.Time, Provider: clip(x.Provider), Environment: clip(x.Environment), ClientID: x.ClientID, Phase: x.Phase,
		Cause: j.cause, Confidence: j.confidence, Fault: row.Fault, Alternatives: j.others, Checks: x.desk.noted.cut(len(x.checks), 128), Evidence: x.evidence(j),
	}
	if v.Fault == "" {
		v.Fault = FaultUnknown
	}
	for i := range x.checks {
		v.Checks[i] = x.checks[i].check
	}
	v.Summary = x.summary(j, row, v.Evidence)
	v.Fix = x.fix(j, row)
}

// row is the catalogue's, from the classifier's copy if there is one.
func (x *examination) row(code Code) *Cause {
	if row, ok := x.causes[code]; ok {
		return row
	}
	row, _ := Lookup(code)
	return &row
}

// summary is one sentence with the values of this case.
func (x *examination) summary(j judgement, row *Cause, evidence []Evidence) string {
	switch {
	case j.finding != nil:
		return evidence[0].Detail
	case j.detail != "":
		return evidence[len(evidence)-1].Detail
	case j.cause == Unclassified && x.words.said != "":
		return "The server says “" + x.words.said + "”, which does not tell the cause, and no check that can be run fails."
	case j.cause == Unclassified:
		return "The response names no cause and no check that can be run fails."
	case x.words.text != "":
		return x.words.sentence(x.Phase)
	}
	return row.Summary
}

// sentence gives a detail a capital, unless it begins with a name of the field such as aud, and a full stop.
func (x *examination) sentence(detail string) string {
	first, _, _ := strings.Cut(detail, " ")
	end := "."
	if strings.HasSuffix(detail, ".") {
		end = ""
	}
	switch first {
	case "the", "no", "an", "a", "tokens", "opaque", "two":
		return x.join(capital(detail[0]), detail[1:], end)
	}
	return x.join(detail, end)
}

// capital is the capital of a letter; the letters of a constant text are its slices, which cost nothing.
func capital(letter byte) string {
	const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return capitals[letter-'a' : letter-'a'+1]
}

// evidence lists the votes: the decisive one first, then the server's words, then the rest.
func (x *examination) evidence(j judgement) []Evidence {
	out := x.desk.evidence.cut(min(len(x.findings)+1, 16), 16)[:0]
	if j.finding != nil {
		out = append(out, j.finding.evidence(x))
	}
	if e, ok := x.wordEvidence(j); ok {
		out = append(out, e)
	}
	if x.gap != 0 {
		out = append(out, x.gapEvidence())
	}
	for i := range x.findings {
		if f := &x.findings[i]; f != j.finding && len(out) < 16 {
			out = append(out, f.evidence(x))
		}
	}
	if j.finding == nil && j.detail != "" {
		e := Evidence{Witness: j.witness, Path: j.path, Detail: x.sentence(j.detail), Cause: j.cause}
		if e.Witness == "" {
			e.Witness, e.Path = WitnessToken, x.root
		}
		out = append(out, e)
	}
	return out
}

func (f *finding) evidence(x *examination) Evidence {
	return Evidence{Witness: f.witness, Path: f.path, Observed: f.observed, Expected: f.expected, Detail: x.sentence(f.detail), Cause: f.cause}
}

// wordEvidence repeats what the server said and how it was understood.
func (x *examination) wordEvidence(j judgement) (e Evidence, ok bool) {
	w := &x.words
	switch {
	case x.doubted.subject != 0:
		return Evidence{Witness: WitnessResponse, Path: x.doubted.path, Observed: x.doubted.value(), Cause: x.doubted.cause,
			Detail: "The server's words name another cause, which nothing in the record shows; a fault that is there explains the refusal better than two at once."}, true
	case w.subject != 0:
		e = Evidence{Witness: WitnessResponse, Path: w.path, Observed: w.value(), Cause: w.cause, Detail: "The server's words are about this."}
		if w.subject&x.causeComplaints(j) != 0 && w.cause != j.cause {
			e.Cause, e.Detail = j.cause, "The server's words fit this cause."
		} else if w.cause == j.cause {
			e.Detail = "The server's words name this cause."
		}
		if x.Phase == ClientSide {
			e.Detail = "The client's own log line names this cause."
		}
		return e, true
	case w.said != "" && j.finding == nil && j.detail != "":
		return Evidence{Witness: WitnessResponse, Path: w.saidAt, Observed: w.said, Detail: "The server's words are general; they fit this cause among others.", Cause: j.cause}, true
	case w.said != "":
		return Evidence{Witness: WitnessResponse, Path: w.saidAt, Observed: w.said, Detail: "The server's words do not tell the cause."}, true
	case x.status() != 0:
		return Evidence{Witness: WitnessResponse, Path: "response.status", Observed: x.status(), Detail: "The server gave no reason."}, true
	}
	return e, false
}

func (x *examination) causeComplaints(j judgement) subject {
	if j.finding != nil {
		return x.complaints(j.finding)
	}
	return x.trait(j.cause).symptoms
}
