package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// viewJSON is a saved view as the API shows it.
type viewJSON struct {
	ID        string         `json:"id"`
	Page      store.ViewPage `json:"page"`
	Name      string         `json:"name"`
	Query     string         `json:"query"`
	Shared    bool           `json:"shared"`
	By        string         `json:"by"`
	CreatedAt time.Time      `json:"created_at"`
	Links     viewLinks      `json:"links"`
}

type viewLinks struct {
	Page string `json:"page"`
}

func toViewJSON(v store.View) viewJSON {
	return viewJSON{ID: v.ID, Page: v.Page, Name: v.Name, Query: v.Query, Shared: v.Owner == "", By: v.By, CreatedAt: v.CreatedAt, Links: viewLinks{viewURL(v)}}
}

// viewURL is the page with the view's filters.
func viewURL(v store.View) string {
	q, err := url.ParseQuery(v.Query)
	if err != nil {
		q = nil // it was read when it was saved
	}
	return linkTo(pathOfView(v.Page), q)
}

func pathOfView(page store.ViewPage) string {
	if page == store.ViewIncidents {
		return "/incidents"
	}
	return "/"
}

// newViewJSON is what saves a view.
type newViewJSON struct {
	Page   store.ViewPage `json:"page"`
	Name   string         `json:"name"`
	Query  string         `json:"query"`
	Shared *bool          `json:"shared"` // true unless given; a key has no views of its own
}

// view checks what was given: a view that is kept opens a page, not an error.
func (s *Server) view(given newViewJSON, who identity) (store.View, error) {
	v := store.View{Page: given.Page, Name: s.Redact(given.Name), By: who.name()}
	if given.Shared != nil && !*given.Shared {
		if v.Owner = who.user.ID; v.Owner == "" {
			return v, fail(http.StatusBadRequest, "A key has no views of its own.", fault{Pointer: "/shared", Code: "shared_only", Detail: "leave it out"})
		}
	}
	q, err := url.ParseQuery(given.Query)
	if err != nil {
		return v, fail(http.StatusBadRequest, "The query cannot be read.", fault{Pointer: "/query", Code: "not_a_query", Detail: "the query of a URL, such as state=all&range=7d"})
	}
	q.Del("cursor") // the view is the list, not a place in it
	v.Query = q.Encode()
	var faults []fault
	for _, values := range q {
		if slices.ContainsFunc(values, s.holdsSecret) {
			faults = append(faults, secretFault("/query"))
			break
		}
	}
	for _, f := range v.Faults() {
		faults = append(faults, faultOfField(f))
	}
	if !isText(v.Name) || line(v.Name) != v.Name {
		faults = append(faults, fault{Pointer: "/name", Code: "not_text", Detail: "one line of UTF-8 text"})
	}
	if len(faults) > 0 {
		return v, fail(http.StatusBadRequest, "The view is not valid; errors says why.", faults...)
	}
	w, err := windowOf(q, s.Now(), "24h")
	if err != nil {
		return v, err
	}
	if v.Page == store.ViewIncidents {
		_, err = pageIncidentFilter(q, w)
	} else {
		_, err = aloneOf(q)
	}
	return v, err
}

// saveView keeps a view that was checked.
func (s *Server) saveView(c echo.Context, given newViewJSON) (store.View, error) {
	v, err := s.view(given, identityOf(c))
	if err != nil {
		return v, err
	}
	saved, err := s.Store.SaveView(c.Request().Context(), v)
	if errors.Is(err, store.ErrTooMany) {
		return saved, fail(http.StatusConflict, "There are 100 such views already; delete one first.")
	}
	return saved, err
}

func (s *Server) listViews(c echo.Context) error {
	q := s.query(c)
	q.rows()
	if err := q.err(); err != nil {
		return err
	}
	list, err := s.Store.ListViews(c.Request().Context(), identityOf(c).user.ID)
	if err != nil {
		return err
	}
	return sendList(c, q, convert(list, toViewJSON), "")
}

func (s *Server) addView(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	var given newViewJSON
	if err := readJSON(c.Request(), &given); err != nil {
		return err
	}
	saved, err := s.saveView(c, given)
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusCreated, toViewJSON(saved))
}

func (s *Server) deleteView(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	if err := s.Store.DeleteView(c.Request().Context(), id, identityOf(c).user.ID, true); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
