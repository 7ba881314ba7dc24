package api

import (
	"net/http"
	"net/url"
	"strings"
	"time"

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
}

func (clientPage) template() string { return "client.html" }

// A clientRow is one client at one provider's environment.
type clientRow struct {
	Client      clientRef
	Place       string
	Failures    string
	Successes   string
	Share       string
	LastSuccess moment
	LastFailure moment
	First       moment
	Incidents   string
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
	var names []string
	for _, e := range environments {
		names = append(names, e.Environment)
	}
	page := clientsPage{frame: s.frameOf(c, "/clients"), Rows: clientRows(list, now), Environment: q.Get("environment"), Choices: optionsOf(names, q.Get("environment"))}
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
		Incidents: incidentRows(incidents, w), Failures: failureRows(failures, now),
		Chart: chartOf(chartInput{Title: "Failures by cause", Window: w, Starts: trend.Starts, Series: causeSeries(trend),
			Failures: trend.Failures, Successes: trend.Successes, Earlier: earlier.Failures, Strip: true}),
	}
	page.State, page.Failing = clientState(list)
	return s.render(c, http.StatusOK, page)
}

func clientRows(list []store.ClientSummary, now time.Time) []clientRow {
	rows := make([]clientRow, 0, len(list))
	for _, c := range list {
		row := clientRow{
			Client: clientOf(c.ClientID), Place: placeOf(c.Provider, c.Environment), Failures: count(c.Failures), Successes: count(c.Successes),
			Share: percent(c.Failures, c.Failures+c.Successes), LastSuccess: ago(c.LastSuccessAt, now, "never"), LastFailure: ago(c.LastFailureAt, now, "never"),
			First: at(c.FirstSeenAt, now, "–"), Incidents: count(c.OpenIncidents),
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
