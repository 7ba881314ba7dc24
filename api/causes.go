package api

import (
	"net/http"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// causeJSON is a row of the catalogue.
type causeJSON struct {
	Code         classify.Code   `json:"code"`
	Group        string          `json:"group,omitempty"`
	Title        string          `json:"title"`
	Summary      string          `json:"summary"`
	Fault        classify.Fault  `json:"fault"`
	Happened     string          `json:"happened"`
	Recognised   string          `json:"recognised"`
	ConfusedWith []confusionJSON `json:"confused_with"`
	Fix          []string        `json:"fix"`
	FixAt        []fixAtJSON     `json:"fix_at"`
	References   []referenceJSON `json:"references"`
	Links        linksJSON       `json:"links"`
}

type confusionJSON struct {
	Code classify.Code `json:"cause"`
	How  string        `json:"how"`
}

type fixAtJSON struct {
	Provider string   `json:"provider"`
	Steps    []string `json:"steps"`
}

type referenceJSON struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

func toCauseJSON(cause classify.Cause) causeJSON {
	return causeJSON{
		Code: cause.Code, Group: cause.Group, Title: cause.Title, Summary: cause.Summary, Fault: cause.Fault,
		Happened: cause.Happened, Recognised: cause.Recognised, Fix: append([]string{}, cause.Fix...),
		ConfusedWith: convert(cause.ConfusedWith, func(c classify.Confusion) confusionJSON { return confusionJSON(c) }),
		FixAt:        convert(cause.FixAt, func(f classify.FixAt) fixAtJSON { return fixAtJSON(f) }),
		References:   convert(cause.References, func(r classify.Reference) referenceJSON { return referenceJSON(r) }),
		Links:        linksJSON{Self: "/api/v1/causes/" + string(cause.Code), Page: "/causes/" + string(cause.Code)},
	}
}

func causeCodes() []classify.Code {
	return convert(classify.Catalogue(), func(c classify.Cause) classify.Code { return c.Code })
}

func (s *Server) listCauses(c echo.Context) error {
	q := s.query(c)
	q.rows()
	if err := q.err(); err != nil {
		return err
	}
	return sendList(c, q, convert(classify.Catalogue(), toCauseJSON), "")
}

func (s *Server) getCause(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	for _, cause := range classify.Catalogue() {
		if string(cause.Code) == c.Param("code") {
			return sendJSON(c, http.StatusOK, toCauseJSON(cause))
		}
	}
	return store.ErrNotFound
}
