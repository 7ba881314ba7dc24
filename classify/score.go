package classify

import "slices"

// A Truth is what really made a labelled exchange fail. A labelled corpus holds one for each failure and none for its other records.
type Truth struct {
	Cause    Code   `json:"cause"`
	Also     []Code `json:"also"`     // causes that are right as well, because nothing in the record tells them apart
	Optional bool   `json:"optional"` // giving no verdict is right too: a bare 5xx of an API
}

// A Match says how a verdict compares with the truth.
type Match string

// The matches.
const (
	MatchStrict     Match = "strict"      // the cause is the truth
	MatchAlso       Match = "also"        // the cause is one of Truth.Also
	MatchUndecided  Match = "undecided"   // no verdict, or unclassified, where the truth is a cause
	MatchWrong      Match = "wrong"       // another cause
	MatchFalseAlarm Match = "false_alarm" // a verdict on what is no auth failure
	MatchNone       Match = ""            // nothing to compare: no failure and no verdict, or none was needed
)

// NoVerdict stands in a Judged pair for a failure that was not judged. It is no cause.
const NoVerdict Code = "(no verdict)"

// A Tally is the figures of some labelled exchanges.
type Tally struct {
	Failures    int `json:"failures"`
	Strict      int `json:"strict"`       // verdicts with the true cause
	Accepted    int `json:"accepted"`     // with the true cause or one that is right as well
	Wrong       int `json:"wrong"`        // with another cause; unclassified is not one
	ProvenWrong int `json:"proven_wrong"` // wrong, and claimed to be proven
	Undecided   int `json:"undecided"`
	FalseAlarms int `json:"false_alarms"` // verdicts on Context records
	Context     int `json:"context"`      // records that are no auth failure
}

// Share is n as a part of the failures, 0 to 1.
func (t Tally) Share(n int) float64 { return float64(n) / float64(max(t.Failures, 1)) }

// Plus is the sum of two tallies.
func (t Tally) Plus(u Tally) Tally {
	return Tally{
		Failures: t.Failures + u.Failures, Strict: t.Strict + u.Strict, Accepted: t.Accepted + u.Accepted, Wrong: t.Wrong + u.Wrong,
		ProvenWrong: t.ProvenWrong + u.ProvenWrong, Undecided: t.Undecided + u.Undecided, FalseAlarms: t.FalseAlarms + u.FalseAlarms, Context: t.Context + u.Context,
	}
}

// A Judged pair is one cell of the confusion matrix.
type Judged struct {
	Truth   Code
	Verdict Code // NoVerdict without one
}

// A Score compares verdicts with truths. The zero Score is empty.
type Score struct {
	Tally
	ByCause   map[Code]Tally // by the true cause
	Confusion map[Judged]int // every failure, the right verdicts too
}

// Count adds one labelled exchange: truth is nil for what is no auth failure, v is nil when there was no verdict.
func (s *Score) Count(truth *Truth, v *Verdict) Match {
	match := matchOf(truth, v)
	if truth == nil {
		s.Context++
		if match == MatchFalseAlarm {
			s.FalseAlarms++
		}
		return match
	}
	if match == MatchNone {
		return match
	}
	if s.ByCause == nil {
		s.ByCause, s.Confusion = map[Code]Tally{}, map[Judged]int{}
	}
	one := tallyOf(match, v)
	s.Tally = s.Plus(one)
	s.ByCause[truth.Cause] = s.ByCause[truth.Cause].Plus(one)
	s.Confusion[Judged{Truth: truth.Cause, Verdict: codeOf(v)}]++
	return match
}

// Macro is the mean over the true causes of the share that was accepted, so that a rare cause weighs as much as a frequent one.
func (s *Score) Macro() float64 {
	causes := make([]Code, 0, len(s.ByCause))
	for cause := range s.ByCause {
		causes = append(causes, cause)
	}
	slices.Sort(causes) // the last digits of a sum depend on its order
	sum := 0.0
	for _, cause := range causes {
		t := s.ByCause[cause]
		sum += t.Share(t.Accepted)
	}
	return sum / float64(max(len(causes), 1))
}

func codeOf(v *Verdict) Code {
	if v == nil {
		return NoVerdict
	}
	return v.Cause
}

func matchOf(truth *Truth, v *Verdict) Match {
	got := codeOf(v)
	switch {
	case truth == nil && v == nil, truth != nil && truth.Optional && v == nil:
		return MatchNone
	case truth == nil:
		return MatchFalseAlarm
	case got == truth.Cause:
		return MatchStrict
	case slices.Contains(truth.Also, got):
		return MatchAlso
	case v == nil || got == Unclassified:
		return MatchUndecided
	}
	return MatchWrong
}

func tallyOf(match Match, v *Verdict) Tally {
	t := Tally{Failures: 1}
	switch match {
	case MatchStrict:
		t.Strict, t.Accepted = 1, 1
	case MatchAlso:
		t.Accepted = 1
	case MatchUndecided:
		t.Undecided = 1
	case MatchWrong:
		t.Wrong = 1
		if v.Confidence == Proven {
			t.ProvenWrong = 1
		}
	}
	return t
}
