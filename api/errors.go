package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A problem is an error with a public answer: RFC 9457 for programs, an error page for people. Detail never quotes
// what the client sent.
type problem struct {
	Type   string  `json:"type"` // about:blank: the status says it all
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Detail string  `json:"detail,omitempty"`
	Errors []fault `json:"errors,omitempty"`
	// ViolatedPolicies is of the problem type quota-exceeded.
	ViolatedPolicies []string `json:"violated-policies,omitempty"`
	header           http.Header
}

// A fault is one thing wrong with a request: of a query parameter, a header or a place in the body.
type fault struct {
	Index     *int     `json:"index,omitempty"`     // of the record in the body, from 0
	Pointer   string   `json:"pointer,omitempty"`   // RFC 6901, into the body or the record
	Parameter string   `json:"parameter,omitempty"` // query parameter
	Header    string   `json:"header,omitempty"`
	Code      string   `json:"code"`
	Detail    string   `json:"detail"`
	Allowed   []string `json:"allowed,omitempty"`
}

// Error returns the detail.
func (p *problem) Error() string { return p.Detail }

// fail returns a problem of that status.
func fail(status int, detail string, faults ...fault) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Errors: faults, header: http.Header{}}
}

// answerError is the one place that turns errors into answers.
func (s *Server) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := s.problemOf(err, c)
	for name, values := range p.header {
		c.Response().Header()[name] = values
	}
	var sent error
	switch {
	case p.Status == http.StatusUnauthorized && isPage(c) && isRead(c):
		sent = c.Redirect(http.StatusSeeOther, "/login")
	case isPage(c):
		s.recall(c)
		sent = s.renderError(c, p.Status, p.Title, p.Detail)
	default:
		sent = sendProblem(c, p)
	}
	if sent != nil {
		s.Logger.ErrorContext(c.Request().Context(), "error answer failed", "route", routeLabel(c), "err", sent)
	}
}

// recall finds out who is signed in where no route did, so that an error page keeps its navigation. An error in that is
// no news beside the one being answered.
func (s *Server) recall(c echo.Context) {
	if who, err := s.identify(c, pageViewer); err == nil {
		c.Set(identityKey, who)
	}
}

func (s *Server) problemOf(err error, c echo.Context) *problem {
	var known *problem
	var routing *echo.HTTPError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, store.ErrNotFound):
		return fail(http.StatusNotFound, "There is nothing here by that id.")
	case errors.Is(err, store.ErrConflict):
		return fail(http.StatusConflict, "It was changed meanwhile, or cannot change in this way from its present state.")
	case errors.Is(err, store.ErrInvalid):
		return fail(http.StatusBadRequest, "One of the values makes no sense here.")
	case errors.Is(err, store.ErrBusy), errors.Is(err, store.ErrClosed):
		p := fail(http.StatusServiceUnavailable, "Too much is being written, or the service is stopping. Nothing was changed; try again.")
		p.header.Set(echo.HeaderRetryAfter, "1")
		return p
	case errors.Is(err, store.ErrInvalidCursor):
		return fail(http.StatusBadRequest, "The cursor is not one of this list.",
			fault{Parameter: "cursor", Code: "invalid_cursor", Detail: "take it from the member next of the page before, with the same filters"})
	case errors.As(err, &routing):
		return routingProblem(routing.Code)
	case errors.Is(err, context.Canceled) && c.Request().Context().Err() != nil:
		return fail(http.StatusServiceUnavailable, "The request was given up.") // the client is gone: nobody reads this
	default:
		s.Logger.ErrorContext(c.Request().Context(), "request failed", "route", routeLabel(c), "err", err)
		return fail(http.StatusInternalServerError, "Something went wrong here; the log of the server says what.")
	}
}

// routingProblem words the errors that Echo raises by itself.
func routingProblem(status int) *problem {
	switch status {
	case http.StatusNotFound:
		return fail(status, "There is nothing at this address.")
	case http.StatusMethodNotAllowed:
		return fail(status, "This address does not answer that method; the header Allow lists those that it does.")
	case http.StatusRequestEntityTooLarge:
		return fail(status, "The body is larger than 8 MiB.")
	default:
		return fail(status, "")
	}
}

func sendProblem(c echo.Context, p *problem) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return c.Blob(p.Status, "application/problem+json", body)
}

// isPage is true where a person reads the answer: everything that is not for programs.
func isPage(c echo.Context) bool {
	path := c.Request().URL.Path
	for _, prefix := range []string{"/api/", "/ingest/", "/static/"} {
		if strings.HasPrefix(path, prefix) {
			return false
		}
	}
	switch path {
	case "/api", "/ingest", "/metrics", "/healthz", "/readyz":
		return false
	}
	return true
}

func isRead(c echo.Context) bool {
	return c.Request().Method == http.MethodGet || c.Request().Method == http.MethodHead
}
