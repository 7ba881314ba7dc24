package api

import (
	"strings"

	"authwatch/classify"
)

// A verdictView is a verdict as the incident, record and check pages show it.
type verdictView struct {
	Cause       causeRef
	Happened    string // of the catalogue
	Summary     string // with the values of this case
	Fault       badge
	Confidence  badge
	Phase       string
	Witnesses   []witnessView
	Agreement   string // in one sentence, how far the witnesses agree
	Others      []otherCause
	Tokens      []tokenView
	Fix         fixView
	Checks      []checkView
	ChecksWords string
}

// A witnessView is one of the three witnesses: what it says and for which cause.
type witnessView struct {
	Name     string
	Stance   string // "agrees", "disagrees" or "silent"
	Vote     causeRef
	Evidence []evidenceView
}

// An evidenceView is one observation; Against is set when it speaks for another cause than the verdict's.
type evidenceView struct {
	Detail   string
	Path     string
	Observed string
	Expected string
	Against  causeRef
}

// An otherCause is a runner-up.
type otherCause struct {
	Cause      causeRef
	Confidence badge
}

// A checkView is one line of the check trace.
type checkView struct {
	Name   string
	Result badge
	Path   string
	Detail string
}

// verdictOf shapes a verdict. rec may be nil where the record is gone; p may be nil for an unknown provider.
func verdictOf(v classify.Verdict, rec *classify.Record, p *classify.Profile) verdictView {
	row, _ := classify.Lookup(v.Cause)
	out := verdictView{
		Cause: causeAt(v.Cause, p), Happened: row.Happened, Summary: shown(v.Summary, 4*valueLength),
		Fault: faultBadge(v.Fault), Confidence: confidenceBadge(v.Confidence), Phase: phaseWords(v.Phase),
		Witnesses: witnessesOf(v), Fix: fixOf(v.Fix),
	}
	out.Agreement = agreementOf(out.Witnesses)
	for _, a := range v.Alternatives {
		if a.Cause != v.Cause {
			out.Others = append(out.Others, otherCause{causeOf(a.Cause), confidenceBadge(a.Confidence)})
		}
	}
	for _, c := range v.Checks {
		out.Checks = append(out.Checks, checkOf(c))
	}
	out.ChecksWords = checksWords(v.Checks)
	if rec != nil {
		out.Tokens = tokensOf(*rec, v, p)
		out.Fix.Snippets = snippetsOf(v, rec, p)
	}
	return out
}

func phaseWords(p classify.Phase) string {
	switch p {
	case classify.TokenRequest:
		return "token request"
	case classify.APICall:
		return "API call"
	default:
		return "client side, no response"
	}
}

// witnessesOf sorts the evidence by who gives it. The request's form is looked at by the token witness.
func witnessesOf(v classify.Verdict) []witnessView {
	list := []witnessView{{Name: "The response"}, {Name: "The token"}, {Name: "History"}}
	votes := []map[classify.Code]int{{}, {}, {}}
	for _, e := range v.Evidence {
		i := 1
		switch e.Witness {
		case classify.WitnessResponse:
			i = 0
		case classify.WitnessHistory:
			i = 2
		}
		if e.Cause != "" {
			votes[i][e.Cause]++
		}
		list[i].Evidence = append(list[i].Evidence, evidenceOf(e, v.Cause))
	}
	for i := range list {
		vote, ok := voteOf(votes[i], v.Cause)
		switch {
		case !ok:
			list[i].Stance = "silent"
		case vote == v.Cause:
			list[i].Stance, list[i].Vote = "agrees", causeOf(vote)
		default:
			list[i].Stance, list[i].Vote = "disagrees", causeOf(vote)
		}
	}
	return list
}

// voteOf is the verdict's cause where anything speaks for it, else the cause with the most evidence.
func voteOf(votes map[classify.Code]int, verdict classify.Code) (vote classify.Code, ok bool) {
	if votes[verdict] > 0 {
		return verdict, true
	}
	for code, n := range votes {
		if !ok || n > votes[vote] || (n == votes[vote] && code < vote) {
			vote, ok = code, true
		}
	}
	return vote, ok
}

func evidenceOf(e classify.Evidence, verdict classify.Code) evidenceView {
	out := evidenceView{Detail: shown(e.Detail, 4*valueLength), Path: line(e.Path)}
	if e.Observed != nil {
		out.Observed = sentText(e.Observed)
	}
	if e.Expected != nil {
		out.Expected = wantedText(e.Expected)
	}
	if e.Cause != "" && e.Cause != verdict {
		out.Against = causeOf(e.Cause)
	}
	return out
}

func agreementOf(list []witnessView) string {
	var agree, disagree, silent []string
	for _, w := range list {
		name := inSentence(w.Name)
		switch w.Stance {
		case "agrees":
			agree = append(agree, name)
		case "disagrees":
			disagree = append(disagree, name+" points to "+inSentence(w.Vote.Title))
		default:
			silent = append(silent, name)
		}
	}
	switch {
	case len(agree) == 0 && len(disagree) == 0:
		return "No witness has anything to say: the cause cannot be told."
	case len(agree) == 0:
		return capitalize(join(disagree)) + "; none is decisive."
	case len(agree) == 3:
		return "All three witnesses agree."
	}
	text := capitalize(join(agree)) + verb(len(agree), " says so", " agree")
	if len(disagree) > 0 {
		text += "; " + join(disagree)
	}
	if len(silent) > 0 {
		text += "; " + join(silent) + verb(len(silent), " names", " name") + " no cause"
	}
	return text + "."
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func checkOf(c *classify.Check) checkView {
	out := checkView{Name: strings.ReplaceAll(line(c.Check), "_", " "), Path: line(c.Path), Detail: shown(c.Detail, 4*valueLength)}
	out.Result = resultBadge(c.Result)
	return out
}

func resultBadge(r classify.CheckResult) badge {
	switch r {
	case classify.Pass:
		return badge{Class: "check-pass", Text: "pass"}
	case classify.Fail:
		return badge{Class: "check-fail", Text: "fail"}
	default:
		return badge{Class: "check-unknown", Text: "not checkable"}
	}
}

// checksWords sums the trace up: "1 failed, 9 passed, 2 could not be checked".
func checksWords(list []*classify.Check) string {
	if len(list) == 0 {
		return "No check could be run on this record."
	}
	n := map[classify.CheckResult]int64{}
	for _, c := range list {
		n[c.Result]++
	}
	return count(n[classify.Fail]) + " failed, " + count(n[classify.Pass]) + " passed, " + count(n[classify.NotCheckable]) + " could not be checked"
}

// A fixView is the smallest change that would have helped.
type fixView struct {
	Edits        []editView
	EditsJSON    string // for copying
	Words        string // whether the edits were verified
	Verified     bool
	NotCheckable []string
	Steps        []string
	Snippets     []snippetView // where a program can make the request as it should be
}

// A snippetView is the right request as a program.
type snippetView struct {
	Language string
	Program  string
}

// An editView is one edit in words and values.
type editView struct {
	Op    string
	Path  string
	Value string
}

// snippetsOf writes the right request in every language. The verdict itself says where the exchange was placed.
func snippetsOf(v classify.Verdict, rec *classify.Record, p *classify.Profile) []snippetView {
	if p == nil {
		p = &classify.Profile{}
	}
	e := classify.Exchange{
		Record: rec, Profile: p, Provider: v.Provider, Environment: v.Environment, ClientID: v.ClientID,
		Phase: v.Phase, Outcome: classify.Failed,
	}
	var out []snippetView
	for _, language := range classify.SnippetLanguages() {
		if program, ok := classify.Snippet(v, e, language); ok && program == shown(program, bodyLength) { // nobody looks at what a button copies
			out = append(out, snippetView{Language: languageName(language), Program: program})
		}
	}
	return out
}

func languageName(language string) string {
	switch language {
	case "python":
		return "Python"
	case "node":
		return "Node.js"
	case "go":
		return "Go"
	case "java":
		return "Java"
	default:
		return language
	}
}

func fixOf(f classify.Fix) fixView {
	out := fixView{Verified: f.Verified && len(f.Edits) > 0}
	for _, e := range f.Edits {
		view := editView{Op: line(e.Op), Path: line(e.Path)}
		if e.Op != "remove" {
			view.Value = sentText(e.Value)
		}
		out.Edits = append(out.Edits, view)
	}
	if text, err := compactJSON(f.Edits); err == nil && len(f.Edits) > 0 && text == shown(text, bodyLength) {
		out.EditsJSON = text // whole and as it reads, or not at all: nobody looks at what a button copies
	}
	for _, name := range f.NotCheckable {
		out.NotCheckable = append(out.NotCheckable, strings.ReplaceAll(line(name), "_", " "))
	}
	for _, step := range f.Steps {
		out.Steps = append(out.Steps, shown(step, 8*valueLength))
	}
	switch {
	case out.Verified:
		out.Words = "Verified: with " + verb(len(out.Edits), "this change", "these changes") + " every check that could be run passes."
	case len(out.Edits) > 0:
		out.Words = "Not verified: some check still fails, or could not be run, with " + verb(len(out.Edits), "this change.", "these changes.")
	default:
		out.Words = "No change of the token or the request alone would have helped; this is what to do."
	}
	return out
}
