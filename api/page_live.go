package api

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A livePage shows the newest failures in the order in which they were stored. It works by reloading; a script does that
// by itself whenever the stream tells that there is something new.
type livePage struct {
	frame
	Live    string
	Search  string
	Clear   string // "" without a search
	Words   string // what the table shows, and what it does not
	Missed  int    // new ones that the table has no room for
	Stream  string // address that tells when to reload
	End     string // place in the feed that the page goes up to
	Here    string // address of this page without a place
	Newer   string // address that marks what came since
	Refresh string // seconds after which the page loads itself anew, without scripts; "" for never
	Reload  string // address that does, or does not any more
	Rows    []liveRow
}

func (livePage) template() string { return "live.html" }

// A liveRow is a failure, and whether it came since the place that was asked for.
type liveRow struct {
	failureRow
	New     bool
	Late    string // how long after its event it was stored, where that is not at once
	Revised bool
	Event   string // place in the feed: tells rows apart
	stored  time.Time
}

const (
	liveRows     = 50
	reloadEvery  = "30"            // seconds
	lateFrom     = 1 * time.Minute // a record that comes so long after its event says so
	rateOf       = time.Minute
	rateOfAtMost = "more than " // what is counted ends where the table does
)

func (s *Server) livePage(c echo.Context) error {
	q, now := c.QueryParams(), s.nowFor(c)
	terms, err := searchOfFailures(q.Get("q"))
	if err != nil {
		return err
	}
	var since store.FeedPosition
	if text := q.Get("since"); text != "" {
		if since, err = store.ParseFeedPosition(text); err != nil {
			return err
		}
	}
	news, err := s.Store.NewestFeed(c.Request().Context(), since, store.FeedFilter{Failures: true, Terms: terms}, liveRows)
	if err != nil {
		return err
	}
	here := url.Values{}
	if text := q.Get("q"); text != "" {
		here.Set("q", text)
	}
	page := livePage{
		frame: s.frameOf(c, "/live"), Live: s.assetURL("live.js"), Search: q.Get("q"), Missed: news.More, End: news.End.String(),
		Here: linkTo("/live", here), Newer: linkTo("/live", here, "since", news.End.String()),
		Stream: linkTo(streamRoute, here, "about", "failures", "after", news.End.String()),
		Reload: linkTo("/live", here, "refresh", reloadEvery),
	}
	if page.Search != "" {
		page.Clear = "/live"
	}
	if q.Get("refresh") == reloadEvery {
		page.Refresh, page.Reload = reloadEvery, page.Here
	}
	page.Rows = liveRowsOf(news.Events, since, now)
	page.Words = liveWords(page.Rows, news, since, now)
	return s.render(c, http.StatusOK, page)
}

// liveRowsOf leaves out what was withdrawn: there is nothing to show of it.
func liveRowsOf(list []store.FeedEvent, since store.FeedPosition, now time.Time) []liveRow {
	rows := make([]liveRow, 0, len(list))
	for _, e := range list {
		if e.Failure == nil {
			continue
		}
		row := liveRow{failureRow: failureRowOf(*e.Failure, now), Revised: e.Kind == store.FeedFailureRevised, Event: e.After.String(), stored: e.At}
		row.New = since != (store.FeedPosition{}) && since.Before(e.After)
		if late := e.At.Sub(e.Failure.Verdict.Time); late >= lateFrom && !row.Revised {
			row.Late = roughly(late)
		}
		rows = append(rows, row)
	}
	return rows
}

// liveWords says what the page shows and what it leaves out.
func liveWords(rows []liveRow, news store.FeedNews, since store.FeedPosition, now time.Time) string {
	if len(rows) == 0 {
		if news.Whole {
			return "No such failure was stored within the last day."
		}
		return "None among the last that were stored; there may be older ones."
	}
	recent, fresh := 0, 0
	for _, row := range rows {
		if now.Sub(row.stored) < rateOf {
			recent++
		}
		if row.New {
			fresh++
		}
	}
	rate := strconv.Itoa(recent) + " within the last minute"
	if recent == liveRows {
		rate = rateOfAtMost + rate
	}
	if since == (store.FeedPosition{}) {
		return "The newest " + counted(int64(len(rows)), "failure", "failures") + ", " + rate + "."
	}
	words := counted(int64(fresh), "new failure", "new failures") + " since you looked, " + rate + "."
	switch {
	case !news.Whole:
		words = counted(int64(fresh), "new failure is", "new failures are") + " shown; more came since you looked than can be counted here, " + rate + "."
	case news.More > 0:
		words = counted(int64(fresh), "new failure is", "new failures are") + " shown and " + counted(int64(news.More), "more was", "more were") + " skipped since you looked, " + rate + "."
	}
	return words
}

// fresh is when the last record came, failure or not. A page without it is better than no page: errors are logged only.
func (s *Server) fresh(c echo.Context, now time.Time) moment {
	received, records, err := s.Store.LastReceived(c.Request().Context())
	if err != nil {
		s.Logger.WarnContext(c.Request().Context(), "look for last record", "err", err)
	}
	if err != nil || records == 0 {
		return moment{}
	}
	return ago(received, now, "")
}
