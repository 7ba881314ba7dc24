package api

import (
	"math"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// contrastWords puts a contrast into one sentence, with the counts of both sides: how much more often, never how likely by chance.
func contrastWords(c classify.Contrast, i store.Incident, found store.Contrasts) string {
	switch c.Dimension {
	case classify.DimensionClient, classify.DimensionEnvironment:
		return whoseWords(c, i)
	}
	words := capitalize(sampleOf(c, i, found)) + " " + contrastHad(c) + "; of " + count(c.There.Of) + " " + baselineWords(c.Baseline, found.Earlier(i))
	switch {
	case c.There.Count == 0 && c.Baseline == classify.BaselineAccepted && !found.Earlier(i):
		return words + " none did before the last failure."
	case c.There.Count == 0:
		return words + " none did."
	}
	return words + " " + count(c.There.Count) + " did (" + percent(c.There.Count, c.There.Of) + "): " + liftWords(c) + "."
}

// whoseWords is for what is no feature of one request: whose it was, and where.
func whoseWords(c classify.Contrast, i store.Incident) string {
	where, name := placeOf(i.Provider, i.Environment), line(c.Value)
	of, own, accepted := " with this cause at "+where, "its own", count(c.There.Of)+" accepted requests there"
	if c.Dimension == classify.DimensionEnvironment {
		of, own, accepted = " of this client with this cause", "there", "its "+count(c.There.Of)+" accepted requests"
		if i.ClientID == "" {
			of, accepted = " of unknown clients with this cause", count(c.There.Of)+" accepted requests of the provider"
		}
		if name == "" {
			name = "no environment"
		}
	}
	verb := " are "
	if c.Here.Of == 1 {
		verb = " is "
	}
	words := "Only " + name + ": " + partOf(c.Here, "failure"+of, "failures"+of) + verb + own
	if c.Here.Count < c.Here.Of {
		words = "Mostly " + name + ": " + partOf(c.Here, "failure"+of, "failures"+of) + verb + own
	}
	if c.There.Count == 0 {
		return words + ", against none of " + accepted + " in the same time."
	}
	return words + ", against " + count(c.There.Count) + " of " + accepted + " in the same time (" + percent(c.There.Count, c.There.Of) + "): " + liftWords(c) + "."
}

// sampleOf says how many of which failures show a value. Endpoints are counted for all of them.
func sampleOf(c classify.Contrast, i store.Incident, found store.Contrasts) string {
	latest, with := "", ""
	if int64(found.Looked) < i.Count && c.Dimension != classify.DimensionEndpoint {
		latest = "latest "
	}
	if c.Here.Of < int64(found.Looked) {
		with = contrastWith(c.Dimension)
	}
	return partOf(c.Here, latest+"failure"+with, latest+"failures"+with)
}

// contrastWith says which failures show anything in a dimension, where not all do.
func contrastWith(d classify.Dimension) string {
	switch token, _, _ := strings.Cut(string(d), "."); token {
	case "client_assertion":
		return " with an assertion"
	case "access_token":
		return " with an access token"
	}
	return " of which it is known"
}

// partOf writes "all 412 failures" or "404 of 412 failures (98 %)".
func partOf(p classify.Part, one, many string) string {
	switch {
	case p.Of == 1:
		return "the one " + one
	case p.Count == p.Of:
		return "all " + count(p.Of) + " " + many
	}
	return count(p.Count) + " of " + count(p.Of) + " " + many + " (" + percent(p.Count, p.Of) + ")"
}

// liftWords says how much more often it is seen here.
func liftWords(c classify.Contrast) string {
	lift := c.Lift()
	if math.IsInf(lift, 1) {
		return "only here"
	}
	return factor(lift) + "× more often here"
}

// contrastHad says what a request showed.
func contrastHad(c classify.Contrast) string {
	value := line(c.Value)
	switch c.Dimension {
	case classify.DimensionEndpoint, classify.Dimension(classify.SightAPI):
		return "went to " + value
	case classify.Dimension(classify.SightTokenEndpoint):
		return "asked " + value + " for a token"
	case classify.DimensionMethod:
		return "used the method " + value
	case classify.DimensionStatus:
		if c.Value == "0" {
			return "got no response"
		}
		return "got status " + value
	case classify.DimensionService:
		return "appeared in the log of " + value
	case classify.DimensionServer:
		return "got an answer of the server " + value
	case classify.DimensionClientIP:
		return "came from " + value
	case classify.Dimension(classify.SightUserAgent):
		return "came from the user agent " + value
	case classify.Dimension(classify.SightWording):
		return "got the answer “" + value + "”"
	}
	return contrastHadToken(c)
}

// contrastHadToken says what its token was like.
func contrastHadToken(c classify.Contrast) string {
	kind := classify.SightKind(c.Dimension)
	token, member, _ := strings.Cut(string(kind), ".")
	in := " in the access token"
	if token == "client_assertion" {
		in = " in the assertion"
	}
	switch member {
	case "claims":
		if was := usualValue(c); was != "" {
			return "had other claims" + in + " (" + claimsChange(was, c.Value) + ")"
		}
		return "had the claims " + line(c.Value) + in
	case "lifetime":
		return "had a lifetime of " + sightValue(kind, c.Value) + in
	case "jti":
		if c.Value == "none" {
			return "had no jti" + in
		}
		return "had a jti of the form " + line(c.Value) + in
	}
	if c.Value == "" {
		return "had no " + member + in
	}
	return "had " + member + " " + line(c.Value) + in
}

// usualValue is the one that most of the baseline had, "" when there is none.
func usualValue(c classify.Contrast) string {
	most := classify.ContrastValue{}
	for _, v := range c.Values {
		if v.Value != c.Value && v.There > most.There {
			most = v
		}
	}
	return most.Value
}

// dimensionWords names a dimension at the head of a table.
func dimensionWords(d classify.Dimension) string {
	switch d {
	case classify.DimensionClient, classify.DimensionEnvironment, classify.DimensionEndpoint, classify.DimensionMethod, classify.DimensionStatus, classify.DimensionService:
		return capitalize(string(d))
	case classify.DimensionServer:
		return "Server that answered"
	case classify.DimensionClientIP:
		return "Address of the client"
	}
	return capitalize(sightWords(classify.SightKind(d)))
}

// baselineWords names many of what failures are compared with.
func baselineWords(b classify.Baseline, earlier bool) string {
	switch b {
	case classify.BaselineAccepted:
		if earlier {
			return "earlier accepted requests of this client"
		}
		return "accepted requests of this client"
	case classify.BaselineOthersAccepted:
		return "accepted requests of other clients"
	case classify.BaselineTraffic:
		return "accepted requests of the same time"
	case classify.BaselineSameCause:
		return "other failures with this cause"
	case classify.BaselineSameClient:
		return "other failures of this client"
	}
	return "other failures"
}

// contrastsIntro says what was looked at.
func contrastsIntro(found store.Contrasts, i store.Incident, now time.Time) string {
	own := "all " + counted(i.Count, "failure", "failures")
	switch {
	case i.Count == 1:
		own = "the failure"
	case int64(found.Looked) < i.Count:
		own = "the latest " + count(int64(found.Looked)) + " of " + counted(i.Count, "failure", "failures")
	}
	beside := "what is kept of accepted requests"
	if found.Others > 0 {
		beside += ", and " + counted(int64(found.Others), "other failure", "other failures") + " at " + placeOf(i.Provider, i.Environment) + " of the same hours"
	}
	return "Compared were " + own + " with " + beside + "; clients and environments by all that was counted from " + stamp(found.From, now) + " to " + stamp(found.To, now) + "."
}
