package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"authwatch/store"

	"github.com/labstack/echo/v4"
)

// silenceJSON is a silence as the API shows it.
type silenceJSON struct {
	ID       string    `json:"id"`
	Match    matchJSON `json:"match"`
	Author   string    `json:"author"`
	Reason   string    `json:"reason"`
	BeginsAt time.Time `json:"begins_at"`
	EndsAt   time.Time `json:"ends_at"`
	Active   bool      `json:"active"`
}

func (s *Server) toSilenceJSON(v store.AlertSilence) silenceJSON {
	return silenceJSON{ID: v.ID, Match: matchJSON(v.Match), Author: v.Author, Reason: v.Reason, BeginsAt: v.BeginsAt, EndsAt: v.EndsAt, Active: v.EndsAt.After(s.Now())}
}

// newSilenceJSON is what makes a silence, which begins at once.
type newSilenceJSON struct {
	Match  matchJSON `json:"match"`
	Reason string    `json:"reason"`
	EndsAt time.Time `json:"ends_at"`
}

// silence checks what was given and redacts what a person wrote.
func (s *Server) silence(given newSilenceJSON) (store.AlertSilence, []fault) {
	v := store.AlertSilence{Match: store.AlertMatch(given.Match), Reason: s.Redact(given.Reason), EndsAt: given.EndsAt}
	var faults []fault
	for _, f := range v.Faults(s.Now()) {
		faults = append(faults, faultOfField(f))
	}
	if len(faults) == 0 && !isText(v.Reason) {
		faults = append(faults, fault{Pointer: "/reason", Code: "not_text", Detail: "UTF-8 text without NUL"})
	}
	return v, append(faults, s.faultsOfMatch(v.Match)...)
}

// listSilences lists the silences that have not ended, and with all=true those of the last 90 days.
func (s *Server) listSilences(c echo.Context) error {
	q := s.query(c)
	q.rows()
	all := oneOf(q, "all", "false", "true") == "true"
	if err := q.err(); err != nil {
		return err
	}
	since := s.Now()
	if all {
		since = since.AddDate(0, 0, -90)
	}
	list, err := s.Store.ListAlertSilences(c.Request().Context(), since)
	if err != nil {
		return err
	}
	return sendList(c, q, convert(list, s.toSilenceJSON), "")
}

func (s *Server) addSilence(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	var given newSilenceJSON
	if err := readJSON(c.Request(), &given); err != nil {
		return err
	}
	v, faults := s.silence(given)
	if len(faults) > 0 {
		return fail(http.StatusBadRequest, "The silence is not valid; errors says why.", faults...)
	}
	v.Author = identityOf(c).name()
	stored, err := s.Store.AddAlertSilence(c.Request().Context(), v)
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusCreated, s.toSilenceJSON(stored))
}

// endSilence ends a silence now; it stays in the list of all.
func (s *Server) endSilence(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	id, err := param(c, "id")
	if err != nil {
		return err
	}
	ended, err := s.Store.EndAlertSilence(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusOK, s.toSilenceJSON(ended))
}

// alertJSON is something that a rule found. Message is what receivers are told, as docs/alerts.md describes it.
type alertJSON struct {
	ID      string          `json:"id"`
	RuleID  string          `json:"rule_id"`
	FiredAt time.Time       `json:"fired_at"`
	EndedAt time.Time       `json:"ended_at,omitzero"`
	EndedBy store.AlertEnd  `json:"ended_by,omitempty"`
	Message json.RawMessage `json:"message"`
}

func toAlertJSON(a store.Alert) alertJSON {
	return alertJSON{ID: a.ID, RuleID: a.RuleID, FiredAt: a.FiredAt, EndedAt: a.EndedAt, EndedBy: a.EndedBy, Message: a.Message}
}

// listAlerts lists what rules found, latest first; firing=true only what goes on.
func (s *Server) listAlerts(c echo.Context) error {
	q := s.query(c)
	f := store.AlertFilter{Firing: oneOf(q, "firing", "false", "true") == "true", RuleID: q.one("rule"), Page: q.page()}
	if err := q.err(); err != nil {
		return err
	}
	list, next, err := s.Store.ListAlerts(c.Request().Context(), f)
	if err != nil {
		return err
	}
	return sendList(c, q, convert(list, toAlertJSON), next)
}

// deliveryJSON is one message to one receiver, or what became of it.
type deliveryJSON struct {
	ID        string               `json:"id"`
	AlertID   string               `json:"alert_id,omitempty"` // none: a test
	Rule      string               `json:"rule,omitempty"`
	Receiver  string               `json:"receiver"`
	Kind      store.DeliveryKind   `json:"kind"`
	Status    store.DeliveryStatus `json:"status"`
	Attempts  int64                `json:"attempts"`
	LastError string               `json:"last_error,omitempty"`
	CreatedAt time.Time            `json:"created_at"`
	NextAt    time.Time            `json:"next_at,omitzero"`
	DoneAt    time.Time            `json:"done_at,omitzero"`
}

func toDeliveryJSON(d store.AlertDelivery) deliveryJSON {
	out := deliveryJSON{ID: d.ID, AlertID: d.AlertID, Rule: d.RuleName, Receiver: d.Receiver, Kind: d.Kind, Status: d.Status, Attempts: d.Attempts,
		LastError: d.LastError, CreatedAt: d.CreatedAt, DoneAt: d.DoneAt}
	if d.Status == store.DeliveryWaiting {
		out.NextAt = d.NextAt
	}
	return out
}

func (s *Server) listDeliveries(c echo.Context) error {
	q := s.query(c)
	page := q.page()
	if err := q.err(); err != nil {
		return err
	}
	list, next, err := s.Store.ListAlertDeliveries(c.Request().Context(), page)
	if err != nil {
		return err
	}
	return sendList(c, q, convert(list, toDeliveryJSON), next)
}

func (s *Server) listReceivers(c echo.Context) error {
	q := s.query(c)
	q.rows()
	if err := q.err(); err != nil {
		return err
	}
	return sendList(c, q, append([]AlertReceiver{}, s.Alerts.Receivers...), "")
}

// testedJSON says whether a test was taken.
type testedJSON struct {
	Receiver string `json:"receiver"`
	Sent     bool   `json:"sent"`
	Error    string `json:"error,omitempty"` // a class such as timeout or http_500
}

func (s *Server) testReceiver(c echo.Context) error {
	if err := s.query(c).err(); err != nil {
		return err
	}
	tested, err := s.tested(c)
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusOK, tested)
}

func (s *Server) tested(c echo.Context) (testedJSON, error) {
	name, err := param(c, "name")
	if err != nil {
		return testedJSON{}, err
	}
	if !slices.ContainsFunc(s.Alerts.Receivers, func(r AlertReceiver) bool { return r.Name == name }) {
		return testedJSON{}, store.ErrNotFound
	}
	class, err := s.Alerts.Test(c.Request().Context(), name)
	return testedJSON{Receiver: name, Sent: class == "", Error: class}, err
}
