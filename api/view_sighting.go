package api

import (
	"slices"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// sightWords names a kind of sighting in a sentence.
func sightWords(kind classify.SightKind) string {
	switch kind {
	case classify.SightTokenEndpoint:
		return "token endpoint"
	case classify.SightAPI:
		return "API host"
	case classify.SightUserAgent:
		return "user agent"
	case classify.SightWording:
		return "the server's words"
	case classify.SightScopeGranted:
		return "scope"
	case classify.SightScopeUsed:
		return "scope that a route asks for"
	case classify.SightScopeRefused:
		return "missing scope"
	case classify.SightExpiryMargin:
		return "time left when a token is used"
	}
	token, member, _ := strings.Cut(string(kind), ".")
	of := " of the access token"
	if token == "client_assertion" {
		of = " of the assertion"
	}
	switch member {
	case "claims":
		return "claims" + of
	case "lifetime":
		return "lifetime" + of
	case "jti":
		return "form of the jti"
	}
	return member + of
}

// sightValue writes a value for people: none for what the token does not have, durations in words.
func sightValue(kind classify.SightKind, value string) string {
	switch kind {
	case classify.SightAssertionLifetime, classify.SightTokenLifetime:
		if d, err := time.ParseDuration(value); err == nil {
			if d < 0 {
				return "−" + durationWords(d)
			}
			return durationWords(d)
		}
	}
	if value == "" {
		return "none"
	}
	return line(value)
}

// both in use: the value that was there before went on for so long after the new one came.
const overlap = time.Minute

// seenTitle says what changed: "aud of the assertion is now X, was Y".
func seenTitle(c store.SeenChange) string {
	what := capitalize(sightWords(c.Kind))
	switch c.Kind {
	case classify.SightAssertionClaims, classify.SightTokenClaims:
		return what + ": " + claimsChange(c.Was, c.Value)
	case classify.SightScopeGranted:
		return "New scope " + line(c.Value)
	case classify.SightWording:
		return what + " for " + inSentence(causeOf(classify.Code(c.Owner)).Title) + ": now “" + sightValue(c.Kind, c.Value) + "”, was “" + sightValue(c.Kind, c.Was) + "”"
	}
	was := ", was " + sightValue(c.Kind, c.Was)
	if c.WasSeenAt.Sub(c.FirstSeen) > overlap {
		was = " beside " + sightValue(c.Kind, c.Was)
	}
	return what + " is now " + sightValue(c.Kind, c.Value) + was
}

// claimsChange names the claims that came and went.
func claimsChange(was, now string) string {
	before, after := strings.Fields(was), strings.Fields(now)
	var parts []string
	without := func(list, other []string) (out []string) {
		for _, name := range list {
			if !slices.Contains(other, name) {
				out = append(out, line(name))
			}
		}
		return out
	}
	if gone := without(before, after); len(gone) > 0 {
		parts = append(parts, join(gone)+" gone")
	}
	if came := without(after, before); len(came) > 0 {
		parts = append(parts, join(came)+" new")
	}
	return strings.Join(parts, ", ")
}

// seenOutcome says how a new value fared.
func seenOutcome(s store.Sighting) string {
	switch {
	case s.Accepted > 0 && s.Rejected > 0:
		return "accepted " + counted(s.Accepted, "time", "times") + ", refused " + count(s.Rejected)
	case s.Rejected > 0:
		return "refused " + counted(s.Rejected, "time", "times") + ", never accepted"
	case s.Accepted > 0:
		return "accepted " + counted(s.Accepted, "time", "times")
	default:
		return "in " + counted(s.Other, "failure", "failures") + " that had another reason"
	}
}

// seenFailures lists the failures of whoever showed it while it was seen: a record is not found by what it shows.
func seenFailures(s store.Sighting) string {
	if s.Rejected+s.Other == 0 {
		return ""
	}
	pairs := []string{"provider", s.Provider, "environment", s.Environment}
	if s.ClientID != "" {
		pairs = append(pairs, "client", s.ClientID)
	}
	return recordsURL(s.FirstSeen, s.LastSeen, pairs...)
}

// seenPlace says whose change it is.
func seenPlace(s store.Sighting) string {
	where := placeOf(s.Provider, s.Environment)
	if s.Host != "" && s.ClientID == "" {
		where = line(s.Host) + " (" + where + ")"
	}
	if s.ClientID == "" {
		return where
	}
	return line(s.ClientID) + " at " + where
}
