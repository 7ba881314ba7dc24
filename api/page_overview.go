package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// An overviewPage answers: is it real, how bad, whose, and what is new.
type overviewPage struct {
	frame
	Range        rangeView
	Views        viewsView
	Start        *startView // nothing was ever received
	Lead         string     // "412 failures"
	Rest         string     // "in the last 24 hours"
	Lede         []string   // sentences below
	Figures      []figure
	Chart        chartView
	Worst        []worstRow
	Over         []worstRow // what ended by itself
	MoreWorst    string     // "" when the list is whole
	MoreURL      string
	Causes       []causeCount
	MoreCauses   []causeCount // behind a click
	Environments []environmentCard
	Received     moment
}

func (overviewPage) template() string { return "overview.html" }

func (s *Server) overviewPage(c echo.Context) error {
	now, q := s.nowFor(c), c.QueryParams()
	w, err := windowOf(q, now, "24h")
	if err != nil {
		return err
	}
	if w.Alone, err = aloneOf(q); err != nil {
		return err
	}
	page := overviewPage{frame: s.frameOf(c, "/"), Range: w.view("/", q)}
	page.Range.Compare = w.compareChoice("/", q)
	ctx := c.Request().Context()
	received, records, err := s.Store.LastReceived(ctx)
	if err != nil {
		return err
	}
	if records == 0 {
		page.Start = startOf(s.BaseURL, now)
		return s.render(c, http.StatusOK, page)
	}
	page.Received = ago(received, now, "never")
	facts, err := s.overviewFacts(ctx, w)
	if err != nil {
		return err
	}
	facts.fill(&page)
	if page.Views, err = s.viewsOf(c, store.ViewOverview, q, page.CanRespond); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, page)
}

// overviewFacts is everything that the overview is made of.
type overviewFacts struct {
	window       window
	now, before  store.Totals
	states       map[store.State]int64
	trend        store.Trend
	earlier      store.Trend
	groups       []outbreak
	counts       [][]int64 // failures a step of sparkWindow, of each group
	more         bool      // there are more groups
	environments []store.EnvironmentSummary
	marks        []store.Deployment
}

// rankedGroups bounds how many incidents and outbreaks are ranked for the overview; each costs one small trend.
const rankedGroups = 20

func (s *Server) overviewFacts(ctx context.Context, w window) (f overviewFacts, err error) {
	f.window = w
	if f.now, err = s.Store.Totals(ctx, w.From, w.To, nil, nil); err != nil {
		return f, err
	}
	from, to := w.earlier()
	if f.before, err = s.Store.Totals(ctx, from, to, nil, nil); err != nil {
		return f, err
	}
	if f.states, err = s.Store.CountIncidents(ctx, store.IncidentFilter{}); err != nil {
		return f, err
	}
	if f.trend, f.earlier, err = s.trendPair(ctx, w, store.TrendQuery{GroupBy: store.ByCause}); err != nil {
		return f, err
	}
	if f.environments, err = s.Store.ListEnvironments(ctx); err != nil {
		return f, err
	}
	if f.marks, err = s.marks(ctx, w, store.DeploymentFilter{}); err != nil {
		return f, err
	}
	return f, s.worst(ctx, &f)
}

// worst picks the incidents of the window that need somebody, gathers outbreaks, and reads the trend of those that can
// come to the top of the list.
func (s *Server) worst(ctx context.Context, f *overviewFacts) error {
	list, next, err := s.Store.ListIncidents(ctx, store.IncidentFilter{
		States: []store.State{store.StateOpen, store.StateAcknowledged, store.StateResolved}, From: f.window.From, To: f.window.To, Page: store.Page{Limit: 200},
	})
	if err != nil {
		return err
	}
	// What somebody resolved is done; what ended by itself is still news.
	list = slices.DeleteFunc(list, func(i store.Incident) bool {
		return i.State == store.StateResolved && i.StateChangedBy != store.ByItself
	})
	f.groups = outbreaks(list)
	presort(f.groups, f.window)
	all := len(f.groups)
	f.groups = ranked(f.groups)
	f.more = next != "" || all > len(f.groups)
	for _, group := range f.groups {
		t, err := s.Store.Trend(ctx, group.trend(sparkWindow(f.window)))
		if err != nil {
			return err
		}
		f.counts = append(f.counts, t.Failures)
	}
	return nil
}

// ranked keeps the first of the presorted groups that are not over, and a few of those that are.
func ranked(groups []outbreak) []outbreak {
	over := slices.IndexFunc(groups, outbreak.over)
	if over < 0 {
		over = len(groups)
	}
	return append(slices.Clone(groups[:min(over, rankedGroups)]), groups[over:min(len(groups), over+overShown)]...)
}

// sparkWindow has fewer steps than the chart: a word-sized drawing shows no more.
func sparkWindow(w window) window {
	if w.Step < time.Hour && w.To.Sub(w.From) >= day {
		w.Step = time.Hour
	}
	return w
}

// trendPair asks for a trend and for the same window earlier.
func (s *Server) trendPair(ctx context.Context, w window, q store.TrendQuery) (now, earlier store.Trend, err error) {
	q.From, q.To, q.Step = w.From, w.To, w.Step
	if now, err = s.Store.Trend(ctx, q); err != nil {
		return now, earlier, err
	}
	q.From, q.To = w.From.Add(-w.Shift), w.To.Add(-w.Shift)
	earlier, err = s.Store.Trend(ctx, q)
	return now, earlier, err
}
