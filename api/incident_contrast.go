package api

import (
	"context"
	"math"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// incidentDetailJSON is one incident with what is different about its failures.
type incidentDetailJSON struct {
	incidentJSON
	Different *differentJSON `json:"different,omitempty"`
}

// differentJSON says what sets the failures of an incident apart. Looked of its newest failures were looked at, and others of other
// incidents at its place; clients and environments are counted over the time from From to To.
type differentJSON struct {
	Looked    int            `json:"looked_at"`
	Others    int            `json:"others_looked_at"`
	From      time.Time      `json:"from"`
	To        time.Time      `json:"to"`
	Contrasts []contrastJSON `json:"contrasts"` // what tells most first, at most six
}

type contrastJSON struct {
	Dimension classify.Dimension  `json:"dimension"`
	Value     string              `json:"value"`
	Words     string              `json:"words"`
	Here      partJSON            `json:"here"`
	Elsewhere partJSON            `json:"elsewhere"`
	Baseline  classify.Baseline   `json:"baseline"`
	Lift      *float64            `json:"lift,omitempty"` // none when it is only here
	Values    []contrastValueJSON `json:"values"`
}

type partJSON struct {
	Count int64 `json:"count"`
	Of    int64 `json:"of"`
}

type contrastValueJSON struct {
	Value     string `json:"value"`
	Here      int64  `json:"here"`
	Elsewhere int64  `json:"elsewhere"`
}

func (s *Server) toIncidentDetailJSON(ctx context.Context, i store.Incident) (incidentDetailJSON, error) {
	found, err := s.Store.Contrasts(ctx, i, s.classifier)
	if err != nil {
		return incidentDetailJSON{}, err
	}
	different := differentJSON{Looked: found.Looked, Others: found.Others, From: found.From.UTC(), To: found.To.UTC(),
		Contrasts: convert(found.List, func(c classify.Contrast) contrastJSON {
			return toContrastJSON(c, contrastWords(c, i, found))
		})}
	return incidentDetailJSON{toIncidentJSON(i), &different}, nil
}

func toContrastJSON(c classify.Contrast, words string) contrastJSON {
	out := contrastJSON{Dimension: c.Dimension, Value: c.Value, Words: words, Here: partJSON(c.Here), Elsewhere: partJSON(c.There), Baseline: c.Baseline,
		Values: convert(c.Values, func(v classify.ContrastValue) contrastValueJSON { return contrastValueJSON{v.Value, v.Here, v.There} })}
	if lift := c.Lift(); !math.IsInf(lift, 1) {
		lift = math.Round(lift*100) / 100
		out.Lift = &lift
	}
	return out
}
