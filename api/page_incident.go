package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// An incidentPage answers on one page: why, since when, what to do, is it over.
type incidentPage struct {
	frame
	Incident  incidentView
	Verdict   verdictView
	Sample    failureRow // the failure that the verdict is of; URL is empty when no record is kept
	Actions   []stateAction
	Over      overView
	Live      string // address of the script that asks again whether it is over
	Seen      string // version of the incident that the page shows: what a form changes
	Onset     onsetView
	Different contrastsView
	Activity  []activityView
	Chart     chartView
	Records   []failureRow
	More      string // URL of the next records
	Newest    string // URL of the first page of records
	SameHere  []incidentRow
	SameCause []incidentRow
	Earlier   string // URL of the episode before
}

func (incidentPage) template() string { return "incident.html" }

// recordsOfIncident is how many records one page of an incident lists.
const recordsOfIncident = 10

func (s *Server) incidentPage(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	ctx, now, q := c.Request().Context(), s.nowFor(c), c.QueryParams()
	incident, err := s.Store.GetIncident(ctx, id)
	if err != nil {
		return err
	}
	page := incidentPage{frame: s.frameOf(c, "/incidents"), Live: s.assetURL("live.js"), Incident: incidentViewOf(incident, now), Seen: strconv.FormatInt(incident.Version, 10)}
	if page.CanRespond {
		page.Actions = actionsOf(incident.State)
	}
	if incident.RegressionOf != "" {
		page.Earlier = incidentURL(incident.RegressionOf)
	}
	if err := s.incidentRecords(ctx, &page, incident, now, q); err != nil {
		return err
	}
	if page.Over, err = s.over(ctx, incident, now); err != nil {
		return err
	}
	if page.Onset, err = s.onset(ctx, incident, now); err != nil {
		return err
	}
	if page.Different, err = s.contrasts(ctx, incident, page.Onset.seen, now); err != nil {
		return err
	}
	if page.Activity, err = s.activity(ctx, incident, now); err != nil {
		return err
	}
	if page.Chart, err = s.incidentChart(ctx, incident, now); err != nil {
		return err
	}
	if err := s.relatedIncidents(ctx, &page, incident, now); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, page)
}

// incidentRecords lists the records, newest first; the newest one's verdict is the incident's.
func (s *Server) incidentRecords(ctx context.Context, page *incidentPage, i store.Incident, now time.Time, q url.Values) error {
	list, next, err := s.Store.ListFailures(ctx, store.FailureFilter{IncidentID: i.ID, Page: store.Page{Limit: recordsOfIncident, Cursor: q.Get("cursor")}})
	if err != nil {
		return err
	}
	path := incidentURL(i.ID)
	page.Records = failureRows(list, now)
	page.More, page.Newest = pageLinks(path, q, next)
	newest := list
	if page.Newest != "" {
		if newest, _, err = s.Store.ListFailures(ctx, store.FailureFilter{IncidentID: i.ID, Page: store.Page{Limit: 1}}); err != nil {
			return err
		}
	}
	verdict := classify.Verdict{Time: i.LastSeenAt, Provider: i.Provider, Environment: i.Environment, ClientID: i.ClientID,
		Cause: i.Cause, Confidence: i.Confidence, Fault: i.Fault, Summary: i.Summary}
	var rec *classify.Record
	if len(newest) > 0 {
		verdict, rec = newest[0].Verdict, recordOf(newest[0].Record)
		page.Sample = failureRowOf(newest[0], now)
	}
	page.Verdict = verdictOf(verdict, rec, s.profile(verdict.Provider))
	return nil
}

// profile returns the profile of that id, nil when there is none.
func (s *Server) profile(id string) *classify.Profile {
	for _, p := range s.Profiles {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// incidentChart shows the incident's own time with a little before and after, and the successes of the same client.
func (s *Server) incidentChart(ctx context.Context, i store.Incident, now time.Time) (chartView, error) {
	from, to := i.FirstSeenAt, i.LastSeenAt
	if !i.LastSuccess.IsZero() && from.Sub(i.LastSuccess) < day {
		from = i.LastSuccess
	}
	if !i.FirstSuccess.IsZero() && i.FirstSuccess.Sub(to) < day {
		to = i.FirstSuccess
	}
	margin := max(to.Sub(from)/10, 5*time.Minute)
	from, to = from.Add(-margin), to.Add(margin)
	if oldest := to.Add(-longestRange + margin); from.Before(oldest) {
		from = oldest
	}
	w, err := spanWindow(from, to, now)
	if err != nil {
		return chartView{}, err
	}
	t, err := s.Store.Trend(ctx, incidentTrend(i, w))
	if err != nil {
		return chartView{}, err
	}
	marks, err := s.marks(ctx, w, store.DeploymentFilter{Providers: anyOf(i.Provider), Environments: anyOf(i.Environment), Clients: anyOf(i.ClientID)})
	if err != nil {
		return chartView{}, err
	}
	return chartOf(chartInput{Title: "Failures of this incident", Marks: marks, Window: w, Starts: t.Starts, Series: causeSeries(t),
		Failures: t.Failures, Successes: t.Successes, Strip: true, Behind: w.values("provider", i.Provider, "environment", i.Environment, "client", i.ClientID, "cause", string(i.Cause))}), nil
}

// relatedIncidents looks for the same client with other causes or places, and for the same cause elsewhere.
func (s *Server) relatedIncidents(ctx context.Context, page *incidentPage, i store.Incident, now time.Time) error {
	w := window{Now: now}
	if i.ClientID != "" {
		list, _, err := s.Store.ListIncidents(ctx, store.IncidentFilter{Clients: []string{i.ClientID}, Page: store.Page{Limit: 6}})
		if err != nil {
			return err
		}
		page.SameHere = incidentRows(without(list, i.ID), w)
	}
	list, _, err := s.Store.ListIncidents(ctx, store.IncidentFilter{Causes: []classify.Code{i.Cause}, Page: store.Page{Limit: 12}})
	if err != nil {
		return err
	}
	var others []store.Incident
	for _, other := range without(list, i.ID) {
		if other.ClientID != i.ClientID || i.ClientID == "" {
			others = append(others, other)
		}
	}
	page.SameCause = incidentRows(others[:min(len(others), 5)], w)
	return nil
}

func without(list []store.Incident, id string) []store.Incident {
	var out []store.Incident
	for _, i := range list {
		if i.ID != id {
			out = append(out, i)
		}
	}
	return out
}

// shortIncident is the address that fits into a message.
func (s *Server) shortIncident(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/incidents/"+url.PathEscape(id))
}

// An activityView is one entry of an incident's log, in words.
type activityView struct {
	When  moment
	Words string
	Note  string
}

func (s *Server) activity(ctx context.Context, i store.Incident, now time.Time) ([]activityView, error) {
	list, err := s.Store.ListActivity(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	var out []activityView
	for _, a := range list {
		out = append(out, activityView{When: at(a.At, now, "–"), Words: activityWords(a), Note: shown(a.Note, maxNoteLength)})
	}
	return out, nil
}

func activityWords(a store.Activity) string {
	who := line(a.By)
	switch {
	case a.Kind == store.ActivityNote:
		return who + " noted"
	case a.Kind == store.ActivityAssign && a.Became == "":
		return who + " took it from " + line(a.Was)
	case a.Kind == store.ActivityAssign && a.Became == a.By:
		return who + " took it"
	case a.Kind == store.ActivityAssign:
		return who + " gave it to " + line(a.Became)
	default:
		return who + " changed it from " + line(a.Was) + " to " + line(a.Became)
	}
}

// changeIncidentNote takes the forms for the assignee and for a note.
func (s *Server) changeIncidentNote(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	change := incidentChangeJSON{Note: c.FormValue("note")}
	if form, err := c.FormParams(); err == nil && form.Has("assignee") {
		assignee := form.Get("assignee")
		change.Assignee = &assignee
	}
	if faults := s.faultsOf(change); len(faults) > 0 {
		return fail(http.StatusBadRequest, "That cannot be done: "+faults[0].Detail+".", faults...)
	}
	incident, err := s.Store.GetIncident(c.Request().Context(), id)
	if err != nil {
		return err
	}
	if _, err := s.changeIncident(c.Request().Context(), incident, change, s.user(c).Name, 0); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/incidents/"+url.PathEscape(id)+"#activity")
}

// changeManyIncidents takes the form of the list: what is ticked gets one state. It returns to the list that was looked at.
func (s *Server) changeManyIncidents(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return fail(http.StatusBadRequest, "The form cannot be read.")
	}
	ids := form["id"]
	if len(ids) == 0 || len(ids) > maxTogether {
		return fail(http.StatusBadRequest, "Tick from 1 to 200 incidents first.")
	}
	change, err := stateChange(form.Get("state"), form.Get("hours"), "", s.nowFor(c))
	if err != nil {
		return err
	}
	change.By = s.user(c).Name
	changed := 0
	for _, id := range ids {
		// One that is gone, or that a later episode keeps resolved, costs only itself.
		_, err := s.Store.ChangeIncident(c.Request().Context(), id, change)
		if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrConflict) {
			return err
		}
		if err == nil {
			changed++
		}
	}
	if err := s.auditMany(c, changed, string(change.State)); err != nil {
		return err
	}
	back, err := url.ParseQuery(form.Get("back"))
	if err != nil {
		back = nil
	}
	return c.Redirect(http.StatusSeeOther, linkTo("/incidents", back))
}

// changeIncidentState takes the forms of the incident page: state, hours for a silence, and the version that was looked at.
func (s *Server) changeIncidentState(c echo.Context) error {
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	change, err := stateChange(c.FormValue("state"), c.FormValue("hours"), c.FormValue("version"), s.nowFor(c))
	if err != nil {
		return err
	}
	change.By = s.user(c).Name
	if _, err := s.Store.ChangeIncident(c.Request().Context(), id, change); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/incidents/"+url.PathEscape(id))
}

func stateChange(state, hours, version string, now time.Time) (store.StateChange, error) {
	change := store.StateChange{State: store.State(state)}
	if version != "" {
		v, err := strconv.ParseInt(version, 10, 64)
		if err != nil || v < 1 {
			return change, fail(http.StatusBadRequest, "The version of the incident is not a number; open the incident again.")
		}
		change.IfVersion = v
	}
	switch change.State {
	case store.StateOpen, store.StateAcknowledged, store.StateResolved:
		return change, nil
	case store.StateSilenced:
		n, err := strconv.Atoi(hours)
		if err != nil || n < 1 || n > 7*24 {
			return change, fail(http.StatusBadRequest, "A silence lasts from 1 to 168 hours.")
		}
		change.SilencedUntil = now.Add(time.Duration(n) * time.Hour)
		return change, nil
	default:
		return change, fail(http.StatusBadRequest, "The state is not open, acknowledged, silenced or resolved.")
	}
}
