package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"authwatch/classify"
	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// Alerts is what the API needs of the part that sends alerts, which it does not import.
type Alerts struct {
	Receivers []AlertReceiver // of the operator's file
	// Preview says when a rule would have fired in the last week.
	Preview func(ctx context.Context, rule store.AlertRule) (AlertPreview, error)
	// Test sends a test to a receiver of the list; class is "" when it was taken, else why not.
	Test func(ctx context.Context, receiver string) (class string, err error)
}

// An AlertReceiver is a place that is told of alerts. Target is its host, never a secret.
type AlertReceiver struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Target string `json:"target"`
}

// An AlertPreview says when a rule would have fired.
type AlertPreview struct {
	From    time.Time          `json:"from"`
	To      time.Time          `json:"to"`
	Count   int                `json:"count"`
	AtLeast bool               `json:"at_least,omitempty"` // there was more than could be looked at
	Times   []AlertPreviewTime `json:"times"`              // the latest 50
}

// An AlertPreviewTime is one alert that would have been.
type AlertPreviewTime struct {
	Time     time.Time `json:"time"`
	About    string    `json:"about"`
	Incident string    `json:"incident,omitempty"`
}

// ruleJSON is an alert rule as the API shows it.
type ruleJSON struct {
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	Enabled   bool          `json:"enabled"`
	Match     matchJSON     `json:"match"`
	Condition conditionJSON `json:"condition"`
	Receivers []string      `json:"receivers"`
	CreatedBy string        `json:"created_by"`
	CreatedAt time.Time     `json:"created_at"`
	UpdatedBy string        `json:"updated_by"`
	UpdatedAt time.Time     `json:"updated_at"`
	Version   int64         `json:"version"`
	Links     linksJSON     `json:"links"`
}

type matchJSON struct {
	Causes       []classify.Code  `json:"causes,omitempty"`
	Clients      []string         `json:"clients,omitempty"`
	Providers    []string         `json:"providers,omitempty"`
	Environments []string         `json:"environments,omitempty"`
	Faults       []classify.Fault `json:"faults,omitempty"`
}

type conditionJSON struct {
	Kind    store.AlertKind `json:"kind"`
	AtLeast int64           `json:"at_least,omitempty"`
	Percent float64         `json:"percent,omitempty"`
	Window  string          `json:"window,omitempty"` // such as 10m
}

// newRuleJSON is what makes a rule, or replaces one.
type newRuleJSON struct {
	Name      string        `json:"name"`
	Enabled   *bool         `json:"enabled"` // true unless given
	Match     matchJSON     `json:"match"`
	Condition conditionJSON `json:"condition"`
	Receivers []string      `json:"receivers"`
}

func toRuleJSON(r store.AlertRule) ruleJSON {
	out := ruleJSON{
		ID: r.ID, Name: r.Name, Enabled: r.Enabled, Match: matchJSON(r.Match), Receivers: r.Receivers, CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt,
		UpdatedBy: r.UpdatedBy, UpdatedAt: r.UpdatedAt, Version: r.Version, Links: linksJSON{Self: "/api/v1/rules/" + r.ID, Page: "/alerts/rules/" + r.ID},
		Condition: conditionJSON{Kind: r.Condition.Kind, AtLeast: r.Condition.AtLeast, Percent: r.Condition.Percent},
	}
	if r.Condition.Window > 0 {
		out.Condition.Window = windowText(r.Condition.Window)
	}
	if out.Receivers == nil {
		out.Receivers = []string{}
	}
	return out
}

// windowText writes 10m and 24h, where Go writes 10m0s and 24h0m0s.
func windowText(d time.Duration) string {
	if d%time.Hour == 0 {
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	}
	return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
}

// rule checks what was given and redacts what a person wrote.
func (s *Server) rule(given newRuleJSON) (store.AlertRule, []fault) {
	c := given.Condition
	r := store.AlertRule{Name: s.Redact(given.Name), Enabled: given.Enabled == nil || *given.Enabled, Match: store.AlertMatch(given.Match),
		Receivers: given.Receivers, Condition: store.AlertCondition{Kind: c.Kind, AtLeast: c.AtLeast, Percent: c.Percent}}
	var faults []fault
	if c.Window != "" {
		window, err := time.ParseDuration(c.Window)
		if err != nil {
			faults = append(faults, fault{Pointer: "/condition/window", Code: "not_a_duration", Detail: "a length of time such as 10m"})
			window = 0
		}
		r.Condition.Window = window
	}
	for _, f := range r.Faults() {
		if f.Field != "condition.window" || len(faults) == 0 {
			faults = append(faults, faultOfField(f))
		}
	}
	if !isText(r.Name) {
		faults = append(faults, fault{Pointer: "/name", Code: "not_text", Detail: "UTF-8 text without NUL"})
	}
	return r, append(faults, s.faultsOfMatch(r.Match)...)
}

// faultsOfMatch looks at what a person wrote to select by. A secret in it cannot be taken out as from a note: it would select something else.
func (s *Server) faultsOfMatch(m store.AlertMatch) (faults []fault) {
	for _, list := range []struct {
		pointer string
		values  []string
	}{{"/match/clients", m.Clients}, {"/match/providers", m.Providers}, {"/match/environments", m.Environments}} {
		switch {
		case slices.ContainsFunc(list.values, func(v string) bool { return !isText(v) }):
			faults = append(faults, fault{Pointer: list.pointer, Code: "not_text", Detail: "UTF-8 text without NUL"})
		case slices.ContainsFunc(list.values, s.holdsSecret):
			faults = append(faults, secretFault(list.pointer))
		}
	}
	return faults
}

// holdsSecret is true of what must not be kept as it is.
func (s *Server) holdsSecret(text string) bool { return s.Redact(text) != text }

func secretFault(pointer string) fault {
	return fault{Pointer: pointer, Code: "secret", Detail: "it looks like it holds a secret, and what is kept is shown to others"}
}

func faultOfField(f store.AlertFault) fault {
	pointer := "/"
	for _, r := range f.Field {
		if r == '.' {
			r = '/'
		}
		pointer += string(r)
	}
	return fault{Pointer: pointer, Code: "not_valid", Detail: f.Detail}
}

// readRule reads the body of a request that makes, replaces or previews a rule.
func (s *Server) readRule(c echo.Context) (store.AlertRule, error) {
	if err := s.query(c).err(); err != nil {
		return store.AlertRule{}, err
	}
	var given newRuleJSON
	if err := readJSON(c.Request(), &given); err != nil {
		return store.AlertRule{}, err
	}
	r, faults := s.rule(given)
	if len(faults) > 0 {
		return r, fail(http.StatusBadRequest, "The rule is not valid; errors says why.", faults...)
	}
	r.UpdatedBy = identityOf(c).name()
	return r, nil
}

func (s *Server) listRules(c echo.Context) error {
	q := s.query(c)
	q.rows()
	if err := q.err(); err != nil {
		return err
	}
	rules, err := s.Store.ListAlertRules(c.Request().Context())
	if err != nil {
		return err
	}
	return sendList(c, q, convert(rules, toRuleJSON), "")
}

func (s *Server) addRule(c echo.Context) error {
	r, err := s.readRule(c)
	if err != nil {
		return err
	}
	stored, err := s.Store.CreateAlertRule(c.Request().Context(), r)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/rules/"+stored.ID)
	return sendRule(c, http.StatusCreated, stored)
}

func sendRule(c echo.Context, status int, r store.AlertRule) error {
	c.Response().Header().Set("ETag", `"`+strconv.FormatInt(r.Version, 10)+`"`)
	return sendJSON(c, status, toRuleJSON(r))
}

func (s *Server) getRule(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	r, err := s.ruleOf(c)
	if err != nil {
		return err
	}
	return sendRule(c, http.StatusOK, r)
}

func (s *Server) ruleOf(c echo.Context) (store.AlertRule, error) {
	id, err := param(c, "id")
	if err != nil {
		return store.AlertRule{}, err
	}
	return s.Store.GetAlertRule(c.Request().Context(), id)
}

// versionOf reads If-Match against the present version of a rule; 0 when there is none.
func versionOf(c echo.Context, r store.AlertRule) (int64, error) {
	expected := c.Request().Header.Values("If-Match")
	if len(expected) == 0 {
		return 0, nil
	}
	if !matches(expected, `"`+strconv.FormatInt(r.Version, 10)+`"`) {
		return 0, ruleChanged()
	}
	return r.Version, nil
}

func ruleChanged() error {
	return fail(http.StatusPreconditionFailed, "The rule was changed meanwhile: read it again.",
		fault{Header: "If-Match", Code: "changed", Detail: "not the ETag of the present version"})
}

// putRule replaces a rule; with If-Match only the version that the caller has seen.
func (s *Server) putRule(c echo.Context) error {
	was, err := s.ruleOf(c)
	if err != nil {
		return err
	}
	r, err := s.readRule(c)
	if err != nil {
		return err
	}
	if r.Version, err = versionOf(c, was); err != nil {
		return err
	}
	r.ID = was.ID
	stored, err := s.Store.UpdateAlertRule(c.Request().Context(), r)
	if errors.Is(err, store.ErrConflict) {
		return ruleChanged()
	}
	if err != nil {
		return err
	}
	return sendRule(c, http.StatusOK, stored)
}

func (s *Server) deleteRule(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	was, err := s.ruleOf(c)
	if err != nil {
		return err
	}
	version, err := versionOf(c, was)
	if err != nil {
		return err
	}
	err = s.Store.DeleteAlertRule(c.Request().Context(), was.ID, version)
	if errors.Is(err, store.ErrConflict) {
		return ruleChanged()
	}
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// previewRule says when a rule would have fired, and stores nothing.
func (s *Server) previewRule(c echo.Context) error {
	r, err := s.readRule(c)
	if err != nil {
		return err
	}
	p, err := s.Alerts.Preview(c.Request().Context(), r)
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusOK, p)
}
