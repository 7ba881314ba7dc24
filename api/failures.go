package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// failureJSON is a judged failure as the API shows it: the verdict's members beside those of its record. ID is ours;
// the shipper's own is record_id.
type failureJSON struct {
	classify.Verdict
	ID         string          `json:"id"`
	IncidentID string          `json:"incident_id"`
	RecordID   string          `json:"record_id,omitempty"`
	ReceivedAt time.Time       `json:"received_at"`
	RequestID  string          `json:"request_id,omitempty"`
	TraceID    string          `json:"trace_id,omitempty"`
	Service    string          `json:"service,omitempty"`
	Endpoint   string          `json:"endpoint,omitempty"`
	Method     string          `json:"method,omitempty"`
	URL        string          `json:"url,omitempty"`
	Status     int             `json:"status,omitempty"`
	Record     json.RawMessage `json:"record,omitempty"` // redacted; one failure only, lists leave it out
	Links      linksJSON       `json:"links"`
}

func toFailureJSON(f store.Failure) failureJSON {
	return failureJSON{
		Verdict: f.Verdict, ID: f.ID, IncidentID: f.IncidentID, RecordID: f.RecordID, ReceivedAt: f.ReceivedAt, RequestID: f.RequestID,
		TraceID: f.TraceID, Service: f.Service, Endpoint: f.Endpoint, Method: f.Method, URL: f.URL, Status: f.Status,
		Links: linksJSON{Self: "/api/v1/failures/" + f.ID, Incident: "/api/v1/incidents/" + f.IncidentID,
			Cause: "/api/v1/causes/" + string(f.Verdict.Cause), Page: "/failures/" + f.ID},
	}
}

// FailureDocument is a failure as GET /api/v1/failures/{id} shows it.
func FailureDocument(f store.Failure) any {
	out := toFailureJSON(f)
	out.Record = f.Record
	return out
}

func (s *Server) listFailures(c echo.Context) error {
	return s.sendFailures(c, "")
}

func (s *Server) listIncidentFailures(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	// An incident that does not exist is a 404, not an empty list.
	if _, err := s.Store.GetIncident(c.Request().Context(), id); err != nil {
		return err
	}
	return s.sendFailures(c, id)
}

func (s *Server) sendFailures(c echo.Context, incidentID string) error {
	q := s.query(c)
	f := store.FailureFilter{
		IncidentID:   incidentID,
		Causes:       manyOf(q, "cause", causeCodes()...),
		Providers:    q.all("provider"),
		Environments: q.all("environment"),
		Clients:      q.all("client"),
		Endpoints:    q.all("endpoint"),
		Statuses:     q.statuses(),
		RequestIDs:   q.all("request_id"),
		Terms:        q.terms(ofFailures),
		Page:         q.page(),
	}
	f.From, f.To = q.window()
	if err := q.err(); err != nil {
		return err
	}
	rows, next, err := s.Store.ListFailures(c.Request().Context(), f)
	if err != nil {
		return err
	}
	return sendList(c, q, convert(rows, toFailureJSON), next)
}

// statuses reads HTTP status codes; 0 stands for no response.
func (q *query) statuses() []int {
	var out []int
	for _, text := range q.all("status") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > 999 {
			q.fault("status", "out_of_range", "an HTTP status code, or 0 where there was no response")
			return nil
		}
		out = append(out, n)
	}
	return out
}

func (s *Server) getFailure(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	f, err := s.Store.GetFailure(c.Request().Context(), id)
	if err != nil {
		return err
	}
	out := toFailureJSON(f)
	out.Record = f.Record
	return sendJSON(c, http.StatusOK, out)
}
