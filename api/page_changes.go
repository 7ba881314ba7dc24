package api

import (
	"context"
	"net/http"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// A changesPage lists what people and pipelines told of and what the traffic showed, and takes more.
type changesPage struct {
	frame
	Range   rangeView
	Sources []choice
	Rows    []changeRow
	Next    string
	First   string
	Kinds   []option
	Curl    string // the command for a pipeline
	Problem string // why the form was not taken
	Form    newChangeJSON
}

func (changesPage) template() string { return "changes.html" }

// A changeRow is one change of the list.
type changeRow struct {
	When  moment
	Kind  string
	Title string
	URL   string
	Place string
	By    string
	Seen  tally // of the traffic: how the new value fared
	More  tally // that further ones of the client in this moment are left out
}

// changesOfMoment is how many changes of one client in one moment are listed beside those of others.
const changesOfMoment = 4

// momentOf is how long a moment is in a list of that time, in words too.
func momentOf(w window) (time.Duration, string) {
	switch span := w.To.Sub(w.From); {
	case span <= time.Hour:
		return time.Minute, "this minute"
	case span <= day:
		return time.Hour, "this hour"
	}
	return day, "these 24 hours"
}

// moreOf says how many changes of a client's moment are left out, and lists all of it.
func moreOf(c store.Change, in window) tally {
	if c.More == 0 {
		return tally{}
	}
	length, words := momentOf(in)
	start := c.Seen.FirstSeen.UTC().Truncate(length)
	w := window{From: start, To: start.Add(length)}
	return tally{"and " + count(int64(c.More)) + " more of " + line(c.Seen.ClientID) + " in " + words,
		"/changes?" + w.query("provider", c.Seen.Provider, "environment", c.Seen.Environment, "client", c.Seen.ClientID, "source", string(store.ChangeTraffic))}
}

func changeRows(list []store.Change, now time.Time) []changeRow {
	var rows []changeRow
	for _, c := range list {
		if d := c.Told; d != nil {
			rows = append(rows, changeRow{When: at(d.Time, now, "–"), Kind: changeKind(d.Kind), Title: line(d.Title), URL: d.URL, Place: changePlace(*d), By: line(d.By)})
			continue
		}
		row := changeRow{When: at(c.Seen.FirstSeen, now, "–"), Kind: "traffic", Title: seenTitle(*c.Seen), Place: seenPlace(c.Seen.Sighting), By: "authwatch", Seen: tally{seenOutcome(c.Seen.Sighting), seenFailures(c.Seen.Sighting)}}
		if c.Seen.ClientID != "" {
			row.URL = clientOf(c.Seen.ClientID).URL
		}
		rows = append(rows, row)
	}
	return rows
}

// changes are all of a client where it is asked for, and otherwise no more of one than others have room beside.
func (s *Server) changes(ctx context.Context, f store.ChangeFilter, w window) ([]store.Change, string, error) {
	if len(f.Clients) > 0 {
		return s.Store.ListChanges(ctx, f)
	}
	moment, _ := momentOf(w)
	return s.Store.BriefChanges(ctx, f, changesOfMoment, moment)
}

func (s *Server) changesPage(c echo.Context) error {
	return s.showChanges(c, http.StatusOK, newChangeJSON{}, "")
}

func (s *Server) showChanges(c echo.Context, status int, form newChangeJSON, problem string) error {
	now, q := s.nowFor(c), c.QueryParams()
	w, err := windowOf(q, now, "7d")
	if err != nil {
		return err
	}
	f := store.ChangeFilter{From: w.From, To: w.To, Providers: given(q, "provider"), Environments: given(q, "environment"), Clients: given(q, "client"),
		Page: store.Page{Limit: 50, Cursor: q.Get("cursor")}}
	for _, source := range store.ChangeSources() {
		if q.Get("source") == string(source) {
			f.Sources = []store.ChangeSource{source}
		}
	}
	if w.Preset != "" {
		f.To = w.To.Add(day) // what was told of may lie ahead
	}
	list, next, err := s.changes(c.Request().Context(), f, w)
	if err != nil {
		return err
	}
	page := changesPage{frame: s.frameOf(c, "/changes"), Range: w.view("/changes", q), Form: form, Problem: problem,
		Curl: "curl -H 'Authorization: Bearer '\"$AUTHWATCH_KEY\" -H 'Content-Type: application/json' " + s.BaseURL + "/api/v1/changes \\\n" +
			`  -d '{"title":"orders-bot 4109","environment":"prod","client_id":"client-b","reference":"run-4109"}'`}
	for _, k := range store.DeploymentKinds() {
		page.Kinds = append(page.Kinds, option{string(k), capitalize(changeKind(k)), k == form.Kind})
	}
	page.Rows = changeRows(list, now)
	for n, c := range list {
		page.Rows[n].More = moreOf(c, w)
	}
	for _, option := range [][2]string{{"", "All"}, {string(store.ChangeTold), "Told of"}, {string(store.ChangeTraffic), "Seen in the traffic"}} {
		page.Sources = append(page.Sources, choice{Label: option[1], URL: linkTo("/changes", q, "source", option[0]), Current: q.Get("source") == option[0]})
	}
	page.Next, page.First = pageLinks("/changes", q, next)
	return s.render(c, status, page)
}

// tellChange takes the form of the page. What is not valid comes back with the form as it was filled in.
func (s *Server) tellChange(c echo.Context) error {
	given := newChangeJSON{Kind: store.DeploymentKind(c.FormValue("kind")), Title: c.FormValue("title"), Environment: c.FormValue("environment"),
		Provider: c.FormValue("provider"), ClientID: c.FormValue("client_id"), URL: c.FormValue("url")}
	if text := c.FormValue("time"); text != "" {
		at, err := time.ParseInLocation("2006-01-02T15:04", text, s.nowFor(c).Location())
		if err != nil {
			return s.showChanges(c, http.StatusBadRequest, given, "The time is not a date and a time of day.")
		}
		given.Time = &at
	}
	d, faults := s.deployment(given)
	if len(faults) > 0 {
		return s.showChanges(c, http.StatusBadRequest, given, capitalize(faults[0].Pointer[1:])+": "+faults[0].Detail+".")
	}
	d.By = s.user(c).Name
	if _, _, err := s.Store.AddDeployment(c.Request().Context(), d); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/changes")
}
