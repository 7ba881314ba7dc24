package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A clientsPage lists clients, latest activity first.
type clientsPage struct {
	frame
	Rows        []clientRow
	Environment string
	Choices     []option
	Next        string
	First       string
}

func (clientsPage) template() string { return "clients.html" }

// A clientPage is one client everywhere.
type clientPage struct {
	frame
	Client    clientRef
	State     string // in a sentence
	Failing   bool
	Range     rangeView
	Rows      []clientRow
	Chart     chartView
	Incidents []incidentRow
	Failures  []failureRow
	Behind    string // URL of all failures of the time
	Clocks    []clockView
	Lanes     lanesView
	Habits    []habitsView
	Changes   []changeRow
	Compare   []choice // environments to compare
}

func (clientPage) template() string { return "client.html" }

// A clientRow is one client at one provider's environment.
type clientRow struct {
	Client      clientRef
	Place       string
	Failures    tally
	Successes   string
	Share       string
	LastSuccess moment
	LastFailure moment
	First       moment
	Incidents   tally
	State       badge
}

func (s *Server) clientsPage(c echo.Context) error {
	q, now, ctx := c.QueryParams(), s.nowFor(c), c.Request().Context()
	list, next, err := s.Store.ListClients(ctx, store.ClientFilter{Environments: given(q, "environment"), Page: store.Page{Limit: 50, Cursor: q.Get("cursor")}})
	if err != nil {
		return err
	}
	environments, err := s.Store.ListEnvironments(ctx)
	if err != nil {
		return err
	}
	page := clientsPage{frame: s.frameOf(c, "/clients"), Rows: clientRows(list, now), Environment: q.Get("environment"), Choices: environmentOptions(environments, q.Get("environment"))}
	page.Next, page.First = pageLinks("/clients", q, next)
	return s.render(c, http.StatusOK, page)
}

func (s *Server) clientPage(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	ctx, now, q := c.Request().Context(), s.nowFor(c), c.QueryParams()
	w, err := windowOf(q, now, "7d")
	if err != nil {
		return err
	}
	list, _, err := s.Store.ListClients(ctx, store.ClientFilter{ClientID: id, Page: store.Page{Limit: 200}})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return store.ErrNotFound
	}
	trend, earlier, err := s.trendPair(ctx, w, store.TrendQuery{GroupBy: store.ByCause, Clients: []string{id}})
	if err != nil {
		return err
	}
	incidents, _, err := s.Store.ListIncidents(ctx, store.IncidentFilter{Clients: []string{id}, Page: store.Page{Limit: 20}})
	if err != nil {
		return err
	}
	failures, _, err := s.Store.ListFailures(ctx, store.FailureFilter{Clients: []string{id}, Page: store.Page{Limit: 10}})
	if err != nil {
		return err
	}
	page := clientPage{
		frame: s.frameOf(c, "/clients"), Client: clientOf(id), Range: w.view("/clients/"+url.PathEscape(id), q), Rows: clientRows(list, now),
		Incidents: incidentRows(incidents, w), Failures: failureRows(failures, now), Behind: "/failures?" + w.query("client", id),
		Chart: chartOf(chartInput{Title: "Failures by cause", Window: w, Starts: trend.Starts, Series: causeSeries(trend),
			Failures: trend.Failures, Successes: trend.Successes, Earlier: earlier.Failures, Strip: true, Behind: w.values("client", id)}),
	}
	page.State, page.Failing = clientState(list)
	if err := s.addSeen(ctx, &page, id, w); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, page)
}

// addSeen adds what the traffic has shown of a client.
func (s *Server) addSeen(ctx context.Context, page *clientPage, id string, w window) error {
	list, _, err := s.Store.ListSightings(ctx, store.SightingFilter{Clients: []string{id}})
	if err != nil {
		return err
	}
	kids := slices.DeleteFunc(withoutLeftOut(list), func(s store.Sighting) bool { return !isKid(s.Kind) })
	page.Lanes = lanesOf(keysOf(kids, w.Now), w)
	places := byPlace(list)
	for _, place := range places {
		page.Habits = append(page.Habits, habitsOf(place, profileOf(s.Profiles, place[0].Provider), w.Now))
		if _, asserts := latestOfKind(place, classify.SightAssertionAlg); !asserts {
			continue
		}
		hours, err := s.clockOf(ctx, place[0].Provider, place[0].Environment, id, assertionLifetime(place), w)
		if err != nil {
			return err
		}
		page.Clocks = append(page.Clocks, clockViewOf(placeOf(place[0].Provider, place[0].Environment), hours, w))
	}
	for n, a := range places {
		for _, b := range places[n+1:] {
			if a[0].Provider == b[0].Provider {
				page.Compare = append(page.Compare, choice{Label: environmentName(a[0].Environment) + " and " + environmentName(b[0].Environment),
					URL: "/environments/diff?" + url.Values{"client": {id}, "a": {a[0].Environment}, "b": {b[0].Environment}}.Encode()})
			}
		}
	}
	changes, _, err := s.Store.ListChanges(ctx, store.ChangeFilter{From: w.From, To: w.To, Clients: []string{id}, Sources: []store.ChangeSource{store.ChangeTold}, Page: store.Page{Limit: 10}})
	if err != nil {
		return err
	}
	seen, _, err := s.Store.ListSeenChanges(ctx, store.SeenChangeFilter{From: w.From, To: w.To, Clients: []string{id}, Page: store.Page{Limit: 20}})
	if err != nil {
		return err
	}
	for n := range seen {
		changes = append(changes, store.Change{Seen: &seen[n]})
	}
	slices.SortStableFunc(changes, func(a, b store.Change) int { return b.Time().Compare(a.Time()) })
	page.Changes = changeRows(changes, w.Now)
	return nil
}

func clientRows(list []store.ClientSummary, now time.Time) []clientRow {
	rows := make([]clientRow, 0, len(list))
	for _, c := range list {
		whose := []string{"client", c.ClientID, "provider", c.Provider, "environment", c.Environment}
		row := clientRow{
			Client: clientOf(c.ClientID), Place: placeOf(c.Provider, c.Environment), Failures: tallyOf(c.Failures, recordsURL(c.FirstSeenAt, c.LastFailureAt, whose...)), Successes: count(c.Successes),
			Share: percent(c.Failures, c.Failures+c.Successes), LastSuccess: ago(c.LastSuccessAt, now, "never"), LastFailure: ago(c.LastFailureAt, now, "never"),
			First: at(c.FirstSeenAt, now, "–"), Incidents: tallyOf(c.OpenIncidents, incidentsURL(c.FirstSeenAt, c.LastFailureAt, append(whose, "state", "all")...)),
		}
		row.State = clientBadge(c)
		rows = append(rows, row)
	}
	return rows
}

// clientBadge goes by the latest exchange: a client that succeeds again is not failing, whatever its incidents say.
func clientBadge(c store.ClientSummary) badge {
	switch {
	case isFailing(c) && c.LastSuccessAt.IsZero():
		return badge{"state-open", "never succeeded", "No success of this client was ever seen there."}
	case isFailing(c):
		return badge{"state-open", "failing", "Its latest authenticated exchange failed."}
	case c.OpenIncidents > 0:
		return badge{"state-acknowledged", "recovering", "Its latest exchange succeeded; an incident is still open."}
	default:
		return badge{"state-resolved", "succeeding", "Its latest authenticated exchange succeeded."}
	}
}

func isFailing(c store.ClientSummary) bool {
	return !c.LastFailureAt.IsZero() && c.LastFailureAt.After(c.LastSuccessAt)
}

// clientState says where the client fails and where it does not: works here, not there.
func clientState(list []store.ClientSummary) (words string, failing bool) {
	var bad, good []string
	for _, c := range list {
		if isFailing(c) {
			bad = append(bad, placeOf(c.Provider, c.Environment))
		} else {
			good = append(good, placeOf(c.Provider, c.Environment))
		}
	}
	var parts []string
	if len(bad) > 0 {
		parts = append(parts, "failing in "+join(bad))
	}
	if len(good) > 0 {
		parts = append(parts, "succeeding in "+join(good))
	}
	return capitalize(strings.Join(parts, ", ")) + ".", len(bad) > 0
}
