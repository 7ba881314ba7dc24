package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// An environmentsDifference is what differs between a client's habits in two environments, and matters.
type environmentsDifference struct {
	provider string
	fields   []fieldDifference
	same     int
	expected int
}

type fieldDifference struct {
	kind   classify.SightKind
	a, b   string
	detail string
}

// ofEnvironment are the kinds that belong to an environment: they should differ where the environment does.
func ofEnvironment(kind classify.SightKind) bool {
	switch kind {
	case classify.SightAssertionAudience, classify.SightTokenAudience, classify.SightTokenIssuer, classify.SightTokenEndpoint, classify.SightAPI,
		classify.SightAssertionKID, classify.SightTokenKID:
		return true
	}
	return false
}

// environmentsDiff aligns what a client does in two environments. Errors: store.ErrNotFound when it was not seen in both.
func (s *Server) environmentsDiff(ctx context.Context, client, a, b string) (environmentsDifference, error) {
	list, _, err := s.Store.ListSightings(ctx, store.SightingFilter{Clients: []string{client}, Environments: []string{a, b}})
	if err != nil {
		return environmentsDifference{}, err
	}
	var inA, inB []store.Sighting
	for _, place := range byPlace(list) {
		switch {
		case place[0].Environment == a && inA == nil:
			inA = place
		case place[0].Environment == b && inB == nil && (inA == nil || inA[0].Provider == place[0].Provider):
			inB = place
		}
	}
	if inA == nil || inB == nil || a == b {
		return environmentsDifference{}, store.ErrNotFound
	}
	d := environmentsDifference{provider: inA[0].Provider}
	profile := profileOf(s.Profiles, d.provider)
	for _, kind := range append(habitKinds(), classify.SightAssertionKID, classify.SightTokenKID, classify.SightScopeGranted) {
		d.compare(kind, inA, inB, profile)
	}
	return d, nil
}

// compare puts the values that a kind has now beside each other.
func (d *environmentsDifference) compare(kind classify.SightKind, inA, inB []store.Sighting, p *classify.Profile) {
	a, hasA := currentValue(inA, kind)
	b, hasB := currentValue(inB, kind)
	if !hasA && !hasB {
		return
	}
	envA, envB := inA[0].Environment, inB[0].Environment
	add := func(detail string) { d.fields = append(d.fields, fieldDifference{kind, a, b, detail}) }
	switch {
	case hasA != hasB && kind == classify.SightScopeGranted:
		add("scopes were granted in one of the two only")
	case hasA != hasB:
		d.expected++ // nothing was seen in one of the two: that is no difference in what the client does
	case ofEnvironment(kind) && belongsTo(kind, a, envB, p) && !belongsTo(kind, a, envA, p):
		add("in " + environmentName(envA) + " it has the value of " + environmentName(envB))
	case ofEnvironment(kind) && belongsTo(kind, b, envA, p) && !belongsTo(kind, b, envB, p):
		add("in " + environmentName(envB) + " it has the value of " + environmentName(envA))
	case a == b && ofEnvironment(kind) && a != "" && !isKid(kind):
		add("the same in both, where each environment should have its own")
	case a == b && isKid(kind) && len(a) >= longKID:
		add("one key in both: each environment should have its own")
	case a == b:
		d.same++
	case ofEnvironment(kind):
		if formA, formB := audienceForm(a, envA, p, inA), audienceForm(b, envB, p, inB); kind == classify.SightAssertionAudience && formA != formB {
			add("aud has another form: " + strings.ReplaceAll(formA, "_", " ") + " against " + strings.ReplaceAll(formB, "_", " "))
			return
		}
		d.expected++
	default:
		add("differs, though the environment does not ask for it")
	}
}

func isKid(kind classify.SightKind) bool {
	return kind == classify.SightAssertionKID || kind == classify.SightTokenKID
}

// currentValue is the value that was seen last; of scopes all that were granted.
func currentValue(list []store.Sighting, kind classify.SightKind) (value string, ok bool) {
	if kind != classify.SightScopeGranted {
		s, ok := latestOfKind(list, kind)
		return s.Value, ok
	}
	var scopes []string
	for _, s := range list {
		if s.Kind == kind {
			scopes = append(scopes, s.Value)
		}
	}
	slices.Sort(scopes)
	return strings.Join(scopes, " "), len(scopes) > 0
}

// belongsTo says whether the profile gives a value to an environment.
func belongsTo(kind classify.SightKind, value, environment string, p *classify.Profile) bool {
	e := environmentIn(p, environment)
	if e == nil {
		return false
	}
	for _, listed := range profileValues(kind, e) {
		if listed == value || withoutScheme(listed) == withoutScheme(value) {
			return true
		}
	}
	return false
}

// profileValues are what a profile lists for a kind in an environment.
func profileValues(kind classify.SightKind, e *classify.Environment) []string {
	switch kind {
	case classify.SightTokenEndpoint:
		return e.TokenEndpoints
	case classify.SightTokenIssuer:
		return e.Issuers
	case classify.SightTokenAudience:
		return e.APIAudiences
	case classify.SightAPI:
		hosts := slices.Clone(e.Hosts)
		for _, audience := range e.APIAudiences {
			if host, _, _ := strings.Cut(withoutScheme(audience), "/"); host != audience {
				hosts = append(hosts, host)
			}
		}
		return hosts
	case classify.SightAssertionAudience:
		return slices.Concat(e.TokenEndpoints, e.Issuers)
	}
	return nil
}

// A leak is a value of the traffic that does not fit where it was seen.
type leak struct {
	Field  classify.SightKind
	Value  string
	Detail string
	Behind string // URL of the failures with it
}

// environmentKinds are the kinds that the matrix of environments holds.
func environmentKinds() []classify.SightKind {
	return []classify.SightKind{classify.SightTokenEndpoint, classify.SightTokenIssuer, classify.SightTokenAudience, classify.SightAPI, classify.SightAssertionAudience}
}

// seenInEnvironments are the accepted values of each environment, and those that do not fit, by provider and environment.
func (s *Server) seenInEnvironments(ctx context.Context) (map[[2]string]map[classify.SightKind][]string, map[[2]string][]leak, error) {
	list, _, err := s.Store.ListSightings(ctx, store.SightingFilter{Kinds: append(environmentKinds(), kidKinds()...)})
	if err != nil {
		return nil, nil, err
	}
	values, leaks := map[[2]string]map[classify.SightKind][]string{}, map[[2]string][]leak{}
	for _, one := range withoutLeftOut(list) {
		place := [2]string{one.Provider, one.Environment}
		if values[place] == nil {
			values[place] = map[classify.SightKind][]string{}
		}
		if one.Accepted > 0 && one.Value != "" && len(values[place][one.Kind]) < valuesShown && !slices.Contains(values[place][one.Kind], one.Value) {
			values[place][one.Kind] = append(values[place][one.Kind], one.Value)
		}
		if l, ok := leakOf(one, profileOf(s.Profiles, one.Provider)); ok && !slices.Contains(leaks[place], l) && len(leaks[place]) < valuesShown {
			leaks[place] = append(leaks[place], l)
		}
	}
	kids := slices.DeleteFunc(withoutLeftOut(list), func(s store.Sighting) bool { return !isKid(s.Kind) })
	for _, k := range keysOf(kids, s.Now()) {
		place := [2]string{k.Provider, k.Environment}
		for _, f := range k.Findings {
			if f.Code == "shared_across_environments" {
				leaks[place] = append(leaks[place], leak{Field: classify.SightKind(k.Token + ".kid"), Value: k.KID, Detail: f.Words})
			}
		}
	}
	return values, leaks, nil
}

// valuesShown bounds the values of one kind that a matrix shows.
const valuesShown = 8

// leakOf says what is wrong with a value where it was seen: it belongs to another environment, or the profile does not list it
// though the server takes it.
func leakOf(s store.Sighting, p *classify.Profile) (leak, bool) {
	here := environmentIn(p, s.Environment)
	if here == nil || isKid(s.Kind) || strings.HasPrefix(s.Value, "[") || belongsTo(s.Kind, s.Value, s.Environment, p) {
		return leak{}, false
	}
	whose := ""
	if s.ClientID != "" {
		whose = " of " + line(s.ClientID)
	}
	for _, other := range p.Environments {
		if belongsTo(s.Kind, s.Value, other.Name, p) {
			return leak{s.Kind, s.Value, capitalize(sightWords(s.Kind)) + whose + " is that of " + environmentName(other.Name) + "; " + seenOutcome(s) + ".", seenFailures(s)}, true
		}
	}
	if s.Accepted > 0 && s.Kind != classify.SightAssertionAudience && len(profileValues(s.Kind, here)) > 0 {
		return leak{Field: s.Kind, Value: s.Value, Detail: capitalize(sightWords(s.Kind)) + " is accepted and not in the profile."}, true
	}
	return leak{}, false
}

// An environmentsDiffPage compares what one client does in two environments.
type environmentsDiffPage struct {
	frame
	Client  clientRef
	A, B    string
	Words   string
	Rows    []differenceRow
	Choices []option
	ID      string
	ChoiceB []option
}

func (environmentsDiffPage) template() string { return "environments_diff.html" }

type differenceRow struct {
	What   string
	A, B   string
	Detail string
}

func (s *Server) environmentsDiffPage(c echo.Context) error {
	q, ctx := c.QueryParams(), c.Request().Context()
	id, a, b := q.Get("client"), q.Get("a"), q.Get("b")
	if !isText(id) || !isText(a) || !isText(b) {
		return store.ErrNotFound
	}
	list, _, err := s.Store.ListClients(ctx, store.ClientFilter{ClientID: id, Page: store.Page{Limit: 200}})
	if err != nil {
		return err
	}
	if id == "" || len(list) == 0 {
		return store.ErrNotFound
	}
	var names []string
	for _, known := range list {
		if !slices.Contains(names, known.Environment) {
			names = append(names, known.Environment)
		}
	}
	page := environmentsDiffPage{frame: s.frameOf(c, "/environments"), Client: clientOf(id), ID: id, A: line(a), B: line(b)}
	page.Choices, page.ChoiceB = optionsOf(slices.Clone(names), a), optionsOf(slices.Clone(names), b)
	d, err := s.environmentsDiff(ctx, id, a, b)
	switch {
	case err == nil:
		page.Words = counted(int64(len(d.fields)), "field differs and matters", "fields differ and matter") + "; " + count(int64(d.same)) + " are the same, " + count(int64(d.expected)) + " differ as they should."
	case errors.Is(err, store.ErrNotFound):
		page.Words = "It was not seen in both: choose two environments in which it was."
	default:
		return err
	}
	for _, f := range d.fields {
		page.Rows = append(page.Rows, differenceRow{capitalize(sightWords(f.kind)), sightValue(f.kind, f.a), sightValue(f.kind, f.b), capitalize(f.detail) + "."})
	}
	return s.render(c, http.StatusOK, page)
}
