package api

import (
	"net/http"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A referencePage is the description of the REST API for people, made from openapi.yaml: its contents, or one part of it.
type referencePage struct {
	frame
	Summary    string
	Paragraphs []string
	Groups     []referenceGroup  // the contents; empty on the page of a part
	Group      *referenceGroup   // the part
	Schemas    []referenceSchema // the part that describes objects
}

func (referencePage) template() string { return "reference.html" }

// objectsPart is the part of the reference that describes objects; the others are tags.
const objectsPart = "objects"

func (s *Server) referencePage(c echo.Context) error {
	d, err := readDescription(s.description)
	if err != nil {
		return err
	}
	groups, err := d.groups(s.BaseURL)
	if err != nil {
		return err
	}
	page := referencePage{frame: s.frameOf(c, "/reference")}
	switch part := c.Param("part"); part {
	case "":
		page.Summary, page.Paragraphs, page.Groups = d.Info.Summary, paragraphs(d.Info.Description), groups
	case objectsPart:
		page.Schemas = d.schemas()
	default:
		for i := range groups {
			if groups[i].Part == part {
				page.Group = &groups[i]
			}
		}
		if page.Group == nil {
			return store.ErrNotFound
		}
	}
	return s.render(c, http.StatusOK, page)
}
