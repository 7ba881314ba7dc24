package api

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// linkTo returns path with the query q in which the named values are replaced; an empty value removes the name. The
// cursor goes too: it belongs to the list that was.
func linkTo(path string, q url.Values, set ...string) string {
	out := maps.Clone(q)
	if out == nil {
		out = url.Values{}
	}
	out.Del("cursor")
	for i := 0; i+1 < len(set); i += 2 {
		if set[i+1] == "" {
			out.Del(set[i])
		} else {
			out.Set(set[i], set[i+1])
		}
	}
	if len(out) == 0 {
		return path
	}
	return path + "?" + out.Encode()
}

// A tally is a number on a page and the list of what it counts; URL is empty where that is nothing, or kept nowhere.
type tally struct{ Text, URL string }

// tallyOf links a number to a list, unless it is nothing.
func tallyOf(n int64, list string) tally {
	if n == 0 {
		list = ""
	}
	return tally{Text: count(n), URL: list}
}

// recordsURL lists the failures between two times, and of what the pairs name, for numbers that are not of a page's own
// time. A range is no longer than a page takes; without a first time it is as long as that.
func recordsURL(first, last time.Time, pairs ...string) string {
	return rangeURL("/failures", first, last, pairs)
}

// incidentsURL is recordsURL for incidents.
func incidentsURL(first, last time.Time, pairs ...string) string {
	return rangeURL("/incidents", first, last, pairs)
}

func rangeURL(path string, first, last time.Time, pairs []string) string {
	if last.IsZero() {
		return ""
	}
	if oldest := last.Add(day - longestRange); first.Before(oldest) {
		first = oldest
	}
	w := window{From: first.UTC(), To: last.UTC().Add(time.Second)}
	return path + "?" + w.query(pairs...)
}

func sortedNames(q url.Values) []string { return slices.Sorted(maps.Keys(q)) }

// A causeRef is a cause as pages name it: plain words first, the code beside.
type causeRef struct {
	Code  string
	Title string
	URL   string
}

// causeAt links a cause as it is met at a provider, whose words its page shows first.
func causeAt(code classify.Code, p *classify.Profile) causeRef {
	ref := causeOf(code)
	if p != nil && p.ID != "" {
		ref.URL += "?provider=" + url.QueryEscape(p.ID)
	}
	return ref
}

func causeOf(code classify.Code) causeRef {
	row, ok := classify.Lookup(code)
	if !ok {
		return causeRef{Code: line(string(code)), Title: line(string(code)), URL: "/causes"}
	}
	return causeRef{Code: string(code), Title: row.Title, URL: "/causes/" + url.PathEscape(string(code))}
}

// A clientRef is a client as pages name it. URL is empty when there is nothing to link to.
type clientRef struct {
	Name  string
	URL   string
	Mixed bool // the name mixes scripts
}

func clientOf(id string) clientRef {
	switch id {
	case "":
		return clientRef{Name: "unknown client"}
	case ".", "..": // browsers resolve these in a path
		return clientRef{Name: id}
	}
	return clientRef{Name: line(id), URL: "/clients/" + url.PathEscape(id), Mixed: mixesScripts(id)}
}

// placeOf names a provider's environment: "polymarket / preprod".
func placeOf(provider, environment string) string {
	var parts []string
	for _, part := range []string{provider, environment} {
		if part != "" {
			parts = append(parts, line(part))
		}
	}
	if len(parts) == 0 {
		return "unknown environment"
	}
	return strings.Join(parts, " / ")
}

// A badge is a short label. Class chooses the colour; the text alone carries the meaning.
type badge struct {
	Class string
	Text  string
	Title string
}

func faultBadge(f classify.Fault) badge {
	switch f {
	case classify.FaultClient:
		return badge{"fault-client", "client", "The client has to change something."}
	case classify.FaultProvider:
		return badge{"fault-provider", "provider", "The authorization server's operator has to act."}
	case classify.FaultAPI:
		return badge{"fault-api", "API", "The owner of the API has to act."}
	case classify.FaultNetwork:
		return badge{"fault-network", "network", "Something between client and server has to be put right."}
	default:
		return badge{"fault-unknown", "unknown", "Nothing says yet who has to act."}
	}
}

func confidenceBadge(c classify.Confidence) badge {
	switch c {
	case classify.Proven:
		return badge{"confidence-proven", "proven", "A check demonstrates the cause and nothing contradicts it."}
	case classify.Stated:
		return badge{"confidence-stated", "stated", "The server's words name the cause; no check could demonstrate it."}
	default:
		return badge{"confidence-inferred", "inferred", "Only generic signs point to this cause."}
	}
}

func stateBadge(s store.State) badge {
	switch s {
	case store.StateOpen:
		return badge{"state-open", "open", "Nobody has taken it yet."}
	case store.StateAcknowledged:
		return badge{"state-acknowledged", "acknowledged", "Somebody is on it."}
	case store.StateSilenced:
		return badge{"state-silenced", "silenced", "It makes no noise until the silence ends."}
	default:
		return badge{"state-resolved", "resolved", "A new failure opens a new episode."}
	}
}

// groupClass is the colour class of a cause: one hue a group.
func groupClass(code string) string {
	row, ok := classify.Lookup(classify.Code(code))
	if !ok || row.Group == "" {
		return "g-other"
	}
	return "g-" + strings.ReplaceAll(row.Group, " ", "-")
}
