package classify_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"authwatch/classify"
	"authwatch/classify/profile"
)

// A labelled is one line of a corpus.
type labelled struct {
	Record *classify.Record `json:"record"`
	Truth  *classify.Truth  `json:"truth"`
}

func profileOf(t testing.TB, corpus string) *classify.Profile {
	t.Helper()
	p, err := profile.Load(strings.TrimSuffix(corpus, ".ndjson") + ".profile.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func readCorpus(t testing.TB, path string) (list []labelled) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var l labelled
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		list = append(list, l)
	}
	return list
}

// replay hands over each exchange of a corpus in its order, with what a store would find of the history that it asks for.
func replay(t *testing.T, c *classify.Classifier, path, see string, each func(l labelled, e classify.Exchange, known classify.History)) {
	t.Helper()
	history := classify.History{}
	for _, l := range readCorpus(t, path) {
		hide(l.Record, see)
		e := c.Locate(l.Record)
		each(l, e, lookup(history, e.Keys()))
		history.Observe(e.Facts())
	}
}

// A score is that of authwatch eval, with the misses as people read them.
type score struct {
	classify.Score
	knowledge *classify.Knowledge
	misses    []string
}

// hide removes what a witness said: the decoded tokens, or the server's words.
func hide(r *classify.Record, see string) {
	switch {
	case see == "response":
		r.ClientAssertion, r.AccessToken = nil, nil
	case see == "token" && r.Response != nil && r.Response.Status >= 400:
		r.Response.Body = nil
		r.Response.Headers = r.Response.Headers.Without("www-authenticate")
	}
}

func (s *score) run(t *testing.T, path, see string, withProfile bool) {
	t.Helper()
	profiles := classify.Profiles{}
	if withProfile {
		profiles = append(profiles, profileOf(t, path))
	}
	replay(t, classify.New(profiles, s.knowledge), path, see, func(l labelled, e classify.Exchange, known classify.History) {
		s.count(filepath.Base(path), l.Record.ID, l.Truth, verdictOn(e, known))
	})
}

// lookup hands over only what was asked for, as a store does.
func lookup(h classify.History, keys []classify.Key) classify.History {
	found := classify.History{}
	for _, k := range keys {
		if f, ok := h[k]; ok {
			found[k] = f
		}
	}
	return found
}

func (s *score) count(file, id string, want *classify.Truth, v *classify.Verdict) {
	match := s.Count(want, v)
	switch match {
	case classify.MatchUndecided, classify.MatchWrong, classify.MatchFalseAlarm:
	default:
		return
	}
	truth, got := "", "no verdict"
	if want != nil {
		truth = string(want.Cause)
	}
	if v != nil {
		got = fmt.Sprintf("%s %s: %s", v.Cause, v.Confidence, v.Summary)
	}
	s.misses = append(s.misses, fmt.Sprintf("%s %s %s %s -> %s", match, file, id, truth, got))
}

// A floor is what a view of a corpus must reach.
type floor struct {
	folder                  string
	see                     string
	profile                 bool
	accepted, strict, macro float64
	wrong                   float64
}

// TestCorpus holds the engine to what it reaches on answers of real verifiers: those that it was written with, and those that it met
// later. The bounds may rise; a change that lowers one has to say why.
func TestCorpus(t *testing.T) {
	for _, tt := range []floor{
		{"corpus", "all", true, 0.992, 0.984, 0.992, 0.007},
		{"corpus", "response", true, 0.774, 0.652, 0.818, 0.068},
		{"corpus", "token", true, 0.97, 0.96, 0.96, 0.017},
		{"corpus", "all", false, 0.98, 0.965, 0.979, 0.009}, // a sentence for everything and a client never seen: open, though unknown_client is right more often than not
		{"heldout", "all", true, 0.998, 0.975, 0.998, 0.002},
		{"heldout", "response", true, 0.738, 0.595, 0.772, 0.097},
		{"heldout", "token", true, 0.96, 0.942, 0.957, 0.023},
		{"heldout", "all", false, 0.989, 0.96, 0.988, 0.007},
		{"blind", "all", true, 0.998, 0.991, 0.998, 0.002},
		{"blind", "response", true, 0.828, 0.637, 0.869, 0.084},
		{"blind", "token", true, 0.982, 0.977, 0.982, 0.011},
		{"blind", "all", false, 0.993, 0.985, 0.995, 0.001},
		{"blind2", "all", true, 0.996, 0.975, 0.995, 0.003},
		{"blind2", "response", true, 0.669, 0.543, 0.701, 0.064}, // whoever knew the likeliest cause of each answer here, and nothing else, would be right for 0.620
		{"blind2", "token", true, 0.95, 0.933, 0.905, 0.019},
		{"blind2", "all", false, 0.972, 0.949, 0.977, 0.013},
		{"blind3", "all", true, 0.983, 0.978, 0.973, 0.017},
		{"blind3", "response", true, 0.725, 0.589, 0.763, 0.106},
		{"blind3", "token", true, 0.976, 0.971, 0.935, 0.017},
		{"blind3", "all", false, 0.962, 0.957, 0.952, 0.038},
		{"rare", "all", true, 0.99, 0.99, 0.99, 0},
		{"rare", "all", false, 0.99, 0.99, 0.99, 0},
	} {
		t.Run(fmt.Sprintf("%s/%s/profile=%v", tt.folder, tt.see, tt.profile), func(t *testing.T) {
			paths, err := filepath.Glob("testdata/" + tt.folder + "/*.ndjson")
			if err != nil || len(paths) < 5 {
				t.Fatalf("corpora: %v %v", paths, err)
			}
			s := &score{knowledge: classify.NewKnowledge(classify.DocumentedTexts())}
			for _, path := range paths {
				s.run(t, path, tt.see, tt.profile)
			}
			t.Logf("failures %d strict %.4f accepted %.4f macro %.4f wrong %d proven wrong %d undecided %d false alarms %d/%d",
				s.Failures, s.Share(s.Strict), s.Share(s.Accepted), s.Macro(), s.Wrong, s.ProvenWrong, s.Undecided, s.FalseAlarms, s.Context)
			if s.Share(s.Accepted) < tt.accepted || s.Share(s.Strict) < tt.strict || s.Macro() < tt.macro || s.Share(s.Wrong) > tt.wrong {
				t.Errorf("a figure dropped; want accepted %.3f strict %.3f macro %.3f wrong %.3f\n%s", tt.accepted, tt.strict, tt.macro, tt.wrong, strings.Join(s.misses, "\n"))
			}
			if s.ProvenWrong > 0 || s.FalseAlarms > 0 {
				t.Errorf("a wrong verdict that claims to be proven, or a false alarm\n%s", strings.Join(s.misses, "\n"))
			}
			if testing.Verbose() {
				t.Log(strings.Join(s.misses, "\n"))
			}
		})
	}
}
