package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// incidentJSON is an incident as the API shows it; openapi.yaml says what the members mean. Times are event times.
type incidentJSON struct {
	ID                string              `json:"id"`
	Provider          string              `json:"provider,omitempty"`
	Environment       string              `json:"environment,omitempty"`
	ClientID          string              `json:"client_id,omitempty"`
	Cause             classify.Code       `json:"cause"`
	Confidence        classify.Confidence `json:"confidence"`
	Fault             classify.Fault      `json:"fault"`
	Summary           string              `json:"summary"`
	State             store.State         `json:"state"`
	Count             int64               `json:"count"`
	FirstSeen         time.Time           `json:"first_seen"`
	LastSeen          time.Time           `json:"last_seen"`
	LastSuccessBefore time.Time           `json:"last_success_before,omitzero"`
	FirstSuccessAfter time.Time           `json:"first_success_after,omitzero"`
	SilencedUntil     time.Time           `json:"silenced_until,omitzero"`
	ResolvedAt        time.Time           `json:"resolved_at,omitzero"`
	StateChangedBy    string              `json:"state_changed_by,omitempty"`
	Assignee          string              `json:"assignee,omitempty"`
	RegressionOf      string              `json:"regression_of,omitempty"`
	UpdatedAt         time.Time           `json:"updated_at"`
	Version           int64               `json:"version"`
	Endpoints         []endpointJSON      `json:"endpoints,omitempty"`
	Links             linksJSON           `json:"links"`
}

type endpointJSON struct {
	Endpoint string `json:"endpoint"`
	Count    int64  `json:"count"`
}

// linksJSON are addresses on this server.
type linksJSON struct {
	Self     string `json:"self"`
	Failures string `json:"failures,omitempty"`
	Incident string `json:"incident,omitempty"`
	Cause    string `json:"cause,omitempty"`
	Page     string `json:"page,omitempty"`
}

func toIncidentJSON(i store.Incident) incidentJSON {
	self := "/api/v1/incidents/" + i.ID
	return incidentJSON{
		ID: i.ID, Provider: i.Provider, Environment: i.Environment, ClientID: i.ClientID, Cause: i.Cause, Confidence: i.Confidence,
		Fault: i.Fault, Summary: i.Summary, State: i.State, Count: i.Count, FirstSeen: i.FirstSeenAt, LastSeen: i.LastSeenAt,
		LastSuccessBefore: i.LastSuccess, FirstSuccessAfter: i.FirstSuccess, SilencedUntil: i.SilencedUntil, ResolvedAt: i.ResolvedAt,
		StateChangedBy: i.StateChangedBy, Assignee: i.Assignee, RegressionOf: i.RegressionOf, UpdatedAt: i.UpdatedAt, Version: i.Version,
		Endpoints: convert(i.Endpoints, func(e store.EndpointCount) endpointJSON { return endpointJSON(e) }),
		Links:     linksJSON{Self: self, Failures: self + "/failures", Cause: "/api/v1/causes/" + string(i.Cause), Page: "/incidents/" + i.ID},
	}
}

func (s *Server) listIncidents(c echo.Context) error {
	q := s.query(c)
	f := incidentFilter(q)
	f.Page = q.page()
	if err := q.err(); err != nil {
		return err
	}
	rows, next, err := s.Store.ListIncidents(c.Request().Context(), f)
	if err != nil {
		return err
	}
	return sendList(c, q, convert(rows, toIncidentJSON), next)
}

// incidentFilter reads the filters that lists of incidents have in common.
func incidentFilter(q *query) store.IncidentFilter {
	f := store.IncidentFilter{
		States:       manyOf(q, "state", store.States()...),
		Causes:       manyOf(q, "cause", causeCodes()...),
		Providers:    q.all("provider"),
		Environments: q.all("environment"),
		Clients:      q.all("client"),
		Faults:       manyOf(q, "fault", classify.Faults()...),
		Terms:        q.terms(ofIncidents),
		Sort:         oneOf(q, "sort", "last_seen", "first_seen", "count"),
	}
	f.From, f.To = q.window()
	return f
}

func (s *Server) getIncident(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	incident, err := s.Store.GetIncident(c.Request().Context(), id)
	if err != nil {
		return err
	}
	c.Response().Header().Set("ETag", etag(incident))
	if isKnown(c) { // before failures are compared, which takes longer than all the rest
		return c.NoContent(http.StatusNotModified)
	}
	detail, err := s.toIncidentDetailJSON(c.Request().Context(), incident)
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusOK, detail)
}

func sendIncident(c echo.Context, i store.Incident) error {
	c.Response().Header().Set("ETag", etag(i))
	return sendJSON(c, http.StatusOK, toIncidentJSON(i))
}

// incidentChangeJSON is what PATCH takes: what is absent stays. Note says why, and stands alone as a note.
type incidentChangeJSON struct {
	State         *store.State `json:"state"`
	SilencedUntil *time.Time   `json:"silenced_until"`
	Assignee      *string      `json:"assignee"` // "" for nobody
	Note          string       `json:"note"`
}

// patchIncident changes the state or the assignee, or adds a note: {"state":"silenced","silenced_until":"…"}. With
// If-Match it changes only the version that the caller has seen.
func (s *Server) patchIncident(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	var change incidentChangeJSON
	if err := readJSON(c.Request(), &change); err != nil {
		return err
	}
	if faults := s.faultsOf(change); len(faults) > 0 {
		return fail(http.StatusBadRequest, "The change is not valid; errors says why.", faults...)
	}
	ctx, expected := c.Request().Context(), c.Request().Header.Values("If-Match")
	incident, err := s.Store.GetIncident(ctx, id)
	if err != nil {
		return err
	}
	version := int64(0)
	if len(expected) > 0 {
		if version = incident.Version; !matches(expected, etag(incident)) {
			return changedMeanwhile()
		}
	}
	if incident, err = s.changeIncident(ctx, incident, change, identityOf(c).name(), version); err != nil {
		if errors.Is(err, store.ErrConflict) && len(expected) > 0 {
			return changedMeanwhile()
		}
		return err
	}
	return sendIncident(c, incident)
}

// changeIncident does what a change asks for. version is 0 or the one that it is about.
func (s *Server) changeIncident(ctx context.Context, i store.Incident, change incidentChangeJSON, by string, version int64) (store.Incident, error) {
	note := s.Redact(change.Note)
	var err error
	if change.Assignee != nil {
		if i, err = s.Store.Assign(ctx, i.ID, s.Redact(*change.Assignee), by, version); err != nil {
			return i, err
		}
		if version > 0 {
			version = i.Version
		}
	}
	if change.State != nil {
		asked := store.StateChange{State: *change.State, By: by, Note: note, IfVersion: version}
		if change.SilencedUntil != nil {
			asked.SilencedUntil = *change.SilencedUntil
		}
		return s.Store.ChangeIncident(ctx, i.ID, asked)
	}
	if note != "" {
		return i, s.Store.AddNote(ctx, i.ID, by, note)
	}
	return i, nil
}

func changedMeanwhile() error {
	return fail(http.StatusPreconditionFailed, "The incident was changed meanwhile: read it again.",
		fault{Header: "If-Match", Code: "changed", Detail: "not the ETag of the present version"})
}

func etag(i store.Incident) string { return fmt.Sprintf(`"%d"`, i.Version) }

// matches compares an entity tag with the list in If-Match or If-None-Match (RFC 9110 section 13.1); weak ones never match.
func matches(header []string, tag string) bool {
	for _, part := range strings.Split(strings.Join(header, ","), ",") {
		if part = strings.TrimSpace(part); part == tag || part == "*" {
			return true
		}
	}
	return false
}

// unweakened takes the mark off weak tags: a proxy that compresses weakens them, and for a read that is no matter.
func unweakened(header []string) []string {
	return []string{strings.ReplaceAll(strings.Join(header, ","), "W/", "")}
}

// maxNoteLength bounds a note, in bytes.
const maxNoteLength = 4000

// faultsOf says what is wrong with a change.
func (s *Server) faultsOf(change incidentChangeJSON) (faults []fault) {
	states := store.States()
	if change.State == nil && change.Assignee == nil && change.Note == "" {
		faults = append(faults, fault{Code: "nothing_to_do", Detail: "give a state, an assignee or a note", Allowed: []string{"state", "silenced_until", "assignee", "note"}})
	}
	if change.State != nil && !slices.Contains(states, *change.State) {
		faults = append(faults, fault{Pointer: "/state", Code: "not_allowed", Detail: "one of these", Allowed: texts(states)})
	}
	if change.Assignee != nil && (len(*change.Assignee) > 256 || !isText(*change.Assignee)) {
		faults = append(faults, fault{Pointer: "/assignee", Code: "not_text", Detail: "UTF-8 text of at most 256 bytes without NUL"})
	}
	if len(change.Note) > maxNoteLength || !isText(change.Note) {
		faults = append(faults, fault{Pointer: "/note", Code: "not_text", Detail: "UTF-8 text of at most 4000 bytes without NUL"})
	}
	silence := change.State != nil && *change.State == store.StateSilenced
	switch now := s.Now(); {
	case silence != (change.SilencedUntil != nil):
		faults = append(faults, fault{Pointer: "/silenced_until", Code: "mismatch", Detail: "silenced_until belongs to the state silenced, which needs it"})
	case silence && (!change.SilencedUntil.After(now) || change.SilencedUntil.After(now.AddDate(0, 0, 90))):
		faults = append(faults, fault{Pointer: "/silenced_until", Code: "out_of_range", Detail: "a time in the next 90 days"})
	}
	return faults
}

// maxTogether bounds the incidents of one change of many.
const maxTogether = 200

// changeManyJSON is what POST /api/v1/incidents/change takes.
type changeManyJSON struct {
	IDs    []string           `json:"ids"`
	Change incidentChangeJSON `json:"change"`
}

// changedJSON says what became of one incident: either is set.
type changedJSON struct {
	ID       string        `json:"id"`
	Incident *incidentJSON `json:"incident,omitempty"`
	Problem  *problem      `json:"problem,omitempty"`
}

// changeIncidents changes many at once; one that cannot be costs only itself.
func (s *Server) changeIncidents(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	var asked changeManyJSON
	if err := readJSON(c.Request(), &asked); err != nil {
		return err
	}
	faults := s.faultsOf(asked.Change)
	for n := range faults {
		faults[n].Pointer = "/change" + faults[n].Pointer
	}
	if len(asked.IDs) == 0 || len(asked.IDs) > maxTogether {
		faults = append(faults, fault{Pointer: "/ids", Code: "out_of_range", Detail: "from 1 to 200 ids"})
	}
	if len(faults) > 0 {
		return fail(http.StatusBadRequest, "The change is not valid; errors says why.", faults...)
	}
	out, changed := list[changedJSON]{Data: make([]changedJSON, 0, len(asked.IDs))}, 0
	for _, id := range asked.IDs {
		row := changedJSON{ID: id}
		incident, err := s.Store.GetIncident(c.Request().Context(), id)
		if err == nil {
			incident, err = s.changeIncident(c.Request().Context(), incident, asked.Change, identityOf(c).name(), 0)
		}
		if err != nil {
			row.Problem = s.problemOf(err, c)
		} else {
			shown := toIncidentJSON(incident)
			row.Incident = &shown
			changed++
		}
		out.Data = append(out.Data, row)
	}
	if err := s.auditMany(c, changed, asked.Change.words()); err != nil {
		return err
	}
	return sendJSON(c, http.StatusOK, out)
}

// activityJSON is one entry of an incident's log.
type activityJSON struct {
	ID     string             `json:"id"`
	Time   time.Time          `json:"time"`
	Kind   store.ActivityKind `json:"kind"`
	By     string             `json:"by"`
	Was    string             `json:"was,omitempty"`
	Became string             `json:"became,omitempty"`
	Note   string             `json:"note,omitempty"`
}

func toActivityJSON(a store.Activity) activityJSON {
	return activityJSON{ID: a.ID, Time: a.At, Kind: a.Kind, By: a.By, Was: a.Was, Became: a.Became, Note: a.Note}
}

// listActivity is the log of an incident, latest first.
func (s *Server) listActivity(c echo.Context) error {
	q := s.query(c)
	q.rows()
	if err := q.err(); err != nil {
		return err
	}
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	if _, err := s.Store.GetIncident(c.Request().Context(), id); err != nil {
		return err
	}
	rows, err := s.Store.ListActivity(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return sendList(c, q, convert(rows, toActivityJSON), "")
}
