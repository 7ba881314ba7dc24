package api

import (
	"strings"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// auditMany notes that many incidents were changed at once. What became of each is in its own log.
func (s *Server) auditMany(c echo.Context, changed int, how string) error {
	if changed == 0 {
		return nil
	}
	return s.Store.AddAudit(c.Request().Context(), store.AuditIncidentsChanged, counted(int64(changed), "incident", "incidents"), how)
}

// words says what a change does, without the note.
func (change incidentChangeJSON) words() string {
	var parts []string
	if change.State != nil {
		parts = append(parts, string(*change.State))
	}
	if change.Assignee != nil {
		parts = append(parts, "assigned")
	}
	if change.Note != "" {
		parts = append(parts, "note added")
	}
	return strings.Join(parts, ", ")
}
