package api

import (
	"net/http"
	"strings"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A causesPage is the catalogue with what was seen of it.
type causesPage struct {
	frame
	Groups []causeGroup
	Words  string // of the window of the counts
}

func (causesPage) template() string { return "causes.html" }

// A causeGroup is one group of the catalogue.
type causeGroup struct {
	Name   string
	Class  string
	Causes []catalogueRow
}

// A catalogueRow is one cause of the catalogue page.
type catalogueRow struct {
	Cause   causeRef
	Summary string
	Fault   badge
	Count   tally
	Seen    bool
}

// A causePage is one cause: the catalogue's text and what was seen here.
type causePage struct {
	frame
	Cause      causeRef
	Class      string
	Group      string
	Fault      badge
	Row        classify.Cause
	Confusions []confusionView
	FixAt      []fixAtView
	References []referenceView
	Texts      textsView
	Example    *exampleView // nil where nothing was ever recorded
	Range      rangeView
	Chart      chartView
	Incidents  []incidentRow
	All        string // URL of all incidents of this cause
}

func (causePage) template() string { return "cause.html" }

// A confusionView is a look-alike and how to tell the two apart.
type confusionView struct {
	Cause causeRef
	How   string
}

// A fixAtView is the remedy at one provider.
type fixAtView struct {
	Provider string
	Steps    []string
}

// A referenceView is a document. URL is empty unless it is https.
type referenceView struct{ Title, URL string }

func (s *Server) causesPage(c echo.Context) error {
	w, err := windowOf(nil, s.nowFor(c), "7d")
	if err != nil {
		return err
	}
	trend, err := s.Store.Trend(c.Request().Context(), store.TrendQuery{From: w.From, To: w.To, Step: w.Step, GroupBy: store.ByCause})
	if err != nil {
		return err
	}
	seen := map[string]int64{}
	for _, series := range trend.Series {
		seen[series.Name] = series.Total
	}
	return s.render(c, http.StatusOK, causesPage{frame: s.frameOf(c, "/causes"), Groups: causeGroups(seen, w), Words: w.words()})
}

func causeGroups(seen map[string]int64, w window) []causeGroup {
	var groups []causeGroup
	for _, row := range classify.Catalogue() {
		name := capitalize(row.Group)
		if row.Group == "" {
			name = "No cause found"
		}
		if len(groups) == 0 || groups[len(groups)-1].Name != name {
			groups = append(groups, causeGroup{Name: name, Class: groupClass(string(row.Code))})
		}
		last := &groups[len(groups)-1]
		n := seen[string(row.Code)]
		last.Causes = append(last.Causes, catalogueRow{Cause: causeOf(row.Code), Summary: row.Summary, Fault: faultBadge(row.Fault), Count: tallyOf(n, "/failures?"+w.query("cause", string(row.Code))), Seen: n > 0})
	}
	return groups
}

func (s *Server) causePage(c echo.Context) error {
	code, err := param(c, "code")
	if err != nil {
		return err
	}
	row, ok := classify.Lookup(classify.Code(code))
	if !ok {
		return store.ErrNotFound
	}
	ctx, q := c.Request().Context(), c.QueryParams()
	w, err := windowOf(q, s.nowFor(c), "7d")
	if err != nil {
		return err
	}
	trend, earlier, err := s.trendPair(ctx, w, store.TrendQuery{GroupBy: store.ByCause, Causes: []classify.Code{row.Code}})
	if err != nil {
		return err
	}
	list, _, err := s.Store.ListIncidents(ctx, store.IncidentFilter{Causes: []classify.Code{row.Code}, Page: store.Page{Limit: 10}})
	if err != nil {
		return err
	}
	page := causePage{
		frame: s.frameOf(c, "/causes"), Cause: causeOf(row.Code), Class: groupClass(code), Group: row.Group, Fault: faultBadge(row.Fault), Row: row,
		Range: w.view("/causes/"+code, q), Incidents: incidentRows(list, w), All: linkTo("/incidents", nil, "state", "all", "cause", code),
		Chart: chartOf(chartInput{Title: "Failures of this cause", Window: w, Starts: trend.Starts, Series: causeSeries(trend),
			Failures: trend.Failures, Earlier: earlier.Failures, Behind: w.values("cause", code)}),
	}
	page.fillText(row, s.profile)
	page.Texts = textsOf(s.textsFor(row.Code, q.Get("provider")), row.Code)
	if example, ok := s.Examples[row.Code]; ok {
		page.Example = exampleOf(example)
	}
	return s.render(c, http.StatusOK, page)
}

// textsFor lists the texts of a cause, those of a provider first: whoever comes from a failure there wants its words.
func (s *Server) textsFor(cause classify.Code, provider string) []classify.Text {
	texts := s.Knowledge.Of(cause)
	if provider == "" {
		return texts
	}
	own := make([]classify.Text, 0, len(texts))
	var others []classify.Text
	for _, t := range texts {
		if s.says(t, provider) {
			own = append(own, t)
		} else {
			others = append(others, t)
		}
	}
	return append(own, others...)
}

func (p *causePage) fillText(row classify.Cause, profile func(id string) *classify.Profile) {
	for _, confusion := range row.ConfusedWith {
		p.Confusions = append(p.Confusions, confusionView{causeOf(confusion.Code), confusion.How})
	}
	for _, fix := range row.FixAt {
		name := fix.Provider
		if known := profile(fix.Provider); known != nil && known.Title != "" {
			name = known.Title
		}
		p.FixAt = append(p.FixAt, fixAtView{name, fix.Steps})
	}
	for _, r := range row.References {
		ref := referenceView{Title: r.Title}
		if strings.HasPrefix(r.URL, "https://") {
			ref.URL = r.URL
		}
		p.References = append(p.References, ref)
	}
}
