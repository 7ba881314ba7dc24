package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// healthz says that the process serves, and nothing else.
func (s *Server) healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// readyz says whether the database answers and can be written; the reason is in the log only.
func (s *Server) readyz(c echo.Context) error {
	if err := s.Store.Ready(c.Request().Context()); err != nil {
		s.Logger.WarnContext(c.Request().Context(), "not ready", "err", err)
		return fail(http.StatusServiceUnavailable, "The database does not answer or cannot be written.")
	}
	return c.String(http.StatusOK, "ready\n")
}
