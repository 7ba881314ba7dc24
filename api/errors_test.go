package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"authwatch/store"
)

func TestErrors_OfTheStore(t *testing.T) {
	s := newSite(t)
	c := s.api.echo.NewContext(httptest.NewRequest(http.MethodPatch, "/api/v1/incidents/inc_1", nil), httptest.NewRecorder())
	for _, tt := range []struct {
		err        error
		status     int
		retryAfter string
	}{
		{store.ErrNotFound, http.StatusNotFound, ""},
		{store.ErrConflict, http.StatusConflict, ""},
		{store.ErrInvalid, http.StatusBadRequest, ""},
		{store.ErrInvalidCursor, http.StatusBadRequest, ""},
		{store.ErrBusy, http.StatusServiceUnavailable, "1"},
		{store.ErrClosed, http.StatusServiceUnavailable, "1"},
		{errors.New("disk on fire"), http.StatusInternalServerError, ""},
	} {
		p := s.api.problemOf(fmt.Errorf("change incident inc_1: %w", tt.err), c)
		if p.Status != tt.status || p.header.Get("Retry-After") != tt.retryAfter {
			t.Errorf("%v: status %d, Retry-After %q; want %d, %q", tt.err, p.Status, p.header.Get("Retry-After"), tt.status, tt.retryAfter)
		}
	}
}
