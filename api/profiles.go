package api

import (
	"net/http"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// profileJSON is a profile in the terms of its YAML form; the path of its JWKS file on this host stays here.
type profileJSON struct {
	Provider     string                     `json:"provider"`
	Title        string                     `json:"title,omitempty"`
	References   []string                   `json:"references,omitempty"`
	Environments []classify.Environment     `json:"environments"`
	Assertion    *assertionJSON             `json:"assertion,omitempty"`
	AccessToken  *classify.AccessTokenRules `json:"access_token,omitempty"`
	Clients      []classify.Client          `json:"clients,omitempty"`
	Scopes       []classify.ScopeRule       `json:"scopes,omitempty"`
	CheckOrder   []string                   `json:"check_order,omitempty"`
	Meanings     []classify.Meaning         `json:"meanings,omitempty"`
	AudienceNext string                     `json:"audience_next,omitempty"`
	Links        linksJSON                  `json:"links"`
}

// assertionJSON writes the audience rule as YAML does: a keyword or a list of values.
type assertionJSON struct {
	classify.AssertionRules
	Audience any `json:"audience,omitempty"`
}

func toProfileJSON(p *classify.Profile) profileJSON {
	out := profileJSON{
		Provider: p.ID, Title: p.Title, References: p.References, Environments: append([]classify.Environment{}, p.Environments...),
		AccessToken: p.AccessToken, Clients: p.Clients, Scopes: p.Scopes, CheckOrder: p.CheckOrder, Meanings: p.Meanings, AudienceNext: p.AudienceNext,
		Links: linksJSON{Self: "/api/v1/profiles/" + p.ID},
	}
	if p.Assertion != nil {
		out.Assertion = &assertionJSON{AssertionRules: *p.Assertion}
		switch a := p.Assertion.Audience; {
		case a.Keyword != "":
			out.Assertion.Audience = a.Keyword
		case len(a.Values) > 0:
			out.Assertion.Audience = a.Values
		}
	}
	return out
}

func (s *Server) listProfiles(c echo.Context) error {
	q := s.query(c)
	q.rows()
	if err := q.err(); err != nil {
		return err
	}
	return sendList(c, q, convert(s.Profiles, toProfileJSON), "")
}

func (s *Server) getProfile(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	for _, p := range s.Profiles {
		if p.ID == c.Param("id") {
			return sendJSON(c, http.StatusOK, toProfileJSON(p))
		}
	}
	return store.ErrNotFound
}
