package api

import (
	"net/http"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A failurePage is one record: as received (redacted), decoded, checked.
type failurePage struct {
	frame
	Failure   failureRow
	Incident  string // URL
	Verdict   verdictView
	Record    recordView
	Neighbour []failureRow // of the same request
	JSON      string       // URL
}

func (failurePage) template() string { return "failure.html" }

func (s *Server) failurePage(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	ctx, now := c.Request().Context(), s.nowFor(c)
	f, err := s.Store.GetFailure(ctx, id)
	if err != nil {
		return err
	}
	rec := recordOf(f.Record)
	page := failurePage{
		frame: s.frameOf(c, "/incidents"), Failure: failureRowOf(f, now), Incident: incidentURL(f.IncidentID),
		Verdict: verdictOf(f.Verdict, rec, s.profile(f.Verdict.Provider)), JSON: "/api/v1/failures/" + f.ID,
	}
	if rec != nil {
		page.Record = recordViewOf(*rec)
		page.Record.Received = at(f.ReceivedAt, now, "")
	}
	if f.RequestID != "" {
		list, _, err := s.Store.ListFailures(ctx, store.FailureFilter{RequestIDs: []string{f.RequestID}, Page: store.Page{Limit: 10}})
		if err != nil {
			return err
		}
		for _, other := range list {
			if other.ID != f.ID {
				page.Neighbour = append(page.Neighbour, failureRowOf(other, now))
			}
		}
	}
	return s.render(c, http.StatusOK, page)
}
