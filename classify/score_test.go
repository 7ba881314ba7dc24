package classify

import "testing"

func TestScore_Count(t *testing.T) {
	aud := &Truth{Cause: WrongAudience, Also: []Code{WrongEnvironment}}
	for _, tt := range []struct {
		name  string
		truth *Truth
		v     *Verdict
		match Match
		want  Tally
	}{
		{"the true cause", aud, &Verdict{Cause: WrongAudience}, MatchStrict, Tally{Failures: 1, Strict: 1, Accepted: 1}},
		{"right as well", aud, &Verdict{Cause: WrongEnvironment}, MatchAlso, Tally{Failures: 1, Accepted: 1}},
		{"unclassified", aud, &Verdict{Cause: Unclassified}, MatchUndecided, Tally{Failures: 1, Undecided: 1}},
		{"no verdict", aud, nil, MatchUndecided, Tally{Failures: 1, Undecided: 1}},
		{"wrong", aud, &Verdict{Cause: KeyMismatch, Confidence: Stated}, MatchWrong, Tally{Failures: 1, Wrong: 1}},
		{"wrong and sure", aud, &Verdict{Cause: KeyMismatch, Confidence: Proven}, MatchWrong, Tally{Failures: 1, Wrong: 1, ProvenWrong: 1}},
		{"unclassified is the truth", &Truth{Cause: Unclassified}, &Verdict{Cause: Unclassified}, MatchStrict, Tally{Failures: 1, Strict: 1, Accepted: 1}},
		{"no verdict is right too", &Truth{Cause: UnknownKey, Optional: true}, nil, MatchNone, Tally{}},
		{"optional, judged", &Truth{Cause: UnknownKey, Optional: true}, &Verdict{Cause: KeyMismatch}, MatchWrong, Tally{Failures: 1, Wrong: 1}},
		{"no failure", nil, nil, MatchNone, Tally{Context: 1}},
		{"false alarm", nil, &Verdict{Cause: KeyMismatch, Confidence: Proven}, MatchFalseAlarm, Tally{Context: 1, FalseAlarms: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s Score
			if got := s.Count(tt.truth, tt.v); got != tt.match {
				t.Errorf("match %q, want %q", got, tt.match)
			}
			if s.Tally != tt.want {
				t.Errorf("got %+v, want %+v", s.Tally, tt.want)
			}
		})
	}
}

// A rare cause weighs as much as a frequent one.
func TestScore_Macro(t *testing.T) {
	var s Score
	if got := s.Macro(); got != 0 {
		t.Errorf("without failures %v", got)
	}
	for range 9 {
		s.Count(&Truth{Cause: WrongAudience}, &Verdict{Cause: WrongAudience})
	}
	s.Count(&Truth{Cause: JTIReuse}, &Verdict{Cause: KeyMismatch})
	if got := s.Macro(); got != 0.5 {
		t.Errorf("macro %v, want 0.5", got)
	}
	if got := s.Share(s.Accepted); got != 0.9 {
		t.Errorf("accepted %v, want 0.9", got)
	}
	if got := s.Confusion[Judged{Truth: JTIReuse, Verdict: KeyMismatch}]; got != 1 {
		t.Errorf("confusion %v", s.Confusion)
	}
}
