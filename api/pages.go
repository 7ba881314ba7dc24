package api

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"

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

// A pageSet holds each page in its layout, by the name of its file. All share the parts.
type pageSet map[string]*template.Template

// loadPages parses every page into one set. There are no template functions: what a page shows is shaped in Go, as plain
// text, and html/template alone escapes it.
func loadPages() (pageSet, error) {
	set, err := template.ParseFS(web.Files(), "templates/parts/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse parts of pages: %w", err)
	}
	entries, err := web.Files().ReadDir("templates/pages")
	if err != nil {
		return nil, fmt.Errorf("list pages: %w", err)
	}
	pages := pageSet{}
	for _, entry := range entries {
		if pages[entry.Name()], err = addPage(set, entry.Name()); err != nil {
			return nil, fmt.Errorf("parse page %s: %w", entry.Name(), err)
		}
	}
	return pages, escapePages(set, pages)
}

// addPage parses a page and a layout of its own. A clone of the parts for each page was 10 MB in 200,000 pieces, which the
// collector of garbage had to look at again and again.
func addPage(set *template.Template, page string) (*template.Template, error) {
	var names []string // in the set, of what each page has of its own
	for _, own := range []string{"layout", "title", "head", "content"} {
		for _, action := range []string{"define", "block", "template"} {
			names = append(names, fmt.Sprintf(`{{%s "%s"`, action, own), fmt.Sprintf(`{{%s "%s of %s"`, action, own, page))
		}
	}
	rename := strings.NewReplacer(names...)
	for _, file := range []string{"templates/layout.html", "templates/pages/" + page} {
		text, err := web.Files().ReadFile(file)
		if err != nil {
			return nil, err
		}
		if _, err := set.New(file).Parse(rename.Replace(string(text))); err != nil {
			return nil, err
		}
	}
	return set.Lookup("layout of " + page), nil
}

// escapePages has html/template escape all pages in one pass, by executing what would call each of them and calls none: a
// part is escaped for each place that calls it, and is copied for the next place as it was before.
func escapePages(set *template.Template, pages pageSet) error {
	var all strings.Builder
	for page := range pages {
		fmt.Fprintf(&all, `{{template "layout of %s" .}}`, page)
	}
	t, err := set.New("all pages").Parse("{{if .}}" + all.String() + "{{end}}")
	if err != nil {
		return fmt.Errorf("parse all pages: %w", err)
	}
	if err := t.Execute(io.Discard, nil); err != nil {
		return fmt.Errorf("escape pages: %w", err)
	}
	return nil
}

// html executes a page into memory, so that an error is a clean 500 and never half a page.
func (p pageSet) html(v view) ([]byte, error) {
	t, ok := p[v.template()]
	if !ok {
		return nil, fmt.Errorf("render %s: no such page", v.template())
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
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
