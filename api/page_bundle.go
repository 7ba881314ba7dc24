package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// A bundlePage shows what a support bundle holds before anybody hands it out.
type bundlePage struct {
	frame
	Incident   incidentView
	Pseudonyms bool
	Text       string // the Markdown form
	Records    string
	Removed    []removalRow
	Downloads  []choice
	Toggle     choice
}

func (bundlePage) template() string { return "bundle.html" }

// A removalRow is a place from which something secret was taken.
type removalRow struct{ Path, What, Places string }

func (s *Server) bundlePage(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	pseudonyms := c.QueryParam("pseudonyms") == "true"
	ctx, now := c.Request().Context(), s.nowFor(c)
	incident, err := s.Store.GetIncident(ctx, id)
	if err != nil {
		return err
	}
	b, err := s.bundles().Make(ctx, id, pseudonyms, now)
	if err != nil {
		return err
	}
	page := bundlePage{frame: s.frameOf(c, "/incidents"), Incident: incidentViewOf(incident, now), Pseudonyms: pseudonyms, Text: b.Markdown(),
		Records: counted(int64(len(b.Cases)), "record", "records")}
	for _, r := range b.Removed {
		page.Removed = append(page.Removed, removalRow{line(r.Path), r.What, counted(int64(r.Places), "record", "records")})
	}
	path := incidentURL(incident.ID) + "/bundle"
	suffix := ""
	page.Toggle = choice{Label: "With made-up names for clients, keys, hosts and ids", URL: path + "?pseudonyms=true"}
	if pseudonyms {
		suffix = "&pseudonyms=true"
		page.Toggle = choice{Label: "With the real names", URL: path}
	}
	page.Downloads = []choice{{Label: "Download Markdown", URL: path + "/file?form=markdown" + suffix}, {Label: "Download JSON", URL: path + "/file?form=json" + suffix}}
	return s.render(c, http.StatusOK, page)
}

// bundleFile is the download of the page: a link cannot say Accept.
func (s *Server) bundleFile(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	b, err := s.bundles().Make(c.Request().Context(), id, c.QueryParam("pseudonyms") == "true", s.nowFor(c))
	if err != nil {
		return err
	}
	media := mediaJSON
	if c.QueryParam("form") == "markdown" {
		media = mediaMarkdown
	}
	return sendBundle(c, b, media, true)
}
