package api

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// An access is who may use a route.
type access int

const (
	public        access = iota // anybody
	pageViewer                  // a signed-in person; keys never open pages
	pageResponder               // a signed-in responder or admin
	apiRead                     // a key of scope read, respond or admin, or any signed-in person
	apiRespond                  // a key of scope respond or admin, or a signed-in responder or admin
)

// An identity is who asks: a key or a person, never both.
type identity struct {
	key  store.APIKey
	user store.User
}

// name is what the audit of a change shows.
func (i identity) name() string {
	if i.user.ID != "" {
		return i.user.Name
	}
	return i.key.Name
}

const identityKey = "authwatch.identity"

// user returns the person who is signed in, or the zero User.
func (s *Server) user(c echo.Context) store.User { return identityOf(c).user }

func identityOf(c echo.Context) identity {
	who, _ := c.Get(identityKey).(identity)
	return who
}

// authorize lets through who has that access. Whatever a browser may send by itself (a cookie, or nothing at all) must
// come from our own pages when it could change something; a key in a header is never sent by a browser unasked.
func (s *Server) authorize(need access) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			who, err := s.identify(c, need)
			if err != nil {
				return err
			}
			if who.key.ID == "" {
				if err := s.crossOrigin.Check(c.Request()); err != nil {
					return fail(http.StatusForbidden, "The request came from a page of another site.")
				}
			}
			if err := who.allow(need); err != nil {
				return err
			}
			c.Set(identityKey, who)
			return next(c)
		}
	}
}

// identify finds out who asks. A key that is given counts alone: a wrong one is not made good by a cookie.
func (s *Server) identify(c echo.Context, need access) (identity, error) {
	if need == apiRead || need == apiRespond {
		if values := c.Request().Header.Values(echo.HeaderAuthorization); len(values) > 0 {
			return s.identifyKey(c, values)
		}
	}
	cookie, err := c.Cookie(s.cookieName(c))
	if err != nil {
		return identity{}, nil
	}
	session, err := s.Store.GetSession(c.Request().Context(), cookie.Value)
	if errors.Is(err, store.ErrNotFound) {
		return identity{}, nil
	}
	return identity{user: session.User}, err
}

func (s *Server) identifyKey(c echo.Context, values []string) (identity, error) {
	scheme, text, _ := strings.Cut(values[0], " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || strings.ContainsAny(text, " ,") {
		return identity{}, unauthorized(`error="invalid_request"`, "Send one Authorization header: Bearer and a key that begins with aw_.")
	}
	key, err := s.Store.FindKey(c.Request().Context(), text)
	if errors.Is(err, store.ErrNotFound) {
		return identity{}, unauthorized(`error="invalid_token"`, "The key is unknown or revoked.")
	}
	return identity{key: key}, err
}

func unauthorized(parameter, detail string) *problem {
	p := fail(http.StatusUnauthorized, detail)
	challenge := `Bearer realm="authwatch"`
	if parameter != "" {
		challenge += ", " + parameter
	}
	p.header.Set(echo.HeaderWWWAuthenticate, challenge)
	return p
}

// allow is nil when the identity has the access.
func (i identity) allow(need access) error {
	if need == public {
		return nil
	}
	if i.key.ID == "" && i.user.ID == "" {
		if need == pageViewer || need == pageResponder {
			return fail(http.StatusUnauthorized, "Sign in first.")
		}
		return unauthorized("", "Send a key: Authorization: Bearer aw_…")
	}
	responds := i.user.Role == store.Responder || i.user.Role == store.Admin || i.key.Scope == store.ScopeRespond || i.key.Scope == store.ScopeAdmin
	reads := responds || i.user.Role == store.Viewer || i.key.Scope == store.ScopeRead
	switch {
	case need == apiRead && !reads:
		return insufficientScope(store.ScopeRead)
	case need == apiRespond && !responds && i.user.ID == "":
		return insufficientScope(store.ScopeRespond)
	case need == pageViewer && !reads, (need == apiRespond || need == pageResponder) && !responds:
		return fail(http.StatusForbidden, "This needs the role responder or admin.")
	}
	return nil
}

// insufficientScope answers as RFC 6750 section 3.1 asks.
func insufficientScope(scope store.Scope) *problem {
	p := fail(http.StatusForbidden, "The key lacks the scope "+string(scope)+".")
	p.header.Set(echo.HeaderWWWAuthenticate, `Bearer realm="authwatch", error="insufficient_scope", scope="`+string(scope)+`"`)
	return p
}

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
