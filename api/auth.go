package api

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

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
	pageAdmin                   // a signed-in admin
	apiAdmin                    // a key of scope admin, or a signed-in admin
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

// actor is who the audit log names.
func (i identity) actor() store.Actor {
	switch {
	case i.user.ID != "":
		return store.Actor{Name: i.user.Name, Via: store.ViaPage}
	case i.key.ID != "":
		return store.Actor{Name: i.key.Name, Via: store.ViaAPI}
	}
	return store.Actor{}
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
			if need == apiRead || need == apiRespond || need == apiAdmin {
				if err := s.limitRate(c, who); err != nil {
					return err
				}
			}
			c.Set(identityKey, who)
			c.SetRequest(c.Request().WithContext(store.WithActor(c.Request().Context(), who.actor())))
			return next(c)
		}
	}
}

// identify finds out who asks. A key that is given counts alone: a wrong one is not made good by a cookie.
func (s *Server) identify(c echo.Context, need access) (identity, error) {
	if need == public { // a database that is down must not break /healthz
		return identity{}, nil
	}
	if need == apiRead || need == apiRespond || need == apiAdmin {
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
		return identity{}, unauthorized("", "Send one Authorization header: Bearer and a key that begins with aw_.")
	}
	key, err := s.Store.FindKey(c.Request().Context(), text)
	if errors.Is(err, store.ErrNotFound) {
		if err := s.guessed(c); err != nil {
			return identity{}, err
		}
		return identity{}, unauthorized(`error="invalid_token"`, "The key is unknown or revoked.")
	}
	return identity{key: key}, err
}

// guessed is an error when too many wrong keys and links came from where this one came from.
func (s *Server) guessed(c echo.Context) error {
	wait := s.WrongKey(c.Request().RemoteAddr)
	if wait == 0 {
		return nil
	}
	p := fail(http.StatusTooManyRequests, "Many unknown keys or sign-in links came from this address. A valid one is taken at once.")
	p.header.Set(echo.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	return p
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
	person, key := i.user.ID != "", i.key.ID != ""
	admin := i.user.Role == store.Admin || i.key.Scope == store.ScopeAdmin
	responds := i.user.Role == store.Responder || i.user.Role == store.Admin || i.key.Scope == store.ScopeRespond || i.key.Scope == store.ScopeAdmin
	switch {
	case need == public:
		return nil
	case !person && (need == pageViewer || need == pageResponder || need == pageAdmin):
		return fail(http.StatusUnauthorized, "Sign in first.")
	case !person && !key:
		return unauthorized("", "Send a key: Authorization: Bearer aw_…")
	case person && !responds && (need == pageResponder || need == apiRespond):
		return fail(http.StatusForbidden, "This needs the role responder or admin.")
	case person && !admin && (need == pageAdmin || need == apiAdmin):
		return fail(http.StatusForbidden, "This needs the role admin.")
	case !person && !admin && need == apiAdmin:
		return insufficientScope(store.ScopeAdmin)
	case !person && !responds && need == apiRespond:
		return insufficientScope(store.ScopeRespond)
	case !person && !responds && i.key.Scope != store.ScopeRead:
		return insufficientScope(store.ScopeRead)
	}
	return nil
}

// insufficientScope answers as RFC 6750 section 3.1 asks.
func insufficientScope(scope store.Scope) *problem {
	p := fail(http.StatusForbidden, "The key lacks the scope "+string(scope)+".")
	p.header.Set(echo.HeaderWWWAuthenticate, `Bearer realm="authwatch", error="insufficient_scope", scope="`+string(scope)+`"`)
	return p
}
