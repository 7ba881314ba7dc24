package api

import (
	"net/http"
	"slices"

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

// causeDetailJSON is one cause with what servers say when they meet it, and a recorded answer.
type causeDetailJSON struct {
	causeJSON
	Texts   []textJSON   `json:"texts"`
	Example *exampleJSON `json:"example,omitempty"`
}

type textJSON struct {
	System string          `json:"system"`
	Phase  classify.Phase  `json:"phase"`
	Text   string          `json:"text"`
	Usual  bool            `json:"usual"` // this cause is the likeliest of the text
	Also   []classify.Code `json:"also"`  // the other causes of the same text
	Source string          `json:"source"`
	Quoted bool            `json:"quoted"` // in a thread: nobody saw it in the source
}

type exampleJSON struct {
	Verifier string           `json:"verifier"`
	Record   *classify.Record `json:"record"`
	Verdict  classify.Verdict `json:"verdict"`
}

func toTextJSON(t classify.Text, cause classify.Code) textJSON {
	out := textJSON{System: t.System, Phase: t.Phase, Text: t.Text, Usual: t.Cause == cause, Also: []classify.Code{}, Source: t.Source, Quoted: !t.Verbatim}
	for _, other := range append([]classify.Code{t.Cause}, t.Also...) {
		if other != cause && other != classify.Unclassified {
			out.Also = append(out.Also, other)
		}
	}
	return out
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
	q := s.query(c)
	providers := q.all("provider")
	if err := q.err(); err != nil {
		return err
	}
	cause, ok := classify.Lookup(classify.Code(c.Param("code")))
	if !ok {
		return store.ErrNotFound
	}
	out := causeDetailJSON{causeJSON: toCauseJSON(cause), Texts: []textJSON{}}
	for _, t := range s.Knowledge.Of(cause.Code) {
		if len(providers) == 0 || slices.ContainsFunc(providers, func(id string) bool { return s.says(t, id) }) {
			out.Texts = append(out.Texts, toTextJSON(t, cause.Code))
		}
	}
	if e, ok := s.Examples[cause.Code]; ok {
		out.Example = &exampleJSON{Verifier: e.Verifier, Record: e.Record, Verdict: e.Verdict}
	}
	return sendJSON(c, http.StatusOK, out)
}

// says reports whether a text is documented of a provider.
func (s *Server) says(t classify.Text, provider string) bool {
	title := ""
	if p := s.profile(provider); p != nil {
		title = p.Title
	}
	return t.SaidBy(provider, title)
}
