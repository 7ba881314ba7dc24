package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A keysPage lists the API keys and makes new ones. A new key stands in the answer to the form and nowhere else.
type keysPage struct {
	settingsFrame
	Rows   []keyRow
	Name   string
	Scopes []option
	Made   *madeKey
}

func (keysPage) template() string { return "settings_keys.html" }

type keyRow struct {
	ID, Name, Scope   string
	Created, LastUsed moment
	Revoked           moment
	State             badge
	RevokeURL         string // "" when it is revoked
}

type madeKey struct{ Name, Scope, Text string }

// nameLength bounds the name of a key or a person, in bytes.
const nameLength = 120

func scopeOptions(chosen store.Scope) []option {
	return wordOptions(chosen, store.ScopeIngest, store.ScopeRead, store.ScopeRespond, store.ScopeAdmin)
}

// wordOptions offers words of a closed set as they are.
func wordOptions[T ~string](chosen T, all ...T) (out []option) {
	for _, word := range all {
		out = append(out, option{string(word), string(word), word == chosen})
	}
	return out
}

func (s *Server) keysPage(c echo.Context) error {
	return s.showKeys(c, http.StatusOK, keysPage{Scopes: scopeOptions(store.ScopeIngest)})
}

func (s *Server) showKeys(c echo.Context, status int, page keysPage) error {
	problem := page.Problem
	page.settingsFrame = s.settingsFrame(c, "/settings/keys")
	page.Problem = problem
	list, err := s.Store.ListKeys(c.Request().Context())
	if err != nil {
		return err
	}
	for _, k := range list {
		page.Rows = append(page.Rows, keyRowOf(k, s.nowFor(c)))
	}
	return s.render(c, status, page)
}

func keyRowOf(k store.APIKey, now time.Time) keyRow {
	row := keyRow{ID: k.ID, Name: line(k.Name), Scope: string(k.Scope), Created: at(k.CreatedAt, now, ""), LastUsed: ago(k.LastUsedAt, now, "never"),
		State: badge{"state-resolved", "valid", ""}, RevokeURL: "/settings/keys/" + url.PathEscape(k.ID) + "/revoke"}
	if !k.RevokedAt.IsZero() {
		row.State, row.Revoked, row.RevokeURL = badge{"", "revoked", ""}, at(k.RevokedAt, now, ""), ""
	}
	return row
}

// nameOf checks the name that a form gives to a key or a person; problem is "" when it is good.
func (s *Server) nameOf(c echo.Context) (name, problem string) {
	name = strings.TrimSpace(c.FormValue("name"))
	switch {
	case name == "" || len(name) > nameLength || !isText(name):
		return "", "A name is a text of 1 to 120 bytes."
	case s.Redact(name) != name:
		return "", "The name looks like a secret, and names are shown to everybody. Choose another one."
	}
	return name, ""
}

// createKey shows the new key in its answer. There is no redirect to a page that could show it: it is kept nowhere.
func (s *Server) createKey(c echo.Context) error {
	scope := store.Scope(c.FormValue("scope"))
	page := keysPage{Scopes: scopeOptions(scope)}
	name, problem := s.nameOf(c)
	if problem == "" && selected(page.Scopes) == "" {
		problem = "Choose what the key may do."
	}
	if problem != "" {
		page.Name, page.Problem = name, problem
		return s.showKeys(c, http.StatusBadRequest, page)
	}
	key, text, err := s.Store.CreateKey(c.Request().Context(), scope, name)
	if err != nil {
		return err
	}
	page.Made = &madeKey{Name: line(key.Name), Scope: string(key.Scope), Text: text}
	return s.showKeys(c, http.StatusOK, page)
}

// A revokePage asks before a key is revoked.
type revokePage struct {
	settingsFrame
	Key keyRow
}

func (revokePage) template() string { return "settings_revoke.html" }

func (s *Server) revokePage(c echo.Context) error {
	key, err := s.keyOf(c)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, revokePage{settingsFrame: s.settingsFrame(c, "/settings/keys"), Key: keyRowOf(key, s.nowFor(c))})
}

// keyOf is the valid key that the path names, or store.ErrNotFound.
func (s *Server) keyOf(c echo.Context) (store.APIKey, error) {
	id, err := param(c, "id")
	if err != nil {
		return store.APIKey{}, err
	}
	list, err := s.Store.ListKeys(c.Request().Context())
	if err != nil {
		return store.APIKey{}, err
	}
	n := slices.IndexFunc(list, func(k store.APIKey) bool { return k.ID == id && k.RevokedAt.IsZero() })
	if n < 0 {
		return store.APIKey{}, store.ErrNotFound
	}
	return list[n], nil
}

func (s *Server) revokeKey(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	if err := s.Store.RevokeKey(c.Request().Context(), id); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/keys")
}

// A usersPage lists the people who may sign in, and makes the links by which they do.
type usersPage struct {
	settingsFrame
	Rows  []userRow
	Name  string
	Roles []option
	Made  *madeLink
}

func (usersPage) template() string { return "settings_users.html" }

type userRow struct {
	Name, Role string
	Created    moment
	LinkURL    string // makes a sign-in link
}

type madeLink struct{ Name, URL, Valid string }

// linkLength is how long a sign-in link works.
const linkLength = 30 * time.Minute

func roleOptions(chosen store.Role) []option {
	return wordOptions(chosen, store.Viewer, store.Responder, store.Admin)
}

func (s *Server) usersPage(c echo.Context) error {
	return s.showUsers(c, http.StatusOK, usersPage{Roles: roleOptions(store.Viewer)})
}

func (s *Server) showUsers(c echo.Context, status int, page usersPage) error {
	problem := page.Problem
	page.settingsFrame = s.settingsFrame(c, "/settings/users")
	page.Problem = problem
	list, err := s.Store.ListUsers(c.Request().Context())
	if err != nil {
		return err
	}
	for _, u := range list {
		page.Rows = append(page.Rows, userRow{Name: line(u.Name), Role: string(u.Role), Created: at(u.CreatedAt, s.nowFor(c), ""), LinkURL: "/settings/users/" + url.PathEscape(u.ID) + "/link"})
	}
	return s.render(c, status, page)
}

func (s *Server) addUser(c echo.Context) error {
	role := store.Role(c.FormValue("role"))
	page := usersPage{Roles: roleOptions(role)}
	name, problem := s.nameOf(c)
	if problem == "" && selected(page.Roles) == "" {
		problem = "Choose a role."
	}
	if problem != "" {
		page.Name, page.Problem = name, problem
		return s.showUsers(c, http.StatusBadRequest, page)
	}
	_, err := s.Store.CreateUser(c.Request().Context(), name, role)
	if errors.Is(err, store.ErrConflict) {
		page.Name, page.Problem = name, "There is already somebody of that name."
		return s.showUsers(c, http.StatusConflict, page)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/settings/users")
}

// linkUser shows a one-time sign-in link in its answer; like a key it is kept nowhere.
func (s *Server) linkUser(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	list, err := s.Store.ListUsers(ctx)
	if err != nil {
		return err
	}
	n := slices.IndexFunc(list, func(u store.User) bool { return u.ID == id })
	if n < 0 {
		return store.ErrNotFound
	}
	token, err := s.Store.CreateSignIn(ctx, id, linkLength)
	if err != nil {
		return err
	}
	return s.showUsers(c, http.StatusOK, usersPage{Roles: roleOptions(store.Viewer),
		Made: &madeLink{Name: line(list[n].Name), URL: s.BaseURL + "/setup/" + token, Valid: durationWords(linkLength)}})
}

// An auditPage lists who did what.
type auditPage struct {
	settingsFrame
	Rows        []auditRow
	Next, First string
}

func (auditPage) template() string { return "settings_audit.html" }

type auditRow struct {
	When                    moment
	Who, Via, Did, To, Note string
}

func (s *Server) auditPage(c echo.Context) error {
	q := url.Values{"cursor": c.QueryParams()["cursor"]}
	list, next, err := s.Store.ListAudit(c.Request().Context(), store.Page{Limit: 50, Cursor: q.Get("cursor")})
	if err != nil {
		return err
	}
	page := auditPage{settingsFrame: s.settingsFrame(c, "/settings/audit")}
	for _, a := range list {
		who, via := actorWords(a.Actor)
		page.Rows = append(page.Rows, auditRow{When: at(a.At, s.nowFor(c), ""), Who: who, Via: via, Did: actionWords(a.Action), To: line(a.Subject), Note: shown(a.Note, valueLength)})
	}
	page.Next, page.First = pageLinks("/settings/audit", q, next)
	return s.render(c, http.StatusOK, page)
}

func actorWords(a store.Actor) (who, via string) {
	switch a.Via {
	case store.ViaPage:
		return line(a.Name), "in the browser"
	case store.ViaAPI:
		return line(a.Name), "a key of the API"
	case store.ViaCommand:
		if a.Name == "" {
			return "somebody", "at the command line"
		}
		return line(a.Name), "at the command line"
	}
	return "authwatch", "by itself"
}

func actionWords(a store.AuditAction) string {
	switch a {
	case store.AuditKeyCreated:
		return "made the key"
	case store.AuditKeyRevoked:
		return "revoked the key"
	case store.AuditKeyLimited:
		return "bounded the key"
	case store.AuditRejectReplayed:
		return "took a rejected record of the key"
	case store.AuditUserAdded:
		return "added the user"
	case store.AuditLinkMade:
		return "made a sign-in link for"
	case store.AuditSignedIn:
		return "signed in as"
	case store.AuditChangeTold:
		return "told of the change"
	case store.AuditIncidentsChanged:
		return "changed at once"
	case store.AuditRuleCreated:
		return "made the alert rule"
	case store.AuditRuleChanged:
		return "changed the alert rule"
	case store.AuditRuleDeleted:
		return "deleted the alert rule"
	case store.AuditSilenceAdded:
		return "silenced"
	case store.AuditSilenceEnded:
		return "ended the silence"
	}
	return strings.ReplaceAll(line(string(a)), "_", " ")
}
