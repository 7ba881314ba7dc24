package api

import (
	"context"
	"net/http"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// An overPage answers one question: is it over? It is small, so that the page of the incident, or a phone, can ask again and again.
type overPage struct {
	frame
	Live     string
	Incident incidentView
	Over     overView
	Refresh  string // seconds after which the page loads itself anew; "" for never
	Reload   string // address that does, or does not any more
}

func (overPage) template() string { return "over.html" }

// An overView is what is known of an incident's end.
type overView struct {
	URL   string
	Words string
	Over  bool // the client has succeeded since
}

func (s *Server) overPage(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	incident, err := s.Store.GetIncident(c.Request().Context(), id)
	if err != nil {
		return err
	}
	now := s.nowFor(c)
	page := overPage{frame: s.frameOf(c, "/incidents"), Live: s.assetURL("live.js"), Incident: incidentViewOf(incident, now)}
	if page.Over, err = s.over(c.Request().Context(), incident, now); err != nil {
		return err
	}
	page.Reload = page.Over.URL + "?refresh=" + reloadEvery
	if c.QueryParam("refresh") == reloadEvery {
		page.Refresh, page.Reload = reloadEvery, page.Over.URL
	}
	return s.render(c, http.StatusOK, page)
}

// over counts what the incident's client did since the last failure. Silence is not success.
func (s *Server) over(ctx context.Context, i store.Incident, now time.Time) (overView, error) {
	v := overView{URL: incidentURL(i.ID) + "/over", Words: overWords(i, now), Over: !i.FirstSuccess.IsZero()}
	if !v.Over || i.ClientID == "" {
		return v, nil
	}
	// Counts are of whole minutes: the one of the last failure is left out, but for the first success if it was in that.
	from, to, least := i.LastSeenAt.Truncate(time.Minute).Add(time.Minute), now.Truncate(time.Minute).Add(time.Minute), int64(0)
	if i.FirstSuccess.Before(from) {
		least = 1
	}
	if !from.Before(to) {
		v.Words = sinceWords(i, now, least, 0)
		return v, nil
	}
	t, err := s.Store.Trend(ctx, store.TrendQuery{From: from, To: to, Step: to.Sub(from), GroupBy: store.ByCause,
		Providers: []string{i.Provider}, Environments: []string{i.Environment}, Clients: []string{i.ClientID}})
	if err != nil {
		return v, err
	}
	v.Words = sinceWords(i, now, sum(t.Successes)+least, sum(t.Failures))
	return v, nil
}

// sinceWords says what came after the last failure. A first success is no proof that it is over: other failures are named.
func sinceWords(i store.Incident, now time.Time, successes, failures int64) string {
	words := "First success " + stamp(i.FirstSuccess, now) + ", " + durationWords(i.FirstSuccess.Sub(i.LastSeenAt)) + " after the last failure; " +
		counted(max(successes, 1), "success", "successes") + " since, and "
	if failures > 0 {
		return words + counted(failures, "failure", "failures") + " of other causes."
	}
	return words + "no failure of any cause."
}
