package api

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"slices"

	"authwatch/store"
	"authwatch/web"

	"github.com/labstack/echo/v4"
)

// pageRoutes lists the pages of the dashboard: public, pageViewer (a signed-in person) or pageResponder (may change
// incidents). authorize has run before a handler does: it has refused cross-site posts, and s.user(c) is the person.
func (s *Server) pageRoutes() []route {
	return append(slices.Concat(s.alertPageRoutes(), s.settingsPageRoutes(), s.unclassifiedPageRoutes()), []route{
		{http.MethodGet, "/", pageViewer, s.overviewPage},
		{http.MethodGet, "/incidents", pageViewer, s.incidentsPage},
		{http.MethodGet, "/incidents/:id", pageViewer, s.incidentPage},
		{http.MethodPost, "/incidents/:id/state", pageResponder, s.changeIncidentState},
		{http.MethodGet, "/incidents/:id/bundle", pageViewer, s.bundlePage},
		{http.MethodGet, "/incidents/:id/bundle/file", pageViewer, s.bundleFile},
		{http.MethodPost, "/incidents/:id/note", pageResponder, s.changeIncidentNote},
		{http.MethodPost, "/incidents/change", pageResponder, s.changeManyIncidents},
		{http.MethodGet, "/i/:id", pageViewer, s.shortIncident},
		{http.MethodGet, "/incidents/:id/over", pageViewer, s.overPage},
		{http.MethodGet, "/live", pageViewer, s.livePage},
		{http.MethodGet, "/failures", pageViewer, s.failuresPage},
		{http.MethodGet, "/failures/:id", pageViewer, s.failurePage},
		{http.MethodGet, "/clients", pageViewer, s.clientsPage},
		{http.MethodGet, "/clients/:id", pageViewer, s.clientPage},
		{http.MethodGet, "/environments", pageViewer, s.environmentsPage},
		{http.MethodGet, "/environments/diff", pageViewer, s.environmentsDiffPage},
		{http.MethodGet, "/keys", pageViewer, s.signingKeysPage},
		{http.MethodGet, "/sources", pageViewer, s.sourcesPage},
		{http.MethodGet, "/sources/:id", pageViewer, s.sourcePage},
		{http.MethodGet, "/sources/:id/rejects/:reject", pageViewer, s.rejectPage},
		{http.MethodPost, "/sources/:id/rejects/:reject/replay", pageAdmin, s.replayRejected},
		{http.MethodGet, "/changes", pageViewer, s.changesPage},
		{http.MethodPost, "/changes", pageResponder, s.tellChange},
		{http.MethodGet, "/causes", pageViewer, s.causesPage},
		{http.MethodGet, "/causes/:code", pageViewer, s.causePage},
		{http.MethodGet, "/reference", pageViewer, s.referencePage},
		{http.MethodGet, "/reference/:part", pageViewer, s.referencePage},
		{http.MethodGet, "/check", pageViewer, s.checkPage},
		{http.MethodPost, "/check", pageViewer, s.checkPasted},
		{http.MethodGet, "/setup/:token", public, s.setupPage},
		{http.MethodPost, "/setup/:token", public, s.useSetup},
		{http.MethodGet, "/login", public, s.loginPage},
		{http.MethodPost, "/views", pageViewer, s.saveViewForm},
		{http.MethodPost, "/views/:id/delete", pageViewer, s.deleteViewForm},
		{http.MethodPost, "/zone", public, s.changeZone},
		{http.MethodPost, "/logout", public, s.logout},
	}...)
}

// A view is the data of one page. template names its file, so that a page cannot be shown with another page's data.
type view interface{ template() string }

// A pageSet holds each page parsed with exactly the layout and the shared parts.
type pageSet map[string]*template.Template

// loadPages parses every page. There are no template functions: what a page shows is shaped in Go, as plain text, and
// html/template alone escapes it.
func loadPages() (pageSet, error) {
	base, err := template.ParseFS(web.Files(), "templates/layout.html", "templates/parts/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse layout: %w", err)
	}
	entries, err := web.Files().ReadDir("templates/pages")
	if err != nil {
		return nil, fmt.Errorf("list pages: %w", err)
	}
	pages := pageSet{}
	for _, entry := range entries {
		t, err := base.Clone()
		if err != nil {
			return nil, fmt.Errorf("parse page %s: %w", entry.Name(), err)
		}
		if _, err := t.ParseFS(web.Files(), "templates/pages/"+entry.Name()); err != nil {
			return nil, fmt.Errorf("parse page %s: %w", entry.Name(), err)
		}
		pages[entry.Name()] = t
	}
	return pages, nil
}

// html executes a page into memory, so that an error is a clean 500 and never half a page.
func (p pageSet) html(v view) ([]byte, error) {
	t, ok := p[v.template()]
	if !ok {
		return nil, fmt.Errorf("render %s: no such page", v.template())
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "layout", v); err != nil {
		return nil, fmt.Errorf("render %s: %w", v.template(), err)
	}
	return b.Bytes(), nil
}

func (s *Server) render(c echo.Context, status int, v view) error {
	body, err := s.pages.html(v)
	if err != nil {
		return err
	}
	return c.HTMLBlob(status, body)
}

// A frame is what the layout needs around every page.
type frame struct {
	Nav        []choice // empty: nobody is signed in
	NavMore    []choice // behind a click
	NavHere    string   // label of what opens them: the one that the page belongs to, or More
	User       string
	CanRespond bool
	Alarms     []alarm // shippers that are silent or late
	Fresh      moment  // when the last record came
	Demo       bool
	Version    string
	Now        moment
	Zone       zoneView
	Theme      string // light or dark; empty: as the reader's system has it
	Style      string
	Script     string
	Keys       string
	Brush      string
	Icon       string
}

// themeOf is the theme that the reader chose. The server sets it on the page, so that its first paint has it and waits for
// no script; the script that writes the cookie is static/app.js.
func themeOf(c echo.Context) string {
	if cookie, err := c.Cookie("aw_theme"); err == nil && (cookie.Value == "light" || cookie.Value == "dark") {
		return cookie.Value
	}
	return ""
}

// frameOf fills the frame; section is the path of the part of the dashboard that the page belongs to.
func (s *Server) frameOf(c echo.Context, section string) frame {
	now := s.nowFor(c)
	f := frame{
		Demo: s.Demo, Version: s.Version, Now: moment{ISO: now.UTC().Format("2006-01-02T15:04:05Z"), Text: now.Format("2 Jan 2006 15:04:05")},
		Style: s.assetURL("app.css"), Script: s.assetURL("app.js"), Keys: s.assetURL("keys.js"), Brush: s.assetURL("brush.js"), Icon: s.assetURL("icon.svg"),
	}
	f.Zone = zoneViewOf(c, now)
	f.Theme = themeOf(c)
	who := s.user(c)
	if who.ID == "" {
		return f
	}
	f.User = line(who.Name)
	f.Alarms = s.alarms(c)
	f.Fresh = s.fresh(c, now)
	f.CanRespond = who.Role == store.Responder || who.Role == store.Admin
	f.Nav = currentOf(section, []choice{
		{Label: "Overview", URL: "/", Key: "o"}, {Label: "Incidents", URL: "/incidents", Key: "i"}, {Label: "Clients", URL: "/clients", Key: "c"},
		{Label: "Environments", URL: "/environments", Key: "e"}, {Label: "Causes", URL: "/causes", Key: "d"}, {Label: "Check", URL: "/check", Key: "k"},
	})
	f.NavMore = currentOf(section, []choice{
		{Label: "Live", URL: "/live", Key: "l"}, {Label: "Failures", URL: "/failures", Key: "f"}, {Label: "Changes", URL: "/changes", Key: "h"}, {Label: "Keys", URL: "/keys", Key: "y"}, {Label: "Alerts", URL: "/alerts", Key: "a"}, {Label: "Sources", URL: "/sources", Key: "s"},
		{Label: "Unclassified", URL: "/unclassified", Key: "u"}, {Label: "REST API", URL: "/reference", Key: "r"}, {Label: "Settings", URL: "/settings", Key: "t"},
	})
	f.NavHere = "More"
	for _, link := range f.NavMore {
		if link.Current {
			f.NavHere = link.Label
		}
	}
	return f
}

// currentOf marks the part of the dashboard that a page belongs to.
func currentOf(section string, links []choice) []choice {
	for i := range links {
		links[i].Current = links[i].URL == section
	}
	return links
}

// An errorPage says what went wrong and where to go on.
type errorPage struct {
	frame
	Status int
	Title  string
	Detail string
}

func (errorPage) template() string { return "error.html" }

// renderError shows an error to a person.
func (s *Server) renderError(c echo.Context, status int, title, detail string) error {
	return s.render(c, status, errorPage{frame: s.frameOf(c, ""), Status: status, Title: title, Detail: detail})
}
