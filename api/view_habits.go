package api

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"
)

// A habitsView is what a client does in one environment.
type habitsView struct {
	Place   string
	Ready   string // for RFC 10070, in a sentence; "" when it sends no assertions
	Rows    []habitRow
	Margins marginsView
	Scopes  []scopeRow
}

// A habitRow is one kind of sighting with its latest values.
type habitRow struct {
	What   string
	Values []habitValue
	More   string // how many values are not shown
}

type habitValue struct {
	Value string
	Note  string
	Last  moment
}

// habitValues is how many values of a kind are shown, the latest first.
const habitValues = 3

// habitKinds are the kinds of which a client's habits are made, in the order of the page.
func habitKinds() []classify.SightKind {
	return []classify.SightKind{classify.SightAssertionAudience, classify.SightAssertionLifetime, classify.SightAssertionID, classify.SightAssertionType, classify.SightAssertionAlg,
		classify.SightAssertionClaims, classify.SightAssertionIssuer, classify.SightTokenIssuer, classify.SightTokenAudience, classify.SightTokenLifetime, classify.SightTokenType,
		classify.SightTokenAlg, classify.SightTokenClaims, classify.SightTokenEndpoint, classify.SightAPI, classify.SightUserAgent}
}

// habitsOf puts the sightings of one client and place together; those seen last are first.
func habitsOf(list []store.Sighting, p *classify.Profile, now time.Time) habitsView {
	v := habitsView{Place: placeOf(list[0].Provider, list[0].Environment), Ready: readiness(list, p), Margins: marginsOf(list), Scopes: scopesOf(list, now)}
	for _, kind := range habitKinds() {
		row := habitRow{What: capitalize(sightWords(kind))}
		left := 0
		for _, s := range list {
			switch {
			case s.Kind != kind:
			case len(row.Values) == habitValues || s.Value == store.SightingsLeftOut:
				left++
			default:
				row.Values = append(row.Values, habitValue{sightValue(kind, s.Value), seenOutcome(s), ago(s.LastSeen, now, "–")})
			}
		}
		if left > 0 {
			row.More = "and " + counted(int64(left), "other", "others")
		}
		if len(row.Values) > 0 {
			v.Rows = append(v.Rows, row)
		}
	}
	return v
}

// latestOfKind is the sighting of a kind that was seen last.
func latestOfKind(list []store.Sighting, kind classify.SightKind) (store.Sighting, bool) {
	for _, s := range list {
		if s.Kind == kind && s.Value != store.SightingsLeftOut {
			return s, true
		}
	}
	return store.Sighting{}, false
}

// readiness says whether the client's assertions will still be taken where only the issuer is as their aud, RFC 10070.
func readiness(list []store.Sighting, p *classify.Profile) string {
	aud, ok := latestOfKind(list, classify.SightAssertionAudience)
	if !ok {
		return ""
	}
	switch audienceForm(aud.Value, aud.Environment, p, list) {
	case "issuer":
		return "Ready for RFC 10070: its assertions name the issuer, and nothing beside it, as aud."
	case "array":
		return "Not ready for RFC 10070: aud is an array; a server that has tightened takes the issuer alone, as one text."
	case "token_endpoint":
		return "Not ready for RFC 10070: aud is the token endpoint; a server that has tightened takes the issuer alone."
	}
	return "Whether it is ready for RFC 10070 cannot be told: no profile says what the issuer is, and aud is not the token endpoint."
}

// audienceForm is issuer, token_endpoint, array or other.
func audienceForm(aud, environment string, p *classify.Profile, list []store.Sighting) string {
	if strings.HasPrefix(aud, "[") {
		return "array"
	}
	if e := environmentIn(p, environment); e != nil {
		if slices.Contains(e.Issuers, aud) {
			return "issuer"
		}
		if slices.Contains(e.TokenEndpoints, aud) {
			return "token_endpoint"
		}
	}
	for _, s := range list {
		if s.Kind == classify.SightTokenEndpoint && s.Value == withoutScheme(aud) {
			return "token_endpoint"
		}
	}
	return "other"
}

func withoutScheme(address string) string {
	if _, rest, found := strings.Cut(address, "://"); found {
		return rest
	}
	return address
}

func environmentIn(p *classify.Profile, name string) *classify.Environment {
	if p == nil {
		return nil
	}
	for i := range p.Environments {
		if p.Environments[i].Name == name {
			return &p.Environments[i]
		}
	}
	return nil
}

func profileOf(profiles classify.Profiles, id string) *classify.Profile {
	for _, p := range profiles {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// A marginsView is a histogram of the time that access tokens had left when they were used.
type marginsView struct {
	Summary string
	Bars    []marginBar
}

type marginBar struct {
	Label string
	Words string
	Good  float64 // widths of 960
	Bad   float64
}

// late is what is close to the end: a call with less time left fails when it is queued, or when a clock is a little off.
const late = 15 * time.Second

func marginsOf(list []store.Sighting) marginsView {
	var v marginsView
	type class struct{ good, bad int64 }
	counts := map[string]class{}
	var all, close, expired int64
	for _, s := range list {
		if s.Kind == classify.SightExpiryMargin {
			counts[s.Value] = class{s.Accepted, s.Rejected + s.Other}
			all += s.Accepted + s.Rejected + s.Other
		}
	}
	if all == 0 {
		return v
	}
	var most int64
	for _, c := range counts {
		most = max(most, c.good+c.bad)
	}
	lower := ""
	for _, bound := range classify.MarginClasses() {
		upper := time.Duration(bound) * time.Second
		c := counts[upper.String()]
		label := lower + " to " + durationWords(upper)
		switch {
		case bound == 0:
			label = "expired"
			expired += c.good + c.bad
		case upper <= late:
			close += c.good + c.bad
		}
		v.add(label, c.good, c.bad, most)
		if lower = durationWords(upper); bound == 0 {
			lower = "0"
		}
	}
	v.add(lower+" and more", counts["more"].good, counts["more"].bad, most)
	v.Summary = percent(close, all) + " of " + counted(all, "use", "uses") + " of an access token came in the last " + durationWords(late) + " of its life, " + percent(expired, all) + " after its end."
	return v
}

func (v *marginsView) add(label string, good, bad, most int64) {
	words := count(good) + " accepted"
	if bad > 0 {
		words += ", " + count(bad) + " refused"
	}
	v.Bars = append(v.Bars, marginBar{Label: label, Words: words, Good: round(960 * float64(good) / float64(most)), Bad: round(960 * float64(bad) / float64(most))})
}

// A scopeRow is one scope of a client: whether it has it, whether it used it, whether it lacked it.
type scopeRow struct {
	Scope   string
	Granted moment
	Used    moment
	Refused moment
}

func scopesOf(list []store.Sighting, now time.Time) []scopeRow {
	rows := map[string]*scopeRow{}
	var names []string
	for _, s := range list {
		switch s.Kind {
		case classify.SightScopeGranted, classify.SightScopeUsed, classify.SightScopeRefused:
		default:
			continue
		}
		row := rows[s.Value]
		if row == nil {
			row = &scopeRow{Scope: line(s.Value), Granted: moment{Text: "never"}, Used: moment{Text: "not seen"}, Refused: moment{Text: "never"}}
			rows[s.Value], names = row, append(names, s.Value)
		}
		switch when := ago(s.LastSeen, now, "–"); s.Kind {
		case classify.SightScopeGranted:
			row.Granted = when
		case classify.SightScopeUsed:
			row.Used = when
		default:
			row.Refused = when
		}
	}
	slices.SortFunc(names, cmp.Compare[string])
	var out []scopeRow
	for _, name := range names {
		out = append(out, *rows[name])
	}
	return out
}

// byPlace cuts a client's sightings by provider and environment; the order of the list stays within each.
func byPlace(list []store.Sighting) [][]store.Sighting {
	var places [][]store.Sighting
	for _, s := range list {
		i := slices.IndexFunc(places, func(p []store.Sighting) bool { return p[0].Provider == s.Provider && p[0].Environment == s.Environment })
		if i < 0 {
			places = append(places, nil)
			i = len(places) - 1
		}
		places[i] = append(places[i], s)
	}
	return places
}
