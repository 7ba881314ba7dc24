package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// incidentJSON is an incident as the API shows it; design part 7 says what the members mean. Times are event times.
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
		StateChangedBy: i.StateChangedBy, RegressionOf: i.RegressionOf, UpdatedAt: i.UpdatedAt, Version: i.Version,
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
		States:       manyOf(q, "state", store.StateOpen, store.StateAcknowledged, store.StateSilenced, store.StateResolved),
		Causes:       manyOf(q, "cause", causeCodes()...),
		Providers:    q.all("provider"),
		Environments: q.all("environment"),
		Clients:      q.all("client"),
		Faults:       manyOf(q, "fault", classify.FaultClient, classify.FaultProvider, classify.FaultAPI, classify.FaultNetwork, classify.FaultUnknown),
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
	return sendIncident(c, incident)
}

func sendIncident(c echo.Context, i store.Incident) error {
	c.Response().Header().Set("ETag", etag(i))
	return sendJSON(c, http.StatusOK, toIncidentJSON(i))
}

// patchIncident changes the state: {"state":"silenced","silenced_until":"…"}. With If-Match it changes only the version
// that the caller has seen.
func (s *Server) patchIncident(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	change, err := s.readStateChange(c.Request())
	if err != nil {
		return err
	}
	ctx, expected := c.Request().Context(), c.Request().Header.Values("If-Match")
	if len(expected) > 0 {
		incident, err := s.Store.GetIncident(ctx, id)
		if err != nil {
			return err
		}
		if !matches(expected, etag(incident)) {
			return changedMeanwhile()
		}
		change.IfVersion = incident.Version
	}
	change.By = identityOf(c).name()
	incident, err := s.Store.ChangeIncident(ctx, id, change)
	if errors.Is(err, store.ErrConflict) && len(expected) > 0 {
		return changedMeanwhile()
	}
	if err != nil {
		return err
	}
	return sendIncident(c, incident)
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

// readStateChange reads the body of a PATCH; its members are exactly state and silenced_until.
func (s *Server) readStateChange(r *http.Request) (store.StateChange, error) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/json" && media != "application/merge-patch+json" {
		return store.StateChange{}, fail(http.StatusUnsupportedMediaType, "Send Content-Type: application/json.")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return store.StateChange{}, fmt.Errorf("read body: %w", err)
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return store.StateChange{}, fail(http.StatusBadRequest, "The body is not a JSON object.", fault{Code: "not_an_object", Detail: `send {"state":"acknowledged"}`})
	}
	var change store.StateChange
	var faults []fault
	for name := range members {
		if name != "state" && name != "silenced_until" {
			faults = append(faults, fault{Code: "unknown_member", Detail: "only state and silenced_until can be changed", Allowed: []string{"state", "silenced_until"}})
			break
		}
	}
	states := []store.State{store.StateOpen, store.StateAcknowledged, store.StateSilenced, store.StateResolved}
	if json.Unmarshal(members["state"], &change.State) != nil || !slices.Contains(states, change.State) {
		faults = append(faults, fault{Pointer: "/state", Code: "not_allowed", Detail: "state is required and one of these", Allowed: texts(states)})
	}
	faults = append(faults, s.readSilencedUntil(members["silenced_until"], &change)...)
	if len(faults) > 0 {
		return store.StateChange{}, fail(http.StatusBadRequest, "The change is not valid; errors says why.", faults...)
	}
	return change, nil
}

// readSilencedUntil sets the end of a silence, which state silenced needs and no other has.
func (s *Server) readSilencedUntil(text json.RawMessage, change *store.StateChange) []fault {
	const pointer = "/silenced_until"
	given := len(text) > 0 && string(text) != "null"
	switch {
	case given != (change.State == store.StateSilenced):
		return []fault{{Pointer: pointer, Code: "mismatch", Detail: "silenced_until belongs to the state silenced, which needs it"}}
	case !given:
		return nil
	}
	if err := json.Unmarshal(text, &change.SilencedUntil); err != nil {
		return []fault{{Pointer: pointer, Code: "not_rfc3339", Detail: "a time as RFC 3339 has it"}}
	}
	if now := s.Now(); !change.SilencedUntil.After(now) || change.SilencedUntil.After(now.AddDate(0, 0, 90)) {
		return []fault{{Pointer: pointer, Code: "out_of_range", Detail: "a time in the next 90 days"}}
	}
	return nil
}
