package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A sourcesPage says of each shipper whether its records come.
type sourcesPage struct {
	frame
	Rows []sourceRow
}

func (sourcesPage) template() string { return "sources.html" }

// A sourceRow is one ingest key.
type sourceRow struct {
	Name       string
	URL        string // "" for requests without a valid key
	State      badge
	Words      string // the state in a sentence, where there is something to say
	Last       moment
	Rate       string
	Lag        string
	LagWords   string
	Accepted   string
	Duplicates string
	Rejected   tally
	Refused    string
	Gathered   string // "" for none
	Altered    string // "" for none
	Other      string
	Gaps       string
	Held       string
}

// A sourcePage is one shipper: how it delivers, and what of it was not taken.
type sourcePage struct {
	frame
	Source  sourceRow
	ID      string
	Created moment
	Revoked moment
	Limit   string
	Chart   chartView
	Gaps    []gapView
	Reasons []reasonRow
	Code    string // the only one whose rejects are listed; "" for all
	Rejects []rejectRow
	Next    string
	First   string
}

func (sourcePage) template() string { return "source.html" }

type gapView struct {
	From, To moment
	Length   string
}

type reasonRow struct {
	Code, Count, URL string
}

// A rejectRow is a record that was not taken.
type rejectRow struct {
	Code, Detail, Pointer string
	Last                  moment
	Count                 string
	URL                   string
}

// A rejectPage shows one of them, as far as it is kept.
type rejectPage struct {
	frame
	Reject    rejectRow
	Source    string
	SourceURL string
	Route     string
	FirstSeen moment
	Bytes     string
	Record    string // "" when it is not kept
	CanReplay bool
	Result    string // of a replay that failed
}

func (rejectPage) template() string { return "reject.html" }

func (s *Server) sourcesPage(c echo.Context) error {
	list, err := s.Store.ListSources(c.Request().Context())
	if err != nil {
		return err
	}
	page := sourcesPage{frame: s.frameOf(c, "/sources")}
	for _, source := range list {
		page.Rows = append(page.Rows, sourceRowOf(source, s.nowFor(c)))
	}
	return s.render(c, http.StatusOK, page)
}

func sourceURL(id string) string { return "/sources/" + url.PathEscape(id) }

func sourceRowOf(source store.Source, now time.Time) sourceRow {
	recent, all := source.Recent(now), source.Day(now)
	row := sourceRow{
		Name: line(source.Key.Name), Last: ago(source.LastAt(), now, "never"), Rate: rate(perMinute(recent, now)), Lag: "–",
		Accepted: count(all.Accepted), Duplicates: count(all.Duplicates), Rejected: tally{Text: count(all.Rejected)}, Refused: count(all.Refused),
		Other: count(all.Other), Held: count(source.Held), Gaps: "none",
	}
	if all.Altered > 0 {
		row.Altered = count(all.Altered)
	}
	if all.Gathered > 0 {
		row.Gathered = count(all.Gathered)
	}
	if source.Key.ID == "" {
		row.Name, row.State = "Requests without a valid key", badge{"state-acknowledged", "refused", "Their key was missing, unknown or revoked: most shippers drop what they sent."}
		return row
	}
	row.URL = sourceURL(source.Key.ID)
	row.Rejected = tallyOf(all.Rejected, row.URL+"#rejects")
	if gaps := source.Gaps(now); len(gaps) > 0 {
		row.Gaps = counted(int64(len(gaps)), "gap", "gaps")
	}
	if recent.Lags.Total() > 0 {
		row.Lag = lagWords(recent.Lags.Median())
		row.LagWords = "all within " + durationWords(recent.Lags.Longest.Round(time.Second))
	}
	row.State, row.Words = sourceState(source, now)
	if recent.Gathered > 0 && row.Words == "" {
		row.State = badge{"state-acknowledged", "many new clients", "It names more new clients than may have incidents of their own."}
		row.Words = counted(recent.Gathered, "failure", "failures") + " of more new clients than may have incidents in the last 10 minutes."
	}
	return row
}

// lagWords reads an upper bound: the median is known by its class.
func lagWords(median time.Duration) string {
	if median < time.Second {
		return "under 1 s"
	}
	return "within " + durationWords(median)
}

// rate shows records a minute with as many digits as matter.
func rate(perMinute float64) string {
	switch {
	case perMinute == 0:
		return "0"
	case perMinute < 10:
		return strconv.FormatFloat(perMinute, 'f', 1, 64)
	}
	return count(int64(perMinute + 0.5))
}

func sourceState(source store.Source, now time.Time) (badge, string) {
	switch state, since := source.State(now); {
	case !source.Key.RevokedAt.IsZero():
		return badge{"", "revoked", "The key was revoked; what was sent since then was refused."}, ""
	case state == store.SourceSilent:
		return badge{"state-open", "silent", "Nothing came for longer than this shipper's habit allows."}, "Nothing came for " + roughly(now.Sub(since)) + "."
	case state == store.SourceLagging:
		return badge{"state-acknowledged", "lagging", "Half of its records come more than 5 min after their events."},
			"Half of its records come more than 5 min after their events, the latest " + roughly(source.Recent(now).Lags.Longest) + "."
	case source.LastAt().IsZero():
		return badge{"", "unused", "No record came with this key within the last week."}, ""
	}
	return badge{"state-resolved", "ok", "Records come as they usually do."}, ""
}

func (s *Server) sourcePage(c echo.Context) error {
	source, err := s.sourceOf(c)
	if err != nil {
		return err
	}
	ctx, now, q := c.Request().Context(), s.nowFor(c), c.QueryParams()
	w, err := windowOf(url.Values{}, now, "24h")
	if err != nil {
		return err
	}
	minutes, err := s.Store.SourceMinutes(ctx, source.Key.ID, w.From, w.To)
	if err != nil {
		return err
	}
	rejects, next, err := s.Store.ListRejects(ctx, source.Key.ID, q.Get("code"), store.Page{Limit: 20, Cursor: q.Get("cursor")})
	if err != nil {
		return err
	}
	page := sourcePage{
		frame: s.frameOf(c, "/sources"), Source: sourceRowOf(source, now), ID: source.Key.ID, Created: at(source.Key.CreatedAt, now, "–"),
		Revoked: at(source.Key.RevokedAt, now, ""), Chart: sourceChart(source, minutes, w),
	}
	if source.Key.Rate > 0 {
		page.Limit = count(source.Key.Rate) + " records a second"
	}
	for _, g := range slices.Backward(source.Gaps(now)) {
		page.Gaps = append(page.Gaps, gapView{at(g.From, now, ""), at(g.To, now, ""), durationWords(g.To.Sub(g.From))})
	}
	for _, code := range source.Codes {
		page.Reasons = append(page.Reasons, reasonRow{code.Code, count(code.Count), page.Source.URL + "?code=" + url.QueryEscape(code.Code) + "#rejects"})
	}
	page.Code = line(q.Get("code"))
	for _, r := range rejects {
		page.Rejects = append(page.Rejects, rejectRowOf(r, now))
	}
	page.Next, page.First = pageLinks(page.Source.URL, q, next)
	return s.render(c, http.StatusOK, page)
}

func rejectRowOf(r store.Reject, now time.Time) rejectRow {
	return rejectRow{
		Code: r.Code, Detail: capitalize(line(r.Detail)), Pointer: line(r.Pointer), Last: ago(r.LastAt, now, "–"), Count: count(r.Count),
		URL: sourceURL(r.Source) + "/rejects/" + url.PathEscape(r.ID),
	}
}

// sourceChart draws what came by receipt. Gaps are hatched.
func sourceChart(source store.Source, minutes []store.SourceMinute, w window) chartView {
	n := int(w.To.Sub(w.From) / w.Step)
	series := []namedSeries{
		{Class: "g-keys", Name: "new", Counts: make([]int64, n)}, {Class: "g-other", Name: "repeated", Counts: make([]int64, n)},
		{Class: "g-replay", Name: "not taken", Counts: make([]int64, n)}, {Class: "g-environment", Name: "no exchange", Counts: make([]int64, n)},
	}
	all := make([]int64, n)
	for _, m := range minutes {
		i := int(m.Start.Sub(w.From) / w.Step)
		if i < 0 || i >= n {
			continue
		}
		all[i] += m.Records()
		for k, records := range []int64{m.Accepted, m.Duplicates, m.Rejected, m.Other} {
			series[k].Counts[i] += records
			series[k].Total += records
		}
	}
	peak, peakAt := highest(all)
	v := chartView{Title: "Records by receipt", Width: chartWidth, Height: chartHeight, Lines: []float64{0, chartHeight / 2, chartHeight}, Labels: axisLabels(w)}
	in := chartInput{Window: w, Series: slices.DeleteFunc(series, func(s namedSeries) bool { return s.Total == 0 })}
	for i := range n {
		in.Starts = append(in.Starts, w.From.Add(time.Duration(i)*w.Step))
	}
	top, width := niceTop(peak), round(chartWidth/float64(n))
	v.Ticks = []string{count(top), count(top / 2), "0"}
	v.drawStack(in, top, width)
	v.drawReceipts(in, all, width)
	v.drawGaps(source.Gaps(w.Now), w)
	v.Empty = peak == 0
	v.Summary = "No records " + w.words() + "."
	if peak > 0 {
		v.Summary = counted(sum(all), "record", "records") + " " + w.words() + ", at most " + count(peak) + " in " + roughly(w.Step) + " (" + stepWords(in.Starts[peakAt], w) + ")."
	}
	return v
}

// drawReceipts gives every step its words and its row of the table.
func (v *chartView) drawReceipts(in chartInput, all []int64, width float64) {
	v.Columns = []string{"Records"}
	for _, s := range in.Series {
		v.Columns = append(v.Columns, capitalize(s.Name))
	}
	for i, start := range in.Starts {
		title := stepWords(start, in.Window) + ": " + counted(all[i], "record", "records")
		row := chartRow{Time: moment{ISO: start.UTC().Format(time.RFC3339), Text: stepWords(start, in.Window)}, Cells: []string{count(all[i])}}
		for _, s := range in.Series {
			row.Cells = append(row.Cells, count(s.Counts[i]))
			if s.Counts[i] > 0 {
				title += "\n" + count(s.Counts[i]) + " " + s.Name
			}
		}
		v.Steps = append(v.Steps, chartStep{X: round(float64(i) * width), W: width, Title: title})
		if all[i] > 0 {
			v.Rows = append(v.Rows, row)
		}
	}
}

// drawGaps hatches the times without records, to the minute.
func (v *chartView) drawGaps(gaps []store.Gap, w window) {
	var path strings.Builder
	place := func(t time.Time) float64 {
		return round(chartWidth * min(max(float64(t.Sub(w.From))/float64(w.To.Sub(w.From)), 0), 1))
	}
	for _, g := range gaps {
		if from, to := place(g.From), place(g.To); to > from {
			path.WriteString("M" + short(from) + " 0H" + short(to) + "V" + strconv.Itoa(chartHeight) + "H" + short(from) + "z")
		}
	}
	v.Gaps = path.String()
}

func (s *Server) rejectPage(c echo.Context) error {
	reject, err := s.rejectOf(c)
	if err != nil {
		return err
	}
	return s.renderReject(c, http.StatusOK, reject, "")
}

func (s *Server) renderReject(c echo.Context, status int, reject store.Reject, result string) error {
	source, err := s.Store.GetSource(c.Request().Context(), reject.Source)
	if err != nil {
		return err
	}
	now := s.nowFor(c)
	page := rejectPage{
		frame: s.frameOf(c, "/sources"), Reject: rejectRowOf(reject, now), Source: line(source.Key.Name), SourceURL: sourceURL(reject.Source),
		Route: line(reject.Route), FirstSeen: at(reject.FirstAt, now, "–"), CanReplay: s.user(c).Role == store.Admin && reject.Body != "", Result: result,
	}
	if reject.Bytes > 0 {
		page.Bytes = counted(reject.Bytes, "byte", "bytes")
	}
	if members := rejectMembers(reject); members != nil {
		page.Record = bodyText(members)
	}
	return s.render(c, status, page)
}

// replayRejected tries a record again and shows what became of it: the list without it, or why it is still in it.
func (s *Server) replayRejected(c echo.Context) error {
	reject, err := s.rejectOf(c)
	if err != nil {
		return err
	}
	done, err := s.replay(c.Request().Context(), reject)
	switch {
	case err != nil:
		return err
	case done.Accepted, done.Duplicate:
		return c.Redirect(http.StatusSeeOther, sourceURL(reject.Source)+"#rejects")
	case done.Other:
		return s.renderReject(c, http.StatusOK, reject, "It is no HTTP exchange, as it is read now.")
	}
	return s.renderReject(c, http.StatusOK, reject, "It was still not taken: "+line(done.Error.Detail)+".")
}

// A sourceWatch remembers for some seconds which shippers need attention: every page says so.
type sourceWatch struct {
	mu   sync.Mutex
	at   time.Time
	list []alarm
}

// An alarm is a shipper that every page speaks of.
type alarm struct {
	Text string
	URL  string
}

const (
	watchEvery = 10 * time.Second
	mostAlarms = 3 // that are named; of more the number is
)

// alarms are the shippers that are silent or late. A page without its banner is better than no page: errors are logged only.
func (s *Server) alarms(c echo.Context) []alarm {
	w, now := s.watch, s.nowFor(c)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.at.IsZero() && now.Sub(w.at).Abs() < watchEvery {
		return w.list
	}
	sources, err := s.Store.ListSources(c.Request().Context())
	if err != nil {
		s.Logger.WarnContext(c.Request().Context(), "look at sources", "err", err)
		return nil
	}
	w.at, w.list = now, alarmsOf(sources, now)
	return w.list
}

func alarmsOf(sources []store.Source, now time.Time) []alarm {
	var list []alarm
	for _, source := range sources {
		name := "Shipper " + line(source.Key.Name)
		if n := source.Recent(now).Gathered; n > 0 {
			list = append(list, alarm{name + " names more new clients than may have incidents: " + counted(n, "failure", "failures") + " gathered in 10 minutes", sourceURL(source.Key.ID)})
		}
		switch state, since := source.State(now); state {
		case store.SourceSilent:
			list = append(list, alarm{name + " silent for " + roughly(now.Sub(since)), sourceURL(source.Key.ID)})
		case store.SourceLagging:
			list = append(list, alarm{name + " up to " + roughly(source.Recent(now).Lags.Longest) + " behind", sourceURL(source.Key.ID)})
		}
	}
	if len(list) > mostAlarms {
		more := alarm{counted(int64(len(list)-mostAlarms+1), "more shipper", "more shippers") + " silent or behind", "/sources"}
		list = append(list[:mostAlarms-1], more)
	}
	return list
}
