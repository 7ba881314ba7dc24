package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// sessionLength is how long a person stays signed in.
const sessionLength = 24 * time.Hour

// startSession consumes a one-time sign-in token and signs the browser in; store.ErrNotFound when the token is no good.
func (s *Server) startSession(c echo.Context, token string) error {
	value, session, err := s.Store.UseSignIn(c.Request().Context(), token, sessionLength)
	if err != nil {
		return err
	}
	cookie := s.cookie(c, value)
	cookie.Expires = session.ExpiresAt
	c.SetCookie(cookie)
	return nil
}

// endSession signs the browser out, here and in what it keeps of us.
func (s *Server) endSession(c echo.Context) error {
	if cookie, err := c.Cookie(s.cookieName(c)); err == nil {
		if err := s.Store.EndSession(c.Request().Context(), cookie.Value); err != nil {
			return err
		}
	}
	gone := s.cookie(c, "")
	gone.MaxAge = -1
	c.SetCookie(gone)
	c.Response().Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return nil
}

func (s *Server) cookie(c echo.Context, value string) *http.Cookie {
	return &http.Cookie{Name: s.cookieName(c), Value: value, Path: "/", HttpOnly: true, Secure: s.isTLS(c), SameSite: http.SameSiteLaxMode}
}

// cookieName has the prefix that binds a cookie to this host over TLS; browsers refuse the prefix on plain HTTP.
func (s *Server) cookieName(c echo.Context) string {
	if s.isTLS(c) {
		return "__Host-aw"
	}
	return "aw_session"
}

func (s *Server) isTLS(c echo.Context) bool {
	return c.Request().TLS != nil || strings.HasPrefix(s.BaseURL, "https://")
}
