package api

import (
	"errors"
	"net/http"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A loginPage explains how to get in.
type loginPage struct {
	frame
}

func (loginPage) template() string { return "login.html" }

func (s *Server) loginPage(c echo.Context) error {
	return s.render(c, http.StatusOK, loginPage{s.frameOf(c, "")})
}

// A setupPage shows whose one-time link was opened. Opening consumes nothing: chat programs and mail scanners open links.
type setupPage struct {
	frame
	Name   string
	Action string
}

func (setupPage) template() string { return "setup.html" }

func (s *Server) setupPage(c echo.Context) error {
	token, err := param(c, "token")
	if err != nil {
		return err
	}
	user, err := s.Store.CheckSignIn(c.Request().Context(), token)
	if errors.Is(err, store.ErrNotFound) {
		return s.usedLink(c)
	}
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, setupPage{frame: s.frameOf(c, ""), Name: line(user.Name), Action: c.Request().URL.EscapedPath()})
}

func (s *Server) useSetup(c echo.Context) error {
	token, err := param(c, "token")
	if err != nil {
		return err
	}
	err = s.startSession(c, token)
	if errors.Is(err, store.ErrNotFound) {
		return s.usedLink(c)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/")
}

func (s *Server) usedLink(c echo.Context) error {
	if err := s.guessed(c); err != nil {
		return err
	}
	return fail(http.StatusNotFound, "This sign-in link was used already, or it is too old. On the host of authwatch, run: authwatch user link NAME")
}

func (s *Server) logout(c echo.Context) error {
	if err := s.endSession(c); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/login")
}
