package api

import "github.com/labstack/echo/v4"

// pageRoutes lists the pages of the dashboard: public, pageViewer (a signed-in person) or pageResponder (may change
// incidents). authorize has run before a handler does: it has refused cross-site posts, and s.user(c) is the person.
func (s *Server) pageRoutes() []route { return nil }

// renderError shows an error to a person.
func (s *Server) renderError(c echo.Context, status int, title, detail string) error {
	return c.String(status, title+"\n\n"+detail+"\n")
}
