package api

import (
	"net/http"
	"net/url"
	"slices"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// An incidentsPage is the list of incidents; every filter is in the URL.
type incidentsPage struct {
	frame
	Range   rangeView
	Tabs    []choice
	Filters listFilters
	Views   viewsView
	Rows    []incidentRow
	Next    string // URL of the next page
	First   string // URL of the first page, when this is a later one
	Back    string // query of this list, for the form that changes several
}

func (incidentsPage) template() string { return "incidents.html" }

// A listFilters is the filter form of a list with what is chosen.
type listFilters struct {
	Path         string // of the list
	State        string
	Incident     string
	Range        string
	From, To     string
	Causes       []option
	Providers    []option
	Environments []option
	Faults       []option // of incidents only
	Client       string
	Search       string
	Example      string // of a search
	Active       bool   // something is filtered
	Clear        string // URL without filters
}

// An option is one entry of a select.
type option struct {
	Value    string
	Label    string
	Selected bool
}

// An incidentRow is one incident of a list.
type incidentRow struct {
	Cause      causeRef
	URL        string
	Summary    string
	Client     clientRef
	Place      string
	Count      tally
	First      moment
	Last       moment
	Confidence badge
	Fault      badge
	State      badge
	Assignee   string
	Tick       string // value of the box that ticks it; "" without one
}

func (s *Server) incidentsPage(c echo.Context) error {
	now, q := s.nowFor(c), c.QueryParams()
	w, err := windowOf(q, now, "7d")
	if err != nil {
		return err
	}
	filter, err := pageIncidentFilter(q, w)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	counted := filter
	counted.States, counted.Page = nil, store.Page{}
	states, err := s.Store.CountIncidents(ctx, counted)
	if err != nil {
		return err
	}
	list, next, err := s.Store.ListIncidents(ctx, filter)
	if err != nil {
		return err
	}
	environments, err := s.Store.ListEnvironments(ctx)
	if err != nil {
		return err
	}
	page := incidentsPage{
		frame: s.frameOf(c, "/incidents"), Range: w.view("/incidents", q), Tabs: stateTabs(q, states),
		Filters: filtersOf("/incidents", q, environments), Rows: incidentRows(list, w),
	}
	page.Filters.Example, page.Filters.Faults = "client:a* -env:dev", faultOptions(q.Get("fault"))
	page.Next, page.First = pageLinks("/incidents", q, next)
	page.Back = q.Encode()
	if page.Views, err = s.viewsOf(c, store.ViewIncidents, q, page.CanRespond); err != nil {
		return err
	}
	for n := range page.Rows {
		if page.CanRespond {
			page.Rows[n].Tick = list[n].ID
		}
	}
	return s.render(c, http.StatusOK, page)
}

// pageLinks are the ways on and back of a list that is read forwards.
func pageLinks(path string, q url.Values, next string) (on, back string) {
	if next != "" {
		on = linkTo(path, q)
		on += separator(on) + "cursor=" + url.QueryEscape(next)
	}
	if q.Get("cursor") != "" {
		back = linkTo(path, q)
	}
	return on, back
}

func separator(link string) string {
	if u, err := url.Parse(link); err == nil && u.RawQuery != "" {
		return "&"
	}
	return "?"
}

// pageIncidentFilter reads the filters of the URL; without a state it is the open ones.
func pageIncidentFilter(q url.Values, w window) (store.IncidentFilter, error) {
	f := store.IncidentFilter{
		Providers: given(q, "provider"), Environments: given(q, "environment"), Clients: given(q, "client"),
		From: w.From, To: w.To, Page: store.Page{Limit: 50, Cursor: q.Get("cursor")},
	}
	switch state := store.State(q.Get("state")); {
	case state == "":
		f.States = []store.State{store.StateOpen}
	case slices.Contains(store.States(), state):
		f.States = []store.State{state}
	case state != "all":
		return f, fail(http.StatusBadRequest, "The state is not open, acknowledged, silenced, resolved or all.",
			fault{Parameter: "state", Code: "unknown_state", Detail: "use open, acknowledged, silenced, resolved or all"})
	}
	var err error
	if f.Terms, err = searchOf(q.Get("q")); err != nil {
		return f, err
	}
	if f.Causes, err = givenCauses(q); err != nil {
		return f, err
	}
	for _, name := range given(q, "fault") {
		if !slices.Contains(classify.Faults(), classify.Fault(name)) {
			return f, fail(http.StatusBadRequest, "The fault is not client, provider, api, network or unknown.",
				fault{Parameter: "fault", Code: "unknown_fault", Detail: "use client, provider, api, network or unknown"})
		}
		f.Faults = append(f.Faults, classify.Fault(name))
	}
	return f, nil
}

// given returns the values of a filter; a select that was left at "any" sends an empty one.
func given(q url.Values, name string) []string {
	var values []string
	for _, v := range q[name] {
		if v != "" {
			values = append(values, v)
		}
	}
	return values
}

func givenCauses(q url.Values) (list []classify.Code, err error) {
	for _, code := range given(q, "cause") {
		if _, ok := classify.Lookup(classify.Code(code)); !ok {
			return nil, fail(http.StatusBadRequest, "There is no such cause; the page Causes lists them.",
				fault{Parameter: "cause", Code: "unknown_cause", Detail: "use a code of the catalogue"})
		}
		list = append(list, classify.Code(code))
	}
	return list, nil
}

func stateTabs(q url.Values, states map[store.State]int64) []choice {
	current := q.Get("state")
	if current == "" {
		current = string(store.StateOpen)
	}
	var tabs []choice
	var all int64
	for _, state := range store.States() {
		all += states[state]
		tabs = append(tabs, choice{Label: capitalize(string(state)), Count: count(states[state]), Current: current == string(state),
			URL: linkTo("/incidents", q, "state", string(state))})
	}
	return append(tabs, choice{Label: "All", Count: count(all), Current: current == "all", URL: linkTo("/incidents", q, "state", "all")})
}

func filtersOf(path string, q url.Values, environments []store.EnvironmentSummary) listFilters {
	f := listFilters{Path: path, State: q.Get("state"), Range: q.Get("range"), From: q.Get("from"), To: q.Get("to"), Client: q.Get("client"), Search: q.Get("q")}
	for _, name := range []string{"cause", "provider", "environment", "fault", "client", "q"} {
		f.Active = f.Active || len(given(q, name)) > 0
	}
	f.Clear = linkTo(path, q, "cause", "", "provider", "", "environment", "", "fault", "", "client", "", "q", "")
	for _, row := range classify.Catalogue() {
		f.Causes = append(f.Causes, option{string(row.Code), row.Title, q.Get("cause") == string(row.Code)})
	}
	var providers []string
	for _, e := range environments {
		providers = append(providers, e.Provider)
	}
	f.Providers, f.Environments = optionsOf(providers, q.Get("provider")), environmentOptions(environments, q.Get("environment"))
	return f
}

func environmentOptions(environments []store.EnvironmentSummary, chosen string) []option {
	var names []string
	for _, e := range environments {
		names = append(names, e.Environment)
	}
	return optionsOf(names, chosen)
}

func faultOptions(chosen string) []option {
	var out []option
	for _, name := range classify.Faults() {
		out = append(out, option{string(name), faultBadge(name).Text, chosen == string(name)})
	}
	return out
}

// optionsOf offers what traffic has shown, and what the URL asks for although it was never seen.
func optionsOf(values []string, chosen string) []option {
	if chosen != "" {
		values = append(values, chosen)
	}
	slices.Sort(values)
	var out []option
	for _, v := range slices.Compact(values) {
		if v != "" {
			out = append(out, option{v, line(v), v == chosen})
		}
	}
	return out
}

func incidentRows(list []store.Incident, w window) []incidentRow {
	rows := make([]incidentRow, 0, len(list))
	for _, i := range list {
		rows = append(rows, incidentRow{
			Cause: causeOf(i.Cause), URL: incidentURL(i.ID), Summary: shown(i.Summary, valueLength), Client: clientOf(i.ClientID),
			Place: placeOf(i.Provider, i.Environment), Count: tallyOf(i.Count, recordsURL(i.FirstSeenAt, i.LastSeenAt, "incident", i.ID)), First: at(i.FirstSeenAt, w.Now, "–"), Last: ago(i.LastSeenAt, w.Now, "–"),
			Confidence: confidenceBadge(i.Confidence), Fault: faultBadge(i.Fault), State: stateBadge(i.State), Assignee: line(i.Assignee),
		})
	}
	return rows
}
