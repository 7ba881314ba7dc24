// Package bundle makes what a person hands to a provider's support: the failures of one incident with everything that
// their verdicts rest on, and without a secret. Dropped into another authwatch a bundle gives the same verdicts, because it
// carries the records, the facts of history and the profile that they were judged by. The package is pure: it reads no
// clock and no database.
package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
)

// Format names this form of a bundle; a reader refuses others.
const Format = "authwatch-bundle/1"

// A Bundle is the JSON form. Times are event times unless they say otherwise.
type Bundle struct {
	Format     string            `json:"format"`
	MadeAt     time.Time         `json:"made_at"` // by the clock of who made it
	MadeBy     string            `json:"made_by"` // version of authwatch
	Pseudonyms bool              `json:"pseudonyms"`
	Incident   Incident          `json:"incident"`
	Cases      []Case            `json:"cases"`   // the newest failure first
	History    []Fact            `json:"history"` // what was known before, as far as the verdicts rest on it
	Profile    *classify.Profile `json:"profile,omitempty"`
	Changes    []Change          `json:"changes,omitempty"`
	Different  []string          `json:"different,omitempty"` // what sets the failures apart from other requests, a sentence each; none with pseudonyms
	Removed    []Removal         `json:"removed"`             // what is not in it
}

// An Incident is what the cases have in common.
type Incident struct {
	ID                string              `json:"id,omitempty"`
	Provider          string              `json:"provider,omitempty"`
	Environment       string              `json:"environment,omitempty"`
	ClientID          string              `json:"client_id,omitempty"`
	Cause             classify.Code       `json:"cause"`
	Confidence        classify.Confidence `json:"confidence"`
	Count             int64               `json:"count"`
	FirstSeen         time.Time           `json:"first_seen"`
	LastSeen          time.Time           `json:"last_seen"`
	LastSuccessBefore time.Time           `json:"last_success_before,omitzero"`
	FirstSuccessAfter time.Time           `json:"first_success_after,omitzero"`
}

// A Case is one failure: its redacted record and its verdict.
type Case struct {
	Record  classify.Record  `json:"record"`
	Verdict classify.Verdict `json:"verdict"`
}

// A Change is a deploy or another change near the onset.
type Change struct {
	Time  time.Time `json:"time"`
	Kind  string    `json:"kind"`
	Title string    `json:"title"`
}

// A Removal is a place from which a secret was taken.
type Removal struct {
	Path   string `json:"path"`   // dotted, into the record: request.headers.authorization
	What   string `json:"what"`   // jwt, secret, …
	Places int    `json:"places"` // in how many of the cases
}

// Input is what a bundle is made of. Profile is nil where the provider has none.
type Input struct {
	Incident Incident
	Records  []classify.Record // the newest first
	History  classify.History  // of all Keys of the records
	Profile  *classify.Profile
	Changes  []Change
	MadeAt   time.Time
	MadeBy   string

	Different []string // as in a Bundle
}

// New makes a bundle. The records are judged anew by what the bundle holds, so that its verdicts are those that its reader
// will come to.
func New(in Input, k *classify.Knowledge) Bundle {
	b := Bundle{Format: Format, MadeAt: in.MadeAt.UTC(), MadeBy: in.MadeBy, Incident: in.Incident, Profile: in.Profile, Changes: in.Changes, Different: in.Different, Removed: []Removal{}}
	if b.Profile != nil {
		shared := *b.Profile
		shared.JWKSFile = "" // a path of this machine; what was verified by it is in the records
		b.Profile = &shared
	}
	for _, r := range in.Records {
		b.Cases = append(b.Cases, Case{Record: r})
	}
	b.History = factsOf(in.History)
	b.judge(k)
	b.Removed = removals(b.Cases)
	return b
}

// Read reads the JSON form. Every record in it goes through decode, which redacts: a bundle is as little to be believed as
// a log. It checks the format and judges nothing.
func Read(data []byte, decode func(record []byte) (classify.Record, error)) (Bundle, error) {
	var raw struct {
		Bundle
		Cases []struct {
			Record json.RawMessage `json:"record"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return Bundle{}, fmt.Errorf("read bundle: %w", err)
	}
	if raw.Format != Format {
		return Bundle{}, errors.New("read bundle: not of the format " + Format)
	}
	b := raw.Bundle
	for i, c := range raw.Cases {
		var line bytes.Buffer // a decoder of logs may take a line for a record
		if err := json.Compact(&line, c.Record); err != nil {
			return Bundle{}, fmt.Errorf("read bundle: case %d has no record", i)
		}
		r, err := decode(line.Bytes())
		if err != nil {
			return Bundle{}, fmt.Errorf("read bundle: case %d: %w", i, err)
		}
		b.Cases = append(b.Cases, Case{Record: r})
	}
	return b, nil
}

// IsBundle tells whether a body is meant to be one.
func IsBundle(data []byte) bool {
	var head struct {
		Format string `json:"format"`
	}
	return json.Unmarshal(data, &head) == nil && strings.HasPrefix(head.Format, "authwatch-bundle/")
}

// Verdicts judges the cases by what the bundle holds, in their order; one that is no failure is left out.
func (b Bundle) Verdicts(k *classify.Knowledge) []classify.Verdict {
	out := []classify.Verdict{}
	history, classifier := b.history(), b.classifier(k)
	for i := range b.Cases {
		e := classifier.Locate(&b.Cases[i].Record)
		if e.Outcome == classify.Failed {
			out = append(out, classify.Classify(e, history))
		}
	}
	return out
}

func (b *Bundle) judge(k *classify.Knowledge) {
	history, classifier := b.history(), b.classifier(k)
	for i := range b.Cases {
		b.Cases[i].Verdict = classify.Classify(classifier.Locate(&b.Cases[i].Record), history)
	}
}

func (b Bundle) classifier(k *classify.Knowledge) *classify.Classifier {
	var profiles classify.Profiles
	if b.Profile != nil {
		profiles = classify.Profiles{b.Profile}
	}
	return classify.New(profiles, k)
}

// removals lists the markers that redaction left in the records.
func removals(cases []Case) []Removal {
	marker := regexp.MustCompile(`\[(jwt|jwe|opaque|secret|code|redacted|signature|private key|private|set|malformed)[^\]]*\]`)
	places := map[Removal]int{}
	for _, c := range cases {
		found := map[Removal]bool{}
		for path, text := range leaves(c.Record) {
			for _, m := range marker.FindAllStringSubmatch(text, -1) {
				found[Removal{Path: path, What: m[1]}] = true
			}
		}
		for r := range found {
			places[r]++
		}
	}
	out := make([]Removal, 0, len(places))
	for r, n := range places {
		r.Places = n
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Removal) int { return strings.Compare(a.Path+" "+a.What, b.Path+" "+b.What) })
	return out
}

// leaves yields every string of a value's JSON form, by its dotted path.
func leaves(value any) func(yield func(path, text string) bool) {
	return func(yield func(path, text string) bool) {
		data, err := json.Marshal(value)
		var tree any
		if err != nil || json.Unmarshal(data, &tree) != nil {
			return
		}
		var walk func(path string, v any) bool
		walk = func(path string, v any) bool {
			switch v := v.(type) {
			case string:
				return yield(strings.TrimPrefix(path, "."), v)
			case []any:
				for i, e := range v {
					if !walk(fmt.Sprintf("%s.%d", path, i), e) {
						return false
					}
				}
			case map[string]any:
				for name, e := range v {
					if !walk(path+"."+name, e) {
						return false
					}
				}
			}
			return true
		}
		walk("", tree)
	}
}
