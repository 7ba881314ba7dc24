package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// feedJSON is one event of the feed and of the stream. Failure or incident are as they are now.
type feedJSON struct {
	ID          string        `json:"id"` // the place after it: for the parameter after and the header Last-Event-ID
	Event       string        `json:"event"`
	CommittedAt time.Time     `json:"committed_at"`
	FailureID   string        `json:"failure_id,omitempty"`
	IncidentID  string        `json:"incident_id,omitempty"`
	Failure     *failureJSON  `json:"failure,omitempty"`
	Incident    *incidentJSON `json:"incident,omitempty"`
}

func toFeedJSON(e store.FeedEvent) feedJSON {
	out := feedJSON{ID: e.After.String(), Event: e.Kind.String(), CommittedAt: e.At}
	if e.Kind.OfIncident() {
		out.IncidentID = e.ID
		if e.Incident != nil {
			shown := toIncidentJSON(*e.Incident)
			out.Incident = &shown
		}
		return out
	}
	out.FailureID = e.ID
	if e.Failure != nil {
		shown := toFailureJSON(*e.Failure)
		out.Failure, out.IncidentID = &shown, shown.IncidentID
	}
	return out
}

// feedPageJSON is a page of the feed. There is always a place to go on from.
type feedPageJSON struct {
	Data  []feedJSON `json:"data"`
	After string     `json:"after"` // to ask from next
	More  bool       `json:"more"`  // there is more already
}

// feedFilter reads the filters of feed and stream.
func (q *query) feedFilter() store.FeedFilter {
	f := store.FeedFilter{
		Causes: manyOf(q, "cause", causeCodes()...), Providers: q.all("provider"), Environments: q.all("environment"), Clients: q.all("client"),
		Terms: q.terms(ofFailures),
	}
	for _, about := range manyOf(q, "about", "failures", "incidents") {
		f.Failures, f.Incidents = f.Failures || about == "failures", f.Incidents || about == "incidents"
	}
	return f
}

// feedPlace reads a place in the feed; the zero position when none is given.
func (q *query) feedPlace(name, text string) store.FeedPosition {
	if text == "" {
		return store.FeedPosition{}
	}
	p, err := store.ParseFeedPosition(text)
	if err != nil {
		q.faults = append(q.faults, fault{Parameter: name, Code: "invalid_place", Detail: "take it from the member after of a page, or the id of an event"})
	}
	return p
}

// feed answers events in the order of their commits, for programs that ask again and again.
func (s *Server) feed(c echo.Context) error {
	q := s.query(c)
	f, limit, after := q.feedFilter(), q.whole("limit", 1, 1000, 200), q.one("after")
	from := store.FeedPosition{}
	if after != "start" {
		from = q.feedPlace("after", after)
	}
	if err := q.err(); err != nil {
		return err
	}
	media, err := negotiate(c, mediaJSON, mediaNDJSON)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	switch after {
	case "":
		from, err = s.Store.FeedEnd(ctx)
	case "start":
		from, err = s.Store.FeedStart(ctx)
	}
	if err != nil {
		return err
	}
	list, next, err := s.Store.ListFeed(ctx, from, f, limit)
	if errors.Is(err, store.ErrFeedGone) {
		return fail(http.StatusGone, "The feed does not reach back to this place: it holds a day. Ask without after for the place of now, and take what lies between from GET /api/v1/failures.",
			fault{Parameter: "after", Code: "gone", Detail: "older than a day, or of another database"})
	}
	if err != nil {
		return err
	}
	end, err := s.Store.FeedEnd(ctx)
	if err != nil {
		return err
	}
	q.next.Set("after", next.String())
	c.Response().Header().Set("Link", "<"+c.Request().URL.EscapedPath()+"?"+q.next.Encode()+`>; rel="next"`)
	page := feedPageJSON{Data: convert(list, toFeedJSON), After: next.String(), More: next.Before(end)}
	if media == mediaNDJSON {
		return sendLines(c, page.Data)
	}
	return sendJSON(c, http.StatusOK, page)
}

// sendLines writes one row a line.
func sendLines[T any](c echo.Context, rows []T) error {
	var b bytes.Buffer
	for i, row := range rows {
		line, err := json.Marshal(row)
		if err != nil {
			return fmt.Errorf("encode row %d: %w", i, err)
		}
		b.Write(append(line, '\n'))
	}
	return sendBlob(c, http.StatusOK, mediaNDJSON, b.Bytes())
}

// searchOfFailures reads the search of a page of failures.
func searchOfFailures(text string) ([]store.Term, error) {
	terms, err := parseSearch(text)
	if err != nil {
		return nil, fail(http.StatusBadRequest, "The search is not understood "+err.Error()+".", fault{Parameter: "q", Code: "not_understood", Detail: err.Error()})
	}
	return terms, nil
}
