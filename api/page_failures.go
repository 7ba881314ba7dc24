package api

import (
	"net/http"
	"net/url"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A failuresPage lists the failures behind a number, newest event first; every filter is in the URL.
type failuresPage struct {
	frame
	Range      rangeView
	Filters    listFilters
	Incident   string // URL of the one that the list is of; "" for all
	Everywhere string // URL of the list without it
	Live       string // URL of the page that follows what matches
	Rows       []failureRow
	Next       string // URL of the next page
	First      string // URL of the first page, when this is a later one
}

func (failuresPage) template() string { return "failures.html" }

const failuresOnPage = 50

func (s *Server) failuresPage(c echo.Context) error {
	now, q := s.nowFor(c), c.QueryParams()
	w, err := windowOf(q, now, "24h")
	if err != nil {
		return err
	}
	filter, err := pageFailureFilter(q, w)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	list, next, err := s.Store.ListFailures(ctx, filter)
	if err != nil {
		return err
	}
	environments, err := s.Store.ListEnvironments(ctx)
	if err != nil {
		return err
	}
	page := failuresPage{
		frame: s.frameOf(c, "/failures"), Range: w.view("/failures", q), Filters: filtersOf("/failures", q, environments), Rows: failureRows(list, now),
		Live: linkTo("/live", url.Values{}, "q", q.Get("q")),
	}
	page.Filters.Example = "status:401 client:a* -env:dev"
	if filter.IncidentID != "" {
		page.Incident, page.Everywhere, page.Filters.Incident = incidentURL(filter.IncidentID), linkTo("/failures", q, "incident", ""), filter.IncidentID
	}
	page.Next, page.First = pageLinks("/failures", q, next)
	return s.render(c, http.StatusOK, page)
}

// pageFailureFilter reads the filters of the URL.
func pageFailureFilter(q url.Values, w window) (f store.FailureFilter, err error) {
	f = store.FailureFilter{
		IncidentID: q.Get("incident"), Providers: given(q, "provider"), Environments: given(q, "environment"), Clients: given(q, "client"),
		From: w.From, To: w.To, Page: store.Page{Limit: failuresOnPage, Cursor: q.Get("cursor")},
	}
	if f.Causes, err = givenCauses(q); err != nil {
		return f, err
	}
	f.Terms, err = searchOfFailures(q.Get("q"))
	return f, err
}
