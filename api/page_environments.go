package api

import (
	"net/http"
	"slices"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// An environmentsPage puts what the profiles say beside what traffic shows.
type environmentsPage struct {
	frame
	Providers []providerView
	Unused    []providerView // profiles without traffic
}

func (environmentsPage) template() string { return "environments.html" }

// A providerView is one provider with its environments as columns of a matrix.
type providerView struct {
	ID         string
	key        string // the id as traffic has it
	Title      string
	Known      bool // there is a profile
	Columns    []environmentColumn
	References []referenceView
}

// An environmentColumn is one environment: Listed by the profile, Traffic when some was seen.
type environmentColumn struct {
	Name           string
	key            string // the name as traffic has it
	Listed         bool
	TokenEndpoints []string
	Issuers        []string
	Audiences      []string
	Hosts          []string
	Clients        []string
	Traffic        *environmentCard
	FailuresURL    string
	Seen           []seenValues // accepted in the traffic and not in the profile's lists
	Leaks          []tally
}

// seenValues are accepted values of one kind.
type seenValues struct {
	What   string
	Values []string
}

func (s *Server) environmentsPage(c echo.Context) error {
	list, err := s.Store.ListEnvironments(c.Request().Context())
	if err != nil {
		return err
	}
	page := environmentsPage{frame: s.frameOf(c, "/environments")}
	page.Providers, page.Unused = providersOf(s.Profiles, list, s.nowFor(c))
	values, leaks, err := s.seenInEnvironments(c.Request().Context())
	if err != nil {
		return err
	}
	for p := range page.Providers {
		for n := range page.Providers[p].Columns {
			page.Providers[p].Columns[n].addSeen(page.Providers[p].key, s.Profiles, values, leaks)
		}
	}
	return s.render(c, http.StatusOK, page)
}

// providersOf lists providers with traffic first by name, then the profiles that wait for some.
func providersOf(profiles classify.Profiles, traffic []store.EnvironmentSummary, now time.Time) (used, unused []providerView) {
	var names []string
	for _, e := range traffic {
		if !slices.Contains(names, e.Provider) {
			names = append(names, e.Provider)
		}
	}
	for _, name := range names {
		view := providerView{ID: line(name), Title: line(name)}
		if name == "" {
			view.Title = "Unknown provider"
		}
		for _, p := range profiles {
			if p.ID == name {
				view = profileView(p)
			}
		}
		view.key = name
		view.addTraffic(traffic, name, now)
		used = append(used, view)
	}
	for _, p := range profiles {
		if !slices.Contains(names, p.ID) {
			unused = append(unused, profileView(p))
		}
	}
	return used, unused
}

// addSeen adds what was accepted in an environment beside what the profile lists, and what does not fit there.
func (c *environmentColumn) addSeen(provider string, profiles classify.Profiles, values map[[2]string]map[classify.SightKind][]string, leaks map[[2]string][]leak) {
	place := [2]string{provider, c.key}
	profile := profileOf(profiles, provider)
	for _, kind := range append(environmentKinds(), kidKinds()...) {
		v := seenValues{What: capitalize(sightWords(kind))}
		for _, value := range values[place][kind] {
			if !belongsTo(kind, value, c.key, profile) {
				v.Values = append(v.Values, line(value))
			}
		}
		if len(v.Values) > 0 {
			c.Seen = append(c.Seen, v)
		}
	}
	for _, l := range leaks[place] {
		c.Leaks = append(c.Leaks, tally{line(l.Value) + ": " + l.Detail, l.Behind})
	}
}

func profileView(p *classify.Profile) providerView {
	view := providerView{ID: p.ID, Title: p.Title, Known: true}
	if view.Title == "" {
		view.Title = p.ID
	}
	for _, r := range p.References {
		view.References = append(view.References, referenceView{Title: r, URL: r})
	}
	for _, e := range p.Environments {
		column := environmentColumn{Name: e.Name, key: e.Name, Listed: true, TokenEndpoints: e.TokenEndpoints, Issuers: e.Issuers, Audiences: e.APIAudiences, Hosts: e.Hosts}
		for _, client := range p.Clients {
			if slices.Contains(client.Environments, e.Name) {
				column.Clients = append(column.Clients, client.ID)
			}
		}
		view.Columns = append(view.Columns, column)
	}
	return view
}

func (v *providerView) addTraffic(traffic []store.EnvironmentSummary, provider string, now time.Time) {
	for _, e := range traffic {
		if e.Provider != provider {
			continue
		}
		card := environmentCards([]store.EnvironmentSummary{e}, now)[0]
		i := slices.IndexFunc(v.Columns, func(c environmentColumn) bool { return c.Name == e.Environment })
		if i < 0 {
			name := line(e.Environment)
			if name == "" {
				name = "unknown environment"
			}
			v.Columns = append(v.Columns, environmentColumn{Name: name, key: e.Environment})
			i = len(v.Columns) - 1
		}
		v.Columns[i].Traffic = &card
	}
}
