package api

import (
	"net/http"
	"net/url"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A viewsView is the list of a page's saved views, and the form that saves the page as it is.
type viewsView struct {
	Page  string
	Path  string
	Query string // of the page now
	Saved []savedView
	Share bool // the reader may save for everybody
}

// A savedView is one link of it. Delete is the address that takes its removal, "" where the reader may not.
type savedView struct {
	Name    string
	URL     string
	Whose   string
	Current bool
	Delete  string
}

// viewsOf lists the views of a page that shows q.
func (s *Server) viewsOf(c echo.Context, page store.ViewPage, q url.Values, share bool) (viewsView, error) {
	kept := url.Values{}
	for name := range q {
		if values := given(q, name); len(values) > 0 && name != "cursor" {
			kept[name] = values
		}
	}
	v := viewsView{Page: string(page), Path: pathOfView(page), Query: kept.Encode(), Share: share}
	list, err := s.Store.ListViews(c.Request().Context(), s.user(c).ID)
	if err != nil {
		return v, err
	}
	for _, one := range list {
		if one.Page != page {
			continue
		}
		row := savedView{Name: line(one.Name), URL: viewURL(one), Whose: "your own", Current: one.Query == v.Query}
		if one.Owner == "" {
			row.Whose = "for everybody, by " + line(one.By)
		}
		if one.Owner != "" || share {
			row.Delete = "/views/" + url.PathEscape(one.ID) + "/delete"
		}
		v.Saved = append(v.Saved, row)
	}
	return v, nil
}

// saveViewForm takes the form of a page. Everybody may save for themselves, responders for all.
func (s *Server) saveViewForm(c echo.Context) error {
	shared := c.FormValue("shared") == "true"
	if role := s.user(c).Role; shared && role != store.Responder && role != store.Admin {
		return fail(http.StatusForbidden, "Only responders save views for everybody.")
	}
	saved, err := s.saveView(c, newViewJSON{Page: store.ViewPage(c.FormValue("page")), Name: c.FormValue("name"), Query: c.FormValue("query"), Shared: &shared})
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, viewURL(saved))
}

func (s *Server) deleteViewForm(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	who := s.user(c)
	if err := s.Store.DeleteView(c.Request().Context(), id, who.ID, who.Role == store.Responder || who.Role == store.Admin); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, ownPath(c.FormValue("back")))
}
