// Package example holds, for each cause that was ever recorded, one answer of a real verifier, and has the engine judge it: what the
// pages show as an example is what the engine says, never what somebody wrote down.
package example

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"

	"authwatch/classify"
	"authwatch/classify/profile"
)

// examples.ndjson holds records of classify/testdata/corpus and rare, and profiles the profiles beside them.
//
//go:embed examples.ndjson profiles/*.yaml
var files embed.FS

// An Example is a recorded failure with its verdict.
type Example struct {
	Verifier string // the software that answered, with its version
	Record   *classify.Record
	Profile  *classify.Profile
	Verdict  classify.Verdict
}

// line is one line of examples.ndjson. The last record is the failure, those before it are the history that it needs.
type line struct {
	Cause    classify.Code      `json:"cause"`
	Verifier string             `json:"verifier"`
	Profile  string             `json:"profile"`
	Records  []*classify.Record `json:"records"`
}

// All judges the examples. Causes that no recorded answer shows are not there.
func All(k *classify.Knowledge) (map[classify.Code]Example, error) {
	data, err := files.ReadFile("examples.ndjson")
	if err != nil {
		return nil, fmt.Errorf("read the examples: %w", err)
	}
	out := map[classify.Code]Example{}
	for text := range strings.Lines(string(data)) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			return nil, fmt.Errorf("read the examples: %w", err)
		}
		e, err := l.judge(k)
		if err != nil {
			return nil, fmt.Errorf("judge the example of %s: %w", l.Cause, err)
		}
		out[l.Cause] = e
	}
	return out, nil
}

func (l *line) judge(k *classify.Knowledge) (Example, error) {
	name := "profiles/" + l.Profile + ".yaml"
	data, err := files.ReadFile(name)
	if err != nil {
		return Example{}, err
	}
	p, err := profile.Parse(name, data)
	if err != nil {
		return Example{}, err
	}
	e := Example{Verifier: l.Verifier, Profile: p}
	classifier, history := classify.New(classify.Profiles{p}, k), classify.History{}
	for _, r := range l.Records {
		exchange := classifier.Locate(r)
		e.Record, e.Verdict = r, classify.Classify(exchange, history)
		history.Observe(exchange.Facts())
	}
	return e, nil
}
